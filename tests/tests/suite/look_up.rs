//! A run settles by itself what EC2 proves, and nothing else.

use crate::scene::{LOST, MINUTE, Scene, Skipping, all, all_states, device, instance, volume};
use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::jobs::{Fleet, NotDone, Steps};
use datafy_api_ext::journal::{Settled, StepState};
use datafy_api_ext::reconcile::{LookUp, Query};
use datafy_api_ext::{
    Call, CreateSnapshot, Datafy, DatafyBuilder, Error, Outcome, RetryPolicy, VolumeId,
};
use serde_json::{Value, json};
use std::future::{pending, ready};
use std::io;
use std::pin::pin;
use std::time::Duration;

/// A scene whose client doesn't retry, and its clock.
async fn scene() -> (Scene, Skipping) {
    let clock = Skipping::new(Duration::ZERO);
    let client = |client: DatafyBuilder| client.clock(clock.clone()).retry(RetryPolicy::none());
    (Scene::with(4, client).await, clock)
}

/// A look-up in an EC2 that shows what the fake has done.
fn look_up(scene: &Scene, only_creator: bool) -> LookUp {
    let fake = scene.stage.fake.clone();
    let mut look_up = LookUp::new(move |query: Query| {
        ready(Ok::<_, io::Error>(objects(&fake, &query).to_string().into_bytes()))
    });
    look_up.only_creator = only_creator;
    look_up
}

fn fleet(scene: &Scene, count: usize, look_up: LookUp) -> Fleet<VolumeId> {
    scene.fleet(count).concurrency(1).look_up(look_up)
}

