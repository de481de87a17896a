//! What the record of a page shows and a new copy of the same shape doesn't, although the spec still states it.
//!
//! A page may hide it now, or the copy may have lost it: neither is agreement.

use super::Reporter;
use crate::contract::{Aspect, Comparison, Facts, Place};
use crate::files::{RECORD, SPEC};
use crate::page::Page;
use crate::report::{Finding, Link, clean};

impl Reporter<'_> {
    /// The findings; the same loss in several operations is one.
    pub(super) fn no_longer_shown(&self, comparison: &Comparison, record: &Page) -> Vec<Finding> {
        if record.shape != self.page.shape {
            return Vec::new();
        }
        // What is lost, in words, and where.
        let mut lost: Vec<(String, Vec<&Place>)> = Vec::new();
        let mut add = |what: String, place| match lost.iter_mut().find(|(other, _)| *other == what)
        {
            Some((_, places)) => places.push(place),
            None => lost.push((what, vec![place])),
        };
        for silent in &comparison.silent {
            let place = silent.hidden.as_ref().unwrap_or(&silent.place);
            let mut differences = comparison.differences.iter();
            let recorded = record.facts.value(&silent.place, silent.aspect).is_some();
            if recorded && !differences.any(|it| it.place().is_within(place)) {
                let at = place.within_operation();
                add(
                    match &silent.hidden {
                        Some(_) => format!("`{at}`"),
                        None if at.0.is_empty() => format!("`{}`", silent.aspect),
                        None => format!("`{}` of `{at}`", silent.aspect),
                    },
                    place,
                );
            }
        }
        for (place, subject) in &self.page.facts.subjects {
            let labelled = record.facts.get(place).is_some_and(|before| !before.unlabelled);
            if subject.unlabelled && labelled {
                let at = if place.tail().is_empty() {
                    "the authorizations".to_owned()
                } else {
                    format!("`{}`", place.within_operation())
                };
                add(format!("the label of the section of {at}"), place);
            }
            let values = |facts: &Facts| facts.value(place, Aspect::Enum).map(|it| !it.is_null());
            if values(&self.page.facts) == Some(false) && values(&record.facts) == Some(true) {
                add(format!("the values of `{}`", place.within_operation()), place);
            }
        }
        lost.into_iter().map(|(what, places)| self.lost(&what, &places)).collect()
    }

    fn lost(&self, what: &str, places: &[&Place]) -> Finding {
        let mut operations: Vec<_> = places.iter().map(|place| place.root()).collect();
        operations.dedup();
        let (operation, whole) = match operations.as_slice() {
            [one] => (format!("{one} "), format!(", in {one}")),
            several => (String::new(), format!(", in {} operations", several.len())),
        };
        let fingerprint = format!("{operation}{what} no longer shown").replace('`', "");
        let title = format!("the page no longer shows {what}{whole}");
        let mut finding = Finding::new(Link::Page, clean(&fingerprint), clean(&title));
        finding.operations = operations.iter().map(ToString::to_string).collect();
        let mut around =
            (0..=places[0].0.len()).rev().map(|depth| Place(places[0].0[..depth].to_vec()));
        let line = around.find_map(|place| self.page.facts.get(&place)?.line);
        finding
            .at(self.name, line, "the page")
            .at(SPEC, self.spec.line_of(places[0]), "the spec")
            .help(format!(
                "copy the page again, the whole of it. If the vendor removed it, remove it from {SPEC}; if the \
                 page only stopped showing it, run `cargo xtask docs PAGE --record`, which replaces {RECORD}"
            ))
    }
}
