//! `openapi.yaml`: its text, the document with its lines, and its facts.

use super::{Facts, Pointer, Problem, flatten};
use crate::codegen::yaml::Document;
use crate::files::{self, SPEC};
use anyhow::{Result, anyhow};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The spec.
pub struct Spec {
    pub text: String,
    pub(crate) document: Document,
    pub facts: Facts,
    /// The places that could not be read; `check` reports them.
    pub unreadable: Vec<Problem>,
}

impl Spec {
    /// Reads the spec below `root`.
    pub fn load(root: &Path) -> Result<Self> {
        Self::parse(SPEC, files::read(root, SPEC)?)
    }

    /// Reads the document in `text`. The error names the file and the line.
    pub fn parse(file: &str, text: String) -> Result<Self> {
        let document = Document::parse(&text)
            .map_err(|problem| anyhow!("{file}: {problem}; fix the YAML there"))?;
        Ok(Self::new(text, document))
    }

    /// A spec with this content, which has no lines.
    pub fn of_value(value: Value) -> Self {
        // JSON is YAML.
        Self::new(value.to_string(), Document { value, lines: BTreeMap::new() })
    }

    fn new(text: String, document: Document) -> Self {
        let (facts, unreadable) = flatten(&document.value, &|origin| document.line(origin));
        Self { text, document, facts, unreadable }
    }

    /// The whole document.
    pub fn value(&self) -> &Value {
        &self.document.value
    }

    /// The line of a JSON pointer into the document.
    pub fn line(&self, pointer: &str) -> Option<u64> {
        self.document.line(pointer)
    }

    /// The member `key` of the operation at `place`.
    pub fn of_operation(&self, place: &Pointer, key: &str) -> Option<&Value> {
        self.document.value.pointer(&self.facts.get(place)?.origin)?.get(key)
    }

    /// The `operationId` of the operation at `place`.
    pub fn operation_id(&self, place: &Pointer) -> Option<&str> {
        self.of_operation(place, "operationId")?.as_str()
    }
}
