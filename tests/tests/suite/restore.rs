//! A restore reports every volume that it created, and can be resumed.

use crate::scene::{LOST, MINUTE, Row, Scene, device, instance, snapshot, states, status};
use datafy_api_ext::fake::{Fault, Reply};
use datafy_api_ext::jobs::{NotDone, NotRestored, Restore, Steps};
use datafy_api_ext::journal::{Settled, StepState};
use datafy_api_ext::{
    AttachVolume, Call, Datafy, Error, ErrorKind, InstanceId, Outcome, RetryPolicy, VolumeId,
};
use datafy_tests::Stage;
use serde_json::json;
use std::future::{pending, ready};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn restore(datafy: &Datafy) -> Restore {
    datafy.restore(snapshot(0), instance(), device('b'))
}

/// An attach of a volume that exists.
fn attach(datafy: &Datafy) -> Call<AttachVolume> {
    datafy.volume(VolumeId::new("vol-seed0").unwrap()).attach(instance(), device('b'))
}

fn is_attached(stage: &Stage, volume: &VolumeId) -> bool {
    stage.fake.volume(volume).unwrap().instance.is_some()
}

/// The error of the call that failed.
fn failed(error: &NotRestored) -> &Error {
    let NotDone::Failed(error) = error.cause() else { panic!("{error:?}") };
    error
}

#[tokio::test]
async fn a_failed_attach_names_the_volume_and_can_be_resumed() {
    let Scene { stage, datafy, .. } = Scene::of(1).await;
    stage.fake.inject_none();
    stage.fake.inject(Fault::status(409));
    let error = restore(&datafy).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused);
    let volume = error.volume_id().unwrap().clone();
    let line = format!("volume {volume} was created but not attached: attach of {volume} to i-1");
    assert!(format!("{error:#}").starts_with(&line), "{error:#}");
    error.resume().unwrap().await.unwrap();
    assert_eq!(stage.fake.volumes().len(), 2, "no second volume was made");
    assert_eq!(stage.fake.volume(&volume).unwrap().device, Some(device('b')));
}

#[tokio::test]
async fn only_a_volume_that_is_known_to_exist_is_left_to_attach() {
    let answer = |json| Some(Fault::ApplyThenAnswer(Reply::json(200, &json)));
    for (fault, outcome) in [
        (status(403), Outcome::Refused),
        (LOST, Outcome::Unknown),
        (answer(json!({})), Outcome::Unknown),
        (answer(json!({ "volumeId": "vol 42" })), Outcome::Unknown),
    ] {
        let scene = Scene::of(1).await;
        scene.inject([fault]);
        let error = restore(&scene.datafy).await.unwrap_err();
        assert_eq!((error.volume_id(), error.outcome()), (None, outcome), "{error}");
        let error = error.resume().unwrap_err();
        let is_refused = format!("{error:#}").starts_with("no volume was created");
        assert_eq!((is_refused, scene.requests()), (outcome == Outcome::Refused, 1), "{error}");
    }
}

#[tokio::test]
async fn an_attach_is_retried_until_the_volume_is_ready() {
    let scene = Scene::of(1).await;
    // The answer to the create is cut off after the ID.
    let body = r#"{"volumeId":"vol-00000000000000001","volumeSizeGB":"#;
    let cut = Reply::json(200, &json!({})).body(body);
    scene.inject([Some(Fault::ApplyThenAnswer(cut))]);
    scene.inject([409, 404, 422, 409, 409, 409, 500].map(status));
    let volume = restore(&scene.datafy).attach_within(10 * MINUTE).await.unwrap();
    assert!(is_attached(&scene.stage, &volume));
    assert_eq!(scene.requests(), 9);
}

