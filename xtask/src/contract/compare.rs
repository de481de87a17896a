//! Compares the facts of a page with those of the spec. A fact agrees, differs, or the page is silent on it.

use super::{Aspect, Facts, Place, Step, Subject, Within, moves, plain, without_names};
use crate::page::{Page, Shape};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The result of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    pub differences: Vec<Difference>,
    /// The number of operations that both have.
    pub operations: usize,
    /// The numbers of facts.
    pub agreeing: usize,
    pub differing: usize,
    /// The facts of the spec on which the page is silent.
    pub silent: Vec<Silent>,
}

/// A fact of the spec on which the page is silent.
#[derive(Debug, PartialEq, Eq)]
pub struct Silent {
    pub place: Place,
    pub aspect: Aspect,
    /// The place around it that the page hides as a whole.
    pub hidden: Option<Place>,
}

impl Silent {
    /// The fact, or the place that is hidden as a whole.
    pub fn name(&self) -> String {
        self.hidden.as_ref().map_or_else(|| self.to_string(), Place::to_string)
    }
}

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.aspect)
    }
}

/// One difference. The place is that in the spec.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Both have the place and differ on an aspect of it; `None` if it is not stated.
    Changed { place: Place, aspect: Aspect, spec: Option<Value>, page: Option<Value> },
    /// The page has a place that the spec doesn't.
    Added { place: Place },
    /// The spec has a place that the page would show.
    Removed { place: Place },
    /// A parameter is sent in another place or under another name, or a property or an operation has another name.
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

    /// The place that the page describes under its name for it: operations and properties have that of the spec.
    pub fn place_on_page(&self) -> &Place {
        match self {
            Self::Moved { to, .. } if matches!(to.last(), Some(Step::Parameter { .. })) => to,
            other => other.place(),
        }
    }
}

/// Compares. Where order and spelling mean nothing, the page is changed to match the spec.
pub fn compare(spec: &Facts, page: &mut Page) -> Comparison {
    normalize(spec, page);
    let moved = moves::find(spec, page);
    let mut comparison = Comparison::default();
    // A difference of a place covers all places below it.
    let mut covered: Option<&Place> = None;
    for (place, subject) in &spec.subjects {
        if covered.is_some_and(|covered| place.is_within(covered)) {
            continue;
        }
        let to = moved.iter().find(|(from, _)| from == place).map(|(_, to)| to.clone());
        if let Some(shown) = page.facts.get(place) {
            if let Some(to) = to {
                comparison.differing += 1;
                comparison.differences.push(Difference::Moved { place: place.clone(), to });
            }
            comparison.operations += usize::from(place.0.len() == 1);
            comparison.aspects(page, place, subject, shown);
            continue;
        }
        if place.0.is_empty() {
            // Another page may name the servers.
            subject.stated.keys().for_each(|aspect| comparison.silent(place, *aspect, None));
            continue;
        }
        covered = Some(place);
        if to.is_none() && !page.denies_place(spec, place) {
            for (inner, aspect) in all(spec, place) {
                comparison.silent(inner, aspect, Some(place));
            }
        } else {
            let place = place.clone();
            comparison.differing += all(spec, &place).count();
            comparison.differences.push(match to {
                Some(to) => Difference::Moved { place, to },
                None => Difference::Removed { place },
            });
        }
    }
    covered = None;
    for place in page.facts.subjects.keys() {
        let known = spec.get(place).is_some() || moved.iter().any(|(_, to)| place.is_within(to));
        // Properties without a name and a type are allowed anyway.
        let anything = place.last() == Some(&Step::Values)
            && page.facts.value(place, Aspect::Type).is_some_and(|kind| kind == "any");
        if !known && !anything && !covered.is_some_and(|covered| place.is_within(covered)) {
            comparison.differing += all(&page.facts, place).count().max(1);
            comparison.differences.push(Difference::Added { place: place.clone() });
            covered = Some(place);
        }
    }
    comparison
}

/// The facts of a place, and of all below it.
fn all<'a>(facts: &'a Facts, place: &'a Place) -> impl Iterator<Item = (&'a Place, Aspect)> {
    [place].into_iter().chain(facts.below(place)).flat_map(|inner| {
        let stated = facts.get(inner).into_iter().flat_map(|subject| subject.stated.keys());
        stated.map(move |aspect| (inner, *aspect))
    })
}

impl Comparison {
    fn silent(&mut self, place: &Place, aspect: Aspect, hidden: Option<&Place>) {
        self.silent.push(Silent { place: place.clone(), aspect, hidden: hidden.cloned() });
    }

    /// Compares the aspects of a place that both have.
    fn aspects(&mut self, page: &Page, place: &Place, spec: &Subject, shown: &Subject) {
        let all: BTreeSet<&Aspect> = spec.stated.keys().chain(shown.stated.keys()).collect();
        for aspect in all.into_iter().copied() {
            let value = |subject: &Subject| Some(subject.stated.get(&aspect)?.value.clone());
            match (value(spec), value(shown)) {
                (Some(_), None) if !page.denies(place, aspect) => {
                    self.silent(place, aspect, None);
                }
                (Some(spec), Some(shown)) if same(page.shape, aspect, &spec, &shown) => {
                    self.agreeing += 1;
                }
                (spec, page) => {
                    self.differing += 1;
                    let place = place.clone();
                    self.differences.push(Difference::Changed { place, aspect, spec, page });
                }
            }
        }
    }
}

