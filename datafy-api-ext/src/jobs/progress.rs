//! How far a fleet is.

use super::fleet::NotDone;
use super::journal::JournalError;
use crate::client::Datafy;
use crate::id::VolumeId;
use crate::outcome::Outcome;
use slab::Slab;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How far a fleet is.
///
/// As JSON its members are named as its fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct Progress {
    /// Volumes to which the operation was done.
    pub done: u64,
    /// Volumes to which it was not: nothing was sent, or the service refused.
    pub failed: u64,
    /// Volumes to which it may have been done.
    pub unknown: u64,
    /// Volumes for which nothing was attempted in this run.
    pub not_attempted: u64,
    /// Volumes whose calls are under way, or wait for their turn.
    pub in_flight: u64,
    /// Calls that ended a second, since the run began.
    pub rate: f64,
}

/// Tells how far a [`Run`](crate::jobs::Run) is, and stops it. Clones are of the same run; they outlive it.
#[derive(Clone)]
pub struct Monitor {
    datafy: Datafy,
    begun: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    progress: Progress,
    /// The volumes whose calls are under way.
    flying: Slab<VolumeId>,
    halt: Option<Halt>,
}

/// A call under way: the key of its volume.
pub(super) struct Flight(usize);

/// Why no further call is begun.
#[derive(Clone)]
pub(super) enum Halt {
    Stopped,
    TokenRefused,
    Journal(JournalError),
}

impl Monitor {
    pub(super) fn new(datafy: Datafy) -> Self {
        Self { begun: datafy.clock().now(), datafy, state: Arc::default() }
    }

    /// How far the run is now.
    pub fn progress(&self) -> Progress {
        let state = self.lock();
        let Progress { done, failed, unknown, .. } = state.progress;
        let elapsed: Duration = self.datafy.clock().now().duration_since(self.begun);
        let ended = u32::try_from(done + failed + unknown).unwrap_or(u32::MAX);
        Progress {
            in_flight: state.flying.len() as u64,
            rate: if elapsed.is_zero() { 0.0 } else { f64::from(ended) / elapsed.as_secs_f64() },
            ..state.progress
        }
    }

    /// The volumes that were taken from the input and aren't finished with, or weren't when the run was
    /// dropped. What became of the latter is unknown.
    pub fn in_flight(&self) -> Vec<VolumeId> {
        let mut ids: Vec<_> = self.lock().flying.iter().map(|(_, id)| id.clone()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Lets the calls that are under way finish, with their repetitions, and begins no other. The run ends by
    /// telling of each remaining volume that it wasn't attempted; an input that never ends is the caller's
    /// to end.
    pub fn stop(&self) {
        self.halt(Halt::Stopped);
    }

    /// Begins no further call. The first reason stands.
    pub(super) fn halt(&self, halt: Halt) {
        self.lock().halt.get_or_insert(halt);
    }

    /// Whether further calls may be begun, and if not, why.
    pub(super) fn go_on(&self) -> Result<(), NotDone> {
        self.lock().go_on()
    }

    /// Takes down that a call for this volume is under way, if calls may still be begun.
    pub(super) fn begin(&self, id: &VolumeId) -> Result<Flight, NotDone> {
        let mut state = self.lock();
        state.go_on()?;
        Ok(Flight(state.flying.insert(id.clone())))
    }

    /// Takes down how it has ended.
    pub(super) fn end<T>(&self, Flight(key): Flight, result: &Result<T, NotDone>) {
        let mut state = self.lock();
        state.flying.remove(key);
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

    /// Takes down that none was begun for a volume.
    pub(super) fn skip(&self) {
        self.lock().progress.not_attempted += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn go_on(&self) -> Result<(), NotDone> {
        match &self.halt {
            None => Ok(()),
            Some(Halt::Stopped) => Err(NotDone::Stopped),
            Some(Halt::TokenRefused) => Err(NotDone::TokenRefused),
            Some(Halt::Journal(error)) => Err(NotDone::Journal(error.clone())),
        }
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("progress", &self.progress()).finish_non_exhaustive()
    }
}