#[tokio::test]
async fn an_attach_that_never_succeeds_ends_with_the_last_refusal() {
    let scene = Scene::of(1).await;
    scene.inject([None]);
    scene.inject_all(status(409));
    let error = restore(&scene.datafy).attach_within(MINUTE).await.unwrap_err();
    assert_eq!((error.outcome(), failed(&error).status()), (Outcome::Refused, Some(409)));
    let waited: Duration = scene.stage.pauses.pauses().iter().sum();
    assert!(waited < MINUTE && waited > MINUTE / 4, "{waited:?}");
    // The whole wait, with its last answer.
    let error = failed(&error);
    let calls = scene.requests() - 1;
    assert!(error.elapsed() >= waited && error.elapsed() < MINUTE, "{:?}", error.elapsed());
    assert_eq!(error.attempts() as usize, calls);
    assert!(error.to_string().contains(&format!(": scripted 409; {calls} calls in ")), "{error}");
}

#[tokio::test]
async fn a_wait_ends_after_an_answer_that_waiting_can_not_change() {
    for (faults, ends_on_404, calls, outcome) in [
        (vec![status(404), None], false, 2, None),
        (vec![status(404)], true, 1, Some(Outcome::Refused)),
        (vec![status(400)], false, 1, Some(Outcome::Refused)),
        (vec![status(401), status(401)], false, 1, Some(Outcome::Refused)),
        (vec![status(403)], false, 1, Some(Outcome::Refused)),
        // After an ambiguous attempt, which decides the outcome. The volume probably is attached.
        (vec![status(500), status(403)], false, 2, Some(Outcome::Unknown)),
        (vec![LOST], false, 2, Some(Outcome::Unknown)),
    ] {
        let scene = Scene::of(1).await;
        scene.inject(faults.clone());
        let result = attach(&scene.datafy).within(MINUTE).end_on_404(ends_on_404).await;
        assert_eq!(result.err().map(|error| error.outcome()), outcome);
        assert_eq!(scene.requests(), calls);

        // As the second step of a restore.
        let scene = Scene::of(1).await;
        scene.inject([None].into_iter().chain(faults));
        let restore = restore(&scene.datafy).end_on_404(ends_on_404);
        let result = restore.ready_when(MINUTE, |_| ready(Ok::<_, String>(()))).await;
        assert_eq!(result.err().map(|error| error.outcome()), outcome);
        assert_eq!(scene.requests(), 1 + calls);
    }
}

#[tokio::test]
async fn the_outcome_stays_unknown_if_what_is_left_is_refused() {
    let scene = Scene::of(1).await;
    scene.inject([None, LOST]);
    let error = restore(&scene.datafy).attach_within(MINUTE).await.unwrap_err();
    assert_eq!((error.outcome(), scene.requests()), (Outcome::Unknown, 3));
    assert!(error.to_string().ends_with("may be attached"), "{error}");
    assert_eq!(error.resume().unwrap().await.unwrap_err().outcome(), Outcome::Unknown);

    // Without a wait.
    let scene = Scene::without_retries().await;
    scene.inject([None, LOST]);
    let rest = restore(&scene.datafy).await.unwrap_err().resume().unwrap();
    assert_eq!(rest.clone().await.unwrap_err().outcome(), Outcome::Unknown);
    // The volume probably is attached, so a wait doesn't help.
    assert_eq!(rest.within(MINUTE).await.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(scene.requests(), 4);
}

#[tokio::test]
async fn nothing_is_sent_before_the_check_of_a_volume_succeeds() {
    let scene = Scene::of(1).await;
    let checks = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&checks);
    let ready = move |volume: VolumeId| {
        let check = counter.fetch_add(1, Ordering::Relaxed);
        async move { if check < 3 { Err(format!("{volume} is creating")) } else { Ok(()) } }
    };
    scene.inject([None, status(409)]);
    let volume = restore(&scene.datafy).ready_when(MINUTE, ready).await.unwrap();
    assert!(is_attached(&scene.stage, &volume));
    // Three failed checks, one before the attach that was refused, one before the last.
    assert_eq!((checks.load(Ordering::Relaxed), scene.requests()), (5, 3));
}

