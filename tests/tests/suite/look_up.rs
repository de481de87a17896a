//! A run settles by itself what EC2 proves, and nothing else.

use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::jobs::{NotDone, Run, Steps};
use datafy_api_ext::reconcile::{LookUp, Query};
use datafy_api_ext::{
    Clock, Datafy, DeviceName, Error, InstanceId, Outcome, RetryPolicy, VolumeId,
};
use datafy_tests::Stage;
use serde_json::{Value, json};
use std::future::{Future, ready};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

const MINUTE: Duration = Duration::from_secs(60);

/// A clock whose pauses take no time, and whose time goes on by them.
#[derive(Clone, Debug, Default)]
struct Skipping(Arc<Mutex<Duration>>);

impl Skipping {
    fn skipped(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

impl Clock for Skipping {
    fn now(&self) -> Instant {
        Instant::now() + self.skipped()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now() + self.skipped()
    }

    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        *self.0.lock().unwrap() += pause;
        Box::pin(ready(()))
    }
}

struct Scene {
    stage: Stage,
    clock: Skipping,
    datafy: Datafy,
    directory: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::of(4).await;
        let clock = Skipping::default();
        let builder = stage.fake.client().clock(clock.clone()).retry(RetryPolicy::none());
        let directory = tempfile::tempdir().unwrap();
        Self { datafy: builder.build().unwrap(), stage, clock, directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("jobs.jsonl")
    }

    /// A look-up in an EC2 that shows what the fake has done.
    fn look_up(&self) -> LookUp {
        let fake = self.stage.fake.clone();
        LookUp::new(move |query: Query| {
            ready(Ok::<_, io::Error>(objects(&fake, &query).to_string().into_bytes()))
        })
    }

    fn snapshots(&self, count: usize) -> datafy_api_ext::jobs::Fleet<VolumeId> {
        let ids = (0..count).map(|number| VolumeId::new(format!("vol-seed{number}")).unwrap());
        self.datafy.fleet(ids).concurrency(1).journal(self.path())
    }
}

/// What EC2 shows of what the fake has done, apart from its seeds.
fn objects(fake: &Fake, query: &Query) -> Value {
    let tag = |key: &str, value: &str| json!({ "Key": key, "Value": value });
    let now = chrono::Utc::now();
    let asked = |value: &str| query.values().iter().any(|it| it == value);
    if query.command == "describe-snapshots" {
        let all = fake
            .snapshots()
            .into_iter()
            .filter(|it| !it.id.as_str().contains("seed") && asked(it.volume.as_str()));
        let all = all.map(|it| {
            let tags = [
                tag("datafy:source-volume:id", it.volume.as_str()),
                tag("datafy:snapshot:id", it.id.as_str()),
            ];
            json!({ "SnapshotId": format!("snap-{}", it.id), "StartTime": now, "State": "completed",
                "Description": it.description.unwrap_or_default(), "Tags": tags })
        });
        return json!({ "Snapshots": all.collect::<Vec<_>>() });
    }
    let all = fake.volumes().into_iter().filter(|it| asked(it.id.as_str()));
    let all = all.map(|it| {
        let attachments: Vec<_> = it
            .instance
            .iter()
            .map(|id| json!({ "InstanceId": id, "Device": it.device, "State": "attached" }))
            .collect();
        let state = if attachments.is_empty() { "available" } else { "in-use" };
        json!({ "VolumeId": "vol-ebs", "CreateTime": "2026-01-01T00:00:00Z", "State": state,
            "Attachments": attachments, "Tags": [tag(query.tag, it.id.as_str())] })
    });
    json!({ "Volumes": all.collect::<Vec<_>>() })
}

/// Runs to the end, and returns the state of each result.
async fn states<T: Clone, D, E>(run: &mut Run<T, D, E>) -> Vec<&'static str> {
    let mut states = Vec::new();
    while let Some(finished) = run.next().await {
        states.push(finished.result.as_ref().map_or_else(NotDone::state, |_| "ok"));
    }
    states
}

fn settlements(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == "settle").collect()
}

#[tokio::test]
async fn a_create_whose_marker_ec2_shows_is_settled_at_the_end_and_its_job_continues() {
    async fn restore_copy(datafy: Datafy, volume: VolumeId, steps: Steps) -> Result<(), Error> {
        let snapshot = datafy.volume(volume).create_snapshot().traceable();
        let snapshot = steps.run(snapshot).await?;
        steps.run(datafy.create_volume(snapshot.id)).await.map(drop)
    }
    let scene = Scene::new().await;
    scene.stage.fake.inject_none();
    scene.stage.fake.inject_none();
    scene.stage.fake.inject(Fault::ApplyThenReset);
    let fleet = scene.snapshots(3).look_up(scene.look_up());
    let mut run = fleet.run(restore_copy).await.unwrap();
    assert_eq!(states(&mut run).await, ["ok", "ok", "ok"]);
    let progress = run.monitor().progress();
    assert_eq!((progress.done, progress.unknown, progress.exit_code()), (3, 0, 0));
    assert_eq!(scene.stage.fake.effects().len(), 6, "each snapshot has one volume");
    drop(run);
    let [line] = &settlements(&scene.path())[..] else { panic!() };
    let evidence = line["evidence"].as_str().unwrap();
    assert!(evidence.starts_with("EC2: created dsnap-"), "{evidence}");
    assert_eq!(scene.clock.skipped(), Duration::ZERO, "nothing waits for what is there");
}

