//! The record of the page: its facts, and none of its sentences.

use super::{Page, Shape};
use crate::compare::Comparison;
use crate::facts::{Aspect, Facts, Place};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Where it is kept.
pub const RECORD: &str = "xtask/page.json";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    shape: Shape,
    /// The facts that the spec added on its own when this was recorded, each as a place and what is said of it.
    silent: Vec<String>,
    facts: Vec<Entry>,
}

/// A place, and what is said of it.
#[derive(Serialize, Deserialize)]
struct Entry {
    at: Place,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    opaque: bool,
    #[serde(flatten)]
    stated: BTreeMap<Aspect, Value>,
}

/// The facts of a page as they came.
pub struct Entries {
    shape: Shape,
    facts: Vec<Entry>,
}

impl Entries {
    pub fn of(page: &Page) -> Self {
        let facts = page.facts.subjects.iter().map(|(place, subject)| {
            let stated = subject.stated.iter();
            let stated = stated.map(|(aspect, stated)| (*aspect, stated.value.clone())).collect();
            Entry { at: place.clone(), opaque: subject.opaque, stated }
        });
        Self { shape: page.shape, facts: facts.collect() }
    }

    /// The text of the record: a fact that the page is silent of, and a place, on a line each.
    pub fn write(&self, comparison: &Comparison) -> String {
        let silent: Vec<String> =
            comparison.silent.iter().map(|silent| line(&silent.to_string())).collect();
        let facts: Vec<String> = self.facts.iter().map(line).collect();
        format!(
            "{{\n  \"shape\": {},\n  \"silent\": {},\n  \"facts\": {}\n}}\n",
            line(&self.shape),
            list(&silent),
            list(&facts),
        )
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a record is JSON")
}

fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return "[]".to_owned();
    }
    format!("[\n    {}\n  ]", lines.join(",\n    "))
}

/// A page as it was recorded.
pub struct Recorded {
    pub page: Page,
    /// See [`Record::silent`].
    pub silent: Vec<String>,
}

/// Reads the record below `root`, if there is one.
pub fn load(root: &Path) -> Result<Option<Recorded>, String> {
    match std::fs::read_to_string(root.join(RECORD)) {
        Ok(text) => read(&text).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{RECORD}: {error}")),
    }
}

fn read(text: &str) -> Result<Recorded, String> {
    let record: Record = serde_json::from_str(text).map_err(|error| {
        format!("{RECORD}: {error}; write it anew with `cargo xtask docs PAGE --record`")
    })?;
    let mut facts = Facts::default();
    for entry in record.facts {
        let subject = facts.subject(&entry.at);
        subject.opaque = entry.opaque;
        for (aspect, value) in entry.stated {
            subject.state(aspect, value, None);
        }
    }
    let page = Page { shape: record.shape, facts, unreadable: Vec::new() };
    Ok(Recorded { page, silent: record.silent })
}
