//! The keys that have come before.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Remembers keys by hashes of 64 bits, so that a key of any length takes about twelve bytes.
///
/// Among a million keys, two have the same hash in one of 30 million runs. The second is taken for a duplicate, which is
/// reported and not attempted.
#[derive(Default)]
pub(super) struct Seen {
    hasher: RandomState,
    /// Parts, since a set that grows takes the old and the new room for a moment.
    parts: [HashSet<u64>; 16],
}

impl Seen {
    /// Returns whether the key is new.
    pub(super) fn insert(&mut self, key: &str) -> bool {
        let hash = self.hasher.hash_one(key);
        self.parts[(hash % 16) as usize].insert(hash)
    }
}
