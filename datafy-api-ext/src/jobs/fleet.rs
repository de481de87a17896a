//! Does a job for each of many items.

use super::claims::Claims;
use super::driver::drive;
use super::finished::Finished;
use super::gate::{Gate, Stopped};
use super::job::{self, Job};
use super::keyed::Keyed;
use super::not_done::NotDone;
use super::pace::Pace;
use super::progress::Monitor;
#[cfg(feature = "reconcile")]
use super::settling::Settling;
use super::steps::Steps;
use crate::client::{Datafy, within};
use crate::error::Error;
use crate::journal::{JournalError, Store};
#[cfg(feature = "reconcile")]
use crate::reconcile::LookUp;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use smol_str::SmolStr;
use std::collections::HashSet;
use std::fmt;
use std::future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
#[cfg(feature = "reconcile")]
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// The default number of jobs in flight. With answers after 200 ms, sixteen make 80 calls per second, and leave most
/// of the client's `max_in_flight` to its other calls.
const DEFAULT_CONCURRENCY: usize = 16;

/// Does a job, such as a call or a restore, for each of many items. Created by [`Datafy::fleet`].
///
/// ```no_run
/// use datafy_api_ext::{Datafy, VolumeId};
///
/// # async fn example(datafy: Datafy, ids: Vec<VolumeId>) -> Result<(), Box<dyn std::error::Error>> {
/// let fleet = datafy.fleet(ids).concurrency(8).journal("nightly-2026-01-01.jsonl");
/// let mut run = fleet
///     .run(|datafy, id, _| datafy.volume(id).create_snapshot().description("nightly"))
///     .await?;
/// while let Some(finished) = run.next().await {
///     match finished.result {
///         Ok(snapshot) => println!("{}: {}", finished.item, snapshot.id),
///         Err(not_done) => eprintln!("{}: {not_done}", finished.item),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent until the fleet is run"]
#[doc(alias("batch", "bulk"))]
pub struct Fleet<T> {
    datafy: Datafy,
    items: BoxStream<'static, T>,
    is_list: bool,
    /// A key that two items of the list have.
    duplicate: Option<String>,
    concurrency: usize,
    rate: Option<u32>,
    refuse_duplicates: bool,
    unsent_limit: u32,
    job: Option<String>,
    journal: Option<PathBuf>,
    max_journal_age: Option<Duration>,
    #[cfg(feature = "reconcile")]
    look_up: Option<LookUp>,
}

impl Datafy {
    /// Returns a fleet of these items, for example volume IDs.
    ///
    /// If two items have the same key, the run fails before anything is sent.
    pub fn fleet<T: Keyed + Clone + Send + Sync + 'static>(
        &self,
        items: impl IntoIterator<Item = T>,
    ) -> Fleet<T> {
        let items: Vec<T> = items.into_iter().collect();
        let mut keys = HashSet::with_capacity(items.len());
        let duplicate = items.iter().map(Keyed::key).find(|key| !keys.insert(key.clone()));
        let duplicate = duplicate.map(String::from);
        Fleet { duplicate, is_list: true, ..self.fleet_of_stream(stream::iter(items)) }
    }

    /// Returns a fleet of the items in a stream, which may be too long for memory. The run ends when the stream ends.
    ///
    /// An item that comes twice is processed twice, unless the fleet [refuses duplicates](Fleet::refuse_duplicates).
    pub fn fleet_of_stream<T: Keyed + Clone + Send + Sync + 'static>(
        &self,
        items: impl Stream<Item = T> + Send + 'static,
    ) -> Fleet<T> {
        Fleet {
            datafy: self.clone(),
            items: items.boxed(),
            is_list: false,
            duplicate: None,
            concurrency: DEFAULT_CONCURRENCY,
            rate: None,
            refuse_duplicates: false,
            unsent_limit: 20,
            job: None,
            journal: None,
            max_journal_age: None,
            #[cfg(feature = "reconcile")]
            look_up: None,
        }
    }
}

