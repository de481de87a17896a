use std::collections::BTreeMap;
use xtask::api::listing::Listing;
use xtask::api::{Change, change};

const FILE: &str = "xtask/api/a.txt";

fn compare(committed: &str, text: &str) -> Option<Change> {
    let listing = Listing { name: "a", text: text.to_owned(), foreign: BTreeMap::new() };
    change(FILE, committed, &listing)
}

#[test]
fn equal_listings_have_no_change() {
    assert!(compare("pub fn a::b()\n", "pub fn a::b()\n").is_none());
}

#[test]
fn a_line_that_goes_or_changes_breaks_callers_and_a_new_one_mostly_does_not() {
    let old = "pub mod a\npub fn a::b()\npub fn a::c()\n";
    let change = compare(old, "pub mod a\npub fn a::b() -> u8\npub fn a::c()\n");
    let Change { diff, verdict } = change.expect("a change");
    assert!(diff.starts_with("--- xtask/api/a.txt\n+++ what is public in a\n"), "{diff}");
    assert!(diff.ends_with("-pub fn a::b()\n+pub fn a::b() -> u8\n"), "{diff}");
    assert!(verdict.contains("breaks callers: yes (lines gone: 1, new: 1)"));

    let gone = compare(old, "pub mod a\npub fn a::c()\n").expect("a change");
    assert!(gone.verdict.contains("yes (lines gone: 1, new: 0)"), "{}", gone.verdict);

    let new = compare("pub mod a\npub fn a::c()\n", old).expect("a change");
    assert!(new.diff.ends_with("+pub fn a::b()\n"), "{}", new.diff);
    assert!(new.verdict.contains("breaks callers: mostly no (lines new: 1)"), "{}", new.verdict);
}

#[test]
fn a_missing_file_is_one_to_which_every_line_is_new() {
    let new = compare("", "pub mod a\n").expect("a change");
    assert!(new.verdict.contains("run `cargo xtask api --write`"), "{}", new.verdict);
}
