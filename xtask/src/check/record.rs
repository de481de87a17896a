//! The recorded page and the spec: their differences, what is ours, and prose about what is gone.

use super::Checked;
use crate::docs::findings::{self, Around};
use crate::docs::prose::Prose;
use crate::document::{Comparison, Pointer, Spec};
use crate::files::{RECORD, SPEC};
use crate::page::record::{self, Recorded};
use crate::report::{Finding, Link};
use std::collections::BTreeSet;

pub fn check(spec: &Spec, around: &Around, recorded: &mut Recorded) -> (Vec<Finding>, Comparison) {
    let (comparison, mut findings) =
        findings::findings(spec, around, &mut recorded.page, RECORD, None);
    let (own, recorded) = (record::ours(spec, &comparison), &recorded.ours);
    let all: BTreeSet<&Pointer> = own.keys().chain(recorded.keys()).collect();
    for pointer in all.into_iter().filter(|pointer| own.get(*pointer) != recorded.get(*pointer)) {
        let value = |ours: &record::Ours| match ours.get(pointer) {
            Some(value) => value.to_string(),
            None => "not stated".to_owned(),
        };
        let title = format!(
            "`{pointer}` is ours: {} in the record, {} in the spec",
            value(recorded),
            value(&own)
        );
        let line = spec.facts.line_around(pointer).or_else(|| spec.line(&pointer.0));
        findings.push(
            Finding::new(Link::Page, format!("{pointer} ours"), title).at(SPEC, line, "the spec"),
        );
    }
    (findings, comparison)
}

/// The names that earlier records had, and that the prose still uses.
pub fn prose(prose: &Prose, gone: &BTreeSet<String>) -> Checked {
    let findings = gone.iter().filter_map(|name| {
        let places = prose.naming(name);
        let title = format!("the prose names `{name}`, which the vendor's page had once and no longer has");
        let finding = Finding::new(Link::Prose, name, title).help(
            "describe the API as it is now; what is meant to stay, such as a note for those who upgrade, goes into \
             xtask/waivers.yaml",
        );
        let all = places.iter().fold(finding, |finding, (file, line)| finding.at(file, Some(*line), "here"));
        (!places.is_empty()).then_some(all)
    });
    (findings.collect(), format!("looked for {} names that are gone in the prose", gone.len()))
}

/// Replaces the findings about the record by one, the last. The record may predate the page that the spec follows, so
/// that an edit of the spec could undo what is right.
pub fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let (of_record, mut findings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.link == Link::Page);
    if of_record.is_empty() {
        return findings;
    }
    let title = format!("{SPEC} and the recorded page differ in {} places", of_record.len());
    let mut merged = Finding::new(Link::Page, "record", title).help(format!(
        "if {SPEC} follows a newer page, or what is ours is meant to change, run `cargo xtask docs PAGE --record`; \
         otherwise correct {SPEC}"
    ));
    for finding in of_record {
        let line = finding.spots.iter().find(|spot| spot.file == SPEC).and_then(|spot| spot.line);
        merged = merged.at(SPEC, line, finding.title);
        merged.operations.extend(finding.operations);
        merged.prose.extend(finding.prose);
    }
    for all in [&mut merged.operations, &mut merged.prose] {
        all.sort();
        all.dedup();
    }
    findings.push(merged);
    findings
}
