//! Compares the facts of a page with those of the spec. A fact agrees, differs, or the page is silent on it.

use super::{Fact, Facts, Kind, Pointer, align, plain};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The result of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    pub differences: Vec<Difference>,
    pub counts: Counts,
    /// The facts of the spec on which the page is silent.
    pub silent: Vec<Silent>,
}

/// The numbers of operations that both have, of facts, and of places that could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub operations: usize,
    pub agreeing: usize,
    pub differing: usize,
    pub silent: usize,
    pub unreadable: usize,
}

/// A fact of the spec on which the page is silent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Silent {
    pub fact: Pointer,
    /// The outermost place around it that the page doesn't show, or the fact itself.
    pub hidden: Pointer,
}

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The place in the spec, or on the page if only that has it.
    pub place: Pointer,
    pub what: What,
}

impl Difference {
    /// The place, or the keyword of it that differs.
    pub fn pointer(&self) -> Pointer {
        match &self.what {
            What::Changed { keyword, .. } => self.place.then(&[keyword]),
            _ => self.place.clone(),
        }
    }
}

/// What differs.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Both have the place and differ on a keyword of it; `None` if it is not stated.
    Changed { keyword: String, spec: Option<Value>, page: Option<Value> },
    /// Only the page has the place.
    Added,
    /// Only the spec has the place, which the page would show.
    Removed,
    /// A parameter is sent in another place or under another name, or a property or an operation has another name.
    Moved { to: Pointer },
    /// The record shows the place, or the `part` of it, on which the page is silent.
    Hidden { part: Option<&'static str> },
}

/// Whether a page that doesn't have something of the spec is silent on it, given the facts of the page.
pub type Silence<'a> = &'a dyn Fn(&Facts, &Pointer) -> bool;

/// Compares. What the page has under another name or in another place gets its place in the spec.
pub fn compare(spec: &Facts, page: &mut Facts, silence: Silence<'_>) -> Comparison {
    let moved = align::pair(spec, page, align::UNLIKELY, silence);
    let comparison = Comparison::default();
    let mut comparing = Comparing { spec, page, silence, moved, comparison };
    comparing.place(&Pointer::default());
    let mut comparison = comparing.comparison;
    comparison.counts.silent = comparison.silent.len();
    comparison.differences.sort_by(|one, other| one.place.cmp(&other.place));
    comparison
}

struct Comparing<'a> {
    spec: &'a Facts,
    page: &'a Facts,
    silence: Silence<'a>,
    moved: BTreeMap<Pointer, Pointer>,
    comparison: Comparison,
}

impl Comparing<'_> {
    /// Compares what is within a place that both have.
    fn place(&mut self, place: &Pointer) {
        let (spec, page) = (self.spec, self.page);
        let kind = place.kind();
        self.comparison.counts.operations += usize::from(kind == Kind::Operation);
        if let Some(to) = self.moved.remove(place) {
            self.comparison.counts.differing += 1;
            let difference = Difference { place: place.clone(), what: What::Moved { to } };
            self.comparison.differences.push(difference);
            if kind == Kind::Parameter {
                return;
            }
        }
        // What differs as a whole: a schema of another type, and the content of an answer that has none.
        let (type_of, content) = (place.then(&["type"]), place.then(&["content"]));
        let retyped = matches!((spec.get(&type_of), page.get(&type_of)),
            (Some(own), Some(shown)) if own.value != shown.value);
        let emptied = spec.has(&content) != page.has(&content);
        let mut inner: BTreeMap<&Pointer, [Option<&Fact>; 2]> = BTreeMap::new();
        for (side, facts) in [spec, page].into_iter().enumerate() {
            for (pointer, fact) in facts.inner(place) {
                inner.entry(pointer).or_default()[side] = Some(fact);
            }
        }
        for (pointer, both) in inner {
            match both {
                [Some(own), Some(shown)] => match (&own.value, &shown.value) {
                    (Some(own), Some(shown)) if same(pointer, own, shown) => {
                        self.comparison.counts.agreeing += 1;
                    }
                    (None, None) if !retyped => self.place(pointer),
                    (None, None) => {
                        self.comparison.counts.differing += facts(spec, pointer).count();
                    }
                    _ => self.differs(pointer, both),
                },
                _ if retyped && pointer.kind() != Kind::Keyword
                    || emptied && pointer.kind() == Kind::Media => {}
                [Some(_), None] if (self.silence)(page, pointer) => {
                    let hidden =
                        |fact: &Pointer| Silent { fact: fact.clone(), hidden: pointer.clone() };
                    self.comparison.silent.extend(facts(spec, pointer).map(hidden));
                }
                _ => self.differs(pointer, both),
            }
        }
    }

    /// Adds the difference at a pointer that only one has, or both with another value.
    fn differs(&mut self, pointer: &Pointer, [own, shown]: [Option<&Fact>; 2]) {
        let all = if own.is_some() { self.spec } else { self.page };
        self.comparison.counts.differing += facts(all, pointer).count();
        let is_place = |it: &Fact| it.value.is_none();
        let (place, what) = if own.is_some_and(is_place) {
            (pointer.clone(), What::Removed)
        } else if shown.is_some_and(is_place) {
            (pointer.clone(), What::Added)
        } else {
            let value = |fact: Option<&Fact>| fact.and_then(|fact| fact.value.clone());
            let (keyword, spec, page) = (pointer.holder(), value(own), value(shown));
            (pointer.parent(), What::Changed { keyword, spec, page })
        };
        self.comparison.differences.push(Difference { place, what });
    }
}

/// The values at and within a place.
fn facts<'a>(facts: &'a Facts, place: &Pointer) -> impl Iterator<Item = &'a Pointer> + use<'a> {
    facts.from(place).filter(|(_, fact)| fact.value.is_some()).map(|(it, _)| it)
}

/// Whether two values of a keyword mean the same.
fn same(pointer: &Pointer, spec: &Value, page: &Value) -> bool {
    let (_, keyword) = pointer.0.rsplit_once('/').unwrap_or_default();
    let sorted = |value: &Value| {
        let mut items: Vec<String> = items(value).map(ToString::to_string).collect();
        items.sort();
        items
    };
    match (keyword, page) {
        _ if spec == page => true,
        // A copied text may say that there are values without showing them, and shows them without separators.
        ("enum", Value::String(text)) => text.is_empty() || runs_together(spec, text),
        ("enum", _) => spec.is_array() && sorted(spec) == sorted(page),
        // A page may write the example of a list as its one item.
        ("example", _) => plain(spec).trim() == plain(page).trim(),
        (_, Value::String(text)) => spec.as_str().is_some_and(|own| own.trim() == text.trim()),
        (_, Value::Number(number)) => {
            spec.as_f64().map(f64::to_bits) == number.as_f64().map(f64::to_bits)
        }
        _ => false,
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
