//! The differences of a page from openapi.yaml as findings, for `docs` and `check`.

use super::fragment::Fragments;
use super::impact;
use super::listed::PublicItems;
use super::prose::Prose;
use crate::document::{Comparison, Counts, Difference, Facts, Pointer, Spec, What, plain};
use crate::files::{RECORD, SPEC};
use crate::page::{Page, Shape};
use crate::report::{Cause, Finding, Link, Receipt, clean};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What a page is compared with, besides the spec.
#[derive(Default)]
pub struct Around {
    pub public: PublicItems,
    pub prose: Prose,
}

impl Around {
    pub fn load(root: &Path) -> Self {
        Self { public: PublicItems::load(root), prose: Prose::load(root) }
    }
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
    let page = &*page;
    let lost = record.map(|record| lost(&comparison, page, record)).unwrap_or_default();
    let mut groups: Vec<(_, Vec<&Difference>)> = Vec::new();
    let mut known = BTreeMap::new();
    for difference in comparison.differences.iter().chain(&lost) {
        // Of what is new, all that is stated counts.
        let is_new = matches!(difference.what, What::Added | What::Moved { .. });
        let stated = is_new.then(|| page.facts.stated(&difference.place));
        let words = words(&page.facts, difference);
        let index = *known.entry((words.clone(), stated)).or_insert(groups.len());
        if index == groups.len() {
            groups.push((words, Vec::new()));
        }
        groups[index].1.push(difference);
    }
    let proposes = page.shape == Shape::Markdown && !groups.is_empty();
    let fragments = proposes.then(|| Fragments::new(spec, &page.facts, &comparison.differences));
    let mut reporter = Reporter { spec, around, page, name, record, fragments };
    let findings = groups.into_iter().map(|(words, group)| reporter.finding(words, &group));
    let findings = findings.collect();
    (comparison, findings)
}

/// What the record shows and a new copy of the same shape doesn't, although the spec still states it. The page may hide it
/// now, or the copy may have lost it: neither is agreement.
fn lost(comparison: &Comparison, page: &Page, record: &Page) -> Vec<Difference> {
    // What could not be read may be what isn't shown.
    if record.shape != page.shape || !page.unreadable.is_empty() {
        return Vec::new();
    }
    let mut lost: Vec<Difference> = Vec::new();
    for silent in &comparison.silent {
        let place = &silent.hidden;
        let owner = place.parent();
        let about = |it: &Difference| it.place.is_within(place) || it.place == owner;
        if record.facts.has(&silent.fact) && !comparison.differences.iter().any(about) {
            let hidden = Difference { place: place.clone(), what: What::Hidden { part: None } };
            lost.extend(Some(hidden).filter(|hidden| lost.last() != Some(hidden)));
        }
    }
    for (place, fact) in &page.facts.map {
        let Some(before) = record.facts.get(place) else { continue };
        let part = if fact.unlabelled && !before.unlabelled {
            "the label of the section of"
        } else if fact.value == Some("".into()) && fact.value != before.value {
            // An `enum` without its values.
            "the values of"
        } else {
            continue;
        };
        let what = What::Hidden { part: Some(part) };
        lost.push(Difference { place: place.clone(), what });
    }
    lost
}

struct Reporter<'a> {
    spec: &'a Spec,
    around: &'a Around,
    page: &'a Page,
    name: &'a str,
    record: Option<&'a Page>,
    /// A copied text proposes nothing.
    fragments: Option<Fragments<'a>>,
}

impl Reporter<'_> {
    /// The finding for the same difference in one or several operations.
    fn finding(
        &mut self,
        (mut what, mut title): (String, String),
        group: &[&Difference],
    ) -> Finding {
        let (spec, page) = (&self.spec.facts, &self.page.facts);
        let difference = group[0];
        let roots: Vec<Pointer> = group.iter().filter_map(|it| it.place.root()).collect();
        if roots.len() > 1 {
            title = format!("{title}, in {} operations", roots.len());
        } else if let [root] = &roots[..] {
            what = format!("{root} {what}");
            if !title.starts_with(&root.to_string()) {
                title = format!("{title}, in {root}");
            }
        }
        let mut finding = Finding::new(Link::Page, clean(what.trim()), clean(&title));
        finding.operations = roots.iter().map(ToString::to_string).collect();
        finding.cause = self.record.and_then(|record| cause(record, difference));
        let at = difference.pointer();
        if let Some(line) = page.line_around(&at) {
            finding = finding.at(self.name, Some(line), "the page");
        }
        let is_new = difference.what == What::Added;
        let line = spec.line_around(&at).or_else(|| self.spec.line("/paths").filter(|_| is_new));
        finding = finding.at(SPEC, line, if is_new { "it is missing here" } else { "the spec" });
        if !matches!(difference.what, What::Hidden { .. }) {
            finding.breaks = Some(impact::breaks(spec, page, difference));
            for member in group {
                let (item, methods) = impact::of(self.spec, &self.around.public, &member.place);
                add_new(&mut finding.items, item);
                add_new(&mut finding.methods, methods);
                if let Some(fragments) = &mut self.fragments {
                    add_new(&mut finding.paste, fragments.of(member));
                }
            }
            finding.prose = self.around.prose.about(self.spec, difference);
        }
        let help = help(difference, !finding.paste.is_empty());
        finding.help(clean(&help))
    }
}

