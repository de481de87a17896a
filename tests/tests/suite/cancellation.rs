//! Every effect is accounted for, wherever a call or a restore is cancelled: by a result, a report or a journal.

use crate::scene::{MINUTE, device, instance, snapshot, volume};
use datafy_api_ext::fake::{FakeVolume, Fault, verify};
use datafy_api_ext::jobs::{NotDone, Restore, Steps};
use datafy_api_ext::journal::JournalError;
use datafy_api_ext::{Abandoned, Datafy, Outcome, VolumeId};
use datafy_tests::{Stage, until};
use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, oneshot};

/// How a future is cancelled.
#[derive(Clone, Copy, Debug)]
enum Way {
    Drop,
    Select,
    Abort,
    Shutdown,
}

const WAYS: [Way; 4] = [Way::Drop, Way::Select, Way::Abort, Way::Shutdown];

/// Polls a future this many times. If it has not ended by then, says so, and waits to be cancelled.
async fn freeze<F: Future>(future: F, polls: usize, frozen: oneshot::Sender<()>) -> F::Output {
    let mut future = pin!(future);
    let mut left = polls;
    let ended = poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            left -= 1;
            if left == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    });
    match ended.await {
        Some(output) => output,
        None => {
            let _ = frozen.send(());
            pending().await
        }
    }
}

/// Runs a future, and cancels it after this many polls. Returns its result if it ended before.
async fn cancelled<F>(way: Way, polls: usize, future: F) -> Option<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (sender, frozen) = oneshot::channel();
    let frozen = async {
        if frozen.await.is_err() {
            pending::<()>().await;
        }
    };
    let future = freeze(future, polls, sender);
    match way {
        Way::Drop => {
            let mut future = Box::pin(future);
            let mut frozen = pin!(frozen);
            let result = poll_fn(|context| match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => frozen.as_mut().poll(context).map(|()| None),
            });
            let result = result.await;
            drop(future);
            result
        }
        Way::Select => tokio::select! {
            output = future => Some(output),
            () = frozen => None,
        },
        Way::Abort => {
            let mut task = tokio::spawn(future);
            tokio::select! {
                output = &mut task => Some(output.unwrap_or_else(|error| resume_unwind(error.into_panic()))),
                () = frozen => {
                    task.abort();
                    assert!(task.await.is_err_and(|error| error.is_cancelled()));
                    None
                }
            }
        }
        Way::Shutdown => {
            let runtime =
                Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let mut task = runtime.spawn(future);
            let result = tokio::select! {
                output = &mut task => Some(output.unwrap()),
                () = frozen => None,
            };
            shut_down(runtime).await;
            result
        }
    }
}

async fn shut_down(runtime: Runtime) {
    tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(10)))
        .await
        .unwrap();
}

/// A fake, a client whose reports are kept, and the faults of the next requests.
struct Scene {
    stage: Stage,
    datafy: Datafy,
    reports: Arc<Mutex<Vec<Abandoned>>>,
    faults: Arc<Mutex<VecDeque<Option<Fault>>>>,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::of(POINTS).await;
        let (builder, reports) = Stage::reports(stage.builder());
        let faults = Arc::<Mutex<VecDeque<Option<Fault>>>>::default();
        let next = Arc::clone(&faults);
        stage.fake.inject_with(move |_| next.lock().unwrap().pop_front().flatten());
        Self { datafy: builder.build().unwrap(), stage, reports, faults }
    }

    fn inject(&self, faults: &[Option<Fault>]) {
        *self.faults.lock().unwrap() = faults.iter().cloned().collect();
    }

    /// Waits until everything that was sent is processed, and returns the reports.
    async fn settle(&self) -> Vec<Abandoned> {
        self.inject(&[]);
        // Connections are accepted in the order in which they were opened.
        self.datafy.volume(volume(0)).deactivate_autoscaling().await.unwrap();
        until(|| self.stage.fake.connections() == 0).await;
        std::mem::take(&mut *self.reports.lock().unwrap())
    }

    /// The volumes that were created from the snapshot of this number.
    fn created(&self, number: usize) -> Vec<FakeVolume> {
        let source = Some(snapshot(number));
        let volumes = self.stage.fake.volumes().into_iter();
        volumes.filter(|volume| volume.source == source).collect()
    }
}

const POINTS: usize = 60;

