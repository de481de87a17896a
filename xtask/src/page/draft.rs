//! A page, put together from pieces: OpenAPI documents of one operation each.

use super::{Page, Shape};
use crate::document::{Facts, Kind, LineOf, MOST, Pointer, Unreadable, flatten, without_sentences};
use serde_json::{Value, json};

/// What has been read of a page.
pub(super) struct Draft {
    /// The pieces as one document, without sentences.
    pub(super) document: Value,
    pub(super) facts: Facts,
    pub(super) unreadable: Vec<Unreadable>,
}

impl Default for Draft {
    fn default() -> Self {
        let document = json!({
            "openapi": "3.0.3",
            "info": { "title": "The recorded page", "version": "0" },
            "paths": {},
        });
        Self { document, facts: Facts::default(), unreadable: Vec::new() }
    }
}

impl Draft {
    pub(super) fn cannot_read(&mut self, line: u64, problem: impl Into<String>) {
        self.unreadable.push(Unreadable { line: Some(line), problem: problem.into() });
    }

    /// Adds a piece that begins on `line`.
    pub(super) fn add(&mut self, mut piece: Value, line: u64, lines: LineOf<'_>) {
        if self.facts.map.len() > MOST {
            return self.cannot_read(line, "the pieces above hold more than can be compared");
        }
        let (facts, unreadable) = flatten(&piece, lines);
        self.facts.map.extend(facts.map);
        self.facts.not_compared.extend(facts.not_compared);
        self.unreadable.extend(unreadable);
        without_sentences(&mut piece, Kind::Document);
        // A page may hold operations of several documents.
        let security = piece.get("security").cloned();
        let servers = piece.get("servers").and_then(Value::as_array).into_iter().flatten();
        let urls = servers.filter_map(|server| Some(json!({ "url": server.get("url")? })));
        let urls = Value::Array(urls.collect());
        if urls != json!([]) {
            self.merge(&["servers"], urls, line);
        }
        for part in ["paths", "components"] {
            for (group, all) in objects(piece.get_mut(part)) {
                for (name, value) in objects(Some(all)) {
                    if let (Some(operation), Some(security), "paths") =
                        (value.as_object_mut(), &security, part)
                    {
                        operation.entry("security").or_insert_with(|| security.clone());
                    }
                    self.merge(&[part, group, name], value.take(), line);
                }
            }
        }
    }

    /// Adds a part of a piece to the document. What several pieces repeat must be the same.
    fn merge(&mut self, segments: &[&str], value: Value, line: u64) {
        let pointer = Pointer::default().then(segments);
        let Some(before) = self.document.pointer(&pointer.0) else {
            let place = segments.iter().fold(&mut self.document, |place, key| &mut place[*key]);
            *place = value;
            return;
        };
        if *before != value {
            let name = segments.last().copied().unwrap_or_default();
            let what = if pointer.kind() == Kind::Operation {
                pointer.to_string()
            } else {
                format!("the component `{name}`")
            };
            self.cannot_read(line, format!("{what} is described twice, in different ways"));
        }
    }

    pub(super) fn finish(self, shape: Shape) -> Page {
        let Self { document, facts, unreadable } = self;
        Page { shape, document, facts, unreadable }
    }
}

fn objects(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}
