//! Places in an API: an operation, and the way down to a parameter or property.

use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{Display, EnumIter, EnumString};

/// An operation, and the steps to something in it. Without steps it is the API itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place(pub Vec<Step>);

impl Place {
    pub fn operation(method: &str, path: &str) -> Self {
        Self(vec![Step::Operation { path: path.to_owned(), method: method.to_uppercase() }])
    }

    pub fn then(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    pub fn property(&self, name: &str) -> Self {
        self.then(Step::Property(name.to_owned()))
    }

    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// Its operation.
    pub fn root(&self) -> Self {
        Self(self.0[..self.0.len().min(1)].to_vec())
    }

    pub fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    /// The steps within the operation.
    pub fn tail(&self) -> &[Step] {
        match self.0.as_slice() {
            [Step::Operation { .. }, tail @ ..] => tail,
            whole => whole,
        }
    }

    /// The place within its operation, for messages.
    pub fn within_operation(&self) -> Self {
        Self(self.tail().to_vec())
    }

    pub fn last(&self) -> Option<&Step> {
        self.0.last()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let glued = matches!(
                step,
                Step::Property(_) | Step::Values | Step::Items | Step::Alternative(_)
            );
            if index > 0 && !glued {
                f.write_str(" ")?;
            }
            write!(f, "{step}")?;
        }
        if self.0.is_empty() { f.write_str("the API") } else { Ok(()) }
    }
}

/// One step of a [`Place`]. Its text form can be parsed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Step {
    /// `POST /path`
    Operation { path: String, method: String },
    /// `header X-Name`
    Parameter { within: Within, name: String },
    /// `body`
    Body,
    /// `answer 200`
    Answer(String),
    /// `.name`
    Property(String),
    /// `{}`: the values of properties without a name.
    Values,
    /// `[]`: the items of an array, unless they are scalars.
    Items,
    /// `|1`: an alternative, counted from 1.
    Alternative(usize),
}

/// Where a parameter is sent.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumIter, EnumString,
)]
#[strum(serialize_all = "lowercase")]
pub enum Within {
    Path,
    Query,
    Header,
    Cookie,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation { path, method } => write!(f, "{method} {path}"),
            Self::Parameter { within, name } => write!(f, "{within} {name}"),
            Self::Body => f.write_str("body"),
            Self::Answer(status) => write!(f, "answer {status}"),
            Self::Property(name) => write!(f, ".{name}"),
            Self::Values => f.write_str("{}"),
            Self::Items => f.write_str("[]"),
            Self::Alternative(number) => write!(f, "|{number}"),
        }
    }
}

impl From<Step> for String {
    fn from(step: Step) -> Self {
        step.to_string()
    }
}

impl TryFrom<String> for Step {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix('.') {
            return Ok(Self::Property(name.to_owned()));
        }
        if let Some(number) = text.strip_prefix('|').and_then(|number| number.parse().ok()) {
            return Ok(Self::Alternative(number));
        }
        let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
        Ok(match (word, word.parse()) {
            ("body", _) => Self::Body,
            ("{}", _) => Self::Values,
            ("[]", _) => Self::Items,
            ("answer", _) => Self::Answer(rest.to_owned()),
            (_, Ok(within)) => Self::Parameter { within, name: rest.to_owned() },
            _ if rest.is_empty() => return Err(format!("`{text}` is not a place")),
            _ => Self::Operation { path: rest.to_owned(), method: word.to_owned() },
        })
    }
}