impl<T: Keyed + Clone + Send + Sync + 'static> Fleet<T> {
    /// Sets the number of jobs in flight at a time: 1 to 10,000. Defaults to 16.
    ///
    /// Capped at the client's [`max_in_flight`](crate::DatafyBuilder::max_in_flight). The memory that a run takes grows
    /// with this number, not with the number of items in a stream.
    #[doc(alias("parallel", "max_in_flight"))]
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.concurrency = jobs;
        self
    }

    /// Limits how many jobs start per second: 1 to 10,000. Unlimited by default.
    ///
    /// Retries within a job don't count. A job that starts up to 10 ms late doesn't delay the next ones. With a
    /// [journal](Self::journal), calls that have waited for a slow disk are sent together.
    #[doc(alias("throttle", "rate limit"))]
    pub fn rate(mut self, jobs_per_second: u32) -> Self {
        self.rate = Some(jobs_per_second);
        self
    }

    /// Refuses an item of a stream whose key has come before, with [`NotDone::Duplicate`].
    ///
    /// This keeps about twelve bytes per item in memory. A list is always checked, and so is a stream with a
    /// [journal](Self::journal), where the key stands for one job.
    pub fn refuse_duplicates(mut self) -> Self {
        self.refuse_duplicates = true;
        self
    }

    /// Sets after how many calls in a row that were not sent the run stops: at least 1. Defaults to 20.
    ///
    /// A service that can't be reached, or a token that can't be read, then gives one [reason](Run::stopped) instead of
    /// an error for each item. `u32::MAX` turns it off.
    #[doc(alias("circuit breaker"))]
    pub fn unsent_limit(mut self, calls: u32) -> Self {
        self.unsent_limit = calls;
        self
    }

    /// Names the job in the journal, for example after its date. A run with another name can't use the journal.
    pub fn named(mut self, job: impl Into<String>) -> Self {
        self.job = Some(job.into());
        self
    }

    /// Keeps a journal in the file at `path`, so that another run can resume this one, even after a crash.
    ///
    /// If the file exists, the run resumes: an item that is done is not attempted again, and one whose outcome is unknown is
    /// reported and not repeated, unless the operation is idempotent. A journal therefore belongs to one job, however often
    /// that is run; the next night's snapshots need a new one. The module [`journal`](crate::journal) says what is recorded,
    /// how to settle what is unknown, and what happens if the file can't be used any more.
    ///
    /// The entries of earlier runs are kept in memory, and about twelve bytes per item of a stream.
    #[doc(alias("resume", "checkpoint"))]
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(path.into());
        self
    }

    /// Refuses a journal that was begun longer ago than this, by the client's [clock](crate::Clock). No limit by default.
    ///
    /// A schedule that uses one journal for all its runs by mistake, with no date in its name, would otherwise do nothing
    /// after the first.
    pub fn max_journal_age(mut self, limit: Duration) -> Self {
        self.max_journal_age = Some(limit);
        self
    }

    /// Looks up what is unknown in the [journal](Self::journal) when the run begins, and again what has ended unknown at its
    /// end, and settles what EC2 proves. The jobs of what was settled are continued.
    ///
    /// The end of the run waits until EC2 shows everything, for up to [`LookUp::wait`]. Results that are unknown come last
    /// then. What the journal says of the items of this run is kept in memory.
    #[cfg(feature = "reconcile")]
    #[doc(alias("reconcile"))]
    pub fn look_up(mut self, look_up: LookUp) -> Self {
        self.look_up = Some(look_up);
        self
    }

    /// Starts a run in which `job` returns the job of each item: a call, an attach, a restore, or the future of an async
    /// function that makes its calls with the [`Steps`]. Nothing is sent until the run is polled.
    ///
    /// A job of an earlier run that is finished succeeds again, without a call, and says [so](Finished::before).
    ///
    /// Fails if a setting is out of range, two items of a list have the same key, or the journal can't be used.
    pub async fn run<J: Job + 'static>(
        self,
        job: impl Fn(Datafy, T, Steps) -> J + Send + Sync + 'static,
    ) -> Result<Run<T, J::Done, J::Error>, FleetError> {
        self.start(job, false).await
    }

    /// Starts a plan: a run that sends nothing and doesn't change the journal, since its steps refuse to send. The result
    /// of an item of which a run would send a call is [`NotDone::NotAttempted`], with the steps of earlier runs; that of
    /// any other item is the one that a run would have. The items come in order.
    ///
    /// It is exact up to the first call of each item that would be sent. A function that does other things than calls can
    /// ask [`Steps::is_plan`]. Fails as [`run`](Self::run) does. The items of a stream are consumed.
    #[doc(alias("dry run"))]
    pub async fn plan<J: Job + 'static>(
        self,
        job: impl Fn(Datafy, T, Steps) -> J + Send + Sync + 'static,
    ) -> Result<Run<T, J::Done, J::Error>, FleetError> {
        self.start(job, true).await
    }

    async fn start<J: Job + 'static>(
        self,
        job: impl Fn(Datafy, T, Steps) -> J + Send + Sync + 'static,
        is_plan: bool,
    ) -> Result<Run<T, J::Done, J::Error>, FleetError> {
        self.check()?;
        let Self { datafy, journal, .. } = self;
        let header = job::header::<J>(&datafy, self.job);
        let store = match journal {
            None => None,
            Some(path) if is_plan => Some(Store::read(path, header).await?),
            Some(path) => {
                Some(Store::open(path, header, self.max_journal_age, datafy.clone()).await?)
            }
        };
        let store = store.map(Arc::new);
        #[cfg(feature = "reconcile")]
        let settling = match (self.look_up.filter(|_| !is_plan), &store) {
            (Some(look_up), Some(store)) => {
                let settling = Settling::new(look_up, Arc::clone(store), datafy.clone());
                settling.look(|_| false).await;
                Some(settling)
            }
            _ => None,
        };
        #[cfg(feature = "reconcile")]
        let keeps_entries = settling.is_some();
        #[cfg(not(feature = "reconcile"))]
        let keeps_entries = false;
        let monitor = Monitor::new(datafy.clone());
        let claims = store.as_ref().map(|store| Claims::of(&store.entries()));
        let gate = Gate {
            is_plan,
            claims: claims.unwrap_or_default(),
            monitor: Some(monitor.clone()),
            pace: self.rate.map(Pace::new),
            unsent_limit: self.unsent_limit,
            ..Gate::default()
        };
        let checks_keys = self.refuse_duplicates || store.is_some() && !self.is_list;
        let fleet = Arc::new(Shared {
            gate: Arc::new(gate),
            seen: checks_keys.then(Claims::default),
            store,
            monitor: monitor.clone(),
            job: Box::new(job),
            keeps_entries,
            #[cfg(feature = "reconcile")]
            settling,
            datafy,
        });
        let shared = Arc::clone(&fleet);
        let results = self.items.map(move |item| Arc::clone(&fleet).process(item));
        // Jobs beyond `max_in_flight` would wait for the client, and would still be sent after a stop.
        let concurrency = self.concurrency.min(shared.datafy.inner().in_flight);
        let concurrency = if is_plan { 1 } else { concurrency };
        let results = results.buffer_unordered(concurrency).filter_map(future::ready);
        #[cfg(feature = "reconcile")]
        let results = shared.with_second_look(results, concurrency);
        Ok(Run { results: results.boxed(), monitor })
    }

    fn check(&self) -> Result<(), FleetError> {
        within("concurrency", &self.concurrency, 1..=10_000)
            .and_then(|()| within("unsent_limit", &self.unsent_limit, 1..=u32::MAX))
            .and_then(|()| within("rate", &self.rate.unwrap_or(1), 1..=10_000))
            .map_err(FleetError::Setting)?;
        match &self.duplicate {
            Some(key) => Err(FleetError::Duplicate { key: key.clone() }),
            None => Ok(()),
        }
    }
}

