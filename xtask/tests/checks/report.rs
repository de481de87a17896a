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
    assert!(unfocused.contains("^^^ the page"), "{unfocused}");
    assert!(unfocused.lines().all(|line| line.chars().count() < 300), "{unfocused}");
}
