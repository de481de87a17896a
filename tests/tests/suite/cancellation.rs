//! Every effect is accounted for, wherever a call or a restore is cancelled: by a result, a report or a journal.

use crate::scene::{LOST, MINUTE, Scene, device, instance, snapshot, status, volume};
use datafy_api_ext::fake::{FakeVolume, Fault, verify};
use datafy_api_ext::jobs::{NotDone, Restore, Steps};
use datafy_api_ext::journal::JournalError;
use datafy_api_ext::{Abandoned, Datafy, Outcome, RetryPolicy, VolumeId};
use datafy_tests::until;
use std::future::{pending, poll_fn};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Builder;

/// Polls a future, and drops it once `stop` holds after a poll. Returns its result if it ended before.
async fn dropped_when<F: Future>(future: F, mut stop: impl FnMut() -> bool) -> Option<F::Output> {
    let mut future = Box::pin(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if stop() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Polls a future, and drops it after this many polls. Returns its result if it ended before.
async fn dropped_after<F: Future>(mut polls: usize, future: F) -> Option<F::Output> {
    dropped_when(future, || {
        polls -= 1;
        polls == 0
    })
    .await
}

/// Waits until everything that was sent is processed, and returns the reports.
async fn settled(scene: &Scene) -> Vec<Abandoned> {
    scene.inject_all(None);
    // Connections are accepted in the order in which they were opened.
    scene.datafy.volume(volume(0)).deactivate_autoscaling().await.unwrap();
    until(|| scene.stage.fake.connections() == 0).await;
    std::mem::take(&mut *scene.reports.lock().unwrap())
}

/// The volumes that were created from the snapshot of this number.
fn created_from(scene: &Scene, number: usize) -> Vec<FakeVolume> {
    let source = Some(snapshot(number));
    let volumes = scene.stage.fake.volumes().into_iter();
    volumes.filter(|volume| volume.source == source).collect()
}

const POINTS: usize = 60;

/// Cancels a create at each of its await points, and accounts for its effects. Returns the number of reports.
async fn cancel_creates(faults: &[Option<Fault>]) -> usize {
    let scene = Scene::of(POINTS).await;
    let mut reported = 0;
    for point in 1..POINTS {
        scene.inject_once(faults);
        let call = scene.datafy.volume(volume(point)).create_snapshot().traceable();
        let result = dropped_after(point, call.send()).await;
        let reports = settled(&scene).await;
        let effects = &scene.stage.effects()[point];
        match (&result, &reports[..]) {
            (None, []) => assert_eq!(effects.len(), 0, "an effect is lost at {point}"),
            (None, [report]) => {
                assert_eq!(report.subject.volume, Some(volume(point)));
                assert_eq!(report.operation, "create_snapshot");
                assert_eq!(report.outcome, Outcome::Unknown);
                reported += 1;
                let marker = report.marker.as_deref().unwrap();
                assert!(report.to_string().contains(marker) && effects.len() <= 1, "{report}");
            }
            (Some(result), []) => {
                verify(effects, result).unwrap();
                return reported;
            }
            other => panic!("{other:?} at {point}"),
        }
    }
    panic!("the call never ends");
}

#[tokio::test]
async fn a_create_that_is_cancelled_at_any_point_is_reported_if_it_has_an_effect() {
    let scripts: [&[Option<Fault>]; 4] = [
        &[],
        &[Some(Fault::retry_after(429, "1")), Some(Fault::status(429))],
        &[Some(Fault::Delay(Duration::from_millis(1)))],
        &[Some(Fault::ApplyThenCutBody)],
    ];
    let mut reported = 0;
    for script in scripts {
        reported += cancel_creates(script).await;
    }
    assert!(reported > 0, "nothing is cancelled");
}

fn restore(datafy: &Datafy, number: usize) -> Restore {
    let restore = datafy.restore(snapshot(number), instance(), device(number));
    restore.attach_within(MINUTE)
}

/// Whether a report accounts for the volume, or for a volume from its snapshot that may exist.
fn names(report: &Abandoned, volume: &FakeVolume) -> bool {
    report.operation == "create_volume_from_snapshots"
        && report.subject.snapshot == volume.source
        && (report.outcome == Outcome::Unknown
            || report.created_id.as_deref() == Some(volume.id.as_str()))
}

/// Whether a report accounts for the attachment of the volume.
fn names_attachment(report: &Abandoned, volume: &FakeVolume) -> bool {
    report.operation == "attach_volume" && report.subject.volume.as_ref() == Some(&volume.id)
}

#[tokio::test]
async fn an_unknown_attach_is_reported_if_the_wait_for_the_next_one_is_cancelled() {
    for (status, expected) in [(500, 1), (404, 0)] {
        let scene = Scene::of(1).await;
        scene.inject_all(Some(Fault::status(status)));
        let checks = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&checks);
        // The first attach is sent, and the second never.
        let probe = move |_| {
            let is_first = counter.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                if !is_first {
                    pending::<()>().await;
                }
                Ok::<_, String>(())
            }
        };
        let attach = scene.datafy.volume(volume(0)).attach(instance(), device('b'));
        let attach = attach.ready_when(MINUTE, probe).send();
        let result = dropped_when(attach, || checks.load(Ordering::Relaxed) == 2).await;
        let reports = scene.reports.lock().unwrap();
        assert!(result.is_none() && reports.len() == expected, "{reports:?}");
        assert!(reports.iter().all(|it| it.operation == "attach_volume"), "{reports:?}");
    }
}

