//! The recorded page and the spec: their differences, and the facts that only one of them states.

use crate::contract::{Comparison, Silent, Spec};
use crate::drift;
use crate::drift::listed::PublicItems;
use crate::files::{RECORD, SPEC};
use crate::page::record::Recorded;
use crate::report::{Finding, Link};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

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

/// Replaces the findings about the record by one, the last. The record may predate the page that the spec follows, so
/// that an edit of the spec could undo what is right.
pub fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let (of_record, mut findings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.link == Link::Page);
    let Some(first) = of_record.first() else { return findings };
    let title = match of_record.len() {
        1 => format!("{SPEC} and the recorded page differ: {}", first.title),
        places => format!("{SPEC} and the recorded page differ in {places} places"),
    };
    let mut merged = Finding::new(Link::Page, "record", title);
    merged.spots.clone_from(&first.spots);
    merged.help = format!(
        "if {SPEC} follows a newer page, the record predates that: run `cargo xtask docs PAGE --record`. If the \
         page is the same, correct {SPEC}. By the record"
    );
    for finding in of_record {
        let line = finding.spots.iter().find(|spot| spot.file == SPEC).and_then(|spot| spot.line);
        let at = line.map_or_else(String::new, |line| format!("{SPEC}:{line}: "));
        let _ = write!(merged.help, "\n{at}{}", finding.title);
        for operation in finding.operations {
            if !merged.operations.contains(&operation) {
                merged.operations.push(operation);
            }
        }
    }
    findings.push(merged);
    findings
}
