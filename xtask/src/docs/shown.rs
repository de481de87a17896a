//! What the record of a page shows and a new copy of the same shape doesn't, although the spec still states it.
//!
//! A page may hide it now, or the copy may have lost it: neither is agreement.

use super::findings::Reporter;
use crate::document::{Comparison, Difference, Facts, Pointer};
use crate::files::{RECORD, SPEC};
use crate::page::Page;
use crate::report::{Finding, Link, clean};

impl Reporter<'_> {
    /// The findings; the same loss in several operations is one.
    pub(super) fn no_longer_shown(&self, comparison: &Comparison, record: &Page) -> Vec<Finding> {
        // What could not be read may be what isn't shown.
        if record.shape != self.page.shape || !self.page.unreadable.is_empty() {
            return Vec::new();
        }
        // What is lost, in words, and where.
        let mut lost: Vec<(String, Vec<&Pointer>)> = Vec::new();
        let mut add = |what: String, place| match lost.iter_mut().find(|(other, _)| *other == what)
        {
            Some((_, places)) => places.push(place),
            None => lost.push((what, vec![place])),
        };
        for silent in &comparison.silent {
            let place = &silent.hidden;
            let owner = place.parent();
            let about = |it: &Difference| it.place().is_within(place) || *it.place() == owner;
            if record.facts.has(&silent.fact) && !comparison.differences.iter().any(about) {
                add(format!("`{}`", place.within_operation()), place);
            }
        }
        for (place, fact) in &self.page.facts.map {
            let labelled = || record.facts.get(place).is_some_and(|before| !before.unlabelled);
            if fact.unlabelled && labelled() {
                let at = if place.is_operation() {
                    "the authorizations".to_owned()
                } else {
                    format!("`{}`", place.within_operation())
                };
                add(format!("the label of the section of {at}"), place);
            }
            // `enum` without its values.
            let hidden = |facts: &Facts| {
                facts.get(place).and_then(|fact| fact.value.as_ref()).map(|value| *value == "")
            };
            if fact.value.is_some()
                && hidden(&self.page.facts) == Some(true)
                && hidden(&record.facts) == Some(false)
                && place.holder() == "enum"
            {
                add(format!("the values of `{}`", place.parent().within_operation()), place);
            }
        }
        lost.into_iter().map(|(what, places)| self.lost(&what, &places)).collect()
    }

    fn lost(&self, what: &str, places: &[&Pointer]) -> Finding {
        let mut operations: Vec<_> =
            places.iter().map(|place| place.root().unwrap_or_default()).collect();
        operations.dedup();
        let (operation, whole) = match operations.as_slice() {
            [one] => (format!("{one} "), format!(", in {one}")),
            several => (String::new(), format!(", in {} operations", several.len())),
        };
        let fingerprint = format!("{operation}{what} no longer shown").replace('`', "");
        let title = format!("the page no longer shows {what}{whole}");
        let mut finding = Finding::new(Link::Page, clean(&fingerprint), clean(&title));
        finding.operations = operations.iter().map(ToString::to_string).collect();
        finding
            .at(self.name, self.page.facts.line_around(places[0]), "the page")
            .at(SPEC, self.spec.facts.line_around(places[0]), "the spec")
            .help(format!(
                "copy the page again, the whole of it. If the vendor removed it, remove it from {SPEC}; if the \
                 page only stopped showing it, run `cargo xtask docs PAGE --record`, which replaces {RECORD}"
            ))
    }
}
