//! What all jobs of a run pass before they first send a call: the plan, a stop, the pace.

use super::claims::Claims;
use super::not_done::Halt;
use super::pace::Pace;
use super::progress::Monitor;
use crate::error::Error;
use crate::journal::JournalError;
use crate::outcome::Outcome;
use crate::with_cause::with_cause;
use smol_str::SmolStr;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

/// Lets a job send its first call, or halts it.
#[derive(Default)]
pub(super) struct Gate {
    pub(super) is_plan: bool,
    pub(super) claims: Claims<SmolStr>,
    /// `None` for a job that is not one of a fleet.
    pub(super) monitor: Option<Monitor>,
    pub(super) pace: Option<Pace>,
    /// After how many calls in a row that were not sent the run stops.
    pub(super) unsent_limit: u32,
    /// How many of the last calls were not sent.
    pub(super) unsent: AtomicU32,
}

/// Why a run began no further job. Returned by [`Run::stopped`](super::Run::stopped).
///
/// `{stopped}` is one line; `{stopped:#}` adds the causes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Stopped {
    /// The program [asked](Monitor::stop) for it.
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

impl Stopped {
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

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the run stopped: ")?;
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

impl Gate {
    pub(super) async fn pass(&self, key: &SmolStr) -> Result<(), Halt> {
        if self.is_plan {
            return Err(Halt::NotAttempted);
        }
        let Some(monitor) = &self.monitor else { return Ok(()) };
        monitor.begin(key)?;
        if let Some(pace) = &self.pace {
            // Boxed, since it would enlarge the future of every job.
            let turn = Box::pin(pace.wait(monitor.clock(), || monitor.check())).await;
            turn.inspect_err(|_| monitor.leave(key))?;
        }
        Ok(())
    }

    /// The job with this key, which has passed, has ended.
    pub(super) fn leave(&self, key: &SmolStr) {
        if let Some(monitor) = &self.monitor {
            monitor.leave(key);
        }
    }

    /// Begins no further job.
    pub(super) fn stop(&self, reason: Stopped) {
        if let Some(monitor) = &self.monitor {
            monitor.stop_because(reason);
        }
    }

    /// A call has ended. A row of calls that were not sent stops the run: the others would not be sent, either.
    pub(super) fn sent<A>(&self, result: &Result<A, Error>) {
        match result {
            Err(error) if error.outcome() == Outcome::NotSent => {
                let calls = self.unsent.fetch_add(1, Ordering::Relaxed) + 1;
                if calls == self.unsent_limit {
                    self.stop(Stopped::Unreachable { calls, error: Box::new(error.clone()) });
                }
            }
            _ => self.unsent.store(0, Ordering::Relaxed),
        }
    }
}
