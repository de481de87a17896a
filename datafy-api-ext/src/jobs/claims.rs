//! What the jobs of a run have claimed: places, and the keys that have come before.

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

/// Remembers names by hashes of 64 bits, so that one of any length takes about twelve bytes, and what is known of it.
///
/// Among a million names, two have the same hash in one of 30 million runs. The second is taken for the first.
pub(super) struct Claims<V> {
    hasher: RandomState,
    /// Parts, since a map that grows takes the old and the new room for a moment.
    parts: [Mutex<HashMap<u64, V>>; 16],
}

impl<V> Default for Claims<V> {
    fn default() -> Self {
        Self { hasher: RandomState::new(), parts: Default::default() }
    }
}

impl<V: Clone> Claims<V> {
    /// Claims a name. If it was claimed before, returns by whom.
    pub(super) fn claim(&self, name: &str, by: V) -> Option<V> {
        let hash = self.hasher.hash_one(name);
        let mut names = lock(&self.parts[(hash % 16) as usize]);
        if let Some(by) = names.get(&hash) {
            return Some(by.clone());
        }
        names.insert(hash, by);
        None
    }
}

impl Claims<SmolStr> {
    /// The devices to which earlier runs have attached volumes, or may have, with the keys of the items.
    pub(super) fn of(entries: &Entries) -> Self {
        let claims = Self::default();
        for entry in entries.iter() {
            for Step { subject, .. } in entry.steps.iter().filter(|step| step.may_be_applied()) {
                if let (Some(instance), Some(device)) = (&subject.instance, &subject.device) {
                    claims.claim(&place(instance, device), SmolStr::new(&*entry.key));
                }
            }
        }
        claims
    }

    /// Gives back the places of a job.
    pub(super) fn release(&self, key: &str) {
        for part in &self.parts {
            lock(part).retain(|_, by| by != key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
