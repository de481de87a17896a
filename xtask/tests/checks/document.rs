//! The checks of a spec by itself, and of the messages on the wire, on small changes of the contract of record.

use crate::workspace;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use xtask::check::{document, wire};
use xtask::document::Spec;
use xtask::files::{self, RECORD, SPEC};
use xtask::report::Finding;

/// Changes of an exchange by JSON pointer, by what is found.
const EXCHANGES: &str = include_str!("../fixtures/exchanges.yaml");

fn titles(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| &*finding.title).collect()
}

#[test]
fn the_record_is_a_valid_openapi_document() {
    let text = files::read(&files::root(), RECORD).expect("the record");
    // OpenAPI requires a description, and `check` one that isn't empty.
    let text = text.replace("description: \"\"", "description: empty");
    let record = Spec::parse(RECORD, text).expect("YAML");
    let (mut findings, _) = document::check(&record);
    // Folded alternatives look alike.
    findings.retain(|finding| !finding.title.contains("is listed twice"));
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn an_example_or_a_default_that_does_not_fit_its_schema_is_found() {
    let text = files::read(&workspace::record(), SPEC).expect("the spec");
    let of_volume = |schema: &str| {
        text.replace(
            "type: integer\n          description: The size",
            &format!("{schema}\n          description: The size"),
        )
    };
    for (schema, fits) in [
        ("type: integer", true),
        ("type: string", false),
        ("type: string\n          nullable: true", false),
        ("type: number\n          minimum: 20", true),
        ("type: number\n          minimum: 20\n          exclusiveMinimum: true", false),
        ("type: number\n          minimum: 19\n          exclusiveMinimum: true", true),
        ("type: integer\n          nullable: true\n          default: null", true),
        ("type: integer\n          default: null", false),
        ("type: array\n          items:\n            type: integer", true),
        ("type: array\n          items:\n            type: string", false),
        ("type: integer\n          enum: [20, 30]", true),
        ("type: integer\n          enum: [20, 20]", false),
    ] {
        let spec = Spec::parse(SPEC, of_volume(schema)).expect("a spec");
        let (findings, _) = document::check(&spec);
        assert_eq!(findings.is_empty(), fits, "{schema}: {:?}", titles(&findings));
    }
}

/// A call of `createSnapshot` with everything, and the answer, after changes by JSON pointer.
fn exchange(changes: &Value) -> Value {
    let mut exchange = json!({
        "made": "create_snapshot",
        "request": {
            "line": "POST /api/v1/volumes/vol-1/create-snapshot HTTP/1.1",
            "headers": {
                "authorization": "Bearer token",
                "content-type": "application/json",
                "x-datafy-sub-account-id": "1",
            },
            "body": r#"{"autoscalingOnly":true,"description":"a"}"#,
        },
        "answer": { "status": 200, "content-type": "application/json", "body": r#"{"status":"pending"}"# },
        "mapped": { "status": "pending" },
    });
    for (pointer, value) in changes.as_object().expect("changes") {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        exchange.pointer_mut(parent).expect("a place")[key] = value.clone();
    }
    exchange
}

#[test]
fn what_is_sent_and_not_documented_and_the_reverse_is_found() {
    let spec = Spec::load(&workspace::record()).expect("the spec");
    let cases: BTreeMap<String, Vec<Value>> = serde_saphyr::from_str(EXCHANGES).expect("YAML");
    let cases = cases.iter().flat_map(|(expected, all)| all.iter().map(move |it| (expected, it)));
    for (expected, changes) in cases {
        let compiled = json!({
            "server": "", "operations": [], "schemas": {}, "exchanges": [exchange(changes)],
        });
        let compiled = serde_json::from_value(compiled).expect("facts");
        let (found, _) = wire::check(&spec, &compiled);
        let found = titles(&found);
        assert!(found.iter().any(|title| title.contains(&**expected)), "{expected}: {found:#?}");
        // Nothing is sent for the other three operations, and five properties are not answered.
        assert!(*changes != json!({}) || found.len() == 3 + 5, "{found:#?}");
    }
}