#[tokio::test]
async fn a_restore_with_a_journal_that_is_cancelled_at_any_point_can_be_resumed() {
    let scene = Scene::of(POINTS).await;
    scene.stage.fake.hold_back_new_volumes(1);
    let directory = tempfile::tempdir().unwrap();
    let mut resumed = 0;
    for point in 1..POINTS {
        let path = directory.path().join(point.to_string());
        let first = restore(&scene.datafy, point).journal(path.clone());
        if dropped_after(point, first).await.is_some() {
            break;
        }
        settled(&scene).await;
        let created = created_from(&scene, point);
        let mut result = restore(&scene.datafy, point).journal(&path).await;
        while let Err(error) = &result
            && matches!(error.cause(), NotDone::Journal(JournalError::InUse { .. }))
        {
            // The file is still being opened, in another thread.
            tokio::task::yield_now().await;
            result = restore(&scene.datafy, point).journal(&path).await;
        }
        match result {
            Ok(volume) => {
                resumed += 1;
                let now = created_from(&scene, point);
                assert_eq!((now.len(), &now[0].id), (1, &volume), "at {point}");
                assert!(now[0].instance.is_some());
            }
            Err(error) => match error.cause() {
                NotDone::Unknown { step, .. } => {
                    assert_eq!(step.subject.snapshot, Some(snapshot(point)));
                    assert_eq!(created_from(&scene, point), created, "at {point}");
                }
                // An answer to the attach may have been lost, so a refusal proves nothing.
                NotDone::Failed(_) => {
                    let found = (created.len(), error.outcome());
                    assert_eq!(found, (1, Outcome::Unknown), "at {point}");
                }
                other => panic!("{other}"),
            },
        }
    }
    assert!(resumed > 2, "{resumed}");
}

/// A function of three steps.
async fn clone_volume(
    datafy: Datafy,
    number: usize,
    steps: Steps,
) -> Result<VolumeId, datafy_api_ext::Error> {
    let created = steps.run(datafy.volume(volume(number)).create_snapshot()).await?;
    let created = steps.run(datafy.create_volume(created.id)).await?;
    let attach = datafy.volume(created.id.clone()).attach(instance(), device(number));
    steps.run(attach.within(MINUTE)).await?;
    Ok(created.id)
}

/// Checks that each effect since `before` has one report. Returns their number.
fn reported_once(scene: &Scene, before: usize, reports: &[Abandoned]) -> usize {
    let effects = &scene.stage.fake.effects()[before..];
    let effects: Vec<_> = effects.iter().filter_map(|it| it.operation).collect();
    // `settled` deactivates a volume.
    let effects = &effects[..effects.len() - 1];
    for operation in effects {
        let named = reports.iter().filter(|it| it.operation == *operation).count();
        assert_eq!(named, 1, "{operation}: {reports:?}");
    }
    // One more may have been begun.
    assert!(reports.len() <= effects.len() + 1, "{reports:?}");
    effects.len()
}

