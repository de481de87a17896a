//! A row of the copied text, which has no separators: `volumeIdstringRequiredExample: vol-1`.

use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The content of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Empty for the body or the answer as a whole.
    pub(super) name: String,
    pub(super) stated: Vec<(&'static str, Value)>,
}

/// A line that may be a row.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    Row(Row),
    /// It has the form of a row and can't be read as one.
    Unreadable,
    /// Prose.
    Other,
}

/// The names of icons, which appear in a copied page alone or before a title or a row.
pub(super) const ICONS: [&str; 7] =
    ["brackets-curly", "chevron-right", "chevron-down", "circle-info", "hashtag", "lock", "plus"];

/// The text without an icon joined with its start.
pub(super) fn without_icon(text: &str) -> &str {
    ICONS.iter().find_map(|icon| text.strip_prefix(icon)).unwrap_or(text)
}

const LABELS: [&str; 4] = ["Required", "Optional", "required", "optional"];

const MARKS: [(&str, &str); 6] = [
    ("Read-only", "readOnly"),
    ("read-only", "readOnly"),
    ("Write-only", "writeOnly"),
    ("write-only", "writeOnly"),
    ("Deprecated", "deprecated"),
    ("| nullable", "nullable"),
];

/// The longest line that is read as a row, in bytes.
const LONGEST: usize = 4_096;
/// How often each label is tried in a line: names and examples may contain some.
const MOST_LABELS: usize = 8;

const SCALARS: [&str; 9] =
    ["string", "integer", "number", "boolean", "object", "any", "one of", "any of", "all of"];

/// Facts after a label or on separate lines below a row.
const TAILS: [(&str, &str); 8] = [
    ("Example:", "example"),
    ("Default:", "default"),
    ("Pattern:", "pattern"),
    ("Possible values:", "enum"),
    ("Min:", "min"),
    ("min:", "min"),
    ("Max:", "max"),
    ("max:", "max"),
];

/// The type at the start of a text, with the marks of a list, and the rest.
pub(super) fn kind(text: &str) -> (&str, &str) {
    let length = SCALARS.iter().find(|kind| text.starts_with(*kind)).map_or(0, |kind| kind.len());
    let rest = text[length..].trim_start_matches("[]");
    (&text[..text.len() - rest.len()], rest.trim())
}

/// Reads a line. `known` are the names in the spec, which show whether an icon precedes the name.
pub(super) fn read(line: &str, known: &BTreeSet<String>) -> Read {
    if line.len() > LONGEST {
        let start: String = line.chars().take(LONGEST).collect();
        return if looks_like_a_row(&start, known) { Read::Unreadable } else { Read::Other };
    }
    let line = unescape(line);
    let bare = Some(without_icon(&line)).filter(|bare| *bare != line);
    let lines = [Some(&*line), bare].into_iter().flatten();
    let rows: Vec<Row> = lines.filter_map(|line| parse(line, known)).collect();
    let labelled = |row: &&Row| row.stated.iter().any(|(keyword, _)| *keyword == "required");
    // A format is a plain word: `date-timeOptioneel` includes a label in Dutch.
    let plain = |row: &&Row| {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
        let mut formats = row.stated.iter().filter(|(keyword, _)| *keyword == "format");
        formats.all(|(_, format)| format.as_str().is_some_and(|format| format.chars().all(word)))
    };
    let named = |row: &&Row| known.contains(&row.name) && (labelled(row) || plain(row));
    match rows.iter().find(named).or_else(|| rows.iter().find(labelled)) {
        Some(row) => Read::Row(row.clone()),
        None if looks_like_a_row(&line, known) => Read::Unreadable,
        None => Read::Other,
    }
}

/// The facts on a line below a row, or after a label. The next one may follow without a space.
pub(super) fn tails(mut line: &str) -> Vec<(&'static str, Value)> {
    let mut stated = Vec::new();
    while let Some((word, keyword)) = TAILS.iter().find(|(word, _)| line.starts_with(word)) {
        let glued =
            |(at, _): &(usize, &str)| line[..*at].ends_with(|last: char| !last.is_whitespace());
        let starts = TAILS.iter().filter(|(word, _)| word.starts_with(char::is_uppercase));
        let starts = starts.filter(|_| line.len() <= LONGEST);
        let starts = starts.filter_map(|(word, _)| line.match_indices(word).find(glued));
        let end = starts.map(|(at, _)| at).filter(|at| *at > 0).min().unwrap_or(line.len());
        let value = line[word.len()..end].trim();
        let quoted = value.strip_prefix('`').and_then(|value| value.strip_suffix('`'));
        let quoted = quoted.filter(|value| *keyword != "enum" && !value.contains('`'));
        match quoted.unwrap_or(value) {
            "" if *keyword != "enum" => {}
            value if *keyword == "enum" => stated.push((*keyword, values(value))),
            value => stated.push((*keyword, value.into())),
        }
        line = &line[end..];
    }
    stated
}

/// The values of an `enum`: a list if each is quoted, and otherwise the text, in which they run together. It is empty
/// if they are not shown.
fn values(text: &str) -> Value {
    let quoted: Vec<&str> = text.split('`').collect();
    let between = |part: &&str| part.chars().all(|c| c.is_whitespace() || ",|".contains(c));
    if quoted.len() > 2 && quoted.len() % 2 == 1 && quoted.iter().step_by(2).all(between) {
        quoted.iter().skip(1).step_by(2).copied().collect()
    } else {
        text.into()
    }
}

