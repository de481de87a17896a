//! `openapi.yaml` is a valid document, and says nothing that it contradicts.

use roas::v3_0::spec::Spec;
use roas::validation::{Options, Validate};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn spec() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn validate(spec: &Value) -> Result<(), String> {
    let spec: Spec = serde_json::from_value(spec.clone()).map_err(|error| error.to_string())?;
    spec.validate(Options::empty(), None).map_err(|error| error.to_string())
}

/// Calls `visit` with every object below `value`, and its JSON pointer.
fn objects(value: &Value, pointer: &str, visit: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(object) => {
            visit(pointer, value);
            for (key, member) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                objects(member, &format!("{pointer}/{key}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, &format!("{pointer}/{index}"), visit);
            }
        }
        _ => {}
    }
}

#[test]
fn it_is_a_valid_openapi_3_0_document() {
    validate(&spec()).unwrap();
}

#[test]
fn the_validator_finds_what_is_wrong() {
    let break_at = |pointer: &str, value: Value| {
        let mut spec = spec();
        *spec.pointer_mut(pointer).unwrap() = value;
        validate(&spec).expect_err(pointer);
    };
    break_at("/info", json!({ "title": "no version" }));
    break_at("/components/parameters/VolumeId/in", json!("cookies"));
    break_at("/paths/~1api~1v1~1volumes~1{volumeId}~1attach/post/responses", json!(null));
    break_at(
        "/paths/~1api~1v1~1volumes~1{volumeId}~1attach/post/parameters/0/$ref",
        json!("#/components/parameters/None"),
    );
    break_at(
        "/paths/~1api~1v1~1volumes~1{volumeId}~1attach/post/operationId",
        json!("createSnapshot"),
    );
}

#[test]
fn every_reference_leads_somewhere_and_none_stands_twice_in_a_list() {
    let spec = spec();
    let mut seen = 0;
    objects(&spec, "", &mut |pointer, object| {
        if let Some(target) = object.get("$ref") {
            let target = target.as_str().unwrap();
            assert!(
                spec.pointer(target.strip_prefix('#').unwrap()).is_some(),
                "{pointer}: {target}"
            );
            seen += 1;
        }
        for list in object.as_object().unwrap().values().filter_map(Value::as_array) {
            let texts: Vec<_> = list.iter().map(ToString::to_string).collect();
            let distinct: BTreeSet<_> = texts.iter().collect();
            assert_eq!(distinct.len(), texts.len(), "{pointer} lists something twice");
        }
    });
    assert!(seen > 10, "only {seen} references were seen");
}

#[test]
fn every_example_and_default_matches_its_schema() {
    let mut seen = 0;
    objects(&spec(), "", &mut |pointer, schema| {
        if schema.get("type").is_none_or(|kind| !kind.is_string()) {
            return;
        }
        for word in ["example", "default"] {
            if let Some(value) = schema.get(word) {
                let validator = jsonschema::draft4::options()
                    .should_validate_formats(true)
                    .build(schema)
                    .unwrap_or_else(|error| panic!("{pointer}: {error}"));
                assert!(validator.is_valid(value), "{pointer}/{word}: {value}");
                seen += 1;
            }
        }
    });
    assert_eq!(seen, 14, "the page shows that many");
}
