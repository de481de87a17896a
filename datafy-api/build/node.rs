//! A place in a document.

use super::Refusal;
use super::yaml::{Document, escape};
use serde_json::Value;

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

    /// Whether `key: true` is a member.
    pub(crate) fn is(&self, key: &str) -> bool {
        self.value.get(key) == Some(&Value::Bool(true))
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

    pub(crate) fn refusal(&self, problem: impl Into<String>, remedy: &'static str) -> Refusal {
        let line = self.document.line(&self.pointer);
        Refusal { line, pointer: Some(self.pointer.clone()), problem: problem.into(), remedy }
    }
}
