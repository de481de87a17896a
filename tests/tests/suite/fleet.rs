//! A fleet loses no effect, duplicates none, and can be stopped and resumed.

use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::jobs::{Finished, FleetError, NotDone, Progress, Run};
use datafy_api_ext::{Clock, Datafy, Outcome, Snapshot, Token, VolumeId};
use datafy_tests::{Stage, until};
use futures_util::stream;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

pub(crate) fn ids(size: usize) -> impl Iterator<Item = VolumeId> + Send + 'static {
    (0..size).map(|number| VolumeId::new(format!("vol-seed{number}")).unwrap())
}

pub(crate) type Result = Finished<VolumeId, Snapshot>;
pub(crate) type Results = BTreeMap<VolumeId, Result>;

/// Runs a fleet that creates snapshots of these volumes, with a journal if a path is given.
pub(crate) async fn snapshots(
    datafy: &Datafy,
    ids: impl Iterator<Item = VolumeId> + Send + 'static,
    journal: Option<&Path>,
) -> std::result::Result<Results, FleetError> {
    let mut fleet = datafy.fleet(ids);
    if let Some(journal) = journal {
        fleet = fleet.journal(journal);
    }
    let mut run =
        fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot().traceable()).await?;
    let mut results = Results::new();
    while let Some(finished) = run.next().await {
        let id = finished.item.clone();
        assert!(results.insert(id, finished).is_none(), "each volume has one result");
    }
    Ok(results)
}

/// The progress of a plan.
pub(crate) async fn planned<T, D, E>(
    plan: impl Future<Output = std::result::Result<Run<T, D, E>, FleetError>>,
) -> Progress {
    let mut plan = plan.await.unwrap();
    while plan.next().await.is_some() {}
    plan.monitor().progress()
}

pub(crate) fn count(results: &Results, matches: fn(&Result) -> bool) -> usize {
    results.values().filter(|result| matches(result)).count()
}

/// Done by this run.
pub(crate) fn done(it: &Result) -> bool {
    it.result.is_ok() && !it.before
}

pub(crate) fn unknown_before(it: &Result) -> bool {
    matches!(it.result, Err(NotDone::Unknown { .. }))
}

pub(crate) fn unknown_now(it: &Result) -> bool {
    matches!(&it.result, Err(NotDone::Failed(error)) if error.outcome() == Outcome::Unknown)
}

#[tokio::test]
async fn each_volume_has_one_result_and_one_effect() {
    let stage = Stage::of(200).await;
    let results = snapshots(&stage.client(), ids(200), None).await.unwrap();
    assert_eq!((results.len(), count(&results, done)), (200, 200));
    assert!(stage.effects().iter().all(|effects| effects.len() == 1));
}

#[tokio::test]
async fn calls_in_flight_are_capped_at_the_concurrency() {
    let stage = Stage::of(40).await;
    stage.fake.inject_with(|_| Some(Fault::Delay(Duration::from_millis(2))));
    let datafy = stage.client();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let endless = (0..).map(move |number| {
        counter.fetch_add(1, Ordering::SeqCst);
        VolumeId::new(format!("vol-seed{}", number % 40)).unwrap()
    });
    let fleet = datafy.fleet_of_stream(stream::iter(endless)).concurrency(5);
    let mut run =
        fleet.run(|datafy, id, _| datafy.volume(id).deactivate_autoscaling()).await.unwrap();
    for results in 1..=100 {
        run.next().await.unwrap().result.unwrap();
        assert!(run.monitor().progress().in_flight <= 5);
        assert!(
            taken.load(Ordering::SeqCst) <= results + 5,
            "an endless input is read only as needed"
        );
    }
    assert!(stage.fake.connections() <= 5);
}

#[tokio::test]
async fn the_rate_is_kept() {
    let stage = Stage::of(20).await;
    let fleet = stage.client().fleet(ids(20)).rate(4);
    let mut run =
        fleet.run(|datafy, id, _| datafy.volume(id).deactivate_autoscaling()).await.unwrap();
    while run.next().await.is_some() {}
    let paused: Duration = stage.pauses.pauses().iter().sum();
    // Nineteen intervals of 250 ms, less the time that passed between the calls.
    assert!(paused <= Duration::from_millis(19 * 250), "{paused:?}");
    assert!(paused >= Duration::from_millis(18 * 250), "{paused:?}");
}

#[tokio::test]
async fn a_pause_that_one_call_skips_does_not_shorten_the_others() {
    let stage = Stage::of(40).await;
    let mut requests = 0;
    stage.fake.inject_with(move |_| {
        requests += 1;
        (requests <= 40).then(|| Fault::retry_after(429, "20"))
    });
    let results = snapshots(&stage.client(), ids(40), None).await.unwrap();
    assert_eq!(count(&results, done), 40);
    assert!(stage.pauses.pauses().iter().sum::<Duration>() >= Duration::from_secs(800));
}

