//! Facts as a document again: normalising it gives these facts.

use super::grammar::{Kind, visit};
use super::normal::CLOSED;
use super::{Facts, Pointer};
use serde_json::{Map, Value, json};

/// The document that states the facts.
pub fn unflatten(facts: &Facts) -> Value {
    let mut document = json!({
        "openapi": "3.0.3",
        "info": { "title": "The recorded page", "version": "0" },
        "paths": {},
    });
    for (pointer, fact) in &facts.map {
        let mut place = &mut document;
        for segment in pointer.segments_after(&Pointer::default()) {
            place = &mut place[segment];
        }
        if let Some(value) = &fact.value {
            *place = value.clone();
        } else {
            if place.is_null() {
                *place = json!({});
            }
            let marks = [("x-folded", fact.folded), ("x-unlabelled", fact.unlabelled)];
            for (mark, _) in marks.into_iter().filter(|(_, set)| *set) {
                place[mark] = true.into();
            }
        }
    }
    let mut schemes = Map::new();
    visit(&mut document, Kind::Document, &mut |kind, object| match kind {
        Kind::Operation => {
            if let Some(Value::String(words)) = object.get("security") {
                let requirement = security(words, &mut schemes);
                object.insert("security".to_owned(), requirement);
            }
            if let Some(Value::Object(parameters)) = object.get_mut("parameters") {
                let named = parameters.iter_mut().map(|(key, parameter)| {
                    let (within, name) = key.split_once(' ').unwrap_or_default();
                    (parameter["in"], parameter["name"]) = (within.into(), name.into());
                    parameter.take()
                });
                let list = named.collect();
                object.insert("parameters".to_owned(), list);
            }
            object.entry("responses").or_insert_with(|| json!({}));
        }
        Kind::Answer => drop(object.insert("description".to_owned(), "".into())),
        Kind::Schema => schema(object),
        _ => {}
    });
    if !schemes.is_empty() {
        document["components"] = json!({ "securitySchemes": schemes });
    }
    document
}

/// Writes the words of a type, the flags of properties, the alternatives and the values of a copied text as OpenAPI does.
fn schema(object: &mut Map<String, Value>) {
    for list in ["oneOf", "anyOf", "allOf"] {
        if let Some(Value::Object(all)) = object.get_mut(list) {
            let all = (0..all.len()).filter_map(|index| all.remove(&index.to_string())).collect();
            object.insert(list.to_owned(), all);
        }
    }
    if let Some(Value::String(words)) = object.get("type").cloned() {
        object.remove("type");
        let kind = words
            .split(", ")
            .find(|word| *word != "any" && !word.ends_with(" of") && !word.contains(' '));
        object.extend(kind.map(|kind| ("type".to_owned(), kind.into())));
    }
    let mut required = Vec::new();
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (name, property) in properties {
            let flag = property.as_object_mut().and_then(|property| property.remove("required"));
            required.extend(flag.filter(|flag| *flag == true).map(|_| Value::from(name.as_str())));
        }
    }
    if !required.is_empty() {
        object.insert("required".to_owned(), required.into());
    }
    if let Some(name) = object.remove("discriminator") {
        object.insert("discriminator".to_owned(), json!({ "propertyName": name }));
    }
    if object.remove(CLOSED).is_some() {
        object.insert("additionalProperties".to_owned(), false.into());
    }
    if object.get("enum").is_some_and(Value::is_string) {
        let text = object.remove("enum").unwrap_or_default();
        object.insert("x-enum".to_owned(), text);
    }
}

/// The requirement that these words describe.
fn security(words: &str, schemes: &mut Map<String, Value>) -> Value {
    let alternatives = words.split(" or ").map(|alternative| {
        let named = alternative.split(" and ").filter(|word| *word != "none");
        let named: Map<String, Value> = named
            .map(|word| {
                let scheme = match word.split_once(' ') {
                    Some((within, name)) => json!({ "type": "apiKey", "in": within, "name": name }),
                    None => json!({ "type": "http", "scheme": word }),
                };
                let key = word.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
                schemes.insert(key.clone(), scheme);
                (key, json!([]))
            })
            .collect();
        Value::Object(named)
    });
    alternatives.collect()
}
