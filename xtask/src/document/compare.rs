//! Compares the facts of a page with those of the spec. A fact agrees, differs, or the page is silent on it.

use super::{Fact, Facts, Kind, Pointer, moves, plain};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Silent {
    pub fact: Pointer,
    /// The outermost place around it that the page doesn't show, or the fact itself.
    pub hidden: Pointer,
}

/// One difference. The place is that in the spec.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Both have the place and differ on a keyword of it; `None` if it is not stated.
    Changed { place: Pointer, keyword: String, spec: Option<Value>, page: Option<Value> },
    /// The page has a place that the spec doesn't.
    Added { place: Pointer },
    /// The spec has a place that the page would show.
    Removed { place: Pointer },
    /// A parameter is sent in another place or under another name, or a property or an operation has another name.
    Moved { place: Pointer, to: Pointer },
}

impl Difference {
    fn changed(pointer: &Pointer, spec: Option<&Value>, page: Option<&Value>) -> Self {
        let (place, keyword) = (pointer.parent(), pointer.holder());
        Self::Changed { place, keyword, spec: spec.cloned(), page: page.cloned() }
    }

    pub fn place(&self) -> &Pointer {
        match self {
            Self::Changed { place, .. }
            | Self::Added { place }
            | Self::Removed { place }
            | Self::Moved { place, .. } => place,
        }
    }

    /// The place as the aligned page has it: operations and properties have their place in the spec.
    pub fn place_on_page(&self) -> &Pointer {
        match self {
            Self::Moved { to, .. } if to.kind() == Kind::Parameter => to,
            other => other.place(),
        }
    }
}

/// Whether a page that doesn't have something of the spec is silent on it, given the facts of the page.
pub type Silence<'a> = &'a dyn Fn(&Facts, &Pointer) -> bool;

/// Compares. Where order and spelling mean nothing, the page is changed to match the spec.
pub fn compare(spec: &Facts, page: &mut Facts, silence: Silence<'_>) -> Comparison {
    super::align(spec, page);
    let moved = moves::find(spec, page, silence);
    let page = &*page;
    let covered = Covered::find(spec, page, &moved);
    let mut comparison = Comparison::default();
    for (place, to) in &moved {
        comparison.differing += 1;
        comparison.differences.push(Difference::Moved { place: place.clone(), to: to.clone() });
    }
    for (pointer, fact) in &spec.map {
        if let Some(shown) = page.get(pointer) {
            comparison.both(pointer, fact, shown);
            continue;
        }
        let hidden = outermost(page, pointer);
        let is_silent = !covered.covers(pointer, fact) && silence(page, &hidden);
        match &fact.value {
            Some(_) if is_silent => {
                comparison.silent.push(Silent { fact: pointer.clone(), hidden });
            }
            None if is_silent => {}
            value => {
                comparison.differing += usize::from(value.is_some());
                if hidden == *pointer && !covered.covers(pointer, fact) {
                    comparison.differences.push(match value {
                        None => Difference::Removed { place: hidden },
                        Some(value) => Difference::changed(pointer, Some(value), None),
                    });
                }
            }
        }
    }
    for (pointer, fact) in page.map.iter().filter(|(pointer, _)| !spec.has(pointer)) {
        comparison.differing += usize::from(fact.value.is_some());
        if outermost(spec, pointer) == *pointer && !covered.covers(pointer, fact) {
            comparison.differences.push(match &fact.value {
                None => Difference::Added { place: pointer.clone() },
                Some(value) => Difference::changed(pointer, None, Some(value)),
            });
        }
    }
    comparison.differences.sort_by(|one, other| one.place().cmp(other.place()));
    comparison
}

impl Comparison {
    fn both(&mut self, pointer: &Pointer, fact: &Fact, shown: &Fact) {
        match (&fact.value, &shown.value) {
            (Some(own), Some(shown)) if same(pointer, own, shown) => self.agreeing += 1,
            (Some(own), Some(shown)) => {
                self.differing += 1;
                self.differences.push(Difference::changed(pointer, Some(own), Some(shown)));
            }
            _ => self.operations += usize::from(pointer.is_operation()),
        }
    }
}

/// What differs as a whole: what moved, schemas of another type, and answers with content or without. All that is
/// within it differs with it.
struct Covered {
    moved: BTreeSet<Pointer>,
    retyped: BTreeSet<Pointer>,
    /// Pointers to the `content` of answers, which one of them doesn't have.
    emptied: BTreeSet<Pointer>,
}

impl Covered {
    fn find(spec: &Facts, page: &Facts, moved: &BTreeMap<Pointer, Pointer>) -> Self {
        let differs = |pointer: &&Pointer| {
            pointer.0.ends_with("/type")
                && page.get(pointer).is_some_and(|own| own.value != spec.map[*pointer].value)
                && pointer.kind() == Kind::Keyword
        };
        let none = |pointer: &&Pointer| {
            pointer.0.ends_with("/content")
                && spec.has(pointer) != page.has(pointer)
                && pointer.kind() == Kind::Keyword
        };
        // The page has what is renamed at its old place.
        let apart = moved.iter().filter(|(from, _)| !page.has(from));
        let all = || spec.map.keys().chain(page.map.keys());
        Self {
            moved: apart.flat_map(|(from, to)| [from.clone(), to.clone()]).collect(),
            retyped: spec.map.keys().filter(differs).map(Pointer::parent).collect(),
            emptied: all().filter(none).cloned().collect(),
        }
    }

    fn covers(&self, pointer: &Pointer, fact: &Fact) -> bool {
        if self.moved.is_empty() && self.retyped.is_empty() && self.emptied.is_empty() {
            return false;
        }
        // The keywords of a schema of another type are compared.
        let keywords = 1 + usize::from(fact.value.is_some());
        let emptied = |place: &Pointer| match place.kind() {
            Kind::Media => self.emptied.contains(&place.parent().then(&["content"])),
            _ => false,
        };
        pointer.around().any(|place| self.moved.contains(&place) || emptied(&place))
            || pointer.around().skip(keywords).any(|place| self.retyped.contains(&place))
    }
}

/// The outermost place around `pointer`, or the pointer itself, that `facts` lacks.
fn outermost(facts: &Facts, pointer: &Pointer) -> Pointer {
    let missing = pointer.around().take_while(|place| !place.0.is_empty() && !facts.has(place));
    missing.last().unwrap_or_else(|| pointer.clone())
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
