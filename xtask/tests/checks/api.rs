use std::collections::BTreeMap;
use xtask::api::Listing;
use xtask::api::rustdoc::readable;

#[test]
fn a_line_that_is_removed_or_changed_or_new_is_a_finding() {
    let old = "pub mod a\npub fn a::b()\npub fn a::c()\n";
    let short = "pub mod a\npub fn a::c()\n";
    let changed = old.replace("b()", "b() -> u8");
    for (committed, text, line, end) in [
        (old, old, None, ""),
        (old, &changed, Some(2), "-pub fn a::b()\n+pub fn a::b() -> u8\n"),
        (old, short, Some(2), "-pub fn a::b()\n"),
        (short, old, Some(2), "+pub fn a::b()\n"),
        ("", "pub mod a\n", Some(1), "+pub mod a\n"),
    ] {
        let listing = Listing { name: "a", text: text.to_owned(), foreign: BTreeMap::new() };
        let change = listing.change("xtask/api/a.txt", committed);
        assert_eq!(change.as_ref().and_then(|change| change.spots[0].line), line);
        assert!(change.is_none_or(|change| change.printed.ends_with(end)), "{end}");
    }
}

#[test]
fn another_version_of_rustdoc_json_is_refused_with_the_rust_to_use() {
    assert!(readable(br#"{"root": 1, "format_version": 57, "index": {}}"#).is_ok());
    let other = readable(br#"{"format_version": 58}"#).expect_err("refused").to_string();
    assert!(other.contains("version 58") && other.contains("cargo +1.95 xtask api"), "{other}");
    assert!(readable(b"{}").is_err());
}