#[tokio::test]
async fn an_attach_that_ec2_shows_is_settled_when_the_next_run_begins() {
    let scene = Scene::new().await;
    let attach = |datafy: Datafy, volume: VolumeId, _| {
        let instance = InstanceId::new("i-1").unwrap();
        datafy.volume(volume).attach(instance, DeviceName::new("sdb").unwrap())
    };
    scene.stage.fake.inject(Fault::ApplyThenReset);
    let mut run = scene.snapshots(1).run(attach).await.unwrap();
    assert_eq!(states(&mut run).await, ["failed"]);
    drop(run);
    *scene.clock.0.lock().unwrap() += 2 * MINUTE;
    let look_up = scene.look_up();
    let mut run = scene.snapshots(1).look_up(look_up).run(attach).await.unwrap();
    assert_eq!(states(&mut run).await, ["ok"]);
    assert_eq!((scene.stage.fake.requests().len(), run.monitor().progress().exit_code()), (1, 0));
}

#[tokio::test]
async fn an_unmarked_object_or_none_settles_a_create_only_if_there_is_no_other_creator() {
    for (applied, only_creator) in [(true, false), (false, false), (true, true), (false, true)] {
        let scene = Scene::new().await;
        let fault = if applied { Fault::ApplyThenReset } else { Fault::ReadThenReset };
        scene.stage.fake.inject(fault);
        let mut look_up = scene.look_up();
        look_up.only_creator = only_creator;
        let fleet = scene.snapshots(2).look_up(look_up);
        let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
        let mut results = Vec::new();
        while let Some(finished) = run.next().await {
            results.push(finished);
        }
        let last = results.pop().unwrap();
        assert!(results.pop().unwrap().result.is_ok(), "what is known comes first");
        if only_creator {
            assert!(last.result.is_ok(), "{last:?}");
            assert_eq!(run.monitor().progress().exit_code(), 0);
        } else {
            let Err(NotDone::Unknown { step }) = &last.result else { panic!() };
            let reason = step.looked_up.as_ref().unwrap();
            let expected = if applied { "created dsnap-" } else { "created nothing" };
            assert!(reason.starts_with(expected), "{reason}");
            assert_eq!(
                (last.outcome(), run.monitor().progress().exit_code()),
                (Outcome::Unknown, 3)
            );
        }
        // Whether nothing was created is only known after the settling time.
        let waited = scene.clock.skipped();
        assert_eq!((15 * MINUTE..17 * MINUTE).contains(&waited), !applied, "{waited:?}");
        assert_eq!(scene.stage.fake.effects().len(), if only_creator || applied { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_look_up_that_fails_is_the_reason_and_the_run_goes_on() {
    let scene = Scene::new().await;
    scene.stage.fake.inject(Fault::ApplyThenReset);
    let mut look_up = LookUp::new(|_| ready(Err("aws: command not found")));
    look_up.only_creator = true;
    let fleet = scene.snapshots(2).look_up(look_up);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    assert!(run.next().await.unwrap().result.is_ok());
    let error = run.next().await.unwrap().result.unwrap_err().to_string();
    assert!(error.contains("; EC2: not looked up: aws: command not found; settle it"), "{error}");
    assert_eq!(run.monitor().progress().exit_code(), 3);
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_ec2() {
    let scene = Scene::new().await;
    scene.stage.fake.inject(Fault::ReadThenReset);
    let mut look_up = scene.look_up();
    look_up.only_creator = true;
    let fleet = scene.snapshots(1).look_up(look_up);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    run.monitor().stop();
    assert!(run.next().await.is_none());
    let monitor = run.monitor();
    drop(run);
    assert_eq!(monitor.progress().not_attempted, 1);
    assert_eq!(scene.clock.skipped(), Duration::ZERO);
}

#[tokio::test]
async fn a_service_settles_what_is_unknown_except_of_jobs_that_are_running() {
    let scene = Scene::new().await;
    let journal = scene.datafy.journal(scene.path()).await.unwrap();
    let ask = |key: &'static str, number: usize| {
        let volume = VolumeId::new(format!("vol-seed{number}")).unwrap();
        journal.run(key, |_| scene.datafy.volume(volume).create_snapshot().traceable())
    };
    scene.stage.fake.inject(Fault::ApplyThenReset);
    scene.stage.fake.inject(Fault::ReadThenReset);
    ask("a", 0).await.result.unwrap_err();
    ask("b", 1).await.result.unwrap_err();
    let open = journal.look_up(&scene.look_up()).await;
    let [(key, step)] = &open[..] else { panic!("{open:?}") };
    assert_eq!((&**key, step.operation, step.number), ("b", "create_snapshot", 1));
    assert!(step.looked_up.as_ref().unwrap().starts_with("not seen yet"), "{step:?}");
    let done = ask("a", 0).await;
    assert_eq!((done.before, done.result.is_ok()), (true, true));

    // While a job is running, an object may be its own.
    *scene.clock.0.lock().unwrap() += 20 * MINUTE;
    scene.stage.fake.inject(Fault::Delay(Duration::from_millis(30)));
    let mut look_up = scene.look_up();
    look_up.only_creator = true;
    let (done, open) = tokio::join!(ask("c", 2), journal.look_up(&look_up));
    assert!(done.result.is_ok() && open.iter().any(|(key, _)| key == "b"), "{open:?}");
    assert_eq!(journal.look_up(&look_up).await, []);
    assert!(ask("b", 1).await.result.is_ok(), "it is repeated");
}
