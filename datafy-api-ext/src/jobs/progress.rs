//! The progress of a fleet, and the handle that reports it.

use super::gate::{Gate, Stopped};
use crate::only_objects::only_objects;
use std::fmt;
use std::sync::Arc;

/// The progress of a fleet: how many items are in each state.
///
/// As JSON it is an object with the names of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, remote = "Self")]
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

only_objects!(Progress: Deserialize + Serialize);

impl Progress {
    /// Returns an exit code for a program that has run the fleet to its end: 0 if every item is done, 2 if some failed,
    /// and 3 if the effect of some is unknown, or some were not attempted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self { unknown: 0, not_attempted: 0, in_flight: 0, failed: 0, .. } => 0,
            Self { unknown: 0, not_attempted: 0, in_flight: 0, .. } => 2,
            _ => 3,
        }
    }
}

/// Reports the progress of a [`Run`](super::Run), and can stop it. Clones belong to the same run. They outlive it.
#[derive(Clone)]
pub struct Monitor(pub(super) Arc<Gate>);

impl Monitor {
    /// Returns the current progress.
    pub fn progress(&self) -> Progress {
        let Gate { datafy, started, .. } = &*self.0;
        let progress = self.0.state().progress;
        let ended = progress.done + progress.failed + progress.unknown;
        let ended = f64::from(u32::try_from(ended).unwrap_or(u32::MAX));
        let elapsed = datafy.clock().now().duration_since(*started);
        let rate = if elapsed.is_zero() { 0.0 } else { ended / elapsed.as_secs_f64() };
        Progress { rate, ..progress }
    }

    /// Starts no further job. Jobs in flight end as usual, including retries and further steps.
    ///
    /// The items that remain are not attempted, and counted: see [`Run::not_attempted`](super::Run::not_attempted).
    /// Those that earlier runs have done are still reported so. If the input is an endless stream, the caller has to end
    /// it.
    #[doc(alias("cancel", "shutdown"))]
    pub fn stop(&self) {
        self.0.stop(Stopped::Requested);
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("progress", &self.progress()).finish_non_exhaustive()
    }
}