/// Whether two values are the same, as far as the shape shows.
fn same(shape: Shape, aspect: Aspect, spec: &Value, page: &Value) -> bool {
    if spec == page {
        return true;
    }
    let sorted = |value: &Value| {
        let mut items: Vec<String> = items(value).map(ToString::to_string).collect();
        items.sort();
        items
    };
    match (shape, aspect) {
        // The order of media types and of values means nothing.
        (_, Aspect::Content) | (Shape::Markdown, Aspect::Enum) => sorted(spec) == sorted(page),
        // A page may write the example of a list as its one item.
        (Shape::Markdown, Aspect::Example) => plain(spec) == plain(page),
        (Shape::Markdown, _) => {
            spec.as_f64().is_some()
                && spec.as_f64().map(f64::to_bits) == page.as_f64().map(f64::to_bits)
        }
        // The page may state that there are values without showing them.
        (Shape::Text, Aspect::Enum) if page.is_null() => true,
        // It shows them without separators.
        (Shape::Text, Aspect::Enum) => runs_together(spec, &plain(page)),
        (Shape::Text, _) => {
            let page = plain(page);
            let parsed = serde_json::from_str::<Value>(&page);
            plain(spec).trim() == page.trim() || parsed.is_ok_and(|parsed| parsed == *spec)
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Whether a text consists of these values in any order and separators.
fn runs_together(values: &Value, text: &str) -> bool {
    let bare = |text: String| text.replace(|c: char| c.is_whitespace() || "`,|\"".contains(c), "");
    let mut values: Vec<String> = items(values).map(|value| bare(plain(value))).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let mut rest = bare(text.to_owned());
    for value in values {
        let Some(at) = rest.find(&value) else { return false };
        rest.replace_range(at..at + value.len(), "");
    }
    rest.is_empty()
}

/// Gives limits the names that they have in OpenAPI: the text has one word for the limits of values, lengths and
/// counts.
fn name_limits(spec: &Facts, page: &mut Facts) {
    const LIMITS: [[Aspect; 4]; 2] = [
        [Aspect::Minimum, Aspect::MinLength, Aspect::MinItems, Aspect::MinProperties],
        [Aspect::Maximum, Aspect::MaxLength, Aspect::MaxItems, Aspect::MaxProperties],
    ];
    for (place, subject) in &mut page.subjects {
        let own = spec.get(place);
        let kind =
            subject.stated.get(&Aspect::Type).map_or(String::new(), |kind| plain(&kind.value));
        for limits in LIMITS {
            let Some(stated) = subject.stated.remove(&limits[0]) else { continue };
            let known = |limit: &Aspect| own.is_some_and(|own| own.stated.contains_key(limit));
            let of_kind = match kind.as_str() {
                "string" => limits[1],
                "object" => limits[3],
                kind if kind.ends_with("[]") => limits[2],
                _ => limits[0],
            };
            // The limit of an array may be that of its items.
            let limit = limits.into_iter().rev().find(known).unwrap_or(of_kind);
            subject.stated.insert(limit, stated);
        }
    }
}

/// Gives the places of the page the names and numbers of the same places in the spec.
pub fn normalize(spec: &Facts, page: &mut Page) {
    if page.shape == Shape::Text {
        name_limits(spec, &mut page.facts);
    }
    let page = &mut page.facts;
    // Operations whose paths differ only in the names of parameters are the same.
    rename(spec, page, |place| match place.last()? {
        Step::Operation { .. } => Some(without_names(&place.to_string())),
        _ => None,
    });
    // The names of headers are case-insensitive.
    rename(spec, page, |place| match place.last()? {
        Step::Parameter { within: Within::Header, name } => Some(name.to_lowercase()),
        _ => None,
    });
    let places = page.subjects.keys();
    let chosen = places.filter(|place| page.value(place, Aspect::Alternatives).is_some());
    for place in chosen.cloned().collect::<Vec<_>>() {
        reorder(spec, page, &place);
    }
}

/// Moves the places that the spec doesn't have to the place beside it with the same key.
fn rename(spec: &Facts, page: &mut Facts, key: impl Fn(&Place) -> Option<String>) {
    let named = |place: &Place| Some(((place.parent(), key(place)?), place.clone()));
    let missing = spec.subjects.keys().filter(|place| page.get(place).is_none());
    let mut missing: BTreeMap<_, _> = missing.filter_map(named).collect();
    let unknown = page.subjects.keys().filter(|place| spec.get(place).is_none());
    for (name, place) in unknown.filter_map(named).collect::<Vec<_>>() {
        if let Some(own) = missing.remove(&name) {
            page.relocate(&place, &own);
        }
    }
}

/// Numbers the alternatives of the page like those of the spec with the same properties.
fn reorder(spec: &Facts, page: &mut Facts, place: &Place) {
    let alternatives = |facts: &Facts| -> Vec<(Place, BTreeSet<Step>)> {
        let steps = |inner| facts.children(inner).filter_map(|name| name.last().cloned());
        let names = |inner| steps(inner).filter(|name| *name != Step::Values).collect();
        let inner = facts.children(place);
        let inner = inner.filter(|inner| matches!(inner.last(), Some(Step::Alternative(_))));
        inner.map(|inner| (inner.clone(), names(inner))).collect()
    };
    for (to, wanted) in alternatives(spec).iter().filter(|(_, wanted)| !wanted.is_empty()) {
        let shown = alternatives(page);
        let here = shown.iter().find(|(inner, _)| inner == to);
        let there = shown.iter().find(|(_, names)| names == wanted);
        if let (Some((_, names)), Some((from, _))) = (here, there)
            && names != wanted
        {
            let aside = place.then(Step::Alternative(usize::MAX));
            page.relocate(to, &aside);
            page.relocate(from, to);
            page.relocate(&aside, from);
        }
    }
}
