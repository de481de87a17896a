//! Page and spec side by side: the differences as findings. `docs` and `check` share it.

use crate::compare::{Comparison, Difference, compare};
use crate::consequences;
use crate::edit;
use crate::facts::{Aspect, Facts, Place, Step};
use crate::finding::{Cause, Finding, Link};
use crate::openapi::plain;
use crate::page::Page;
use crate::report::clean;
use crate::sources::Sources;
use crate::spec::{SPEC, Spec};
use serde_json::Value;
use std::cell::LazyCell;
use std::path::Path;

/// The sources are read when the first difference wants to be placed in them.
pub type LazySources<'a> = LazyCell<Sources, Box<dyn FnOnce() -> Sources + 'a>>;

pub fn sources(root: &Path) -> LazySources<'_> {
    LazyCell::new(Box::new(|| Sources::load(root)))
}

/// The page's differences from the spec, those of several operations that are one told once.
///
/// `name` is what findings call the page; `record` is what it said before.
pub fn findings(
    spec: &Spec,
    sources: &LazySources<'_>,
    page: &mut Page,
    name: &str,
    record: Option<&Page>,
) -> (Comparison, Vec<Finding>) {
    let comparison = compare(&spec.facts, page);
    let mut findings: Vec<Finding> = Vec::new();
    let mut groups: Vec<(Difference, Vec<&Difference>)> = Vec::new();
    for difference in &comparison.differences {
        let key = without_operation(difference);
        let alike = groups.iter_mut().find(|(other, members)| {
            *other == key && looks(&page.facts, difference) == looks(&page.facts, members[0])
        });
        match alike {
            Some((_, members)) => members.push(difference),
            None => groups.push((key, vec![difference])),
        }
    }
    for (_, group) in groups {
        findings.push(finding(spec, sources, page, name, record, &comparison, &group));
    }
    (comparison, findings)
}

/// A difference as it looks from within its operation. What is an operation itself is like no other.
fn without_operation(difference: &Difference) -> Difference {
    let cut = |place: &Place| {
        if place.tail().is_empty() { place.clone() } else { place.within_operation() }
    };
    match difference.clone() {
        Difference::Changed { place, aspect, spec, page } => {
            Difference::Changed { place: cut(&place), aspect, spec, page }
        }
        Difference::Added { place } => Difference::Added { place: cut(&place) },
        Difference::Removed { place } => Difference::Removed { place: cut(&place) },
        Difference::Moved { place, to } => Difference::Moved { place: cut(&place), to: cut(&to) },
    }
}

/// What the page says of a place that only it has.
fn looks(page: &Facts, difference: &Difference) -> Vec<(Aspect, Value)> {
    let place = match difference {
        Difference::Added { place } => place,
        Difference::Moved { to, .. } => to,
        _ => return Vec::new(),
    };
    let stated = page.get(place).into_iter().flat_map(|subject| &subject.stated);
    stated.map(|(aspect, stated)| (*aspect, stated.value.clone())).collect()
}

fn finding(
    spec: &Spec,
    sources: &LazySources<'_>,
    page: &Page,
    name: &str,
    record: Option<&Page>,
    comparison: &Comparison,
    group: &[&Difference],
) -> Finding {
    let difference = group[0];
    let (what, mut title) = words(&page.facts, difference);
    if group.len() > 1 {
        title = format!("{title}, in {} operations", group.len());
    } else if !matches!(difference, Difference::Added { .. } | Difference::Removed { .. })
        || !difference.place().tail().is_empty()
    {
        title = format!("{title}, in {}", difference.place().root());
    }
    let shared =
        if group.len() > 1 { what } else { format!("{} {what}", difference.place().root()) };
    let mut finding = Finding::new(Link::Page, clean(shared.trim()), clean(&title));
    finding.operations = group.iter().map(|member| member.place().root().to_string()).collect();
    finding.breaks = Some(consequences::breaks(&page.facts, difference));
    finding.cause = record.and_then(|record| cause(record, difference));
    let (page_line, spec_line) = lines(spec, page, difference);
    if page_line.is_some() {
        finding = finding.at(name, page_line, "the page").focus(match difference {
            Difference::Moved { to, .. } => to,
            other => other.place(),
        });
    }
    let spec_says = match difference {
        Difference::Added { .. } => "nothing is said of it here",
        _ => "the spec",
    };
    finding = finding.at(SPEC, spec_line, spec_says);
    for member in group {
        let hunks = edit::hunks(spec, &page.facts, &comparison.differences, member);
        let consequences = consequences::of(spec, sources, member.place());
        add_new(&mut finding.edit, hunks);
        add_new(&mut finding.items, consequences.items);
        add_new(&mut finding.methods, consequences.methods);
        add_new(&mut finding.spots, consequences.spots);
    }
    if let Some(others) = others(spec, group).filter(|_| !finding.edit.is_empty()) {
        finding.edit.clear();
        finding.help = clean(&format!(
            "here {others} say the same by reference, and on the page they didn't change: give what did \
             change a place of its own in {SPEC}, then run `cargo xtask generate`"
        ));
        return finding;
    }
    finding.help = clean(&help(&page.facts, difference, finding.edit.is_empty()));
    finding
}