#[tokio::test]
async fn a_stopped_run_finishes_the_calls_in_flight_and_reports_the_rest() {
    let stage = Stage::of(50).await;
    stage.fake.inject_with(|_| Some(Fault::Delay(Duration::from_millis(5))));
    let fleet = stage.client().fleet(ids(50)).concurrency(4);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    let monitor = run.monitor();
    let mut done = 0;
    while let Some(finished) = run.next().await {
        finished.result.unwrap();
        done += 1;
        monitor.stop();
    }
    let stopped = run.stopped().unwrap();
    assert_eq!((stopped.as_str(), done + run.not_attempted().len()), ("requested", 50));
    assert_eq!(stopped.to_string(), "the run stopped: the program asked for it");
    assert!((1..=5).contains(&done), "{done} were done");
    assert_eq!(stage.fake.effects().len(), done);
    let progress = monitor.progress();
    assert_eq!(
        (progress.done, progress.not_attempted, progress.in_flight),
        (done as u64, 50 - done as u64, 0)
    );
}

#[tokio::test]
async fn a_refused_token_ends_the_run() {
    let stage = Stage::of(1_000).await;
    stage.fake.rotate_token(Fake::TOKEN, "another-token");
    let results = snapshots(&stage.client(), ids(1_000), None).await.unwrap();
    assert!(results.values().all(|it| matches!(it.result, Err(NotDone::Failed(_)))));
    assert!(
        stage.fake.requests().len() <= 16,
        "{} requests with the refused token",
        stage.fake.requests().len()
    );
}

#[tokio::test]
async fn requests_with_a_refused_token_are_capped_at_max_in_flight() {
    let stage = Stage::of(100).await;
    stage.fake.rotate_token(Fake::TOKEN, "another-token");
    let datafy = stage.fake.client().max_in_flight(4).build().unwrap();
    let fleet = datafy.fleet(ids(100)).concurrency(100);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    while run.next().await.is_some() {}
    assert!(
        stage.fake.requests().len() <= 4,
        "{} requests with the refused token",
        stage.fake.requests().len()
    );
}

#[tokio::test]
async fn a_renewal_that_failed_once_does_not_end_the_run() {
    let stage = Stage::of(10).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let token = Token::provider(move || {
        let answer = match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(Fake::TOKEN),
            1 => Err("the vault is being restarted"),
            _ => Ok("another-token"),
        };
        std::future::ready(answer)
    });
    let datafy = stage.fake.client().token(token).build().unwrap();
    let fleet = datafy.fleet(ids(10)).concurrency(1);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    run.next().await.unwrap().result.unwrap();
    stage.fake.rotate_token(Fake::TOKEN, "another-token");
    let monitor = run.monitor();
    while run.next().await.is_some() {}
    let progress = monitor.progress();
    assert_eq!((progress.done, progress.failed, progress.not_attempted), (9, 1, 0));
}

/// A clock whose pauses end when the semaphore has permits.
#[derive(Clone, Debug)]
struct Gate {
    paused: Arc<AtomicUsize>,
    open: Arc<Semaphore>,
}

impl Clock for Gate {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.paused.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { self.open.acquire().await.unwrap().forget() })
    }
}

#[tokio::test]
async fn volumes_that_wait_for_the_rate_are_in_flight_and_a_stop_ends_their_wait() {
    let stage = Stage::of(5).await;
    let gate = Gate { paused: Arc::default(), open: Arc::new(Semaphore::new(0)) };
    let datafy = stage.fake.client().clock(gate.clone()).build().unwrap();
    let fleet = datafy.fleet(ids(5)).rate(1);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    run.next().await.unwrap().result.unwrap();
    let monitor = run.monitor();
    assert_eq!(monitor.in_flight(), ids(5).skip(1).map(String::from).collect::<Vec<_>>());

    monitor.stop();
    gate.open.add_permits(5);
    assert!(run.next().await.is_none());
    assert_eq!(gate.paused.load(Ordering::Relaxed), 1, "the other volumes don't wait");
    let progress = monitor.progress();
    assert_eq!((progress.done, progress.not_attempted, progress.in_flight), (1, 4, 0));
    assert_eq!(stage.fake.effects().len(), 1);
}

#[tokio::test]
async fn a_stopped_run_yields_to_other_tasks() {
    let stage = Stage::of(1).await;
    let fleet = stage.client().fleet(ids(10_000));
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    run.monitor().stop();
    let others = tokio::spawn(async {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    });
    while run.next().await.is_some() {}
    assert!(others.is_finished());
}

