//! A fake, a client, and a journal in a directory: what the tests of jobs share.

use datafy_api_ext::fake::Fault;
use datafy_api_ext::jobs::{
    Finished, Fleet, FleetError, Job, Keyed, NotDone, Progress, Run, Steps,
};
use datafy_api_ext::journal::{Journal, StepState};
use datafy_api_ext::{
    Datafy, DatafySnapshotId, DeviceName, InstanceId, Outcome, RetryPolicy, Snapshot, VolumeId,
};
use datafy_tests::Stage;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) datafy: Datafy,
    directory: TempDir,
}

pub(crate) type Result = Finished<VolumeId, Snapshot>;
pub(crate) type Results = BTreeMap<VolumeId, Result>;

impl Scene {
    /// With this many volumes and snapshots, and a client with default settings.
    pub(crate) async fn of(size: usize) -> Self {
        let stage = Stage::of(size).await;
        Self { datafy: stage.client(), stage, directory: tempfile::tempdir().unwrap() }
    }

    /// With a client that doesn't retry by itself.
    pub(crate) async fn without_retries() -> Self {
        let stage = Stage::of(9).await;
        let datafy = stage.builder().retry(RetryPolicy::none()).build().unwrap();
        Self { datafy, stage, directory: tempfile::tempdir().unwrap() }
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

    /// The fault of all requests that follow.
    pub(crate) fn inject_all(&self, fault: Option<Fault>) {
        self.stage.fake.inject_with(move |_| fault.clone());
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
        by_item(self.fleet(size).run(snapshot_of).await?).await
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

/// The job that creates a traceable snapshot.
#[expect(clippy::needless_pass_by_value, reason = "the form of a job")]
pub(crate) fn snapshot_of(
    datafy: Datafy,
    id: VolumeId,
    _: Steps,
) -> datafy_api_ext::Call<datafy_api_ext::CreateSnapshot> {
    datafy.volume(id).create_snapshot().traceable()
}

/// The results of a run.
pub(crate) async fn by_item(
    mut run: Run<VolumeId, Snapshot>,
) -> std::result::Result<Results, FleetError> {
    let mut results = Results::new();
    while let Some(finished) = run.next().await {
        let id = finished.item.clone();
        assert!(results.insert(id, finished).is_none(), "each volume has one result");
    }
    Ok(results)
}

/// Waits for the end of a run or a plan, and returns its progress.
pub(crate) async fn ended<T, D, E>(
    run: impl Future<Output = std::result::Result<Run<T, D, E>, FleetError>>,
) -> Progress {
    let mut run = run.await.unwrap();
    while run.next().await.is_some() {}
    run.monitor().progress()
}

pub(crate) fn count(results: &Results, matches: fn(&Result) -> bool) -> usize {
    results.values().filter(|result| matches(result)).count()
}

/// Done by this run.
pub(crate) fn done(it: &Result) -> bool {
    it.result.is_ok() && !it.before
}

/// Done by an earlier run.
pub(crate) fn done_before(it: &Result) -> bool {
    it.result.is_ok() && it.before
}

pub(crate) fn unknown_before(it: &Result) -> bool {
    matches!(it.result, Err(NotDone::Unknown { .. }))
}

pub(crate) fn unknown_now(it: &Result) -> bool {
    matches!(&it.result, Err(NotDone::Failed(error)) if error.outcome() == Outcome::Unknown)
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

pub(crate) fn volume(number: usize) -> VolumeId {
    VolumeId::new(format!("vol-seed{number}")).unwrap()
}

pub(crate) fn snapshot(number: usize) -> DatafySnapshotId {
    DatafySnapshotId::new(format!("dsnap-seed{number}")).unwrap()
}

pub(crate) fn instance() -> InstanceId {
    InstanceId::new("i-1").unwrap()
}

pub(crate) fn device(number: impl std::fmt::Display) -> DeviceName {
    DeviceName::new(format!("/dev/sd{number}")).unwrap()
}
