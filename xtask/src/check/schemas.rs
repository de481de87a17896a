//! The spec and the generated types: the JSON Schema that schemars derives states what the spec states.

use super::Checked;
use super::compiled::Compiled;
use crate::codegen::members;
use crate::contract::{Aspect, Difference, Facts, Spec, Step, Subject, compare, openapi};
use crate::files::SPEC;
use crate::page::{Page, Shape};
use crate::report::{Finding, Link};
use heck::ToUpperCamelCase;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Aspects that the types don't express, each with the reason. Everything else must agree.
const NOT_EXPRESSED: [(Aspect, &str); 21] = [
    (Aspect::Example, "a type has no example"),
    (Aspect::Default, "an optional property without a value is not sent, whatever its default"),
    (Aspect::ReadOnly, "a read-only property of a request has no field; see `reduce`"),
    (Aspect::WriteOnly, "a type is the same for both directions"),
    (Aspect::Nullable, "every optional field may be null: it reads as absent"),
    (Aspect::Deprecated, "it is in the documentation"),
    (
        Aspect::Enum,
        "a value that is new to the client can be read; the documentation lists the known ones",
    ),
    (Aspect::Minimum, LIMIT),
    (Aspect::ExclusiveMinimum, LIMIT),
    (Aspect::Maximum, LIMIT),
    (Aspect::ExclusiveMaximum, LIMIT),
    (Aspect::MultipleOf, LIMIT),
    (Aspect::MinLength, LIMIT),
    (Aspect::MaxLength, LIMIT),
    (Aspect::MinItems, LIMIT),
    (Aspect::MaxItems, LIMIT),
    (Aspect::UniqueItems, LIMIT),
    (Aspect::MinProperties, LIMIT),
    (Aspect::MaxProperties, LIMIT),
    (Aspect::Discriminator, "the alternatives of an untagged enum are tried in turn"),
    (Aspect::Not, "it makes alternatives exclusive, and the enum takes the first that fits"),
];

const LIMIT: &str = "limits are those of the service, which rejects what exceeds them";

const COMPONENTS: &str = "/components/schemas";

pub fn check(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut findings = Vec::new();
    let mut facts = 0;
    let bodies = spec.facts.operations().map(|place| place.then(Step::Body));
    let requests: BTreeSet<&String> =
        bodies.filter_map(|body| Some(&spec.facts.get(&body)?.pointer)).collect();
    let mut kinds = BTreeSet::new();
    for (name, _) in members(spec.document.value.pointer(COMPONENTS)) {
        let kind = name.to_upper_camel_case();
        let pointer = format!("{COMPONENTS}/{name}");
        let mut find = |what: String, title: String| {
            findings.push(
                Finding::new(Link::Schemas, format!("types::{kind} {what}"), title)
                    .at(SPEC, spec.document.line(&pointer), "the schema")
                    .help(
                        "run `cargo xtask generate`; if that changes nothing, fix datafy-api/build",
                    ),
            );
        };
        if let Some(schema) = compiled.schemas.get(&kind) {
            let mut own = openapi::read_schema(&spec.document.value, &pointer);
            let mut derived = openapi::read_schema(&without_null(schema), "");
            reduce(&mut own, requests.contains(&pointer));
            reduce(&mut derived, false);
            let mut page = Page { shape: Shape::Markdown, facts: derived, unreadable: Vec::new() };
            let comparison = compare(&own, &mut page);
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
                .at(SPEC, spec.document.line(COMPONENTS), "the schemas")
                .help("run `cargo xtask generate`"),
        );
    }
    (findings, format!("compared {} types, {facts} facts", compiled.schemas.len()))
}

/// Reports a difference of a schema from its type, unless the type says the same in other words.
fn report(kind: &str, difference: &Difference, find: &mut impl FnMut(String, String)) {
    let place = difference.place();
    let at = if place.0.is_empty() { "itself".to_owned() } else { place.to_string() };
    let side = match difference {
        Difference::Changed { aspect, spec, page: derived, .. } => {
            let value = |value: &Option<Value>| value.clone().unwrap_or_default();
            let (spec, derived) = (value(spec), value(derived));
            if !equivalent(*aspect, &spec, &derived) {
                let title = format!(
                    "`{at}` of `types::{kind}`: `{aspect}` is {derived}, and {spec} in the spec"
                );
                find(format!("{at} {aspect}"), title);
            }
            return;
        }
        Difference::Added { .. } => "the type",
        Difference::Removed { .. } | Difference::Moved { .. } => "the spec",
    };
    find(at.clone(), format!("only {side} has `{at}` of `types::{kind}`"));
}

/// Removes what [`NOT_EXPRESSED`] lists, and the read-only properties of a request.
fn reduce(facts: &mut Facts, request: bool) {
    let hidden = |aspect: &Aspect| NOT_EXPRESSED.iter().any(|(other, _)| other == aspect);
    let read_only = |subject: &Subject| subject.stated.contains_key(&Aspect::ReadOnly);
    facts.subjects.retain(|_, subject| !(request && read_only(subject)));
    for subject in facts.subjects.values_mut() {
        subject.stated.retain(|aspect, _| !hidden(aspect));
    }
}

/// Whether the type expresses what the spec states in other words.
fn equivalent(aspect: Aspect, spec: &Value, derived: &Value) -> bool {
    match aspect {
        // Alternatives become an untagged enum.
        Aspect::Type => spec == "one of" && derived == "any of",
        // An integer without a format is an `i64`, and a number an `f64`. A text is checked for dates only.
        Aspect::Format if spec.is_null() => derived == "int64" || derived == "double",
        Aspect::Format => derived.is_null() && spec != "date" && spec != "date-time",
        // A pattern becomes a type that checks it and derives no schema of it.
        Aspect::Pattern => derived.is_null(),
        _ => false,
    }
}

/// The schema without the null that an optional type also allows.
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
