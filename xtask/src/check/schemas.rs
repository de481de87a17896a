//! Compares the spec with the generated types: the JSON Schemas that schemars derives must state what the schemas of the
//! spec state.

use super::Checked;
use super::compiled::Compiled;
use crate::docs::findings::words;
use crate::document::{Difference, Spec, What, compare, members};
use crate::files::SPEC;
use crate::report::{Finding, Link};
use heck::ToUpperCamelCase;
use serde_json::{Value, json};

/// Keywords that the types don't express; everything else must agree. Limits and values are those of the service, which
/// may change them. What has no value is not sent, whatever its default, and every optional field may be null. An untagged
/// enum tries its alternatives in turn, so that `not` and a discriminator tell it nothing.
const NOT_EXPRESSED: &str = "$schema $defs example deprecated readOnly writeOnly nullable default enum minimum \
    exclusiveMinimum maximum exclusiveMaximum multipleOf minLength maxLength minItems maxItems uniqueItems minProperties \
    maxProperties not discriminator";

pub fn check(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut document = spec.value().clone();
    let types = json!(compiled.schemas).to_string().replace("#/$defs/", "#/components/schemas/");
    let mut types: Value = serde_json::from_str(&types).unwrap_or_default();
    for (name, _) in members(spec.value().pointer("/components/schemas")) {
        types[name] = types[name.to_upper_camel_case()].clone();
    }
    document["components"]["schemas"] = types;
    let mut derived = Spec::of_value(document).facts;
    // A type of requests has no read-only fields.
    let mut own = spec.facts.clone();
    own.map.retain(|pointer, _| {
        pointer.is_in_answer() || !pointer.around().any(|place| spec.facts.is(&place, "readOnly"))
    });
    let comparison = compare(&own, &mut derived, &|_, _| false);
    let differences = comparison.differences.iter().filter(|it| !is_equivalent(it));
    let findings = differences.map(|difference| {
        let operation = difference.place.root().unwrap_or_default();
        let what = format!("{operation} {}", words(&derived, difference).0);
        let line = spec.facts.line_around(&difference.place);
        let title = format!("the type is not what the spec states: {what}");
        Finding::new(Link::Schemas, what, title)
            .at(SPEC, line, "the spec")
            .help("run `cargo xtask generate`; if that changes nothing, fix datafy-api/build")
    });
    let facts = comparison.counts.agreeing + comparison.counts.differing;
    (findings.collect(), format!("compared {} types, {facts} facts", compiled.schemas.len()))
}

/// Whether the type expresses what the spec states in other words, or doesn't need to.
fn is_equivalent(difference: &Difference) -> bool {
    let What::Changed { keyword, spec, page: derived } = &difference.what else { return false };
    let text = |value: &Option<Value>| {
        value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (spec, derived) = (text(spec), text(derived));
    match keyword.as_str() {
        // Alternatives become an untagged enum.
        "type" => spec.replace("one of", "any of") == derived,
        // An integer without a format is an `i64`, and a number an `f64`. A text is checked for dates only.
        "format" if spec.is_empty() => derived == "int64" || derived == "double",
        "format" => derived.is_empty() && spec != "date" && spec != "date-time",
        // A pattern becomes a type that checks it and derives no schema of it.
        "pattern" => derived.is_empty(),
        keyword => NOT_EXPRESSED.split(' ').any(|other| other == keyword),
    }
}
