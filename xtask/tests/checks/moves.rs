//! What has another name or another place is one difference, and so is a change of all operations.

use crate::render::{self, Variations};
use crate::upgrade::docs;
use crate::workspace;
use serde_json::json;
use xtask::document::Spec;

/// The fingerprints of the findings about a page of the spec after a change, which are the same in either shape.
fn found(change: impl Fn(String) -> String) -> Vec<String> {
    let root = workspace::record();
    let spec = Spec::load(&root).expect("the spec");
    let of = |page: String| -> Vec<String> {
        let findings = docs(&root, &change(page)).findings.into_iter();
        findings.map(|finding| finding.fingerprint).collect()
    };
    let text = of(render::text(&spec.facts, Variations::default()));
    assert_eq!(text, of(render::markdown(spec.value(), Variations::default())));
    text
}

#[test]
fn a_rename_or_a_change_of_all_operations_is_one_finding_in_either_shape() {
    let attach = "page: POST /api/v1/volumes/{volumeId}/attach";
    assert_eq!(
        found(|page| page.replace("deviceName", "devicePath")),
        [format!("{attach} body.deviceName renamed to body.devicePath (string)")]
    );
    let moved = "moved to POST /api/v1/volumes/{volumeId}/attach-volume";
    assert_eq!(
        found(|page| page.replace("/attach", "/attach-volume")),
        [format!("{attach} {moved}")]
    );
    assert_eq!(found(|page| page.replace("/api/v1/", "/api/v2/")).len(), 4);
    // Another word is another operation.
    for other in ["/mount", "/"] {
        assert_eq!(found(|page| page.replace("/attach", other)).len(), 2);
    }
    let unsecured = |page: String| {
        let row = "AuthorizationstringRequired\nBearer authentication header of the form Bearer <token>.\n";
        page.replace(row, "").replace("\"security\":[{\"bearer\":[]}],", "")
    };
    assert_eq!(found(unsecured), ["page: security bearer -> not stated"]);
    // So is what is new in several operations, if all that is stated of it is the same.
    let root = workspace::record();
    for (default, findings) in [("a", 1), ("b", 2)] {
        let mut document = Spec::load(&root).expect("the spec").value().clone();
        for (schema, default) in [("Snapshot", "a"), ("Volume", default)] {
            let new = json!({ "type": "string", "default": default });
            document["components"]["schemas"][schema]["properties"]["x"] = new;
        }
        let page = render::markdown(&document, Variations::default());
        assert_eq!(docs(&root, &page).findings.len(), findings);
    }
}
