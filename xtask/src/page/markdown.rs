//! The Markdown of a page, which holds an OpenAPI document in each fence.

use super::NotAPage;
use crate::contract::{Facts, Unreadable, openapi};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde_json::Value;

/// The content of a fence that is meant to be an OpenAPI document.
pub(super) struct Document {
    content: Result<Value, serde_json::Error>,
    /// The first line within the fence.
    line: u64,
}

/// Reads the documents of a page.
pub(super) fn read(documents: Vec<Document>) -> Result<(Facts, Vec<Unreadable>), NotAPage> {
    let mut facts = Facts::default();
    let mut unreadable = Vec::new();
    for Document { content, line: first_line } in documents {
        let at = Some(first_line);
        if facts.subjects.len() > openapi::MOST_SUBJECTS {
            let problem = "the documents above hold more than can be compared".to_owned();
            unreadable.push(Unreadable { line: at, problem });
            break;
        }
        let document = match content {
            Ok(document) => document,
            Err(error) => {
                let problem = format!("an OpenAPI document that is not JSON: {error}");
                unreadable.push(Unreadable { line: at, problem });
                continue;
            }
        };
        let mut own = Facts::default();
        unreadable.extend(openapi::read(&document, &|_| at, &mut own));
        super::add(&mut facts, own, first_line, &mut unreadable);
    }
    if facts.operations().next().is_none() && unreadable.is_empty() {
        return Err(NotAPage::NoOperation);
    }
    Ok((facts, unreadable))
}

/// The fences that hold an OpenAPI document, even a damaged one. A page in the other shape has none.
pub(super) fn documents(text: &str) -> Vec<Document> {
    let mut documents = Vec::new();
    // A quick test before the parser runs.
    if !text.contains("```") && !text.contains("~~~") {
        return documents;
    }
    // The text of the fence so far, and its first line.
    let mut inside: Option<(String, u64)> = None;
    // Counting lines along with the parser takes one pass over a long page.
    let (mut counted, mut line) = (0, 1);
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                inside = Some((String::new(), 0));
            }
            Event::Text(part) => {
                if let Some((fence, first)) = &mut inside {
                    if fence.is_empty() {
                        let between = text[counted..range.start].bytes();
                        line += between.map(|byte| u64::from(byte == b'\n')).sum::<u64>();
                        counted = range.start;
                        *first = line;
                    }
                    fence.push_str(&part);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                let document = inside
                    .take()
                    .and_then(|(fence, line)| Some(Document { content: content(&fence)?, line }));
                documents.extend(document);
            }
            _ => {}
        }
    }
    documents
}

/// The content of a fence if that is meant to be an OpenAPI document.
fn content(fence: &str) -> Option<Result<Value, serde_json::Error>> {
    let content = serde_json::from_str::<Value>(fence);
    let meant = match &content {
        Ok(value) => ["openapi", "paths", "components"].iter().any(|key| value.get(key).is_some()),
        Err(_) => {
            let named = ["\"openapi\"", "\"paths\""].iter().any(|key| fence.contains(key));
            named && fence.trim_start().starts_with('{')
        }
    };
    meant.then_some(content)
}
