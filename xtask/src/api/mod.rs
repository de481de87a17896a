//! `cargo xtask api`: keeps the public API of the crates in files, so that a change of it is reviewed as
//! the change of the contract that it is.

pub mod foreign;
pub mod listing;
pub mod rustdoc;

use crate::report::Ending;
use crate::write;
use foreign::ForeignTypes;
use listing::Listing;
use similar::{ChangeTag, TextDiff};
use std::path::Path;

/// The crates that people depend on.
const CRATES: [&str; 2] = ["datafy-api", "datafy-api-ext"];

/// Lists what is public in the crates below `root`, and writes or compares. The error says why it couldn't.
pub fn run(root: &Path, write: bool) -> Result<Ending, String> {
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
pub struct Change {
    pub diff: String,
    pub verdict: String,
}

pub fn change(file: &str, committed: &str, listing: &Listing) -> Option<Change> {
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
