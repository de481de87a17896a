//! What is not compared: sentences, and names that are ours. Everything else is, also what nobody has thought of.

use super::grammar::{Held, Kind, held};
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

/// Removes what isn't compared.
pub fn without_sentences(value: &mut Value, kind: Kind) {
    let Value::Object(object) = value else { return };
    object.retain(|keyword, _| is_compared(keyword));
    for (keyword, member) in object {
        match (held(kind, keyword), member) {
            (Some((Held::One, inner)), member) => without_sentences(member, inner),
            (Some((_, inner)), Value::Object(all)) => {
                for (_, member) in all {
                    without_sentences(member, inner);
                }
            }
            (Some((_, inner)), Value::Array(all)) => {
                for item in all {
                    without_sentences(item, inner);
                }
            }
            _ => {}
        }
    }
}
