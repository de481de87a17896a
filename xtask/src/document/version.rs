//! OpenAPI 3.1 as 3.0, which openapi.yaml and the generator are limited to.

use super::grammar::{Kind, visit};
use serde_json::{Map, Value, json};

/// Writes what 3.1 and JSON Schema write in another way as 3.0 does.
pub fn as_3_0(value: &mut Value, kind: Kind) {
    visit(value, kind, &mut |kind, object| {
        if kind == Kind::Schema {
            schema(object);
        }
    });
}

fn schema(schema: &mut Map<String, Value>) {
    let null = json!({ "type": "null" });
    let mut nullable = false;
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| {
            nullable |= kind == "null";
            kind != "null"
        });
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            schema.insert("type".to_owned(), kind);
        }
    }
    for list in ["oneOf", "anyOf"] {
        let Some(Value::Array(all)) = schema.get_mut(list) else { continue };
        let before = all.len();
        all.retain(|one| *one != null);
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
    if let Some(Value::Array(examples)) = schema.get_mut("examples") {
        let first = examples.first().cloned();
        schema.remove("examples");
        if let Some(first) = first {
            schema.entry("example").or_insert(first);
        }
    }
    for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if let Some(number @ Value::Number(_)) = schema.get(exclusive).cloned() {
            schema.insert(limit.to_owned(), number);
            schema.insert(exclusive.to_owned(), true.into());
        }
    }
    if nullable {
        schema.insert("nullable".to_owned(), true.into());
    }
}
