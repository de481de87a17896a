//! The progress of a fleet, and the handle that reports it.

use super::finished::Finished;
use super::gate::Stopped;
use super::not_done::{Halt, NotDone};
use crate::client::{Clock, Datafy};
use crate::outcome::Outcome;
use smol_str::SmolStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The progress of a fleet: how many items are in each state.
///
/// As JSON it is an object with the names of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct Progress {
    /// Items whose jobs this run has done, or has finished after an earlier run.
    pub done: u64,
    /// Items whose jobs earlier runs had done, according to the journal.
    pub done_before: u64,
    /// In a plan, items whose jobs a run would start or continue.
    pub to_do: u64,
    /// Items whose jobs failed: nothing was sent, or the service refused, or the function of the job failed.
    pub failed: u64,
    /// Items with a step that may have been applied, in this run or an earlier one.
    pub unknown: u64,
    /// Items that were not attempted, or not continued: the run was stopped, the token is refused, the journal can't be
    /// used, the key was used for something else, the place is claimed, or the item is a duplicate.
    pub not_attempted: u64,
    /// Items whose jobs are in flight, or wait for their turn.
    pub in_flight: u64,
    /// Jobs that ended per second, on average since the start of the run.
    pub rate: f64,
}

impl Progress {
    /// Returns an exit code for a program that has run the fleet to its end: 0 if every item is done, 2 if some failed,
    /// and 3 if the effect of some is unknown, or some were not attempted.
    pub fn exit_code(&self) -> u8 {
        if self.unknown + self.not_attempted + self.in_flight > 0 {
            3
        } else if self.failed > 0 {
            2
        } else {
            0
        }
    }
}

/// Reports the progress of a [`Run`](crate::jobs::Run), and can stop it.
///
/// Clones belong to the same run. They outlive it.
#[derive(Clone, Debug)]
pub struct Monitor {
    datafy: Datafy,
    started: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    progress: Progress,
    /// The keys of the items whose jobs are in flight.
    in_flight: Vec<SmolStr>,
    stopped: Option<Stopped>,
    not_attempted: Vec<String>,
}

impl Monitor {
    pub(super) fn new(datafy: Datafy) -> Self {
        Self { started: datafy.clock().now(), datafy, state: Arc::default() }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.datafy.clock()
    }

    /// Returns the current progress.
    pub fn progress(&self) -> Progress {
        let state = self.lock();
        let Progress { done, failed, unknown, .. } = state.progress;
        let elapsed = self.clock().now().duration_since(self.started);
        let ended = u32::try_from(done + failed + unknown).unwrap_or(u32::MAX);
        Progress {
            in_flight: state.in_flight.len() as u64,
            rate: if elapsed.is_zero() { 0.0 } else { f64::from(ended) / elapsed.as_secs_f64() },
            ..state.progress
        }
    }

    /// Returns the keys of the items whose jobs are in flight, in order.
    ///
    /// After the run was dropped these are the items whose jobs it cancelled. Their outcome is unknown.
    pub fn in_flight(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.lock().in_flight.iter().map(ToString::to_string).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Starts no further job. Jobs in flight end as usual, including retries and further steps.
    ///
    /// The items that remain are not attempted, and counted: see [`Run::not_attempted`](crate::jobs::Run::not_attempted).
    /// Those that earlier runs have done are still reported so. If the input is an endless stream, the caller has to end
    /// it.
    #[doc(alias("cancel", "shutdown"))]
    pub fn stop(&self) {
        self.stop_because(Stopped::Requested);
    }

    /// Starts no further job. Only the first reason is kept.
    pub(super) fn stop_because(&self, reason: Stopped) {
        self.lock().stopped.get_or_insert(reason);
    }

    /// Why the run has begun no further job.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        self.lock().stopped.clone()
    }

    /// The keys of the items that were not attempted, since the run was stopped.
    pub(super) fn not_attempted(&self) -> Vec<String> {
        self.lock().not_attempted.clone()
    }

    /// Records that an item was not attempted, since the run was stopped.
    pub(super) fn skip(&self, key: &str) {
        let mut state = self.lock();
        state.progress.not_attempted += 1;
        state.not_attempted.push(key.to_owned());
    }

    /// Fails if no further job may be started.
    pub(super) fn check(&self) -> Result<(), Halt> {
        if self.lock().stopped.is_some() { Err(Halt::NotAttempted) } else { Ok(()) }
    }

    /// Records that the job of an item is in flight. Fails if no further job may be started.
    pub(super) fn begin(&self, key: &SmolStr) -> Result<(), Halt> {
        self.check()?;
        self.lock().in_flight.push(key.clone());
        Ok(())
    }

    /// Records that the job of an item is not in flight any more.
    pub(super) fn leave(&self, key: &SmolStr) {
        let in_flight = &mut self.lock().in_flight;
        if let Some(at) = in_flight.iter().position(|it| it == key) {
            in_flight.swap_remove(at);
        }
    }

    /// Records that an item that was unknown is done again.
    #[cfg(feature = "reconcile")]
    pub(super) fn again(&self) {
        self.lock().progress.unknown -= 1;
    }

    /// Records how the job of an item ended.
    pub(super) fn count<T, D, E>(&self, finished: &Finished<T, D, E>) {
        let progress = &mut self.lock().progress;
        *match (&finished.result, finished.outcome()) {
            (Err(NotDone::NotAttempted), _) => &mut progress.to_do,
            (_, Outcome::Unknown) => &mut progress.unknown,
            (Ok(_), _) if finished.before => &mut progress.done_before,
            (Ok(_), _) => &mut progress.done,
            (Err(NotDone::Failed(_)), _) => &mut progress.failed,
            (Err(_), _) => &mut progress.not_attempted,
        } += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
