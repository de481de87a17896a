//! What has another name or another place is one difference.

use crate::render::{self, Variations};
use xtask::docs;
use xtask::document::Spec;
use xtask::files;
use xtask::report::Report;

fn report(page: &str) -> Report {
    docs::compare(&files::root(), "page", page.as_bytes(), false)
}

/// The titles of the findings about a page of the spec after a change, in either shape.
fn titles(change: impl Fn(String) -> String) -> Vec<String> {
    let spec = Spec::load(&files::root()).expect("the spec");
    let of = |report: &Report| -> Vec<String> {
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
            "`body.deviceName` is gone, and `body.devicePath` (string) is new: it looks like the same, in {attach}"
        )]
    );
    let moved = titles(|page| page.replace("/attach", "/attach-volume"));
    let new = "POST /api/v1/volumes/{volumeId}/attach-volume";
    assert_eq!(moved, [format!("{attach} is gone, and `{new}` is new: it looks like the same")]);
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
