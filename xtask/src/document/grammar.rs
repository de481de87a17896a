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
pub(super) enum Held {
    One,
    Many,
}

/// What a keyword of an object holds, if that is an object of OpenAPI itself. The value of every other keyword is compared
/// as a whole.
pub(super) fn held(kind: Kind, keyword: &str) -> Option<(Held, Kind)> {
    Some(match (kind, keyword) {
        (Document, "paths") => (Many, Path),
        (Document, "components") => (One, Components),
        (Components, "securitySchemes") => (Many, Scheme),
        (Path, method) if METHODS.contains(&method) => (One, Operation),
        (Components | Path | Operation, "parameters") => (Many, Parameter),
        (Operation, "requestBody") => (One, Body),
        (Components, "requestBodies") => (Many, Body),
        (Components | Operation, "responses") => (Many, Answer),
        (Components | Answer, "headers") => (Many, Header),
        (Body | Answer | Parameter | Header, "content") => (Many, Media),
        (Parameter | Header | Media, "schema") | (Schema, "items" | "additionalProperties") => {
            (One, Schema)
        }
        (Components, "schemas") | (Schema, "properties" | "oneOf" | "anyOf" | "allOf") => {
            (Many, Schema)
        }
        _ => return None,
    })
}

/// The members of an object; none of any other value.
pub fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}
