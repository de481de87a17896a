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
pub(crate) fn roots<'t>(tokens: &'t [Token], name: &str) -> impl Iterator<Item = &'t str> {
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
pub(crate) struct ForeignTypes {
    /// Their numbers, by the crate of ours, and then by the other one.
    lines: BTreeMap<String, BTreeMap<String, usize>>,
}

impl ForeignTypes {
    /// Reads those below `root`.
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(root.join(FOREIGN_TYPES))
            .map_err(|error| format!("{FOREIGN_TYPES}: {error}"))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, String> {
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
    pub(crate) fn compare(&self, listing: &Listing) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::{ForeignTypes, roots};
    use crate::api::listing::Listing;
    use public_api::tokens::Token;
    use std::collections::BTreeMap;

    /// The tokens of an item: words are identifiers but for the ones that begin with a capital.
    fn tokens(item: &str) -> Vec<Token> {
        let word = |text: &str| match text {
            " " => Token::Whitespace,
            "pub" => Token::Qualifier(text.to_owned()),
            "T" | "Self" => Token::Generic(text.to_owned()),
            _ if text.starts_with(char::is_uppercase) => Token::Type(text.to_owned()),
            _ if text.starts_with(char::is_alphabetic) => Token::Identifier(text.to_owned()),
            _ => Token::Symbol(text.to_owned()),
        };
        let mut tokens = Vec::new();
        let mut rest = item;
        while !rest.is_empty() {
            let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let end = if rest.starts_with("::") { 2 } else { name.max(1) };
            tokens.push(word(&rest[..end]));
            rest = &rest[end..];
        }
        tokens
    }

    fn foreign(item: &str) -> Vec<String> {
        roots(&tokens(item), "datafy-api-ext").map(str::to_owned).collect()
    }

    fn listing(foreign: &[(&str, &str)]) -> Listing {
        let foreign = foreign.iter().map(|(name, item)| ((*name).to_owned(), (*item).to_owned()));
        Listing {
            name: "datafy-api-ext",
            text: String::new(),
            foreign: foreign.collect::<BTreeMap<_, _>>(),
        }
    }

    #[test]
    fn only_the_first_segment_of_a_path_is_a_crate() {
        assert_eq!(
            foreign("pub fn datafy_api_ext::fake::Fake<T>::body(bytes::Bytes) -> bytes::Bytes"),
            ["bytes", "bytes"]
        );
        assert_eq!(foreign("pub datafy_api_ext::fake::Seen::body: bytes::Bytes"), ["bytes"]);
        assert_eq!(
            foreign("pub type A::B = <http::Request<T> as tower::Service>::Future"),
            ["http", "tower"]
        );
    }

    #[test]
    fn the_crate_itself_the_standard_library_and_generics_are_not_foreign() {
        let item = "pub fn datafy_api_ext::fake::f(&T::Body, Self::Item) -> alloc::string::String";
        assert!(foreign(item).is_empty());
        // The other crate of the workspace is one.
        assert_eq!(foreign("pub fn datafy_api_ext::f() -> datafy_api::Client"), ["datafy_api"]);
    }

    #[test]
    fn a_new_crate_is_named_with_its_first_item_and_a_line_in_vain_with_its_number() {
        let file =
            "# Kept by hand.\n\ndatafy-api-ext: http # requests\ndatafy-api: chrono # times\n";
        let file = ForeignTypes::parse(file).expect("readable");
        assert!(file.compare(&listing(&[("http", "pub fn a")])).is_empty());

        let findings = file.compare(&listing(&[("bytes", "pub fn b")]));
        let [new, vain] = findings.as_slice() else { panic!("{findings:?}") };
        assert!(new.contains("the crate bytes, first in `pub fn b`"), "{new}");
        assert!(new.contains("add `datafy-api-ext: bytes # why`"), "{new}");
        assert!(vain.starts_with("xtask/api/foreign-types.txt:3: "), "{vain}");
        assert!(vain.contains("no type of the crate http any more"), "{vain}");
    }

    #[test]
    fn a_line_without_reason_of_no_crate_of_ours_or_said_twice_is_refused() {
        for line in ["datafy-api: http", "datafy-api: http #", "other: http # why", "http # why"] {
            let problem = ForeignTypes::parse(line).expect_err(line);
            assert!(problem.starts_with("xtask/api/foreign-types.txt:1: "), "{problem}");
        }
        let twice = "datafy-api: http # why\ndatafy-api: http # because\n";
        let problem = ForeignTypes::parse(twice).expect_err("refused");
        assert!(problem.contains("txt:2: line 1 says the same"), "{problem}");
    }
}
