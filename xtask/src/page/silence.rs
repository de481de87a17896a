//! What it means that a page doesn't show something: that the API doesn't have it, or nothing.

use super::Shape::{self, Markdown, Text};
use crate::document::{Facts, Kind, Pointer};

/// Something that pages of these shapes can't show, and whether it is about this place or keyword, which the page doesn't
/// have: whoever doesn't find it there knows nothing.
pub type Silent = (&'static str, &'static [Shape], fn(&Facts, &Pointer) -> bool);

/// All that pages can't show. Everything else is always shown, and what isn't was removed.
pub const SILENT: [Silent; 8] = [
    (
        "what is folded: alternatives, nested objects, an answer shown as `Responseobject`",
        &[Text, Markdown],
        Facts::is_folded,
    ),
    ("servers, which another document may state", &[Text, Markdown], |_, missing| {
        missing.0 == "/servers"
    }),
    ("examples, which another document may state", &[Markdown], |_, missing| {
        missing.kind() == Kind::Keyword && missing.holder() == "example"
    }),
    ("whether a request body is required, and its media type", &[Text], |_, missing| {
        missing.holder() == "required" && missing.parent().kind() == Kind::Body
    }),
    ("the headers of an answer", &[Text], |_, missing| missing.kind() == Kind::Header),
    ("the answers beside the one that is selected", &[Text], |page, missing| {
        let is_answer = |place: &Pointer| place.kind() == Kind::Answer;
        is_answer(missing) && page.children(&missing.parent()).any(is_answer)
    }),
    (
        "keywords that a row has no word for, such as `explode` or `multipleOf`",
        &[Text],
        |_, missing| {
            missing.kind() == Kind::Keyword
                && !OF_ROWS.split(' ').any(|keyword| keyword == missing.holder())
        },
    ),
    (
        "limits and marks of the items of a list: a row shows those of the list",
        &[Text],
        |_, missing| {
            let of_items = ["type", "format", "enum", "pattern"];
            missing.kind() == Kind::Keyword
                && missing.parent().holder() == "items"
                && !of_items.contains(&&*missing.holder())
        },
    ),
];

/// The keywords that a copied text shows.
const OF_ROWS: &str = "security deprecated content required type format readOnly writeOnly nullable enum minimum maximum \
    minLength maxLength minItems maxItems minProperties maxProperties pattern default example";

/// Whether a page of this shape, which doesn't have what the spec has at `missing`, is silent on it.
pub fn is_silent(shape: Shape, page: &Facts, missing: &Pointer) -> bool {
    SILENT.iter().any(|(_, shapes, is)| shapes.contains(&shape) && is(page, missing))
}
