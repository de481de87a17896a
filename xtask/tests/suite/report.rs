use xtask::report::text::excerpt;

#[test]
fn a_long_line_is_cut_between_characters() {
    for name in ["é".repeat(79), "a".repeat(79), "a".repeat(80), "é".repeat(200)] {
        for line in [format!("{}\"{name}\"{}", "x".repeat(500), "y".repeat(500)), name.clone()] {
            let (source, span) = excerpt(&line, Some(&format!("\"{name}\"")));
            assert!(source.get(span).is_some(), "{line}");
        }
    }
    let line = format!("éclat{}", "y".repeat(300));
    let (source, span) = excerpt(&line, None);
    assert!(source.get(span.clone()).is_some() && !span.is_empty());
}
