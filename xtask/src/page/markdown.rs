//! The Markdown of a page, which holds an OpenAPI document in pieces: one in each fence.

use super::{NotAPage, Page, Shape};
use crate::document::{Facts, Kind, MOST, Pointer, Unreadable, as_3_0, flatten, without_sentences};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use regex::Regex;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Where a document begins, in a fence or out of one that is damaged.
static BEGINS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)^[ \t>]*\{\s*"(?:openapi|paths|components)"\s*:|"paths"\s*:\s*\{\s*"/"#)
        .expect("a regular expression")
});

/// An operation whose document has not been filled in.
static UNRESOLVED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{%\s*openapi(?:-operation)?\s([^%]*)%\}").expect("a regular expression")
});

pub(super) fn is_markdown(text: &str) -> bool {
    BEGINS.is_match(text) || UNRESOLVED.is_match(text)
}

/// A document in a fence.
struct Piece {
    content: Value,
    /// The first line within the fence.
    line: u64,
}

pub(super) fn read(text: &str) -> Result<Page, NotAPage> {
    let mut unreadable = Vec::new();
    let mut facts = Facts::default();
    let mut document = json!({ "openapi": "3.0.3", "info": { "title": "The recorded page", "version": "0" }, "paths": {} });
    for Piece { mut content, line } in pieces(text, &mut unreadable) {
        if facts.map.len() > MOST {
            let problem = "the documents above hold more than can be compared".to_owned();
            unreadable.push(Unreadable { line: Some(line), problem });
            break;
        }
        as_3_0(&mut content, Kind::Document);
        let mut own = Facts::default();
        unreadable.extend(flatten(&content, &|_| Some(line), &mut own));
        super::add(&mut facts, own, line, &mut unreadable);
        merge(&mut document, content, line, &mut unreadable);
    }
    unresolved(text, &mut document, &mut facts, &mut unreadable);
    if facts.operations().next().is_none() && unreadable.is_empty() {
        return Err(NotAPage::NoOperation);
    }
    Ok(Page { shape: Shape::Markdown, document, facts, unreadable })
}

/// The fences that hold a document. One that is damaged, or whose fence is, is unreadable.
fn pieces(text: &str, unreadable: &mut Vec<Unreadable>) -> Vec<Piece> {
    let mut begins: Vec<usize> = BEGINS.find_iter(text).map(|found| found.end()).collect();
    let mut pieces = Vec::new();
    let mut counted = (0, 1);
    // The text of the fence so far, and where it begins and ends.
    let mut inside: Option<(String, usize, usize)> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                inside = Some((String::new(), range.end, range.end));
            }
            Event::Text(part) => {
                if let Some((fence, start, end)) = &mut inside {
                    *start = (*start).min(range.start);
                    *end = range.end;
                    fence.push_str(&part);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                let Some((fence, start, end)) = inside.take() else { continue };
                let line = self::line(text, start, &mut counted);
                let content = serde_json::from_str::<Value>(&fence);
                // What begins within is read, or a part of what is read.
                let inner = begins.iter().filter(|begin| (start..end).contains(*begin)).count();
                match content {
                    Ok(content)
                        if ["openapi", "paths", "components"]
                            .iter()
                            .any(|key| content.get(key).is_some()) =>
                    {
                        pieces.push(Piece { content, line });
                    }
                    Err(error) if inner > 0 => {
                        let problem = format!("an OpenAPI document that is not JSON: {error}");
                        unreadable.push(Unreadable { line: Some(line), problem });
                    }
                    _ => {}
                }
                begins.retain(|begin| !(start..end).contains(begin));
            }
            _ => {}
        }
    }
    for begin in begins {
        let problem =
            "an OpenAPI document outside of a fence: the fences of the page are damaged".to_owned();
        let line = line(text, begin, &mut (0, 1));
        let outside = Unreadable { line: Some(line), problem };
        if unreadable.last() != Some(&outside) {
            unreadable.push(outside);
        }
    }
    pieces
}

/// Counts the lines before a place. Going on from the last one takes a single pass over a long page.
fn line(text: &str, at: usize, (counted, line): &mut (usize, u64)) -> u64 {
    let between = text.as_bytes().get(*counted..at).unwrap_or_default();
    *line += between.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
    *counted = (*counted).max(at);
    *line
}

/// Adds a piece to the document. What several pieces repeat must be the same in all.
fn merge(document: &mut Value, mut from: Value, line: u64, unreadable: &mut Vec<Unreadable>) {
    /// `depth` is 2 for the methods of a path and for components, which are not merged.
    fn add(into: &mut Value, from: Value, depth: usize, different: &mut Vec<String>) {
        let (Value::Object(into), Value::Object(from)) = (into, from) else { return };
        for (key, value) in from {
            match into.get_mut(&key) {
                Some(before) if depth < 2 => add(before, value, depth + 1, different),
                Some(before) if *before != value => different.push(key),
                Some(_) => {}
                None => drop(into.insert(key, value)),
            }
        }
    }
    without_sentences(&mut from);
    // A page may hold operations of several documents.
    let security = from.get("security").cloned();
    for (_, item) in from.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten() {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            if let (Value::Object(operation), Some(security)) = (operation, &security) {
                operation.entry("security").or_insert_with(|| security.clone());
            }
        }
    }
    let urls = from.get("servers").and_then(Value::as_array).into_iter().flatten();
    let urls: Vec<Value> =
        urls.filter_map(|server| Some(json!({ "url": server.get("url")? }))).collect();
    if !urls.is_empty() {
        from["servers"] = urls.into();
    }
    for part in ["servers", "paths", "components"] {
        let Some(value) = from.get_mut(part).map(Value::take) else { continue };
        let mut different = Vec::new();
        match document.get_mut(part) {
            Some(before) => add(before, value, 1, &mut different),
            None => document[part] = value,
        }
        // An operation that differs is reported with its facts.
        for name in different.iter().filter(|_| part == "components") {
            let problem = format!("the component `{name}` is described twice, in different ways");
            unreadable.push(Unreadable { line: Some(line), problem });
        }
    }
}

/// Adds the operations that stand only in a block without a document: the page has them, and shows nothing of them.
fn unresolved(
    text: &str,
    document: &mut Value,
    facts: &mut Facts,
    unreadable: &mut Vec<Unreadable>,
) {
    static ATTRIBUTE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"\b(path|method)="([^"]*)""#).expect("a regular expression"));
    let mut counted = (0, 1);
    for block in UNRESOLVED.captures_iter(text) {
        let start = block.get(0).map_or(0, |whole| whole.start());
        let line = Some(self::line(text, start, &mut counted));
        let attribute = |name: &str| {
            ATTRIBUTE
                .captures_iter(&block[1])
                .find(|found| &found[1] == name)
                .map(|found| found[2].to_owned())
        };
        let (Some(path), Some(method)) = (attribute("path"), attribute("method")) else {
            let problem = "a block of an operation without `path` and `method`".to_owned();
            unreadable.push(Unreadable { line, problem });
            continue;
        };
        let method = method.to_lowercase();
        let place = Pointer::operation(&method, &path);
        if !facts.has(&place) {
            let fact = facts.place(&place);
            (fact.line, fact.folded) = (line, true);
            document["paths"][&*path][method] = json!({ "x-folded": true, "responses": {} });
            let problem = format!(
                "{place} stands in a block without its document; read it on the rendered page, or give a copy of its text"
            );
            unreadable.push(Unreadable { line, problem });
        }
    }
}
