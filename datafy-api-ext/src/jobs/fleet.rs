//! Does a job for each of many items.

use super::claims::Claims;
use super::driver::{Held, drive};
use super::finished::Finished;
use super::gate::Gate;
use super::job::{self, Job};
use super::keyed::Keyed;
use super::not_done::NotDone;
use super::pace::Pace;
use super::run::Run;
#[cfg(feature = "reconcile")]
use super::settling::Settling;
use super::steps::Steps;
use crate::client::{Datafy, within};
use crate::journal::{JournalError, Store};
#[cfg(feature = "reconcile")]
use crate::reconcile::LookUp;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use smol_str::SmolStr;
use std::collections::HashSet;
use std::fmt;
use std::future::ready;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The default number of jobs in flight. With answers after 200 ms, sixteen make 80 calls per second, and leave most
/// of the client's `max_in_flight` to its other calls.
const DEFAULT_CONCURRENCY: usize = 16;

/// Does a job, such as a call or a restore, for each of many items. Created by [`Datafy::fleet`].
///
/// ```no_run
/// use datafy_api_ext::{Datafy, VolumeId};
///
/// # async fn example(datafy: Datafy, ids: Vec<VolumeId>, date: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let fleet = datafy.fleet(ids).concurrency(8).journal(format!("nightly-{date}.jsonl"));
/// let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await?;
/// while let Some(finished) = run.next().await {
///     println!("{}: {:?}", finished.item, finished.result);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent until the fleet is run"]
#[doc(alias("batch", "bulk"))]
pub struct Fleet<T> {
    datafy: Datafy,
    items: BoxStream<'static, T>,
    /// A key that two items of the list have.
    duplicate: Option<String>,
    concurrency: usize,
    rate: Option<u32>,
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
        Fleet { duplicate, ..self.fleet_of_stream(stream::iter(items)) }
    }

    /// Returns a fleet of the items in a stream, which may be too long for memory. The run ends when the stream ends.
    ///
    /// An item that comes twice is processed twice, unless there is a [journal](Fleet::journal).
    pub fn fleet_of_stream<T: Keyed + Clone + Send + Sync + 'static>(
        &self,
        items: impl Stream<Item = T> + Send + 'static,
    ) -> Fleet<T> {
        Fleet {
            datafy: self.clone(),
            items: items.boxed(),
            duplicate: None,
            concurrency: DEFAULT_CONCURRENCY,
            rate: None,
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
    /// Capped at the client's [`max_in_flight`](crate::DatafyBuilder::max_in_flight). The memory of a run grows with it. Of
    /// an item that has ended, only what it has [claimed](Steps::claim) is remembered, in about twenty bytes.
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

    /// Sets after how many calls in a row that were not sent the run stops: at least 1. Defaults to 20.
    ///
    /// A service that can't be reached then gives one [reason](Run::stopped) instead of an error for each item. `u32::MAX`
    /// turns it off.
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
    /// A journal belongs to one job, however often that is run; the next night's snapshots need a new one. The module
    /// [`journal`](crate::journal) says what is recorded, what the next run does, and what can happen to the file. What
    /// earlier runs have recorded is kept in memory until its items come, and about twenty bytes for each item.
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
        let mut header = job::header::<J>(&datafy, self.job);
        header.max_age = self.max_journal_age;
        #[cfg(feature = "reconcile")]
        let keeps = self.look_up.is_some();
        #[cfg(not(feature = "reconcile"))]
        let keeps = false;
        let store = match journal {
            None => None,
            Some(path) if is_plan => Some(Store::read(path, header).await?),
            Some(path) => Some(Store::open(path, header, keeps, datafy.clone()).await?),
        };
        let store = store.map(Arc::new);
        #[cfg(feature = "reconcile")]
        let settling = match (self.look_up.filter(|_| !is_plan), &store) {
            (Some(look_up), Some(store)) => {
                let settling = Settling::new(look_up, Arc::clone(store), datafy.clone());
                settling.look().await;
                Some(settling)
            }
            _ => None,
        };
        let mut gate = Gate::new(datafy.clone());
        (gate.is_fleet, gate.is_plan) = (true, is_plan);
        (gate.pace, gate.unsent_limit) = (self.rate.map(Pace::new), self.unsent_limit);
        if let Some(store) = &store {
            gate.claims = Claims::of(&store.entries());
        }
        let gate = Arc::new(gate);
        // Jobs beyond `max_in_flight` would wait for the client, and would still be sent after a stop.
        let concurrency = self.concurrency.min(datafy.inner().in_flight);
        let concurrency = if is_plan { 1 } else { concurrency };
        let jobs = Arc::new(Jobs {
            datafy,
            job,
            keys: store.is_some().then(Claims::default),
            store,
            gate: Arc::clone(&gate),
        });
        let each = Arc::clone(&jobs);
        let results = self.items.map(move |item| Arc::clone(&each).process(item, false));
        let results = results.buffer_unordered(concurrency).filter_map(ready);
        #[cfg(feature = "reconcile")]
        let results = match settling {
            Some(settling) => {
                let again = move |item| Arc::clone(&jobs).process(item, true);
                settling.with_second_look(results, Arc::clone(&gate), concurrency, again)
            }
            None => results.boxed(),
        };
        Ok(Run { results: results.map(Held::received).boxed(), gate })
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
        f.debug_struct("Fleet").field("journal", &self.journal).finish_non_exhaustive()
    }
}

/// The jobs of a run.
struct Jobs<F> {
    datafy: Datafy,
    job: F,
    gate: Arc<Gate>,
    store: Option<Arc<Store>>,
    /// The keys so far. With a journal, a key stands for one job.
    keys: Option<Claims>,
}

impl<F> Jobs<F> {
    /// Does the job of one item, or returns why not. `None` if the run was stopped before. `again`: it is done for the
    /// second time in this run.
    async fn process<T, J>(
        self: Arc<Self>,
        item: T,
        again: bool,
    ) -> Option<Held<T, J::Done, J::Error>>
    where
        T: Keyed + Clone,
        J: Job,
        F: Fn(Datafy, T, Steps) -> J,
    {
        // Thousands of items in a row of which nothing is sent would starve other tasks.
        tokio::task::coop::consume_budget().await;
        let key = SmolStr::new(item.key());
        let is_first = again || self.keys.as_ref().is_none_or(|keys| keys.claim_first(&key));
        let ended = if is_first {
            let steps = Steps::new(self.store.clone(), Some(Arc::clone(&self.gate)), key.clone());
            let job = (self.job)(self.datafy.clone(), item.clone(), steps.clone());
            drive(steps, item, job).await
        } else {
            let result = Err(NotDone::Duplicate);
            let finished = Finished { item, result, before: false, steps: Vec::new() };
            Held { finished, steps: Steps::alone() }
        };
        self.gate.count(&key, &ended.finished).then_some(ended)
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
