//! Many calls at a time; and reused connections: creates that end `Unknown`, and answers to other calls.

use datafy_api_ext::fake::{Fault, verify};
use datafy_api_ext::{Datafy, Error, Outcome, RetryPolicy};
use datafy_tests::{OPERATIONS, Operation, Stage, note};
use futures_util::StreamExt;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

const CALLS: usize = 2_000;
const AT_A_TIME: usize = 8;

#[test]
fn thousands_of_calls_at_a_time_lose_and_double_no_effect_and_take_little_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stage = runtime.block_on(Stage::of(CALLS));
    let faults = [
        Fault::status(429),
        Fault::ReadThenReset,
        Fault::ApplyThenReset,
        Fault::ApplyThenCutBody,
        Fault::CloseIdle,
    ];
    let mut requests = (0..10 * CALLS).map(move |request| {
        (request % 10 == 0).then(|| faults[request / 10 % faults.len()].clone())
    });
    stage.fake.inject_with(move |_| requests.next().flatten());
    let datafy = stage.builder().retry_budget(10_000).build().unwrap();
    let calls = (0..CALLS).map(|number| OPERATIONS[number % 4].call(&datafy, number));
    let mut results = Vec::new();
    let measured = allocation_counter::measure(|| results = runtime.block_on(join_all(calls)));
    for (effects, result) in stage.effects().iter().zip(&results) {
        verify(effects, result).unwrap();
    }
    let ok = results.iter().filter(|result| result.is_ok()).count();
    let each = measured.bytes_max / CALLS as u64;
    assert!(ok > CALLS * 9 / 10 && each < 40 << 10, "{ok} ok, {each} bytes for each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_calls_on_reused_connections_race_the_closing_of_idle_ones_and_none_has_two_effects() {
    for fresh in [true, false] {
        let stage = Stage::of(CALLS).await;
        let datafy = client(&stage, fresh);
        stage.fake.inject_with(|_| Some(Fault::CloseIdle));
        let calls = (0..CALLS).map(|number| {
            let datafy = datafy.clone();
            tokio::spawn(async move { Operation::CreateSnapshot.call(&datafy, number).await })
        });
        let calls = futures_util::stream::iter(calls).buffered(AT_A_TIME);
        let results: Vec<_> = calls.map(Result::unwrap).collect().await;
        let mut unknown = 0;
        for (effects, result) in stage.effects().iter().zip(&results) {
            verify(effects, result).unwrap();
            let outcome = result.as_ref().err().map(Error::outcome);
            unknown += usize::from(outcome == Some(Outcome::Unknown));
        }
        note(format_args!("fresh connections: {fresh}; {unknown} of {CALLS} creates unknown"));
        assert!(unknown < CALLS && (unknown == 0 || !fresh), "{unknown}");
    }
}

fn client(stage: &Stage, fresh_connections: bool) -> Datafy {
    let builder = stage.builder().retry(RetryPolicy::none());
    builder.fresh_connections(fresh_connections).build().unwrap()
}

/// The number of connections on which requests came.
fn connections(stage: &Stage) -> usize {
    let requests = stage.fake.requests();
    requests.iter().map(|request| request.connection).collect::<BTreeSet<_>>().len()
}

/// Creates snapshots of `calls` volumes one after the other, and returns the number that succeed. Panics if a
/// snapshot is of another volume.
async fn successes(datafy: &Datafy, calls: usize) -> usize {
    let mut successes = 0;
    for number in 0..calls {
        match Operation::CreateSnapshot.call(datafy, number).await {
            Ok(()) => successes += 1,
            Err(error) => assert_eq!(error.outcome(), Outcome::Unknown, "{error}"),
        }
    }
    successes
}

#[tokio::test]
async fn a_late_second_answer_is_not_the_answer_to_the_next_call() {
    for late in [500, 1_000, 3_000].map(Duration::from_micros) {
        let stage = Stage::of(40).await;
        stage.fake.inject_with(move |_| Some(Fault::LateDuplicate(late)));
        assert_eq!(successes(&client(&stage, true), 40).await, 40, "on fresh connections");
        successes(&client(&stage, false), 40).await;
    }
}

#[tokio::test]
async fn an_answer_that_names_another_volume_is_unknown_and_its_connection_is_not_reused() {
    let stage = Stage::of(4).await;
    let datafy = client(&stage, false);
    stage.fake.inject(Fault::ApplyThenNameVolume("vol-OTHER".parse().unwrap()));
    let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Unknown, Some(200)));
    let end = " may have been applied: 200 OK: the answer names volume vol-OTHER and not vol-seed0";
    assert!(error.to_string().ends_with(end), "{error}");
    assert_eq!(
        (error.snapshot_id(), error.volume_id()),
        (None, None),
        "they belong to another call"
    );
    assert_eq!(successes(&datafy, 4).await, 4);
    assert_eq!(connections(&stage), 2, "the later calls share a new connection");
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_a_second() {
    let stage = Stage::of(1).await;
    let datafy = client(&stage, false);
    for (idle, expected) in [(0, 1), (0, 1), (1_100, 2)] {
        // The pool measures real time.
        tokio::time::sleep(Duration::from_millis(idle)).await;
        assert_eq!(successes(&datafy, 1).await, 1);
        assert_eq!(connections(&stage), expected, "{idle} ms");
    }
}

#[tokio::test]
async fn a_connection_that_received_bytes_while_idle_is_not_reused() {
    let stage = Stage::of(1).await;
    stage.fake.inject_with(|_| Some(Fault::LateDuplicate(Duration::from_millis(1))));
    let datafy = client(&stage, false);
    for expected in 1..5 {
        assert_eq!(successes(&datafy, 1).await, 1);
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(connections(&stage), expected);
    }
}
