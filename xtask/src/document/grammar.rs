//! The structure of an OpenAPI document in one table: what each object may hold that is an object of OpenAPI itself.

use Held::{Many, One};
use Kind::{
    Answer, Body, Components, Document, Header, Media, Operation, Parameter, Path, Schema, Scheme,
};
use serde_json::{Map, Value};

/// The methods of OpenAPI, in the order of its specification.
pub const METHODS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// What an object of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Document,
    Path,
    Operation,
    Parameter,
    Body,
    Answer,
    Header,
    Media,
    Schema,
    Components,
    Scheme,
    /// No object: the value of a keyword.
    Keyword,
}

/// Whether a keyword holds one object, or several by name or in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    One,
    Many,
}

/// The keywords that hold objects. The value of every other keyword is compared as a whole.
const GRAMMAR: [(Kind, &str, Held, Kind); 26] = [
    (Document, "paths", Many, Path),
    (Document, "components", One, Components),
    (Components, "schemas", Many, Schema),
    (Components, "parameters", Many, Parameter),
    (Components, "headers", Many, Header),
    (Components, "requestBodies", Many, Body),
    (Components, "responses", Many, Answer),
    (Components, "securitySchemes", Many, Scheme),
    (Path, "parameters", Many, Parameter),
    (Operation, "parameters", Many, Parameter),
    (Operation, "requestBody", One, Body),
    (Operation, "responses", Many, Answer),
    (Body, "content", Many, Media),
    (Answer, "content", Many, Media),
    (Answer, "headers", Many, Header),
    (Parameter, "schema", One, Schema),
    (Parameter, "content", Many, Media),
    (Header, "schema", One, Schema),
    (Header, "content", Many, Media),
    (Media, "schema", One, Schema),
    (Schema, "properties", Many, Schema),
    (Schema, "items", One, Schema),
    (Schema, "additionalProperties", One, Schema),
    (Schema, "oneOf", Many, Schema),
    (Schema, "anyOf", Many, Schema),
    (Schema, "allOf", Many, Schema),
];

/// What a keyword of an object holds, if that is part of the structure.
pub fn held(kind: Kind, keyword: &str) -> Option<(Held, Kind)> {
    if kind == Path && METHODS.contains(&keyword) {
        return Some((One, Operation));
    }
    let row = GRAMMAR.iter().find(|(owner, word, ..)| *owner == kind && *word == keyword);
    row.map(|(.., held, inner)| (*held, *inner))
}

/// Changes each object of a document, the outer ones first.
pub fn visit(value: &mut Value, kind: Kind, change: &mut dyn FnMut(Kind, &mut Map<String, Value>)) {
    let Value::Object(object) = value else { return };
    change(kind, object);
    for (kind, inner) in inner(kind, object) {
        visit(inner, kind, change);
    }
}

/// The objects of the structure that an object holds.
pub fn inner(kind: Kind, object: &mut Map<String, Value>) -> Vec<(Kind, &mut Value)> {
    let mut all = Vec::new();
    for (keyword, member) in object {
        match (held(kind, keyword), member) {
            (Some((One, inner)), member) => all.push((inner, member)),
            (Some((Many, inner)), Value::Object(members)) => {
                all.extend(members.values_mut().map(|member| (inner, member)));
            }
            (Some((Many, inner)), Value::Array(items)) => {
                all.extend(items.iter_mut().map(|item| (inner, item)));
            }
            _ => {}
        }
    }
    all
}

/// The members of an object; none of any other value.
pub fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}