/// Appends what isn't there yet.
pub fn add_new<T: PartialEq>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// The difference in words: for the fingerprint, and for people.
pub fn words(page: &Facts, difference: &Difference) -> (String, String) {
    let place = &difference.place;
    let kind = page.kind(place).map(|kind| format!(" ({kind})")).unwrap_or_default();
    let name = |place: &Pointer| {
        if place.is_operation() { place.to_string() } else { place.within_operation() }
    };
    let at = name(place);
    let (what, title) = match &difference.what {
        What::Changed { keyword, spec, page } => {
            let (spec, page) = (say(spec.as_ref()), say(page.as_ref()));
            let at = if place.is_operation() { "" } else { &*at };
            let of = if at.is_empty() { String::new() } else { format!("`{at}`: ") };
            let title = format!("{of}`{keyword}` is {page} on the page and {spec} in the spec");
            return (format!("{at} {keyword} {spec} -> {page}").replace('`', ""), title);
        }
        What::Hidden { part } => {
            let part = part.map(|part| format!("{part} ")).unwrap_or_default();
            let title = format!("the page no longer shows {part}`{at}`");
            return (format!("{part}{at} no longer shown"), title);
        }
        What::Added => {
            let required = if page.is(place, "required") { ", required" } else { "" };
            (format!("added{kind}{required}"), format!("{kind} is new{required}"))
        }
        What::Removed => ("removed".to_owned(), " is gone".to_owned()),
        What::Moved { to } => {
            let (to, verb) = (name(to), if place.is_property() { "renamed" } else { "moved" });
            let title = format!(" is gone, and `{to}`{kind} is new: it looks like the same");
            (format!("{verb} to {to}{kind}"), title)
        }
    };
    if place.is_operation() {
        (what, format!("{at}{title}"))
    } else {
        (format!("{at} {what}"), format!("`{at}`{title}"))
    }
}

fn say(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) if text.is_empty() => "stated, without its values".to_owned(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(Value::Array(items)) if !items.is_empty() => {
            format!("`{}`", items.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        Some(Value::Array(_)) => "none".to_owned(),
        Some(Value::Object(members)) if members.is_empty() => "none".to_owned(),
        Some(value) => format!("`{value}`"),
        None => "not stated".to_owned(),
    }
}

/// Whether the page or the transcription is at fault, if the record shows it.
fn cause(record: &Page, difference: &Difference) -> Option<Cause> {
    let mut pointer = difference.pointer();
    // What the spec and the page have, as text; a place is an empty one.
    let there = Some(String::new());
    let (spec, page) = match &difference.what {
        What::Changed { spec, page, .. } => (spec.as_ref().map(plain), page.as_ref().map(plain)),
        What::Removed => (there, None),
        What::Added => (None, there),
        What::Moved { to } => {
            pointer = to.clone();
            (None, there)
        }
        What::Hidden { .. } => return None,
    };
    let shown = record.facts.get(&pointer);
    let shown = shown.map(|fact| fact.value.as_ref().map(plain).unwrap_or_default());
    let around = pointer.parent();
    let has_parent = around.0.is_empty() || record.facts.has(&around);
    match shown {
        None if !has_parent || record.is_silent_on(&pointer) => None,
        shown if shown == page => Some(Cause::TranscriptionWrong),
        shown if shown == spec => Some(Cause::PageChanged),
        _ => Some(Cause::Both),
    }
}

/// What to do, with YAML to paste or without.
fn help(difference: &Difference, with_yaml: bool) -> String {
    let is_operation = difference.place.is_operation();
    let what = match &difference.what {
        What::Hidden { .. } => {
            return format!(
                "copy the page again, the whole of it. If the vendor removed it, remove it from {SPEC}; if the \
                 page only stopped showing it, run `cargo xtask docs PAGE --record`, which replaces {RECORD}"
            );
        }
        What::Removed => {
            format!("make sure that the page is whole; if it is, remove it from {SPEC}")
        }
        What::Added if with_yaml && is_operation => format!(
            "paste this into {SPEC}, choose `x-idempotent` if it is null (`true` if repeating the call leads to the same \
             state), and describe it in your own words"
        ),
        What::Added if with_yaml => {
            format!("paste this into {SPEC}, and describe it in your own words")
        }
        What::Added => format!("add it to {SPEC}; the page's Markdown shows all of it"),
        What::Moved { .. } => format!(
            "if it still means the same, change it in {SPEC}, and review its description and `x-idempotent`"
        ),
        What::Changed { keyword, page: Some(Value::String(_)), .. } if keyword == "enum" => {
            format!("list the values in {SPEC}; the page's Markdown has them one by one")
        }
        What::Changed { .. } => format!("change it in {SPEC}"),
    };
    what + "; then run `cargo xtask generate`"
}

/// What was compared, in numbers and by name.
pub fn receipt(spec: &Spec, comparison: &Comparison, unreadable: usize) -> Receipt {
    let facts = Counts { unreadable, ..comparison.counts };
    let Counts { operations, agreeing, differing, silent, .. } = facts;
    let compared = format!(
        "compared {operations} of {} operations and {} facts: {agreeing} agree, {differing} differ, on \
         {silent} the page is silent; {unreadable} places could not be read",
        spec.facts.operations().count(),
        agreeing + differing + silent,
    );
    let mut names: Vec<String> =
        comparison.silent.iter().map(|silent| silent.hidden.to_string()).collect();
    names.dedup();
    Receipt { compared: vec![compared], facts, silent: names, ..Receipt::default() }
}
