//! What a journal says about all items.

use super::entry::{Entry, unattached};
use super::line::{Problem, Record};
use crate::id::VolumeId;
use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};

/// What a journal says about all items. A journal may have a million, so the keys are not repeated, and free slots of the
/// table are small.
#[derive(Default)]
pub(crate) struct Entries {
    /// With the place of each among the items, in the order in which they were begun.
    of: HashTable<Box<(u32, Entry)>>,
    hasher: RandomState,
    /// The number of items so far.
    begun: u32,
}

impl Entries {
    pub(crate) fn get(&self, key: &str) -> Option<Entry> {
        let it = self.of.find(self.hasher.hash_one(key), |it| it.1.key == *key)?;
        Some(it.1.clone())
    }

    /// In the order in which the items were begun.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Entry> {
        let mut all: Vec<_> = self.of.iter().collect();
        all.sort_unstable_by_key(|it| it.0);
        all.into_iter().map(|it| it.1.clone())
    }

    /// The volumes that were created and not attached, with their keys.
    pub(crate) fn unattached(&self) -> Vec<(String, VolumeId)> {
        let of = |Entry { key, steps, .. }| {
            unattached(&steps).into_iter().map(move |volume| (key.as_str().to_owned(), volume))
        };
        self.iter().flat_map(of).collect()
    }

    /// Takes what is known of a key.
    pub(crate) fn take(&mut self, key: &str) -> Option<Entry> {
        let found = self.of.find_entry(self.hasher.hash_one(key), |it| it.1.key == *key);
        Some(found.ok()?.remove().0.1)
    }

    /// Applies a record. Fails if it can't follow the records before it.
    pub(crate) fn apply(&mut self, record: Record) -> Result<(), Problem> {
        let hash = |key: &str| self.hasher.hash_one(key);
        let key = &*record.key;
        let of_key = self.of.entry(hash(key), |it| it.1.key == *key, |it| hash(&it.1.key));
        let mut it = of_key.or_insert_with(|| {
            self.begun += 1;
            Box::new((self.begun, Entry::new(key)))
        });
        it.get_mut().1.apply(record)
    }

    /// What is known of a key, to change it.
    #[cfg(feature = "reconcile")]
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        let it = self.of.find_mut(self.hasher.hash_one(key), |it| it.1.key == *key)?;
        Some(&mut it.1)
    }
}
