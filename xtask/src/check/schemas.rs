//! Spec and types: the JSON Schema that schemars derives from each generated type says what the spec
//! says.

use super::compiled::Compiled;
use crate::facts::{Aspect, Facts, Place};
use crate::finding::{Finding, Link};
use crate::openapi;
use crate::spec::{SPEC, Spec};
use heck::ToUpperCamelCase;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the types can't say, or say in another way. Nothing else may differ.
const KNOWN: [(Aspect, &str); 8] = [
    (Aspect::Example, "a type has no example"),
    (Aspect::Default, "an optional property without a value is left out, whatever the default"),
    (Aspect::ReadOnly, "a read-only property of a request is no field; see `reduce`"),
    (Aspect::WriteOnly, "a type is the same for both directions"),
    (Aspect::Nullable, "an optional field may be null as well: it reads as absent"),
    (Aspect::Deprecated, "it is said in the documentation"),
    (Aspect::Minimum, "a limit is checked where a value is made, and its schema doesn't show it"),
    (Aspect::Maximum, "a limit is checked where a value is made, and its schema doesn't show it"),
];

pub fn check(spec: &Spec, compiled: &Compiled) -> (Vec<Finding>, String) {
    let mut findings = Vec::new();
    let mut facts = 0;
    let components = "/components/schemas";
    let requests = requests(spec);
    let mut strangers: BTreeSet<&String> = compiled.schemas.keys().collect();
    for (name, _) in openapi::members(spec.document.value.pointer(components)) {
        let kind = name.to_upper_camel_case();
        let pointer = format!("{components}/{name}");
        let line = spec.document.line(&pointer);
        let mut find = |what: String, problem: String| {
            findings.push(
                Finding::new(Link::Schemas, format!("types::{kind} {what}"), problem)
                    .at(SPEC, line, "the schema")
                    .help("run `cargo xtask generate`; if that changes nothing, datafy-api/build must learn it"),
            );
        };
        strangers.remove(&kind);
        let Some(schema) = compiled.schemas.get(&kind) else {
            find("missing".to_owned(), format!("there is no type `types::{kind}`"));
            continue;
        };
        let mut own = openapi::read_schema(&spec.document.value, &pointer, &Place::default());
        let mut made = openapi::read_schema(&without_null(schema), "", &Place::default());
        reduce(&mut own, requests.contains(&pointer));
        reduce(&mut made, false);
        let places: BTreeSet<&Place> = own.subjects.keys().chain(made.subjects.keys()).collect();
        for place in places {
            let at = if place.0.is_empty() { "itself".to_owned() } else { place.to_string() };
            let (one, other) = match (own.get(place), made.get(place)) {
                (Some(one), Some(other)) => (one, other),
                (one, _) => {
                    let who = if one.is_some() { "the spec" } else { "the type" };
                    find(at.clone(), format!("only {who} has `{at}` of `types::{kind}`"));
                    continue;
                }
            };
            let aspects: BTreeSet<Aspect> =
                one.stated.keys().chain(other.stated.keys()).copied().collect();
            for aspect in aspects {
                facts += 1;
                let value = |facts: &Facts| facts.value(place, aspect).cloned().unwrap_or_default();
                let (spec, made) = (value(&own), value(&made));
                if spec != made && !in_other_words(aspect, &spec, &made) {
                    find(
                        format!("{at} {aspect}"),
                        format!(
                            "`{at}` of `types::{kind}`: `{aspect}` is {made}, and {spec} in the spec"
                        ),
                    );
                }
            }
        }
    }
    for stranger in strangers {
        let title = format!("`types::{stranger}` was compiled, and the spec has no such schema");
        findings.push(
            Finding::new(Link::Schemas, format!("types::{stranger} stranger"), title)
                .at(SPEC, spec.document.line(components), "the schemas")
                .help("run `cargo xtask generate`"),
        );
    }
    (findings, format!("compared {} types and {facts} facts of theirs", compiled.schemas.len()))
}

/// Takes out what [`KNOWN`] says can't be compared, and the read-only properties of a request.
fn reduce(facts: &mut Facts, request: bool) {
    facts
        .subjects
        .retain(|_, subject| !(request && subject.stated.contains_key(&Aspect::ReadOnly)));
    for subject in facts.subjects.values_mut() {
        subject.stated.retain(|aspect, _| KNOWN.iter().all(|(known, _)| known != aspect));
    }
}

/// The same in the words of the type.
fn in_other_words(aspect: Aspect, spec: &Value, made: &Value) -> bool {
    match aspect {
        // Alternatives become an untagged enum, which may be any of them.
        Aspect::Type => spec == "one of" && made == "any of",
        // An integer without a format is an `i64`.
        Aspect::Format => spec.is_null() && made == "int64",
        // A pattern makes a type of its own, which checks it and derives no schema of it.
        Aspect::Pattern => made.is_null(),
        _ => false,
    }
}

/// An optional type derives a schema that allows null beside it.
fn without_null(schema: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(all)) = object.get("anyOf")
                && let [one, null] = all.as_slice()
                && *null == json!({ "type": "null" })
            {
                return without_null(one);
            }
            object.iter().map(|(key, member)| (key.clone(), without_null(member))).collect()
        }
        Value::Array(items) => items.iter().map(without_null).collect(),
        other => other.clone(),
    }
}

/// The schemas of request bodies.
fn requests(spec: &Spec) -> BTreeSet<String> {
    let bodies = spec.facts.operations().filter_map(|place| {
        let body = place.then(crate::facts::Step::Body);
        Some(spec.facts.get(&body)?.pointer.clone())
    });
    bodies.collect()
}
