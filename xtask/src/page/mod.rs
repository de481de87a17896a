//! The vendor's page, in either of the shapes in which a person gets it.

mod markdown;
pub mod record;
mod row;
mod source;
mod text;

pub use source::{fetch, name};

use crate::facts::{Aspect, Facts, Place};
use serde::{Deserialize, Serialize};

/// How the page was given. What a shape can't show it doesn't deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A copy of the rendered page. What is folded away isn't there.
    Text,
    /// `GitBook`'s Markdown. Its OpenAPI documents are whole.
    Markdown,
}

impl Shape {
    /// Whether a page that says nothing of an aspect of something it shows says thereby that there is
    /// none.
    pub fn denies(self, aspect: Aspect) -> bool {
        match aspect {
            // Stands in the row, or in the schema.
            Aspect::Format
            | Aspect::ReadOnly
            | Aspect::WriteOnly
            | Aspect::Nullable
            | Aspect::Deprecated => true,
            Aspect::Servers | Aspect::Security | Aspect::Example => false,
            _ => self == Self::Markdown,
        }
    }

    /// Whether a page that doesn't show a place says thereby that there is none.
    pub fn denies_places(self) -> bool {
        self == Self::Markdown
    }
}

/// A page that was read.
#[derive(Debug)]
pub struct Page {
    pub shape: Shape,
    pub facts: Facts,
    pub unreadable: Vec<Unreadable>,
}

/// A place of a page that can't be understood, or that contradicts another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub line: Option<u64>,
    pub problem: String,
}

/// Why a text is no page that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRead {
    Empty,
    NotText,
    NotFound,
    Html,
    Language,
    NoOperation,
}

impl NotRead {
    /// What is wrong, and what to do.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Empty => "it is empty; give the text of the page, or its Markdown",
            Self::NotText => "it is not UTF-8 text; copy the page as text, or take its Markdown",
            Self::NotFound => {
                "it says `Page Not Found`, as GitBook does with status 200; look up the page's URL"
            }
            Self::Html => "it is HTML; append `.md` to the page's URL to get its Markdown",
            Self::Language => {
                "it has operations and no English label such as `Responses`; \
                 copy the page in English, or take its Markdown"
            }
            Self::NoOperation => {
                "it describes no operation; give a GitBook page of API operations, \
                 as copied text or as Markdown"
            }
        }
    }
}

impl Page {
    /// Reads a page, whose shape shows in its content. `spec` settles what the text leaves open.
    pub fn read(bytes: &[u8], spec: &Facts) -> Result<Self, NotRead> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotRead::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.contains('\0') {
            return Err(NotRead::NotText);
        }
        if text.trim().is_empty() {
            return Err(NotRead::Empty);
        }
        let documents = markdown::documents(text);
        let (shape, read) = if documents.is_empty() {
            (Shape::Text, text::read(text, spec))
        } else {
            (Shape::Markdown, markdown::read(documents))
        };
        let (facts, unreadable) = read.map_err(|why| {
            let start = text.trim_start().get(..15).unwrap_or_default().to_lowercase();
            if text.lines().any(|line| line.trim() == "# Page Not Found") {
                NotRead::NotFound
            } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
                NotRead::Html
            } else {
                why
            }
        })?;
        Ok(Self { shape, facts, unreadable })
    }
}

/// Whether two descriptions of an operation say the same.
fn same(operation: &Place, one: &Facts, other: &Facts) -> bool {
    let all = |facts: &Facts| -> Vec<_> {
        let places = facts.subjects.iter().filter(|(place, _)| place.root() == *operation);
        places
            .map(|(place, subject)| {
                let stated = subject.stated.iter();
                let stated: Vec<_> =
                    stated.map(|(aspect, stated)| (*aspect, stated.value.clone())).collect();
                (place.clone(), stated)
            })
            .collect()
    };
    all(one) == all(other)
}
