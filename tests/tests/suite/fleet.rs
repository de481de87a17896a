//! A fleet loses no effect, duplicates none, and can be stopped and resumed.

use crate::scene::{Scene, Skipping, all, ended, ids, snapshot_of, status};
use cpu_time::ThreadTime;
use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::jobs::NotDone;
use datafy_api_ext::{Clock, Outcome, Token, VolumeId};
use datafy_tests::{Stage, until};
use futures_util::stream;
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

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
        let taken = taken.load(Ordering::SeqCst);
        assert!(taken <= results + 5, "an endless input is read only as needed");
    }
    assert!(stage.fake.connections() <= 5);
}

#[tokio::test]
async fn the_rate_is_kept_if_timers_are_late_and_after_a_lull() {
    let clock = Skipping::new(Duration::from_millis(2));
    let stage = Stage::of(202).await;
    let datafy = stage.fake.client().clock(clock.clone()).build().unwrap();
    let fleet = datafy.fleet(ids(202)).rate(200).concurrency(1);
    let mut run = fleet.run(snapshot_of).await.unwrap();
    for lull in [Duration::ZERO, Duration::from_secs(5)] {
        clock.skip(lull);
        let started = clock.skipped();
        for _ in 0..101 {
            run.next().await.unwrap();
        }
        let took = clock.skipped().abs_diff(started).as_millis();
        assert!((495..=510).contains(&took), "{took} ms");
    }
}

#[tokio::test]
async fn a_pause_that_one_call_skips_takes_no_time_and_does_not_shorten_the_others() {
    let scene = Scene::with(300, |client| client.retry_budget(300)).await;
    let (pause, mut seen) = (Duration::from_secs(20), HashSet::new());
    scene.stage.fake.inject_with(move |request| {
        seen.insert(request.target.clone()).then(|| Fault::retry_after(429, "20"))
    });
    let (wall, cpu) = (Instant::now(), ThreadTime::now());
    assert_eq!(ended(scene.datafy.fleet(ids(300)).run(snapshot_of)).await.done, 300);
    // The fake and the calls run on this thread.
    assert!(wall.elapsed() < pause && cpu.elapsed() < Duration::from_secs(2));
    assert!(scene.stage.pauses.pauses().iter().sum::<Duration>() >= 300 * pause);
}

#[tokio::test]
async fn a_stopped_run_finishes_the_calls_in_flight_and_reports_the_rest() {
    let scene = Scene::of(50).await;
    scene.inject_all(Some(Fault::Delay(Duration::from_millis(5))));
    let mut run = scene.datafy.fleet(ids(50)).concurrency(4).run(snapshot_of).await.unwrap();
    let monitor = run.monitor();
    let mut done = 0;
    while let Some(finished) = run.next().await {
        finished.result.unwrap();
        done += 1;
        monitor.stop();
    }
    assert_eq!(
        (run.stopped().unwrap().as_str(), run.not_attempted().len()),
        ("requested", 50 - done)
    );
    assert!((1..=5).contains(&done) && scene.effects() == done, "{done} were done");
    let progress = monitor.progress();
    let counts = (progress.done, progress.not_attempted, progress.in_flight);
    assert_eq!(counts, (done as u64, 50 - done as u64, 0));
}

#[tokio::test]
async fn calls_that_are_not_sent_stop_a_run_only_in_a_row() {
    // A header that the client controls: the call is not sent.
    let job = |datafy, id: VolumeId, steps| {
        let is_odd = id.as_str().ends_with(['1', '3', '5', '7', '9']);
        let call = snapshot_of(datafy, id, steps);
        if is_odd { call.header("host", "other") } else { call }
    };
    let scene = Scene::without_retries().await;
    let fleet = || scene.datafy.fleet(ids(9)).concurrency(1).unsent_limit(2);
    let progress = ended(fleet().run(job)).await;
    assert_eq!((progress.done, progress.failed, progress.not_attempted), (5, 4, 0));

    let _outage = scene.stage.fake.outage().await;
    let by_default = scene.datafy.fleet(ids(30)).concurrency(1);
    for (fleet, sent, rest) in [(fleet(), 2, 7), (by_default, 20, 10)] {
        let mut run = fleet.run(job).await.unwrap();
        let failed = all(&mut run).await;
        assert!(failed.values().all(|finished| finished.outcome() == Outcome::NotSent));
        assert_eq!((failed.len(), run.not_attempted().len()), (sent, rest));
        assert_eq!(run.stopped().unwrap().as_str(), "unreachable");
        assert_eq!(run.monitor().progress().exit_code(), 3);
    }
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
    let mut run = datafy.fleet(ids(10)).concurrency(1).run(snapshot_of).await.unwrap();
    run.next().await.unwrap().result.unwrap();
    stage.fake.rotate_token(Fake::TOKEN, "another-token");
    let progress = ended(async { Ok(run) }).await;
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
    let mut run = datafy.fleet(ids(5)).rate(1).run(snapshot_of).await.unwrap();
    run.next().await.unwrap().result.unwrap();
    let monitor = run.monitor();
    assert_eq!(monitor.progress().in_flight, 4);

    monitor.stop();
    gate.open.add_permits(5);
    assert!(run.next().await.is_none());
    assert_eq!(gate.paused.load(Ordering::Relaxed), 1, "the other volumes don't wait");
    let progress = monitor.progress();
    assert_eq!((progress.done, progress.not_attempted, progress.in_flight), (1, 4, 0));
    assert_eq!(stage.fake.effects().len(), 1);
}

