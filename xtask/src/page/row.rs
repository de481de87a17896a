//! A row of the copied text, which has no separators: `volumeIdstringRequiredExample: vol-1`.

use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What a row or a line below one states.
pub(super) type Stated = Vec<(&'static str, Value)>;

/// The content of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Empty for the body or the answer as a whole.
    pub(super) name: String,
    pub(super) stated: Stated,
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

/// The name of the row for properties without a name.
pub(super) const OTHER: &str = "Other properties";

/// The longest line that is read as a row, in bytes.
const LONGEST: usize = 4_096;

const KIND: &str =
    r"(?:(?:one\ of|any\ of|all\ of|string|integer|number|boolean|object|any)(?:\[\])*)";
const LABEL: &str = "(?:[Rr]equired|[Oo]ptional)";
const MARK: &str = r"(?:[Rr]ead-only|[Ww]rite-only|Deprecated|\|\ nullable)";
/// Begins a fact after a label or on a line below a row.
const TAIL: &str = r"(?:(?:Example|Default|Pattern|Possible\ values|[Mm]in|[Mm]ax):)";

/// The keywords of marks and tails.
const KEYWORDS: [(&str, &str); 10] = [
    ("read-only", "readOnly"),
    ("write-only", "writeOnly"),
    ("deprecated", "deprecated"),
    ("| nullable", "nullable"),
    ("example:", "example"),
    ("default:", "default"),
    ("pattern:", "pattern"),
    ("possible values:", "enum"),
    ("min:", "min"),
    ("max:", "max"),
];

fn keyword(word: &str) -> &'static str {
    let word = word.trim().to_lowercase();
    KEYWORDS.iter().find(|(own, _)| *own == word).map_or("", |(_, keyword)| keyword)
}

fn regex(pattern: &str) -> Regex {
    let words = [("KIND", KIND), ("LABEL", LABEL), ("MARK", MARK), ("TAIL", TAIL)];
    let pattern =
        words.iter().fold(pattern.to_owned(), |text, (word, own)| text.replace(word, own));
    Regex::new(&format!("(?x){pattern}")).expect("a regular expression")
}

/// The text without an icon joined with its start.
pub(super) fn without_icon(text: &str) -> &str {
    ICONS.iter().find_map(|icon| text.strip_prefix(icon)).unwrap_or(text)
}

/// The type at the start of a text, with the marks of a list, and the rest.
pub(super) fn kind(text: &str) -> (&str, &str) {
    static START: LazyLock<Regex> = LazyLock::new(|| regex(r"^(?: KIND | (?:\[\])* )"));
    let (kind, rest) = text.split_at(START.find(text).map_or(0, |found| found.end()));
    (kind, rest.trim())
}

/// Reads a line. `known` are the names in the spec, which show whether an icon precedes the name.
pub(super) fn read(line: &str, known: &BTreeSet<String>) -> Read {
    // Some pages keep the escapes of Markdown.
    let escapes = ["\\[", "\\]", "\\_", "\\*", "\\|"];
    let line =
        escapes.iter().fold(line.to_owned(), |line, escape| line.replace(escape, &escape[1..]));
    let rows: Vec<Row> =
        [&*line, without_icon(&line)].into_iter().filter_map(|line| parse(line, known)).collect();
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
pub(super) fn tails(line: &str) -> Stated {
    static TAILS: LazyLock<Regex> = LazyLock::new(|| regex("TAIL"));
    let begins = |at: usize| {
        let glued = line[..at].ends_with(|last: char| !last.is_whitespace());
        at == 0 || (glued && line[at..].starts_with(char::is_uppercase) && line.len() <= LONGEST)
    };
    let words: Vec<_> = TAILS.find_iter(line).filter(|word| begins(word.start())).collect();
    if words.first().is_none_or(|first| first.start() > 0) {
        return Vec::new();
    }
    let ends = words.iter().skip(1).map(regex::Match::start).chain([line.len()]);
    let stated = words.iter().zip(ends).map(|(word, end)| {
        let (keyword, text) = (keyword(word.as_str()), line[word.end()..end].trim());
        (keyword, if keyword == "enum" { values(text) } else { unquoted(text).into() })
    });
    // A value may be missing; that there are values is a fact.
    stated.filter(|(keyword, value)| *keyword == "enum" || *value != "").collect()
}

fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    inner.filter(|inner| !inner.contains('`')).unwrap_or(text)
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
    let word = r"[\p{Alphabetic}\p{N}_.$@:/\[\]-]";
    let pattern = r"^
        (?<name> Other\ properties | WORD*? | WORD+(?:\ WORD+){1,3}? )
        (?<gap> \ ? )
        (?<kind> const:\ [^·]*? | KIND )
        (?<segments> (?: \ [·|]\ [^·|]+? )*? )
        (?<before> (?: \ ?MARK )* )
        (?: (?<space> \ ? ) (?<label> LABEL ) (?<after> (?: \ ?MARK )* ) \ *
            (?<tails> (?: TAIL.* )? ) )?
        $";
    regex(&pattern.replace("WORD", word))
});

