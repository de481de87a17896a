//! Compares what a page says with what the spec says. A fact agrees, or differs, or the page is silent
//! of it.

use crate::facts::{Aspect, Facts, Place, Step, Subject, Within};
use crate::openapi::{blank, plain};
use crate::page::{Page, Shape};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// What came of comparing all facts.
#[derive(Debug, Default)]
pub struct Comparison {
    pub differences: Vec<Difference>,
    /// Operations that both know.
    pub operations: usize,
    /// Numbers of facts.
    pub agreeing: usize,
    pub differing: usize,
    /// Facts of the spec of which the page says nothing.
    pub silent: Vec<Silent>,
}

/// A fact of the spec of which the page says nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Silent {
    pub place: Place,
    pub aspect: Aspect,
    /// The place above which the page shows, and this one not.
    pub hidden: Option<Place>,
}

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.aspect)
    }
}

/// One thing that page and spec say otherwise. The place is that of the spec.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Both know the place and say another thing of it; none where one says nothing, and thereby no.
    Changed { place: Place, aspect: Aspect, spec: Option<Value>, page: Option<Value> },
    /// The page has a place that the spec doesn't have.
    Added { place: Place },
    /// The spec has a place that the page would show, and doesn't.
    Removed { place: Place },
    /// A parameter is sent in another place, or by another name.
    Moved { place: Place, to: Place },
}

impl Difference {
    pub fn place(&self) -> &Place {
        match self {
            Self::Changed { place, .. }
            | Self::Added { place }
            | Self::Removed { place }
            | Self::Moved { place, .. } => place,
        }
    }
}

/// Compares. The page is brought into the order of the spec as far as order means nothing.
pub fn compare(spec: &Facts, page: &mut Page) -> Comparison {
    rename_paths(spec, &mut page.facts);
    rename_headers(spec, &mut page.facts);
    let alternatives: Vec<Place> = page
        .facts
        .subjects
        .iter()
        .filter(|(_, subject)| subject.stated.contains_key(&Aspect::Alternatives))
        .map(|(place, _)| place.clone())
        .collect();
    for place in alternatives {
        reorder(spec, &mut page.facts, &place);
    }
    let moved = moved(spec, page);
    let mut comparison = Comparison::default();
    what_the_spec_says(spec, page, &moved, &mut comparison);
    what_the_page_adds(spec, page, &moved, &mut comparison);
    comparison
}

/// The facts of a place, and of all below it.
fn all<'a>(facts: &'a Facts, place: &'a Place) -> impl Iterator<Item = (&'a Place, Aspect)> {
    [place].into_iter().chain(facts.below(place)).flat_map(|inner| {
        let stated = facts.get(inner).into_iter().flat_map(|subject| subject.stated.keys());
        stated.map(move |aspect| (inner, *aspect))
    })
}

fn what_the_spec_says(
    spec: &Facts,
    page: &Page,
    moved: &[(Place, Place)],
    comparison: &mut Comparison,
) {
    // A place is told of once: nothing more is said of what stands below.
    let mut told: Option<&Place> = None;
    for (place, subject) in &spec.subjects {
        if told.is_some_and(|told| place.is_within(told)) {
            continue;
        }
        if let Some(shown) = page.facts.get(place) {
            if matches!(place.0.as_slice(), [Step::Operation { .. }]) {
                comparison.operations += 1;
            }
            aspects(comparison, page, place, subject, shown);
        } else if place.0.is_empty() {
            // Servers may stand on another page.
            let silent =
                |aspect: &Aspect| Silent { place: place.clone(), aspect: *aspect, hidden: None };
            comparison.silent.extend(subject.stated.keys().map(silent));
        } else if let Some((_, to)) = moved.iter().find(|(from, _)| from == place) {
            comparison.differing += all(spec, place).count();
            comparison.differences.push(Difference::Moved { place: place.clone(), to: to.clone() });
            told = Some(place);
        } else if may_hold(page, place) {
            let hidden = all(spec, place).map(|(inner, aspect)| Silent {
                place: inner.clone(),
                aspect,
                hidden: Some(place.clone()),
            });
            comparison.silent.extend(hidden);
            told = Some(place);
        } else {
            comparison.differing += all(spec, place).count();
            comparison.differences.push(Difference::Removed { place: place.clone() });
            told = Some(place);
        }
    }
}

