use public_api::tokens::Token;
use std::collections::BTreeMap;
use xtask::api::Listing;
use xtask::api::foreign::{ForeignTypes, roots};

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
fn a_new_crate_is_reported_with_its_first_item_and_an_unused_line_with_its_number() {
    let file = "# Kept by hand.\n\ndatafy-api-ext: http # requests\ndatafy-api: chrono # times\n";
    let file = ForeignTypes::parse(file).expect("readable");
    assert!(file.compare(&listing(&[("http", "pub fn a")])).is_empty());

    let findings = file.compare(&listing(&[("bytes", "pub fn b")]));
    let [new, unused] = findings.as_slice() else { panic!("{findings:?}") };
    assert!(
        new.contains("the crate bytes are public in datafy-api-ext, the first in `pub fn b`"),
        "{new}"
    );
    assert!(new.contains("add `datafy-api-ext: bytes # why`"), "{new}");
    assert!(unused.starts_with("xtask/api/foreign-types.txt:3: "), "{unused}");
    assert!(unused.contains("no type of the crate http is public"), "{unused}");
}

#[test]
fn an_incomplete_an_unknown_and_a_repeated_line_are_refused() {
    for line in ["datafy-api: http", "datafy-api: http #", "other: http # why", "http # why"] {
        let problem = ForeignTypes::parse(line).expect_err(line).to_string();
        assert!(problem.starts_with("xtask/api/foreign-types.txt:1: "), "{problem}");
    }
    let twice = "datafy-api: http # why\ndatafy-api: http # because\n";
    let problem = ForeignTypes::parse(twice).expect_err("refused").to_string();
    assert!(problem.contains("txt:2: a repetition of line 1"), "{problem}");
}
