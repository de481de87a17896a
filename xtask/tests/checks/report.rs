use xtask::check;
use xtask::document::{NOT_COMPARED, Spec};
use xtask::files::{self, RECORD};
use xtask::page::Shape;
use xtask::page::silence::{SILENT, Silent};
use xtask::report::{Finding, Format, Link, Report};

/// The printed finding on `line`, which points to `focus`.
fn printed(line: &str, focus: &str) -> String {
    let mut finding = Finding::new(Link::Page, "it", "it differs").at("page", Some(1), "the page");
    finding.spots[0].focus = Some(focus.to_owned());
    let mut report = Report::new("docs", vec![finding], Vec::new());
    report.show("page", line);
    report.render(Format::Text, false)
}

#[test]
fn of_a_long_line_the_part_around_the_focus_is_printed() {
    for name in ["é".repeat(79), "a".repeat(79), "a".repeat(80), "é".repeat(200)] {
        for filler in ["x", "é"] {
            let focus = format!("\"{name}\"");
            let line = format!("{}{focus}{}", filler.repeat(5_000), filler.repeat(5_000));
            let printed = printed(&line, &focus);
            let start: String = focus.chars().take(20).collect();
            assert!(printed.contains(&start), "{printed}");
            assert!(printed.lines().all(|line| line.chars().count() < 300), "{printed}");
        }
    }
    let unfocused = printed(&"é".repeat(5_000), "no such name");
    assert!(unfocused.contains("éééé"), "{unfocused}");
    assert!(unfocused.lines().all(|line| line.chars().count() < 300), "{unfocused}");
}

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
