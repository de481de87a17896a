//! Does a job for each of many items.

use super::job::{Failure, Job, Page, Performed, Resume};
use super::journal::{Entries, Header, JournalError, Log};
use super::keyed::Keyed;
use super::not_done::NotDone;
use super::pace::Pace;
use super::plan::Plan;
use super::progress::{Monitor, StopReason};
use super::seen::Seen;
use crate::client::{Datafy, InvalidSetting};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use smol_str::SmolStr;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

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
///     .run(|datafy, id| datafy.volume(id.clone()).create_snapshot().description("nightly"))
///     .await?;
/// while let Some((id, result)) = run.next().await {
///     match result {
///         Ok(snapshot) => println!("{id}: {:?}", snapshot.id),
///         Err(not_done) => eprintln!("{id}: {not_done}"),
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
    job: Option<String>,
    journal: Option<PathBuf>,
}

enum Items<T> {
    List(Vec<T>),
    Stream(BoxStream<'static, T>),
}

impl Datafy {
    /// Returns a fleet of these items, for example volume IDs.
    ///
    /// If two items have the same key, the run fails before anything is sent.
    pub fn fleet<T: Keyed + Send + 'static>(&self, items: impl IntoIterator<Item = T>) -> Fleet<T> {
        Fleet::new(self.clone(), Items::List(items.into_iter().collect()))
    }

    /// Returns a fleet of the items in a stream, which may be too long for memory. The run ends when the stream ends.
    ///
    /// An item that comes twice is processed twice, unless the fleet [refuses duplicates](Fleet::refuse_duplicates).
    pub fn fleet_of_stream<T: Keyed + Send + 'static>(
        &self,
        items: impl Stream<Item = T> + Send + 'static,
    ) -> Fleet<T> {
        Fleet::new(self.clone(), Items::Stream(items.boxed()))
    }
}

impl<T: Keyed + Send + 'static> Fleet<T> {
    fn new(datafy: Datafy, items: Items<T>) -> Self {
        Self {
            datafy,
            items,
            concurrency: DEFAULT_CONCURRENCY,
            rate: None,
            refuse_duplicates: false,
            job: None,
            journal: None,
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
    /// a new one. See [`journal`](super::journal) for the format and for how to settle what is unknown.
    ///
    /// An incomplete last write, as a crash leaves it, is discarded. A damaged journal, or one of another job,
    /// operation, endpoint or sub-account, is an error. An item whose key the journal has for other arguments is not
    /// attempted. If the journal can't be written any more, or if it is removed, renamed, replaced or truncated, the run
    /// begins no further step.
    ///
    /// The entries of earlier runs are kept in memory, and about twelve bytes per item of a stream.
    #[doc(alias("resume", "checkpoint"))]
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(path.into());
        self
    }

    /// Starts a run in which `job` returns the job of each item. Nothing is sent until the run is polled.
    ///
    /// Fails if a setting is out of range, two items of a list have the same key, or the journal can't be used.
    pub async fn run<J: Job>(
        mut self,
        job: impl Fn(&Datafy, &T) -> J + Send + Sync + 'static,
    ) -> Result<Run<T, J>, FleetError> {
        self.check()?;
        let journal = match self.journal.take() {
            None => None,
            Some(path) => Some(Log::open(path, self.header::<J>(), self.datafy.clone()).await?),
        };
        // Jobs beyond this would wait for the client, and would still be sent after a stop.
        let concurrency = self.concurrency.min(self.datafy.inner().in_flight);
        let fleet = Arc::new(Shared {
            monitor: Monitor::new(self.datafy.clone()),
            pace: self.rate.map(Pace::new),
            seen: (self.refuse_duplicates || journal.is_some() && self.items.is_stream())
                .then(Mutex::default),
            journal,
            datafy: self.datafy,
            job,
        });
        let monitor = fleet.monitor.clone();
        let results = self
            .items
            .into_stream()
            .map(move |item| Arc::clone(&fleet).process(item))
            .buffer_unordered(concurrency);
        Ok(Run { results: results.boxed(), monitor })
    }

    /// Returns what a run with the same arguments would do, without sending anything or changing the journal.
    ///
    /// Fails as [`run`](Self::run) does, except that duplicates are counted. The items of a stream are consumed.
    #[doc(alias("dry run"))]
    pub async fn plan<J: Job>(
        mut self,
        job: impl Fn(&Datafy, &T) -> J,
    ) -> Result<Plan, FleetError> {
        self.check_settings()?;
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
        let mut seen = Seen::default();
        let mut plan = Plan::default();
        let mut items = self.items.into_stream();
        while let Some(item) = items.next().await {
            let key = item.key();
            if checks_keys && !seen.insert(&key) {
                plan.duplicates += 1;
                continue;
            }
            plan.add(&entries.left_to_do(&job(&self.datafy, &item), &key));
        }
        Ok(plan)
    }

    fn header<J: Job>(&self) -> Header {
        Header::new(&self.datafy, J::NAME, self.job.clone())
    }

    fn check_settings(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::within("concurrency", self.concurrency, 1..=10_000)?;
        if let Some(rate) = self.rate {
            InvalidSetting::within("rate", rate, 1..=10_000)?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), FleetError> {
        self.check_settings()?;
        if let Items::List(items) = &self.items {
            let mut seen = HashSet::with_capacity(items.len());
            if let Some(item) = items.iter().find(|item| !seen.insert(item.key())) {
                return Err(FleetError::Duplicate { key: item.key().into_owned() });
            }
        }
        Ok(())
    }
}

impl<T: Send + 'static> Items<T> {
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
    pace: Option<Pace>,
    /// The keys so far, if duplicates are refused.
    seen: Option<Mutex<Seen>>,
    /// The journal, and what earlier runs have recorded there.
    journal: Option<(Log, Entries)>,
}

