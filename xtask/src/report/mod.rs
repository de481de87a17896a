//! What a command found, and the ways to print it.
//!
//! `json` is versioned: a field may be added, and the version rises when one changes or goes. The
//! README of xtask describes it.

mod github;
mod json;
pub mod text;

use crate::finding::Finding;
use serde::Serialize;
use std::collections::BTreeMap;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people, as rustc does
    Text,
    /// For programs
    Json,
    /// Annotations of a GitHub workflow
    Github,
}

/// How a command ended, and the exit code that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// All is equal: 0.
    Equal,
    /// Something has drifted: 1.
    Drift,
    /// It could not be found out, or not all of it: 2.
    CouldNotCheck,
}

impl Ending {
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// What a command found.
#[derive(Debug, Serialize)]
pub struct Report {
    pub version: u32,
    pub command: &'static str,
    pub ending: Ending,
    pub findings: Vec<Finding>,
    /// Why it could not be found out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    pub receipt: Receipt,
    /// What findings call the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The lines of the files that findings speak of.
    #[serde(skip)]
    pub texts: BTreeMap<String, Vec<String>>,
}

/// Something that could not be read.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// The page, where it is one of its lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub what: String,
}

/// What was compared.
#[derive(Debug, Default, Serialize)]
pub struct Receipt {
    /// A line of words a link.
    pub compared: Vec<String>,
    /// Numbers of facts, of page and spec.
    pub facts: Counts,
    /// The facts of the spec of which the page says nothing.
    pub silent: Vec<String>,
    /// The fingerprints of findings that are waived.
    pub waived: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub operations: usize,
    pub agreeing: usize,
    pub differing: usize,
    pub silent: usize,
    pub unreadable: usize,
}

impl Report {
    pub fn new(command: &'static str, findings: Vec<Finding>, problems: Vec<Problem>) -> Self {
        let ending = if !findings.is_empty() {
            Ending::Drift
        } else if problems.is_empty() {
            Ending::Equal
        } else {
            Ending::CouldNotCheck
        };
        let (receipt, page, texts) = Default::default();
        Self { version: 1, command, ending, findings, problems, receipt, page, texts }
    }

    /// One that says only why there is nothing to say. The problem names the file.
    pub fn could_not(command: &'static str, problem: impl Into<String>) -> Self {
        let problem = Problem { file: None, line: None, what: problem.into() };
        Self::new(command, Vec::new(), vec![problem])
    }

    /// Lets findings show lines of `file`.
    pub fn show(&mut self, file: &str, text: &str) {
        self.texts.insert(file.to_owned(), text.lines().map(str::to_owned).collect());
    }

    /// A problem in one line, with its place.
    fn explain(problem: &Problem) -> String {
        let file = problem.file.as_ref().map(|file| match problem.line {
            Some(line) => format!("{file}:{line}: "),
            None => format!("{file}: "),
        });
        clean(&format!("{}{}", file.unwrap_or_default(), problem.what))
    }

    fn is_page(&self, file: &str) -> bool {
        self.page.as_deref() == Some(file)
    }

    /// The whole of it. `colour`: for a terminal that shows colours.
    pub fn render(&self, format: Format, colour: bool) -> String {
        match format {
            Format::Text => text::render(self, colour),
            Format::Json => json::render(self),
            Format::Github => github::render(self),
        }
    }
}

/// A text for one line of output: what a page holds must not steer a terminal or a workflow.
pub fn clean(text: &str) -> String {
    // Line separators, and marks that turn the direction of writing, are no control characters to Rust.
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}
