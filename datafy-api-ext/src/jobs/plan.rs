//! What a run of a fleet would do.

use super::driver::Driven;
use super::not_done::NotDone;
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

impl Plan {
    pub(super) fn add<D, E>(&mut self, driven: Driven<D, E>) {
        let mut steps = driven.ended.entry.steps.iter();
        let continues = steps.any(|step| step.outcome() == Outcome::Applied);
        *match driven.of(()).map(|finished| finished.result) {
            None => {
                self.to_continue += u64::from(continues);
                &mut self.to_do
            }
            Some(Ok(_)) => &mut self.done_before,
            Some(Err(NotDone::Unknown { .. })) => &mut self.unknown,
            Some(Err(NotDone::Conflict { .. } | NotDone::Claimed { .. })) => &mut self.conflicts,
            Some(Err(_)) => &mut self.failed,
        } += 1;
    }
}
