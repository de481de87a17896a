//! What all jobs of a run pass before they first send a call: the plan, a stop, the pace.

use super::claims::Claims;
use super::pace::Pace;
use super::progress::{Monitor, Slot};
use super::steps::Halt;
use super::stopped::StopReason;
use crate::client::Datafy;
use crate::error::Error;
use crate::journal::Log;
use crate::outcome::Outcome;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Lets a job send its first call, or halts it.
#[derive(Default)]
pub(super) struct Gate {
    pub(super) is_plan: bool,
    pub(super) claims: Claims,
    /// `None` for a job that is not one of a fleet.
    pub(super) fleet: Option<Brakes>,
}

/// What holds the jobs of a fleet back.
pub(super) struct Brakes {
    pub(super) datafy: Datafy,
    pub(super) monitor: Monitor,
    pub(super) pace: Option<Pace>,
    pub(super) journal: Option<Arc<Log>>,
    /// After how many calls in a row that were not sent the run stops.
    pub(super) unsent_limit: u32,
    /// How many of the last calls were not sent.
    pub(super) unsent: AtomicU32,
}

impl Gate {
    pub(super) async fn pass(&self, key: &SmolStr) -> Result<Option<Slot>, Halt> {
        if self.is_plan {
            return Err(Halt::NotAttempted);
        }
        let Some(brakes) = &self.fleet else { return Ok(None) };
        brakes.check()?;
        let slot = brakes.monitor.begin(key.clone())?;
        if let Some(pace) = &brakes.pace {
            // Boxed, since it would enlarge the future of every job.
            let turn = Box::pin(pace.wait(brakes.datafy.clock(), || brakes.check())).await;
            if let Err(halt) = turn {
                brakes.monitor.leave(slot);
                return Err(halt);
            }
        }
        Ok(Some(slot))
    }

    /// Begins no further job.
    pub(super) fn stop(&self, reason: StopReason) {
        if let Some(brakes) = &self.fleet {
            brakes.monitor.stop_because(reason);
        }
    }

    /// A call has ended. A row of calls that were not sent stops the run: the others would not be sent, either.
    pub(super) fn sent<A>(&self, result: &Result<A, Error>) {
        let Some(brakes) = &self.fleet else { return };
        match result {
            Err(error) if error.outcome() == Outcome::NotSent => {
                let calls = brakes.unsent.fetch_add(1, Ordering::Relaxed) + 1;
                if calls == brakes.unsent_limit {
                    self.stop(StopReason::Unreachable { calls, error: Box::new(error.clone()) });
                }
            }
            _ => brakes.unsent.store(0, Ordering::Relaxed),
        }
    }
}

impl Brakes {
    fn check(&self) -> Result<(), Halt> {
        if let Some(failure) = self.journal.as_ref().and_then(|log| log.failure()) {
            self.monitor.stop_because(StopReason::Journal(failure.clone()));
        }
        self.monitor.check()
    }
}
