//! What has another name or another place is one difference, with the edit that keeps its description.

use crate::edit::edited;
use crate::render::{self, Variations};
use serde_json::{Value, json};
use xtask::contract::Spec;
use xtask::docs;
use xtask::files;
use xtask::report::{Finding, Report};

fn rename(owner: &mut Value, name: &str, new: &str) {
    let owner = owner.as_object_mut().expect("an object");
    let value = owner.remove(name).expect("it");
    owner.insert(new.to_owned(), value);
}

#[test]
fn a_renamed_property_keeps_its_description_whatever_else_of_it_changes() {
    for required in [json!([]), json!(["label"]), json!(["label", "new"])] {
        let text = edited(|document| {
            let body = &mut document["components"]["schemas"]["Body"];
            rename(&mut body["properties"], "kept", "label");
            body["properties"]["label"]["default"] = json!("two");
            body["properties"]["new"] = json!({ "type": "integer" });
            body["required"] = required.clone();
        });
        let label = "        label:\n          type: string\n          default: two\n          description: >\n            The last\n";
        assert!(text.contains(label), "{text}");
    }
}

#[test]
fn a_property_of_another_type_is_not_a_rename() {
    let text = edited(|document| {
        let body = &mut document["components"]["schemas"]["Body"];
        rename(&mut body["properties"], "kept", "label");
        body["properties"]["label"] = json!({ "type": "integer" });
    });
    assert!(!text.contains("The last"), "{text}");
}

#[test]
fn a_moved_operation_keeps_all_that_stays() {
    for (path, method) in [("/v1/a/{id}", "post"), ("/a/{id}", "put")] {
        let text = edited(|document| {
            rename(&mut document["paths"], "/a/{id}", path);
            rename(&mut document["paths"][path], "post", method);
            document["paths"][path][method]["parameters"][1]["schema"] =
                json!({ "type": "integer" });
        });
        let start = format!("  {path}:\n    {method}:\n      operationId: a\n");
        assert!(text.contains(&start) && text.contains("            Which one.\n"), "{text}");
        assert!(
            text.contains("- of several paragraphs") && text.contains("type: integer"),
            "{text}"
        );
    }
}

fn report(page: &str) -> Report {
    docs::compare(&files::root(), "page", page.as_bytes(), false)
}

/// The titles of the findings about a page of the spec after a change, in either shape.
fn titles(change: impl Fn(String) -> String) -> Vec<String> {
    let spec = Spec::load(&files::root()).expect("the spec");
    let of = |report: &Report| -> Vec<String> {
        let one_edit = |finding: &Finding| !finding.edit.is_empty();
        assert!(report.findings.iter().all(one_edit), "{:?}", report.findings);
        report.findings.iter().map(|finding| finding.title.clone()).collect()
    };
    let text = of(&report(&change(render::text(&spec.facts, Variations::default()))));
    let markdown = of(&report(&change(render::markdown(spec.value(), Variations::default()))));
    assert_eq!(text, markdown);
    text
}

#[test]
fn a_rename_is_one_finding_in_either_shape() {
    let attach = "POST /api/v1/volumes/{volumeId}/attach";
    assert_eq!(
        titles(|page| page.replace("deviceName", "devicePath")),
        [format!(
            "`body.deviceName` is gone and `body.devicePath` (string) is new, which looks like a rename: same \
             type, same place, in {attach}"
        )]
    );
    let moved = titles(|page| page.replace("/attach", "/attach-volume"));
    let new = "POST /api/v1/volumes/{volumeId}/attach-volume";
    let same = "is new, which looks like the same operation";
    assert_eq!(moved, [format!("{attach} is gone and {new} {same}")]);
    assert_eq!(titles(|page| page.replace("/api/v1/", "/api/v2/")).len(), 4);
    // Another word is another operation.
    let titles = report(&{
        let spec = Spec::load(&files::root()).expect("the spec");
        render::text(&spec.facts, Variations::default()).replace("/attach", "/mount")
    });
    assert_eq!(titles.findings.len(), 2, "{:?}", titles.findings);
}

#[test]
fn a_change_of_security_in_all_operations_is_one_finding() {
    let spec = Spec::load(&files::root()).expect("the spec");
    let page = render::text(&spec.facts, Variations::default());
    let page = page.replace("AuthorizationstringRequired\n", "");
    let report =
        report(&page.replace("Bearer authentication header of the form Bearer <token>.\n", ""));
    let [finding] = report.findings.as_slice() else { panic!("{:?}", report.findings) };
    assert_eq!(
        finding.title,
        "`security` is not stated on the page and `bearer` in the spec, in 4 operations"
    );
}
