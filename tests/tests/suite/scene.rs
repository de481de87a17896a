//! A fake, a client, and a journal in a directory: what the tests of jobs share.

use datafy_api_ext::fake::Fault;
use datafy_api_ext::jobs::{
    Finished, Fleet, FleetError, Job, Keyed, NotDone, Progress, Run, Steps,
};
use datafy_api_ext::journal::{Journal, StepState};
use datafy_api_ext::{Abandoned, Clock, Datafy, DatafyBuilder, RetryPolicy, Snapshot, VolumeId};
use datafy_tests::Stage;
pub(crate) use datafy_tests::{device, instance, snapshot, volume};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) datafy: Datafy,
    /// What the client reported as abandoned.
    pub(crate) reports: Arc<Mutex<Vec<Abandoned>>>,
    directory: TempDir,
}

pub(crate) type Results = BTreeMap<String, Finished<VolumeId, Snapshot>>;

impl Scene {
    /// With this many volumes and snapshots, and a client with default settings.
    pub(crate) async fn of(size: usize) -> Self {
        Self::with(size, |client| client).await
    }

    /// With a client that doesn't retry by itself.
    pub(crate) async fn without_retries() -> Self {
        Self::with(9, |client| client.retry(RetryPolicy::none())).await
    }

    /// With a client that has these settings.
    pub(crate) async fn with(
        size: usize,
        settings: impl FnOnce(DatafyBuilder) -> DatafyBuilder,
    ) -> Self {
        let stage = Stage::of(size).await;
        let (builder, reports) = Stage::reports(settings(stage.builder()));
        let directory = tempfile::tempdir().unwrap();
        Self { datafy: builder.build().unwrap(), stage, reports, directory }
    }

    /// The path of a file in the directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The path of the journal.
    pub(crate) fn path(&self) -> PathBuf {
        self.file("journal.jsonl")
    }

    /// What the journal says.
    pub(crate) fn journal(&self) -> Journal {
        Journal::read(self.path()).unwrap()
    }

    /// The states of all steps.
    pub(crate) fn states(&self) -> Vec<StepState> {
        states(&self.journal())
    }

    /// The lines of the journal.
    pub(crate) fn lines(&self) -> Vec<Value> {
        lines(&self.path())
    }

    /// The faults of the next requests.
    pub(crate) fn inject(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        for fault in faults {
            match fault {
                None => self.stage.fake.inject_none(),
                Some(fault) => self.stage.fake.inject(fault),
            }
        }
    }

    /// The faults of the next requests. Those that earlier ones were to meet are dropped.
    pub(crate) fn inject_once(&self, faults: &[Option<Fault>]) {
        let mut faults = Vec::from(faults).into_iter();
        self.stage.fake.inject_with(move |_| faults.next().flatten());
    }

    /// The fault of all requests that follow.
    pub(crate) fn inject_all(&self, fault: Option<Fault>) {
        self.inject_in_turn(&[fault]);
    }

    /// The faults of all requests that follow, in turn.
    pub(crate) fn inject_in_turn(&self, faults: &[Option<Fault>]) {
        let mut faults = Vec::from(faults).into_iter().cycle();
        self.stage.fake.inject_with(move |_| faults.next().flatten());
    }

    pub(crate) fn requests(&self) -> usize {
        self.stage.fake.requests().len()
    }

    /// The number of effects of an operation.
    pub(crate) fn count(&self, operation: &str) -> usize {
        let effects = self.stage.fake.effects();
        effects.iter().filter(|effect| effect.operation == Some(operation)).count()
    }

    /// The number of effects.
    pub(crate) fn effects(&self) -> usize {
        self.stage.fake.effects().len()
    }

    /// A fleet of this many volumes, with the journal.
    pub(crate) fn fleet(&self, size: usize) -> Fleet<VolumeId> {
        self.datafy.fleet(ids(size)).journal(self.path())
    }

    /// Creates snapshots of this many volumes, with the journal.
    pub(crate) async fn snapshots(&self, size: usize) -> Results {
        self.try_snapshots(size).await.unwrap()
    }

    pub(crate) async fn try_snapshots(
        &self,
        size: usize,
    ) -> std::result::Result<Results, FleetError> {
        Ok(all(&mut self.fleet(size).run(snapshot_of).await?).await)
    }

    /// The results of the snapshots of this many volumes, with the journal.
    pub(crate) async fn snapshot_states(&self, size: usize) -> Vec<&'static str> {
        self.snapshots(size).await.values().map(state).collect()
    }

    /// Runs a function for one item, with the journal.
    pub(crate) async fn run<D, J>(
        &self,
        job: impl Fn(Datafy, Row, Steps) -> J + Send + Sync + 'static,
    ) -> Finished<Row, D, J::Error>
    where
        D: Send + 'static,
        J: Job<Done = D> + 'static,
    {
        let fleet = self.datafy.fleet([Row(0)]).journal(self.path());
        fleet.run(job).await.unwrap().next().await.unwrap()
    }
}

