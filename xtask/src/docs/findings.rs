//! The differences of a page from openapi.yaml as findings, for `docs` and `check`.

use super::fragment::Fragments;
use super::impact;
use super::listed::PublicItems;
use super::prose::Prose;
use crate::document::{Comparison, Difference, Facts, Kind, Pointer, Spec, plain};
use crate::files::SPEC;
use crate::page::{Page, Shape};
use crate::report::{Cause, Counts, Finding, Link, Receipt, clean};
use serde_json::Value;
use std::collections::HashMap;

/// What a page is compared with, besides the spec.
#[derive(Default)]
pub struct Around {
    pub public: PublicItems,
    pub prose: Prose,
}

/// The differences of the page from the spec. The same difference in several operations is one finding.
///
/// `name` is what findings call the page; `record` is the page as it was recorded before, aligned with the spec.
pub fn findings(
    spec: &Spec,
    around: &Around,
    page: &mut Page,
    name: &str,
    record: Option<&Page>,
) -> (Comparison, Vec<Finding>) {
    let comparison = page.compare(&spec.facts);
    let mut groups: Vec<Vec<&Difference>> = Vec::new();
    let mut of_key = HashMap::new();
    for difference in &comparison.differences {
        // A new operation or one that is gone is not grouped.
        let whole =
            difference.place().is_operation() && !matches!(difference, Difference::Changed { .. });
        let operation = whole.then(|| difference.place());
        // Of a place that only the page has, all facts.
        let new = matches!(difference, Difference::Added { .. } | Difference::Moved { .. });
        let facts = new.then(|| values(&page.facts, difference.place_on_page()));
        let key = (operation, words(&spec.facts, &page.facts, difference), facts);
        let group = *of_key.entry(key).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push(difference),
            None => groups.push(vec![difference]),
        }
    }
    let fragments = Fragments::new(spec, page, &comparison.differences);
    let reporter = Reporter { spec, around, page, name, record, fragments };
    let mut findings: Vec<_> = groups.iter().map(|group| reporter.finding(group)).collect();
    findings.extend(
        record.into_iter().flat_map(|record| reporter.no_longer_shown(&comparison, record)),
    );
    (comparison, findings)
}

pub(super) struct Reporter<'a> {
    pub(super) spec: &'a Spec,
    around: &'a Around,
    pub(super) page: &'a Page,
    pub(super) name: &'a str,
    record: Option<&'a Page>,
    fragments: Fragments<'a>,
}

