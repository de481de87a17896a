//! The spec and the generated types: the JSON Schema that schemars derives states what the spec states.

use super::Checked;
use super::compiled::Compiled;
use super::instance::content;
use crate::document::{
    Difference, Facts, Kind, Pointer, Spec, as_3_0, compare, flatten_schema, members,
};
use crate::files::SPEC;
use crate::report::{Finding, Link};
use heck::ToUpperCamelCase;
use serde_json::Value;
use std::collections::BTreeSet;

/// Aspects that the types don't express, each with the reason. Everything else must agree.
const NOT_EXPRESSED: [(&str, &str); 23] = [
    ("example", "a type has no example"),
    ("default", "an optional property without a value is not sent, whatever its default"),
    ("readOnly", "a read-only property of a request has no field; see `reduce`"),
    ("writeOnly", "a type is the same for both directions"),
    ("nullable", "every optional field may be null: it reads as absent"),
    ("deprecated", "it is in the documentation"),
    (
        "enum",
        "a value that is new to the client can be read; the documentation lists the known ones",
    ),
    ("minimum", LIMIT),
    ("exclusiveMinimum", LIMIT),
    ("maximum", LIMIT),
    ("exclusiveMaximum", LIMIT),
    ("multipleOf", LIMIT),
    ("minLength", LIMIT),
    ("maxLength", LIMIT),
    ("minItems", LIMIT),
    ("maxItems", LIMIT),
    ("uniqueItems", LIMIT),
    ("minProperties", LIMIT),
    ("maxProperties", LIMIT),
    ("discriminator", "the alternatives of an untagged enum are tried in turn"),
    ("$defs", "the references lead there"),
    ("$schema", "the version of JSON Schema"),
    ("not", "it makes alternatives exclusive, and the enum takes the first that fits"),
];

const LIMIT: &str = "limits are those of the service, which rejects what exceeds them";

const COMPONENTS: &str = "/components/schemas";

pub fn check(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut findings = Vec::new();
    let mut facts = 0;
    let bodies = spec.facts.operations().filter_map(|it| content(spec, &it.then(&["requestBody"])));
    let requests: BTreeSet<&String> =
        bodies.filter_map(|body| Some(&spec.facts.get(&body)?.origin)).collect();
    let mut kinds = BTreeSet::new();
    for (name, _) in members(spec.value().pointer(COMPONENTS)) {
        let kind = name.to_upper_camel_case();
        let pointer = format!("{COMPONENTS}/{name}");
        let mut find = |what: String, title: String| {
            findings.push(
                Finding::new(Link::Schemas, format!("types::{kind} {what}"), title)
                    .at(SPEC, spec.line(&pointer), "the schema")
                    .help(
                        "run `cargo xtask generate`; if that changes nothing, fix datafy-api/build",
                    ),
            );
        };
        if let Some(schema) = compiled.schemas.get(&kind) {
            let mut own = flatten_schema(spec.value(), &pointer);
            let mut derived = flatten_schema(&in_terms_of_openapi(schema), "");
            reduce(&mut own, requests.contains(&pointer));
            reduce(&mut derived, false);
            let comparison = compare(&own, &mut derived, &|_, _| false);
            facts += comparison.agreeing + comparison.differing;
            for difference in &comparison.differences {
                report(&kind, difference, &mut find);
            }
        } else {
            find("missing".to_owned(), format!("there is no type `types::{kind}`"));
        }
        kinds.insert(kind);
    }
    for other in compiled.schemas.keys().filter(|name| !kinds.contains(*name)) {
        let title = format!("there is a type `types::{other}`, and the spec has no such schema");
        findings.push(
            Finding::new(Link::Schemas, format!("types::{other} undocumented"), title)
                .at(SPEC, spec.line(COMPONENTS), "the schemas")
                .help("run `cargo xtask generate`"),
        );
    }
    (findings, format!("compared {} types, {facts} facts", compiled.schemas.len()))
}

/// Reports a difference of a schema from its type, unless the type says the same in other words.
fn report(kind: &str, difference: &Difference, find: &mut impl FnMut(String, String)) {
    let place = difference.place();
    let at = place.to_string();
    let at = if at.is_empty() { "itself".to_owned() } else { at };
    let side = match difference {
        Difference::Changed { keyword, spec, page: derived, .. } => {
            let value = |value: &Option<Value>| value.clone().unwrap_or_default();
            let (spec, derived) = (value(spec), value(derived));
            if !equivalent(keyword, &spec, &derived) {
                let title = format!(
                    "`{at}` of `types::{kind}`: `{keyword}` is {derived}, and {spec} in the spec"
                );
                find(format!("{at} {keyword}"), title);
            }
            return;
        }
        Difference::Added { .. } => "the type",
        Difference::Removed { .. } | Difference::Moved { .. } => "the spec",
    };
    find(at.clone(), format!("only {side} has `{at}` of `types::{kind}`"));
}

/// The schema that schemars derives, as OpenAPI writes it.
fn in_terms_of_openapi(schema: &Value) -> Value {
    let mut schema = schema.clone();
    as_3_0(&mut schema, Kind::Schema);
    for (_, part) in schema.get_mut("$defs").and_then(Value::as_object_mut).into_iter().flatten() {
        as_3_0(part, Kind::Schema);
    }
    schema
}

/// Removes what [`NOT_EXPRESSED`] lists, and the read-only properties of a request.
fn reduce(facts: &mut Facts, request: bool) {
    if request {
        let read_only: Vec<Pointer> = facts
            .below(&Pointer::default())
            .filter(|place| facts.is(place, "readOnly"))
            .cloned()
            .collect();
        for place in read_only {
            facts.take(&place);
        }
    }
    let hidden = |pointer: &Pointer| {
        NOT_EXPRESSED.iter().any(|(keyword, _)| pointer.0.ends_with(&format!("/{keyword}")))
    };
    facts.map.retain(|pointer, fact| fact.value.is_none() || !hidden(pointer));
}

/// Whether the type expresses what the spec states in other words.
fn equivalent(keyword: &str, spec: &Value, derived: &Value) -> bool {
    match keyword {
        // Alternatives become an untagged enum.
        "type" => spec == "one of" && derived == "any of",
        // An integer without a format is an `i64`, and a number an `f64`. A text is checked for dates only.
        "format" if spec.is_null() => derived == "int64" || derived == "double",
        "format" => derived.is_null() && spec != "date" && spec != "date-time",
        // A pattern becomes a type that checks it and derives no schema of it.
        "pattern" => derived.is_null(),
        _ => false,
    }
}
