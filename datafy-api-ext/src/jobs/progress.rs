//! The progress of a fleet, and the handle that reports it.

use super::journal_error::JournalError;
use super::not_done::NotDone;
use crate::client::Datafy;
use crate::id::VolumeId;
use crate::outcome::Outcome;
use slab::Slab;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The progress of a fleet: how many volumes are in each state.
///
/// As JSON it is an object with the names of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct Progress {
    /// Volumes to which the operation was applied.
    pub done: u64,
    /// Volumes to which it was not applied: nothing was sent, or the service refused.
    pub failed: u64,
    /// Volumes to which it may have been applied.
    pub unknown: u64,
    /// Volumes for which nothing was attempted in this run.
    pub not_attempted: u64,
    /// Volumes whose calls are in flight, or wait for their turn.
    pub in_flight: u64,
    /// Calls that ended per second, on average since the start of the run.
    pub rate: f64,
}

/// Reports the progress of a [`Run`](crate::jobs::Run), and can stop it.
///
/// Clones belong to the same run. They outlive it.
#[derive(Clone)]
pub struct Monitor {
    datafy: Datafy,
    started: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    progress: Progress,
    /// The volumes whose calls are in flight.
    in_flight: Slab<VolumeId>,
    stopped: Option<StopReason>,
}

/// The key of a volume whose call is in flight.
pub(super) struct Slot(usize);

/// Why no further call is started.
#[derive(Clone)]
pub(super) enum StopReason {
    Requested,
    TokenRefused,
    Journal(JournalError),
}

impl Monitor {
    pub(super) fn new(datafy: Datafy) -> Self {
        Self { started: datafy.clock().now(), datafy, state: Arc::default() }
    }

    /// Returns the current progress.
    pub fn progress(&self) -> Progress {
        let state = self.lock();
        let Progress { done, failed, unknown, .. } = state.progress;
        let elapsed: Duration = self.datafy.clock().now().duration_since(self.started);
        let ended = u32::try_from(done + failed + unknown).unwrap_or(u32::MAX);
        Progress {
            in_flight: state.in_flight.len() as u64,
            rate: if elapsed.is_zero() { 0.0 } else { f64::from(ended) / elapsed.as_secs_f64() },
            ..state.progress
        }
    }

    /// Returns the volumes whose calls are in flight, in order of their IDs.
    ///
    /// After the run was dropped these are the volumes whose calls it cancelled. Their outcome is unknown.
    pub fn in_flight(&self) -> Vec<VolumeId> {
        let mut ids: Vec<_> = self.lock().in_flight.iter().map(|(_, id)| id.clone()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Starts no further call. Calls in flight end as usual, including their retries.
    ///
    /// The run then returns [`NotDone::Stopped`] for each volume that remains. If the input is an endless stream, the
    /// caller has to end it.
    pub fn stop(&self) {
        self.stop_because(StopReason::Requested);
    }

    /// Starts no further call. Only the first reason is kept.
    pub(super) fn stop_because(&self, reason: StopReason) {
        self.lock().stopped.get_or_insert(reason);
    }

    /// Fails if no further call may be started.
    pub(super) fn check(&self) -> Result<(), NotDone> {
        self.lock().check()
    }

    /// Records that a call for this volume is in flight. Fails if no further call may be started.
    pub(super) fn begin(&self, id: &VolumeId) -> Result<Slot, NotDone> {
        let mut state = self.lock();
        state.check()?;
        Ok(Slot(state.in_flight.insert(id.clone())))
    }

    /// Records how the call in `slot` ended.
    pub(super) fn end<T>(&self, Slot(key): Slot, result: &Result<T, NotDone>) {
        let mut state = self.lock();
        state.in_flight.remove(key);
        let progress = &mut state.progress;
        *match result {
            Ok(_) => &mut progress.done,
            Err(NotDone::Failed(error)) => match error.outcome() {
                Outcome::NotSent | Outcome::Refused => &mut progress.failed,
                Outcome::Unknown => &mut progress.unknown,
                Outcome::Applied => &mut progress.done,
            },
            Err(_) => &mut progress.not_attempted,
        } += 1;
    }

    /// Records that a volume was not attempted.
    pub(super) fn skip(&self) {
        self.lock().progress.not_attempted += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self) -> Result<(), NotDone> {
        match &self.stopped {
            None => Ok(()),
            Some(StopReason::Requested) => Err(NotDone::Stopped),
            Some(StopReason::TokenRefused) => Err(NotDone::TokenRefused),
            Some(StopReason::Journal(error)) => Err(NotDone::Journal(error.clone())),
        }
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("progress", &self.progress()).finish_non_exhaustive()
    }
}
