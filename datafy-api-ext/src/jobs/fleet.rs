//! One operation over many volumes.

use super::journal::{self, Journal, JournalError};
use super::pace::Pace;
use super::progress::{Flight, Halt, Monitor};
use crate::call::Call;
use crate::call::operation::{Operation, sealed};
use crate::client::InvalidSetting;
use crate::client::{Datafy, Volume};
use crate::error::Error;
use crate::id::{Answered, VolumeId};
use crate::outcome::Outcome;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How many calls are under way at a time unless told otherwise. Sixteen keep a service that answers in
/// 200 ms at 80 calls a second, and leave room below the limit on requests of the client's other calls.
const CONCURRENCY: usize = 16;

/// One operation over many volumes. Made by [`Datafy::fleet`].
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
#[must_use = "nothing is sent before it is run"]
pub struct Fleet {
    datafy: Datafy,
    volumes: BoxStream<'static, VolumeId>,
    concurrency: usize,
    rate: Option<u32>,
    journal: Option<PathBuf>,
}

impl Fleet {
    pub(crate) fn new(datafy: Datafy, volumes: BoxStream<'static, VolumeId>) -> Self {
        Self { datafy, volumes, concurrency: CONCURRENCY, rate: None, journal: None }
    }

    /// How many calls are under way at a time: 1 to 10,000, and 16 unless this is called. It is what the
    /// memory of a run grows with. More than the client's
    /// [`max_in_flight`](crate::DatafyBuilder::max_in_flight) it never is.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls;
        self
    }

    /// How many calls are begun a second, at most: 1 to 10,000. Repetitions within a call don't count. A
    /// call that is late by up to 10 ms doesn't put off the next ones; with a [journal](Self::journal), those
    /// that wait for a slow disk are sent together.
    pub fn rate(mut self, calls_per_second: u32) -> Self {
        self.rate = Some(calls_per_second);
        self
    }

    /// Keeps a journal in this file, so that the run can go on after a crash: that a call is about to be
    /// made is on disk before it is made.
    ///
    /// If the file is there, this is the run that goes on: what it says is applied is not done again, and
    /// what is unknown is told and not repeated, unless repeating brings about the same state. So a
    /// journal is good for one job, however often that is run: the next night's snapshots need another.
    ///
    /// A last line that a crash has torn is tolerated. A journal of another operation, endpoint or
    /// sub-account of the client, or one that is damaged, is refused. A run that goes on holds in memory
    /// the ids that the journal names.
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(path.into());
        self
    }

    /// Begins to run: `call` makes the call for each volume. Nothing is sent before the run is polled.
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
        Ok(self.begin(journal, call))
    }

    fn begin<O: Operation + 'static>(
        self,
        journal: Option<Journal>,
        call: impl Fn(Volume) -> Call<O> + Send + Sync + 'static,
    ) -> Run<O::Answer> {
        // More would wait for the client, and be sent after a stop.
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
                    let result = fleet.serve(&id).await;
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
    /// One operation over these volumes. An id that comes twice is called for twice.
    pub fn fleet<I>(&self, volumes: I) -> Fleet
    where
        I: IntoIterator<Item = VolumeId>,
        I::IntoIter: Send + 'static,
    {
        self.fleet_of_stream(stream::iter(volumes))
    }

    /// One operation over the volumes of a stream, which may be longer than memory holds. The run ends when
    /// the stream does.
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
    /// Makes the call for one volume, or says why not.
    async fn serve<O: Operation>(&self, id: &VolumeId) -> Result<O::Answer, NotDone>
    where
        F: Fn(Volume) -> Call<O>,
    {
        let flight = match self.depart(id) {
            Ok(flight) => flight,
            Err(not_done) => {
                self.monitor.skip();
                // Thousands may follow each other at once, and others want their turn too.
                tokio::task::coop::consume_budget().await;
                return Err(not_done);
            }
        };
        // A run that is dropped from here on leaves the volume among those in flight.
        let turn = match &self.pace {
            None => Ok(()),
            // Boxed, as what the journal takes: it would else be a part of every call.
            Some(pace) => Box::pin(pace.wait(self.datafy.clock(), || self.monitor.go_on())).await,
        };
        let call = turn.map(|()| (self.call)(self.datafy.volume(id.clone())));
        let result = match (call, &self.journal) {
            (Err(not_done), _) => Err(not_done),
            (Ok(call), None) => call.send().await.map_err(NotDone::Failed),
            (Ok(call), Some(journal)) => Box::pin(self.call_and_tell(call, id, journal)).await,
        };
        // The last answer, not the one that decides: after that a renewal may have failed, and the next
        // one may not.
        if let Err(NotDone::Failed(error)) = &result
            && error.last_status() == Some(401)
        {
            self.monitor.halt(Halt::TokenRefused);
        }
        self.monitor.end(flight, &result);
        result
    }

    /// Takes the volume on, or says why not.
    fn depart(&self, id: &VolumeId) -> Result<Flight, NotDone> {
        match self.journal.as_ref().and_then(|journal| journal.before(id)) {
            Some(before) => Err(before),
            None => self.monitor.begin(id),
        }
    }

    async fn call_and_tell<O: Operation>(
        &self,
        call: Call<O>,
        id: &VolumeId,
        journal: &Journal,
    ) -> Result<O::Answer, NotDone> {
        let marker = sealed::Operation::marker(&call.operation);
        let begun = journal.begin(id, marker).await;
        begun.map_err(|error| NotDone::Journal(self.halt(error)))?;
        let result = call.send().await;
        let (outcome, made) = match &result {
            Ok(answer) => (Outcome::Applied, sealed::Answer::made(answer)),
            Err(error) => (error.outcome(), error.snapshot_id().map(Answered::as_str)),
        };
        if let Err(error) = journal.end(id, outcome, made).await {
            // What can't be written down stays begun, and thus unknown to the next run: that is true.
            self.halt(error);
        }
        result.map_err(NotDone::Failed)
    }

    fn halt(&self, error: JournalError) -> JournalError {
        self.monitor.halt(Halt::Journal(error.clone()));
        error
    }
}

