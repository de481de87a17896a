//! Places in an API: an operation, and the way down to a parameter or property.

use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{Display, EnumIter};

/// An operation, and the steps to something in it. Without steps it is the API itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
            let apart = matches!(step, Step::Parameter { .. } | Step::Body | Step::Answer(_));
            if index > 0 && apart {
                f.write_str(" ")?;
            }
            write!(f, "{step}")?;
        }
        if self.0.is_empty() { f.write_str("the API") } else { Ok(()) }
    }
}

/// One step of a [`Place`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A method and a path.
    Operation { path: String, method: String },
    /// A parameter of the operation.
    Parameter { within: Within, name: String },
    /// The body of the request.
    Body,
    /// The answer with a status.
    Answer(String),
    /// A property of an object.
    Property(String),
    /// The values of properties without a name.
    Values,
    /// The items of an array, unless they are scalars.
    Items,
    /// An alternative, counted from 1.
    Alternative(usize),
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

/// Where a parameter is sent.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Display, EnumIter,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Within {
    Path,
    Query,
    Header,
    Cookie,
}
