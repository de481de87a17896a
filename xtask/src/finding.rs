//! What `docs` and `check` have to say.

use crate::facts::{Place, Step};
use serde::Serialize;

/// A link of the chain from the page to the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    Spec,
    Page,
    Generated,
    Compiled,
    Schemas,
    Wire,
    Fake,
    Waivers,
}

impl Link {
    pub fn word(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Page => "page",
            Self::Generated => "generated",
            Self::Compiled => "compiled",
            Self::Schemas => "schemas",
            Self::Wire => "wire",
            Self::Fake => "fake",
            Self::Waivers => "waivers",
        }
    }
}

/// A difference between two links, with all that a maintainer needs in order to mend it.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub link: Link,
    /// What a waiver names it by. It holds no line number.
    pub fingerprint: String,
    /// What is so, in one line.
    pub title: String,
    /// Where it shows, the first place first.
    pub spots: Vec<Spot>,
    /// The operations that it concerns, as `METHOD /path`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// Items of the generated code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<String>,
    /// Methods and types that people use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaks: Option<Breaks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What to do about it.
    pub help: String,
    /// The edit of openapi.yaml, where it can be given to the letter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edit: Vec<Hunk>,
}

impl Finding {
    pub fn new(link: Link, what: impl std::fmt::Display, title: impl Into<String>) -> Self {
        Self {
            link,
            fingerprint: format!("{}: {what}", link.word()),
            title: title.into(),
            spots: Vec::new(),
            operations: Vec::new(),
            items: Vec::new(),
            methods: Vec::new(),
            breaks: None,
            cause: None,
            help: String::new(),
            edit: Vec::new(),
        }
    }

    pub fn at(mut self, file: &str, line: Option<u64>, label: impl Into<String>) -> Self {
        self.spots.push(Spot { file: file.to_owned(), line, label: label.into(), focus: None });
        self
    }

    /// Points to the name of `place` in the line of the last spot.
    pub fn focus(mut self, place: &Place) -> Self {
        let name = match place.last() {
            Some(Step::Property(name) | Step::Parameter { name, .. }) => Some(name),
            Some(Step::Operation { path, .. }) => Some(path),
            _ => None,
        };
        if let Some(spot) = self.spots.last_mut() {
            spot.focus = name.map(|name| format!("\"{name}\""));
        }
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

/// A line of a file that a finding speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    pub file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub label: String,
    /// What to look for where the line is long.
    #[serde(skip)]
    pub focus: Option<String>,
}

/// Whether those who call the API with what is released have to change something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breaks {
    pub callers: bool,
    pub why: &'static str,
}

/// Why page and spec differ, as the record of the page tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The record says what the spec says.
    PageChanged,
    /// The record says what the page says.
    TranscriptionWrong,
    /// The record says neither.
    Both,
}

impl Cause {
    pub fn explain(self) -> &'static str {
        match self {
            Self::PageChanged => "the page changed since it was recorded",
            Self::TranscriptionWrong => {
                "the page says what it said when it was recorded: the transcription is wrong"
            }
            Self::Both => "neither page nor spec says what was recorded",
        }
    }
}

/// Lines of openapi.yaml to be taken out at `line` and others to be put there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hunk {
    pub line: u64,
    pub remove: Vec<String>,
    pub insert: Vec<String>,
}