impl Reporter<'_> {
    /// The finding for the same difference in one or several operations.
    fn finding(&self, group: &[&Difference]) -> Finding {
        let (spec, page) = (self.spec, &self.page.facts);
        let difference = group[0];
        let operation = difference.place().root().unwrap_or_default();
        let (mut what, mut title) = words(&spec.facts, page, difference);
        let titled =
            difference.place().is_operation() && !matches!(difference, Difference::Changed { .. });
        if group.len() > 1 {
            title = format!("{title}, in {} operations", group.len());
        } else {
            what = format!("{operation} {what}");
            if !titled {
                title = format!("{title}, in {operation}");
            }
        }
        let mut finding = Finding::new(Link::Page, clean(what.trim()), clean(&title));
        let roots = group.iter().map(|member| member.place().root().unwrap_or_default());
        finding.operations = roots.map(|root| root.to_string()).collect();
        finding.breaks = Some(impact::breaks(&spec.facts, page, difference));
        finding.cause = self.record.and_then(|record| cause(record, difference));
        let (page_line, spec_line) = self.lines(difference);
        if page_line.is_some() {
            let place = match difference {
                Difference::Moved { to, .. } => to,
                other => other.place(),
            };
            finding = finding.at(self.name, page_line, "the page").focus(place);
        }
        let added = matches!(difference, Difference::Added { .. });
        finding =
            finding.at(SPEC, spec_line, if added { "it is missing here" } else { "the spec" });
        for member in group {
            if let Some((item, methods)) = impact::of(spec, &self.around.public, member.place()) {
                add_new(&mut finding.items, [item]);
                add_new(&mut finding.methods, methods);
            }
            if self.page.shape == Shape::Markdown {
                add_new(&mut finding.paste, self.fragments.of(member));
            }
        }
        finding.prose = self.around.prose.about(spec, difference);
        let help = match self.others(group) {
            Some(others) => format!(
                "{others} share this part of {SPEC}, and on the page they didn't change: copy what changed, and \
                 edit the copy"
            ),
            None => help(difference, !finding.paste.is_empty()),
        };
        finding.help(clean(&format!("{help}; then run `cargo xtask generate`")))
    }

    /// The operations that share the part of the spec that differs, and that don't change on the page.
    fn others(&self, group: &[&Difference]) -> Option<String> {
        let place = match group[0] {
            Difference::Removed { .. } => return None,
            // The place that it is added to is edited.
            Difference::Added { place } => place.parent(),
            other => other.place().clone(),
        };
        let facts = &self.spec.facts;
        let origin = &facts.get(&place)?.origin;
        if !origin.starts_with("/components/") {
            return None;
        }
        let changed: Vec<Option<Pointer>> =
            group.iter().map(|member| member.place().root()).collect();
        let sharing =
            facts.map.iter().filter(|(_, fact)| fact.value.is_none() && fact.origin == *origin);
        let others =
            sharing.map(|(other, _)| other.root()).filter(|other| !changed.contains(other));
        let mut others: Vec<String> = others.flatten().map(|other| other.to_string()).collect();
        others.dedup();
        (!others.is_empty()).then(|| others.join(", "))
    }

    /// The lines of page and spec that state it.
    fn lines(&self, difference: &Difference) -> (Option<u64>, Option<u64>) {
        let (spec, page) = (&self.spec.facts, &self.page.facts);
        let line = |facts: &Facts, place: &Pointer| match difference {
            Difference::Changed { keyword, .. } => facts.line_around(&place.then(&[keyword])),
            _ => facts.line_around(place),
        };
        let spec_line = match difference {
            Difference::Added { place } if !place.is_operation() => {
                spec.line_around(&place.parent())
            }
            Difference::Added { .. } => self.spec.line("/paths"),
            other => line(spec, other.place()),
        };
        (line(page, difference.place_on_page()), spec_line)
    }
}

/// All that is stated of a place and within it.
fn values(facts: &Facts, place: &Pointer) -> Vec<(Pointer, String)> {
    let within =
        facts.within(place).filter_map(|(inner, fact)| Some((inner, fact.value.as_ref()?)));
    within
        .map(|(inner, value)| (inner.moved(place, &Pointer::default()), value.to_string()))
        .collect()
}

