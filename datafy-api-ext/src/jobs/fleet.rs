//! Does a job for each of many items.

use super::claims::Claims;
use super::driver::drive;
use super::finished::Finished;
use super::gate::{Brakes, Gate};
use super::job::{self, Job};
use super::keyed::Keyed;
use super::not_done::NotDone;
use super::pace::Pace;
use super::plan::{Plan, Planned};
use super::progress::Monitor;
use super::seen::Seen;
#[cfg(feature = "reconcile")]
use super::settling::Settling;
use super::steps::Steps;
use super::stopped::Stopped;
use crate::client::{Datafy, within};
use crate::error::Error;
use crate::journal::{Entries, Header, JournalError, Log};
#[cfg(feature = "reconcile")]
use crate::outcome::Outcome;
#[cfg(feature = "reconcile")]
use crate::reconcile::LookUp;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use smol_str::SmolStr;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    items: Items<T>,
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

enum Items<T> {
    List(Vec<T>),
    Stream(BoxStream<'static, T>),
}

impl Datafy {
    /// Returns a fleet of these items, for example volume IDs.
    ///
    /// If two items have the same key, the run fails before anything is sent.
    pub fn fleet<T: Keyed + Clone + Send + Sync + 'static>(
        &self,
        items: impl IntoIterator<Item = T>,
    ) -> Fleet<T> {
        Fleet::new(self.clone(), Items::List(items.into_iter().collect()))
    }

    /// Returns a fleet of the items in a stream, which may be too long for memory. The run ends when the stream ends.
    ///
    /// An item that comes twice is processed twice, unless the fleet [refuses duplicates](Fleet::refuse_duplicates).
    pub fn fleet_of_stream<T: Keyed + Clone + Send + Sync + 'static>(
        &self,
        items: impl Stream<Item = T> + Send + 'static,
    ) -> Fleet<T> {
        Fleet::new(self.clone(), Items::Stream(items.boxed()))
    }
}

