//! The result of a command, and how it is printed.
//!
//! The JSON format is versioned: fields may be added, and the version rises when one changes or goes.
//! xtask/README.md describes it.

mod finding;
mod print;
mod waivers;

pub use finding::{Breaks, Cause, Finding, Link, Spot};
pub use waivers::Waivers;

use crate::document::{Counts, Problem};
use serde::Serialize;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people, in the style of rustc
    Text,
    /// For programs; described in xtask/README.md
    Json,
    /// Annotations of a GitHub workflow
    Github,
}

/// The result of a command in one word. Its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// All is equal.
    Equal = 0,
    /// Something differs.
    Drift = 1,
    /// Something could not be read, and nothing that was read differs.
    CouldNotCheck = 2,
}

/// The result of a command.
#[derive(Debug, Serialize)]
pub struct Report {
    pub version: u32,
    pub command: &'static str,
    pub ending: Ending,
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    pub receipt: Receipt,
    /// What findings call the page.
    pub page: Option<String>,
}

/// What was compared.
#[derive(Debug, Default, Serialize)]
pub struct Receipt {
    /// A sentence for each link.
    pub compared: Vec<String>,
    /// Numbers of facts of page and spec.
    pub facts: Counts,
    /// The facts of the spec on which the page is silent.
    pub silent: Vec<String>,
    /// The keywords on the page that aren't compared.
    pub not_compared: Vec<String>,
    /// The fingerprints of waived findings.
    pub waived: Vec<String>,
}

impl Report {
    pub fn new(command: &'static str, findings: Vec<Finding>, problems: Vec<Problem>) -> Self {
        let ending = match (findings.is_empty(), problems.is_empty()) {
            (false, _) => Ending::Drift,
            (true, true) => Ending::Equal,
            (true, false) => Ending::CouldNotCheck,
        };
        let (receipt, page) = Default::default();
        Self { version: 1, command, ending, findings, problems, receipt, page }
    }

    /// The report of a command that could compare nothing.
    pub fn could_not_check(command: &'static str, error: &anyhow::Error) -> Self {
        let problem = Problem { file: None, line: None, what: format!("{error:#}") };
        Self::new(command, Vec::new(), vec![problem])
    }

    /// The printed report.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text => print::text(self),
            Format::Json => serde_json::to_string_pretty(self).expect("a report is JSON") + "\n",
            Format::Github => print::github(self),
        }
    }
}

/// The text without what could control a terminal or a workflow.
pub fn clean(text: &str) -> String {
    // Rust doesn't count line separators and changes of the writing direction as control characters.
    let controls = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if controls(c) { '\u{fffd}' } else { c }).collect()
}