/// Appends what isn't there yet.
fn add_new<T: PartialEq>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// The difference in words: for the fingerprint, and for people.
pub fn words(spec: &Facts, page: &Facts, difference: &Difference) -> (String, String) {
    let kind =
        |place: &Pointer| page.kind(place).map(|kind| format!(" ({kind})")).unwrap_or_default();
    let at = difference.place().within_operation();
    match difference {
        Difference::Changed { place, keyword, spec: old, page: new } => {
            // A type with that of its items.
            let kind = |facts: &Facts, value: &Option<Value>| {
                let kind = facts.kind(place).filter(|_| keyword == "type" && value.is_some());
                kind.map(Value::from).or_else(|| value.clone())
            };
            let say = |value: &Option<Value>| match value {
                Some(Value::String(text)) if text.is_empty() => {
                    "stated, without its values".to_owned()
                }
                Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
                Some(Value::Object(members)) if members.is_empty() => "none".to_owned(),
                Some(value) => format!("`{}`", shown(value)),
                None => "not stated".to_owned(),
            };
            let (spec, page) = (say(&kind(spec, old)), say(&kind(page, new)));
            let of = if at.is_empty() { String::new() } else { format!("`{at}`: ") };
            (
                format!("{at} {keyword} {spec} -> {page}").replace('`', ""),
                format!("{of}`{keyword}` is {page} on the page and {spec} in the spec"),
            )
        }
        Difference::Added { place } if place.is_operation() => {
            ("added".to_owned(), format!("a new operation: {place}"))
        }
        Difference::Added { place } => {
            let required = if page.is(place, "required") { ", required" } else { "" };
            let kind = kind(place);
            (format!("{at} added{kind}{required}"), format!("`{at}`{kind} is new{required}"))
        }
        Difference::Removed { place } if place.is_operation() => {
            ("removed".to_owned(), format!("an operation is gone: {place}"))
        }
        Difference::Removed { .. } => (format!("{at} removed"), format!("`{at}` is gone")),
        Difference::Moved { place, to } if place.is_operation() => (
            format!("moved to {to}"),
            format!("{place} is gone and {to} is new, which looks like the same operation"),
        ),
        Difference::Moved { place, to } if to.is_property() => {
            let (to, kind) = (to.within_operation(), kind(place));
            (
                format!("{at} renamed to {to}{kind}"),
                format!(
                    "`{at}` is gone and `{to}`{kind} is new, which looks like a rename: same type, same place"
                ),
            )
        }
        Difference::Moved { to, .. } => {
            let (to, kind) = (to.within_operation(), kind(to));
            (
                format!("{at} moved to {to}{kind}"),
                format!("`{at}` has moved: it is now `{to}`{kind}"),
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

/// Whether the page or the transcription is at fault, if the record shows it.
fn cause(record: &Page, difference: &Difference) -> Option<Cause> {
    let facts = &record.facts;
    // Whether the record shows a place; `None` if it is silent on it.
    let shows = |place: &Pointer| {
        let has = facts.has(place);
        (has || !record.is_silent_on(place)).then_some(has)
    };
    let changed = match difference {
        Difference::Changed { place, keyword, spec, page } => {
            let fact = place.then(&[keyword]);
            let stated = facts.get(&fact).map(|fact| fact.value.as_ref().map(plain));
            if stated.is_none()
                && (!facts.has(place) && !place.0.is_empty() || record.is_silent_on(&fact))
            {
                return None;
            }
            let same =
                |other: &Option<Value>| stated.clone().flatten() == other.as_ref().map(plain);
            return Some(match (same(page), same(spec)) {
                (true, _) => Cause::TranscriptionWrong,
                (_, true) => Cause::PageChanged,
                _ => Cause::Both,
            });
        }
        Difference::Added { place } => !shows(place)?,
        Difference::Removed { place } => shows(place)?,
        Difference::Moved { place, to } => shows(place)? && !shows(to)?,
    };
    Some(if changed { Cause::PageChanged } else { Cause::TranscriptionWrong })
}

/// What to do, with YAML to paste or without.
fn help(difference: &Difference, with_yaml: bool) -> String {
    match difference {
        Difference::Removed { place } if place.is_operation() => {
            format!("make sure that the page is whole; if it is, remove the operation from {SPEC}")
        }
        Difference::Removed { .. } => format!("remove it from {SPEC}"),
        Difference::Moved { to, .. } if to.kind() == Kind::Parameter => {
            format!("change the parameter in {SPEC}")
        }
        Difference::Moved { .. } => {
            format!(
                "if it still means the same, rename it in {SPEC}, and review its description and `x-idempotent`"
            )
        }
        Difference::Added { place } if with_yaml && place.is_operation() => format!(
            "paste this into {SPEC}, choose `x-idempotent` if it is null (`true` if repeating the call leads to the same \
             state), and describe it in your own words"
        ),
        Difference::Added { .. } if with_yaml => {
            format!("paste this into {SPEC}, and describe it in your own words")
        }
        Difference::Added { .. } => {
            format!("add it to {SPEC}; the page's Markdown shows all of it")
        }
        Difference::Changed { keyword, page: Some(Value::String(values)), .. }
            if keyword == "enum" =>
        {
            let values = match values.as_str() {
                "" => "which the page doesn't show".to_owned(),
                values => format!("which the page runs together: `{values}`"),
            };
            format!(
                "add an `enum` of the values to {SPEC}, {values}; the page's Markdown lists them one by one"
            )
        }
        Difference::Changed { .. } => format!("change it in {SPEC}"),
    }
}

/// What was compared, in numbers and by name.
pub fn receipt(spec: &Spec, comparison: &Comparison, unreadable: usize) -> Receipt {
    let Comparison { operations, agreeing, differing, .. } = *comparison;
    let silent = comparison.silent.len();
    let compared = format!(
        "compared {operations} of {} operations and {} facts: {agreeing} agree, {differing} differ, on \
         {silent} the page is silent; {unreadable} places could not be read",
        spec.facts.operations().count(),
        agreeing + differing + silent,
    );
    let mut names: Vec<String> =
        comparison.silent.iter().map(|silent| silent.hidden.to_string()).collect();
    names.dedup();
    let facts = Counts { operations, agreeing, differing, silent, unreadable };
    Receipt { compared: vec![compared], facts, silent: names, ..Receipt::default() }
}
