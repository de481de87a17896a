//! `cargo xtask api`: compares the public API of the crates with the listings in xtask/api.
//!
//! The listings are reviewed like code. cargo-public-api makes them too, on a nightly toolchain, and
//! cargo-semver-checks judges changes against a published version; neither keeps the list of crates whose
//! types are public.

pub mod foreign;
pub mod rustdoc;

use crate::files;
use crate::report::{Finding, Link, Report};
use anyhow::{Context, Result};
use foreign::ForeignTypes;
use public_api::Builder;
use std::collections::BTreeMap;
use std::path::Path;

/// The crates that people depend on.
pub const CRATES: [&str; 2] = ["datafy-api", "datafy-api-ext"];

/// Compares the public API of the crates below `root` with the listings, or writes these.
pub fn run(root: &Path, write: bool) -> Result<Report> {
    let foreign = ForeignTypes::parse(&files::read(root, files::FOREIGN_TYPES)?)?;
    let documented = rustdoc::document(root)?;
    // All are made before the first is written.
    let listings = CRATES.into_iter().map(|name| Listing::make(&documented, name));
    let mut findings = Vec::new();
    for listing in listings.collect::<Result<Vec<_>>>()? {
        let file = format!("xtask/api/{}.txt", listing.name);
        if write {
            files::write(root, &file, &listing.text)?;
        } else {
            let committed = files::read_if_exists(root, &file)?.unwrap_or_default();
            findings.extend(listing.change(&file, &committed));
        }
        findings.extend(foreign.compare(&listing));
    }
    Ok(Report::new("api", findings, Vec::new()))
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

    /// The change since the committed listing in `file`, if there is one.
    pub fn change(&self, file: &str, committed: &str) -> Option<Finding> {
        let finding = Finding::of_file(Link::Api, file, committed, &self.text)?;
        // A new required method of a trait or a new variant of an enum breaks callers too.
        Some(finding.help(
            "a line that is removed or changed breaks callers, and a new one mostly doesn't; if it is meant, run `cargo \
             xtask api --write` and add it to CHANGELOG.md",
        ))
    }
}