#[tokio::test]
async fn a_volume_that_never_is_ready_is_not_attached_and_the_error_says_what_was_seen() {
    let Scene { stage, datafy, .. } = Scene::of(1).await;
    let creating = |_| ready(Err::<(), _>("its state is creating"));
    let error = attach(&datafy).ready_when(MINUTE, creating).await.unwrap_err();
    assert_eq!((error.outcome(), error.kind()), (Outcome::NotSent, ErrorKind::Timeout));
    assert_eq!(&**error.observation().unwrap(), "its state is creating");

    let hangs = |_| pending::<Result<(), String>>();
    let limit = Duration::from_millis(20);
    let error = attach(&datafy).ready_when(limit, hangs).await.unwrap_err();
    assert_eq!(error.observation().unwrap(), "the check of the volume did not end in time");
    // Too little time would be left for the answer.
    let limit = Duration::from_millis(500);
    let slow = move |_| async move {
        tokio::time::sleep(limit * 91 / 100).await;
        Ok::<_, String>(())
    };
    let error = attach(&datafy).ready_when(limit, slow).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotSent));
    assert_eq!(stage.fake.requests().len(), 0);
}

async fn journaled(scene: &Scene) -> Result<VolumeId, NotRestored> {
    restore(&scene.datafy).retry(RetryPolicy::none()).journal(scene.path()).await
}

#[tokio::test]
async fn a_restore_with_a_journal_continues_with_the_step_that_is_left() {
    let scene = Scene::of(1).await;
    scene.inject([status(403)]);
    let error = journaled(&scene).await.unwrap_err();
    assert_eq!((error.volume_id(), failed(&error).status()), (None, Some(403)));
    scene.inject([None, Some(Fault::ReadThenReset)]);
    let error = journaled(&scene).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(error.volume_id().is_some() && error.resume().is_err(), "its journal has the rest");
    let volume = journaled(&scene).await.unwrap();
    assert_eq!(journaled(&scene).await.unwrap(), volume, "the restore is done");
    assert_eq!((scene.effects(), scene.requests()), (2, 4));

    let journal = scene.journal();
    let [entry] = &journal.entries().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!((&*journal.operation(), &*entry.key), ("restore", "dsnap-seed0 to i-1 as /dev/sdb"));
    let steps: Vec<_> = entry.steps.iter().map(|step| (step.operation, step.state)).collect();
    let applied = StepState::Applied;
    assert_eq!(steps, [("create_volume_from_snapshots", applied), ("attach_volume", applied)]);
    assert_eq!(entry.steps[0].created_id.as_deref(), Some(volume.as_str()));
    assert_eq!(entry.steps[0].subject.snapshot, Some(snapshot(0)));
    assert_eq!(entry.steps[1].subject.volume.as_ref(), Some(&volume));
}

#[tokio::test]
async fn an_attach_that_an_earlier_run_may_have_applied_is_never_reported_as_less_than_unknown() {
    let scene = Scene::of(1).await;
    scene.inject([None, LOST]);
    journaled(&scene).await.unwrap_err();
    let begun = || scene.journal().entries().next().unwrap().steps[1].begun;
    let first = begun();
    // The attach is refused now, since the volume is attached.
    let error = journaled(&scene).await.unwrap_err();
    assert_eq!(begun(), first, "its effect may be that old");
    assert_eq!((failed(&error).status(), error.outcome()), (Some(409), Outcome::Unknown));
    // Nothing is sent now.
    let creating = |_| ready(Err::<(), _>("its state is creating"));
    let waits = restore(&scene.datafy).ready_when(MINUTE, creating);
    let error = waits.journal(scene.path()).await.unwrap_err();
    assert_eq!(failed(&error).outcome(), Outcome::Unknown);
    let mut journal = scene.journal();
    assert_eq!(states(&journal)[1], StepState::Unknown);
    let key = journal.entries().next().unwrap().key;
    journal.settle(&key, "attach_volume", 1, Settled::Applied { id: None }).unwrap();
    drop(journal);
    // A step that is done isn't checked.
    let waits = restore(&scene.datafy).ready_when(MINUTE, creating);
    assert!(waits.journal(scene.path()).await.is_ok());
    assert_eq!(scene.requests(), 3);
}

