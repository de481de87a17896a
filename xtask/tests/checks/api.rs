use std::collections::BTreeMap;
use xtask::api::{Listing, change};

const FILE: &str = "xtask/api/a.txt";

fn compare(committed: &str, text: &str) -> Option<(String, String)> {
    let listing = Listing { name: "a", text: text.to_owned(), foreign: BTreeMap::new() };
    change(FILE, committed, &listing)
}

#[test]
fn equal_listings_have_no_change() {
    assert!(compare("pub fn a::b()\n", "pub fn a::b()\n").is_none());
}

#[test]
fn a_removed_or_changed_line_breaks_callers_and_a_new_one_mostly_does_not() {
    let old = "pub mod a\npub fn a::b()\npub fn a::c()\n";
    let change = compare(old, "pub mod a\npub fn a::b() -> u8\npub fn a::c()\n");
    let (diff, verdict) = change.expect("a change");
    assert!(diff.starts_with("--- xtask/api/a.txt\n+++ what is public in a\n"), "{diff}");
    assert!(diff.ends_with("-pub fn a::b()\n+pub fn a::b() -> u8\n"), "{diff}");
    assert!(verdict.contains("breaks callers: yes (removed lines: 1, new: 1)"));

    let gone = compare(old, "pub mod a\npub fn a::c()\n").expect("a change");
    assert!(gone.1.contains("yes (removed lines: 1, new: 0)"), "{}", gone.1);

    let new = compare("pub mod a\npub fn a::c()\n", old).expect("a change");
    assert!(new.0.ends_with("+pub fn a::b()\n"), "{}", new.0);
    assert!(new.1.contains("breaks callers: mostly no (new lines: 1)"), "{}", new.1);
}

#[test]
fn in_a_missing_listing_every_line_is_new() {
    let new = compare("", "pub mod a\n").expect("a change");
    assert!(new.1.contains("run `cargo xtask api --write`"), "{}", new.1);
}
