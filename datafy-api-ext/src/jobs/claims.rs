//! The places that the jobs of a run have reserved.

use crate::id::{DeviceName, InstanceId};
use crate::journal::{Entries, Step};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name of a device of an instance.
pub(super) fn place(instance: &InstanceId, device: &DeviceName) -> String {
    format!("{instance}:{device}")
}

/// Remembers the places by hashes of 64 bits: among a million of them, two have the same hash in one of 30 million runs.
#[derive(Default)]
pub(super) struct Claims {
    hasher: RandomState,
    keys: Mutex<HashMap<u64, SmolStr>>,
}

impl Claims {
    /// The devices to which earlier runs have attached volumes, or may have.
    pub(super) fn of(entries: &Entries) -> Self {
        let claims = Self::default();
        for entry in entries.iter() {
            for Step { subject, .. } in entry.steps.iter().filter(|step| step.may_be_applied()) {
                if let (Some(instance), Some(device)) = (&subject.instance, &subject.device) {
                    claims.claim(&place(instance, device), &SmolStr::new(&*entry.key));
                }
            }
        }
        claims
    }

    /// Reserves a place for the job with this key. If another job has it, returns the key of that.
    pub(super) fn claim(&self, place: &str, key: &SmolStr) -> Option<SmolStr> {
        let hash = self.hasher.hash_one(place);
        let mut keys = self.lock();
        let by = keys.entry(hash).or_insert_with(|| key.clone());
        (by != key).then(|| by.clone())
    }

    /// Gives back the places of a job.
    pub(super) fn release(&self, key: &str) {
        self.lock().retain(|_, by| by != key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, SmolStr>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
