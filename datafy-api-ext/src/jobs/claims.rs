//! What the jobs of a run have claimed: places, and their keys.

use crate::id::{DeviceName, InstanceId};
use crate::journal::{Entries, Step};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name of a device of an instance.
pub(super) fn place(instance: &InstanceId, device: &DeviceName) -> String {
    format!("{instance}:{device}")
}

/// Remembers names and who has claimed them, by hashes of 64 bits, so that names of any length take about twenty bytes.
///
/// Among a million names, two have the same hash in one of 30 million runs. The second is taken for the first.
#[derive(Default)]
pub(super) struct Claims {
    hasher: RandomState,
    by: Mutex<HashMap<u64, u64>>,
}

impl Claims {
    /// The devices to which earlier runs have attached volumes, or may have.
    pub(super) fn of(entries: &Entries) -> Self {
        let claims = Self::default();
        for entry in entries.iter() {
            for Step { subject, .. } in entry.steps.iter().filter(|step| step.may_be_applied()) {
                if let (Some(instance), Some(device)) = (&subject.instance, &subject.device) {
                    claims.claim(&place(instance, device), &entry.key);
                }
            }
        }
        claims
    }

    /// Claims a name for a job. Returns whether no other job has claimed it.
    pub(super) fn claim(&self, name: &str, by: &str) -> bool {
        self.insert(name, by).is_none_or(|earlier| earlier == self.hasher.hash_one(by))
    }

    /// Claims a name. Returns whether nobody has claimed it.
    pub(super) fn claim_first(&self, name: &str) -> bool {
        self.insert(name, name).is_none()
    }

    /// Claims a name unless it is claimed. Returns the hash of who had it.
    fn insert(&self, name: &str, by: &str) -> Option<u64> {
        let hash = self.hasher.hash_one(name);
        let mut all = self.by();
        let earlier = all.get(&hash).copied();
        earlier.or_else(|| all.insert(hash, self.hasher.hash_one(by)))
    }

    /// Gives back what a job has claimed.
    pub(super) fn release(&self, by: &str) {
        let by = self.hasher.hash_one(by);
        self.by().retain(|_, holder| *holder != by);
    }

    fn by(&self) -> MutexGuard<'_, HashMap<u64, u64>> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
