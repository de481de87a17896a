//! Any async function is a job: it continues where it stopped, and neither doubles nor loses an effect.

use crate::scene::{
    LOST, MINUTE, Row, Scene, all, all_states, device, ended, ids, instance, lines, snapshot,
    state, status, volume,
};
use datafy_api_ext::fake::{Fault, Reply};
use datafy_api_ext::jobs::{Finished, Job, NotDone, OpenJournal, Steps};
use datafy_api_ext::journal::{Journal, Settled, Step, StepState};
use datafy_api_ext::{Clock, Datafy, Error, Outcome, Timeouts, VolumeId};
use datafy_tests::{Stage, until};
use futures_util::stream;
use serde_json::json;
use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// The step of the journal with which a job is in conflict.
fn conflict<T: Debug, D: Debug, E: Debug>(finished: Finished<T, D, E>) -> Step {
    match finished.result {
        Err(NotDone::Conflict { step }) => *step,
        other => panic!("{other:?}"),
    }
}

/// The error of the call that failed a job.
fn failed<T: Debug, D: Debug>(finished: Finished<T, D, Error>) -> Error {
    match finished.result {
        Err(NotDone::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

async fn open(scene: &Scene) -> OpenJournal {
    scene.datafy.journal(scene.path()).await.unwrap()
}

/// An error of the caller's. It says nothing about outcomes.
#[derive(Debug, PartialEq)]
enum Mine {
    Call,
    Own,
}

impl From<Error> for Mine {
    fn from(_: Error) -> Self {
        Self::Call
    }
}

/// A function of three steps.
async fn clone_volume(datafy: Datafy, row: Row, steps: Steps) -> Result<VolumeId, Mine> {
    let snapshot = steps.run(datafy.volume(volume(row.0)).create_snapshot()).await?;
    let volume = steps.run(datafy.create_volume(snapshot.id)).await?;
    let attach = datafy.volume(volume.id.clone()).attach(instance(), device(row.0));
    steps.run(attach.within(MINUTE)).await?;
    Ok(volume.id)
}

/// Retries a create by itself.
async fn persistent(datafy: Datafy, row: Row, steps: Steps) -> Result<VolumeId, Mine> {
    for _ in 0..3 {
        if let Ok(created) = steps.run(datafy.create_volume(snapshot(row.0))).await {
            return Ok(created.id);
        }
    }
    Err(Mine::Own)
}

#[tokio::test]
async fn a_function_continues_with_the_step_that_failed_and_is_done_once() {
    let scene = Scene::without_retries().await;
    scene.inject([status(403)]);
    assert_eq!(scene.run(clone_volume).await.result.unwrap_err().state(), "failed");
    // One more step succeeds in each run.
    scene.inject([None, status(403)]);
    assert!(scene.run(clone_volume).await.result.is_err());
    scene.inject([None, status(403)]);
    let finished = scene.run(clone_volume).await;
    let [volume] = &finished.unattached()[..] else { panic!("{:?}", finished.steps) };
    assert_eq!(finished.outcome(), Outcome::Refused);
    let finished = scene.run(clone_volume).await;
    assert_eq!((finished.before, finished.outcome()), (false, Outcome::Applied));
    assert_eq!((finished.unattached(), finished.result.unwrap()), (vec![], volume.clone()));
    let requests = scene.requests();
    assert_eq!((requests, scene.effects()), (6, 3));

    // Another run has its result from the journal.
    let finished = scene.run(clone_volume).await;
    assert_eq!((finished.before, finished.result.unwrap()), (true, volume.clone()));
    assert_eq!(scene.requests(), requests);
    let journal = scene.journal();
    assert_eq!(&*journal.operation(), "clone_volume");
    assert_eq!(journal.unattached(), []);
}

#[tokio::test]
async fn an_unknown_create_is_not_repeated_and_is_counted_whatever_the_function_returns() {
    async fn hides(datafy: Datafy, row: Row, steps: Steps) -> Result<(), Infallible> {
        let _ = clone_volume(datafy, row, steps).await;
        Ok(())
    }
    let scene = Scene::without_retries().await;
    scene.inject([None, LOST]);
    for expected in ["done", "unknown"] {
        let fleet = scene.datafy.fleet([Row(0)]).journal(scene.path());
        let mut run = fleet.run(hides).await.unwrap();
        let finished = run.next().await.unwrap();
        assert_eq!(finished.outcome(), Outcome::Unknown);
        assert_eq!(state(&finished), expected);
        let progress = run.monitor().progress();
        assert_eq!((progress.unknown, progress.exit_code()), (1, 3));
    }
    assert_eq!(scene.requests(), 2);
}

#[tokio::test]
async fn other_arguments_are_a_conflict_and_a_loop_that_retries_ends() {
    let scene = Scene::without_retries().await;
    scene.run(clone_volume).await.result.unwrap();
    let stubborn = async |datafy: Datafy, _: Row, steps: Steps| -> Result<VolumeId, Mine> {
        loop {
            let _ = steps.run(datafy.volume(volume(1)).create_snapshot()).await;
        }
    };
    // The name of the function is in the journal.
    let fleet = scene.datafy.fleet([Row(0)]).journal(scene.path());
    let error = fleet.run(stubborn).await.unwrap_err().to_string();
    assert!(error.contains("its `operation` is \"clone_volume\""), "{error}");

    let journal = scene.datafy.journal(scene.file("service.jsonl")).await.unwrap();
    let done = |steps| clone_volume(scene.datafy.clone(), Row(2), steps);
    journal.run("key", done).await.result.unwrap();
    let finished = journal.run("key", |steps| stubborn(scene.datafy.clone(), Row(0), steps)).await;
    assert_eq!(conflict(finished).subject.volume, Some(volume(2)));
    assert_eq!(scene.count("create_snapshot"), 2, "one for each journal");
}

#[tokio::test]
async fn a_function_that_retries_a_refused_create_makes_one() {
    let scene = Scene::without_retries().await;
    scene.inject([status(403), status(429), status(400), status(403)]);
    assert!(scene.run(persistent).await.result.is_err());
    for before in [false, true] {
        let finished = scene.run(persistent).await;
        assert_eq!((finished.result.is_ok(), finished.before), (true, before));
    }
    assert_eq!(scene.count("create_volume_from_snapshots"), 1);
    let journal = scene.journal();
    assert_eq!(journal.entries().next().unwrap().steps.len(), 1, "it is one step");
}

#[tokio::test]
async fn a_function_that_retries_an_unknown_create_is_halted_also_without_a_journal() {
    let unusable = Reply::json(200, &json!({ "volumeId": "../no" }));
    for fault in [Fault::ApplyThenReset, Fault::ApplyThenAnswer(unusable)] {
        let scene = Scene::without_retries().await;
        scene.inject([Some(fault)]);
        let mut run = scene.datafy.fleet([Row(0)]).run(persistent).await.unwrap();
        let finished = run.next().await.unwrap();
        assert!(matches!(finished.result, Err(NotDone::Unknown { .. })), "{:?}", finished.result);
        assert_eq!(scene.requests(), 1);
        assert_eq!(run.monitor().progress().exit_code(), 3);
    }
}

#[tokio::test]
async fn a_function_that_falls_back_to_another_create_makes_no_second_one() {
    async fn falls_back(datafy: Datafy, _: Row, steps: Steps) -> Result<VolumeId, Mine> {
        match steps.run(datafy.create_volume(snapshot(1))).await {
            Ok(created) => Ok(created.id),
            Err(_) => Ok(steps.run(datafy.create_volume(snapshot(2))).await?.id),
        }
    }
    let scene = Scene::without_retries().await;
    // Both are refused in the first run.
    scene.inject([status(400), status(400), status(400)]);
    assert!(scene.run(falls_back).await.result.is_err());
    let created = scene.run(falls_back).await.result.unwrap();
    // The refused create would succeed now, and would be the second one.
    let step = conflict(scene.run(falls_back).await);
    assert_eq!(step.created_id.as_deref(), Some(created.as_str()));
    assert_eq!((step.number, scene.count("create_volume_from_snapshots")), (2, 1));
}

#[tokio::test]
async fn two_equal_creates_that_wait_for_their_turn_are_two_steps() {
    async fn both(datafy: Datafy, _: VolumeId, steps: Steps) -> Result<(), Error> {
        let create = || steps.run(datafy.create_volume(snapshot(1)));
        tokio::try_join!(create(), create()).map(drop)
    }
    /// The system's clock, which waits.
    #[derive(Debug)]
    struct Real;
    impl Clock for Real {}
    let scene = Scene::with(2, |client| client.clock(Real)).await;
    // The turn of the second item comes after 10 ms.
    let run = || scene.fleet(2).rate(100).run(both);
    assert_eq!(all_states(run()).await, ["done", "done"]);
    assert_eq!(all_states(run()).await, ["before", "before"]);
    assert_eq!(scene.count("create_volume_from_snapshots"), 4);
}

#[tokio::test]
async fn of_two_creates_at_a_time_the_refused_one_is_repeated() {
    async fn both(datafy: Datafy, _: Row, steps: Steps) -> Result<(), Mine> {
        let create = |number| steps.run(datafy.create_volume(snapshot(number)));
        let (first, second) = tokio::join!(create(1), create(2));
        first?;
        second?;
        Ok(())
    }
    let scene = Scene::without_retries().await;
    // The one that arrives second is refused: the other was begun before that, also if one waits for the disk.
    scene.inject([None, status(400)]);
    assert!(scene.run(both).await.result.is_err());
    assert!(scene.run(both).await.result.is_ok());
    assert_eq!(scene.count("create_volume_from_snapshots"), 2);
    assert!(scene.run(both).await.before);
    // The number is written, since the second step may be recorded first.
    let text = std::fs::read_to_string(scene.path()).unwrap();
    let numbered = text.lines().filter(|line| line.contains(r#""number":2"#)).count();
    assert!(numbered >= 2 && !text.contains(r#""number":1"#), "{text}");
    assert!(text.starts_with(r#"{"time":""#) && text.contains(r#""version":3"#));
}

#[tokio::test]
async fn two_equal_attaches_at_a_time_are_one_step_that_is_sent_again_only_if_it_failed() {
    async fn both(datafy: Datafy, _: Row, steps: Steps) -> Result<bool, Error> {
        let attach = || steps.run(datafy.volume(volume(0)).attach(instance(), device(0)));
        let (first, second) = tokio::join!(attach(), attach());
        second.map(|()| first.is_ok())
    }
    // The first call is answered, refused, or its answer is lost.
    let wait = Some(Fault::Delay(Duration::from_millis(5)));
    for (fault, requests) in [(wait, 1), (status(400), 2), (Some(Fault::ReadThenReset), 2)] {
        let scene = Scene::without_retries().await;
        scene.inject([fault]);
        let finished = scene.run(both).await;
        assert_eq!((finished.result.unwrap(), finished.steps.len()), (requests == 1, 1));
        assert_eq!((scene.requests(), scene.count("attach_volume")), (requests, 1));
        assert_eq!(*scene.reports.lock().unwrap(), []);
    }
}

#[tokio::test]
async fn a_create_that_the_function_drops_is_reported_once_and_not_repeated() {
    async fn hasty(datafy: Datafy, _: Row, steps: Steps) -> Result<VolumeId, Mine> {
        let create = || steps.run(datafy.create_volume(snapshot(0)));
        if let Ok(created) = tokio::time::timeout(Duration::from_millis(50), create()).await {
            return Ok(created?.id);
        }
        Ok(create().await?.id)
    }
    let scene = Scene::without_retries().await;
    scene.inject([Some(Fault::ApplyThenHang)]);
    let finished = scene.run(hasty).await;
    assert!(matches!(finished.result, Err(NotDone::Unknown { .. })), "{:?}", finished.result);
    assert_eq!(scene.count("create_volume_from_snapshots"), 1);
    let [report] = &scene.reports.lock().unwrap()[..] else { panic!() };
    assert_eq!(report.outcome, Outcome::Unknown);
}

#[tokio::test]
async fn either_of_two_creates_can_be_settled_by_its_number_and_only_that_one_is_repeated() {
    async fn both(datafy: Datafy, _: Row, steps: Steps) -> Result<(), Mine> {
        let create = |number| steps.run(datafy.create_volume(snapshot(number)));
        let (first, second) = tokio::join!(create(1), create(2));
        first?;
        second?;
        Ok(())
    }
    const CREATE: &str = "create_volume_from_snapshots";
    // Often enough that an intent waits for the disk while the other create ends.
    for number in [1, 2].into_iter().cycle().take(20) {
        let scene = Scene::without_retries().await;
        scene.stage.fake.inject_with(move |request| {
            let body = String::from_utf8_lossy(&request.body);
            body.contains(snapshot(number).as_str()).then_some(Fault::ReadThenReset)
        });
        assert!(scene.run(both).await.result.is_err());
        let mut journal = scene.journal();
        let number = u32::try_from(number).unwrap();
        journal.settle("db-0", CREATE, 3 - number, Settled::NotApplied).unwrap_err();
        journal.settle("db-0", CREATE, 3, Settled::NotApplied).unwrap_err();
        journal.settle("db-0", CREATE, number, Settled::NotApplied).unwrap();
        drop(journal);
        scene.inject_all(None);
        let finished = scene.run(both).await;
        assert!(finished.result.is_ok(), "{number}: {finished:?}");
        assert_eq!(scene.count(CREATE), 2);
    }
}

#[tokio::test]
async fn a_place_that_another_function_has_claimed_ends_the_job_before_it_sends_anything() {
    async fn one_at_a_time(datafy: Datafy, row: Row, steps: Steps) -> Result<VolumeId, Mine> {
        steps.claim("the only one").await;
        // Its own place can be claimed again.
        steps.claim("the only one").await;
        Ok(steps.run(datafy.create_volume(snapshot(row.0))).await?.id)
    }
    let scene = Scene::without_retries().await;
    let mut run = scene.datafy.fleet([Row(0), Row(1)]).run(one_at_a_time).await.unwrap();
    let results = all(&mut run).await;
    assert_eq!(results.values().map(state).collect::<Vec<_>>(), ["done", "claimed"]);
    assert_eq!(scene.requests(), 1);
}

#[tokio::test]
async fn two_volumes_of_one_job_are_two_steps_and_only_the_refused_attach_is_repeated() {
    async fn two(datafy: Datafy, _: Row, steps: Steps) -> Result<(), Mine> {
        let create = |number| steps.run(datafy.create_volume(snapshot(number)));
        let (first, second) = (create(1).await?.id, create(1).await?.id);
        assert!(first != second || steps.is_plan());
        let attach = |id, number| steps.run(datafy.volume(id).attach(instance(), device(number)));
        let (first, second) = tokio::join!(attach(first, 1), attach(second, 2));
        Ok(first.and(second)?)
    }
    let scene = Scene::without_retries().await;
    scene.inject([None, None, status(404)]);
    let finished = scene.run(two).await;
    assert_eq!((finished.unattached().len(), finished.outcome()), (1, Outcome::Refused));
    let finished = scene.run(two).await;
    assert!(finished.result.is_ok() && !finished.before && finished.unattached().is_empty());
    assert_eq!((scene.count("create_volume_from_snapshots"), scene.count("attach_volume")), (2, 2));
}

#[tokio::test]
async fn a_function_that_no_longer_asks_for_what_was_created_is_a_conflict() {
    let scene = Scene::without_retries().await;
    let journal = open(&scene).await;
    let datafy = &scene.datafy;
    journal.run("key", |_| datafy.volume(volume(0)).create_snapshot()).await.result.unwrap();
    let attach = |_| datafy.volume(volume(0)).attach(instance(), device(0));
    assert_eq!(conflict(journal.run("key", attach).await).operation, "create_snapshot");
}

#[tokio::test]
async fn a_plan_is_exact_up_to_the_first_call_of_each_item_also_if_the_function_hides_errors() {
    async fn hides(datafy: Datafy, row: Row, steps: Steps) -> Result<(), Mine> {
        let _ = clone_volume(datafy.clone(), row, steps.clone()).await;
        let again = clone_volume(datafy, row, steps);
        let _ = tokio::time::timeout(Duration::ZERO, again).await;
        Ok(())
    }
    async fn fails(_: Datafy, _: Row, steps: Steps) -> Result<(), Mine> {
        assert!(steps.is_plan());
        Err(Mine::Own)
    }
    let scene = Scene::without_retries().await;
    let path = scene.path();
    let rows = |rows: &[usize]| {
        let rows: Vec<_> = rows.iter().copied().map(Row).collect();
        scene.datafy.fleet(rows).concurrency(1).journal(&path)
    };
    // The first is done, the second unknown, the third has a snapshot, and the fourth is new.
    scene.inject([None, None, None, LOST, None, status(403)]);
    ended(rows(&[1, 2, 3]).run(clone_volume)).await;
    let before = (scene.requests(), std::fs::read(&path).unwrap());
    let plan = ended(rows(&[1, 2, 3, 4]).plan(clone_volume)).await;
    assert_eq!((plan.to_do, plan.done_before, plan.unknown), (2, 1, 1));
    assert_eq!(plan.failed + plan.not_attempted, 0);
    let fleet = scene.datafy.fleet([1, 2, 3, 4].map(Row)).journal(scene.file("none"));
    assert_eq!(ended(fleet.plan(hides)).await.to_do, 4);
    assert!(!scene.file("none").exists());
    let failed = ended(scene.datafy.fleet([Row(1)]).plan(fails)).await;
    assert_eq!((failed.failed, failed.to_do), (1, 0));
    assert_eq!((scene.requests(), std::fs::read(&path).unwrap()), before);
}

#[tokio::test]
async fn two_restores_to_one_place_are_seen_before_the_second_volume_is_paid_for() {
    let rows = || [("a", 1), ("b", 1), ("c", 2)];
    let job = |datafy: Datafy, (_, at): (&'static str, usize), _: Steps| {
        datafy.restore(snapshot(at), instance(), device(at))
    };
    for is_stream in [false, true] {
        let scene = Scene::without_retries().await;
        let fleet = || {
            if is_stream {
                scene.datafy.fleet_of_stream(stream::iter(rows()))
            } else {
                scene.datafy.fleet(rows())
            }
        };
        let plan = ended(fleet().plan(job)).await;
        assert_eq!((plan.to_do, plan.not_attempted), (2, 1));
        let mut results = all(&mut fleet().concurrency(1).run(job).await.unwrap()).await;
        let error = results.remove("b").unwrap().result.unwrap_err();
        let text = "not attempted: another job has claimed i-1:/dev/sd1";
        assert_eq!((error.state(), &*error.to_string()), ("claimed", text));
        assert!(results.values().all(|finished| finished.result.is_ok()));
        assert_eq!(scene.count("create_volume_from_snapshots"), 2);
    }
}

#[tokio::test]
async fn a_place_that_an_earlier_run_attached_a_volume_to_is_claimed_from_the_start() {
    let scene = Scene::without_retries().await;
    let job = |datafy: Datafy, (_, number): (&'static str, usize), _: Steps| {
        datafy.restore(snapshot(number), instance(), device(0))
    };
    let fleet = |rows: Vec<_>| scene.datafy.fleet(rows).concurrency(1).journal(scene.path());
    assert_eq!(all_states(fleet(vec![("b", 1)]).run(job)).await, ["done"]);
    assert_eq!(all_states(fleet(vec![("a", 2), ("b", 1)]).run(job)).await, ["claimed", "before"]);
    assert_eq!(scene.count("create_volume_from_snapshots"), 1);
}

#[tokio::test]
async fn an_attach_is_one_step_of_several_calls_and_its_outcome_never_falls() {
    let scene = Scene::without_retries().await;
    scene.inject([Some(Fault::ReadThenReset), status(404), status(409)]);
    let journal = open(&scene).await;
    let attach = || scene.datafy.volume(volume(0)).attach(instance(), device(0));
    let finished = journal.run("key", |_| attach().within(MINUTE)).await;
    assert_eq!(finished.steps.len(), 1);
    assert_eq!(failed(finished).outcome(), Outcome::Unknown);
    drop(journal);
    // Another process remembers it.
    scene.inject([status(403)]);
    let error = failed(open(&scene).await.run("key", |_| attach()).await);
    assert_eq!((error.outcome(), error.status()), (Outcome::Unknown, Some(403)));

    // A function that repeats the attach itself, without a journal.
    let twice = async |datafy: Datafy, _: Row, steps: Steps| -> Result<(), Error> {
        let attach = || datafy.volume(volume(1)).attach(instance(), device(1));
        let _ = steps.run(attach()).await;
        steps.run(attach()).await
    };
    scene.inject([Some(Fault::ReadThenReset), status(403)]);
    let finished = scene.datafy.fleet([Row(0)]).run(twice).await.unwrap().next().await.unwrap();
    assert_eq!(finished.steps.len(), 1);
    assert_eq!(failed(finished).outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn two_tasks_with_one_key_have_one_effect_and_the_same_result() {
    let scene = Scene::without_retries().await;
    scene.inject([Some(Fault::Delay(Duration::from_millis(5)))]);
    let journal = open(&scene).await;
    let ask = async || {
        let finished =
            journal.run("request-7", |_| scene.datafy.volume(volume(0)).create_snapshot());
        let finished = finished.await;
        (finished.before, finished.result.unwrap().id)
    };
    let (first, second) = tokio::join!(ask(), ask());
    assert_eq!((first.0, second.0, &first.1), (false, true, &second.1));
    assert_eq!(scene.count("create_snapshot"), 1);
}

#[tokio::test]
async fn a_job_that_was_dropped_is_known_to_the_next_one_with_its_key() {
    let scene = Scene::without_retries().await;
    let (builder, reports) = Stage::reports(scene.stage.builder());
    let datafy = builder.build().unwrap();
    let journal = datafy.journal(scene.path()).await.unwrap();
    scene.inject([Some(Fault::ApplyThenHang)]);
    let ask = || journal.run("request-8", |_| datafy.volume(volume(0)).create_snapshot());
    tokio::select! {
        finished = ask() => panic!("{finished:?}"),
        () = until(|| scene.effects() == 1) => {}
    }
    assert!(matches!(ask().await.result, Err(NotDone::Unknown { .. })));
    assert_eq!(reports.lock().unwrap().len(), 1, "it is reported once");
    let id = scene.stage.fake.snapshots().pop().unwrap().id;
    let applied = Settled::Applied { id: Some(id.to_string()) };
    journal.settle("request-8", "create_snapshot", 1, applied).await.unwrap();
    assert_eq!(ask().await.result.unwrap().id, id);
    // A claim ends with its job.
    let restore = |number| datafy.restore(snapshot(number), instance(), device(0));
    scene.inject([None, status(403)]);
    journal.run("a", |_| restore(1)).await.result.unwrap_err();
    journal.run("b", |_| restore(2)).await.result.unwrap();
    let [(key, _)] = &scene.journal().unattached()[..] else { panic!() };
    assert_eq!(key, "a");
}

#[tokio::test]
async fn a_journal_that_fails_between_two_steps_leaves_the_volume_in_the_result() {
    let scene = Scene::without_retries().await;
    let path = scene.path();
    let file = path.clone();
    let job = move |datafy: Datafy, row: Row, steps: Steps| {
        let file = file.clone();
        async move {
            let created = steps.run(datafy.create_volume(snapshot(row.0))).await?;
            std::fs::remove_file(file).unwrap();
            let attach = datafy.volume(created.id).attach(instance(), device(0));
            // The function never sees that the journal fails.
            steps.run(attach).await.or(Err(Mine::Own))
        }
    };
    let finished = scene.run(job).await;
    assert!(matches!(finished.result, Err(NotDone::Journal(_))), "{:?}", finished.result);
    assert_eq!((finished.unattached().len(), scene.count("attach_volume")), (1, 0));
}

#[tokio::test]
async fn a_halted_step_does_not_cut_a_call_in_flight_beside_it() {
    let scene = Scene::without_retries().await;
    let journal = open(&scene).await;
    let datafy = &scene.datafy;
    let create = || datafy.create_volume(snapshot(0));
    scene.inject([LOST, Some(Fault::Delay(Duration::from_millis(20)))]);
    journal.run("key", |_| create()).await.result.unwrap_err();
    let finished = journal
        .run("key", |steps| async move {
            let slow = steps.run(datafy.volume(volume(0)).create_snapshot());
            let (slow, halted) = tokio::join!(slow, steps.run(create()));
            slow?;
            halted?;
            Ok::<_, Error>(())
        })
        .await;
    assert!(matches!(finished.result, Err(NotDone::Unknown { .. })));
    let snapshot = finished.steps.iter().find(|step| step.operation == "create_snapshot").unwrap();
    assert_eq!((snapshot.state, scene.count("create_snapshot")), (StepState::Applied, 1));
}

#[tokio::test]
async fn a_halted_job_ends_although_its_function_no_longer_polls_a_call() {
    async fn forgetful(datafy: Datafy, _: Row, steps: Steps) -> Result<(), Mine> {
        let mut slow = std::pin::pin!(steps.run(datafy.create_volume(snapshot(0))));
        let _ = tokio::time::timeout(Duration::from_millis(50), &mut slow).await;
        steps.claim("the only one").await;
        slow.await?;
        Ok(())
    }
    let mut timeouts = Timeouts::default();
    timeouts.operation = Duration::from_millis(300);
    let scene = Scene::with(2, |client| client.timeouts(timeouts)).await;
    scene.inject_all(Some(Fault::ApplyThenHang));
    let mut run = scene
        .datafy
        .fleet([Row(0), Row(1)])
        .run(|datafy, row, steps| async move {
            if row.0 == 0 {
                steps.claim("the only one").await;
                return Ok(());
            }
            forgetful(datafy, row, steps).await
        })
        .await
        .unwrap();
    let results = all(&mut run).await;
    assert_eq!(results.values().map(state).collect::<Vec<_>>(), ["done", "claimed"]);
    assert_eq!(run.monitor().progress().in_flight, 0);
    let [report] = &scene.reports.lock().unwrap()[..] else { panic!() };
    assert_eq!(report.outcome, Outcome::Unknown);
}

#[tokio::test]
async fn a_job_that_is_dropped_while_it_waits_for_its_turn_is_no_longer_in_flight() {
    async fn hasty(datafy: Datafy, row: Row, steps: Steps) -> Result<VolumeId, Mine> {
        let create = || steps.run(datafy.create_volume(snapshot(row.0)));
        if row.0 > 0 {
            let mut first = Box::pin(create());
            // Polled once, which begins to wait for the turn of the job.
            let _ = futures_util::poll!(&mut first);
        }
        Ok(create().await?.id)
    }
    /// A clock that waits.
    #[derive(Debug)]
    struct Real;
    impl Clock for Real {}
    let scene = Scene::with(3, |client| client.clock(Real)).await;
    let run = scene.datafy.fleet([Row(0), Row(1), Row(2)]).rate(100).run(hasty);
    let progress = ended(run).await;
    assert_eq!((progress.done, progress.in_flight, progress.exit_code()), (3, 0, 0));
}

#[tokio::test]
async fn a_step_in_a_spawned_task_belongs_to_the_job_and_one_after_its_end_sends_nothing() {
    let scene = Scene::without_retries().await;
    let (journal, datafy) = (open(&scene).await, &scene.datafy);
    let (late, wait) = (Arc::new(tokio::sync::Notify::new()), Duration::from_millis(5));
    scene.inject([Some(Fault::Delay(wait)), Some(Fault::Delay(2 * wait))]);
    let finished = journal
        .run("key", |steps| {
            let (datafy, late) = (datafy.clone(), Arc::clone(&late));
            async move {
                let spawned = (datafy.clone(), steps.clone());
                tokio::spawn(async move {
                    let (datafy, steps) = spawned;
                    let _ = steps.run(datafy.volume(volume(0)).create_snapshot()).await;
                    late.notified().await;
                    steps.run(datafy.volume(volume(1)).create_snapshot()).await
                });
                steps.run(datafy.create_volume(snapshot(0))).await
            }
        })
        .await;
    assert!(finished.result.is_ok());
    let applied = finished.steps.iter().filter(|step| step.state == StepState::Applied).count();
    assert_eq!(applied, 2, "the job waited for both");
    late.notify_one();
    tokio::task::yield_now().await;
    drop(journal);
    // The task doesn't keep the file open.
    until(|| Journal::lock(scene.path()).is_ok()).await;
    assert_eq!(scene.count("create_snapshot"), 1);
}

#[tokio::test]
async fn a_refused_token_stops_the_run_even_if_the_function_hides_it() {
    let scene = Scene::without_retries().await;
    scene.inject([status(401)]);
    let fleet = scene.datafy.fleet(ids(2)).concurrency(1);
    let mut run = fleet
        .run(async |datafy: Datafy, id: VolumeId, steps: Steps| -> Result<(), Mine> {
            steps.run(datafy.volume(id).create_snapshot()).await.map(drop).or(Err(Mine::Own))
        })
        .await
        .unwrap();
    assert!(matches!(run.next().await.unwrap().result, Err(NotDone::Failed(Mine::Own))));
    assert!(run.next().await.is_none(), "the rest is reported once");
    let stopped = run.stopped().unwrap();
    assert_eq!(
        (stopped.as_str(), run.not_attempted()),
        ("token_refused", vec!["vol-seed1".to_owned()])
    );
    let progress = run.monitor().progress();
    assert_eq!((progress.failed, progress.not_attempted), (1, 1));
}

/// Each form in which a job can be written.
#[tokio::test]
async fn a_job_is_a_call_an_attach_a_restore_a_function_a_closure_or_a_type() {
    struct Clone {
        datafy: Datafy,
        row: Row,
    }
    impl Job for Clone {
        type Done = VolumeId;
        type Error = Mine;

        async fn run(self, steps: &Steps) -> Result<VolumeId, Mine> {
            clone_volume(self.datafy, self.row, steps.clone()).await
        }
    }
    /// The version and the operation of the journal in which this job is done.
    async fn recorded<J: Job + 'static>(
        scene: &Scene,
        key: usize,
        job: impl Fn(Datafy, Row, Steps) -> J + Send + Sync + 'static,
    ) -> String {
        let path = scene.file(&key.to_string());
        let fleet = scene.datafy.fleet([Row(key)]).journal(&path);
        assert_eq!(all_states(fleet.run(job)).await, ["done"]);
        let header = &lines(&path)[0];
        format!("{} {}", header["version"], header["operation"].as_str().unwrap())
    }
    let scene = Scene::without_retries().await;
    let restore =
        |datafy: Datafy, Row(row), _| datafy.restore(snapshot(row), instance(), device(3));
    let attach = |datafy: Datafy, Row(row), _| {
        datafy.volume(volume(row)).attach(instance(), device(2)).within(MINUTE)
    };
    let name = Arc::new("clone".to_owned());
    let closure = move |datafy, row, steps| {
        let name = Arc::clone(&name);
        async move { clone_volume(datafy, row, steps).await.map(|_| name) }
    };
    let found = [
        recorded(&scene, 1, |datafy, Row(row), _| datafy.volume(volume(row)).create_snapshot())
            .await,
        recorded(&scene, 2, attach).await,
        recorded(&scene, 3, restore).await,
        recorded(&scene, 4, clone_volume).await,
        recorded(&scene, 5, |datafy, row, _| Clone { datafy, row }).await,
        recorded(&scene, 6, closure).await,
    ];
    let expected = [
        "2 create_snapshot",
        "2 attach_volume",
        "2 restore",
        "3 clone_volume",
        "3 Clone",
        "3 a_job_is_a_call_an_attach_a_restore_a_function_a_closure_or_a_type",
    ];
    assert_eq!(found, expected);
}
