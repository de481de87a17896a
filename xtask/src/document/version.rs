//! OpenAPI 3.1 as 3.0, which openapi.yaml and the generator are limited to.

use serde_json::{Map, Value, json};

/// Writes what 3.1 and JSON Schema write in another way as 3.0 does.
pub(super) fn as_3_0(schema: &mut Map<String, Value>) {
    let mut nullable = false;
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        let before = kinds.len();
        kinds.retain(|kind| kind != "null");
        nullable = kinds.len() < before;
        if kinds.len() == 1 {
            let kind = kinds.remove(0);
            schema.insert("type".to_owned(), kind);
        }
    }
    for list in ["oneOf", "anyOf"] {
        let Some(Value::Array(all)) = schema.get_mut(list) else { continue };
        let before = all.len();
        all.retain(|one| *one != json!({ "type": "null" }));
        nullable |= all.len() < before;
        if all.len() == 1 && before > 1 {
            let one = schema.remove(list).unwrap_or_default();
            schema.insert("allOf".to_owned(), one);
        }
    }
    if let Some(value) = schema.remove("const") {
        schema.insert("enum".to_owned(), json!([value]));
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(examples) = schema.remove("examples")
        && let Some(first) = examples.get(0)
    {
        schema.entry("example").or_insert_with(|| first.clone());
    }
    for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if schema.get(exclusive).is_some_and(Value::is_number) {
            let number = schema.insert(exclusive.to_owned(), true.into()).unwrap_or_default();
            schema.insert(limit.to_owned(), number);
        }
    }
    if nullable {
        schema.insert("nullable".to_owned(), true.into());
    }
}
