//! The crates whose types appear in the public API: a new major version of one is a new one of ours.

use super::CRATES;
use super::listing::Listing;
use public_api::tokens::Token;
use std::collections::BTreeMap;
use std::path::Path;

/// Where they stand, kept by hand.
const FOREIGN_TYPES: &str = "xtask/api/foreign-types.txt";

/// Rust brings them, and never breaks them.
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

/// The lines of the file.
#[derive(Debug)]
pub struct ForeignTypes {
    /// Their numbers, by the crate of ours, and then by the other one.
    lines: BTreeMap<String, BTreeMap<String, usize>>,
}

impl ForeignTypes {
    /// Reads those below `root`.
    pub fn load(root: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(root.join(FOREIGN_TYPES))
            .map_err(|error| format!("{FOREIGN_TYPES}: {error}"))?;
        Self::parse(&text)
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = BTreeMap::<_, BTreeMap<_, _>>::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{FOREIGN_TYPES}:{number}");
            let (ours, other) = pair(line).ok_or_else(|| {
                format!(
                    "{place}: `{line}` can't be read; a line is `CRATE: OTHER # why`, and CRATE is one \
                     of {}",
                    CRATES.join(", ")
                )
            })?;
            if let Some(first) = lines.entry(ours).or_default().insert(other, number) {
                return Err(format!("{place}: line {first} says the same; remove one"));
            }
        }
        Ok(Self { lines })
    }

    /// What the listing names and the file doesn't, and what the file has in vain.
    pub fn compare(&self, listing: &Listing) -> Vec<String> {
        let Listing { name, foreign, .. } = listing;
        let none = BTreeMap::new();
        let lines = self.lines.get(*name).unwrap_or(&none);
        let new = foreign.iter().filter(|(other, _)| !lines.contains_key(*other));
        let new = new.map(|(other, item)| {
            format!(
                "{name} shows types of the crate {other}, first in `{item}`; keep them private, or add \
                 `{name}: {other} # why` to {FOREIGN_TYPES}"
            )
        });
        let vain = lines.iter().filter(|(other, _)| !foreign.contains_key(*other));
        let vain = vain.map(|(other, number)| {
            format!(
                "{FOREIGN_TYPES}:{number}: {name} shows no type of the crate {other} any more; remove \
                 the line"
            )
        });
        new.chain(vain).collect()
    }
}

/// The crate of ours and the other one, of a line that gives a reason as well.
fn pair(line: &str) -> Option<(String, String)> {
    let (pair, why) = line.split_once('#')?;
    let (ours, other) = pair.split_once(':')?;
    let (ours, other) = (ours.trim(), other.trim());
    let complete = CRATES.contains(&ours) && !other.is_empty() && !why.trim().is_empty();
    complete.then(|| (ours.to_owned(), other.to_owned()))
}
