//! Why a run has stopped, and what it did not attempt.

use crate::error::Error;
use crate::journal::JournalError;
use crate::with_cause::with_cause;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;

/// Why a run began no further job, and the items that it did not attempt. Returned by
/// [`Run::stopped`](super::Run::stopped).
///
/// `{stopped}` is one line; `{stopped:#}` adds the causes. As JSON it is an object with `reason`, `text` and
/// `not_attempted`, the number of the items.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stopped {
    /// The reason.
    pub reason: StopReason,
    /// The keys of the items that were not attempted, in the order in which they came: nothing was sent for them in this
    /// run. Their jobs may have been begun by an earlier one.
    pub not_attempted: Vec<String>,
}

/// Why a run began no further job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StopReason {
    /// The program [asked](super::Monitor::stop) for it.
    Requested,
    /// The service refused the token.
    TokenRefused,
    /// The journal can't be written any more.
    Journal(JournalError),
    /// As many calls in a row were not sent as [`Fleet::unsent_limit`](super::Fleet::unsent_limit) says.
    Unreachable {
        /// The number of calls.
        calls: u32,
        /// The error of the last one.
        error: Box<Error>,
    },
}

impl StopReason {
    /// Returns the reason in snake case: `requested`, `token_refused`, `journal` or `unreachable`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::TokenRefused => "token_refused",
            Self::Journal(_) => "journal",
            Self::Unreachable { .. } => "unreachable",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("the program asked for it"),
            Self::TokenRefused => f.write_str("the service refuses the token"),
            Self::Journal(error) => with_cause("the journal can't be written", error, f),
            Self::Unreachable { calls, error } => {
                with_cause(format_args!("{calls} calls in a row were not sent"), error, f)
            }
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = match self.not_attempted.len() {
            1 => "1 item was not attempted".to_owned(),
            items => format!("{items} items were not attempted"),
        };
        f.write_str("the run stopped: ")?;
        self.reason.fmt(f)?;
        write!(f, "; {items}")
    }
}

impl Serialize for Stopped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Stopped", 3)?;
        object.serialize_field("reason", self.reason.as_str())?;
        object.serialize_field("text", &format!("{self:#}"))?;
        object.serialize_field("not_attempted", &self.not_attempted.len())?;
        object.end()
    }
}