/// Whether the vendor's API may have a place that the page doesn't show.
fn may_hold(page: &Page, place: &Place) -> bool {
    let folded = page.facts.get(&place.parent()).is_some_and(|parent| parent.opaque);
    // Properties without a name are allowed where nothing is said of them.
    let unnamed = place.last() == Some(&Step::Values);
    folded || unnamed || !page.unreadable.is_empty() || !page.shape.denies_places()
}

fn what_the_page_adds(
    spec: &Facts,
    page: &Page,
    moved: &[(Place, Place)],
    comparison: &mut Comparison,
) {
    let mut told: Option<&Place> = None;
    for place in page.facts.subjects.keys() {
        let known = spec.get(place).is_some() || moved.iter().any(|(_, to)| place.is_within(to));
        // What neither forbids nor asks for anything is no news.
        let anything = place.last() == Some(&Step::Values)
            && page.facts.value(place, Aspect::Type).is_some_and(|kind| kind == "any");
        if known || anything || told.is_some_and(|told| place.is_within(told)) {
            continue;
        }
        comparison.differing += all(&page.facts, place).count().max(1);
        comparison.differences.push(Difference::Added { place: place.clone() });
        told = Some(place);
    }
}

fn aspects(
    comparison: &mut Comparison,
    page: &Page,
    place: &Place,
    spec: &Subject,
    shown: &Subject,
) {
    let shape = page.shape;
    let denies = |aspect| !shown.opaque && page.unreadable.is_empty() && shape.denies(aspect);
    let all: BTreeSet<Aspect> = spec.stated.keys().chain(shown.stated.keys()).copied().collect();
    for aspect in all {
        let value = |subject: &Subject| Some(subject.stated.get(&aspect)?.value.clone());
        let (own, shown) = (value(spec), value(shown));
        let agrees = match (&own, &shown) {
            (Some(own), Some(shown)) => same(shape, aspect, own, shown),
            (Some(_), None) if !denies(aspect) => {
                comparison.silent.push(Silent { place: place.clone(), aspect, hidden: None });
                continue;
            }
            _ => false,
        };
        if agrees {
            comparison.agreeing += 1;
        } else {
            comparison.differing += 1;
            comparison.differences.push(Difference::Changed {
                place: place.clone(),
                aspect,
                spec: own,
                page: shown,
            });
        }
    }
}

/// Whether two values are the same, as far as the shape tells.
fn same(shape: Shape, aspect: Aspect, spec: &Value, page: &Value) -> bool {
    if spec == page {
        return true;
    }
    let sorted = |value: &Value| {
        let mut items: Vec<String> = value
            .as_array()
            .map(|items| items.iter().map(ToString::to_string).collect())
            .unwrap_or_default();
        items.sort();
        items
    };
    match (shape, aspect) {
        // The order of media types and of values means nothing.
        (_, Aspect::Content) | (Shape::Markdown, Aspect::Enum) => sorted(spec) == sorted(page),
        (Shape::Markdown, _) => match (spec.as_f64(), page.as_f64()) {
            (Some(spec), Some(page)) => spec.to_bits() == page.to_bits(),
            _ => false,
        },
        // The page marks that there are values, and may not show them.
        (Shape::Text, Aspect::Enum) if page.is_null() => true,
        // It runs them together.
        (Shape::Text, Aspect::Enum) => runs_together(spec, &plain(page)),
        (Shape::Text, _) => {
            let page = plain(page);
            let parsed = serde_json::from_str::<Value>(&page);
            plain(spec).trim() == page.trim() || parsed.is_ok_and(|parsed| parsed == *spec)
        }
    }
}

/// Whether a text is these values in any order, with nothing between them that counts.
fn runs_together(values: &Value, text: &str) -> bool {
    let mut values: Vec<String> = values.as_array().into_iter().flatten().map(plain).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let mut rest = bare(text);
    for value in values {
        let value = bare(&value);
        let Some(at) = rest.find(&value) else { return false };
        rest.replace_range(at..at + value.len(), "");
    }
    rest.is_empty()
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !"`,|\"".contains(*c)).collect()
}