#[tokio::test]
async fn a_restore_whose_place_was_corrected_creates_no_second_volume() {
    let scene = Scene::of(1).await;
    let absent = InstanceId::new("i-absent").unwrap();
    let wrong =
        || scene.datafy.restore(snapshot(0), absent.clone(), device('b')).journal(scene.path());
    let volume = wrong().await.unwrap_err().volume_id().unwrap().clone();

    let conflict = journaled(&scene).await.unwrap_err();
    let NotDone::Conflict { step } = conflict.cause() else { panic!("{conflict}") };
    assert_eq!(step.created_id.as_deref(), Some(volume.as_str()));
    assert_eq!(scene.stage.fake.volumes().len(), 2, "the source and one volume");

    // Once it is attached, another volume of the snapshot is meant.
    scene.stage.fake.add_instance(absent.clone());
    assert_eq!(wrong().await.unwrap(), volume);
    assert_ne!(journaled(&scene).await.unwrap(), volume);
}

#[tokio::test]
async fn a_key_is_refused_if_its_journal_has_other_arguments() {
    let scene = Scene::of(2).await;
    let run = async |from: usize, to: char| {
        let job =
            move |datafy: Datafy, _: Row, _| datafy.restore(snapshot(from), instance(), device(to));
        scene.run(job).await.result
    };
    scene.inject([None, status(403)]);
    run(0, 'b').await.unwrap_err();
    let volume = run(0, 'c').await.expect("the refused attach may have other arguments");
    for (from, to, operation) in
        [(1, 'c', "create_volume_from_snapshots"), (0, 'b', "attach_volume")]
    {
        let error = run(from, to).await.unwrap_err();
        let NotDone::Conflict { step } = &error else { panic!("{error}") };
        assert_eq!(step.operation, operation);
        assert_eq!(serde_json::to_value(&error).unwrap()["state"], "conflict");
    }
    assert_eq!(run(0, 'c').await.unwrap(), volume);
    assert_eq!(scene.effects(), 2);
}

#[tokio::test]
async fn each_attach_of_a_wait_is_recorded() {
    let scene = Scene::of(1).await;
    scene.stage.fake.hold_back_new_volumes(2);
    restore(&scene.datafy).attach_within(MINUTE).journal(scene.path()).await.unwrap();
    let attaches = scene.lines().into_iter().filter(|line| line["operation"] == "attach_volume");
    let events: Vec<_> = attaches.map(|line| line["event"].clone()).collect();
    assert_eq!(events, ["begin", "end", "begin", "end", "begin", "end"]);
}

/// A check that removes the journal when it is called for the second time.
fn removing(path: &Path) -> impl Fn(VolumeId) -> std::future::Ready<Result<(), String>> + use<> {
    let (file, checks) = (path.to_owned(), AtomicUsize::new(0));
    move |_| {
        if checks.fetch_add(1, Ordering::Relaxed) == 1 {
            std::fs::remove_file(&file).unwrap();
        }
        ready(Ok(()))
    }
}

#[tokio::test]
async fn an_attach_whose_journal_fails_ends_with_the_outcome_so_far() {
    for (fault, outcome, requests) in
        [(status(500), Outcome::Unknown, 4), (status(404), Outcome::Refused, 1)]
    {
        let scene = Scene::of(1).await;
        scene.inject_all(fault);
        let path = scene.path();
        let job = move |datafy: Datafy, _: Row, _: Steps| {
            attach(&datafy).ready_when(MINUTE, removing(&path))
        };
        let finished = scene.run(job).await;
        assert_eq!(finished.outcome(), outcome);
        let Err(error @ NotDone::Journal(_)) = finished.result else { panic!("{finished:?}") };
        assert!(format!("{error:#}").contains("was removed or renamed"), "{error:#}");
        assert_eq!(scene.requests(), requests);
    }
}

#[tokio::test]
async fn a_restore_whose_journal_can_not_be_used_sends_nothing() {
    let scene = Scene::of(1).await;
    std::fs::write(scene.file("list.csv"), "name,snapshot\n").unwrap();
    for path in [scene.path().parent().unwrap(), &scene.file("list.csv")] {
        let error = restore(&scene.datafy).journal(path).await.unwrap_err();
        assert!(matches!(error.cause(), NotDone::Journal(_)), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
    assert_eq!(scene.requests(), 0);
}
