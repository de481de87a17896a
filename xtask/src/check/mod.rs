//! `cargo xtask check`: proves that no link of the chain has drifted, without a network.

pub mod compiled;
pub mod fake;
pub mod generated;
mod instance;
pub mod schemas;
pub mod spec;
pub mod wire;

use crate::compare::{Comparison, Silent};
use crate::docs;
use crate::drift::{self, LazySources};
use crate::facts::Place;
use crate::finding::{Finding, Link};
use crate::generate::{self, SPEC_COPY};
use crate::page::record::{self, RECORD, Recorded};
use crate::report::{Receipt, Report};
use crate::sources::GENERATED;
use crate::spec::{SPEC, Spec};
use crate::waivers::{WAIVERS, Waivers};
use crate::write;
use compiled::Compiled;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread;

const COMMAND: &str = "check";

/// Checks the workspace at `root`.
pub fn run(root: &Path) -> Report {
    // Compiling, or finding out that there is nothing to compile, takes the longest.
    let compiled = thread::scope(|scope| {
        let compiled = scope.spawn(|| Compiled::load(root));
        let checked = before_compiling(root);
        let compiled =
            compiled.join().unwrap_or_else(|_| Err("the facts were not read".to_owned()));
        checked.and_then(|checked| Ok((checked, compiled?)))
    });
    let ((spec, mut findings, mut receipt), compiled) = match compiled {
        Ok(compiled) => compiled,
        Err(problem) => return Report::could_not(COMMAND, problem),
    };
    let whole = compiled.is_ok();
    match compiled {
        Ok(compiled) => {
            for (found, compared) in after_compiling(&spec, &compiled) {
                findings.extend(found);
                receipt.compared.push(compared);
            }
        }
        Err(finding) => findings.push(*finding),
    }
    let mut waivers = match Waivers::load(root) {
        Ok(waivers) => waivers,
        Err(problem) => return Report::could_not(COMMAND, problem),
    };
    let (mut findings, waived) = waivers.sift(findings);
    // Without the links that must be compiled nobody knows which waivers are needed.
    if whole {
        findings.extend(waivers.findings());
    }
    receipt.waived = waived;
    let mut report = Report::new(COMMAND, findings, Vec::new());
    report.receipt = receipt;
    report.show(SPEC, &spec.text);
    for file in [WAIVERS, GENERATED, SPEC_COPY] {
        if let Ok(text) = std::fs::read_to_string(root.join(file)) {
            report.show(file, &text);
        }
    }
    report
}

/// The links for which nothing has to be compiled.
pub fn before_compiling(root: &Path) -> Result<(Spec, Vec<Finding>, Receipt), String> {
    let spec = Spec::load(root)?;
    let (mut findings, compared) = spec::check(&spec);
    let mut lines = vec![compared];
    let sources = drift::sources(root);
    let mut receipt = match record::load(root)? {
        Some(recorded) => {
            let (found, comparison) = record(&spec, &sources, recorded);
            findings.extend(found);
            docs::receipt(&spec, &comparison, 0)
        }
        None => {
            return Err(format!(
                "there is no {RECORD}; make it with `cargo xtask docs PAGE --record`"
            ));
        }
    };
    lines.append(&mut receipt.compared);
    let (found, compared) = generated::check(&spec, &generate::committed(root)?);
    findings.extend(found);
    findings.extend(generated::copy(&spec, &write::written(root, SPEC_COPY)?));
    lines.push(compared);
    receipt.compared = lines;
    Ok((spec, findings, receipt))
}

/// The links for which something has to be compiled.
pub fn after_compiling(spec: &Spec, compiled: &Compiled) -> [(Vec<Finding>, String); 4] {
    [
        generated::compiled(spec, compiled),
        schemas::check(spec, compiled),
        wire::check(spec, compiled),
        fake::check(spec, compiled),
    ]
}

/// Page record and spec: what differs, and what one says on its own since it was recorded.
pub fn record(
    spec: &Spec,
    sources: &LazySources<'_>,
    mut recorded: Recorded,
) -> (Vec<Finding>, Comparison) {
    let (comparison, mut findings) =
        drift::findings(spec, sources, &mut recorded.page, RECORD, None);
    let own: BTreeSet<String> = comparison.silent.iter().map(ToString::to_string).collect();
    let unheard = comparison.silent.iter();
    let unheard = unheard.filter(|silent| !recorded.silent.contains(&silent.to_string()));
    // A place that the page hides as a whole is one finding.
    let mut places: BTreeMap<String, Vec<&Silent>> = BTreeMap::new();
    for silent in unheard {
        let place = silent.hidden.as_ref().map_or_else(|| silent.to_string(), Place::to_string);
        places.entry(place).or_default().push(silent);
    }
    for (place, facts) in places {
        let Silent { place: first, aspect, .. } = facts[0];
        let subject = spec.facts.get(first);
        let stated = subject.and_then(|subject| subject.stated.get(aspect)?.line);
        let facts: Vec<String> = facts.iter().map(ToString::to_string).collect();
        let title = format!("the spec speaks of `{place}`, and the page says nothing of it");
        findings.push(
            Finding::new(Link::Page, format!("{} silent", facts.join(", ")), title)
                .at(SPEC, stated.or_else(|| subject?.line), "who says so?")
                .help(format!(
                    "take it out; or, if it is meant to be ours, mark it as ours with a comment, and \
                     run `cargo xtask docs PAGE --record`. It says\n{}",
                    facts.join("\n")
                )),
        );
    }
    for fact in recorded.silent.iter().filter(|fact| !own.contains(*fact)) {
        let title =
            format!("the spec no longer says `{fact}`, which it did when the page was recorded");
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
