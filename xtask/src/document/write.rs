//! Writes facts as OpenAPI does: the reverse of normalising.

use super::normal::{CLOSED, LISTS};
use super::{Facts, Kind, Pointer, unescape};
use serde_json::{Map, Value, json};

/// The object at `place`, in which `inner` writes the objects directly within it.
pub fn write(facts: &Facts, place: &Pointer, inner: &mut dyn FnMut(&Pointer) -> Value) -> Value {
    let mut object = json!(facts.get(place).map_or_else(Map::new, |fact| fact.recorded.clone()));
    if let (Some(within), Some(name)) = (place.sent_in(), place.name()) {
        object["in"] = within.to_string().into();
        object["name"] = name.into();
    }
    let mut required = Vec::new();
    let mut members: Vec<_> = facts.inner(place).collect();
    members.sort_by_key(|(member, _)| (member.alternative(), member.sent_in()));
    for (member, fact) in members {
        if let Some(value) = &fact.value {
            keyword(&mut object, place, &member.holder(), value);
            continue;
        }
        if member.is_property() && facts.is(member, "required") {
            required.extend(member.name());
        }
        let value = inner(member);
        let segments: Vec<&str> = member.0[place.0.len()..].split('/').skip(1).collect();
        if member.kind() == Kind::Parameter || member.alternative().is_some() {
            match &mut object[segments[0]] {
                Value::Array(list) => list.push(value),
                list => *list = json!([value]),
            }
        } else {
            let mut slot = &mut object;
            for segment in segments {
                slot = &mut slot[&*unescape(segment)];
            }
            *slot = value;
        }
    }
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object
}

/// Writes a keyword of the object at `place`.
fn keyword(object: &mut Value, place: &Pointer, keyword: &str, value: &Value) {
    let text = value.as_str().unwrap_or_default();
    match keyword {
        // These are written around the property, with the names of schemes, and as nothing.
        "required" if place.is_property() || *value == false => {}
        "security" | "content" => {}
        "servers" if place.0.is_empty() => {
            let urls = value.as_array().into_iter().flatten();
            object[keyword] = urls.map(|url| json!({ "url": url })).collect();
        }
        "type" if text.ends_with("[]") => object[keyword] = "array".into(),
        "type" => {
            for (list, word) in LISTS {
                // Of folded alternatives not even the number is known.
                if text.contains(word) && object[list].is_null() {
                    object[list] = json!([]);
                }
            }
            let stated = text.split(", ").find(|word| !word.ends_with(" of") && *word != "any");
            let kinds: Vec<&str> = stated.iter().flat_map(|kinds| kinds.split(" or ")).collect();
            match kinds[..] {
                [] => {}
                [kind] => object[keyword] = kind.into(),
                _ => object[keyword] = kinds.into(),
            }
        }
        "discriminator" => object[keyword] = json!({ "propertyName": value }),
        "enum" if value.is_string() => object["x-enum"] = value.clone(),
        CLOSED => object["additionalProperties"] = false.into(),
        _ => object[keyword] = value.clone(),
    }
}

/// The facts as a document, with the marks of what it doesn't show.
pub fn document(facts: &Facts) -> Value {
    let mut document = marked(facts, &Pointer::default());
    document["openapi"] = "3.0.3".into();
    document["info"] = json!({ "title": "The recorded page", "version": "0" });
    if !facts.schemes.is_empty() {
        document["components"] = json!({ "securitySchemes": facts.schemes });
    }
    document
}

fn marked(facts: &Facts, place: &Pointer) -> Value {
    let mut object = write(facts, place, &mut |inner| marked(facts, inner));
    let Some(fact) = facts.get(place) else { return object };
    let kind = place.kind();
    let mut holders = facts.inner(place).map(|(inner, _)| inner.holder());
    let is_unstated =
        kind == Kind::Answer && !fact.folded && !holders.any(|holder| holder == "content");
    for (mark, set) in
        [("x-folded", fact.folded), ("x-unlabelled", fact.unlabelled), ("x-unstated", is_unstated)]
    {
        if set {
            object[mark] = true.into();
        }
    }
    // OpenAPI requires these.
    match kind {
        Kind::Answer => object["description"] = "".into(),
        Kind::Operation if object["responses"].is_null() => object["responses"] = json!({}),
        _ => {}
    }
    object
}
