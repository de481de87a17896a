//! Whether a call that failed had an effect.

use std::fmt;

/// Whether a call that failed had an effect, and so whether it is safe to retry.
///
/// A *call* is one use of an operation; each HTTP request that it sends is an *attempt*. The *effect* is what the
/// service did: it created a snapshot, for example. [The table in the crate's documentation](crate#when-a-call-fails)
/// says what to do after each outcome.
///
/// Outcomes are ordered from no effect to a certain one. The outcome of a call is the highest of its attempts.
///
/// As JSON it is the text of [`as_str`](Self::as_str).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize,
)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[doc(alias("idempotent", "ambiguous", "at most once"))]
pub enum Outcome {
    /// No effect: nothing reached the service, for example because there was no connection, token or time.
    NotSent,
    /// No effect: the service refused the request.
    Refused,
    /// It is unknown whether there is an effect: the request was sent, and no answer proves whether the service acted.
    Unknown,
    /// The service acted, but its answer can't be used.
    Applied,
}

impl Outcome {
    /// Returns the outcome in snake case, as in traces and JSON.
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