/// Adds what isn't there yet, in order.
fn add_new<T: PartialEq>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// The operations that share what differs with those of the group, and that the page doesn't change.
fn others(spec: &Spec, group: &[&Difference]) -> Option<String> {
    if matches!(group[0], Difference::Removed { .. }) {
        return None;
    }
    let place = match group[0] {
        // It is what the new one stands in that is edited.
        Difference::Added { place } => place.parent(),
        other => other.place().clone(),
    };
    let pointer = &spec.facts.get(&place)?.pointer;
    let changed: Vec<Place> = group.iter().map(|member| member.place().root()).collect();
    let mut others: Vec<String> = spec
        .facts
        .subjects
        .iter()
        .filter(|(other, subject)| {
            pointer.starts_with("/components/")
                && subject.pointer == *pointer
                && !changed.contains(&other.root())
        })
        .map(|(other, _)| other.root().to_string())
        .collect();
    others.dedup();
    (!others.is_empty()).then(|| others.join(", "))
}

/// What differs, for a fingerprint and for people.
fn words(page: &Facts, difference: &Difference) -> (String, String) {
    let tail = |place: &Place| place.within_operation().to_string();
    let kind = |place: &Place| {
        let kind = page.value(place, Aspect::Type).map(plain);
        kind.map(|kind| format!(" ({kind})")).unwrap_or_default()
    };
    match difference {
        Difference::Changed { place, aspect, spec, page } => {
            let say = |value: &Option<Value>| match value {
                Some(Value::Null) => "stated, without its values".to_owned(),
                Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
                Some(value) => format!("`{}`", shown(value)),
                None => "not stated".to_owned(),
            };
            let at = tail(place);
            let of = if place.tail().is_empty() { String::new() } else { format!("`{at}`: ") };
            (
                format!("{at} {aspect} {} -> {}", say(spec), say(page)).replace('`', ""),
                format!(
                    "{of}`{aspect}` is {} on the page and {} in the spec",
                    say(page),
                    say(spec)
                ),
            )
        }
        Difference::Added { place } => match place.last() {
            Some(Step::Operation { .. }) => {
                ("added".to_owned(), format!("a new operation: {place}"))
            }
            _ => {
                let at = tail(place);
                let required = page.is(place, Aspect::Required);
                let required = if required { ", required" } else { "" };
                (
                    format!("{at} added{}{required}", kind(place)),
                    format!("`{at}`{} is new{required}", kind(place)),
                )
            }
        },
        Difference::Removed { place } => match place.last() {
            Some(Step::Operation { .. }) => {
                ("removed".to_owned(), format!("an operation is gone: {place}"))
            }
            _ => (format!("{} removed", tail(place)), format!("`{}` is gone", tail(place))),
        },
        Difference::Moved { place, to } => {
            let (from, to_words) = (tail(place), tail(to));
            (
                format!("{from} moved to {to_words}{}", kind(to)),
                format!("`{from}` has moved: it is `{to_words}`{} now", kind(to)),
            )
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The lines of page and spec that say it.
fn lines(spec: &Spec, page: &Page, difference: &Difference) -> (Option<u64>, Option<u64>) {
    let line = |facts: &Facts, place: &Place| facts.get(place).and_then(|subject| subject.line);
    // What isn't there is shown by what it would stand in.
    let nearest = |facts: &Facts, place: &Place| {
        let up = std::iter::successors(Some(place.clone()), |place| {
            (!place.0.is_empty()).then(|| place.parent())
        });
        up.into_iter().find_map(|place| line(facts, &place))
    };
    match difference {
        Difference::Changed { place, aspect, .. } => {
            let stated = |facts: &Facts| facts.get(place)?.stated.get(aspect)?.line;
            (
                stated(&page.facts).or_else(|| nearest(&page.facts, place)),
                stated(&spec.facts).or_else(|| nearest(&spec.facts, place)),
            )
        }
        Difference::Added { place } => {
            let parent = spec.facts.get(&place.parent());
            let own = parent.and_then(|parent| spec.document.line(&parent.pointer));
            let own = own.filter(|_| place.0.len() > 1);
            (line(&page.facts, place), own.or_else(|| spec.document.line("/paths")))
        }
        Difference::Removed { place } => (nearest(&page.facts, place), line(&spec.facts, place)),
        Difference::Moved { place, to } => (line(&page.facts, to), line(&spec.facts, place)),
    }
}

/// Whether the page or the transcription is to blame, as far as the record tells.
fn cause(record: &Page, difference: &Difference) -> Option<Cause> {
    let facts = &record.facts;
    let recorded = |place: &Place| facts.get(place).is_some();
    // A record that folds a place away has no word on it.
    let shows = |place: &Place| {
        record.shape.denies_places()
            || !place.0.iter().any(|step| matches!(step, Step::Alternative(_)))
    };
    let changed = match difference {
        Difference::Changed { place, aspect, spec, page } => {
            let stated = facts.get(place)?.stated.get(aspect).map(|stated| &stated.value);
            if stated.is_none() && !record.shape.denies(*aspect) {
                return None;
            }
            let alike = |other: &Option<Value>| stated.map(plain) == other.as_ref().map(plain);
            return Some(if alike(page) {
                Cause::TranscriptionWrong
            } else if alike(spec) {
                Cause::PageChanged
            } else {
                Cause::Both
            });
        }
        Difference::Added { place } if shows(place) => !recorded(place),
        Difference::Removed { place } if shows(place) => recorded(place),
        Difference::Added { .. } | Difference::Removed { .. } => return None,
        Difference::Moved { place, to } => recorded(place) && !recorded(to),
    };
    Some(if changed { Cause::PageChanged } else { Cause::TranscriptionWrong })
}

fn help(page: &Facts, difference: &Difference, in_words: bool) -> String {
    let then = "then run `cargo xtask generate`";
    if !in_words {
        return match difference {
            Difference::Added { .. } | Difference::Moved { .. } => {
                format!("edit {SPEC} so, describe it in your own words, {then}")
            }
            _ => format!("edit {SPEC} so, {then}"),
        };
    }
    match difference {
        Difference::Changed { aspect: Aspect::Enum, page: Some(values), .. }
            if !values.is_array() =>
        {
            let values = match values {
                Value::Null => "which the page doesn't show".to_owned(),
                values => format!("which the page runs together: `{}`", plain(values)),
            };
            format!(
                "add an `enum` of the values, {values}; the Markdown of the page tells them apart"
            )
        }
        Difference::Changed { aspect, page: Some(value), .. } => {
            format!("make `{aspect}` say `{}` in {SPEC}, {then}", shown(value))
        }
        Difference::Changed { aspect, page: None, .. } => {
            format!("take `{aspect}` out in {SPEC}, {then}")
        }
        Difference::Added { place } => {
            let kind = page.value(place, Aspect::Type).map(plain).unwrap_or_default();
            format!("add `{}` ({kind}) in {SPEC}, {then}", place.within_operation())
        }
        Difference::Removed { place } => {
            format!("take `{}` out in {SPEC}, {then}", place.within_operation())
        }
        Difference::Moved { place, to } => format!(
            "make `{}` a parameter `{}` in {SPEC}, {then}",
            place.within_operation(),
            to.within_operation()
        ),
    }
}
