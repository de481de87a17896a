//! The pass over a document that refuses what is not in the table of `subset.md`, and leaves out what the table says is
//! ignored, not checked or not sent.
//!
//! datafy-api/README.md explains the columns.

use super::Refusal;
use super::schemas;
use super::yaml::Document;
use super::yaml::Node;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub(crate) const SUBSET: &str = include_str!("subset.md");

const REMEDY: &str = "leave it out if requests and answers are right without it; the table in \
                      datafy-api/README.md has what is supported";

#[derive(Clone, Copy)]
struct Row {
    kind: &'static str,
    keywords: &'static str,
    value: &'static str,
    effect: &'static str,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let rows = SUBSET.lines().skip(2).map(|line| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let mut cell = || cells.next().unwrap_or_default();
        Row { kind: cell(), keywords: cell(), value: cell(), effect: cell() }
    });
    rows.collect()
});

impl Row {
    fn has(&self, keyword: &str) -> bool {
        let same = |(own, other): (u8, u8)| own == other || own == b'?';
        let is_it =
            |own: &str| own.len() == keyword.len() && own.bytes().zip(keyword.bytes()).all(same);
        self.keywords.split(' ').any(|own| is_it(own.trim_end_matches('!')))
    }

    fn is_without_effect(&self) -> bool {
        ["ignored", "not checked", "not sent"].iter().any(|word| self.effect.starts_with(word))
    }
}

/// Refuses what the table doesn't have, and each `$ref` that leads nowhere. Returns the rest: without what has no effect,
/// read-only properties of requests, and write-only ones of answers.
pub(crate) fn reduce(mut document: Document) -> Result<Document, Refusal> {
    let mut walk = Walk::default();
    walk.value(&Node::root(&document), "document")?;
    for (pointer, key) in &walk.left_out {
        if let Some(Value::Object(members)) = document.value.pointer_mut(pointer) {
            // `remove` may change the order of the others.
            members.retain(|own, _| own != key);
        }
    }
    Ok(document)
}

#[derive(Default)]
struct Walk {
    /// The pointer to an object, and the key of a member that is left out.
    left_out: BTreeSet<(String, String)>,
    /// The `request body` or the `answer` around, if any.
    body: &'static str,
    /// The kind of body around each read-only or write-only property.
    one_way: BTreeMap<String, &'static str>,
    /// What `$ref`s lead to, with the value and the kind of body that each was walked for.
    followed: BTreeSet<(String, &'static str, &'static str)>,
    /// The components that consist of what is walked, by `$ref`, `oneOf` or `allOf`.
    around: Vec<String>,
}

impl Walk {
    /// Walks what has the given value in the table.
    fn value(&mut self, node: &Node<'_>, value: &'static str) -> Result<(), Refusal> {
        if let Some((many, one)) = value.split_once(" of ") {
            if !node.value.is_array() && many == "list" || !node.value.is_object() && many == "map"
            {
                return Err(node.refusal(format!("this must be a {many}; {REMEDY}")));
            }
            let body = self.body;
            for (name, inner) in node.inside() {
                // The name of a path can be an extension, that of a property only looks like one.
                let is_extension = one == "path" && name.starts_with("x-");
                if is_extension || self.is_hidden(&inner)? {
                    self.left_out.insert((node.pointer.clone(), name));
                    self.body = "";
                }
                if !is_extension {
                    self.value(&inner, one)?;
                }
                self.body = body;
            }
            return Ok(());
        }
        match node.value {
            _ if accepts(value, node.value) => Ok(()),
            Value::Object(_) if node.target().is_some() => self.reference(node, value),
            Value::Object(_) => self.object(node, value),
            _ => {
                let remedy = "change it as datafy-api/README.md says, or put a text in quotes";
                Err(node.refusal(format!("this must be: {value}; {remedy}")))
            }
        }
    }

    fn reference(&mut self, node: &Node<'_>, value: &'static str) -> Result<(), Refusal> {
        self.object(node, "reference")?;
        let target = node.target().unwrap_or_default();
        let is_component = target.starts_with("#/components/")
            && target.split('/').count() == 4
            && !target.contains('~');
        let problem = match node.follow().filter(|_| is_component) {
            None => "leads nowhere",
            Some(next) if self.around.contains(&next.pointer) => "leads back to itself",
            Some(next) => {
                if self.followed.insert((next.pointer.clone(), value, self.body)) {
                    self.around.push(next.pointer.clone());
                    self.value(&next, value)?;
                    self.around.pop();
                }
                return Ok(());
            }
        };
        Err(node.refusal(format!("`{target}` {problem}; name a component of this document")))
    }

