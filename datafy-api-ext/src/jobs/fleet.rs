//! Runs one operation over many volumes.

use super::journal::{self, Journal};
use super::journal_error::JournalError;
use super::not_done::NotDone;
use super::pace::Pace;
use super::progress::{Monitor, Slot, StopReason};
use crate::call::Call;
use crate::call::operation::{Operation, sealed};
use crate::client::InvalidSetting;
use crate::client::{Datafy, Volume};
use crate::id::{Answered, VolumeId};
use crate::outcome::Outcome;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The default number of calls in flight. With answers after 200 ms, sixteen make 80 calls per second, and leave most
/// of the client's `max_in_flight` to its other calls.
const DEFAULT_CONCURRENCY: usize = 16;

/// Runs one operation over many volumes. Created by [`Datafy::fleet`].
///
/// ```no_run
/// use datafy_api_ext::{Datafy, VolumeId};
///
/// # async fn example(datafy: Datafy, ids: Vec<VolumeId>) -> Result<(), Box<dyn std::error::Error>> {
/// let fleet = datafy.fleet(ids).concurrency(8).journal("nightly-2026-01-01.jsonl");
/// let mut run = fleet.run(|volume| volume.create_snapshot().description("nightly")).await?;
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
pub struct Fleet {
    datafy: Datafy,
    volumes: BoxStream<'static, VolumeId>,
    concurrency: usize,
    rate: Option<u32>,
    journal: Option<PathBuf>,
}

impl Fleet {
    pub(crate) fn new(datafy: Datafy, volumes: BoxStream<'static, VolumeId>) -> Self {
        Self { datafy, volumes, concurrency: DEFAULT_CONCURRENCY, rate: None, journal: None }
    }

