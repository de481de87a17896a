//! What a journal says about all items, kept small: a journal may have a million.

use super::entry::{Entry, Misplaced, Parts, Step, unattached};
use super::line::Record;
use crate::id::VolumeId;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// What a journal says about all items.
#[derive(Default)]
pub(crate) struct Entries {
    /// In the order in which the items were begun.
    list: Vec<Kept>,
    /// The position of each entry, by the hash of its key. If another key has the same, by the next number.
    index: HashMap<u64, u32>,
    hasher: RandomState,
}

/// An entry as it is kept.
enum Kept {
    /// Its result is still to come.
    Open(Box<Entry>),
    /// In a fourth of the memory.
    Ended {
        key: Box<str>,
        /// The steps, as JSON.
        steps: Box<str>,
        records: u32,
    },
}

impl Entries {
    pub(crate) fn get(&self, key: &str) -> Option<Entry> {
        self.find(key).ok().map(|at| self.list[at].entry())
    }

    /// In the order in which the items were begun.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Entry> {
        self.list.iter().map(Kept::entry)
    }

    /// Removes what is known of this key.
    pub(crate) fn take(&mut self, key: &str) -> Option<Entry> {
        let at = self.find(key).ok()?;
        let entry = self.list[at].entry();
        // Its place stays, for the positions of the others.
        let key = self.list[at].key().into();
        self.list[at] = Kept::Ended { key, steps: "[]".into(), records: 0 };
        Some(entry)
    }

    /// Replaces what is known of the key of this entry.
    pub(crate) fn insert(&mut self, entry: Entry) {
        let found = self.find(&entry.key);
        self.put(found, entry);
    }

    /// The volumes that were created and not attached, with their keys.
    pub(crate) fn unattached(&self) -> Vec<(String, VolumeId)> {
        let of = |entry: Entry| {
            let key = entry.key.as_str().to_owned();
            unattached(&entry.steps).into_iter().map(move |volume| (key.clone(), volume))
        };
        self.iter().flat_map(of).collect()
    }

    /// Applies a record. Fails if it can't follow the records before it.
    pub(crate) fn apply(&mut self, time: DateTime<Utc>, record: Record) -> Result<(), Misplaced> {
        let found = self.find(&record.key);
        let mut entry = match found {
            Ok(at) => self.list[at].entry(),
            Err(_) => Entry::new(&record.key),
        };
        entry.apply(time, record)?;
        self.put(found, entry);
        Ok(())
    }

    /// Keeps an entry at the position that [`find`](Self::find) has returned.
    fn put(&mut self, found: Result<usize, u64>, entry: Entry) {
        let kept = Kept::new(entry);
        match found {
            Ok(at) => self.list[at] = kept,
            Err(hash) => {
                let at = u32::try_from(self.list.len()).expect("fewer than four billion items");
                self.index.insert(hash, at);
                self.list.push(kept);
            }
        }
    }

    /// Returns the position of the entry with this key, or the number under which it is to be indexed.
    fn find(&self, key: &str) -> Result<usize, u64> {
        let mut hash = self.hasher.hash_one(key);
        while let Some(at) = self.index.get(&hash) {
            let at = *at as usize;
            if self.list[at].key() == key {
                return Ok(at);
            }
            hash = hash.wrapping_add(1);
        }
        Err(hash)
    }
}

impl Kept {
    fn new(entry: Entry) -> Self {
        if entry.steps.iter().any(Step::is_open) {
            return Self::Open(Box::new(entry));
        }
        let steps: Vec<Parts> = entry.steps.into_iter().map(Step::into_parts).collect();
        let steps = serde_json::to_string(&steps).expect("each part has a form in JSON");
        // Allocated anew: a text that is cut to its length leaves a hole behind.
        let (key, records) = (entry.key.as_str().into(), entry.records);
        Self::Ended { key, steps: steps.as_str().into(), records }
    }

    fn key(&self) -> &str {
        match self {
            Self::Open(entry) => &entry.key,
            Self::Ended { key, .. } => key,
        }
    }

    fn entry(&self) -> Entry {
        match self {
            Self::Open(entry) => (**entry).clone(),
            Self::Ended { key, steps, records } => {
                let steps: Vec<Parts> =
                    serde_json::from_str(steps).expect("what `new` has written");
                let steps = steps.into_iter().map(Step::from_parts).collect();
                Entry { key: Untrusted::whole(key), steps, records: *records }
            }
        }
    }
}