impl<T: Keyed + Clone + Send + Sync + 'static> Fleet<T> {
    fn new(datafy: Datafy, items: Items<T>) -> Self {
        Self {
            datafy,
            items,
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
    /// Each request is recorded on disk before it is sent, and its result before it is reported. If the file exists, the
    /// run resumes: an item that the journal records as done is not attempted again, a restore whose volume was created
    /// only attaches it, and an item whose outcome is unknown is reported and not repeated, unless the operation is
    /// idempotent. A journal therefore belongs to one job, however often that is run. The next night's snapshots need
    /// a new one. See [`journal`](crate::journal) for the format and for how to settle what is unknown.
    ///
    /// An incomplete last write, as a crash leaves it, is discarded. A damaged journal, or one of another job,
    /// operation, endpoint, sub-account or account, is an error. An item whose key the journal has for other arguments is
    /// not attempted. If the journal can't be written any more, or if it is removed, renamed, replaced or truncated, the run
    /// begins no further step.
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
        mut self,
        job: impl Fn(Datafy, T, Steps) -> J + Send + Sync + 'static,
    ) -> Result<Run<T, J::Done, J::Error>, FleetError> {
        self.check()?;
        let (log, entries) = match self.journal.take() {
            None => (None, Entries::default()),
            Some(path) => {
                let header = self.header::<J>();
                let (log, entries) =
                    Log::open(path, header, self.max_journal_age, self.datafy.clone()).await?;
                (Some(Arc::new(log)), entries)
            }
        };
        // Jobs beyond this would wait for the client, and would still be sent after a stop.
        let concurrency = self.concurrency.min(self.datafy.inner().in_flight);
        let monitor = Monitor::new(self.datafy.clone());
        let brakes = Brakes {
            datafy: self.datafy.clone(),
            monitor: monitor.clone(),
            pace: self.rate.map(Pace::new),
            journal: log.clone(),
            unsent_limit: self.unsent_limit,
            unsent: AtomicU32::new(0),
        };
        let entries = Mutex::new(entries);
        #[cfg(feature = "reconcile")]
        let settling = match (self.look_up, &log) {
            (Some(look_up), Some(log)) => {
                let settling = Settling::new(look_up, Arc::clone(log), self.datafy.clone());
                settling.look(&entries, |_| false).await;
                Some(settling)
            }
            _ => None,
        };
        let gate =
            Gate { is_plan: false, claims: Claims::of(&lock(&entries)), fleet: Some(brakes) };
        let fleet = Arc::new(Shared {
            gate: Arc::new(gate),
            seen: (self.refuse_duplicates || log.is_some() && self.items.is_stream())
                .then(Mutex::default),
            entries,
            log,
            monitor: monitor.clone(),
            datafy: self.datafy,
            job,
            #[cfg(feature = "reconcile")]
            settling,
        });
        let shared = Arc::clone(&fleet);
        let results = self
            .items
            .into_stream()
            .map(move |item| Arc::clone(&fleet).process(item))
            .buffer_unordered(concurrency)
            .filter_map(future::ready);
        #[cfg(feature = "reconcile")]
        let results = shared.with_second_look(results, concurrency);
        #[cfg(not(feature = "reconcile"))]
        drop(shared);
        Ok(Run { results: results.boxed(), monitor })
    }

    /// Returns what a run with the same arguments would do, without sending anything or changing the journal: a run whose
    /// steps refuse to send.
    ///
    /// It is exact up to the first call of each item that would be sent. A function that does other things than calls can
    /// ask [`Steps::is_plan`]. Fails as [`run`](Self::run) does, except that duplicates are counted. The items of a stream
    /// are consumed.
    #[doc(alias("dry run"))]
    pub async fn plan<J: Job>(
        self,
        job: impl Fn(Datafy, T, Steps) -> J,
    ) -> Result<Plan, FleetError> {
        self.plan_each(job, drop).await
    }

    /// As [`plan`](Self::plan), and calls `each` with what a run would do with each item.
    pub async fn plan_each<J: Job>(
        mut self,
        job: impl Fn(Datafy, T, Steps) -> J,
        mut each: impl FnMut(Planned<T, J::Done, J::Error>),
    ) -> Result<Plan, FleetError> {
        self.check_settings().map_err(FleetError::Setting)?;
        let checks_keys =
            self.refuse_duplicates || self.journal.is_some() || !self.items.is_stream();
        let absent = |path: &PathBuf| {
            fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        let path = self.journal.take().filter(|path| !absent(path));
        let entries = match path {
            None => Entries::default(),
            Some(path) => Log::read(path, self.header::<J>()).await?,
        };
        let gate = Arc::new(Gate { is_plan: true, claims: Claims::of(&entries), fleet: None });
        let mut seen = Seen::default();
        let mut plan = Plan::default();
        let mut items = self.items.into_stream();
        while let Some(item) = items.next().await {
            let key = SmolStr::new(item.key());
            if checks_keys && !seen.insert(&key) {
                plan.duplicates += 1;
                each(Planned::NotSent(Finished::not_attempted(item, NotDone::Duplicate)));
                continue;
            }
            let entry = entries.get(&key);
            let steps = Steps::new(None, key, entry, Arc::clone(&gate));
            let job = job(self.datafy.clone(), item.clone(), steps.clone());
            each(plan.add(item, drive(&steps, job.run(&steps)).await));
        }
        Ok(plan)
    }

    fn header<J: Job>(&self) -> Header {
        job::header::<J>(&self.datafy, self.job.clone())
    }

    fn check_settings(&self) -> Result<(), String> {
        within("concurrency", &self.concurrency, 1..=10_000)?;
        within("unsent_limit", &self.unsent_limit, 1..=u32::MAX)?;
        self.rate.map_or(Ok(()), |rate| within("rate", &rate, 1..=10_000))
    }

    fn check(&self) -> Result<(), FleetError> {
        self.check_settings().map_err(FleetError::Setting)?;
        if let Items::List(items) = &self.items {
            let mut seen = HashSet::with_capacity(items.len());
            if let Some(item) = items.iter().find(|item| !seen.insert(item.key())) {
                return Err(FleetError::Duplicate { key: item.key().into_owned() });
            }
        }
        Ok(())
    }
}

impl<T: Clone + Send + Sync + 'static> Items<T> {
    fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    fn into_stream(self) -> BoxStream<'static, T> {
        match self {
            Self::List(items) => stream::iter(items).boxed(),
            Self::Stream(items) => items,
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
struct Shared<F> {
    datafy: Datafy,
    job: F,
    monitor: Monitor,
    gate: Arc<Gate>,
    /// The keys so far, if duplicates are refused.
    seen: Option<Mutex<Seen>>,
    log: Option<Arc<Log>>,
    /// What earlier runs have recorded, of the items that have not come yet.
    entries: Mutex<Entries>,
    #[cfg(feature = "reconcile")]
    settling: Option<Settling>,
}

impl<F> Shared<F> {
    /// Does the job of one item, or returns why not. `None` if the run was stopped before.
    async fn process<T, J>(self: Arc<Self>, item: T) -> Option<Finished<T, J::Done, J::Error>>
    where
        T: Keyed + Clone,
        J: Job,
        F: Fn(Datafy, T, Steps) -> J,
    {
        let key = SmolStr::new(item.key());
        if self.is_duplicate(&key) {
            let finished = Finished::not_attempted(item, NotDone::Duplicate);
            self.monitor.count(&finished);
            return Some(finished);
        }
        self.attempt(key, item).await
    }

    async fn attempt<T, J>(&self, key: SmolStr, item: T) -> Option<Finished<T, J::Done, J::Error>>
    where
        T: Keyed + Clone,
        J: Job,
        F: Fn(Datafy, T, Steps) -> J,
    {
        let entry = lock(&self.entries).take(&key);
        let steps = Steps::new(self.log.clone(), key.clone(), entry, Arc::clone(&self.gate));
        let job = (self.job)(self.datafy.clone(), item.clone(), steps.clone());
        let driven = drive(&steps, job.run(&steps)).await;
        // If the run is dropped before, the item stays listed as in flight.
        if let Some(slot) = driven.ended.slot {
            self.monitor.leave(slot);
        }
        #[cfg(feature = "reconcile")]
        if self.settling.is_some() && !driven.ended.entry.steps.is_empty() {
            lock(&self.entries).insert(driven.ended.entry.clone());
        }
        let finished = driven.of(item);
        #[cfg(feature = "reconcile")]
        let finished = finished.map(|mut finished| {
            if let Some(settling) = &self.settling {
                settling.explain(&key, &mut finished);
            }
            finished
        });
        match &finished {
            Some(finished) => self.monitor.count(finished),
            None => self.monitor.skip(&key),
        }
        if finished.as_ref().is_none_or(|finished| !finished.sent) {
            // Thousands of skipped items in a row would starve other tasks.
            tokio::task::coop::consume_budget().await;
        }
        finished
    }

    /// Holds back what ends unknown, looks it up when all jobs have ended, and continues the jobs.
    #[cfg(feature = "reconcile")]
    fn with_second_look<T, J>(
        self: Arc<Self>,
        results: impl Stream<Item = Finished<T, J::Done, J::Error>> + Send + 'static,
        concurrency: usize,
    ) -> BoxStream<'static, Finished<T, J::Done, J::Error>>
    where
        T: Keyed + Clone + Send + Sync + 'static,
        J: Job + 'static,
        F: Fn(Datafy, T, Steps) -> J + Send + Sync + 'static,
    {
        if self.settling.is_none() {
            return results.boxed();
        }
        let held = Arc::<Mutex<Vec<_>>>::default();
        let kept = Arc::clone(&held);
        let known = results.filter_map(move |finished| {
            let unknown = finished.outcome() == Outcome::Unknown;
            future::ready(if unknown {
                lock(&kept).push(finished);
                None
            } else {
                Some(finished)
            })
        });
        let rest = stream::once(async move {
            let held = std::mem::take(&mut *lock(&held));
            if let Some(settling) = self.settling.as_ref().filter(|_| !held.is_empty()) {
                settling.wait(&self.entries, &self.monitor).await;
            }
            if self.monitor.stopped().is_some() {
                return stream::iter(held).boxed();
            }
            let again = move |finished: Finished<T, J::Done, J::Error>| {
                let fleet = Arc::clone(&self);
                fleet.monitor.again();
                async move {
                    let key = SmolStr::new(finished.item.key());
                    fleet.attempt(key, finished.item).await
                }
            };
            let again = stream::iter(held).map(again).buffer_unordered(concurrency);
            again.filter_map(future::ready).boxed()
        });
        known.chain(rest.flatten()).boxed()
    }

    fn is_duplicate(&self, key: &str) -> bool {
        self.seen.as_ref().is_some_and(|seen| !lock(seen).insert(key))
    }
}

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

    /// Why the run has stopped, if it has, and the items that it did not attempt so far.
    pub fn stopped(&self) -> Option<Stopped> {
        self.monitor.stopped()
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