/// Clones the volume of this number in a fleet of one item, with a journal if there is a path.
async fn clone_in_fleet(datafy: Datafy, number: usize, journal: Option<PathBuf>) -> VolumeId {
    let mut fleet = datafy.fleet([(number.to_string(), number)]);
    if let Some(path) = journal {
        fleet = fleet.journal(path);
    }
    let job = |datafy, (_, number), steps| clone_volume(datafy, number, steps);
    let mut run = fleet.run(job).await.unwrap();
    run.next().await.unwrap().result.unwrap()
}

#[tokio::test]
async fn a_function_that_is_cancelled_at_any_point_reports_each_effect_once() {
    for has_journal in [false, true] {
        let scene = Scene::of(POINTS).await;
        let mut most = 0;
        for point in 1..POINTS {
            let before = scene.effects();
            let journal = has_journal.then(|| scene.file(&point.to_string()));
            let run = clone_in_fleet(scene.datafy.clone(), point, journal);
            let ended = dropped_after(point, run).await.is_some();
            let reports = settled(&scene).await;
            if ended {
                assert_eq!(reports, []);
                break;
            }
            most = most.max(reported_once(&scene, before, &reports));
        }
        // With a journal, the job has often ended by the poll after its last effect.
        assert!(
            most >= if has_journal { 2 } else { 3 },
            "it was cancelled after {most} steps at most"
        );
    }
}

