//! What is not compared: sentences, and names that are ours. Everything else is, also what nobody has thought of.

use super::grammar::{Kind, visit};
use serde_json::Value;

/// The keywords that aren't compared, wherever they stand, each with the reason.
pub const NOT_COMPARED: [(&str, &str); 11] = [
    ("description", "the spec describes in its own words"),
    ("summary", "the spec describes in its own words"),
    ("title", "the spec chooses the names of types"),
    ("externalDocs", "the spec describes in its own words"),
    ("tags", "groups on the page"),
    ("operationId", "the spec chooses the names of methods; the record holds them"),
    ("openapi", "the version of the form"),
    ("info", "the name and version of the page itself"),
    ("bearerFormat", "a hint to people"),
    ("xml", "the client sends JSON"),
    ("x-", "extensions; the record holds `x-idempotent`"),
];

/// Whether a keyword is compared.
pub(super) fn is_compared(keyword: &str) -> bool {
    let mut all = NOT_COMPARED.iter();
    !all.any(|(not, _)| *not == keyword || (not.ends_with('-') && keyword.starts_with(not)))
}

/// What isn't compared and recorded all the same: names of operations, and what a copied text doesn't show.
const RECORDED: [&str; 4] = ["operationId", "x-enum", "x-folded", "x-unlabelled"];

/// Removes what isn't recorded, except what OpenAPI requires.
pub fn without_sentences(value: &mut Value, kind: Kind) {
    visit(value, kind, &mut |kind, object| {
        let kept = |keyword: &str| RECORDED.contains(&keyword) || is_compared(keyword);
        object.retain(|keyword, _| kept(keyword) || kind == Kind::Document);
        if kind == Kind::Answer && !object.contains_key("$ref") {
            object.insert("description".to_owned(), "".into());
        }
    });
}
