//! The crates whose types appear in the public API: a new major version of one of them is a new major version of ours.

use super::{CRATES, Listing};
use crate::files::FOREIGN_TYPES;
use anyhow::{Result, bail, ensure};
use public_api::tokens::Token;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

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

/// Our crate, the other one, and the reason.
static LINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\S+): *(\S+) *# *\S").expect("a regular expression"));

/// The lines of the file, which is written by hand: `CRATE: OTHER # why`.
#[derive(Debug)]
pub struct ForeignTypes {
    /// The number of each line, by our crate and the other one.
    lines: BTreeMap<(String, String), usize>,
}

impl ForeignTypes {
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{FOREIGN_TYPES}:{number}");
            let Some(parts) = LINE.captures(line).filter(|parts| CRATES.contains(&&parts[1]))
            else {
                let ours = CRATES.join(", ");
                bail!("{place}: `{line}` is not `CRATE: OTHER # why`, with CRATE one of {ours}");
            };
            let first = lines.insert((parts[1].to_owned(), parts[2].to_owned()), number);
            ensure!(first.is_none(), "{place}: a repetition of line {}", first.unwrap_or_default());
        }
        Ok(Self { lines })
    }

    /// The crates that the listing names and the file doesn't, and the reverse.
    pub fn compare(&self, listing: &Listing) -> Vec<String> {
        let Listing { name, foreign, .. } = listing;
        let unlisted =
            |other: &&String| !self.lines.contains_key(&((*name).to_owned(), (*other).clone()));
        let new = foreign.keys().filter(unlisted).map(|other| {
            format!(
                "types of the crate {other} are public in {name}, the first in `{}`; keep them private, or \
                 add `{name}: {other} # why` to {FOREIGN_TYPES}",
                foreign[other]
            )
        });
        let own = self.lines.iter().filter(|((ours, _), _)| ours == name);
        let unused = own.filter(|((_, other), _)| !foreign.contains_key(other));
        let unused = unused.map(|((_, other), number)| {
            format!(
                "{FOREIGN_TYPES}:{number}: no type of the crate {other} is public in {name}; remove the line"
            )
        });
        new.chain(unused).collect()
    }
}
