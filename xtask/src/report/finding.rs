//! A finding: a difference between two links of the chain.

use crate::docs::Fragment;
use serde::Serialize;
use similar::{DiffTag, TextDiff};
use std::fmt;
use strum::Display;

/// A link of the chain from the page to the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Link {
    #[default]
    Spec,
    Page,
    Generated,
    Compiled,
    Schemas,
    Wire,
    Fake,
    Prose,
    Waivers,
    Api,
}

/// A difference between two links, with all that a maintainer needs in order to fix it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Finding {
    pub link: Link,
    /// The name that a waiver gives. It holds no line number.
    pub fingerprint: String,
    /// The difference, in one line.
    pub title: String,
    /// Where it shows, the most important place first.
    pub spots: Vec<Spot>,
    /// The operations that it concerns, as `METHOD /path`.
    pub operations: Vec<String>,
    /// Items of the generated code.
    pub items: Vec<String>,
    /// Methods and types that people use.
    pub methods: Vec<String>,
    pub breaks: Option<Breaks>,
    pub cause: Option<Cause>,
    /// What to do about it.
    pub help: String,
    /// Places of the prose that name it, as `FILE:LINE`.
    pub prose: Vec<String>,
    /// YAML to paste into openapi.yaml, if the page shows all of what is new.
    pub paste: Vec<Fragment>,
    /// What the compiler printed.
    pub printed: String,
}

impl Finding {
    pub fn new(link: Link, what: impl fmt::Display, title: impl Into<String>) -> Self {
        let fingerprint = format!("{link}: {what}");
        Self { link, fingerprint, title: title.into(), ..Self::default() }
    }

    /// The difference of a committed file from what it should hold, if there is one.
    pub fn of_file(link: Link, file: &str, committed: &str, expected: &str) -> Option<Self> {
        let diff = TextDiff::from_lines(committed, expected);
        let first = diff.ops().iter().find(|op| op.tag() != DiffTag::Equal)?.old_range().start;
        let title = format!("{file} is not what it is made from");
        let printed =
            diff.unified_diff().context_radius(0).header(file, "as it should be").to_string();
        let finding = Self { printed, ..Self::new(link, format!("{file} stale"), title) };
        Some(finding.at(file, Some(first as u64 + 1), "the first difference"))
    }

    pub fn at(mut self, file: &str, line: Option<u64>, label: impl Into<String>) -> Self {
        self.spots.push(Spot { file: file.to_owned(), line, label: label.into() });
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    pub file: String,
    pub line: Option<u64>,
    pub label: String,
}

/// Whether those who call the API with what is released have to change something, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breaks {
    /// Either of the two.
    pub callers: bool,
    /// The released client stops working with the service.
    pub wire: Option<&'static str>,
    /// Code stops compiling with the next release.
    pub build: Option<&'static str>,
}

/// Why page and spec differ, judged by the recorded page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Display)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    #[strum(to_string = "the page changed since it was recorded")]
    PageChanged,
    #[strum(to_string = "the page is as it was recorded: the transcription is wrong")]
    TranscriptionWrong,
    #[strum(to_string = "the record agrees with neither the page nor the spec")]
    Both,
}
