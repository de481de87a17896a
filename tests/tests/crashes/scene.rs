//! Fleets that run in another process, and the fake that knows what they did.

use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::journal::{Entry, Journal, Settled, Step, StepState};
use datafy_tests::{instance, snapshot, until, volume};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a fleet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Snapshots,
    Restores,
    /// A function of three steps: a snapshot, a volume from it, its attachment.
    Clones,
}

/// A fake with faults.
pub(crate) struct Scene {
    pub(crate) fake: Arc<Fake>,
    directory: TempDir,
    faults: Arc<AtomicBool>,
    next: usize,
}

impl Scene {
    pub(crate) async fn start(mut random: fastrand::Rng) -> Self {
        let fake = Fake::start().await.unwrap();
        let faults = Arc::new(AtomicBool::new(true));
        let enabled = Arc::clone(&faults);
        fake.inject_with(move |_| {
            let fault = match random.u32(0..100) {
                0..4 => Fault::ApplyThenReset,
                4..8 => Fault::ReadThenReset,
                8..10 => Fault::ApplyThenCutBody,
                10..14 => Fault::status(403),
                14..20 => Fault::status(429),
                20..60 => Fault::Delay(Duration::from_millis(1)),
                _ => return None,
            };
            enabled.load(Ordering::Relaxed).then_some(fault)
        });
        fake.add_instance(instance());
        fake.hold_back_new_volumes(1);
        let directory = tempfile::tempdir().unwrap();
        Self { fake: Arc::new(fake), directory, faults, next: 0 }
    }

    /// A fleet of new items.
    pub(crate) fn fleet(&mut self, kind: Kind, count: usize) -> Fleet {
        let first = self.next;
        self.next += count;
        for number in first..self.next {
            self.fake.add_volume(volume(number), 1);
            self.fake.add_snapshot(snapshot(number), volume(number), 1);
        }
        let path = |name: &str| self.directory.path().join(format!("{first}.{name}"));
        let (journal, output) = (path("jsonl"), path("out"));
        let fake = Arc::clone(&self.fake);
        Fleet { fake, kind, first, count, journal, output, disk_fails: false }
    }

    /// Injects no faults from now on.
    pub(crate) fn heal(&self) {
        self.faults.store(false, Ordering::Relaxed);
    }

    /// Injects faults again.
    pub(crate) fn hurt(&self) {
        self.faults.store(true, Ordering::Relaxed);
    }
}

/// A fleet that runs in another process.
pub(crate) struct Fleet {
    fake: Arc<Fake>,
    kind: Kind,
    first: usize,
    count: usize,
    pub(crate) journal: PathBuf,
    output: PathBuf,
    /// Whether a result is reported even if it can't be recorded.
    pub(crate) disk_fails: bool,
}

impl Fleet {
    /// The program and its arguments.
    pub(crate) fn command_line(&self, journal: &str) -> Vec<String> {
        let kind = match self.kind {
            Kind::Snapshots => "snapshots",
            Kind::Restores => "restores",
            Kind::Clones => "clones",
        };
        let program = env!("CARGO_BIN_EXE_worker").to_owned();
        let (first, count) = (self.first.to_string(), self.count.to_string());
        vec![program, kind.to_owned(), self.fake.endpoint(), journal.to_owned(), first, count]
    }

    /// The command that runs the fleet.
    pub(crate) fn worker(&self) -> Command {
        self.wrapped(&self.command_line(self.journal.to_str().unwrap()))
    }

    /// A command whose standard output is kept.
    pub(crate) fn wrapped(&self, line: &[String]) -> Command {
        let mut command = Command::new(&line[0]);
        let output = OpenOptions::new().create(true).append(true).open(&self.output).unwrap();
        command.args(&line[1..]).stdout(output).stderr(Stdio::null());
        command
    }

