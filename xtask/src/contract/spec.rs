//! `openapi.yaml` as text, as a document and as facts.

use super::{Facts, Place, Unreadable, openapi};
use crate::codegen::yaml::Document;
use crate::files::{self, SPEC};
use anyhow::{Result, anyhow};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

/// The spec.
pub struct Spec {
    pub text: String,
    lines: Vec<String>,
    pub(crate) document: Document,
    pub facts: Facts,
    /// The places that could not be read; `check` reports them.
    pub unreadable: Vec<Unreadable>,
}

impl Spec {
    /// Reads the spec below `root`.
    pub fn load(root: &Path) -> Result<Self> {
        Self::parse(files::read(root, SPEC)?)
    }

    /// Reads a spec from its text. The error names the file and the line.
    pub fn parse(text: String) -> Result<Self> {
        let document = Document::parse(&text)
            .map_err(|problem| anyhow!("{SPEC}: {problem}; fix the YAML there"))?;
        Ok(Self::new(text, document))
    }

    /// A spec with this content, which has no lines.
    pub fn of_value(value: Value) -> Self {
        // JSON is YAML.
        Self::new(value.to_string(), Document { value, lines: BTreeMap::new() })
    }

    fn new(text: String, document: Document) -> Self {
        let mut facts = Facts::default();
        let unreadable =
            openapi::read(&document.value, &|pointer| document.line(pointer), &mut facts);
        let lines = text.lines().map(str::to_owned).collect();
        Self { text, lines, document, facts, unreadable }
    }

    /// The whole document.
    pub fn value(&self) -> &Value {
        &self.document.value
    }

    /// The line on which `place` is described.
    pub fn line_of(&self, place: &Place) -> Option<u64> {
        self.facts.get(place)?.line
    }

    /// A line of the text, counted from 1.
    pub fn line(&self, number: u64) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.lines.get(index).map(String::as_str)
    }

    /// The last line of the key or list item that begins on `line`: all that is indented more, whatever it
    /// is, and the items of a list that is not indented.
    pub fn end_of_block(&self, line: u64) -> u64 {
        let indent = |text: &str| text.len() - text.trim_start().len();
        let is_item = |text: &str| text.trim_start().starts_with("- ");
        let Some(first) = self.line(line) else { return line };
        let is_within = |text: &str| match indent(text).cmp(&indent(first)) {
            Ordering::Less => false,
            Ordering::Equal => is_item(text) && !is_item(first),
            Ordering::Greater => true,
        };
        let lines = (line + 1..).map_while(|number| Some((number, self.line(number)?)));
        let lines = lines.filter(|(_, text)| !text.trim().is_empty());
        lines.take_while(|(_, text)| is_within(text)).last().map_or(line, |(number, _)| number)
    }

    /// The member `key` of the operation at `place`.
    pub fn of_operation(&self, place: &Place, key: &str) -> Option<&Value> {
        let pointer = &self.facts.get(place)?.pointer;
        self.document.value.pointer(pointer)?.get(key)
    }

    /// The `operationId` of the operation at `place`.
    pub fn operation_id(&self, place: &Place) -> Option<&str> {
        self.of_operation(place, "operationId")?.as_str()
    }
}
