//! What became of a call.

use std::fmt;

/// What became of a call that failed: the answer to "may I repeat it?".
///
/// | outcome | what happened | what you may do next |
/// |---|---|---|
/// | `NotSent` | Nothing reached the service: no connection, no token, no time. | Repeat the call. |
/// | `Refused` | The service said no, and did nothing. | Mend what it names, then repeat the call. |
/// | `Unknown` | The request was on its way, and no answer says what became of it. | Look first (see [`Error::marker`](crate::Error::marker)). Repeating a create may make a second object, and a second bill; attaching and deactivating may be repeated. |
/// | `Applied` | It happened, but the answer can't be used. | Don't repeat. Take the ids from the error. |
///
/// The order is that of what may have happened: a call is as far as the farthest of its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nothing reached the service.
    NotSent,
    /// The service said no.
    Refused,
    /// It may have happened.
    Unknown,
    /// It happened, but the answer was unusable.
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
