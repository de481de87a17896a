//! The Markdown of a page, which holds an OpenAPI document in each fence.

use super::NotAPage;
use crate::codegen::members;
use crate::contract::{Facts, Place, Unreadable, openapi};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde_json::Value;
use std::collections::BTreeMap;

/// The fences that hold an OpenAPI document, even a damaged one. A page in the other shape has none.
pub(super) fn documents(text: &str) -> Vec<Document> {
    // A quick test before the parser runs.
    if !text.contains("```") && !text.contains("~~~") {
        return Vec::new();
    }
    let fences = fences(text).into_iter();
    fences
        .filter_map(|fence| Some(Document { content: fence.document()?, line: fence.line }))
        .collect()
}

/// A document in a fence.
pub(super) struct Document {
    content: Result<Value, serde_json::Error>,
    /// The first line within the fence.
    line: u64,
}

/// Reads the documents of a page.
pub(super) fn read(documents: Vec<Document>) -> Result<(Facts, Vec<Unreadable>), NotAPage> {
    let mut facts = Facts::default();
    let mut unreadable = Vec::new();
    let mut copies: BTreeMap<String, (Value, u64)> = BTreeMap::new();
    for Document { content, line: first_line } in documents {
        let at = Some(first_line);
        let document = match content {
            Ok(document) => document,
            Err(error) => {
                let problem = format!("an OpenAPI document that is not JSON: {error}");
                unreadable.push(Unreadable { line: at, problem });
                continue;
            }
        };
        for (kind, components) in members(document.get("components")) {
            for (name, component) in members(Some(components)) {
                let name = format!("#/components/{kind}/{name}");
                let (first, line) =
                    copies.entry(name.clone()).or_insert_with(|| (component.clone(), first_line));
                if first != component {
                    let problem = format!("`{name}` differs from the one on line {line}");
                    unreadable.push(Unreadable { line: at, problem });
                }
            }
        }
        let mut own = Facts::default();
        unreadable.extend(openapi::read(&document, &|_| at, &mut own));
        let roots = own.operations().cloned().chain([Place::default()]);
        for root in roots.collect::<Vec<_>>() {
            if facts.get(&root).is_some() && own.get(&root).is_some() {
                if !super::same(&root, &facts, &own) {
                    let problem = format!("{root} is described twice, in different ways");
                    unreadable.push(Unreadable { line: at, problem });
                }
                own.subjects.retain(|place, _| place.root() != root);
            }
        }
        facts.subjects.extend(own.subjects);
    }
    if facts.operations().next().is_none() && unreadable.is_empty() {
        return Err(NotAPage::NoOperation);
    }
    Ok((facts, unreadable))
}

struct Fence {
    text: String,
    /// The first line within it.
    line: u64,
}

impl Fence {
    /// Its content if that is meant to be an OpenAPI document.
    fn document(&self) -> Option<Result<Value, serde_json::Error>> {
        let is_one = |value: &Value| {
            ["openapi", "paths", "components"].iter().any(|key| value.get(key).is_some())
        };
        match serde_json::from_str::<Value>(&self.text) {
            Ok(value) => is_one(&value).then_some(Ok(value)),
            Err(error) => {
                let meant = ["\"openapi\"", "\"paths\""].iter().any(|key| self.text.contains(key));
                (meant && self.text.trim_start().starts_with('{')).then_some(Err(error))
            }
        }
    }
}

fn fences(text: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut inside: Option<Fence> = None;
    // Counting lines along with the parser takes one pass over a long page.
    let (mut counted, mut line) = (0, 1);
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                inside = Some(Fence { text: String::new(), line: 0 });
            }
            Event::Text(part) => {
                if let Some(fence) = &mut inside {
                    if fence.text.is_empty() {
                        line += newlines(&text[counted..range.start]);
                        counted = range.start;
                        fence.line = line;
                    }
                    fence.text.push_str(&part);
                }
            }
            Event::End(TagEnd::CodeBlock) => fences.extend(inside.take()),
            _ => {}
        }
    }
    fences
}

fn newlines(text: &str) -> u64 {
    text.bytes().map(|byte| u64::from(byte == b'\n')).sum()
}