    /// Walks an object, which is of one of the kinds that `value` names.
    fn object(&mut self, node: &Node<'_>, value: &'static str) -> Result<(), Refusal> {
        let kinds = kinds(value);
        let fits = |(kind, rows): &&(&str, Vec<Row>)| {
            let Some(row) = rows.iter().find(|row| row.kind == *kind) else { return false };
            let mark = row.keywords.split(' ').next().unwrap_or_default();
            match node.value.get(mark.trim_end_matches('!')) {
                Some(own) if row.value.starts_with('`') => accepts(row.value, own),
                Some(_) => row.value != "nothing",
                None => !mark.ends_with('!') || kinds.len() == 1,
            }
        };
        let Some((kind, rows)) = kinds.iter().find(fits) else {
            let names: Vec<_> = kinds.iter().map(|(kind, _)| *kind).collect();
            return Err(node.refusal(format!("this is none of: {}; {REMEDY}", names.join(", "))));
        };
        let (body, around) = (self.body, self.around.clone());
        if ["request body", "answer"].contains(kind) {
            self.body = kind;
        }
        let is_parts = ["reference", "schema: alternatives", "schema: combination", "nested parts"];
        if !is_parts.contains(kind) {
            self.around.clear();
        }
        if self.body == "answer" && *kind == "schema: alternatives" {
            return Err(node.refusal(
                "an answer doesn't say which alternative it is; describe any JSON, without `oneOf`, or an object with \
                 the properties of all",
            ));
        }
        for (keyword, inner) in node.inside() {
            let all: Vec<_> = rows.iter().filter(|row| row.has(&keyword)).collect();
            let fits = |row: &&&Row| row.kind == all[0].kind && accepts(row.value, inner.value);
            let row = all.iter().find(fits).or(all.first());
            match row {
                Some(row) => self.value(&inner, row.value)?,
                None if keyword.starts_with("x-") => {}
                None => {
                    let text = format!("`{keyword}` is not supported here: {kind}; {REMEDY}");
                    return Err(inner.refusal(text));
                }
            }
            // An answer may have more members than are known.
            let is_open =
                self.body == "answer" && keyword == "additionalProperties" && inner.value == false;
            if is_open || row.is_none_or(|row| row.is_without_effect()) {
                self.left_out.insert((node.pointer.clone(), keyword));
            }
        }
        let required = rows.iter().flat_map(|row| row.keywords.split(' '));
        for keyword in required.filter_map(|keyword| keyword.strip_suffix('!')) {
            if node.get(keyword).is_none() {
                return Err(node.refusal(format!("there is no `{keyword}` here: {kind}; add it")));
            }
        }
        if ["schema: object", "schema: combination"].contains(kind) {
            schemas::check_required(node)?;
        }
        (self.body, self.around) = (body, around);
        Ok(())
    }

    /// Whether a property is left out: if it is read-only of a request, if it is write-only of an answer.
    fn is_hidden(&mut self, property: &Node<'_>) -> Result<bool, Refusal> {
        let mut is_hidden = false;
        for (keyword, hides) in [("readOnly", "request body"), ("writeOnly", "answer")] {
            if self.body.is_empty() || property.value[keyword] != true {
                continue;
            }
            if *self.one_way.entry(property.pointer.clone()).or_insert(self.body) != self.body {
                return Err(property.refusal(format!(
                    "this is `{keyword}`, in a schema that is both sent and answered; use one schema for requests and \
                     another for answers"
                )));
            }
            is_hidden |= self.body == hides;
        }
        Ok(is_hidden)
    }
}

/// Whether a value is one of the scalars in the table, or texts.
fn accepts(table: &str, value: &Value) -> bool {
    table.split(", ").any(|one| match (one, value) {
        ("anything", _) | ("text", Value::String(_)) | ("flag", Value::Bool(_)) => true,
        ("texts", Value::Array(items)) => items.iter().all(Value::is_string),
        ("base URL", Value::String(text)) => is_base_url(text),
        ("header name", Value::String(text)) => is_header_name(text),
        ("bearer token", Value::Array(schemes)) => {
            schemes.iter().map(|it| it.as_object().map_or(0, Map::len)).max() == Some(1)
        }
        (one, Value::String(text)) => one == format!("`{}`", text.to_lowercase()),
        _ => one == format!("`{value}`"),
    })
}

/// Whether a text is the beginning of a URL.
fn is_base_url(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['{', '}', '?', '#', ' ', '@']))
}

/// Whether a text is the name of a header that is a parameter to OpenAPI, and doesn't belong to the connection.
fn is_header_name(text: &str) -> bool {
    let own = "accept authorization connection content-length content-type expect host keep-alive te trailer \
               transfer-encoding upgrade";
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    text.bytes().all(is_token) && own.split(' ').all(|own| !own.eq_ignore_ascii_case(text))
}

/// The kinds of object that a value in the table names, each with its rows.
fn kinds(value: &'static str) -> Vec<(&'static str, Vec<Row>)> {
    let (names, extra) = value.split_once(" with ").unwrap_or((value, ""));
    let group = |kind: &'static str| kind.split(':').next().unwrap_or_default();
    let members = names.split(", ").flat_map(|name| {
        let all =
            ROWS.iter().map(|row| row.kind).filter(|kind| group(kind) == name && *kind != name);
        let mut all: Vec<_> = all.collect();
        all.dedup();
        if all.is_empty() { vec![name] } else { all }
    });
    let rows_of =
        |kind| ROWS.iter().filter(move |row| [kind, group(kind), extra].contains(&row.kind));
    members.map(|kind| (kind, rows_of(kind).copied().collect())).collect()
}
