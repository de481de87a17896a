//! `cargo xtask api`: compares the public API of the crates with the listings in xtask/api.
//!
//! The listings are reviewed like code. cargo-public-api makes them too, on a nightly toolchain, and
//! cargo-semver-checks judges changes against a published version; neither keeps the list of crates whose
//! types are public.

pub mod foreign;
pub mod rustdoc;

use crate::files;
use crate::report::Ending;
use anyhow::{Context, Result};
use foreign::ForeignTypes;
use public_api::Builder;
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;
use std::path::Path;

/// The crates that people depend on.
pub const CRATES: [&str; 2] = ["datafy-api", "datafy-api-ext"];

/// Compares the public API of the crates below `root` with the listings, or writes these.
pub fn run(root: &Path, write: bool) -> Result<Ending> {
    let foreign = ForeignTypes::parse(&files::read(root, files::FOREIGN_TYPES)?)?;
    let documented = rustdoc::document(root)?;
    // All are made before the first is written.
    let listings = CRATES.into_iter().map(|name| Listing::make(&documented, name));
    let mut ending = Ending::Equal;
    for listing in listings.collect::<Result<Vec<_>>>()? {
        let file = format!("xtask/api/{}.txt", listing.name);
        let committed = files::read_if_exists(root, &file)?.unwrap_or_default();
        if write {
            files::write(root, &file, &listing.text)?;
        } else if let Some((diff, verdict)) = change(&file, &committed, &listing) {
            print!("{diff}");
            eprintln!("error: {verdict}");
            ending = Ending::Drift;
        }
        for finding in foreign.compare(&listing) {
            eprintln!("error: {finding}");
            ending = Ending::Drift;
        }
    }
    Ok(ending)
}

/// The public items of a crate, each on a line.
pub struct Listing {
    /// The crate.
    pub name: &'static str,
    pub text: String,
    /// The other crates whose types it names, each with the first item that does.
    pub foreign: BTreeMap<String, String>,
}

impl Listing {
    /// Lists the crate `name` from the output of rustdoc in the folder.
    fn make(documented: &Path, name: &'static str) -> Result<Self> {
        let json = rustdoc::json(documented, name)?;
        // Derived impls stay, since callers clone and compare. Auto traits and blanket impls would be most
        // of the lines; tests cover `Send` and `Sync`.
        let api = Builder::from_rustdoc_json(&json)
            .omit_auto_trait_impls(true)
            .omit_blanket_impls(true)
            .build()
            .with_context(|| json.display().to_string())?;
        let mut foreign = BTreeMap::new();
        for item in api.items() {
            let tokens: Vec<_> = item.tokens().cloned().collect();
            for root in foreign::roots(&tokens, name) {
                foreign.entry(root.to_owned()).or_insert_with(|| item.to_string());
            }
        }
        Ok(Self { name, text: api.to_string(), foreign })
    }
}

/// The diff from the committed listing to the crate, and the verdict on it, unless they are equal.
pub fn change(file: &str, committed: &str, listing: &Listing) -> Option<(String, String)> {
    let name = listing.name;
    let diff = TextDiff::from_lines(committed, &listing.text);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    let breaks = match (count(ChangeTag::Delete), count(ChangeTag::Insert)) {
        (0, 0) => return None,
        // A new required method of a trait or a new variant of an enum breaks callers too.
        (0, new) => format!("mostly no (new lines: {new})"),
        (gone, new) => format!("yes (removed lines: {gone}, new: {new})"),
    };
    let header = format!("what is public in {name}");
    Some((
        // A line is a whole item, so the lines around it add nothing.
        diff.unified_diff().context_radius(0).header(file, &header).to_string(),
        format!(
            "{file} is not what is public in {name}; breaks callers: {breaks}; if that is meant, run \
             `cargo xtask api --write` and add it to CHANGELOG.md"
        ),
    ))
}
