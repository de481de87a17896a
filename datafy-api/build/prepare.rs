//! Changes the spec before it is generated from.

use super::yaml::Document;
use super::{Operation, parameters};
use serde_json::Value;

/// Changes the spec where the generator would send something else than the spec says.
pub(crate) fn prepare(document: &Document, operations: &[Operation]) -> Value {
    let mut spec = document.value.clone();
    for operation in operations {
        for pointer in &operation.parameters.pointers {
            parameters::prepare(document, &mut spec, pointer);
        }
        if let Some(schema) = spec.pointer_mut(&operation.request) {
            prepare_request(schema);
        }
        // The caller gets an undocumented error response unchanged. Of a documented one the generated code drops
        // the status and the headers.
        if let Some(Value::Object(responses)) =
            spec.pointer_mut(&format!("{}/responses", operation.pointer))
        {
            responses.retain(|status, _| status.starts_with('2'));
        }
    }
    // `not` makes alternatives exclusive for a validator; the generator would turn it into an empty type.
    if let Some(Value::Object(schemas)) = spec.pointer_mut("/components/schemas") {
        for schema in schemas.values_mut() {
            if let Value::Object(schema) = schema {
                schema.remove("not");
            }
        }
    }
    simplify(&mut spec);
    spec
}

/// Removes what the generator needs further crates for: patterns and UUIDs.
fn simplify(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "string") {
                object.remove("pattern");
                if object.get("format").is_some_and(|format| format == "uuid") {
                    object.remove("format");
                }
            }
            object.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

/// Removes read-only properties, which are never sent, and the `default` of optional ones, which the generator
/// would send if the caller doesn't set them.
fn prepare_request(schema: &mut Value) {
    let required: Vec<String> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    properties.retain(|_, property| property.get("readOnly") != Some(&Value::Bool(true)));
    for (name, property) in properties {
        if let Value::Object(property) = property
            && !required.contains(name)
        {
            property.remove("default");
        }
    }
}
