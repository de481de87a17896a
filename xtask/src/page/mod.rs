//! The vendor's page as an OpenAPI document, in either of the shapes in which people get it.

mod block;
mod draft;
mod markdown;
pub mod record;
mod row;
pub mod silence;
mod source;
mod text;

pub use source::{fetch, name};

use crate::document::{Comparison, Facts, Pointer, Unreadable, compare};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use silence::is_silent;

/// The shape of a page. It determines what the page's silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A copy of the rendered page, in which parts are folded away.
    Text,
    /// `GitBook`'s Markdown, whose OpenAPI documents are complete.
    Markdown,
}

/// A page that was read.
#[derive(Debug)]
pub struct Page {
    pub shape: Shape,
    pub document: Value,
    /// The document, normalised and flattened.
    pub facts: Facts,
    pub unreadable: Vec<Unreadable>,
}

/// Why a text is not a page that can be compared, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPage {
    #[error("it is empty; give the text of the page, or its Markdown")]
    Empty,
    #[error("it is not UTF-8 text; copy the page as text, or use its Markdown")]
    NotText,
    #[error("it says `Page Not Found`, as GitBook does with status 200; look up the page's URL")]
    NotFound,
    #[error("it is HTML; append `.md` to the page's URL to get its Markdown")]
    Html,
    #[error(
        "it has operations but no English label such as `Responses`; copy the page in English, or use \
         its Markdown"
    )]
    Language,
    #[error(
        "it describes no operation; give a GitBook page of API operations, as copied text or as Markdown"
    )]
    NoOperation,
}

impl Page {
    /// Reads a page, whose shape shows in its content. `spec` resolves ambiguities of the text.
    pub fn read(bytes: &[u8], spec: &Facts) -> Result<Self, NotAPage> {
        let decoded = String::from_utf8_lossy(bytes);
        let damaged = not_utf8(bytes);
        let text = decoded.strip_prefix('\u{feff}').unwrap_or(&decoded);
        if text.contains('\0') {
            return Err(NotAPage::NotText);
        }
        if text.trim().is_empty() {
            return Err(NotAPage::Empty);
        }
        let (shape, draft) = if markdown::is_markdown(text) {
            (Shape::Markdown, markdown::read(text))
        } else {
            (Shape::Text, text::read(text, spec))
        };
        let draft = draft.map_err(|why| {
            if !damaged.is_empty() {
                return NotAPage::NotText;
            }
            let start = text.trim_start().get(..15).unwrap_or_default().to_lowercase();
            if text.lines().any(|line| line.trim() == "# Page Not Found") {
                NotAPage::NotFound
            } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
                NotAPage::Html
            } else {
                why
            }
        })?;
        let mut page = draft.finish(shape);
        page.unreadable.extend(damaged);
        page.unreadable.sort_by_key(|unreadable| unreadable.line);
        Ok(page)
    }

    /// Compares the page, which is aligned with the spec, as far as its shape shows.
    pub fn compare(&mut self, spec: &Facts) -> Comparison {
        let (shape, whole) = (self.shape, self.unreadable.is_empty());
        // What could not be read may be anywhere.
        compare(spec, &mut self.facts, &|page, missing| !whole || is_silent(shape, page, missing))
    }

    /// Whether the page, which doesn't have what the spec has at `missing`, is silent on it.
    pub fn is_silent_on(&self, missing: &Pointer) -> bool {
        !self.unreadable.is_empty() || is_silent(self.shape, &self.facts, missing)
    }
}

/// The lines that hold a byte that is not UTF-8.
fn not_utf8(bytes: &[u8]) -> Vec<Unreadable> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    let damaged = lines.filter_map(|(line, number)| {
        let at = std::str::from_utf8(line).err()?.valid_up_to();
        let problem = format!("byte {} of the line, {:#04x}, is not UTF-8", at + 1, line[at]);
        Some(Unreadable { line: Some(number), problem })
    });
    damaged.collect()
}
