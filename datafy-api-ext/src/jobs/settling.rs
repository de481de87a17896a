//! Settles what is unknown in the journal of a run, if it was given a way to look it up.

use super::driver::Held;
use super::gate::Gate;
use crate::client::{Datafy, Stopwatch};
use crate::journal::{Entry, Step, Store};
use crate::outcome::Outcome;
use crate::reconcile::{LookUp, SentCall};
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use std::future::{Future, ready};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How often a wait is interrupted to look for a stop.
const SLICE: Duration = Duration::from_secs(2);

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

    /// Looks up what is unknown, and records what is certain, except of jobs that are running; the entries have the reasons
    /// of the rest. Nothing is settled once the journal has failed.
    ///
    /// Returns the first time at which another look may find out more, if one may.
    pub(super) async fn look(&self) -> Option<DateTime<Utc>> {
        // Each call with its key and its step.
        let calls = || {
            let are_all = !self.store.is_busy();
            let of = |Entry { key, steps, .. }| {
                let place = move |step: Step| {
                    let call = SentCall::from(&step);
                    ((key.clone(), step), call)
                };
                steps.into_iter().map(place)
            };
            (self.store.entries().iter().flat_map(of).collect(), are_all)
        };
        let now = self.datafy.clock().date();
        let mut again_after = None;
        for looked in self.look_up.look(calls, now.into()).await {
            let (key, step) = looked.place;
            let (operation, number) = (step.operation, step.number);
            if let Some(found) = looked.settled
                && let Some(_turn) = self.store.turn_now(&key)
            {
                let evidence = Some(format!("EC2: {}", looked.text));
                let place = (&*key, operation, number);
                let settled = self.store.settle(&self.datafy, place, Some(&step), found, evidence);
                if settled.await.is_ok() {
                    continue;
                }
            }
            again_after = again_after.into_iter().chain(looked.look_again_after).min();
            let mut entries = self.store.entries();
            let steps = entries.get_mut(&key).map(|entry| &mut entry.steps);
            let mut steps = steps.into_iter().flatten();
            if let Some(step) = steps.find(|it| it.operation == operation && it.number == number) {
                step.looked_up = Some(Untrusted::local(looked.text));
            }
        }
        again_after
    }

    /// Looks until nothing more can be found out, the time is over, or the run is stopped.
    async fn wait(&self, gate: &Gate) {
        let clock = self.datafy.clock();
        let mut time = Stopwatch::start(&self.datafy);
        while let Some(again) = self.look().await {
            let pause = (again - DateTime::<Utc>::from(clock.date())).to_std().unwrap_or_default();
            // A clock that is set back must not make this a busy loop.
            let end = time.passed() + pause.max(SLICE);
            if end > self.look_up.patience() {
                break;
            }
            while time.passed() < end {
                if gate.state().stopped.is_some() {
                    return;
                }
                time.pause(SLICE.min(end.saturating_sub(time.passed()))).await;
            }
        }
    }

    /// Holds back what ends unknown, looks it up when all jobs have ended, and continues the jobs with `again`.
    pub(super) fn with_second_look<T, D, E, F>(
        self,
        results: impl Stream<Item = Held<T, D, E>> + Send + 'static,
        gate: Arc<Gate>,
        concurrency: usize,
        again: impl Fn(T) -> F + Send + 'static,
    ) -> BoxStream<'static, Held<T, D, E>>
    where
        T: Send + 'static,
        D: Send + 'static,
        E: Send + 'static,
        F: Future<Output = Option<Held<T, D, E>>> + Send + 'static,
    {
        let (hold, held) = mpsc::channel();
        let known = results.filter_map(move |ended| {
            let is_unknown = ended.finished.outcome() == Outcome::Unknown;
            ready(if is_unknown { hold.send(ended).err().map(|it| it.0) } else { Some(ended) })
        });
        let rest = stream::once(async move {
            let held: Vec<_> = held.try_iter().collect();
            if !held.is_empty() {
                self.wait(&gate).await;
            }
            let held = stream::iter(held);
            if gate.state().stopped.is_some() {
                return held.boxed();
            }
            let again = held.map(move |Held { finished, steps }| {
                gate.again();
                let again = again(finished.item);
                async move {
                    let ended = again.await;
                    steps.received();
                    ended
                }
            });
            again.buffer_unordered(concurrency).filter_map(ready).boxed()
        });
        known.chain(rest.flatten()).boxed()
    }
}
