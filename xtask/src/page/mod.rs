//! The vendor's page as facts, in either of the shapes in which people get it.

mod absence;
mod block;
mod markdown;
pub mod record;
mod row;
mod source;
mod text;

pub use source::{fetch, name};

use crate::contract::{Aspect, Facts, Place, Unreadable};
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
        let documents = markdown::documents(text);
        let (shape, read) = if documents.is_empty() {
            (Shape::Text, text::read(text, spec))
        } else {
            (Shape::Markdown, markdown::read(documents))
        };
        let (facts, mut unreadable) = read.map_err(|why| {
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
        unreadable.extend(damaged);
        unreadable.sort_by_key(|unreadable| unreadable.line);
        Ok(Self { shape, facts, unreadable })
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

/// Adds the facts of one description, whose operations may be described already. `line` is its line.
fn add(facts: &mut Facts, mut own: Facts, line: u64, unreadable: &mut Vec<Unreadable>) {
    fn all<'a>(facts: &'a Facts, root: &Place) -> Vec<(&'a Place, Vec<(Aspect, &'a Value)>)> {
        let places = facts.subjects.iter().filter(|(place, _)| place.root() == *root);
        places.map(|(place, subject)| (place, subject.values().collect())).collect()
    }
    let known = |root: &Place| facts.get(root).is_some() && own.get(root).is_some();
    let roots = own.operations().cloned().chain([Place::default()]).filter(known);
    for root in roots.collect::<Vec<_>>() {
        if all(facts, &root) != all(&own, &root) {
            let problem = format!("{root} is described twice, in different ways");
            unreadable.push(Unreadable { line: Some(line), problem });
        }
        own.subjects.retain(|place, _| place.root() != root);
    }
    facts.not_compared.append(&mut own.not_compared);
    facts.subjects.extend(own.subjects);
}