/// A row: the shortest name before a type, and the first label after it. Older pages have a bar instead of a dot.
static ROW: LazyLock<Regex> = LazyLock::new(|| {
    let marks = "(?: ?(?:[Rr]ead-only|[Ww]rite-only|Deprecated))*";
    Regex::new(&format!(
        r"(?x)^
        (?<name> Other\ properties | {word}*? | {word}+(?:\ {word}+){{1,3}}? )
        (?<gap> \ ? )
        (?<kind> const:\ [^·]*? | (?: one\ of | any\ of | all\ of
            | string | integer | number | boolean | object | any )(?:\[\])* )
        (?<segments> (?: \ [·|]\ [^·|]+? )*? )
        (?<before> {marks} )
        (?: (?<space> \ ? ) (?<label> [Rr]equired | [Oo]ptional ) (?<after> {marks} ) \ *
            (?<tails> (?: (?: Example | Default | Pattern | Possible\ values | [Mm]in | [Mm]ax ): .* )? ) )?
        $",
        word = r"[\p{Alphabetic}\p{N}_.$@:/\[\]-]",
        marks = marks.replace(' ', r"\ ")
    ))
    .expect("a regular expression")
});

/// Whether the line has the form of a row with an English label.
pub(super) fn is_english(line: &str) -> bool {
    line.len() <= LONGEST
        && ROW.captures(line).is_some_and(|captures| captures.name("label").is_some())
}

fn parse(line: &str, known: &BTreeSet<String>) -> Option<Row> {
    let captures = ROW.captures(line)?;
    let part = |name| captures.name(name).map_or("", |part| part.as_str());
    // Prose has spaces too: `A string required`. What has some needs more of the form.
    let is_known = !part("label").is_empty() && known.contains(part("name"));
    let capital = part("label").starts_with(char::is_uppercase);
    let spaced = part("name").contains(' ') && part("name") != OTHER;
    match (part("gap"), part("space")) {
        _ if is_known => {}
        ("", "") if !spaced || capital => {}
        (" ", "") if !spaced && capital => {}
        _ => return None,
    }
    let mut kind = part("kind").to_owned();
    let mut stated = Vec::new();
    let mut titled = false;
    for segment in part("segments").split(['·', '|']).map(str::trim).skip(1) {
        // `string · date[]` is a list of dates.
        let item = segment.trim_end_matches("[]");
        kind += &segment[item.len()..];
        let segment = item;
        stated.push(match (tails(segment).pop(), segment) {
            (Some(limit), _) => limit,
            (None, "enum") => ("enum", "".into()),
            (None, "nullable" | "null") => ("nullable", true.into()),
            // An object has a title in the place of a format.
            _ if part("kind").trim_end_matches("[]") == "object" && !titled => {
                titled = true;
                continue;
            }
            _ => ("format", segment.into()),
        });
    }
    stated.insert(0, ("type", kind.into()));
    let marks = format!("{}{}", part("before"), part("after"));
    let marked = MARKS.iter().filter(|(mark, _)| marks.contains(mark));
    stated.extend(marked.map(|(_, keyword)| (*keyword, true.into())));
    if let Some(label) = captures.name("label") {
        stated.push(("required", label.as_str().eq_ignore_ascii_case("required").into()));
    }
    stated.extend(tails(part("tails")));
    // Values on the same line replace the mark that there are some.
    if stated.iter().any(|(keyword, value)| *keyword == "enum" && *value != "") {
        stated.retain(|(keyword, value)| !(*keyword == "enum" && *value == ""));
    }
    let name = part("name");
    // A badge is glued to the name.
    let badge =
        name.strip_suffix("Discriminator").filter(|rest| !rest.is_empty() && !known.contains(name));
    stated.extend(badge.map(|_| ("discriminator", true.into())));
    Some(Row { name: badge.unwrap_or(name).to_owned(), stated })
}

/// Whether the line has the form of a row: a label without a space before it, or a type directly after a
/// name in the spec.
fn looks_like_a_row(line: &str, known: &BTreeSet<String>) -> bool {
    let mut labels = LABELS.iter().flat_map(|label| line.match_indices(label).take(MOST_LABELS));
    let glued = labels.any(|(at, label)| {
        let (before, after) = (&line[..at], &line[at + label.len()..]);
        let words = before.replace(" · ", "").replace(" | ", "").replace(" or ", "");
        let spoken = label.starts_with(char::is_lowercase) && before.len() == words.len();
        let ends = after.is_empty()
            || MARKS.iter().any(|(mark, _)| after.starts_with(mark))
            || TAILS.iter().any(|(tail, _)| after.starts_with(tail));
        // A stray space may follow the name.
        let stray = words
            .split_once(' ')
            .is_some_and(|(name, rest)| !spoken && known.contains(name) && !rest.contains(' '));
        ends && (stray || !words.contains(' '))
            && words.ends_with(|last: char| last.is_alphanumeric() || last == ']')
            // A single word such as `unrequired` is prose unless it contains a type.
            && (!spoken || SCALARS.iter().any(|kind| before.contains(kind)) || after.is_empty())
    });
    // A row whose label is in another language begins like this.
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

/// The name of the row for properties without a name.
pub(super) const OTHER: &str = "Other properties";

/// Removes the escapes of Markdown, which some pages keep.
fn unescape(line: &str) -> String {
    ["[", "]", "_", "*", "|"]
        .iter()
        .fold(line.to_owned(), |line, mark| line.replace(&format!("\\{mark}"), mark))
}
