//! A restore reports every volume that it created, and can be resumed.

use crate::fleet::planned;
use datafy_api_ext::fake::{Fault, Reply};
use datafy_api_ext::jobs::{Finished, NotDone, NotRestored, Restore};
use datafy_api_ext::journal::{Journal, Settled, StepState};
use datafy_api_ext::{
    Datafy, DatafySnapshotId, DeviceName, Error, ErrorKind, InstanceId, Outcome, RetryPolicy,
    VolumeId,
};
use datafy_tests::Stage;
use futures_util::stream;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn restore(datafy: &Datafy) -> Restore {
    let snapshot = DatafySnapshotId::new("dsnap-seed0").unwrap();
    datafy.restore(snapshot).attach_to(place().0, place().1)
}

#[tokio::test]
async fn a_volume_is_created_and_attached() {
    let stage = Stage::of(1).await;
    let volume = restore(&stage.client()).await.unwrap();
    let volume = stage.fake.volume(&volume).unwrap();
    assert_eq!(volume.device.unwrap().as_str(), "/dev/sdb");
    assert_eq!(stage.fake.effects().len(), 2);
}

#[tokio::test]
async fn a_failed_attach_names_the_volume_and_can_be_resumed() {
    let stage = Stage::of(1).await;
    stage.fake.inject_none();
    stage.fake.inject(Fault::status(409));
    let error = restore(&stage.client()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused);
    let volume = error.volume_id().unwrap().clone();
    let line = format!(
        "volume {volume} was created but not attached: attach of {volume} to i-1 as /dev/sdb at {} \
             was refused: 409",
        stage.fake.endpoint()
    );
    assert!(format!("{error:#}").starts_with(&line), "{error:#}");
    error.resume().unwrap().await.unwrap();
    assert_eq!(stage.fake.volumes().len(), 2, "no second volume was made");
    assert!(stage.fake.volume(&volume).unwrap().instance.is_some());
}