    /// Kills the process after `limit`. Returns whether it was running.
    pub(crate) async fn wait_or_kill(&self, mut worker: Child, limit: Duration) -> bool {
        let started = Instant::now();
        while started.elapsed() < limit {
            if worker.try_wait().unwrap().is_some() {
                return false;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        // `kill` succeeds, too, if the process has just ended.
        worker.kill().unwrap();
        worker.wait().unwrap().code().is_none()
    }

    /// Checks the journal and the output of all runs against what the fake did. Returns how many items are unknown.
    pub(crate) async fn check(&self) -> usize {
        until(|| self.fake.connections() == 0).await;
        let journal = Journal::read(&self.journal).ok();
        let entry = |number: usize| journal.as_ref()?.entry(&number.to_string());
        let truths = self.truths();
        for (number, truth) in &truths {
            for created in truth.created.values() {
                assert!(created.len() <= 1, "an effect is doubled: {number}: {truth:?}");
            }
            compare(*number, entry(*number).as_ref(), truth);
        }
        for line in self.lines() {
            let number: usize = line["key"].as_str().unwrap().parse().unwrap();
            if ["done", "before"].contains(&line["state"].as_str().unwrap()) {
                let id = line["id"].as_str().unwrap().to_owned();
                let truth = &truths[&number];
                assert_eq!(truth.created[self.operations().last().unwrap()], [id], "{line}");
                let recorded = entry(number).unwrap().steps.iter().all(is(StepState::Applied));
                assert!(
                    recorded || self.disk_fails,
                    "a result was reported before it was recorded: {line}"
                );
            }
        }
        let unknown = self.numbers().filter_map(entry);
        unknown.filter(|entry| entry.steps.iter().any(is(StepState::Unknown))).count()
    }

    /// Settles what is unknown with what the fake did.
    pub(crate) fn settle(&self) {
        let mut journal = Journal::read(&self.journal).unwrap();
        let truths = self.truths();
        for entry in journal.entries().collect::<Vec<_>>() {
            let truth = &truths[&entry.key.parse().unwrap()];
            for step in entry.steps.iter().filter(|step| is(StepState::Unknown)(step)) {
                let found = match truth.created.get(step.operation).map(|ids| ids.first()) {
                    Some(None) => Settled::NotApplied,
                    Some(id) => Settled::Applied { id: id.cloned() },
                    None if truth.attached => Settled::Applied { id: None },
                    None => Settled::NotApplied,
                };
                journal.settle(&entry.key, step.operation, step.number, found).unwrap();
            }
        }
    }

    pub(crate) fn check_that_all_is_done(&self) {
        for (number, truth) in self.truths() {
            assert!(truth.created.values().all(|created| created.len() == 1), "{number}");
            assert!(truth.attached || self.kind == Kind::Snapshots, "{number}");
        }
    }

    /// The operations that create objects.
    fn operations(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Snapshots => &[CREATE_SNAPSHOT],
            Kind::Restores => &[CREATE_VOLUME],
            Kind::Clones => &[CREATE_SNAPSHOT, CREATE_VOLUME],
        }
    }

    pub(crate) fn effects(&self) -> usize {
        self.truths().values().flat_map(|truth| truth.created.values()).map(Vec::len).sum()
    }

    /// The lines of items that the runs have printed completely.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.output().filter(|line| line["key"].is_string()).collect()
    }

    /// The exit code of the last run.
    pub(crate) fn exit_code(&self) -> u64 {
        self.output().filter_map(|line| line["exit_code"].as_u64()).last().unwrap()
    }

    fn output(&self) -> impl Iterator<Item = Value> {
        let text = std::fs::read_to_string(&self.output).unwrap_or_default();
        let lines: Vec<_> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter()
    }

    fn numbers(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.count
    }

    /// What the fake did for each item.
    fn truths(&self) -> BTreeMap<usize, Truth> {
        let created = || self.operations().iter().map(|operation| (*operation, vec![])).collect();
        let truth = |number| (number, Truth { created: created(), attached: false });
        let mut truths: BTreeMap<_, _> = self.numbers().map(truth).collect();
        let volumes: HashMap<_, _> =
            self.numbers().map(|number| (volume(number), number)).collect();
        let mut snapshots: HashMap<_, _> =
            self.numbers().map(|number| (snapshot(number), number)).collect();
        for made in self.fake.snapshots() {
            let Some(number) = volumes.get(&made.volume) else { continue };
            if snapshots.insert(made.id.clone(), *number).is_none() {
                truths.get_mut(number).unwrap().add(CREATE_SNAPSHOT, &made.id);
            }
        }
        for made in self.fake.volumes() {
            let Some(number) = made.source.and_then(|source| snapshots.get(&source)) else {
                continue;
            };
            let truth = truths.get_mut(number).unwrap();
            truth.add(CREATE_VOLUME, &made.id);
            truth.attached |= made.instance.is_some();
        }
        truths
    }
}

const CREATE_SNAPSHOT: &str = "create_snapshot";
const CREATE_VOLUME: &str = "create_volume_from_snapshots";

/// What the fake did for an item.
#[derive(Debug)]
struct Truth {
    /// The IDs of the objects that each operation created.
    created: BTreeMap<&'static str, Vec<String>>,
    attached: bool,
}

impl Truth {
    fn add(&mut self, operation: &'static str, id: &impl ToString) {
        self.created.entry(operation).or_default().push(id.to_string());
    }
}

/// Checks that the journal claims no more than the truth, and accounts for each effect.
fn compare(number: usize, entry: Option<&Entry>, truth: &Truth) {
    let step = |operation| entry.and_then(|entry| entry.step(operation, 1));
    assert!(entry.is_none_or(|entry| entry.steps.iter().all(|step| step.number == 1)), "{entry:?}");
    for (operation, created) in &truth.created {
        match step(operation).map(|step| (step.state, &step.created_id)) {
            Some((StepState::Applied, Some(id))) => {
                assert_eq!(&created[..], [id.as_str()], "{number}: {entry:?}");
            }
            Some((StepState::Unknown, _)) => {}
            _ => assert!(created.is_empty(), "{number}: {truth:?}, {entry:?}"),
        }
    }
    match step("attach_volume").map(|step| step.state) {
        Some(StepState::Applied) => assert!(truth.attached, "{number}: {entry:?}"),
        Some(StepState::Unknown) => {}
        _ => assert!(!truth.attached, "{number}: {truth:?}, {entry:?}"),
    }
}

fn is(state: StepState) -> impl Fn(&Step) -> bool {
    move |step| step.state == state
}