#[tokio::test]
async fn a_task_that_is_aborted_or_whose_runtime_is_shut_down_reports_each_effect_once() {
    for is_abort in [true, false] {
        let scene = Scene::of(2).await;
        scene.inject([None, Some(Fault::ApplyThenHang)]);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let run = clone_in_fleet(scene.datafy.clone(), 1, Some(scene.path()));
        let task = runtime.spawn(run);
        until(|| scene.effects() == 2).await;
        if is_abort {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
        let end = move || runtime.shutdown_timeout(Duration::from_secs(10));
        tokio::task::spawn_blocking(end).await.unwrap();
        let reports = settled(&scene).await;
        assert_eq!(reported_once(&scene, 0, &reports), 2);
        let applied = reports.iter().filter(|report| report.outcome == Outcome::Applied).count();
        assert_eq!((applied, reports.len()), (1, 2), "{reports:?}");
    }
}

#[tokio::test]
async fn an_effect_whose_result_can_not_be_recorded_is_reported_wherever_the_future_is_dropped() {
    // Whether the journal is lost during the create or during the attach.
    for lost_at in [1, 2] {
        let scene = Scene::of(POINTS).await;
        let directory = tempfile::tempdir().unwrap();
        let (mut ended, mut reported) = (0, 0);
        // The journal often fails before the next poll, so each point is tried many times.
        for point in 1..POINTS {
            let path = directory.path().join(point.to_string());
            let file = path.clone();
            let mut requests = 0;
            scene.stage.fake.inject_with(move |_| {
                requests += 1;
                if requests == lost_at {
                    std::fs::remove_file(&file).unwrap();
                }
                None
            });
            let before = scene.effects();
            let mut more = point % 3 + 1;
            let stop = || {
                more -= usize::from(scene.effects() == before + lost_at);
                more == 0
            };
            let restore = restore(&scene.datafy, point).journal(path);
            let result = dropped_when(restore, stop).await;
            let reports = settled(&scene).await;
            let [volume] = &created_from(&scene, point)[..] else { panic!("at {point}") };
            ended += usize::from(result.is_some());
            match result {
                None => {
                    let accounted = reports.iter().any(|report| names(report, volume));
                    assert!(accounted, "{volume:?} is lost at {point}: {reports:?}");
                    let accounted = reports.iter().any(|it| names_attachment(it, volume));
                    assert!(volume.instance.is_none() || accounted, "at {point}: {reports:?}");
                    reported += 1;
                }
                Some(Ok(id)) => assert_eq!((lost_at, id), (2, volume.id.clone())),
                Some(Err(error)) => {
                    assert!(matches!(error.cause(), NotDone::Journal(_)), "{error:?}");
                    assert_eq!((lost_at, error.volume_id()), (1, Some(&volume.id)));
                }
            }
        }
        assert!(ended > 0 && reported > 0, "{ended} ended, {reported} reported");
    }
}

#[tokio::test]
async fn a_call_that_ends_or_sends_nothing_is_not_reported() {
    let scene = Scene::of(2).await;
    let volume = scene.datafy.volume(volume(1));
    drop(volume.create_snapshot().send());
    volume.create_snapshot().await.unwrap();
    for fault in [status(403), LOST] {
        scene.inject([fault]);
        volume.create_snapshot().await.unwrap_err();
    }
    scene.inject([None, status(403)]);
    restore(&scene.datafy, 1).await.unwrap_err();
    // The effect of a call of a step is that of the step, which goes on.
    scene.inject([Some(Fault::ReadThenReset)]);
    let attach = volume.attach(instance(), device(1)).retry(RetryPolicy::none());
    attach.within(MINUTE).await.unwrap();
    assert_eq!(settled(&scene).await, []);
}

#[tokio::test]
async fn an_attach_whose_second_call_is_cancelled_is_reported_once() {
    let scene = Scene::of(2).await;
    scene.inject([Some(Fault::ReadThenReset), Some(Fault::ReadThenHang)]);
    let attach = scene.datafy.volume(volume(1)).attach(instance(), device(1));
    tokio::select! {
        result = attach.retry(RetryPolicy::none()).within(MINUTE).send() => panic!("{result:?}"),
        () = until(|| scene.requests() == 2) => {}
    }
    let [report] = &settled(&scene).await[..] else { panic!() };
    assert_eq!((report.operation, report.outcome), ("attach_volume", Outcome::Unknown));
}

#[tokio::test]
async fn a_detached_call_runs_to_its_end_without_the_caller() {
    let scene = Scene::of(2).await;
    let call = || scene.datafy.volume(volume(1)).create_snapshot().traceable().detached();
    let snapshot = call().await.unwrap();
    assert_eq!(settled(&scene).await, []);

    // The caller goes away during the call, and before it takes the result.
    for polls in [0, 1] {
        let before = scene.effects();
        let mut call = call();
        if polls == 1 {
            assert!(dropped_when(&mut call, || true).await.is_none());
        } else {
            until(|| scene.effects() > before).await;
            until(|| scene.stage.fake.connections() == 0).await;
        }
        drop(call);
        until(|| !scene.reports.lock().unwrap().is_empty()).await;
        let [report] = &settled(&scene).await[..] else { panic!() };
        let created = scene.stage.fake.snapshots().pop().unwrap().id;
        assert_eq!(report.created_id.as_deref(), Some(created.as_str()));
        assert_eq!((report.outcome, report.marker.is_some()), (Outcome::Applied, true));
        assert_ne!(snapshot.id, created);
    }

    // A call without an effect needs no report.
    scene.inject([status(403)]);
    let before = scene.requests();
    drop(call());
    until(|| scene.requests() > before).await;
    assert_eq!(settled(&scene).await, []);
}

#[tokio::test]
async fn draining_waits_for_detached_calls_and_returns_those_that_are_left() {
    let scene = Scene::of(3).await;
    assert_eq!(scene.datafy.drain(Duration::ZERO).await, []);
    scene.inject([Some(Fault::Delay(Duration::from_millis(20))), Some(Fault::ApplyThenHang)]);
    let ends = scene.datafy.volume(volume(1)).create_snapshot().detached();
    until(|| scene.requests() == 1).await;
    assert_eq!(scene.datafy.drain(MINUTE).await, []);
    let hangs = scene.datafy.volume(volume(2)).create_snapshot().detached();
    until(|| scene.effects() == 2).await;
    let [left] = &scene.datafy.drain(Duration::from_millis(5)).await[..] else { panic!() };
    assert_eq!((&left.subject.volume, left.outcome), (&Some(volume(2)), Outcome::Unknown));
    ends.await.unwrap();
    drop(hangs);
}

#[tokio::test]
async fn the_result_of_a_detached_call_is_unknown_if_its_runtime_is_shut_down() {
    let scene = Scene::of(2).await;
    scene.inject([Some(Fault::ApplyThenHang)]);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let entered = runtime.enter();
    let call = scene.datafy.volume(volume(1)).create_snapshot().traceable().detached();
    drop(entered);
    until(|| scene.effects() == 1).await;
    let end = move || runtime.shutdown_timeout(Duration::from_secs(10));
    tokio::task::spawn_blocking(end).await.unwrap();
    let error = call.await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let [report] = &settled(&scene).await[..] else { panic!() };
    assert_eq!((error.marker(), error.marker().is_some()), (report.marker.as_deref(), true));
}
