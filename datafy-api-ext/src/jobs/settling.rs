//! Settles what is unknown in the journal of a run, if it was given a way to look it up.

use super::finished::Finished;
use super::not_done::NotDone;
use super::progress::Monitor;
use crate::client::{Datafy, Stopwatch};
use crate::journal::{Entries, Kind, Log};
use crate::reconcile::{LookUp, SentCall};
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a wait is interrupted to look for a stop.
const SLICE: Duration = Duration::from_secs(2);

/// A step in a journal: the key, the operation and the number.
pub(super) type Place = (String, String, u32);

/// The journal of a run, and how to look up what is unknown in it.
pub(super) struct Settling {
    pub(super) look_up: LookUp,
    pub(super) log: Arc<Log>,
    pub(super) datafy: Datafy,
    /// Why a step stays unknown.
    reasons: Mutex<HashMap<Place, Untrusted>>,
}

/// What a look has left.
#[derive(Default)]
pub(super) struct Open {
    pub(super) steps: Vec<(Place, Untrusted)>,
    /// The first time at which another look may find out more.
    again_after: Option<DateTime<Utc>>,
}

impl Settling {
    pub(super) fn new(look_up: LookUp, log: Arc<Log>, datafy: Datafy) -> Self {
        Self { look_up, log, datafy, reasons: Mutex::default() }
    }

    /// Looks up what is unknown, and records what is certain. `is_running` says whether a job is running, with this key if
    /// one is given. Nothing is settled once the journal has failed.
    pub(super) async fn look(
        &self,
        entries: &Mutex<Entries>,
        is_running: impl Fn(Option<&str>) -> bool,
    ) -> Open {
        let calls = || {
            let are_all = !is_running(None);
            (calls(&lock(entries)), are_all)
        };
        let now = self.datafy.clock().date();
        let mut open = Open::default();
        for looked in self.look_up.look(calls, now.into()).await {
            let place = looked.place;
            let settled = looked.settled.filter(|_| !is_running(Some(&place.0)));
            if let Some(found) = settled {
                let evidence = Some(format!("EC2: {}", looked.text));
                let (key, operation, number) = &place;
                let record = lock(entries).settlement(key, operation, *number, found, evidence);
                if let Ok(record) = record
                    && self.log.write(&record, Kind::Result).await.is_ok()
                {
                    // A settlement can follow any record.
                    let _ = lock(entries).apply(now.into(), record);
                    continue;
                }
            }
            open.again_after = match (open.again_after, looked.look_again_after) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            open.steps.push((place, Untrusted::local(looked.text)));
        }
        *lock(&self.reasons) = open.steps.iter().cloned().collect();
        open
    }

    /// Looks until nothing more can be found out, the time is over, or the run is stopped.
    pub(super) async fn wait(&self, entries: &Mutex<Entries>, monitor: &Monitor) {
        let clock = self.datafy.clock();
        let mut time = Stopwatch::start(&self.datafy);
        loop {
            let open = self.look(entries, |_| false).await;
            let Some(again) = open.again_after else { break };
            let pause = (again - DateTime::<Utc>::from(clock.date())).to_std().unwrap_or_default();
            // A clock that is set back must not make this a busy loop.
            let end = time.passed() + pause.max(SLICE);
            if end > self.look_up.patience() {
                break;
            }
            while time.passed() < end {
                if monitor.stopped().is_some() {
                    return;
                }
                time.pause(SLICE.min(end.saturating_sub(time.passed()))).await;
            }
        }
    }

    /// Adds why the step of a result is unknown.
    pub(super) fn explain<T, D, E>(&self, key: &str, finished: &mut Finished<T, D, E>) {
        if let Err(NotDone::Unknown { step, reason }) = &mut finished.result {
            let place = (key.to_owned(), step.operation.to_string(), step.number);
            *reason = lock(&self.reasons).get(&place).cloned();
        }
    }
}

/// All calls of a journal.
fn calls(entries: &Entries) -> Vec<(Place, SentCall)> {
    let of = |entry: crate::journal::Entry| {
        let key = entry.key.as_str().to_owned();
        let call = move |step: &crate::journal::Step| {
            ((key.clone(), step.operation.to_string(), step.number), SentCall::from(step))
        };
        entry.steps.iter().map(call).collect::<Vec<_>>()
    };
    entries.iter().flat_map(of).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
