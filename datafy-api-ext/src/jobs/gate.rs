//! What the jobs of a run share. They pass it before they first send a call: a plan, a stop and the pace are decided here.

use super::claims::Claims;
use super::finished::Finished;
use super::not_done::{Halt, NotDone};
use super::pace::Pace;
use super::progress::Progress;
use crate::client::Datafy;
use crate::error::Error;
use crate::journal::JournalError;
use crate::outcome::Outcome;
use crate::with_cause::with_cause;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What the jobs of a fleet share, or those of a journal that a service holds open.
pub(super) struct Gate {
    pub(super) datafy: Datafy,
    pub(super) started: Instant,
    /// Whether the jobs are those of a fleet, which stops if the others would fail, too.
    pub(super) is_fleet: bool,
    pub(super) is_plan: bool,
    pub(super) claims: Claims,
    pub(super) pace: Option<Pace>,
    /// After how many calls in a row that were not sent the run stops.
    pub(super) unsent_limit: u32,
    state: Mutex<RunState>,
}

#[derive(Default)]
pub(super) struct RunState {
    pub(super) progress: Progress,
    pub(super) stopped: Option<Stopped>,
    /// The keys of the items that were not attempted since the run was stopped.
    pub(super) not_attempted: Vec<String>,
    /// How many of the last calls were not sent.
    unsent: u32,
}

/// Why a run began no further job. Returned by [`Run::stopped`](super::Run::stopped).
///
/// `{stopped}` is one line; `{stopped:#}` adds the causes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Stopped {
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

/// A job that waits for its turn. It may be dropped before that.
struct Waiting<'a>(Option<&'a Gate>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(gate) = self.0 {
            gate.leave();
        }
    }
}

impl Gate {
    /// The gate of a journal that a service holds open.
    pub(super) fn new(datafy: Datafy) -> Self {
        Self {
            started: datafy.clock().now(),
            datafy,
            is_fleet: false,
            is_plan: false,
            claims: Claims::default(),
            pace: None,
            unsent_limit: u32::MAX,
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a job send its first call: it is in flight until it [leaves](Self::leave). Fails if none may be sent.
    pub(super) async fn pass(&self) -> Result<(), Halt> {
        if self.is_plan {
            return Err(Halt::NotAttempted);
        }
        self.check()?;
        self.state().progress.in_flight += 1;
        let mut waiting = Waiting(Some(self));
        if let Some(pace) = &self.pace {
            // Boxed, since it would enlarge the future of every job.
            Box::pin(pace.wait(self.datafy.clock(), || self.check())).await?;
        }
        waiting.0 = None;
        Ok(())
    }

    /// A job that has passed has ended.
    pub(super) fn leave(&self) {
        self.state().progress.in_flight -= 1;
    }

    fn check(&self) -> Result<(), Halt> {
        if self.state().stopped.is_some() { Err(Halt::NotAttempted) } else { Ok(()) }
    }

    /// Lets no further job of a fleet pass. Only the first reason is kept.
    pub(super) fn stop(&self, reason: Stopped) {
        if self.is_fleet {
            self.state().stopped.get_or_insert(reason);
        }
    }

    /// A call has ended. A row of calls that were not sent stops the run: the others would not be sent, either.
    pub(super) fn sent<A>(&self, result: &Result<A, Error>) {
        let unsent = result.as_ref().err().filter(|error| error.outcome() == Outcome::NotSent);
        let calls = {
            let row = &mut self.state().unsent;
            *row = if unsent.is_some() { *row + 1 } else { 0 };
            *row
        };
        if let Some(error) = unsent.filter(|_| calls == self.unsent_limit) {
            self.stop(Stopped::Unreachable { calls, error: Box::new(error.clone()) });
        }
    }

    /// Counts how the job of an item ended. Returns whether that is reported: what was not attempted since the run was
    /// stopped is listed apart.
    pub(super) fn count<T, D, E>(&self, key: &str, finished: &Finished<T, D, E>) -> bool {
        let RunState { progress, not_attempted, .. } = &mut *self.state();
        let is_skipped = matches!(finished.result, Err(NotDone::NotAttempted)) && !self.is_plan;
        if is_skipped {
            not_attempted.push(key.to_owned());
        }
        *match (&finished.result, finished.outcome()) {
            _ if is_skipped => &mut progress.not_attempted,
            (Err(NotDone::NotAttempted), _) => &mut progress.to_do,
            (_, Outcome::Unknown) => &mut progress.unknown,
            (Ok(_), _) if finished.before => &mut progress.done_before,
            (Ok(_), _) => &mut progress.done,
            (Err(NotDone::Failed(_)), _) => &mut progress.failed,
            (Err(_), _) => &mut progress.not_attempted,
        } += 1;
        !is_skipped
    }

    /// An item that was counted as unknown is attempted again.
    #[cfg(feature = "reconcile")]
    pub(super) fn again(&self) {
        self.state().progress.unknown -= 1;
    }
}
