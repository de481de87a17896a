//! Changes of the lines of openapi.yaml, in block style.

use super::Editor;
use crate::codegen::yaml::escape;
use crate::report::Hunk;
use serde_json::{Value, json};

/// Precedes a new operation.
pub(super) const TO_CHOOSE: &str =
    "# Ours: choose a name, and `true` if repeating it brings about the same state.";

/// The order of keywords within a mapping. Other keys follow in their own order.
const ORDER: [&str; 11] = [
    TO_CHOOSE,
    "operationId",
    "x-idempotent",
    "name",
    "in",
    "parameters",
    "requestBody",
    "type",
    "format",
    "required",
    "description",
];

impl Editor<'_> {
    /// Sets a member of a mapping.
    pub(super) fn set(&self, owner: &str, key: &str, value: &Value) -> Option<Hunk> {
        let lines = yaml(&json!({ key: value }));
        let of = |pointer: &str| {
            let line = self.spec.document.line(pointer)?;
            // In block style a key begins the line.
            let text = self.spec.line(line)?;
            let bare = text.trim_start().trim_start_matches("- ");
            let name = pointer.rsplit('/').next()?;
            bare.starts_with(&format!("{name}:")).then_some((line, text))
        };
        if self.at(&format!("{owner}/{key}")).is_some() {
            let (line, text) = of(&format!("{owner}/{key}"))?;
            let end = self.spec.end_of_block(line);
            (!text.trim_start().starts_with("- ")).then_some(())?;
            return Some(self.replace(line, end, &lines, indent(text)));
        }
        // A new keyword goes below the first that is there of those that come first.
        let after =
            ["operationId", "in", "type"].iter().find_map(|first| of(&format!("{owner}/{first}")));
        if let Some((line, text)) = after {
            let item = if text.trim_start().starts_with("- ") { 2 } else { 0 };
            return Some(insert(line + 1, &lines, indent(text) + item));
        }
        let members = self.at(owner)?.as_object()?;
        let mut all = members.keys().filter_map(|key| of(&format!("{owner}/{}", escape(key))));
        let first = all.next()?;
        let (line, text) = all.fold(first, |one, other| if other.0 < one.0 { other } else { one });
        (!text.trim_start().starts_with("- ")).then(|| insert(line, &lines, indent(text)))
    }

    /// Replaces the value at `pointer`.
    pub(super) fn replace_value(&self, pointer: &str, value: &Value) -> Option<Hunk> {
        let line = self.spec.document.line(pointer)?;
        let text = self.spec.line(line)?;
        let end = self.spec.end_of_block(line);
        let (_, key) = pointer.rsplit_once('/')?;
        let key = key.replace("~1", "/").replace("~0", "~");
        let bare = text.trim_start().trim_matches('"');
        if bare.starts_with("- ") && key.parse::<usize>().is_ok() {
            return Some(self.replace(line, end, &yaml(&json!([value])), indent(text)));
        }
        bare.starts_with(&key).then_some(())?;
        if text.ends_with(':') {
            return Some(self.replace(line + 1, end, &yaml(value), indent(text) + 2));
        }
        Some(self.replace(line, end, &yaml(&json!({ key: value })), indent(text)))
    }

    /// Deletes the value at `pointer` with the comment above it, and its owner if nothing else would be left there.
    pub(super) fn delete(&self, pointer: &str) -> Option<Hunk> {
        let (owner, _) = pointer.rsplit_once('/')?;
        self.deleted.borrow_mut().insert(pointer.to_owned());
        let members: Vec<String> = match self.at(owner)? {
            Value::Array(items) => (0..items.len()).map(|index| index.to_string()).collect(),
            value => value.as_object()?.keys().map(|key| escape(key)).collect(),
        };
        let is_deleted = |key: &String| self.deleted.borrow().contains(&format!("{owner}/{key}"));
        if members.iter().all(is_deleted) {
            let grown = self.grown.borrow().contains(owner);
            return if grown { None } else { self.delete(owner) };
        }
        let line = self.spec.document.line(pointer)?;
        let text = self.spec.line(line)?;
        // Several values of a flow collection share a line.
        let alone = self.spec.document.line(owner) != Some(line);
        let is_comment = |above: &u64| {
            self.spec
                .line(*above)
                .is_some_and(|it| it.trim_start().starts_with('#') && indent(it) == indent(text))
        };
        let first = (1..line).rev().take_while(is_comment).last().unwrap_or(line);
        alone.then(|| self.replace(first, self.spec.end_of_block(line), &[], 0))
    }

    /// Appends to the list or mapping `key` of `owner`, which is created if it doesn't exist.
    pub(super) fn append(&self, owner: &str, key: &str, members: &Value) -> Option<Hunk> {
        let inner = format!("{owner}/{key}");
        self.grown.borrow_mut().insert(inner.clone());
        let below = format!("{inner}/");
        let lines = &self.spec.document.lines;
        let Some(line) = lines.get(&inner) else {
            let (above, name) = owner.rsplit_once('/')?;
            let key = key.replace("~1", "/").replace("~0", "~");
            return self.append(above, name, &json!({ key: members }));
        };
        let first = lines.range(below.clone()..).take_while(|(at, _)| at.starts_with(&below));
        let first = first.map(|(_, line)| *line).min()?;
        // The members of a flow collection are on its own line.
        let listed = self.spec.line(*line)?.trim_start().starts_with("- ");
        (first > *line || listed).then_some(())?;
        let depth = indent(self.spec.line(first)?) + if first > *line { 0 } else { 2 };
        Some(insert(self.spec.end_of_block(*line) + 1, &yaml(members), depth))
    }

    pub(super) fn replace(&self, from: u64, to: u64, lines: &[String], depth: usize) -> Hunk {
        let remove = (from..=to).filter_map(|line| self.spec.line(line)).map(str::to_owned);
        Hunk { remove: remove.collect(), ..insert(from, lines, depth) }
    }
}

