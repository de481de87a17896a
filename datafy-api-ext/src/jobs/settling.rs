//! Settles what is unknown in the journal of a run, if it was given a way to look it up.

use super::progress::Monitor;
use crate::client::{Datafy, Stopwatch};
use crate::journal::{Entries, Store};
use crate::reconcile::{LookUp, SentCall};
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Duration;

/// How often a wait is interrupted to look for a stop.
const SLICE: Duration = Duration::from_secs(2);

/// A step in a journal: the key, the operation and the number.
type Place = (SmolStr, &'static str, u32);

/// The journal of a run, and how to look up what is unknown in it.
pub(super) struct Settling {
    look_up: LookUp,
    store: Arc<Store>,
    datafy: Datafy,
}

impl Settling {
    pub(super) fn new(look_up: LookUp, store: Arc<Store>, datafy: Datafy) -> Self {
        Self { look_up, store, datafy }
    }

    /// Looks up what is unknown, and records what is certain; the entries have the reasons of the rest. `is_running` says
    /// whether a job is running, with this key if one is given. Nothing is settled once the journal has failed.
    ///
    /// Returns the first time at which another look may find out more, if one may.
    pub(super) async fn look(
        &self,
        is_running: impl Fn(Option<&str>) -> bool,
    ) -> Option<DateTime<Utc>> {
        let calls = || {
            let are_all = !is_running(None);
            (calls(&self.store.entries()), are_all)
        };
        let now = self.datafy.clock().date();
        let mut again_after = None;
        for looked in self.look_up.look(calls, now.into()).await {
            let (key, operation, number) = looked.place;
            if let Some(found) = looked.settled.filter(|_| !is_running(Some(&key))) {
                let evidence = Some(format!("EC2: {}", looked.text));
                let place = (&*key, operation, number);
                if self.store.settle(&self.datafy, place, found, evidence).await.is_ok() {
                    continue;
                }
            }
            again_after = again_after.into_iter().chain(looked.look_again_after).min();
            self.store.entries().change(&key, |entry| {
                let mut steps = entry.steps.iter_mut();
                let step = steps.find(|it| it.operation == operation && it.number == number);
                if let Some(step) = step {
                    step.looked_up = Some(Untrusted::local(looked.text));
                }
            });
        }
        again_after
    }

    /// Looks until nothing more can be found out, the time is over, or the run is stopped.
    pub(super) async fn wait(&self, monitor: &Monitor) {
        let clock = self.datafy.clock();
        let mut time = Stopwatch::start(&self.datafy);
        while let Some(again) = self.look(|_| false).await {
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
}

/// All calls of a journal.
fn calls(entries: &Entries) -> Vec<(Place, SentCall)> {
    let mut calls = Vec::new();
    for entry in entries.iter() {
        let key = SmolStr::new(&*entry.key);
        let place = |step: &crate::journal::Step| (key.clone(), step.operation, step.number);
        calls.extend(entry.steps.iter().map(|step| (place(step), SentCall::from(step))));
    }
    calls
}
