//! One row of a rendered page: `volumeIdstringRequiredExample: vol-1`, all of it run together.

use crate::facts::Aspect;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a row says.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// Empty where the row speaks of the body or the answer as a whole.
    pub(super) name: String,
    pub(super) stated: Vec<(Aspect, Value)>,
}

/// A line that may be a row.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    Row(Row),
    /// It says `Required` or `Optional` as rows do, and nothing else in it can be understood.
    Unreadable,
    /// Prose.
    Other,
}

/// Words of icons that stand before a title or a row when a page is copied.
pub(super) const ICONS: [&str; 7] =
    ["brackets-curly", "chevron-right", "chevron-down", "circle-info", "hashtag", "lock", "plus"];

const LABELS: [(&str, bool); 4] =
    [("Required", true), ("Optional", false), ("required", true), ("optional", false)];

const MARKS: [(&str, Aspect); 6] = [
    ("Read-only", Aspect::ReadOnly),
    ("read-only", Aspect::ReadOnly),
    ("Write-only", Aspect::WriteOnly),
    ("write-only", Aspect::WriteOnly),
    ("Deprecated", Aspect::Deprecated),
    ("| nullable", Aspect::Nullable),
];

/// The longest line that is taken apart, in bytes. A row holds a name, a type and an example.
const LONGEST: usize = 4_096;
/// A name or an example may hold the word of a label, and seldom more than one.
const MOST_LABELS: usize = 8;

const SCALARS: [&str; 9] =
    ["string", "integer", "number", "boolean", "object", "any", "one of", "any of", "all of"];

/// What may follow a label, and what may stand on a line of its own below a row.
const TAILS: [(&str, Aspect); 8] = [
    ("Example:", Aspect::Example),
    ("Default:", Aspect::Default),
    ("Pattern:", Aspect::Pattern),
    ("Possible values:", Aspect::Enum),
    ("Min:", Aspect::Minimum),
    ("min:", Aspect::Minimum),
    ("Max:", Aspect::Maximum),
    ("max:", Aspect::Maximum),
];

/// Reads a line. `known` are the names that the spec knows: they settle where a name ends.
pub(super) fn read(line: &str, known: &BTreeSet<String>) -> Read {
    if line.len() > LONGEST {
        let start: String = line.chars().take(LONGEST).collect();
        return if looks_like_a_row(&start, known) { Read::Unreadable } else { Read::Other };
    }
    let line = unescape(line);
    let mut rows = candidates(&line);
    for icon in ICONS {
        rows.extend(line.strip_prefix(icon).map(candidates).unwrap_or_default());
    }
    let labelled = |row: &Row| row.stated.iter().any(|(aspect, _)| *aspect == Aspect::Required);
    // Without a label a format is a plain word: `date-timeOptioneel` is one with a label in Dutch.
    let plain = |row: &Row| {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
        row.stated.iter().all(|(aspect, value)| {
            *aspect != Aspect::Format
                || value.as_str().is_some_and(|format| format.chars().all(word))
        })
    };
    let best =
        rows.iter().position(|row| known.contains(&row.name) && (labelled(row) || plain(row)));
    match best.or_else(|| rows.iter().position(labelled)) {
        Some(index) => Read::Row(rows.swap_remove(index)),
        None if looks_like_a_row(&line, known) => Read::Unreadable,
        None => Read::Other,
    }
}

/// What a line below a row adds to it.
pub(super) fn tail(line: &str) -> Option<(Aspect, Value)> {
    TAILS.iter().find_map(|(word, aspect)| {
        let value = line.strip_prefix(word)?.trim();
        (!value.is_empty()).then(|| (*aspect, value.into()))
    })
}

/// All that the line can mean, the likeliest first: the longest type, the earliest label.
fn candidates(line: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, label, required) in labels(line) {
        let Some(mut stated) = after(&line[at + label.len()..]) else { continue };
        stated.push((Aspect::Required, required.into()));
        rows.extend(before(&line[..at], &stated));
    }
    rows.sort_by_key(|row| row.name.is_empty());
    if rows.is_empty() {
        rows = before(line, &[]);
    }
    rows
}

fn labels(line: &str) -> Vec<(usize, &'static str, bool)> {
    let mut found: Vec<_> = LABELS
        .iter()
        .flat_map(|(label, required)| {
            line.match_indices(label).map(|(at, _)| (at, *label, *required))
        })
        .collect();
    found.sort_unstable();
    found.truncate(MOST_LABELS);
    found
}