#[tokio::test]
async fn a_run_of_items_that_are_done_yields_to_other_tasks() {
    let scene = Scene::of(300).await;
    scene.snapshots(300).await;
    let mut run = scene.fleet(300).run(snapshot_of).await.unwrap();
    let other = tokio::spawn(tokio::task::yield_now());
    while run.next().await.is_some() {}
    assert!(other.is_finished());
}

#[tokio::test]
async fn the_monitor_counts_the_calls_in_flight_after_the_run_is_dropped() {
    let scene = Scene::of(10).await;
    scene.inject_all(Some(Fault::ApplyThenHang));
    let mut run = scene.datafy.fleet(ids(10)).concurrency(3).run(snapshot_of).await.unwrap();
    let monitor = run.monitor();
    tokio::select! {
        result = run.next() => panic!("{result:?}"),
        () = until(|| scene.requests() == 3) => {}
    }
    drop(run);
    assert_eq!(monitor.progress().in_flight, 3);
}

#[tokio::test]
async fn a_list_with_the_same_item_twice_or_a_setting_out_of_range_is_reported_before_anything_is_sent()
 {
    let stage = Stage::of(3).await;
    let datafy = stage.client();
    for (fleet, text) in [
        (datafy.fleet(ids(3).chain(ids(1))), "two items have the key \"vol-seed0\""),
        (datafy.fleet(ids(1)).concurrency(0), "the setting `concurrency` is 0"),
        (datafy.fleet(ids(1)).rate(0), "the setting `rate` is 0"),
        (datafy.fleet(ids(1)).unsent_limit(0), "the setting `unsent_limit` is 0"),
    ] {
        let error = fleet.run(snapshot_of).await.unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
    assert!(stage.fake.requests().is_empty());
}

#[tokio::test]
async fn an_item_of_a_stream_that_comes_twice_is_refused_with_a_journal() {
    for (journal, done) in [(false, 5), (true, 3)] {
        let scene = Scene::of(3).await;
        // A journal may have the key already.
        for earlier in [0, done] {
            let mut fleet =
                scene.datafy.fleet_of_stream(stream::iter(ids(3).chain(ids(2)))).concurrency(2);
            if journal {
                fleet = fleet.journal(scene.path());
            }
            let mut run = fleet.run(snapshot_of).await.unwrap();
            let monitor = run.monitor();
            while let Some(finished) = run.next().await {
                assert!(matches!(finished.result, Ok(_) | Err(NotDone::Duplicate)), "{finished:?}");
            }
            let earlier = if journal { 0 } else { earlier };
            assert_eq!(scene.effects(), earlier + done);
            assert_eq!(monitor.progress().not_attempted, 5 - done as u64);
        }
    }
}

#[tokio::test]
async fn the_exit_code_of_a_run_is_that_of_its_worst_item() {
    for (faults, expected) in
        [(vec![], 0), (vec![status(403)], 2), (vec![status(403), Some(Fault::ApplyThenReset)], 3)]
    {
        let scene = Scene::of(3).await;
        scene.inject(faults);
        let mut run = scene.datafy.fleet(ids(3)).run(snapshot_of).await.unwrap();
        let monitor = run.monitor();
        assert!(run.next().await.is_some());
        let stopped = monitor.progress();
        assert!(stopped.in_flight == 0 || stopped.exit_code() == 3);
        while run.next().await.is_some() {}
        assert_eq!(monitor.progress().exit_code(), expected);
    }
}
