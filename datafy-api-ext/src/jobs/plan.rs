//! What a run of a fleet would do.

use super::driver::Driven;
use super::finished::Finished;
use super::not_done::NotDone;
use crate::error::Error;
use crate::journal::Step;
use crate::only_objects::only_objects;
use crate::outcome::Outcome;

/// What a run of a fleet would do. Returned by [`Fleet::plan`](super::Fleet::plan).
///
/// It is exact up to the first call of each item that would be sent. As JSON it is an object with the names of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, remote = "Self")]
#[non_exhaustive]
pub struct Plan {
    /// Items whose jobs would be started or continued.
    pub to_do: u64,
    /// Those among them of which an earlier run has done a step.
    pub to_continue: u64,
    /// Items whose jobs earlier runs have done.
    pub done_before: u64,
    /// Items that would not be continued, since it is unknown what an earlier run did.
    pub unknown: u64,
    /// Items that would be refused, since their key was used for something else, or another item has claimed their place.
    pub conflicts: u64,
    /// Items that would be refused, since one with the same key comes before them.
    pub duplicates: u64,
    /// Items whose function failed before its first call.
    pub failed: u64,
}

only_objects!(Plan);

/// What a run would do with an item: see [`Fleet::plan_each`](super::Fleet::plan_each).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Planned<T, D, E = Error> {
    /// It would send the next call of the job.
    Sent {
        /// The item.
        item: T,
        /// What is known of the steps of earlier runs, in the order in which they were begun.
        steps: Vec<Step>,
    },
    /// It would send nothing, and report this.
    NotSent(Finished<T, D, E>),
}

impl Plan {
    /// Counts an item whose job was driven up to its next call, and returns what a run would do with it.
    pub(super) fn add<T, D, E>(&mut self, item: T, driven: Driven<D, E>) -> Planned<T, D, E>
    where
        T: Clone,
    {
        let steps = driven.ended.entry.steps.clone();
        let continues = steps.iter().any(|step| step.outcome() == Outcome::Applied);
        let Some(finished) = driven.of(item.clone()) else {
            self.to_do += 1;
            self.to_continue += u64::from(continues);
            return Planned::Sent { item, steps };
        };
        *match &finished.result {
            Ok(_) => &mut self.done_before,
            Err(NotDone::Unknown { .. }) => &mut self.unknown,
            Err(NotDone::Conflict { .. } | NotDone::Claimed { .. }) => &mut self.conflicts,
            Err(_) => &mut self.failed,
        } += 1;
        Planned::NotSent(finished)
    }
}
