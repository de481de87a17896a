//! The Markdown of a page, which holds an OpenAPI document in pieces: one in each fence.

use super::{NotAPage, Page};
use crate::document::{MOST, Pointer, flatten, members, without_sentences};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
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

pub(super) fn read(text: &str, page: &mut Page) -> Result<(), NotAPage> {
    let newlines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    // The number of the line of a place in the text.
    let line = |at: usize| newlines.partition_point(|newline| *newline < at) as u64 + 1;
    let (mut components, mut outside, mut end) = (BTreeMap::new(), Vec::new(), 0);
    for (fence, inside) in fences(text) {
        outside.push(end..inside.start);
        end = inside.end;
        let number = line(inside.start);
        let is_document = |content: &Value| {
            ["openapi", "paths", "components"].iter().any(|key| content.get(key).is_some())
        };
        match serde_json::from_str::<Value>(&fence) {
            Ok(content) if is_document(&content) && page.facts.map.len() < MOST => {
                let (facts, unreadable) = flatten(&content, &|_| Some(number));
                page.unreadable.extend(unreadable);
                page.add(facts, number);
                for name in repeated(&content, &mut components) {
                    let problem = "is described twice, in different ways";
                    page.cannot_read(number, format!("the component `{name}` {problem}"));
                }
            }
            Ok(content) if is_document(&content) => {
                page.cannot_read(number, "the pieces above hold more than can be compared");
            }
            Err(error) if BEGINS.is_match(&text[inside]) => {
                let problem = format!("an OpenAPI document that is not JSON: {error}");
                page.cannot_read(number, problem);
            }
            _ => {}
        }
    }
    outside.push(end..text.len());
    let begins = outside.into_iter().flat_map(|part| {
        BEGINS.find_iter(&text[part.clone()]).map(move |begin| part.start + begin.end())
    });
    let mut lines: Vec<u64> = begins.map(line).collect();
    lines.dedup();
    for line in lines {
        let problem = "an OpenAPI document outside of a fence: the fences of the page are damaged";
        page.cannot_read(line, problem);
    }
    for block in UNRESOLVED.captures_iter(text) {
        unresolved(page, &block[1], line(block.get_match().start()));
    }
    if page.facts.operations().next().is_none() && page.unreadable.is_empty() {
        return Err(NotAPage::NoOperation);
    }
    Ok(())
}

/// The content of each fence, and its range in the text, in which it may be indented.
fn fences(text: &str) -> Vec<(String, Range<usize>)> {
    let mut fences = Vec::new();
    let mut inside: Option<(String, Range<usize>)> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                inside = Some((String::new(), range.end..range.end));
            }
            Event::Text(part) => {
                if let Some((fence, inside)) = &mut inside {
                    *inside = inside.start.min(range.start)..range.end;
                    fence.push_str(&part);
                }
            }
            Event::End(TagEnd::CodeBlock) => fences.extend(inside.take()),
            _ => {}
        }
    }
    fences
}

/// Adds the components of a document to those of others, and returns the names of those that differ.
fn repeated(document: &Value, components: &mut BTreeMap<Pointer, Value>) -> Vec<String> {
    let groups = members(document.get("components"));
    let all = groups.flat_map(|(group, all)| members(Some(all)).map(move |one| (group, one)));
    let differ = all.filter_map(|(group, (name, component))| {
        let place = Pointer::default().then(&["components", group, name]);
        let stated = |component: &Value| {
            let mut stated = component.clone();
            without_sentences(&mut stated, place.kind());
            stated
        };
        let before = components.entry(place.clone()).or_insert_with(|| component.clone());
        (before != component && stated(before) != stated(component)).then(|| name.clone())
    });
    differ.collect()
}

/// Adds an operation that stands only in a block without a document: the page has it, and shows nothing of it.
fn unresolved(page: &mut Page, attributes: &str, line: u64) {
    static ATTRIBUTE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"\b(path|method)="([^"]*)""#).expect("a regular expression"));
    let attribute = |name: &str| {
        let mut all = ATTRIBUTE.captures_iter(attributes);
        all.find(|found| &found[1] == name).map(|found| found[2].to_owned())
    };
    let (Some(path), Some(method)) = (attribute("path"), attribute("method")) else {
        return page.cannot_read(line, "a block of an operation without `path` and `method`");
    };
    let operation = Pointer::operation(&method, &path);
    if !page.facts.has(&operation) {
        let how = "read it on the rendered page, or give a copy of its text";
        page.cannot_read(
            line,
            format!("{operation} stands in a block without its document; {how}"),
        );
        page.facts.place(&operation, line).folded = true;
    }
}
