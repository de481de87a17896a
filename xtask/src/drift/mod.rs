//! The differences of a page from openapi.yaml as findings, for `docs` and `check`.

pub mod edit;
pub mod impact;
pub mod listed;
mod schemes;
mod shown;

use crate::contract::{
    Aspect, Comparison, Difference, Facts, Place, Silent, Spec, Step, compare, plain,
};
use crate::files::SPEC;
use crate::page::Page;
use crate::report::{Cause, Counts, Finding, Link, Receipt, clean};
use edit::Editor;
use listed::PublicItems;
use serde_json::Value;

/// The differences of the page from the spec. The same difference in several operations is one finding.
///
/// `name` is what findings call the page; `record` is the page as it was recorded before.
pub fn findings(
    spec: &Spec,
    public: &PublicItems,
    page: &mut Page,
    name: &str,
    record: Option<&Page>,
) -> (Comparison, Vec<Finding>) {
    let comparison = compare(&spec.facts, page);
    let mut groups: Vec<(_, Vec<&Difference>)> = Vec::new();
    for difference in &comparison.differences {
        let place = difference.place();
        // A new operation or one that is gone is not grouped.
        let whole = place.tail().is_empty() && !matches!(difference, Difference::Changed { .. });
        let operation = whole.then(|| place.root());
        // Of a place that only the page has, all facts.
        let new = matches!(difference, Difference::Added { .. } | Difference::Moved { .. });
        let subject = page.facts.get(difference.place_on_page()).filter(|_| new);
        let values = subject.map(|subject| subject.values().collect::<Vec<_>>());
        let key = (operation, words(&page.facts, difference), values);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, members)) => members.push(difference),
            None => groups.push((key, vec![difference])),
        }
    }
    let differences = &comparison.differences;
    let editor = &Editor::new(spec, &page.facts, differences);
    let reporter = Reporter { spec, public, page, name, record, editor };
    let mut findings: Vec<_> = groups.iter().map(|(_, group)| reporter.finding(group)).collect();
    findings.extend(
        record.into_iter().flat_map(|record| reporter.no_longer_shown(&comparison, record)),
    );
    (comparison, findings)
}

struct Reporter<'a> {
    spec: &'a Spec,
    public: &'a PublicItems,
    page: &'a Page,
    name: &'a str,
    record: Option<&'a Page>,
    editor: &'a Editor<'a>,
}

