//! YAML to paste for what is new on a page of Markdown.

use crate::evolutions::merge;
use crate::page::facts;
use crate::render::{self, Variations};
use crate::upgrade::docs;
use crate::workspace;
use serde_json::{Value, json};
use xtask::docs::{Fragment, TO_DESCRIBE};
use xtask::document::Spec;
use xtask::files::SPEC;
use xtask::report::{Ending, Finding};

/// The spec with all that the findings say to paste.
fn pasted(text: &str, findings: &[Finding]) -> String {
    let all = findings.iter().flat_map(|finding| &finding.paste);
    paste(text, &all.collect::<Vec<_>>())
}

/// The text with the fragments, each after its line.
pub(crate) fn paste(text: &str, fragments: &[&Fragment]) -> String {
    let mut pasted = String::new();
    for (line, number) in text.lines().zip(1..) {
        pasted.extend([line, "\n"]);
        let here = fragments.iter().filter(|fragment| fragment.after == number);
        pasted.extend(here.map(|fragment| fragment.yaml.as_str()));
    }
    pasted
}

const VOLUME: &str = "/paths/~1api~1v1~1volumes~1{volumeId}";

fn own(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The document of the spec, with something new of each kind.
fn with_additions(spec: &Spec) -> Value {
    let additions = include_str!("../fixtures/additions.yaml").to_owned();
    let additions = Spec::parse("additions.yaml", additions).expect("YAML").value().clone();
    let (Value::Object(mut document), Value::Object(additions)) = (spec.value().clone(), additions)
    else {
        panic!("they are objects")
    };
    merge(&mut document, additions);
    let mut document = Value::Object(document);
    // Equal to one of the spec, but for its name, its sentences and an example.
    let schemas = &mut document["components"]["schemas"];
    schemas["Vol"] = schemas["Volume"].clone();
    schemas["Vol"]["description"] = "other words".into();
    schemas["Vol"]["properties"]["volumeId"] = json!({ "type": "string" });
    document
}

#[test]
fn what_is_new_on_a_page_of_markdown_is_pasted_and_then_agrees() {
    let root = workspace::record();
    let spec = Spec::load(&root).expect("the spec");
    let document = with_additions(&spec);
    let page = render::markdown(&document, Variations::default());
    let report = docs(&root, &page);
    assert_eq!(report.problems.len(), 0, "{:?}", report.problems);
    let text = pasted(&spec.text, &report.findings);
    let copy = workspace::folder(&[(SPEC, &text)]);
    let after = docs(copy.path(), &page);
    assert_eq!(after.ending, Ending::Equal, "{:#?} {:?}\n{text}", after.findings, after.problems);

    let new = Spec::parse(SPEC, text.clone()).expect("YAML").value().clone();
    let at = |pointer: &str| new.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at(&format!("{VOLUME}/get/operationId")), "getVolume", "that of the page");
    assert_eq!(
        at(&format!("{VOLUME}~1deactivate-autoscaling/get/operationId")),
        "attachVolume2",
        "unless it is taken"
    );
    for method in ["get", "put", "delete"] {
        assert_eq!(at(&format!("{VOLUME}/{method}/x-idempotent")), true, "{method}");
    }
    assert_eq!(at(&format!("{VOLUME}/post/x-idempotent")), Value::Null);
    let schema = at(&format!("{VOLUME}/get/responses/200/content/application~1json/schema"));
    assert_eq!(schema, own("Volume"), "an equal schema is reused");
    let id = json!({ "$ref": "#/components/parameters/VolumeId" });
    assert_eq!(at(&format!("{VOLUME}/get/parameters/0")), id);
    assert_eq!(text.matches("\n    Owner:\n").count(), 1, "a new schema is pasted once");
    assert!(text.contains(TO_DESCRIBE));

    let copied = docs(&root, &render::text(&facts(&document), Variations::default()));
    assert!(
        copied.findings.iter().all(|finding| finding.paste.is_empty()),
        "a copied text proposes nothing"
    );
    assert_eq!(copied.ending, Ending::Drift);
}
