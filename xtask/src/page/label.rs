//! The lines of a copied text that say what the lines below them are about.

use super::row;
use crate::document::Within;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Section {
    None,
    Authorizations,
    Parameters(Within),
    Body,
    Answers,
    /// The content of an answer, under a title.
    Answer,
    /// The headers of an answer, which are folded.
    Headers,
}

/// The section that a line opens, and the rest of the line: a type, a media type.
pub(super) fn label(line: &str) -> Option<(Section, &str)> {
    let bare = row::without_icon(line).trim();
    let titled = |word: &str, section: Section| {
        let rest = bare.strip_prefix(word)?;
        let (kind, media) = row::kind(rest);
        let fits = !kind.is_empty() || section == Section::Body;
        (fits && (media.is_empty() || is_media(media))).then_some((section, rest))
    };
    Some(match bare {
        "Authorizations" | "Authorization" => (Section::Authorizations, ""),
        "Path parameters" => (Section::Parameters(Within::Path), ""),
        "Query parameters" => (Section::Parameters(Within::Query), ""),
        "Header parameters" => (Section::Parameters(Within::Header), ""),
        "cookie" | "Cookie" | "Cookie parameters" => (Section::Parameters(Within::Cookie), ""),
        "Responses" | "Response" => (Section::Answers, ""),
        "Headers" | "Headersobject" => (Section::Headers, ""),
        _ => titled("Body", Section::Body).or_else(|| titled("Response", Section::Answer))?,
    })
}

pub(super) fn is_media(text: &str) -> bool {
    let families = ["application", "text", "image", "audio", "video", "multipart", "*"];
    text.split_once('/').is_some_and(|(family, kind)| {
        families.contains(&family) && !kind.is_empty() && !kind.contains(char::is_whitespace)
    })
}

/// A status, sometimes joined with an icon.
pub(super) fn status(line: &str) -> Option<&str> {
    let bare = row::without_icon(line).trim();
    let mut digits = bare.bytes();
    let is_status = digits.next().is_some_and(|first| (b'1'..=b'5').contains(&first))
        && bare.len() == 3
        && (digits.all(|digit| digit.is_ascii_digit()) || bare.ends_with("XX"));
    (is_status || bare == "default").then_some(bare)
}