pub(super) fn insert(line: u64, lines: &[String], depth: usize) -> Hunk {
    let insert = lines.iter().map(|line| format!("{:depth$}{line}", "")).collect();
    Hunk { line, remove: Vec::new(), insert }
}

pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A value in block style. A key that begins with `#` is a comment.
pub(super) fn yaml(value: &Value) -> Vec<String> {
    let item = |item: &Value| {
        let dashes = ["- "].into_iter().chain(std::iter::repeat("  "));
        dashes.zip(yaml(item)).map(|(dash, line)| format!("{dash}{line}")).collect::<Vec<_>>()
    };
    let member = |(key, value): (&String, &Value)| {
        if key.starts_with('#') {
            return vec![key.clone()];
        }
        // Braces mean themselves within a path.
        let bare = reads_back(&key.replace(['{', '}'], "")) || key == "$ref";
        let key = if bare { key.clone() } else { json!(key).to_string() };
        if *value == json!([]) || *value == json!({}) || !(value.is_array() || value.is_object()) {
            return yaml(value).iter().map(|value| format!("{key}: {value}")).collect();
        }
        let inner = yaml(value).into_iter().map(|line| format!("  {line}"));
        [format!("{key}:")].into_iter().chain(inner).collect()
    };
    match value {
        Value::Object(object) if !object.is_empty() => {
            let mut members: Vec<_> = object.iter().collect();
            let rank = |key| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
            members.sort_by_key(|(key, _)| rank(key.as_str()));
            members.into_iter().flat_map(member).collect()
        }
        Value::Array(items) if !items.is_empty() => items.iter().flat_map(item).collect(),
        Value::String(text) if reads_back(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// Whether the text means itself in YAML without quotes.
pub(super) fn reads_back(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_alphanumeric() || "_-./ ,;'()".contains(c))
        && !words.contains(&text.to_lowercase().as_str())
}
