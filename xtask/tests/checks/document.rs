//! The checks of a spec by itself, and of the messages on the wire, on small changes of the contract of record.

use crate::workspace;
use serde_json::{Value, json};
use xtask::check::{document, wire};
use xtask::document::{Spec, members};
use xtask::files::{self, RECORD, SPEC};
use xtask::report::Finding;

const EXAMPLES: &str = include_str!("../fixtures/examples.txt");
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
    for line in EXAMPLES.lines().skip(1) {
        let (fits, schema) = line.split_once(": ").expect(line);
        let (fits, schema) = (fits == "fits", &schema.replace("; ", "\n          "));
        let spec = Spec::parse(SPEC, of_volume(schema)).expect("a spec");
        let (findings, _) = document::check(&spec);
        assert_eq!(findings.is_empty(), fits, "{schema}: {:?}", titles(&findings));
    }
}

#[test]
fn what_is_sent_and_not_documented_and_the_reverse_is_found() {
    let spec = Spec::load(&workspace::record()).expect("the spec");
    let all: Value = serde_saphyr::from_str(EXCHANGES).expect("YAML");
    let cases = members(all.get("cases"));
    let cases = cases.filter_map(|(expected, all)| all.as_array().map(|all| (expected, all)));
    for (expected, changes) in cases.flat_map(|(it, all)| all.iter().map(move |one| (it, one))) {
        let mut exchange = all["whole"].clone();
        for (pointer, value) in members(Some(changes)) {
            let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
            exchange.pointer_mut(parent).expect("a place")[key] = value.clone();
        }
        let compiled = json!({
            "server": "", "operations": [], "schemas": {}, "exchanges": [exchange],
        });
        let compiled = serde_json::from_value(compiled).expect("facts");
        let (found, _) = wire::check(&spec, &compiled);
        let found = titles(&found);
        assert!(found.iter().any(|title| title.contains(&**expected)), "{expected}: {found:#?}");
        // Nothing is sent for the other three operations, and five properties are not answered.
        assert!(*changes != json!({}) || found.len() == 3 + 5, "{found:#?}");
    }
}