    /// Sets the number of calls in flight at a time: 1 to 10,000. Defaults to 16.
    ///
    /// Capped at the client's [`max_in_flight`](crate::DatafyBuilder::max_in_flight). The memory that a run takes grows
    /// with this number, not with the number of volumes.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls;
        self
    }

    /// Limits how many calls start per second: 1 to 10,000. Unlimited by default.
    ///
    /// Retries within a call don't count. A call that starts up to 10 ms late doesn't delay the next ones. With a
    /// [journal](Self::journal), calls that have waited for a slow disk are sent together.
    pub fn rate(mut self, calls_per_second: u32) -> Self {
        self.rate = Some(calls_per_second);
        self
    }

    /// Keeps a journal in the file at `path`, so that another run can resume this one, even after a crash.
    ///
    /// Each call is recorded on disk before it is sent, and its outcome after it has ended. If the file exists, the run
    /// resumes: a volume that the journal records as applied is not attempted again, and one whose outcome is unknown
    /// is reported and not retried, unless the operation is idempotent. A journal therefore belongs to one job, however
    /// often that is run. The next night's snapshots need a new one.
    ///
    /// An incomplete last line, as a crash leaves it, is discarded. A damaged journal, or one of another operation,
    /// endpoint or sub-account, is an error. A run that resumes keeps the IDs in the journal in memory.
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(path.into());
        self
    }

    /// Starts a run in which `call` returns the call for each volume. Nothing is sent until the run is polled.
    ///
    /// Fails if a setting is out of range or the journal can't be used.
    pub async fn run<O: Operation + 'static>(
        self,
        call: impl Fn(Volume) -> Call<O> + Send + Sync + 'static,
    ) -> Result<Run<O::Answer>, FleetError> {
        InvalidSetting::within("concurrency", self.concurrency, 1..=10_000)?;
        if let Some(rate) = self.rate {
            InvalidSetting::within("rate", rate, 1..=10_000)?;
        }
        let journal = match &self.journal {
            Some(path) => {
                Some(Journal::open(path.clone(), journal::Header::of::<O>(&self.datafy)).await?)
            }
            None => None,
        };
        Ok(self.start(journal, call))
    }

    fn start<O: Operation + 'static>(
        self,
        journal: Option<Journal>,
        call: impl Fn(Volume) -> Call<O> + Send + Sync + 'static,
    ) -> Run<O::Answer> {
        // Calls beyond this would wait for the client, and would still be sent after a stop.
        let concurrency = self.concurrency.min(self.datafy.inner().in_flight);
        let fleet = Arc::new(Shared {
            monitor: Monitor::new(self.datafy.clone()),
            pace: self.rate.map(Pace::new),
            journal,
            datafy: self.datafy,
            call,
        });
        let monitor = fleet.monitor.clone();
        let results = self
            .volumes
            .map(move |id| {
                let fleet = Arc::clone(&fleet);
                async move {
                    let result = fleet.process(&id).await;
                    (id, result)
                }
            })
            .buffer_unordered(concurrency);
        Run { results: results.boxed(), monitor }
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("concurrency", &self.concurrency)
            .field("rate", &self.rate)
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

impl Datafy {
    /// Returns a fleet of these volumes. A volume that is listed twice gets two calls.
    pub fn fleet<I>(&self, volumes: I) -> Fleet
    where
        I: IntoIterator<Item = VolumeId>,
        I::IntoIter: Send + 'static,
    {
        self.fleet_of_stream(stream::iter(volumes))
    }

    /// Returns a fleet of the volumes in a stream, which may be too long for memory. The run ends when the stream ends.
    pub fn fleet_of_stream(&self, volumes: impl Stream<Item = VolumeId> + Send + 'static) -> Fleet {
        Fleet::new(self.clone(), volumes.boxed())
    }
}

/// What the calls of a run share.
struct Shared<F> {
    datafy: Datafy,
    call: F,
    monitor: Monitor,
    pace: Option<Pace>,
    journal: Option<Journal>,
}

impl<F> Shared<F> {
    /// Makes the call for one volume, or returns why not.
    async fn process<O: Operation>(&self, id: &VolumeId) -> Result<O::Answer, NotDone>
    where
        F: Fn(Volume) -> Call<O>,
    {
        let slot = match self.start(id) {
            Ok(slot) => slot,
            Err(not_done) => {
                self.monitor.skip();
                // Thousands of skipped volumes in a row would starve other tasks.
                tokio::task::coop::consume_budget().await;
                return Err(not_done);
            }
        };
        // If the run is dropped from here on, the volume stays listed as in flight.
        let turn = match &self.pace {
            None => Ok(()),
            // Boxed, like the path with a journal, which would otherwise enlarge the future of every call.
            Some(pace) => Box::pin(pace.wait(self.datafy.clock(), || self.monitor.check())).await,
        };
        let call = turn.map(|()| (self.call)(self.datafy.volume(id.clone())));
        let result = match (call, &self.journal) {
            (Err(not_done), _) => Err(not_done),
            (Ok(call), None) => call.send().await.map_err(NotDone::Failed),
            (Ok(call), Some(journal)) => Box::pin(self.send_with_journal(call, id, journal)).await,
        };
        // The status of the last answer, not of the deciding one: the token is refused only if the call ended with a
        // 401. If the renewal of the token failed instead, the next renewal may succeed.
        if let Err(NotDone::Failed(error)) = &result
            && error.last_status() == Some(401)
        {
            self.monitor.stop_because(StopReason::TokenRefused);
        }
        self.monitor.end(slot, &result);
        result
    }

    /// Lists the volume as in flight, unless it must not be attempted.
    fn start(&self, id: &VolumeId) -> Result<Slot, NotDone> {
        match self.journal.as_ref().and_then(|journal| journal.earlier(id)) {
            Some(earlier) => Err(earlier),
            None => self.monitor.begin(id),
        }
    }

    /// Sends the call, with a record in the journal before and after it.
    async fn send_with_journal<O: Operation>(
        &self,
        call: Call<O>,
        id: &VolumeId,
        journal: &Journal,
    ) -> Result<O::Answer, NotDone> {
        let marker = sealed::Operation::marker(&call.operation);
        let begun = journal.begin(id, marker).await;
        begun.map_err(|error| NotDone::Journal(self.stop(error)))?;
        let result = call.send().await;
        let (outcome, created_id) = match &result {
            Ok(answer) => (Outcome::Applied, sealed::Answer::created_id(answer)),
            Err(error) => (error.outcome(), error.snapshot_id().map(Answered::as_str)),
        };
        if let Err(error) = journal.end(id, outcome, created_id).await {
            // Without an end record the next run takes the outcome for unknown, which is safe.
            self.stop(error);
        }
        result.map_err(NotDone::Failed)
    }

    fn stop(&self, error: JournalError) -> JournalError {
        self.monitor.stop_because(StopReason::Journal(error.clone()));
        error
    }
}

/// A running fleet: a stream of one result per volume, in the order in which the calls end.
///
/// Dropping it cancels the calls in flight; [`Monitor::in_flight`] lists their volumes. With a journal, the drop waits
/// until the current write is done, and only then can the next run open the file.
pub struct Run<T> {
    results: BoxStream<'static, (VolumeId, Result<T, NotDone>)>,
    monitor: Monitor,
}

impl<T> Run<T> {
    /// Returns the next result, or `None` once every volume has been processed.
    pub async fn next(&mut self) -> Option<(VolumeId, Result<T, NotDone>)> {
        self.results.next().await
    }

    /// Returns a handle that reports the progress of the run and can stop it. It outlives the run.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }
}

impl<T> Stream for Run<T> {
    type Item = (VolumeId, Result<T, NotDone>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.results.poll_next_unpin(context)
    }
}

impl<T> fmt::Debug for Run<T> {
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
    /// The journal can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

#[cfg(all(test, feature = "fake"))]
mod tests {
    use super::super::journal::Journal;
    use super::NotDone;
    use crate::VolumeId;
    use crate::fake::Fake;
    use std::collections::HashMap;
    use std::fs::File;

    #[tokio::test]
    async fn a_journal_that_cannot_be_written_stops_the_run_before_it_has_an_effect() {
        let fake = Fake::start().await.expect("a free port");
        let ids = (0..50).map(|number| VolumeId::new(format!("vol-{number}")).expect("an ID"));
        ids.clone().for_each(|id| fake.account().add_volume(id, 1));
        // The file is open for reading only, so the first write fails.
        let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("a file");
        let journal = Journal::resume(file, "full.jsonl".into(), HashMap::new()).expect("a thread");

        let datafy = fake.client().build().expect("valid");
        let mut run = datafy.fleet(ids).start(Some(journal), |volume| volume.create_snapshot());
        let mut reported = 0;
        while let Some((id, result)) = run.next().await {
            let not_done = result.expect_err("nothing is done");
            assert!(matches!(not_done, NotDone::Journal(_)), "{id}: {not_done}");
            reported += 1;
        }
        assert_eq!((reported, run.monitor().progress().not_attempted), (50, 50));
        assert!(fake.requests().is_empty());
    }
}