impl<F> Shared<F> {
    /// Does the job of one item, or returns why not.
    async fn process<T: Keyed, J: Job>(self: Arc<Self>, item: T) -> (T, Performed<J>)
    where
        F: Fn(&Datafy, &T) -> J,
    {
        let key = SmolStr::new(item.key());
        let job = (self.job)(&self.datafy, &item);
        let brought = job.brought();
        let started = self.resume(&job, &key).and_then(|resume| {
            let slot = self.monitor.begin(key.clone())?;
            Ok((resume, slot))
        });
        let (resume, slot) = match started {
            Ok(started) => started,
            Err(not_done) => {
                if let NotDone::AppliedBefore { .. } = not_done {
                    brought.received();
                }
                let result = Err(not_done);
                self.monitor.end(None, &result);
                // Thousands of skipped items in a row would starve other tasks.
                tokio::task::coop::consume_budget().await;
                return (item, result);
            }
        };
        // If the run is dropped from here on, the item stays listed as in flight.
        let turn = match &self.pace {
            None => Ok(()),
            // Boxed, since it would enlarge the future of every job.
            Some(pace) => Box::pin(pace.wait(self.datafy.clock(), || self.check())).await,
        };
        let result = match turn {
            Err(not_done) => Err(not_done),
            Ok(()) => {
                brought.received();
                let page = Page { log: self.journal.as_ref().map(|(log, _)| log), key: &key };
                job.perform(resume, page).await
            }
        };
        // The status of the last answer, not of the deciding one: the token is refused only if the call ended with a
        // 401. If the renewal of the token failed instead, the next renewal may succeed.
        if let Err(NotDone::Failed(error)) = &result
            && Failure::last_status(error) == Some(401)
        {
            self.monitor.stop_because(StopReason::TokenRefused);
        }
        self.monitor.end(Some(slot), &result);
        (item, result)
    }

    /// Returns what earlier runs have done for an item, unless it must not be attempted.
    fn resume<J: Job>(&self, job: &J, key: &SmolStr) -> Result<Resume, NotDone<J::Failure>> {
        if let Some(seen) = &self.seen
            && !seen.lock().unwrap_or_else(PoisonError::into_inner).insert(key)
        {
            return Err(NotDone::Duplicate);
        }
        let Some((_, entries)) = &self.journal else { return Ok(Resume::FRESH) };
        let rest = entries.left_to_do(job, key).rest()?;
        self.check().map(|()| rest)
    }

    /// Fails if no further job may be started.
    fn check<E>(&self) -> Result<(), NotDone<E>> {
        match self.journal.as_ref().and_then(|(log, _)| log.failure()) {
            Some(failure) => Err(NotDone::Journal(failure.clone())),
            None => self.monitor.check(),
        }
    }
}

/// A running fleet: a stream of one result per item, in the order in which the jobs end.
///
/// Dropping it cancels the jobs in flight; [`Monitor::in_flight`] lists their keys. With a journal, the drop waits until
/// what is queued is written, and only then can the next run open the file.
pub struct Run<T, J: Job> {
    results: BoxStream<'static, (T, Performed<J>)>,
    monitor: Monitor,
}

impl<T, J: Job> Run<T, J> {
    /// Returns the next item with its result, or `None` once every item has been processed.
    pub async fn next(&mut self) -> Option<(T, Result<J::Done, NotDone<J::Failure>>)> {
        self.results.next().await
    }

    /// Returns a handle that reports the progress of the run and can stop it. It outlives the run.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }
}

impl<T, J: Job> Stream for Run<T, J> {
    type Item = (T, Result<J::Done, NotDone<J::Failure>>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.results.poll_next_unpin(context)
    }
}

impl<T, J: Job> fmt::Debug for Run<T, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("progress", &self.monitor.progress()).finish_non_exhaustive()
    }
}

/// Why a fleet can't be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
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
