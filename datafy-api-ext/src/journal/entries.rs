//! What a journal says about all items.

use super::entry::{Entry, unattached};
use super::line::{Problem, Record};
use crate::id::VolumeId;
use crate::untrusted::Untrusted;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What a journal says about all items. A journal may have a million, so the keys are not repeated in the entries.
#[derive(Default)]
pub(crate) struct Entries {
    /// With the place of each among the items, in the order in which they were begun.
    of: BTreeMap<SmolStr, (u32, Entry)>,
    /// The number of items so far.
    begun: u32,
}

impl Entries {
    pub(crate) fn get(&self, key: &str) -> Option<Entry> {
        self.of.get(key).map(|(_, entry)| named(key, entry.clone()))
    }

    /// In the order in which the items were begun.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Entry> {
        let mut all: Vec<_> = self.of.iter().collect();
        all.sort_unstable_by_key(|(_, (place, _))| *place);
        all.into_iter().map(|(key, (_, entry))| named(key, entry.clone()))
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
        self.of.remove(key).map(|(_, entry)| named(key, entry))
    }

    /// Applies a record. Fails if it can't follow the records before it.
    pub(crate) fn apply(&mut self, record: Record) -> Result<(), Problem> {
        let (_, entry) = self.of.entry(record.key.clone()).or_insert_with(|| {
            self.begun += 1;
            (self.begun, Entry::default())
        });
        entry.apply(record)
    }

    /// What is known of a key, to change it.
    #[cfg(feature = "reconcile")]
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.of.get_mut(key).map(|(_, entry)| entry)
    }
}

fn named(key: &str, mut entry: Entry) -> Entry {
    entry.key = Untrusted::whole(key);
    entry
}