/// The line has the form of a row: a label is glued to what stands before it, or a type to a name that
/// the spec knows.
fn looks_like_a_row(line: &str, known: &BTreeSet<String>) -> bool {
    let glued = labels(line).into_iter().any(|(at, label, _)| {
        let (before, after) = (&line[..at], &line[at + label.len()..]);
        let words = before.replace(" · ", "").replace(" | ", "").replace(" or ", "");
        let spoken = label.starts_with(char::is_lowercase) && before.len() == words.len();
        let ends = after.is_empty()
            || MARKS.iter().any(|(mark, _)| after.starts_with(mark))
            || TAILS.iter().any(|(tail, _)| after.starts_with(tail));
        ends && !words.contains(' ')
            && words.ends_with(|last: char| last.is_alphanumeric() || last == ']')
            // A single word such as `unrequired` is prose; with a type before the label it is none.
            && (!spoken || SCALARS.iter().any(|kind| before.contains(kind)) || after.is_empty())
    });
    // So begins a row whose label is in another language.
    let named = || {
        known.iter().any(|name| {
            let rest = line.strip_prefix(name.as_str()).filter(|_| !name.is_empty());
            let kind = rest.and_then(|rest| SCALARS.iter().find(|kind| rest.starts_with(*kind)));
            kind.is_some_and(|kind| {
                let rest = &line[name.len() + kind.len()..];
                !rest.starts_with(' ') || rest.starts_with(" · ")
            })
        })
    };
    glued || named()
}

/// What stands behind the label.
fn after(text: &str) -> Option<Vec<(Aspect, Value)>> {
    let mut stated = Vec::new();
    let mut text = text.trim();
    while let Some((mark, aspect)) = MARKS.iter().find(|(mark, _)| text.starts_with(mark)) {
        stated.push((*aspect, true.into()));
        text = text[mark.len()..].trim_start();
    }
    while !text.is_empty() {
        let (word, _) = TAILS.iter().find(|(word, _)| text.starts_with(word))?;
        // Another kind of fact may follow on the same line.
        let end = TAILS
            .iter()
            .filter(|(other, _)| other != word && other.starts_with(char::is_uppercase))
            .filter_map(|(other, _)| text[word.len()..].find(other))
            .min()
            .map_or(text.len(), |at| at + word.len());
        stated.extend(tail(&text[..end]));
        text = &text[end..];
    }
    Some(stated)
}

/// What stands before the label, by all ways to tell the name from the type.
fn before(text: &str, stated: &[(Aspect, Value)]) -> Vec<Row> {
    let mut stated = stated.to_vec();
    let mut text = text.trim_end();
    while let Some((mark, aspect)) = MARKS.iter().find(|(mark, _)| text.ends_with(mark)) {
        stated.push((*aspect, true.into()));
        text = text[..text.len() - mark.len()].trim_end();
    }
    // Older pages put a bar where newer ones put a dot.
    let text = text.replace(" | ", " · ");
    let mut parts = text.split(" · ");
    let head = parts.next().unwrap_or_default();
    let mut titled = false;
    let segments: Vec<&str> = parts.map(str::trim).collect();
    let mut rows = Vec::new();
    for (name, kind) in splits(head) {
        let mut stated = stated.clone();
        stated.push((Aspect::Type, kind.clone().into()));
        for segment in &segments {
            match tail(segment) {
                Some(limit) => stated.push(limit),
                None if *segment == "enum" => stated.push((Aspect::Enum, Value::Null)),
                None if *segment == "nullable" => stated.push((Aspect::Nullable, true.into())),
                // An object has a title where a scalar has a format.
                None if kind.trim_end_matches("[]") == "object" && !titled => titled = true,
                None => stated.push((Aspect::Format, (*segment).into())),
            }
        }
        // Values on the same line say more than the mark that there are some.
        let values =
            stated.iter().any(|(aspect, value)| *aspect == Aspect::Enum && !value.is_null());
        stated.retain(|(aspect, value)| !(values && *aspect == Aspect::Enum && value.is_null()));
        rows.push(Row { name, stated });
    }
    rows
}

/// The ways to split `nameTYPE`, the longest type first.
fn splits(head: &str) -> Vec<(String, String)> {
    if let Some((name, value)) = head.split_once("const: ") {
        return named(name).map(|name| (name, format!("const: {value}"))).into_iter().collect();
    }
    let bare = head.trim_end_matches("[]");
    let arrays = &head[bare.len()..];
    let mut kinds: Vec<_> = SCALARS.iter().filter(|kind| bare.ends_with(*kind)).collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.len()));
    kinds
        .into_iter()
        .filter_map(|kind| {
            let name = named(&bare[..bare.len() - kind.len()])?;
            Some((name, format!("{kind}{arrays}")))
        })
        .collect()
}

fn named(name: &str) -> Option<String> {
    let plain = name.chars().all(|c| c.is_alphanumeric() || "_-.$@:/[]".contains(c));
    (plain || name == OTHER).then(|| name.to_owned())
}

/// The row of the properties that have no name.
pub(super) const OTHER: &str = "Other properties";

/// Some pages escape `[` and `_` as Markdown does.
fn unescape(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let escapes =
            character == '\\' && characters.peek().is_some_and(|next| "[]_*|".contains(*next));
        if !escapes {
            text.push(character);
        }
    }
    text
}
