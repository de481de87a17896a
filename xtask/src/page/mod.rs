//! The vendor's page as an OpenAPI document, in either of the shapes in which people get it.

mod block;
mod label;
mod markdown;
pub mod record;
mod row;
pub mod silence;
mod source;
mod text;

pub use source::{fetch, name};

use crate::document::{Comparison, Facts, Pointer, Problem, compare};
use serde::{Deserialize, Serialize};
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
    /// Its document, normalised and flattened.
    pub facts: Facts,
    pub unreadable: Vec<Problem>,
}

/// Why a text is not a page that can be compared, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPage {
    #[error("it is empty; give the text of the page, or its Markdown")]
    Empty,
    #[error("line {line} is not UTF-8; copy the page as text, or use its Markdown")]
    NotText { line: usize },
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
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            NotAPage::NotText { line: before.matches('\n').count() + 1 }
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(NotAPage::Empty);
        }
        let is_markdown = markdown::is_markdown(text);
        let shape = if is_markdown { Shape::Markdown } else { Shape::Text };
        let mut page = Self { shape, facts: Facts::default(), unreadable: Vec::new() };
        let read = if is_markdown {
            markdown::read(text, &mut page)
        } else {
            text::read(text, spec, &mut page)
        };
        read.map_err(|why| {
            let start = text.trim_start().get(..15).unwrap_or_default().to_lowercase();
            if text.lines().any(|line| line.trim() == "# Page Not Found") {
                NotAPage::NotFound
            } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
                NotAPage::Html
            } else {
                why
            }
        })?;
        page.unreadable.sort_by_key(|unreadable| unreadable.line);
        Ok(page)
    }

    fn cannot_read(&mut self, line: u64, what: impl Into<String>) {
        self.unreadable.push(Problem { line: Some(line), what: what.into(), file: None });
    }

    /// Adds what a piece of the page states that begins on `line`. What several pieces state must be the same.
    fn add(&mut self, piece: Facts, line: u64) {
        for (place, _) in piece.inner(&Pointer::default()) {
            if self.facts.has(place) && self.facts.stated(place) != piece.stated(place) {
                self.cannot_read(line, format!("{place} is described twice, in different ways"));
            }
        }
        self.facts.extend(piece);
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
