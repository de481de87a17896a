//! The keywords of an OpenAPI document: under which fact each is compared, or why it isn't.

use super::Aspect;
use std::fmt::Write;

/// How a keyword is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// By its value.
    Value(Aspect),
    /// By its value. That of a scalar item is stated with the array, as a page does.
    OfScalar(Aspect),
    /// If it is true: `false` is the same as nothing.
    Flag(Aspect),
    /// As described.
    As(&'static str),
    /// Not at all, for the reason given. The receipt lists it if the page states it.
    Not(&'static str),
}

pub type Keywords = &'static [(&'static str, Compared)];

use Compared::{As, Flag, Not, OfScalar, Value};

const OUR_WORDS: Compared = Not("the spec describes in its own words");
const ONE_BY_ONE: Compared = As("one by one");

/// The keywords of a kind of object, and the name of that kind.
pub const OBJECTS: [(&str, Keywords); 7] = [
    ("operation", OPERATION),
    ("parameter", PARAMETER),
    ("request body", BODY),
    ("response", RESPONSE),
    ("header", HEADER),
    ("media type", MEDIA),
    ("schema", SCHEMA),
];

pub const OPERATION: Keywords = &[
    ("parameters", ONE_BY_ONE),
    ("requestBody", ONE_BY_ONE),
    ("responses", ONE_BY_ONE),
    ("security", As("the schemes; by default those of the document")),
    ("deprecated", Flag(Aspect::Deprecated)),
    ("servers", Not("the client has one server, that of the document")),
    ("callbacks", Not("the client receives no requests")),
    ("operationId", Not("the spec chooses the names of methods")),
    ("tags", Not("a group on the page")),
    ("summary", OUR_WORDS),
    ("description", OUR_WORDS),
    ("externalDocs", OUR_WORDS),
];

pub const PARAMETER: Keywords = &[
    ("name", As("part of the place")),
    ("in", As("part of the place")),
    ("required", As("a value; nothing is `false`")),
    ("deprecated", Flag(Aspect::Deprecated)),
    ("style", As("unless it is the default")),
    ("explode", As("unless it is the default")),
    ("allowReserved", Flag(Aspect::AllowReserved)),
    ("allowEmptyValue", Flag(Aspect::AllowEmptyValue)),
    ("schema", ONE_BY_ONE),
    ("content", As("the media types, and the schema of one")),
    ("example", As("a value; here or in the schema")),
    ("examples", As("the first, as `example`")),
    ("description", OUR_WORDS),
];

/// A header is a parameter without `name` and `in`.
pub const HEADER: Keywords = PARAMETER.split_at(2).1;

pub const BODY: Keywords = &[
    ("required", As("a value; nothing is `false`")),
    ("content", As("the media types, and the schema of one, preferably of JSON")),
    ("description", OUR_WORDS),
];

pub const RESPONSE: Keywords = &[
    ("headers", ONE_BY_ONE),
    ("content", As("the media types, and the schema of one, preferably of JSON")),
    ("links", Not("the client follows no links")),
    ("description", OUR_WORDS),
];

pub const MEDIA: Keywords = &[
    ("schema", ONE_BY_ONE),
    ("example", Not("an example of a whole body")),
    ("examples", Not("an example of a whole body")),
    ("encoding", Not("the client sends JSON")),
];

pub const SCHEMA: Keywords = &[
    ("type", As("in the words of a page: `string[]`, `one of`")),
    ("format", OfScalar(Aspect::Format)),
    ("enum", OfScalar(Aspect::Enum)),
    ("pattern", OfScalar(Aspect::Pattern)),
    ("minLength", OfScalar(Aspect::MinLength)),
    ("maxLength", OfScalar(Aspect::MaxLength)),
    ("minimum", OfScalar(Aspect::Minimum)),
    ("exclusiveMinimum", OfScalar(Aspect::ExclusiveMinimum)),
    ("maximum", OfScalar(Aspect::Maximum)),
    ("exclusiveMaximum", OfScalar(Aspect::ExclusiveMaximum)),
    ("multipleOf", OfScalar(Aspect::MultipleOf)),
    ("minItems", Value(Aspect::MinItems)),
    ("maxItems", Value(Aspect::MaxItems)),
    ("uniqueItems", Flag(Aspect::UniqueItems)),
    ("minProperties", Value(Aspect::MinProperties)),
    ("maxProperties", Value(Aspect::MaxProperties)),
    ("default", Value(Aspect::Default)),
    ("nullable", Flag(Aspect::Nullable)),
    ("readOnly", Flag(Aspect::ReadOnly)),
    ("writeOnly", Flag(Aspect::WriteOnly)),
    ("deprecated", Flag(Aspect::Deprecated)),
    ("not", Value(Aspect::Not)),
    ("discriminator", As("its `propertyName`")),
    ("properties", ONE_BY_ONE),
    ("required", As("a value of each property")),
    ("additionalProperties", As("a schema, or whether it is `false`")),
    ("items", ONE_BY_ONE),
    ("oneOf", ONE_BY_ONE),
    ("anyOf", ONE_BY_ONE),
    ("allOf", As("one by one; a single one is part of the schema around it")),
    ("example", As("a value; that of a scalar item is stated with the array")),
    ("examples", As("OpenAPI 3.1: the first, as `example`")),
    ("const", As("OpenAPI 3.1: as the type")),
    ("title", Not("the spec chooses the names of types")),
    ("description", OUR_WORDS),
    ("externalDocs", OUR_WORDS),
    ("xml", Not("the client sends JSON")),
];

/// How `keyword` is compared, if the table has it.
pub fn compared(keywords: Keywords, keyword: &str) -> Option<Compared> {
    keywords.iter().find(|(known, _)| *known == keyword).map(|(_, compared)| *compared)
}

/// The table as Markdown, as xtask/README.md shows it.
pub fn table() -> String {
    let mut text = String::new();
    for (object, keywords) in OBJECTS {
        let _ = writeln!(text, "\n| {object} | compared |\n|---|---|");
        for (keyword, compared) in keywords {
            let how = match compared {
                Value(_) => "by its value".to_owned(),
                OfScalar(_) => "by its value; of a scalar item, with the array".to_owned(),
                Flag(_) => "if it is `true`".to_owned(),
                As(how) => (*how).to_owned(),
                Not(why) => format!("**not**: {why}"),
            };
            let _ = writeln!(text, "| `{keyword}` | {how} |");
        }
    }
    text
}