/// Cancels a create at each of its await points, and accounts for its effects. Returns the number of reports.
async fn cancel_creates(way: Way, faults: &[Option<Fault>]) -> usize {
    let scene = Scene::new().await;
    let mut reported = 0;
    for point in 1..POINTS {
        scene.inject(faults);
        let call = scene.datafy.volume(volume(point)).create_snapshot().traceable();
        let result = cancelled(way, point, call.send()).await;
        let reports = scene.settle().await;
        let effects = &scene.stage.effects()[point];
        match (&result, &reports[..]) {
            (None, []) => assert_eq!(effects.len(), 0, "an effect is lost at {point}, {way:?}"),
            (None, [report]) => {
                assert_eq!(report.subject.volume, Some(volume(point)));
                assert_eq!(report.operation, "create_snapshot");
                assert_eq!(report.outcome, Outcome::Unknown);
                reported += 1;
                assert!(report.marker.is_some() && effects.len() <= 1);
            }
            (Some(result), []) => {
                verify(effects, result).unwrap();
                return reported;
            }
            other => panic!("{other:?} at {point}, {way:?}"),
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
    for way in WAYS {
        let mut reported = 0;
        for script in scripts {
            reported += cancel_creates(way, script).await;
        }
        assert!(reported > 0, "nothing is cancelled: {way:?}");
    }
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
        let stage = Stage::of(1).await;
        stage.fake.inject_with(move |_| Some(Fault::status(status)));
        let (builder, reports) = Stage::reports(stage.fake.client());
        let datafy = builder.build().unwrap();
        let (checks, waiting) = (AtomicUsize::new(0), Arc::new(Notify::new()));
        let waits = Arc::clone(&waiting);
        // The first attach is sent, and the second never.
        let probe = move |_| {
            let (first, waits) = (checks.fetch_add(1, Ordering::Relaxed) == 0, Arc::clone(&waits));
            async move {
                if !first {
                    waits.notify_one();
                    pending::<()>().await;
                }
                Ok::<_, String>(())
            }
        };
        let attach = datafy.volume(volume(0)).attach(instance(), device('b'));
        tokio::select! {
            result = attach.ready_when(MINUTE, probe).send() => panic!("{result:?}"),
            () = waiting.notified() => {}
        }
        let reports = reports.lock().unwrap();
        assert_eq!(reports.len(), expected, "{reports:?}");
        assert!(reports.iter().all(|it| it.operation == "attach_volume"), "{reports:?}");
    }
}

#[tokio::test]
async fn a_restore_with_a_journal_that_is_cancelled_at_any_point_can_be_resumed() {
    let scene = Scene::new().await;
    scene.stage.fake.hold_back_new_volumes(1);
    let directory = tempfile::tempdir().unwrap();
    let mut resumed = 0;
    for point in 1..POINTS {
        let path = directory.path().join(point.to_string());
        let first = restore(&scene.datafy, point).journal(path.clone());
        if cancelled(Way::Drop, point, first).await.is_some() {
            break;
        }
        scene.settle().await;
        let created = scene.created(point);
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
                let now = scene.created(point);
                assert_eq!((now.len(), &now[0].id), (1, &volume), "at {point}");
                assert!(now[0].instance.is_some());
            }
            Err(error) => match error.cause() {
                NotDone::Unknown { step, .. } => {
                    assert_eq!(step.subject.snapshot, Some(snapshot(point)));
                    assert_eq!(scene.created(point), created, "at {point}");
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

#[tokio::test]
async fn a_function_that_is_cancelled_at_any_point_reports_each_effect_once() {
    for way in WAYS {
        let scene = Scene::new().await;
        let mut most = 0;
        for point in 1..POINTS {
            let before = scene.stage.fake.effects().len();
            let fleet = scene.datafy.fleet([(point.to_string(), point)]);
            let run = async move {
                let job = |datafy, (_, number), steps| clone_volume(datafy, number, steps);
                let mut run = fleet.run(job).await.unwrap();
                run.next().await.unwrap().result.unwrap()
            };
            let ended = cancelled(way, point, run).await.is_some();
            let reports = scene.settle().await;
            let effects = &scene.stage.fake.effects()[before..];
            if ended {
                assert_eq!(reports, []);
                assert!(most >= 3, "it was cancelled after two steps at most: {most}, {way:?}");
                break;
            }
            // `settle` deactivates a volume.
            let effects: Vec<_> = effects.iter().filter_map(|it| it.operation).collect();
            let effects = &effects[..effects.len() - 1];
            for operation in effects {
                let named = reports.iter().filter(|it| it.operation == *operation).count();
                assert_eq!(named, 1, "{operation} at {point}, {way:?}: {reports:?}");
            }
            // One more may have been begun.
            assert!(reports.len() <= effects.len() + 1, "{reports:?}");
            most = most.max(effects.len());
        }
    }
}

/// Polls a future until `happened`, then `more` times, and drops it. Returns its result if it ended before.
async fn dropped_after<F: Future>(
    future: F,
    happened: impl Fn() -> bool,
    mut more: usize,
) -> Option<F::Output> {
    let mut future = Box::pin(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if !happened() => Poll::Pending,
        Poll::Pending if more == 0 => Poll::Ready(None),
        Poll::Pending => {
            more -= 1;
            Poll::Pending
        }
    })
    .await
}

#[tokio::test]
async fn an_effect_whose_result_can_not_be_recorded_is_reported_wherever_the_future_is_dropped() {
    // Whether the journal is lost during the create or during the attach.
    for lost_at in [1, 2] {
        let scene = Scene::new().await;
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
            let before = scene.stage.fake.effects().len();
            let happened = || scene.stage.fake.effects().len() == before + lost_at;
            let restore = restore(&scene.datafy, point).journal(path);
            let result = dropped_after(restore, happened, point % 3).await;
            scene.stage.fake.inject_with(|_| None);
            let reports = scene.settle().await;
            let [volume] = &scene.created(point)[..] else { panic!("at {point}") };
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
    let scene = Scene::new().await;
    let volume = scene.datafy.volume(volume(1));
    drop(volume.create_snapshot().send());
    volume.create_snapshot().await.unwrap();
    scene.inject(&[Some(Fault::status(403))]);
    volume.create_snapshot().await.unwrap_err();
    scene.inject(&[Some(Fault::ApplyThenReset)]);
    volume.create_snapshot().await.unwrap_err();
    scene.inject(&[None, Some(Fault::status(403))]);
    restore(&scene.datafy, 1).await.unwrap_err();
    assert_eq!(scene.settle().await, []);
}

#[tokio::test]
async fn a_detached_call_runs_to_its_end_without_the_caller() {
    let scene = Scene::new().await;
    let call = || scene.datafy.volume(volume(1)).create_snapshot().traceable().detached();
    let snapshot = call().await.unwrap();
    assert_eq!(scene.settle().await, []);

    // The caller goes away during the call, and before it takes the result.
    for polls in [0, 1] {
        let before = scene.stage.fake.effects().len();
        let mut call = call();
        if polls == 1 {
            poll_fn(|context| {
                assert!(Pin::new(&mut call).poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
        } else {
            until(|| scene.stage.fake.effects().len() > before).await;
            until(|| scene.stage.fake.connections() == 0).await;
        }
        drop(call);
        until(|| !scene.reports.lock().unwrap().is_empty()).await;
        let [report] = &scene.settle().await[..] else { panic!() };
        let created = scene.stage.fake.snapshots().pop().unwrap().id;
        assert_eq!(report.created_id.as_deref(), Some(created.as_str()));
        assert_eq!((report.outcome, report.marker.is_some()), (Outcome::Applied, true));
        assert_ne!(snapshot.id, created);
    }

    // A call without an effect needs no report.
    scene.inject(&[Some(Fault::status(403))]);
    drop(call());
    until(|| scene.faults.lock().unwrap().is_empty()).await;
    assert_eq!(scene.settle().await, []);
}

#[tokio::test]
async fn draining_waits_for_detached_calls_and_returns_those_that_are_left() {
    let scene = Scene::new().await;
    assert_eq!(scene.datafy.drain(Duration::ZERO).await, []);
    scene.inject(&[Some(Fault::Delay(Duration::from_millis(20))), Some(Fault::ApplyThenHang)]);
    let ends = scene.datafy.volume(volume(1)).create_snapshot().detached();
    until(|| scene.faults.lock().unwrap().len() == 1).await;
    assert_eq!(scene.datafy.drain(MINUTE).await, []);
    let hangs = scene.datafy.volume(volume(2)).create_snapshot().detached();
    until(|| scene.stage.fake.effects().len() == 2).await;
    let [left] = &scene.datafy.drain(Duration::from_millis(5)).await[..] else { panic!() };
    assert_eq!((&left.subject.volume, left.outcome), (&Some(volume(2)), Outcome::Unknown));
    ends.await.unwrap();
    drop(hangs);
}

#[tokio::test]
async fn the_result_of_a_detached_call_is_unknown_if_its_runtime_is_shut_down() {
    let scene = Scene::new().await;
    scene.inject(&[Some(Fault::ApplyThenHang)]);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let call = scene.datafy.volume(volume(1)).create_snapshot().traceable();
    let entered = runtime.enter();
    let call = call.detached();
    drop(entered);
    until(|| scene.stage.fake.effects().len() == 1).await;
    shut_down(runtime).await;
    let error = call.await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let [report] = &scene.settle().await[..] else { panic!() };
    assert_eq!((error.marker(), error.marker().is_some()), (report.marker.as_deref(), true));
}

#[tokio::test]
async fn the_report_of_an_abandoned_call_says_what_to_look_for() {
    let scene = Scene::new().await;
    scene.inject(&[Some(Fault::ApplyThenHang)]);
    let call = scene.datafy.volume(volume(1)).create_snapshot().traceable();
    tokio::select! {
        result = call.send() => panic!("{result:?}"),
        () = until(|| scene.stage.fake.effects().len() == 1) => {}
    }
    let [report] = &std::mem::take(&mut *scene.reports.lock().unwrap())[..] else { panic!() };
    let text = report.to_string();
    let begins = "create_snapshot may have been applied, and its result was dropped: volume \
                  vol-seed1; started at 20";
    assert!(text.starts_with(begins), "{text}");
    assert!(text.ends_with(&format!("; look for {}", report.marker.as_deref().unwrap())), "{text}");
    let description = scene.stage.fake.snapshots().pop().unwrap().description.unwrap();
    assert!(text.contains(&description), "{text}");
}
