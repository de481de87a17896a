use std::collections::BTreeMap;
use xtask::api::Listing;
use xtask::api::rustdoc::readable;

#[test]
fn a_removed_or_changed_line_breaks_callers_and_a_new_one_mostly_does_not() {
    let old = "pub mod a\npub fn a::b()\npub fn a::c()\n";
    let short = "pub mod a\npub fn a::c()\n";
    for (committed, text, end, breaks) in [
        (old, old, "", ""),
        (
            old,
            "pub mod a\npub fn a::b() -> u8\npub fn a::c()\n",
            "-pub fn a::b()\n+pub fn a::b() -> u8\n",
            "yes (removed lines: 1, new: 1)",
        ),
        (old, short, "-pub fn a::b()\n", "yes (removed lines: 1, new: 0)"),
        (short, old, "+pub fn a::b()\n", "mostly no (new lines: 1)"),
        ("", "pub mod a\n", "+pub mod a\n", "mostly no (new lines: 1)"),
    ] {
        let listing = Listing { name: "a", text: text.to_owned(), foreign: BTreeMap::new() };
        let change = listing.change("xtask/api/a.txt", committed);
        assert_eq!(change.is_none(), committed == text);
        let Some(change) = change else { continue };
        assert!(change.printed.starts_with("--- xtask/api/a.txt\n"), "{change:?}");
        assert_eq!(change.spots[0].line, Some(if committed.is_empty() { 1 } else { 2 }));
        assert!(change.printed.ends_with(end), "{change:?}");
        assert!(change.help.contains(&format!("breaks callers: {breaks}; ")), "{change:?}");
    }
}

#[test]
fn another_version_of_rustdoc_json_is_refused_with_the_rust_to_use() {
    assert!(readable(br#"{"root": 1, "format_version": 57, "index": {}}"#).is_ok());
    let other = readable(br#"{"format_version": 58}"#).expect_err("refused").to_string();
    assert!(other.contains("version 58") && other.contains("cargo +1.95 xtask api"), "{other}");
    assert!(readable(b"{}").is_err());
}
