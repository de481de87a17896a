//! The recorded page and the spec: their differences, and the facts that only one of them states.

use crate::contract::{Comparison, Silent, Spec};
use crate::drift;
use crate::drift::listed::PublicItems;
use crate::files::{RECORD, SPEC};
use crate::page::record::Recorded;
use crate::report::{Finding, Link};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(spec: &Spec, public: &PublicItems, recorded: Recorded) -> (Vec<Finding>, Comparison) {
    let Recorded { mut page, silent } = recorded;
    let (comparison, mut findings) = drift::findings(spec, public, &mut page, RECORD, None);
    // A place that the page hides as a whole is one finding.
    let mut undocumented: BTreeMap<String, Vec<&Silent>> = BTreeMap::new();
    for fact in &comparison.silent {
        if !silent.contains(&fact.to_string()) {
            undocumented.entry(fact.name()).or_default().push(fact);
        }
    }
    for (place, facts) in undocumented {
        let Silent { place: first, aspect, .. } = facts[0];
        let subject = spec.facts.get(first);
        let stated = subject.and_then(|subject| subject.stated.get(aspect)?.line);
        let facts: Vec<String> = facts.iter().map(ToString::to_string).collect();
        let title = format!("the spec states `{place}`, and the page is silent on it");
        findings.push(
            Finding::new(Link::Page, format!("{} silent", facts.join(", ")), title)
                .at(SPEC, stated.or_else(|| subject?.line), "not on the recorded page")
                .help(format!(
                    "remove it; or, if it is meant to be ours, say so in a comment and run \
                     `cargo xtask docs PAGE --record`. It states\n{}",
                    facts.join("\n")
                )),
        );
    }
    let own: BTreeSet<String> = comparison.silent.iter().map(ToString::to_string).collect();
    for fact in silent.iter().filter(|fact| !own.contains(*fact)) {
        let title =
            format!("the spec no longer states `{fact}`, as it did when the page was recorded");
        findings.push(
            Finding::new(Link::Page, format!("{fact} unsaid"), title)
                .at(RECORD, None, "the record")
                .help(
                    "put it back; or, if it is meant to go, run `cargo xtask docs PAGE --record`",
                ),
        );
    }
    (findings, comparison)
}
