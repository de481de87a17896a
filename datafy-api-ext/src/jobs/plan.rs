//! What a run of a fleet would do.

use super::job::Earlier;
use crate::only_objects::only_objects;

/// What a run of a fleet would do. Returned by [`Fleet::plan`](super::Fleet::plan).
///
/// As JSON it is an object with the names of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, remote = "Self")]
#[non_exhaustive]
pub struct Plan {
    /// Items whose jobs would be started or continued.
    pub to_do: u64,
    /// Those among them for which an earlier run has created a volume, so that only the attach is left.
    pub to_continue: u64,
    /// Items that would be skipped, since an earlier run did the job.
    pub done_before: u64,
    /// Items that would be reported and not repeated, since it is unknown what an earlier run did.
    pub unknown_before: u64,
    /// Items that would be refused, since an earlier run used their key for something else.
    pub conflicts: u64,
    /// Items that would be refused, since one with the same key comes before them.
    pub duplicates: u64,
}

only_objects!(Plan);

impl Plan {
    pub(super) fn add(&mut self, earlier: &Earlier) {
        match earlier {
            Earlier::Done(_) => self.done_before += 1,
            Earlier::Unknown(_) => self.unknown_before += 1,
            Earlier::Conflict(_) => self.conflicts += 1,
            Earlier::Unfinished(resume) => {
                self.to_do += 1;
                self.to_continue += u64::from(resume.volume.is_some());
            }
        }
    }
}
