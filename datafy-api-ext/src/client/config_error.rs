//! Why a client can't be built.

use super::BoxError;
use crate::with_cause::with_cause;
use datafy_api::base_url::InvalidBaseUrl;
use std::error::Error;
use std::fmt;

/// Why a client can't be built from its settings. It doesn't show the token.
///
/// `{error}` is one line that says what is wrong, and what to do; `{error:#}` adds the causes, which
/// [`source`](Error::source) returns, too.
#[derive(Debug)]
pub struct ConfigError {
    problem: String,
    source: Option<BoxError>,
    /// Whether another attempt may succeed: only if a token provider failed.
    pub(crate) transient: bool,
}

impl ConfigError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), source: None, transient: false }
    }

    /// The environment variable can't be used, for this reason.
    pub(crate) fn of_variable(name: &str, source: impl Into<BoxError>) -> Self {
        Self::new(format!("the environment variable `{name}` can't be used")).because(source)
    }

    pub(crate) fn because(self, source: impl Into<BoxError>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}

impl From<InvalidBaseUrl> for ConfigError {
    fn from(error: InvalidBaseUrl) -> Self {
        Self::new("the endpoint is not valid").because(error)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => with_cause(&self.problem, source, f),
            None => f.write_str(&self.problem),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