#[tokio::test]
async fn the_monitor_lists_the_calls_in_flight_after_the_run_is_dropped() {
    let stage = Stage::of(10).await;
    stage.fake.inject_with(|_| Some(Fault::ApplyThenHang));
    let fleet = stage.client().fleet(ids(10)).concurrency(3);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    let monitor = run.monitor();
    tokio::select! {
        result = run.next() => panic!("{result:?}"),
        () = until(|| stage.fake.requests().len() == 3) => {}
    }
    drop(run);
    assert_eq!(monitor.in_flight(), ids(3).map(String::from).collect::<Vec<_>>());
    assert_eq!(monitor.progress().in_flight, 3);
}

#[tokio::test]
async fn a_list_with_the_same_item_twice_is_reported_before_anything_is_sent() {
    let stage = Stage::of(3).await;
    let datafy = stage.client();
    let error = snapshots(&datafy, ids(3).chain(ids(1)), None).await.unwrap_err();
    let text = "two items have the key \"vol-seed0\", so nothing was sent; remove one of them";
    assert_eq!(error.to_string(), text);
    assert!(stage.fake.requests().is_empty());
}

#[tokio::test]
async fn a_stream_can_refuse_an_item_that_comes_twice() {
    let stage = Stage::of(3).await;
    let datafy = stage.client();
    for (refuse, snapshots) in [(false, 5), (true, 3)] {
        let before = stage.fake.effects().len();
        let mut fleet = datafy.fleet_of_stream(stream::iter(ids(3).chain(ids(2))));
        if refuse {
            fleet = fleet.refuse_duplicates();
        }
        let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
        let monitor = run.monitor();
        while let Some(finished) = run.next().await {
            assert!(matches!(finished.result, Ok(_) | Err(NotDone::Duplicate)), "{finished:?}");
        }
        assert_eq!(stage.fake.effects().len() - before, snapshots);
        assert_eq!(monitor.progress().not_attempted, 5 - snapshots as u64);
    }
}

#[tokio::test]
async fn progress_counts_what_earlier_runs_did() {
    let stage = Stage::of(5).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.jsonl");
    let datafy = stage.client();
    stage.fake.inject(Fault::ApplyThenReset);
    snapshots(&datafy, ids(3), Some(&path)).await.unwrap();
    let fleet = datafy.fleet(ids(5)).journal(&path);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    let monitor = run.monitor();
    while run.next().await.is_some() {}
    let progress = monitor.progress();
    let before = (progress.done_before, progress.unknown, progress.not_attempted);
    assert_eq!((progress.done, before), (2, (2, 1, 0)));
}

#[tokio::test]
async fn the_exit_code_of_a_run_is_that_of_its_worst_item() {
    for (faults, expected) in [
        (vec![], 0),
        (vec![Fault::status(403)], 2),
        (vec![Fault::status(403), Fault::ApplyThenReset], 3),
    ] {
        let stage = Stage::of(3).await;
        for fault in faults {
            stage.fake.inject(fault);
        }
        let fleet = stage.client().fleet(ids(3));
        let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
        let monitor = run.monitor();
        assert!(run.next().await.is_some());
        let stopped = monitor.progress();
        assert!(stopped.in_flight == 0 || stopped.exit_code() == 3);
        while run.next().await.is_some() {}
        assert_eq!(monitor.progress().exit_code(), expected);
    }
}

#[tokio::test]
async fn a_setting_out_of_range_is_named() {
    let stage = Stage::of(1).await;
    let datafy = stage.client();
    let result = datafy
        .fleet(ids(1))
        .concurrency(0)
        .run(|datafy, id, _| datafy.volume(id).create_snapshot())
        .await;
    assert!(result.unwrap_err().to_string().starts_with("the setting `concurrency` is 0"));
    let result =
        datafy.fleet(ids(1)).rate(0).run(|datafy, id, _| datafy.volume(id).create_snapshot()).await;
    assert!(result.unwrap_err().to_string().starts_with("the setting `rate` is 0"));
}

#[test]
fn the_ids_of_the_tests_are_unique() {
    assert_eq!(ids(100).collect::<BTreeSet<_>>().len(), 100);
}

#[tokio::test]
async fn a_journal_that_is_too_old_is_refused() {
    let stage = Stage::of(1).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nightly.jsonl");
    let run = async |limit: Duration| {
        let fleet = stage.client().fleet(ids(1)).journal(&path).max_journal_age(limit);
        fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.map(drop)
    };
    run(Duration::ZERO).await.unwrap();
    run(Duration::from_secs(60)).await.unwrap();
    let error = run(Duration::ZERO).await.unwrap_err().to_string();
    assert!(error.contains(" was begun at 20") && error.contains("use a new one"), "{error}");
}