/// Operations whose paths differ only in the names of their parameters are the same.
fn rename_paths(spec: &Facts, page: &mut Facts) {
    let strangers: Vec<Place> =
        page.operations().filter(|place| spec.get(place).is_none()).cloned().collect();
    for stranger in strangers {
        let blanked = blank(&stranger.to_string());
        let own = spec
            .operations()
            .find(|own| page.get(own).is_none() && blank(&own.to_string()) == blanked);
        if let Some(own) = own {
            page.relocate(&stranger, own);
        }
    }
}

/// The names of headers are the same in any case.
fn rename_headers(spec: &Facts, page: &mut Facts) {
    let header = |place: &Place| match place.last() {
        Some(Step::Parameter { within: Within::Header, name }) => Some(name.to_lowercase()),
        _ => None,
    };
    let places = page.subjects.keys();
    let strangers: Vec<Place> = places
        .filter(|place| header(place).is_some() && spec.get(place).is_none())
        .cloned()
        .collect();
    for stranger in strangers {
        let operation = stranger.parent();
        let own = spec.children(&operation).find(|own| header(own) == header(&stranger));
        if let Some(own) = own {
            page.relocate(&stranger, own);
        }
    }
}

/// Gives the alternatives of the page the numbers of those of the spec that have the same properties.
fn reorder(spec: &Facts, page: &mut Facts, place: &Place) {
    let names = |facts: &Facts| -> Vec<(Place, BTreeSet<Step>)> {
        let alternatives = facts
            .children(place)
            .filter(|inner| matches!(inner.last(), Some(Step::Alternative(_))));
        alternatives
            .map(|inner| {
                let names = facts.children(inner).filter_map(|name| name.last().cloned());
                (inner.clone(), names.filter(|name| *name != Step::Values).collect())
            })
            .collect()
    };
    let own = names(spec);
    let shown = names(page);
    for (to, wanted) in &own {
        let at = names(page);
        let here = at.iter().find(|(inner, _)| inner == to);
        if wanted.is_empty() || here.is_none_or(|(_, names)| names == wanted) {
            continue;
        }
        if let Some((from, _)) = at.iter().find(|(_, names)| names == wanted) {
            let aside = place.then(Step::Alternative(shown.len() + own.len() + 1));
            page.relocate(to, &aside);
            page.relocate(from, to);
            page.relocate(&aside, from);
        }
    }
}

/// Parameters of the spec that the page shows elsewhere: in another place, or by another name.
fn moved(spec: &Facts, page: &Page) -> Vec<(Place, Place)> {
    let mut moved = Vec::new();
    for operation in spec.operations().filter(|operation| page.facts.get(operation).is_some()) {
        let left = |own: &Facts, other: &Facts| -> Vec<Place> {
            own.children(operation)
                .filter(|place| matches!(place.last(), Some(Step::Parameter { .. })))
                .filter(|place| other.get(place).is_none())
                .cloned()
                .collect()
        };
        let gone = left(spec, &page.facts);
        let mut new = left(&page.facts, spec);
        for place in &gone {
            let likeness = |to: &Place| {
                let (
                    Some(Step::Parameter { within, name }),
                    Some(Step::Parameter { within: there, name: called }),
                ) = (place.last(), to.last())
                else {
                    return 0;
                };
                let example = |facts: &Facts, place| facts.value(place, Aspect::Example).map(plain);
                let own = example(spec, place);
                if name.eq_ignore_ascii_case(called) {
                    4
                } else if own.is_some() && own == example(&page.facts, to) {
                    3
                } else if within == there && *within == Within::Path {
                    2
                } else {
                    // Alone they are one change rather than two.
                    usize::from(gone.len() == 1 && new.len() == 1 && *within != Within::Path)
                }
            };
            let best =
                (0..new.len()).max_by_key(|index| (likeness(&new[*index]), usize::MAX - index));
            if let Some(best) = best.filter(|index| likeness(&new[*index]) > 0) {
                moved.push((place.clone(), new.remove(best)));
            }
        }
    }
    moved
}
