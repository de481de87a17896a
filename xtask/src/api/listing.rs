//! What is public in a crate, a line an item.

use super::{foreign, rustdoc};
use public_api::Builder;
use std::collections::BTreeMap;
use std::path::Path;

pub struct Listing {
    /// The crate.
    pub name: &'static str,
    pub text: String,
    /// The crates whose types it names, each with the first item that does.
    pub foreign: BTreeMap<String, String>,
}

impl Listing {
    /// Lists the crate `name` of the workspace at `root`.
    pub fn make(root: &Path, name: &'static str) -> Result<Self, String> {
        let json = rustdoc::json(root, name)?;
        // Derived impls stay: whoever clones or compares a value depends on them. Auto traits and blanket
        // impls would be most of the lines; that what people share is `Send` and `Sync`, the tests say.
        let api = Builder::from_rustdoc_json(&json)
            .omit_auto_trait_impls(true)
            .omit_blanket_impls(true)
            .build()
            .map_err(|error| format!("{}: {error}", json.display()))?;
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