impl<T> fmt::Debug for Fleet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("concurrency", &self.concurrency)
            .field("rate", &self.rate)
            .field("job", &self.job)
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

/// What the jobs of a run share.
struct Shared<T, J> {
    datafy: Datafy,
    job: Box<dyn Fn(Datafy, T, Steps) -> J + Send + Sync>,
    monitor: Monitor,
    gate: Arc<Gate>,
    /// The keys so far, if duplicates are refused.
    seen: Option<Claims<()>>,
    /// `None` without a journal: then each job has another store, since a key may come twice.
    store: Option<Arc<Store>>,
    /// Whether what is known of finished items is kept, to look it up.
    keeps_entries: bool,
    #[cfg(feature = "reconcile")]
    settling: Option<Settling>,
}

impl<T: Keyed + Clone + Send + Sync + 'static, J: Job + 'static> Shared<T, J> {
    /// Does the job of one item, or returns why not. `None` if the run was stopped before.
    async fn process(self: Arc<Self>, item: T) -> Option<Finished<T, J::Done, J::Error>> {
        let key = SmolStr::new(item.key());
        if self.seen.as_ref().is_some_and(|seen| seen.claim(&key, ()).is_some()) {
            let result = Err(NotDone::Duplicate);
            let finished = Finished { item, result, before: false, steps: Vec::new() };
            self.monitor.count(&finished);
            return Some(finished);
        }
        self.attempt(key, item).await
    }

