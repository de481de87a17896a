//! What a journal says about all items, kept small: a journal may have a million.

use super::entry::{Entry, Step, Tally, TallyParts, unattached};
use super::line::{Problem, Record};
use crate::id::VolumeId;
use crate::subject::Subject;
use crate::untrusted::Untrusted;
use chrono::DateTime;
use datafy_api::operations::ALL;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What a journal says about all items.
#[derive(Default)]
pub(crate) struct Entries {
    of: BTreeMap<SmolStr, Kept>,
    /// The number of items so far.
    begun: u32,
}

/// An entry as it is kept. `place` counts the items in the order in which they were begun.
enum Kept {
    /// Its result is still to come, or has come in this run.
    Open { entry: Box<Entry>, place: u32 },
    /// In a fourth of the memory: the steps as JSON.
    Ended { steps: Box<str>, place: u32, records: u32 },
}

impl Entries {
    pub(crate) fn get(&self, key: &str) -> Option<Entry> {
        self.of.get(key).map(|kept| kept.entry(key))
    }

    /// In the order in which the items were begun.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Entry> {
        let mut all: Vec<_> = self.of.iter().collect();
        all.sort_unstable_by_key(|(_, kept)| kept.place());
        all.into_iter().map(|(key, kept)| kept.entry(key))
    }

    /// The volumes that were created and not attached, with their keys.
    pub(crate) fn unattached(&self) -> Vec<(String, VolumeId)> {
        let of = |entry: Entry| {
            let key = entry.key.as_str().to_owned();
            unattached(&entry.steps).into_iter().map(move |volume| (key.clone(), volume))
        };
        self.iter().flat_map(of).collect()
    }

    /// Forgets what is known of this key.
    pub(crate) fn remove(&mut self, key: &str) {
        self.of.remove(key);
    }

    /// Applies a record. Fails if it can't follow the records before it.
    pub(crate) fn apply(&mut self, record: Record) -> Result<(), Problem> {
        let key = SmolStr::new(&record.key);
        self.change(&key, |entry| entry.apply(record))
    }

    /// As [`apply`](Self::apply), for what an earlier run has recorded: what has no result to come is kept small.
    pub(super) fn read(&mut self, record: Record) -> Result<(), Problem> {
        let key = SmolStr::new(&record.key);
        self.change(&key, |entry| entry.apply(record))?;
        self.of.entry(key).and_modify(Kept::shrink);
        Ok(())
    }

    /// Changes what is known of a key.
    pub(crate) fn change<T>(&mut self, key: &SmolStr, change: impl FnOnce(&mut Entry) -> T) -> T {
        let kept = self.of.entry(key.clone()).or_insert_with(|| {
            self.begun += 1;
            Kept::Ended { steps: "[]".into(), place: self.begun, records: 0 }
        });
        if let Kept::Ended { place, .. } = *kept {
            *kept = Kept::Open { entry: Box::new(kept.entry(key)), place };
        }
        let Kept::Open { entry, .. } = kept else { unreachable!("it was just opened") };
        change(entry)
    }
}

impl Kept {
    fn shrink(&mut self) {
        let Self::Open { entry, place } = self else { return };
        if entry.steps.iter().any(Step::is_open) {
            return;
        }
        let steps: Vec<_> = std::mem::take(&mut entry.steps).into_iter().map(parts).collect();
        let text = serde_json::to_string(&steps).expect("each part has a form in JSON");
        // Allocated anew: a text that is cut to its length leaves a hole behind.
        let (steps, place, records) = (text.as_str().into(), *place, entry.records);
        *self = Self::Ended { steps, place, records };
    }

    fn place(&self) -> u32 {
        match self {
            Self::Open { place, .. } | Self::Ended { place, .. } => *place,
        }
    }

    fn entry(&self, key: &str) -> Entry {
        match self {
            Self::Open { entry, .. } => (**entry).clone(),
            Self::Ended { steps, records, .. } => {
                let steps: Vec<_> = serde_json::from_str(steps).expect("what `shrink` has written");
                let steps = steps.into_iter().map(step).collect();
                Entry { key: Untrusted::whole(key), steps, records: *records }
            }
        }
    }
}

/// A step, short as JSON: the operation is its place in [`ALL`], and the times are in microseconds.
type Parts = ((usize, u32), Subject, [Option<String>; 4], (i64, Option<i64>), TallyParts);

fn parts(step: Step) -> Parts {
    let operation = ALL.iter().position(|known| known.name == step.operation);
    let texts = [step.created_id, step.marker, step.request_id, step.looked_up];
    (
        (operation.expect("a record names one of them"), step.number),
        step.subject,
        texts.map(|text| text.map(String::from)),
        (step.begun.timestamp_micros(), step.ended.map(|ended| ended.timestamp_micros())),
        step.tally.into_parts(),
    )
}

fn step(parts: Parts) -> Step {
    let ((operation, number), subject, texts, (begun, ended), tally) = parts;
    let tally = Tally::from_parts(tally);
    let [created_id, marker, request_id, looked_up] = texts.map(|text| text.map(Untrusted::local));
    let time = DateTime::from_timestamp_micros;
    Step {
        operation: ALL[operation].name,
        number,
        subject,
        state: tally.state(),
        created_id,
        marker,
        request_id,
        looked_up,
        begun: time(begun).unwrap_or_default(),
        ended: ended.and_then(time),
        tally,
    }
}