/// The job that creates a snapshot that can't be recognized.
#[expect(clippy::needless_pass_by_value, reason = "the form of a job")]
fn unmarked(datafy: Datafy, id: VolumeId, _: Steps) -> Call<CreateSnapshot> {
    datafy.volume(id).create_snapshot()
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

#[tokio::test]
async fn a_create_whose_marker_ec2_shows_is_settled_at_the_end_and_its_job_continues() {
    async fn restore_copy(datafy: Datafy, volume: VolumeId, steps: Steps) -> Result<(), Error> {
        let snapshot = datafy.volume(volume).create_snapshot().traceable();
        let snapshot = steps.run(snapshot).await?;
        steps.run(datafy.create_volume(snapshot.id)).await.map(drop)
    }
    let (scene, clock) = scene().await;
    scene.inject([None, None, LOST]);
    let mut run = fleet(&scene, 3, look_up(&scene, false)).run(restore_copy).await.unwrap();
    assert!(all(&mut run).await.values().all(|finished| finished.result.is_ok()));
    let progress = run.monitor().progress();
    assert_eq!((progress.done, progress.unknown, progress.exit_code()), (3, 0, 0));
    assert_eq!(scene.effects(), 6, "each snapshot has one volume");
    drop(run);
    let lines = scene.lines();
    let settled = lines.iter().filter(|line| line["event"] == "settle").collect::<Vec<_>>();
    let evidence = settled[0]["evidence"].as_str().unwrap();
    assert!(settled.len() == 1 && evidence.starts_with("EC2: created dsnap-"), "{settled:?}");
    assert_eq!(clock.skipped(), Duration::ZERO, "nothing waits for what is there");
}

#[tokio::test]
async fn an_attach_that_ec2_shows_is_settled_when_the_next_run_begins() {
    let (scene, clock) = scene().await;
    let attach =
        |datafy: Datafy, volume: VolumeId, _| datafy.volume(volume).attach(instance(), device(1));
    scene.inject([LOST]);
    assert_eq!(all_states(scene.fleet(1).run(attach)).await, ["failed"]);
    clock.skip(2 * MINUTE);
    let run = fleet(&scene, 1, look_up(&scene, false)).run(attach);
    assert_eq!((all_states(run).await, scene.requests()), (vec!["before"], 1));
}

#[tokio::test]
async fn an_unmarked_object_or_none_settles_a_create_only_if_there_is_no_other_creator() {
    for (applied, only_creator, is_elsewhere) in [
        (true, false, false),
        (false, false, false),
        (true, true, false),
        (false, true, false),
        // In another account or region, EC2 shows nothing, which proves nothing.
        (true, true, true),
    ] {
        let (scene, clock) = scene().await;
        scene.inject([Some(if applied { Fault::ApplyThenReset } else { Fault::ReadThenReset })]);
        let mut look_up = look_up(&scene, only_creator);
        if is_elsewhere {
            let nothing = |query: Query| match query.command {
                "describe-volumes" => ready(Ok::<_, io::Error>(br#"{"Volumes": []}"#.to_vec())),
                _ => ready(Ok(br#"{"Snapshots": []}"#.to_vec())),
            };
            look_up = LookUp::new(nothing);
            look_up.only_creator = only_creator;
        }
        let settles = only_creator && !is_elsewhere;
        let mut run = fleet(&scene, 2, look_up).run(unmarked).await.unwrap();
        assert!(run.next().await.unwrap().result.is_ok(), "what is known comes first");
        let last = run.next().await.unwrap();
        if settles {
            assert!(last.result.is_ok(), "{last:?}");
        } else {
            let Err(NotDone::Unknown { step }) = &last.result else { panic!() };
            let reason = step.looked_up.as_ref().unwrap();
            let expected = match (is_elsewhere, applied) {
                (true, _) => "not looked up: EC2 shows neither it nor",
                (false, true) => "created dsnap-",
                (false, false) => "created nothing",
            };
            assert!(reason.starts_with(expected), "{reason}");
            assert_eq!(last.outcome(), Outcome::Unknown);
        }
        assert_eq!(run.monitor().progress().exit_code(), if settles { 0 } else { 3 });
        // Whether nothing was created is only known after the settling time.
        let waited = clock.skipped();
        let waits = is_elsewhere || !applied;
        assert_eq!((15 * MINUTE..17 * MINUTE).contains(&waited), waits, "{waited:?}");
        assert_eq!(scene.effects(), if only_creator || applied { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_look_up_that_fails_is_the_reason_and_the_run_goes_on() {
    let (scene, _) = scene().await;
    scene.inject([LOST]);
    let mut look_up = LookUp::new(|_| ready(Err("aws: command not found")));
    look_up.only_creator = true;
    let mut run = fleet(&scene, 2, look_up).run(unmarked).await.unwrap();
    assert!(run.next().await.unwrap().result.is_ok());
    let error = run.next().await.unwrap().result.unwrap_err().to_string();
    assert!(error.contains("; EC2: not looked up: aws: command not found; "), "{error}");
    assert_eq!(run.monitor().progress().exit_code(), 3);
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_ec2() {
    let (scene, clock) = scene().await;
    scene.inject([Some(Fault::ReadThenReset)]);
    let mut run = fleet(&scene, 1, look_up(&scene, true)).run(unmarked).await.unwrap();
    run.monitor().stop();
    assert!(run.next().await.is_none());
    assert_eq!(run.not_attempted().len(), 1);
    assert_eq!(clock.skipped(), Duration::ZERO);
}

#[tokio::test]
async fn a_service_settles_what_is_unknown_except_of_jobs_that_are_running() {
    let (scene, clock) = scene().await;
    let journal = scene.datafy.journal(scene.path()).await.unwrap();
    let ask = |key: &'static str, number: usize| {
        let volume = scene.datafy.volume(volume(number));
        journal.run(key, move |_| volume.create_snapshot().traceable())
    };
    scene.inject([LOST, Some(Fault::ReadThenReset)]);
    ask("a", 0).await.result.unwrap_err();
    ask("b", 1).await.result.unwrap_err();
    let open = journal.look_up(&look_up(&scene, false)).await;
    let [(key, step)] = &open[..] else { panic!("{open:?}") };
    assert_eq!((&**key, step.operation, step.number), ("b", "create_snapshot", 1));
    assert!(step.looked_up.as_ref().unwrap().starts_with("not seen yet"), "{step:?}");
    let done = ask("a", 0).await;
    assert_eq!((done.before, done.result.is_ok()), (true, true));

    // While a job is running, an object may be its own.
    clock.skip(20 * MINUTE);
    scene.inject([Some(Fault::Delay(Duration::from_millis(30)))]);
    let look_up = look_up(&scene, true);
    let (done, open) = tokio::join!(ask("c", 2), journal.look_up(&look_up));
    assert!(done.result.is_ok() && open.iter().any(|(key, _)| key == "b"), "{open:?}");
    assert_eq!(journal.look_up(&look_up).await, []);
    assert!(ask("b", 1).await.result.is_ok(), "it is repeated");
}

#[tokio::test]
async fn what_is_unknown_is_reported_if_the_run_is_dropped_while_it_waits_for_ec2() {
    let (scene, _) = scene().await;
    scene.inject([LOST]);
    let silent = LookUp::new(|_| pending::<io::Result<Vec<u8>>>());
    let mut run = fleet(&scene, 2, silent).run(unmarked).await.unwrap();
    assert!(run.next().await.unwrap().result.is_ok(), "what is known comes first");
    assert!(tokio::time::timeout(MINUTE / 600, run.next()).await.is_err());
    assert_eq!(scene.reports.lock().unwrap().len(), 0);
    drop(run);
    let [report] = &scene.reports.lock().unwrap()[..] else { panic!() };
    assert_eq!(report.subject.volume, Some(volume(0)));
    assert_eq!(scene.states()[0], StepState::Unknown);
}

#[tokio::test]
async fn a_look_up_settles_no_call_that_was_sent_after_it_has_looked() {
    let (scene, clock) = scene().await;
    let journal = scene.datafy.journal(scene.path()).await.unwrap();
    let ask = |key: &'static str, number: usize| {
        let volume = scene.datafy.volume(volume(number));
        journal.run(key, move |_| volume.create_snapshot())
    };
    scene.inject([Some(Fault::ReadThenReset), Some(Fault::ReadThenReset), LOST]);
    ask("a", 0).await.result.unwrap_err();
    ask("b", 1).await.result.unwrap_err();
    clock.skip(20 * MINUTE);
    let look_up = look_up(&scene, true);
    let mut slow = pin!(journal.look_up(&look_up));
    // It has looked at both, and records what it found out about the first.
    assert!(futures_util::poll!(&mut slow).is_pending());
    journal.settle("b", "create_snapshot", 1, Settled::NotApplied).await.unwrap();
    ask("b", 1).await.result.unwrap_err();
    let open = slow.await;
    assert!(matches!(&open[..], [(key, _)] if key == "b"), "{open:?}");
    assert!(matches!(ask("b", 1).await.result, Err(NotDone::Unknown { .. })));
    assert_eq!(scene.effects(), 1);
}