    async fn attempt(&self, key: SmolStr, item: T) -> Option<Finished<T, J::Done, J::Error>> {
        // Thousands of items in a row of which nothing is sent would starve other tasks.
        tokio::task::coop::consume_budget().await;
        let store = self.store.clone().unwrap_or_default();
        let steps = Steps::new(Arc::clone(&store), Arc::clone(&self.gate), key.clone());
        let job = (self.job)(self.datafy.clone(), item.clone(), steps.clone());
        let finished = drive(&steps, item, job.run(&steps)).await;
        if !self.keeps_entries {
            store.entries().remove(&key);
        }
        if matches!(finished.result, Err(NotDone::NotAttempted)) && !self.gate.is_plan {
            self.monitor.skip(&key);
            return None;
        }
        self.monitor.count(&finished);
        Some(finished)
    }

    /// Holds back what ends unknown, looks it up when all jobs have ended, and continues the jobs.
    #[cfg(feature = "reconcile")]
    fn with_second_look(
        self: Arc<Self>,
        results: impl Stream<Item = Finished<T, J::Done, J::Error>> + Send + 'static,
        concurrency: usize,
    ) -> BoxStream<'static, Finished<T, J::Done, J::Error>> {
        use crate::outcome::Outcome;

        if self.settling.is_none() {
            return results.boxed();
        }
        let held = Arc::<Mutex<Vec<_>>>::default();
        let kept = Arc::clone(&held);
        let known = results.filter_map(move |finished| {
            let is_unknown = finished.outcome() == Outcome::Unknown;
            future::ready(if is_unknown {
                lock(&kept).push(finished);
                None
            } else {
                Some(finished)
            })
        });
        let rest = stream::once(async move {
            let held = std::mem::take(&mut *lock(&held));
            if let Some(settling) = self.settling.as_ref().filter(|_| !held.is_empty()) {
                settling.wait(&self.monitor).await;
            }
            let held = stream::iter(held);
            if self.monitor.stopped().is_some() {
                return held.boxed();
            }
            let again = held.map(move |finished: Finished<T, J::Done, J::Error>| {
                let fleet = Arc::clone(&self);
                fleet.monitor.again();
                let key = SmolStr::new(finished.item.key());
                async move { fleet.attempt(key, finished.item).await }
            });
            again.buffer_unordered(concurrency).filter_map(future::ready).boxed()
        });
        known.chain(rest.flatten()).boxed()
    }
}

#[cfg(feature = "reconcile")]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running fleet: a stream of how each item ended, in the order in which the jobs end.
///
/// Dropping it cancels the jobs in flight; [`Monitor::in_flight`] lists their keys. With a journal, the drop waits until
/// what is queued is written, and only then can the next run open the file.
pub struct Run<T, D, E = Error> {
    results: BoxStream<'static, Finished<T, D, E>>,
    monitor: Monitor,
}

impl<T, D, E> Run<T, D, E> {
    /// Returns how the next item ended, or `None` once every item has been processed. If the run has
    /// [stopped](Self::stopped), items that were not attempted are left out.
    pub async fn next(&mut self) -> Option<Finished<T, D, E>> {
        self.results.next().await
    }

    /// Why the run has stopped, if it has.
    pub fn stopped(&self) -> Option<Stopped> {
        self.monitor.stopped()
    }

    /// The keys of the items that were not attempted so far since the run has [stopped](Self::stopped), in the order in
    /// which they came: nothing was sent for them in this run. Their jobs may have been begun by an earlier one.
    pub fn not_attempted(&self) -> Vec<String> {
        self.monitor.not_attempted()
    }

    /// Returns a handle that reports the progress of the run and can stop it. It outlives the run.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }
}

impl<T, D, E> Stream for Run<T, D, E> {
    type Item = Finished<T, D, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.results.poll_next_unpin(context)
    }
}

impl<T, D, E> fmt::Debug for Run<T, D, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("progress", &self.monitor.progress()).finish_non_exhaustive()
    }
}

/// Why a fleet can't be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// A setting is out of range. The text names it.
    #[error("{0}")]
    Setting(String),
    /// Two items of the list have the same key. Nothing was sent.
    #[error("two items have the key {key:?}, so nothing was sent; remove one of them")]
    Duplicate {
        /// The key.
        key: String,
    },
    /// The journal can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