#[tokio::test]
async fn only_a_volume_that_is_known_to_exist_is_left_to_attach() {
    for (fault, outcome) in [
        (Fault::status(403), Outcome::Refused),
        (Fault::ApplyThenReset, Outcome::Unknown),
        (Fault::ApplyThenAnswer(Reply::status(200).body("{\"volumeId\"")), Outcome::Unknown),
        (Fault::ApplyThenAnswer(Reply::json(200, &json!({}))), Outcome::Unknown),
        (
            Fault::ApplyThenAnswer(Reply::json(200, &json!({ "volumeId": "vol 42" }))),
            Outcome::Unknown,
        ),
    ] {
        let stage = Stage::of(1).await;
        stage.fake.inject(fault);
        let error = restore(&stage.client()).await.unwrap_err();
        assert_eq!((error.volume_id(), error.outcome()), (None, outcome), "{error}");
        let error = error.resume().unwrap_err();
        let begins = match outcome {
            Outcome::Refused => "no volume was created: ",
            _ => "a volume may have been created: ",
        };
        assert!(format!("{error:#}").starts_with(begins), "{error:#}");
        assert_eq!(stage.fake.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_volume_is_attached_if_the_cut_answer_still_names_it() {
    let stage = Stage::of(1).await;
    let body = r#"{"volumeId":"vol-00000000000000001","volumeSizeGB":"#;
    stage.fake.inject(Fault::ApplyThenAnswer(Reply::json(200, &json!({})).body(body)));
    let volume = restore(&stage.client()).await.unwrap();
    assert!(stage.fake.volume(&volume).unwrap().instance.is_some());
}

#[tokio::test]
async fn an_attach_is_retried_until_the_volume_is_ready() {
    let stage = Stage::of(1).await;
    stage.fake.inject_none();
    for status in [409, 404, 422, 409, 409, 409, 500] {
        stage.fake.inject(Fault::status(status));
    }
    let volume = restore(&stage.client()).attach_within(10 * MINUTE).await.unwrap();
    assert!(stage.fake.volume(&volume).unwrap().instance.is_some());
    assert_eq!(stage.fake.requests().len(), 9);
}

#[tokio::test]
async fn an_attach_that_never_succeeds_ends_with_the_last_refusal() {
    let stage = Stage::of(1).await;
    stage.fake.inject_none();
    stage.fake.inject_with(|_| Some(Fault::status(409)));
    let error = restore(&stage.client()).attach_within(MINUTE).await.unwrap_err();
    assert_eq!((error.outcome(), failed(&error).status()), (Outcome::Refused, Some(409)));
    let waited: Duration = stage.pauses.pauses().iter().sum();
    assert!(waited < MINUTE && waited > MINUTE / 4, "{waited:?}");
    // The whole wait, with its last answer.
    let error = failed(&error);
    let calls = stage.fake.requests().len() - 1;
    assert!(error.elapsed() >= waited && error.elapsed() < MINUTE, "{:?}", error.elapsed());
    assert_eq!(error.attempts() as usize, calls);
    let text = error.to_string();
    assert!(text.contains(&format!("409 Conflict: scripted 409; {calls} calls in ")), "{text}");
}

#[tokio::test]
async fn a_404_ends_the_wait_if_that_is_set() {
    for (ends, calls) in [(false, 2), (true, 1)] {
        let stage = Stage::of(1).await;
        stage.fake.inject(Fault::status(404));
        let volume = stage.client().volume(VolumeId::new("vol-seed0").unwrap());
        let attach = volume.attach(place().0, place().1).within(MINUTE).end_on_404(ends);
        assert_eq!(attach.await.is_err(), ends);
        assert_eq!(stage.fake.requests().len(), calls);
    }
}

#[tokio::test]
async fn a_409_after_a_lost_answer_ends_the_wait_and_the_outcome_stays_unknown() {
    let stage = Stage::of(1).await;
    stage.fake.inject_none();
    stage.fake.inject(Fault::ApplyThenReset);
    let error = restore(&stage.client()).attach_within(MINUTE).await.unwrap_err();
    assert_eq!((error.outcome(), stage.fake.requests().len()), (Outcome::Unknown, 3));
    let line = format!("volume {} was created and may be attached: ", error.volume_id().unwrap());
    assert!(format!("{error:#}").starts_with(&line), "{error:#}");
    let again = error.resume().unwrap().await.unwrap_err();
    assert_eq!(again.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn an_attach_is_not_retried_after_a_refusal_that_waiting_can_not_fix() {
    for status in [400, 401, 403] {
        let stage = Stage::of(1).await;
        stage.fake.inject_none();
        stage.fake.inject_with(move |_| Some(Fault::status(status)));
        let error = restore(&stage.client()).attach_within(MINUTE).await.unwrap_err();
        assert_eq!(failed(&error).status(), Some(status));
        assert_eq!(stage.fake.requests().len(), 2);

        // Also after an ambiguous attempt, which decides the outcome of the call.
        let stage = Stage::of(1).await;
        stage.fake.inject_none();
        stage.fake.inject(Fault::status(500));
        stage.fake.inject_with(move |_| Some(Fault::status(status)));
        let error = restore(&stage.client()).attach_within(MINUTE).await.unwrap_err();
        assert_eq!((error.outcome(), stage.fake.requests().len()), (Outcome::Unknown, 3));
    }
}

/// The error of the call that failed.
fn failed(error: &NotRestored) -> &Error {
    let NotDone::Failed(error) = error.cause() else { panic!("{error:?}") };
    error
}

fn place() -> (InstanceId, DeviceName) {
    (InstanceId::new("i-1").unwrap(), DeviceName::new("/dev/sdb").unwrap())
}

#[tokio::test]
async fn an_attach_waits_until_the_volume_is_ready() {
    let stage = Stage::of(1).await;
    stage.fake.hold_back_new_volumes(3);
    let datafy = stage.client();
    let snapshot = DatafySnapshotId::new("dsnap-seed0").unwrap();
    let created = datafy.create_volume().from_snapshot(snapshot).await.unwrap();
    let volume = datafy.volume(created.id.clone());
    let (instance, device) = place();
    let error = volume.attach(instance.clone(), device.clone()).await.unwrap_err();
    assert_eq!(error.message(), Some(&*format!("volume {} is not ready", volume.id())));
    volume.attach(instance, device).within(MINUTE).await.unwrap();
    assert_eq!(stage.fake.requests().len(), 5);
}

#[tokio::test]
async fn nothing_is_sent_before_the_check_of_a_volume_succeeds() {
    let stage = Stage::of(1).await;
    let checks = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&checks);
    let ready = move |volume: VolumeId| {
        let check = counter.fetch_add(1, Ordering::Relaxed);
        async move { if check < 3 { Err(format!("{volume} is creating")) } else { Ok(()) } }
    };
    stage.fake.inject_none();
    stage.fake.inject(Fault::status(409));
    let volume = restore(&stage.client()).ready_when(MINUTE, ready).await.unwrap();
    assert!(stage.fake.volume(&volume).unwrap().instance.is_some());
    // Three failed checks, one before the attach that was refused, one before the last.
    assert_eq!((checks.load(Ordering::Relaxed), stage.fake.requests().len()), (5, 3));
}

#[tokio::test]
async fn a_volume_that_never_is_ready_is_not_attached_and_the_error_says_what_was_seen() {
    let stage = Stage::of(1).await;
    let volume = stage.client().volume(VolumeId::new("vol-seed0").unwrap());
    let (instance, device) = place();
    let ready = |_| async { Err::<(), _>("its state is creating") };
    let error = volume.attach(instance, device).ready_when(MINUTE, ready).await.unwrap_err();
    assert_eq!((error.outcome(), error.kind()), (Outcome::NotSent, ErrorKind::Timeout));
    assert_eq!(error.observation(), Some("its state is creating"));
    let end =
        " was not sent: the volume was not ready within 60s; last seen: its state is creating";
    let text = format!("attach of vol-seed0 to i-1 as /dev/sdb at {}{end}", stage.fake.endpoint());
    assert_eq!(error.to_string(), text);
    assert!(error.subject().is_some() && error.started().is_some());
    assert_eq!(stage.fake.requests().len(), 0);
}

#[tokio::test]
async fn a_check_that_hangs_ends_with_the_wait() {
    let stage = Stage::of(1).await;
    let volume = stage.client().volume(VolumeId::new("vol-seed0").unwrap());
    let (instance, device) = place();
    let ready = |_| std::future::pending::<Result<(), String>>();
    let limit = Duration::from_millis(20);
    let error = volume.attach(instance, device).ready_when(limit, ready).await.unwrap_err();
    assert_eq!(error.observation(), Some("the check of the volume did not end in time"));
}

#[tokio::test]
async fn an_attach_is_not_sent_if_the_check_leaves_too_little_time_for_its_answer() {
    let stage = Stage::of(1).await;
    let volume = stage.client().volume(VolumeId::new("vol-seed0").unwrap());
    let (instance, device) = place();
    let limit = Duration::from_millis(500);
    let slow = move |_| async move {
        tokio::time::sleep(limit * 91 / 100).await;
        Ok::<_, String>(())
    };
    let error = volume.attach(instance, device).ready_when(limit, slow).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotSent));
    assert_eq!(stage.fake.requests().len(), 0);
}

async fn journaled(datafy: &Datafy, path: &Path) -> Result<VolumeId, NotRestored> {
    restore(datafy).retry(RetryPolicy::none()).journal(path).await
}

#[tokio::test]
async fn a_restore_with_a_journal_continues_with_the_step_that_is_left() {
    let stage = Stage::of(1).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restore.jsonl");
    let datafy = stage.client();

    stage.fake.inject(Fault::status(403));
    let error = journaled(&datafy, &path).await.unwrap_err();
    assert_eq!((error.volume_id(), failed(&error).status()), (None, Some(403)));
    stage.fake.inject_none();
    stage.fake.inject(Fault::ReadThenReset);
    let error = journaled(&datafy, &path).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(error.volume_id().is_some() && error.resume().is_err(), "its journal has the rest");
    let volume = journaled(&datafy, &path).await.unwrap();
    assert_eq!(journaled(&datafy, &path).await.unwrap(), volume, "the restore is done");
    assert_eq!((stage.fake.effects().len(), stage.fake.requests().len()), (2, 4));

    let journal = Journal::read(&path).unwrap();
    let [entry] = &journal.entries().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!((&*journal.operation(), &*entry.key), ("restore", "dsnap-seed0 to i-1 as /dev/sdb"));
    let steps: Vec<_> = entry.steps.iter().map(|step| (step.operation, step.state)).collect();
    let applied = StepState::Applied;
    assert_eq!(steps, [("create_volume_from_snapshots", applied), ("attach_volume", applied)]);
    assert_eq!(entry.steps[0].created_id.as_deref(), Some(volume.as_str()));
    assert_eq!(entry.steps[0].subject.snapshot.as_ref().unwrap().as_str(), "dsnap-seed0");
    assert_eq!(entry.steps[1].subject.volume.as_ref(), Some(&volume));
}

#[tokio::test]
async fn an_attach_that_an_earlier_run_may_have_applied_is_never_reported_as_refused() {
    let stage = Stage::of(1).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restore.jsonl");
    stage.fake.inject_none();
    stage.fake.inject(Fault::ApplyThenReset);
    journaled(&stage.client(), &path).await.unwrap_err();
    // The attach is refused now, since the volume is attached.
    let error = journaled(&stage.client(), &path).await.unwrap_err();
    assert_eq!((failed(&error).status(), error.outcome()), (Some(409), Outcome::Unknown));
    let mut journal = Journal::read(&path).unwrap();
    let key = journal.entries().next().unwrap().key.clone();
    assert_eq!(journal.entries().next().unwrap().steps[1].state, StepState::Unknown);
    journal.settle(&key, "attach_volume", 1, Settled::Applied { id: None }).unwrap();
    drop(journal);
    assert!(journaled(&stage.client(), &path).await.is_ok());
    assert_eq!(stage.fake.requests().len(), 3);
}

#[tokio::test]
async fn a_volume_that_may_have_been_created_is_reported_until_it_is_settled() {
    let stage = Stage::of(1).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restore.jsonl");
    // The second answer names a volume that can't be attached.
    let unusable = Reply::json(200, &json!({ "volumeId": "vol 42" }));
    for (fault, created) in
        [(Fault::ApplyThenReset, None), (Fault::ApplyThenAnswer(unusable), Some("vol 42"))]
    {
        let _ = std::fs::remove_file(&path);
        stage.fake.inject(fault);
        journaled(&stage.client(), &path).await.unwrap_err();
        let error = journaled(&stage.client(), &path).await.unwrap_err();
        let NotDone::Unknown { step, .. } = error.cause() else { panic!("{error}") };
        assert_eq!(step.created_id.as_deref(), created);
        let effects = stage.fake.effects().len();

        let id = stage.fake.volumes().pop().unwrap().id.to_string();
        let mut journal = Journal::read(&path).unwrap();
        let key = journal.entries().next().unwrap().key.clone();
        let found = Settled::Applied { id: Some("vol-unknown".to_owned()) };
        journal.settle(&key, "create_volume_from_snapshots", 1, found).unwrap();
        drop(journal);
        let error = journaled(&stage.client(), &path).await.unwrap_err();
        assert_eq!(error.volume_id().unwrap().as_str(), "vol-unknown", "{id}");
        assert_eq!(stage.fake.effects().len(), effects, "no second volume is created");
    }
}

#[derive(Clone, Debug)]
struct Row(usize);

impl datafy_api_ext::jobs::Keyed for Row {
    fn key(&self) -> std::borrow::Cow<'_, str> {
        format!("row {}", self.0).into()
    }
}

/// Restores the snapshot of each row.
async fn restore_rows(datafy: &Datafy, rows: usize, path: &Path) -> Vec<Finished<Row, VolumeId>> {
    let fleet = datafy.fleet((0..rows).map(Row)).journal(path);
    let mut run = fleet
        .run(|datafy, Row(row), _| {
            let snapshot = DatafySnapshotId::new(format!("dsnap-seed{row}")).unwrap();
            let device = DeviceName::new(format!("sd{row}")).unwrap();
            let create = datafy.restore(snapshot).retry(RetryPolicy::none());
            create.attach_to(place().0, device).attach_within(MINUTE)
        })
        .await
        .unwrap();
    let mut results = Vec::new();
    while let Some(finished) = run.next().await {
        results.push(finished);
    }
    results
}

#[tokio::test]
async fn a_fleet_of_restores_is_resumed_where_each_of_them_stopped() {
    let stage = Stage::of(30).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restores.jsonl");
    let mut requests = 0;
    stage.fake.inject_with(move |_| {
        requests += 1;
        match requests % 9 {
            4 => Some(Fault::status(403)),
            8 => Some(Fault::ReadThenReset),
            _ => None,
        }
    });
    let first = restore_rows(&stage.client(), 30, &path).await;
    assert_eq!(first.len(), 30);
    stage.fake.inject_with(|_| None);
    let second = restore_rows(&stage.client(), 30, &path).await;
    let unknown = |it: &Finished<_, _>| matches!(it.result, Err(NotDone::Unknown { .. }));
    let doubtful = second.iter().filter(|it| unknown(it)).count();
    assert!(doubtful > 0);
    assert!(second.iter().all(|it| it.result.is_ok() || unknown(it)), "{second:?}");
    let volumes = stage.fake.volumes();
    let restored: Vec<_> = volumes.iter().filter(|volume| volume.source.is_some()).collect();
    assert!(restored.iter().all(|volume| volume.instance.is_some()));
    assert_eq!(restored.len(), 30 - doubtful, "{restored:?}");
}

#[tokio::test]
async fn an_item_of_a_stream_with_a_journal_is_refused_if_its_key_has_come_before() {
    let stage = Stage::of(1).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restores.jsonl");
    let datafy = stage.client();
    // In a new journal, and in one that already has the key.
    stage.fake.inject(Fault::status(403));
    for created in [0, 1] {
        let fleet = datafy.fleet_of_stream(stream::iter([Row(0), Row(0)])).concurrency(2);
        let mut run = fleet.journal(&path).run(|datafy, Row(_), _| restore(&datafy)).await.unwrap();
        let (mut restored, mut refused) = (0, 0);
        while let Some(finished) = run.next().await {
            restored += usize::from(finished.result.is_ok());
            refused += usize::from(matches!(finished.result, Err(NotDone::Duplicate)));
        }
        assert_eq!((restored, refused), (created, 1));
    }
    assert_eq!(stage.fake.volumes().len(), 2, "one volume is restored");
}

#[tokio::test]
async fn a_restore_whose_place_was_corrected_creates_no_second_volume() {
    let stage = Stage::of(1).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restore.jsonl");
    let datafy = stage.client();
    let absent = InstanceId::new("i-absent").unwrap();
    let wrong = || {
        let snapshot = DatafySnapshotId::new("dsnap-seed0").unwrap();
        datafy.restore(snapshot).attach_to(absent.clone(), place().1).journal(&path)
    };
    let volume = wrong().await.unwrap_err().volume_id().unwrap().clone();

    let conflict = journaled(&datafy, &path).await.unwrap_err();
    let NotDone::Conflict { step } = conflict.cause() else { panic!("{conflict}") };
    assert_eq!(step.created_id.as_deref(), Some(volume.as_str()));
    assert_eq!(stage.fake.volumes().len(), 2, "the source and one volume");

    // Once it is attached, another volume of the snapshot is meant.
    stage.fake.add_instance(absent.clone());
    assert_eq!(wrong().await.unwrap(), volume);
    assert_ne!(journaled(&datafy, &path).await.unwrap(), volume);
}

#[tokio::test]
async fn a_journal_that_can_not_be_used_is_the_cause() {
    let stage = Stage::of(1).await;
    let directory = tempfile::tempdir().unwrap();
    let foreign = directory.path().join("list.csv");
    std::fs::write(&foreign, "name,snapshot\n").unwrap();
    for path in [directory.path(), foreign.as_path()] {
        let error = restore(&stage.client()).journal(path).await.unwrap_err();
        assert!(matches!(error.cause(), NotDone::Journal(_)), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
    assert!(stage.fake.requests().is_empty());
}

#[tokio::test]
async fn a_key_is_refused_if_its_journal_has_other_arguments() {
    let stage = Stage::of(2).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restores.jsonl");
    let datafy = stage.client();
    stage.fake.inject_none();
    let run = async |snapshot: &str, device: &str| {
        let (snapshot, device) =
            (DatafySnapshotId::new(snapshot).unwrap(), DeviceName::new(device).unwrap());
        let fleet = datafy.fleet([Row(0)]).journal(&path);
        let job = move |datafy: Datafy, _: Row, _| {
            datafy.restore(snapshot.clone()).attach_to(place().0, device.clone())
        };
        fleet.run(job).await.unwrap().next().await.unwrap().result
    };
    stage.fake.inject(Fault::status(403));
    run("dsnap-seed0", "/dev/sdb").await.unwrap_err();
    let volume = run("dsnap-seed0", "/dev/sdc").await.unwrap();
    for (snapshot, device, operation) in [
        ("dsnap-seed1", "/dev/sdc", "create_volume_from_snapshots"),
        ("dsnap-seed0", "/dev/sdb", "attach_volume"),
    ] {
        let error = run(snapshot, device).await.unwrap_err();
        let NotDone::Conflict { step } = &error else { panic!("{error}") };
        assert_eq!(step.operation, operation);
        let text = error.to_string();
        let begins = format!("not continued: {operation} of ");
        assert!(text.starts_with(&begins), "{text}");
        assert!(text.ends_with("; finish that, or use another key or journal"), "{text}");
        assert_eq!(serde_json::to_value(&error).unwrap()["state"], "conflict");
    }
    let fleet = datafy.fleet([Row(0), Row(1)]).journal(&path);
    let job = |datafy: Datafy, Row(row), _| {
        let snapshot = DatafySnapshotId::new("dsnap-seed1").unwrap();
        datafy.restore(snapshot).attach_to(place().0, DeviceName::new(format!("sd{row}")).unwrap())
    };
    let plan = planned(fleet.plan(job)).await;
    assert_eq!((plan.not_attempted, plan.to_do), (1, 1));
    assert_eq!(run("dsnap-seed0", "/dev/sdc").await.unwrap(), volume);
    assert_eq!(stage.fake.effects().len(), 2);
}

#[tokio::test]
async fn each_attach_of_a_wait_is_recorded() {
    let stage = Stage::of(1).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restore.jsonl");
    stage.fake.hold_back_new_volumes(2);
    restore(&stage.client()).attach_within(MINUTE).journal(&path).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let events: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(r#""attach_volume""#))
        .map(|line| if line.contains(r#""begin""#) { "begin" } else { "end" })
        .collect();
    assert_eq!(events, ["begin", "end", "begin", "end", "begin", "end"]);
}

#[tokio::test]
async fn an_attach_whose_journal_fails_ends_with_the_outcome_so_far() {
    for (status, outcome) in [(500, Outcome::Unknown), (404, Outcome::Refused)] {
        let stage = Stage::of(1).await;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("attach.jsonl");
        stage.fake.inject_with(move |_| Some(Fault::status(status)));
        let (datafy, file) = (stage.client(), path.clone());
        let checks = Arc::new(AtomicUsize::new(0));
        let job = move |datafy: Datafy, id: VolumeId, _| {
            let (file, checks) = (file.clone(), Arc::clone(&checks));
            let attach = datafy.volume(id).attach(place().0, place().1);
            attach.ready_when(MINUTE, move |_| {
                if checks.fetch_add(1, Ordering::Relaxed) == 1 {
                    std::fs::remove_file(&file).unwrap();
                }
                std::future::ready(Ok::<_, String>(()))
            })
        };
        let fleet = datafy.fleet([VolumeId::new("vol-seed0").unwrap()]).journal(&path);
        let finished = fleet.run(job).await.unwrap().next().await.unwrap();
        assert_eq!(finished.outcome(), outcome);
        let Err(error @ NotDone::Journal(_)) = finished.result else { panic!("{finished:?}") };
        assert!(format!("{error:#}").contains("was removed or renamed"), "{error:#}");
        assert_eq!(stage.fake.requests().len(), if status == 404 { 1 } else { 4 });
    }
}

#[tokio::test]
async fn a_restore_whose_journal_fails_while_it_waits_names_its_volume() {
    let stage = Stage::of(1).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("restore.jsonl");
    stage.fake.hold_back_new_volumes(5);
    let checks = AtomicUsize::new(0);
    let file = path.clone();
    let ready = move |_| {
        if checks.fetch_add(1, Ordering::Relaxed) == 1 {
            std::fs::remove_file(&file).unwrap();
        }
        std::future::ready(Ok::<_, String>(()))
    };
    let restore = restore(&stage.client()).ready_when(MINUTE, ready).journal(&path);
    let error = restore.await.unwrap_err();
    assert!(format!("{error:#}").contains("was removed or renamed"), "{error:#}");
    assert_eq!((error.outcome(), error.volume_id().is_some()), (Outcome::Refused, true));
    assert_eq!(stage.fake.requests().len(), 2, "one attach is sent");
}
