//! YAML documents, and places in them.

use super::Refusal;
use serde_json::Value;
use serde_saphyr::granit_parser::{self, Event, Parser};
use std::collections::BTreeMap;

/// A YAML document: its content as JSON, and the line of each value by JSON pointer.
#[derive(Debug)]
pub(crate) struct Document {
    /// The content.
    pub(crate) value: Value,
    /// The line of each value. What an alias or a merge key stands for has none.
    pub(crate) lines: BTreeMap<String, u64>,
}

impl Document {
    /// Parses `text`. The error is one line, with the place if the parser knows it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // YAML 1.1 reads `y`, `n`, `on` and `off` as booleans.
        let options = serde_saphyr::options! { strict_booleans: true };
        let read = serde_saphyr::from_str_with_options(text, options);
        let mut value: Value = read.map_err(|error| {
            let whole = error.without_snippet().to_string();
            whole.lines().next().unwrap_or("not YAML").to_owned()
        })?;
        // Any crate of a build can turn on serde_json's `preserve_order`.
        value.sort_all_objects();
        let options = granit_parser::options! { emit_comments: false };
        let events = Parser::new_from_str_with_options(text, options).map_while(Result::ok);
        let mut events = events.map(|(event, span)| (event, span.start.line() as u64)).skip(2);
        let mut lines = BTreeMap::new();
        if let Some((event, line)) = events.next() {
            record(&mut events, &event, line, "", &mut lines);
        }
        Ok(Self { value, lines })
    }

    /// The line of the value at `pointer`, or of what it is in: for a member of a mapping, that of its key.
    pub(crate) fn line(&self, pointer: &str) -> Option<u64> {
        let around = || self.line(pointer.rsplit_once('/')?.0);
        self.lines.get(pointer).copied().or_else(around)
    }
}

/// Records the line of the value that begins with `event`, and those of what it contains.
fn record<'t>(
    events: &mut impl Iterator<Item = (Event<'t>, u64)>,
    event: &Event<'t>,
    line: u64,
    pointer: &str,
    lines: &mut BTreeMap<String, u64>,
) {
    lines.insert(pointer.to_owned(), line);
    let is_mapping = matches!(event, Event::MappingStart(..));
    if !is_mapping && !matches!(event, Event::SequenceStart(..)) {
        return;
    }
    for index in 0.. {
        match events.next() {
            None | Some((Event::SequenceEnd | Event::MappingEnd, _)) => return,
            Some((Event::Scalar(key, ..), line)) if is_mapping => {
                let Some((member, _)) = events.next() else { return };
                record(events, &member, line, &format!("{pointer}/{}", escape(&key)), lines);
            }
            Some((item, line)) => record(events, &item, line, &format!("{pointer}/{index}"), lines),
        }
    }
}

/// Escapes one segment of a JSON pointer (RFC 6901).
pub(crate) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// A place in a document.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    document: &'a Document,
    pub(crate) value: &'a Value,
    /// As a JSON pointer.
    pub(crate) pointer: String,
}

impl<'a> Node<'a> {
    pub(crate) fn root(document: &'a Document) -> Self {
        Self { document, value: &document.value, pointer: String::new() }
    }

    /// The place at a pointer from here.
    pub(crate) fn at(&self, pointer: &str) -> Option<Self> {
        let value = self.value.pointer(pointer)?;
        Some(Self { document: self.document, value, pointer: format!("{}{pointer}", self.pointer) })
    }

    /// The member `key`.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        self.at(&format!("/{}", escape(key)))
    }

    /// The members of a mapping, or the items of a list.
    pub(crate) fn inside(&self) -> Vec<(String, Self)> {
        let keys: Vec<String> = match self.value {
            Value::Object(members) => members.keys().cloned().collect(),
            Value::Array(items) => (0..items.len()).map(|at| at.to_string()).collect(),
            _ => Vec::new(),
        };
        keys.into_iter().filter_map(|key| self.get(&key).map(|inner| (key, inner))).collect()
    }

    /// What is inside the member `key`, if there is one.
    pub(crate) fn each(&self, key: &str) -> Vec<(String, Self)> {
        self.get(key).map(|member| member.inside()).unwrap_or_default()
    }

    /// The text here: empty if there is none.
    pub(crate) fn as_text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }

    /// The text in the member `key`: empty if there is none.
    pub(crate) fn text(&self, key: &str) -> &'a str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The `$ref` here.
    pub(crate) fn target(&self) -> Option<&'a str> {
        self.value.get("$ref")?.as_str()
    }

    /// Where the `$ref` here leads to.
    pub(crate) fn follow(&self) -> Option<Self> {
        Self::root(self.document).at(self.target()?.strip_prefix('#')?)
    }

    /// This place, or where the `$ref`s from here lead to.
    pub(crate) fn resolved(self) -> Self {
        self.follow().map_or(self, Self::resolved)
    }

    /// The pointer and the line, for a message about another place.
    pub(crate) fn place(&self) -> String {
        let line = self.document.line(&self.pointer).unwrap_or_default();
        format!("#{} (line {line})", self.pointer)
    }

    /// The refusal of what is here: the problem and, after a semicolon, the remedy.
    pub(crate) fn refusal(&self, text: impl Into<String>) -> Refusal {
        let line = self.document.line(&self.pointer);
        Refusal { line, pointer: self.pointer.clone(), text: text.into() }
    }
}
