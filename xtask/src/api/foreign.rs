//! The crates whose types appear in the public API: a new major version of one of them is a new major version of ours.

use super::{CRATES, Listing};
use crate::files::FOREIGN_TYPES;
use crate::report::{Finding, Link};
use anyhow::{Context, Result, ensure};
use public_api::tokens::Token;
use std::collections::{BTreeMap, BTreeSet};

/// The crates of Rust itself.
const STANDARD: [&str; 3] = ["core", "alloc", "std"];

/// The crates that an item of the crate `name` names: the first segments of its paths.
pub fn roots<'t>(tokens: &'t [Token], name: &str) -> impl Iterator<Item = &'t str> {
    let own = name.replace('-', "_");
    // An item begins with a word such as `pub`, so each path has a token before it.
    tokens.windows(3).filter_map(move |tokens| match tokens {
        [before, Token::Identifier(root), after]
            if before.text() != "::"
                && after.text() == "::"
                && *root != own
                && !STANDARD.contains(&root.as_str()) =>
        {
            Some(root.as_str())
        }
        _ => None,
    })
}

/// The file, which is written by hand: the reasons, by our crate and the other one.
#[derive(Debug)]
pub struct ForeignTypes(BTreeMap<String, BTreeMap<String, String>>);

impl ForeignTypes {
    pub fn parse(text: &str) -> Result<Self> {
        let all: BTreeMap<String, BTreeMap<String, String>> =
            serde_saphyr::from_str(text).context(FOREIGN_TYPES)?;
        for (ours, others) in &all {
            let known = CRATES.contains(&ours.as_str());
            ensure!(known, "{FOREIGN_TYPES}: `{ours}` is not one of {}", CRATES.join(", "));
            let unexplained = others.iter().find(|(_, why)| why.trim().is_empty());
            ensure!(unexplained.is_none(), "{FOREIGN_TYPES}: {unexplained:?} has no reason");
        }
        Ok(Self(all))
    }

    /// The crates that the listing names and the file doesn't, and the reverse.
    pub fn compare(&self, listing: &Listing) -> Vec<Finding> {
        let Listing { name, foreign, .. } = listing;
        let none = BTreeMap::new();
        let listed = self.0.get(*name).unwrap_or(&none);
        let differ = |other: &&String| foreign.contains_key(*other) != listed.contains_key(*other);
        let others: BTreeSet<&String> =
            foreign.keys().chain(listed.keys()).filter(differ).collect();
        let findings = others.into_iter().map(|other| {
            let (title, help) = match foreign.get(other) {
                Some(item) => (
                    format!(
                        "types of the crate {other} are public in {name}, the first in `{item}`"
                    ),
                    "keep them private, or list the crate with the reason",
                ),
                None => (format!("no type of the crate {other} is public in {name}"), "remove it"),
            };
            let finding = Finding::new(Link::Api, format!("{name} {other}"), title);
            finding.at(FOREIGN_TYPES, None, "the list").help(help)
        });
        findings.collect()
    }
}