/// A fleet that is under way: a stream of what became of each volume, in the order in which they finish.
///
/// Dropping it cancels the calls that are under way; [`Monitor::in_flight`] says which those were. With a
/// journal, dropping waits for the write that is under way, and the next run can use the file only then.
pub struct Run<T> {
    results: BoxStream<'static, (VolumeId, Result<T, NotDone>)>,
    monitor: Monitor,
}

impl<T> Run<T> {
    /// The next volume that is finished with; none when all are.
    pub async fn next(&mut self) -> Option<(VolumeId, Result<T, NotDone>)> {
        self.results.next().await
    }

    /// What tells how far the run is, and stops it. It outlives the run.
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

/// Why the operation wasn't done to a volume, as far as is known.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDone {
    /// The call failed: its outcome says what became of it.
    #[error(transparent)]
    Failed(#[from] Error),
    /// Not attempted: the run was [stopped](Monitor::stop).
    #[error("not attempted: the run was stopped")]
    Stopped,
    /// Not attempted: the service has refused the token, and would refuse it again.
    #[error("not attempted: the token is refused")]
    TokenRefused,
    /// Not attempted: the journal can't be written.
    #[error("not attempted: the journal failed")]
    Journal(#[source] JournalError),
    /// Not attempted: by the journal, an earlier run has done it.
    #[error("not attempted: an earlier run has done it{}", then(", and made ", made.as_deref()))]
    AppliedBefore {
        /// The id of what it made, such as a snapshot, as the service named it.
        made: Option<String>,
    },
    /// Not attempted: by the journal, an earlier run may have done it, and doing it again might do it
    /// twice. Look first.
    #[error("not attempted: an earlier run may have done it{}", then("; look for ", marker.as_deref()))]
    UnknownBefore {
        /// What [`traceable`](Call::traceable) appended to the description of what it may have made.
        marker: Option<String>,
    },
}

fn then(lead: &str, what: Option<&str>) -> String {
    what.map(|what| format!("{lead}{what}")).unwrap_or_default()
}

/// Why a fleet can't be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// A setting is out of its range.
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
    async fn a_journal_that_can_not_be_written_ends_the_run_before_its_effects() {
        let fake = Fake::start().await.expect("a free port");
        let ids = (0..50).map(|number| VolumeId::new(format!("vol-{number}")).expect("an id"));
        ids.clone().for_each(|id| fake.account().add_volume(id, 1));
        // Opened for reading, it fails when it is written.
        let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("a file");
        let journal = Journal::over(file, "full.jsonl".into(), HashMap::new()).expect("a thread");

        let datafy = fake.client().build().expect("valid");
        let mut run = datafy.fleet(ids).begin(Some(journal), |volume| volume.create_snapshot());
        let mut told = 0;
        while let Some((id, result)) = run.next().await {
            let not_done = result.expect_err("nothing is done");
            assert!(matches!(not_done, NotDone::Journal(_)), "{id}: {not_done}");
            told += 1;
        }
        assert_eq!((told, run.monitor().progress().not_attempted), (50, 50));
        assert!(fake.requests().is_empty());
    }
}
