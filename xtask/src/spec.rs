//! `openapi.yaml`, as text, as a document and as facts.

use crate::codegen::yaml::Document;
use crate::facts::Facts;
use crate::openapi;
use crate::page::Unreadable;
use serde_json::Value;
use std::path::Path;

pub const SPEC: &str = "openapi.yaml";

/// The spec.
pub struct Spec {
    pub text: String,
    pub(crate) document: Document,
    pub facts: Facts,
    /// What can't be followed in it, which is a finding of `check`.
    pub unreadable: Vec<Unreadable>,
}

impl Spec {
    pub fn value(&self) -> &Value {
        &self.document.value
    }

    /// Reads the spec below `root`.
    pub fn load(root: &Path) -> Result<Self, String> {
        let text =
            std::fs::read_to_string(root.join(SPEC)).map_err(|error| format!("{SPEC}: {error}"))?;
        Self::parse(text).map_err(|problem| format!("{SPEC}: {problem}; mend the YAML there"))
    }

    pub fn parse(text: String) -> Result<Self, String> {
        let document = Document::parse(&text)?;
        let mut facts = Facts::default();
        let unreadable =
            openapi::read(&document.value, &|pointer| document.line(pointer), &mut facts);
        Ok(Self { text, document, facts, unreadable })
    }

    /// A line of the text, counted from 1.
    pub fn line(&self, number: u64) -> Option<&str> {
        self.text.lines().nth(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The last line of what stands at `pointer`.
    pub fn last_line(&self, pointer: &str) -> Option<u64> {
        let below = format!("{pointer}/");
        let lines = self.document.lines.range(below.clone()..);
        let last =
            lines.take_while(|(inner, _)| inner.starts_with(&below)).map(|(_, line)| *line).max();
        last.max(self.document.line(pointer))
    }
}
