//! The recorded page and the spec: their differences, and what is ours.

use crate::docs::findings::{self, Around};
use crate::document::{Comparison, Pointer, Spec};
use crate::files::{RECORD, SPEC};
use crate::page::record::{self, Ours, Recorded};
use crate::report::{Finding, Link};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

pub fn check(spec: &Spec, around: &Around, recorded: &mut Recorded) -> (Vec<Finding>, Comparison) {
    let (comparison, mut findings) =
        findings::findings(spec, around, &mut recorded.page, RECORD, None);
    let (own, recorded) = (record::ours(spec, &comparison), &recorded.ours);
    let differs = |pointer: &&Pointer| own.get(*pointer) != recorded.get(*pointer);
    let all: BTreeSet<&Pointer> = own.keys().chain(recorded.keys()).filter(differs).collect();
    // A place that the page hides as a whole is one finding.
    let hidden: BTreeMap<&Pointer, &Pointer> =
        comparison.silent.iter().map(|silent| (&silent.fact, &silent.hidden)).collect();
    let mut groups: BTreeMap<&Pointer, Vec<&Pointer>> = BTreeMap::new();
    for pointer in all {
        groups.entry(hidden.get(pointer).unwrap_or(&pointer)).or_default().push(pointer);
    }
    findings.extend(
        groups.into_iter().map(|(place, pointers)| finding(spec, place, &pointers, &own, recorded)),
    );
    (findings, comparison)
}

/// The finding for what is ours and changed at one place.
fn finding(
    spec: &Spec,
    place: &Pointer,
    pointers: &[&Pointer],
    own: &Ours,
    recorded: &Ours,
) -> Finding {
    let first = pointers[0];
    let value = |ours: &Ours, pointer| {
        ours.get(pointer).map_or_else(|| "not stated".to_owned(), ToString::to_string)
    };
    let changes = pointers.iter().map(|pointer| {
        format!(
            "{pointer}: {} in the record, {} in the spec",
            value(recorded, pointer),
            value(own, pointer)
        )
    });
    let changes: Vec<String> = changes.collect();
    let title = match (recorded.get(first), own.get(first)) {
        (None, Some(_)) => format!("the spec states `{place}`, which is not on the recorded page"),
        (Some(_), None) => {
            format!("the spec no longer states `{first}`, as it did when the page was recorded")
        }
        _ => format!("what is ours has changed: {}", changes[0]),
    };
    let line = spec.facts.line_around(first).or_else(|| spec.line(&first.0));
    let names: Vec<String> = pointers.iter().map(ToString::to_string).collect();
    Finding::new(Link::Page, format!("{} ours", names.join(", ")), title)
        .at(SPEC, line, "the spec")
        .at(RECORD, None, "the record")
        .help(format!(
            "undo it; or, if it is meant to be ours, say so in a comment and run `cargo xtask docs PAGE --record`.\n{}",
            changes.join("\n")
        ))
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
        for (into, from) in
            [(&mut merged.operations, finding.operations), (&mut merged.prose, finding.prose)]
        {
            for one in from {
                if !into.contains(&one) {
                    into.push(one);
                }
            }
        }
    }
    findings.push(merged);
    findings
}
