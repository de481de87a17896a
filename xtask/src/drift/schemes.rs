//! The security of an operation, from the words of a page to what openapi.yaml writes.

use crate::codegen::members;
use crate::contract::{Spec, openapi};
use serde_json::{Map, Value, json};

/// The security requirement, and the schemes that the spec doesn't have yet. `None` if the words don't describe a
/// scheme completely, as with OAuth.
pub(super) fn requirement(spec: &Spec, words: &str) -> Option<(Value, Map<String, Value>)> {
    let mut new = Map::new();
    if words == "none" {
        return Some((json!([]), new));
    }
    let mut alternatives = Vec::new();
    for alternative in words.split(" or ") {
        let mut schemes = Map::new();
        for word in alternative.split(" and ").filter(|word| *word != "none") {
            let mut known = members(spec.value().pointer("/components/securitySchemes"));
            let known = known.find(|(_, scheme)| openapi::scheme(scheme).as_deref() == Some(word));
            let name = match known {
                Some((name, _)) => name.clone(),
                None => {
                    let (name, scheme) = scheme(word)?;
                    new.insert(name.clone(), scheme);
                    name
                }
            };
            schemes.insert(name, json!([]));
        }
        alternatives.push(Value::Object(schemes));
    }
    Some((alternatives.into(), new))
}

/// The name and the description of a scheme.
fn scheme(word: &str) -> Option<(String, Value)> {
    Some(match word.split_once(' ') {
        None if matches!(word, "basic" | "bearer") => {
            (word.to_owned(), json!({ "type": "http", "scheme": word }))
        }
        Some((within @ ("header" | "query" | "cookie"), name)) => {
            (name.to_owned(), json!({ "type": "apiKey", "in": within, "name": name }))
        }
        _ => return None,
    })
}
