//! `cargo xtask api`: keeps the public API of the crates in files, so that a change of it is reviewed as
//! the change of the contract that it is.

mod foreign;
mod listing;
pub(crate) mod rustdoc;

use crate::report::Ending;
use crate::write;
use foreign::ForeignTypes;
use listing::Listing;
use similar::{ChangeTag, TextDiff};
use std::path::Path;

/// The crates that people depend on.
const CRATES: [&str; 2] = ["datafy-api", "datafy-api-ext"];

/// Lists what is public in the crates below `root`, and writes or compares. The error says why it couldn't.
pub(crate) fn run(root: &Path, write: bool) -> Result<Ending, String> {
    let foreign = ForeignTypes::load(root)?;
    // All are made before the first is written.
    let listings = CRATES.into_iter().map(|name| Listing::make(root, name));
    let mut ending = Ending::Equal;
    for listing in listings.collect::<Result<Vec<_>, _>>()? {
        let file = format!("xtask/api/{}.txt", listing.name);
        if write {
            write::atomically(&root.join(&file), &listing.text)
                .map_err(|error| format!("{file}: {error}"))?;
        } else if let Some(change) = change(&file, &write::written(root, &file)?, &listing) {
            print!("{}", change.diff);
            eprintln!("error: {}", change.verdict);
            ending = Ending::Drift;
        }
        for finding in foreign.compare(&listing) {
            eprintln!("error: {finding}");
            ending = Ending::Drift;
        }
    }
    Ok(ending)
}

/// How the public API of a crate differs from its file.
struct Change {
    diff: String,
    verdict: String,
}

fn change(file: &str, committed: &str, listing: &Listing) -> Option<Change> {
    let name = listing.name;
    let diff = TextDiff::from_lines(committed, &listing.text);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    let breaks = match (count(ChangeTag::Delete), count(ChangeTag::Insert)) {
        (0, 0) => return None,
        // A method that a trait requires and a variant that a match forgets break callers, too.
        (0, new) => format!("mostly no (lines new: {new})"),
        (gone, new) => format!("yes (lines gone: {gone}, new: {new})"),
    };
    Some(Change {
        diff: diff
            .unified_diff()
            // A line is a whole item, and its neighbours say nothing about it.
            .context_radius(0)
            .header(file, &format!("what is public in {name}"))
            .to_string(),
        verdict: format!(
            "{file} is not what is public in {name}; breaks callers: {breaks}; if that is meant, run \
             `cargo xtask api --write` and tell of it in CHANGELOG.md"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::{Change, Listing, change};
    use std::collections::BTreeMap;

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
        assert!(
            new.verdict.contains("breaks callers: mostly no (lines new: 1)"),
            "{}",
            new.verdict
        );
    }

    #[test]
    fn a_missing_file_is_one_to_which_every_line_is_new() {
        let new = compare("", "pub mod a\n").expect("a change");
        assert!(new.verdict.contains("run `cargo xtask api --write`"), "{}", new.verdict);
    }
}