/// A clock whose time and date only go on by its pauses, which take no time.
#[derive(Clone, Debug)]
pub(crate) struct Skipping {
    start: (Instant, SystemTime),
    skipped: Arc<Mutex<Duration>>,
    /// By how much each pause is longer than asked.
    late: Duration,
}

impl Skipping {
    pub(crate) fn new(late: Duration) -> Self {
        Self { start: (Instant::now(), SystemTime::now()), skipped: Arc::default(), late }
    }

    pub(crate) fn skip(&self, time: Duration) {
        *self.skipped.lock().unwrap() += time;
    }

    pub(crate) fn skipped(&self) -> Duration {
        *self.skipped.lock().unwrap()
    }
}

impl Clock for Skipping {
    fn now(&self) -> Instant {
        self.start.0 + self.skipped()
    }

    fn date(&self) -> SystemTime {
        self.start.1 + self.skipped()
    }

    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.skip(pause + self.late);
        Box::pin(ready(()))
    }
}

/// The job that creates a traceable snapshot.
#[expect(clippy::needless_pass_by_value, reason = "the form of a job")]
pub(crate) fn snapshot_of(
    datafy: Datafy,
    id: VolumeId,
    _: Steps,
) -> datafy_api_ext::Call<datafy_api_ext::CreateSnapshot> {
    datafy.volume(id).create_snapshot().traceable()
}

/// The results of a run or a plan, by key.
pub(crate) async fn all<T: Keyed, D, E>(
    run: &mut Run<T, D, E>,
) -> BTreeMap<String, Finished<T, D, E>> {
    let mut results = BTreeMap::new();
    while let Some(finished) = run.next().await {
        let key = finished.item.key().into_owned();
        assert!(results.insert(key, finished).is_none(), "each item has one result");
    }
    results
}

/// The states of the results of a run or a plan, by key.
pub(crate) async fn all_states<T: Keyed, D, E>(
    run: impl Future<Output = std::result::Result<Run<T, D, E>, FleetError>>,
) -> Vec<&'static str> {
    all(&mut run.await.unwrap()).await.values().map(state).collect()
}

/// Waits for the end of a run or a plan, and returns its progress.
pub(crate) async fn ended<T, D, E>(
    run: impl Future<Output = std::result::Result<Run<T, D, E>, FleetError>>,
) -> Progress {
    let mut run = run.await.unwrap();
    while run.next().await.is_some() {}
    run.monitor().progress()
}

/// Why a job was not done, or `before` or `done`.
pub(crate) fn state<T, D, E>(finished: &Finished<T, D, E>) -> &'static str {
    let done = if finished.before { "before" } else { "done" };
    finished.result.as_ref().err().map_or(done, NotDone::state)
}

/// The states of all steps.
pub(crate) fn states(journal: &Journal) -> Vec<StepState> {
    journal.entries().flat_map(|entry| entry.steps).map(|step| step.state).collect()
}

/// The lines of a journal.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Removes the checksums from a journal, so that a test can edit it. Returns its text.
pub(crate) fn without_checksums(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text: String = text.lines().map(|line| plain(line) + "\n").collect();
    fs::write(path, &text).unwrap();
    text
}

/// A line without its checksum and its write.
pub(crate) fn plain(line: &str) -> String {
    let (text, _) = line.rsplit_once(r#","crc":"#).unwrap();
    text.rsplit_once(r#","write":"#).map_or(text, |(text, _)| text).to_owned() + "}"
}

/// A line with a checksum, and the number of the first line of its write.
pub(crate) fn sealed(plain: &str, write: u64) -> String {
    let text = format!(r#"{},"write":{write}"#, plain.trim_end().strip_suffix('}').unwrap());
    format!("{text},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(text.as_bytes()))
}

/// A request whose answer is lost.
pub(crate) const LOST: Option<Fault> = Some(Fault::ApplyThenReset);

#[expect(clippy::unnecessary_wraps, reason = "a list of faults may have gaps")]
pub(crate) fn status(status: u16) -> Option<Fault> {
    Some(Fault::status(status))
}

/// A row of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row(pub(crate) usize);

impl Keyed for Row {
    fn key(&self) -> Cow<'_, str> {
        format!("db-{}", self.0).into()
    }
}

pub(crate) fn ids(size: usize) -> impl Iterator<Item = VolumeId> + Send + 'static {
    (0..size).map(volume)
}
