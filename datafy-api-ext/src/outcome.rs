//! What became of a call.

use std::fmt;

/// What became of a call that failed: the answer to "may I repeat it?". [The table in the crate's
/// documentation](crate#when-a-call-fails) has what to do next.
///
/// The order is that of what may have happened: a call is as far as the farthest of its attempts.
///
/// As JSON it is the text of [`as_str`](Self::as_str).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize,
)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing reached the service: no connection, no token, no time.
    NotSent,
    /// The service said no, and did nothing.
    Refused,
    /// It may have happened: the request was on its way, and no answer says what became of it.
    Unknown,
    /// It happened, but the answer can't be used.
    Applied,
}

impl Outcome {
    /// The outcome as one lower-case word, as traces have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Applied => "applied",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
