//! The recorded page and the spec: their differences, what is ours, and prose about what is gone.

use super::Checked;
use crate::docs::findings::{self, Around, add_new};
use crate::docs::prose::Prose;
use crate::document::{Comparison, Pointer, Spec};
use crate::files::{RECORD, SPEC};
use crate::page::record::{self, Recorded};
use crate::report::{Finding, Link};
use std::collections::BTreeSet;

/// Compares the record with the spec. All differences are one finding: the record may predate the page that the spec
/// follows, so that an edit of the spec could undo what is right.
pub fn check(
    spec: &Spec,
    around: &Around,
    recorded: &mut Recorded,
) -> (Option<Finding>, Comparison) {
    let (comparison, differences) =
        findings::findings(spec, around, &mut recorded.page, RECORD, None);
    let (own, recorded) = (record::ours(spec, &comparison), &recorded.ours);
    let mut merged = Finding::new(Link::Page, "record", "").help(format!(
        "if {SPEC} follows a newer page, or what is ours is meant to change, run `cargo xtask docs PAGE --record`; \
         otherwise correct {SPEC}"
    ));
    for finding in differences {
        let line = finding.spots.iter().find(|spot| spot.file == SPEC).and_then(|spot| spot.line);
        merged = merged.at(SPEC, line, finding.title);
        add_new(&mut merged.operations, finding.operations);
        add_new(&mut merged.prose, finding.prose);
    }
    let all: BTreeSet<&Pointer> = own.keys().chain(recorded.keys()).collect();
    for pointer in all.into_iter().filter(|pointer| own.get(*pointer) != recorded.get(*pointer)) {
        let value = |ours: &record::Ours| {
            ours.get(pointer).map_or("not stated".to_owned(), ToString::to_string)
        };
        let (before, now) = (value(recorded), value(&own));
        let title = format!("`{pointer}` is ours: {before} in the record, {now} in the spec");
        let line = spec.facts.line_around(pointer).or_else(|| spec.line(&pointer.0));
        merged = merged.at(SPEC, line, title);
    }
    let places = merged.spots.len();
    merged.title = format!("{SPEC} and the recorded page differ in {places} places");
    (Some(merged).filter(|_| places > 0), comparison)
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
