use xtask::check;
use xtask::document::{NOT_COMPARED, Spec};
use xtask::files::{self, RECORD};
use xtask::page::Shape;
use xtask::page::silence::{SILENT, Silent};

#[test]
fn the_readme_lists_what_is_not_compared_and_what_a_page_can_not_show() {
    let readme = include_str!("../../README.md");
    for (keyword, why) in NOT_COMPARED {
        assert!(readme.contains(&format!("| `{keyword}` | {why} |\n")), "{keyword}");
    }
    for Silent { what, shapes, .. } in SILENT {
        let shown = |shape| if shapes.contains(&shape) { "silent" } else { "shown" };
        let row = format!("| {what} | {} | {} |\n", shown(Shape::Text), shown(Shape::Markdown));
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn the_record_is_a_valid_openapi_document() {
    let text = files::read(&files::root(), RECORD).expect("the record");
    // OpenAPI requires a description, and `check` one that isn't empty.
    let text = text.replace("description: \"\"", "description: empty");
    let record = Spec::parse(RECORD, text).expect("YAML");
    let (mut findings, _) = check::document::check(&record);
    // Folded alternatives look alike.
    findings.retain(|finding| !finding.title.contains("lists something twice"));
    assert!(findings.is_empty(), "{findings:#?}");
}
