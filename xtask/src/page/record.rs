//! The record of a page: its facts, without its sentences.

use super::{Page, Shape};
use crate::contract::{Comparison, Facts, Place, Subject};
use crate::files::{self, RECORD};
use anyhow::{Result, anyhow};
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    shape: Shape,
    /// The facts of the spec on which the page was silent when this was recorded: `PLACE: ASPECT`.
    silent: Vec<String>,
    facts: Vec<Entry>,
}

/// A place and its facts.
#[derive(Serialize, Deserialize)]
struct Entry {
    at: Place,
    #[serde(flatten)]
    subject: Subject,
}

impl Record {
    /// The record of a page, in its own order and spelling.
    pub fn new(page: &Page) -> Self {
        let subjects = page.facts.subjects.clone().into_iter();
        let facts = subjects.map(|(at, subject)| Entry { at, subject }).collect();
        Self { shape: page.shape, silent: Vec::new(), facts }
    }

    /// The text of the record, with a line for each silent fact and each place.
    pub fn write(&self, comparison: &Comparison) -> String {
        let silent = comparison.silent.iter().map(ToString::to_string);
        format!(
            "{{\n  \"shape\": {},\n  \"silent\": {},\n  \"facts\": {}\n}}\n",
            line(&self.shape),
            list(silent),
            list(&self.facts),
        )
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a record is JSON")
}

fn list<T: Serialize>(values: impl IntoIterator<Item = T>) -> String {
    let lines: Vec<String> = values.into_iter().map(|value| line(&value)).collect();
    if lines.is_empty() {
        "[]".to_owned()
    } else {
        format!("[\n    {}\n  ]", lines.join(",\n    "))
    }
}

/// A page as it was recorded.
pub struct Recorded {
    pub page: Page,
    /// The facts on which the page was silent when it was recorded.
    pub silent: Vec<String>,
}

/// Reads the record below `root`, if there is one.
pub fn load(root: &Path) -> Result<Option<Recorded>> {
    let Some(text) = files::read_if_exists(root, RECORD)? else { return Ok(None) };
    let record: Record = serde_json::from_str(&text).map_err(|error| {
        anyhow!("{RECORD}: {error}; replace it with `cargo xtask docs PAGE --record`")
    })?;
    let subjects = record.facts.into_iter().map(|entry| (entry.at, entry.subject)).collect();
    let facts = Facts { subjects, ..Facts::default() };
    let page = Page { shape: record.shape, facts, unreadable: Vec::new() };
    Ok(Some(Recorded { page, silent: record.silent }))
}