impl Reporter<'_> {
    /// The finding for the same difference in one or several operations.
    fn finding(&self, group: &[&Difference]) -> Finding {
        let (spec, page) = (self.spec, &self.page.facts);
        let difference = group[0];
        let operation = difference.place().root();
        let (mut what, mut title) = words(page, difference);
        let titled = difference.place().tail().is_empty()
            && !matches!(difference, Difference::Changed { .. });
        if group.len() > 1 {
            title = format!("{title}, in {} operations", group.len());
        } else {
            what = format!("{operation} {what}");
            if !titled {
                title = format!("{title}, in {operation}");
            }
        }
        let mut finding = Finding::new(Link::Page, clean(what.trim()), clean(&title));
        finding.operations = group.iter().map(|member| member.place().root().to_string()).collect();
        finding.breaks = Some(impact::breaks(&spec.facts, page, difference));
        finding.cause = self.record.and_then(|record| cause(&spec.facts, record, difference));
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
            add_new(&mut finding.edit, self.editor.hunks(member).unwrap_or_default());
            if let Some((item, methods)) = impact::of(spec, self.public, member.place()) {
                add_new(&mut finding.items, [item]);
                add_new(&mut finding.methods, methods);
            }
        }
        let help = match self.others(group).filter(|_| !finding.edit.is_empty()) {
            Some(others) => {
                finding.edit.clear();
                format!(
                    "{others} share this part of {SPEC}, and on the page they didn't change: copy what \
                     changed, edit the copy, then run `cargo xtask generate`"
                )
            }
            None => help(difference, !finding.edit.is_empty()),
        };
        finding.help(clean(&help))
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
        let pointer = &facts.get(&place)?.pointer;
        if !pointer.starts_with("/components/") {
            return None;
        }
        let changed: Vec<Place> = group.iter().map(|member| member.place().root()).collect();
        let sharing = facts.subjects.iter().filter(|(_, subject)| subject.pointer == *pointer);
        let others = sharing.map(|(other, _)| other.root());
        let others = others.filter(|other| !changed.contains(other));
        let mut others: Vec<String> = others.map(|other| other.to_string()).collect();
        others.dedup();
        (!others.is_empty()).then(|| others.join(", "))
    }

    /// The lines of page and spec that state it.
    fn lines(&self, difference: &Difference) -> (Option<u64>, Option<u64>) {
        let aspect = match difference {
            Difference::Changed { aspect, .. } => Some(aspect),
            _ => None,
        };
        let line = |facts: &Facts, place: &Place| {
            let stated = || facts.get(place)?.stated.get(aspect?)?.line;
            // For a missing place, the line of the nearest place around it.
            let mut around =
                (0..=place.0.len()).rev().map(|depth| Place(place.0[..depth].to_vec()));
            stated().or_else(|| around.find_map(|place| facts.get(&place)?.line))
        };
        let spec_line = match difference {
            Difference::Added { place } => {
                let parent = self.spec.facts.get(&place.parent()).filter(|_| place.0.len() > 1);
                let line = |pointer: &str| self.spec.document.line(pointer);
                parent.and_then(|parent| line(&parent.pointer)).or_else(|| line("/paths"))
            }
            other => line(&self.spec.facts, other.place()),
        };
        (line(&self.page.facts, difference.place_on_page()), spec_line)
    }
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
fn words(page: &Facts, difference: &Difference) -> (String, String) {
    let kind = |place: &Place| {
        let kind = page.value(place, Aspect::Type).map(plain);
        kind.map(|kind| format!(" ({kind})")).unwrap_or_default()
    };
    let at = difference.place().within_operation();
    match difference {
        Difference::Changed { place, aspect, spec, page } => {
            let say = |value: &Option<Value>| match value {
                Some(Value::Null) => "stated, without its values".to_owned(),
                Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
                Some(value) => format!("`{}`", shown(value)),
                None => "not stated".to_owned(),
            };
            let (spec, page) = (say(spec), say(page));
            let of = if place.tail().is_empty() { String::new() } else { format!("`{at}`: ") };
            (
                format!("{at} {aspect} {spec} -> {page}").replace('`', ""),
                format!("{of}`{aspect}` is {page} on the page and {spec} in the spec"),
            )
        }
        Difference::Added { place } if place.tail().is_empty() => {
            ("added".to_owned(), format!("a new operation: {place}"))
        }
        Difference::Added { place } => {
            let required = page.is(place, Aspect::Required);
            let required = if required { ", required" } else { "" };
            let kind = kind(place);
            (format!("{at} added{kind}{required}"), format!("`{at}`{kind} is new{required}"))
        }
        Difference::Removed { place } if place.tail().is_empty() => {
            ("removed".to_owned(), format!("an operation is gone: {place}"))
        }
        Difference::Removed { .. } => (format!("{at} removed"), format!("`{at}` is gone")),
        Difference::Moved { place, to } if place.tail().is_empty() => (
            format!("moved to {to}"),
            format!("{place} is gone and {to} is new, which looks like the same operation"),
        ),
        Difference::Moved { place, to } if matches!(to.last(), Some(Step::Property(_))) => {
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
fn cause(spec: &Facts, record: &Page, difference: &Difference) -> Option<Cause> {
    let facts = &record.facts;
    // Whether the record shows a place; `None` if it is silent on it.
    let shows = |place: &Place| match facts.get(place) {
        Some(_) => Some(true),
        None => record.denies_place(spec, place).then_some(false),
    };
    let changed = match difference {
        Difference::Changed { place, aspect, spec, page } => {
            let stated = facts.get(place)?.stated.get(aspect).map(|stated| plain(&stated.value));
            if stated.is_none() && !record.denies(place, *aspect) {
                return None;
            }
            let same = |other: &Option<Value>| stated == other.as_ref().map(plain);
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

/// What to do, with hunks or without.
fn help(difference: &Difference, with_hunks: bool) -> String {
    let what = match difference {
        Difference::Removed { place } if with_hunks && place.tail().is_empty() => {
            format!("make sure that the page is whole; if it is, apply this edit to {SPEC}")
        }
        Difference::Moved { place, .. }
            if !matches!(place.last(), Some(Step::Parameter { .. })) && with_hunks =>
        {
            format!(
                "if it still means the same, apply this edit to {SPEC}, and review its description and \
                 `x-idempotent`"
            )
        }
        Difference::Added { .. } | Difference::Moved { .. } if with_hunks => {
            format!("apply this edit to {SPEC}, describe it in your own words")
        }
        _ if with_hunks => format!("apply this edit to {SPEC}"),
        Difference::Changed { aspect: Aspect::Enum, page: Some(values), .. }
            if !values.is_array() =>
        {
            let values = match values {
                Value::Null => "which the page doesn't show".to_owned(),
                values => format!("which the page runs together: `{}`", plain(values)),
            };
            return format!(
                "add an `enum` of the values, {values}; the page's Markdown lists them one by one"
            );
        }
        _ => format!("change {SPEC} by hand so that it states what the page states"),
    };
    format!("{what}, then run `cargo xtask generate`")
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
    let mut names: Vec<String> = comparison.silent.iter().map(Silent::name).collect();
    names.dedup();
    let facts = Counts { operations, agreeing, differing, silent, unreadable };
    Receipt { compared: vec![compared], facts, silent: names, ..Receipt::default() }
}
