use public_api::tokens::Token;
use xtask::api::Listing;
use xtask::api::foreign::{ForeignTypes, roots};

/// The crates that an item names, whose words are in front of these.
fn foreign(item: &[&str]) -> Vec<String> {
    let token = |text: &&str| match *text {
        "pub" => Token::Qualifier((*text).to_owned()),
        "T" | "Self" => Token::Generic((*text).to_owned()),
        "::" | "<" | ">" | "(" | ")" | "&" => Token::Symbol((*text).to_owned()),
        _ if text.starts_with(char::is_uppercase) => Token::Type((*text).to_owned()),
        _ => Token::Identifier((*text).to_owned()),
    };
    let tokens: Vec<Token> = item.iter().map(token).collect();
    roots(&tokens, "datafy-api-ext").map(str::to_owned).collect()
}

#[test]
fn only_the_first_segment_of_a_path_is_a_crate_and_our_own_generics_and_the_standard_ones_are_not()
{
    for (item, expected) in [
        ("pub datafy_api_ext :: fake :: f ( & T :: Body )", &[][..]),
        ("pub Self :: Item ( alloc :: string :: String", &[]),
        ("pub < http :: Request < T > ( tower :: Service", &["http", "tower"]),
        // The other crate of the workspace is one.
        ("pub ( datafy_api :: Client )", &["datafy_api"]),
    ] {
        assert_eq!(foreign(&item.split(' ').collect::<Vec<_>>()), expected);
    }
}

#[test]
fn a_new_crate_is_reported_with_its_first_item_and_an_unused_one_by_name() {
    let file = ForeignTypes::parse("datafy-api-ext:\n  http: requests\n").expect("readable");
    let listing = |name: &str, item: &str| Listing {
        name: "datafy-api-ext",
        text: String::new(),
        foreign: [(name.to_owned(), item.to_owned())].into(),
    };
    assert!(file.compare(&listing("http", "pub fn a")).is_empty());
    let findings = file.compare(&listing("bytes", "pub fn b"));
    let [new, unused] = findings.as_slice() else { panic!("{findings:?}") };
    assert!(new.title.contains("bytes are public in datafy-api-ext, the first in `pub fn b`"));
    assert!(unused.title.contains("no type of the crate http is public"));
}

#[test]
fn an_unexplained_an_unknown_and_a_repeated_crate_are_refused() {
    for text in [
        "datafy-api: http",
        "datafy-api:\n  http: ''",
        "other:\n  http: why",
        "datafy-api:\n  a: b\n  a: c",
    ] {
        let problem = format!("{:#}", ForeignTypes::parse(text).expect_err(text));
        assert!(problem.starts_with("xtask/api/foreign-types.yaml: "), "{problem}");
    }
}