/// Whether the line has the form of a row with an English label.
pub(super) fn is_english(line: &str) -> bool {
    let captures = ROW.captures(line).filter(|_| line.len() <= LONGEST);
    captures.is_some_and(|captures| captures.name("label").is_some())
}

fn parse(line: &str, known: &BTreeSet<String>) -> Option<Row> {
    static MARKS: LazyLock<Regex> = LazyLock::new(|| regex("MARK"));
    let captures = ROW.captures(line).filter(|_| line.len() <= LONGEST)?;
    let part = |name| captures.name(name).map_or("", |part| part.as_str());
    let (name, label) = (part("name"), part("label"));
    // Prose has spaces too: `A string required`. What has some needs more of the form.
    let capital = label.starts_with(char::is_uppercase);
    let spaces = [!part("gap").is_empty(), name.contains(' ') && name != OTHER];
    let is_row = match spaces {
        _ if !part("space").is_empty() => false,
        [false, false] => true,
        [gap, spaced] => capital && gap != spaced,
    };
    if !is_row && (label.is_empty() || !known.contains(name)) {
        return None;
    }
    let (mut kind, mut stated, mut titled) = (part("kind").to_owned(), Vec::new(), false);
    for segment in part("segments").split(['·', '|']).map(str::trim).skip(1) {
        // `string · date[]` is a list of dates.
        let item = segment.trim_end_matches("[]");
        kind += &segment[item.len()..];
        stated.push(match (tails(item).pop(), item) {
            (Some(limit), _) => limit,
            (None, "enum") => ("enum", "".into()),
            (None, "nullable" | "null") => ("nullable", true.into()),
            // An object has a title in the place of a format.
            _ if part("kind").trim_end_matches("[]") == "object" && !titled => {
                titled = true;
                continue;
            }
            _ => ("format", item.into()),
        });
    }
    stated.insert(0, ("type", kind.into()));
    for marks in [part("before"), part("after")] {
        stated.extend(MARKS.find_iter(marks).map(|mark| (keyword(mark.as_str()), true.into())));
    }
    if !label.is_empty() {
        stated.push(("required", label.eq_ignore_ascii_case("required").into()));
    }
    stated.extend(tails(part("tails")));
    // A badge is glued to the name.
    let badge =
        name.strip_suffix("Discriminator").filter(|rest| !rest.is_empty() && !known.contains(name));
    stated.extend(badge.map(|_| ("discriminator", true.into())));
    Some(Row { name: badge.unwrap_or(name).to_owned(), stated })
}

/// Whether the line has the form of a row: a label without a space before it, or a type directly after a
/// name in the spec.
fn looks_like_a_row(line: &str, known: &BTreeSet<String>) -> bool {
    static GLUED: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"^ \S*? (?: \ (?:[·|]|or)\ \S*? )* [\p{Alphabetic}\p{N}\]] LABEL (?: $ | MARK | TAIL )",
        )
    });
    // The label may be in another language.
    static TYPED: LazyLock<Regex> = LazyLock::new(|| regex(r"^ KIND (?: $ | [^\ ] | \ ·\  )"));
    // A stray space may follow the name.
    let stray = line.split_once(' ').filter(|(name, _)| known.contains(*name));
    let typed = |name: &String| {
        let rest = line.strip_prefix(name.as_str()).filter(|_| !name.is_empty());
        rest.is_some_and(|rest| TYPED.is_match(rest))
    };
    GLUED.is_match(line)
        || stray.is_some_and(|(_, rest)| GLUED.is_match(rest))
        || known.iter().any(typed)
}
