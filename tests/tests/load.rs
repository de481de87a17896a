//! Ten thousand calls at a time, with a fault in every tenth request. A separate program, since it measures the
//! memory of its process.
#![allow(clippy::unwrap_used)]

use datafy_api_ext::Outcome;
use datafy_api_ext::fake::{Fault, RecordedRequest, Reply, verify};
use datafy_tests::{OPERATIONS, Operation, Stage};

const CALLS: usize = 10_000;

/// The allowed growth of the process in bytes. It includes the calls, their answers and the records of the fake.
const GROWTH: usize = 256 << 20;

/// The peak memory of the process so far, in bytes, or `None` on a system without `/proc`.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib * 1024)
}

/// Returns each fault in turn, one for every tenth request.
fn faults() -> impl FnMut(&RecordedRequest) -> Option<Fault> + Send {
    let faults = [
        Fault::status(429),
        Fault::ReadThenReset,
        Fault::ApplyThenReset,
        Fault::status(500),
        Fault::ApplyThenCutHeaders,
        Fault::retry_after(429, "1"),
        Fault::ApplyThenCutBody,
        Fault::ReadThenSend(String::new()),
        Fault::CloseIdle,
        Fault::ApplyThenAnswer(Reply::html(200)),
    ];
    let mut requests = 0;
    move |_| {
        requests += 1;
        (requests % 10 == 0).then(|| faults[requests / 10 % faults.len()].clone())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_at_a_time_lose_and_duplicate_no_effect() {
    let stage = Stage::of(CALLS).await;
    let datafy = stage.builder().retry_budget(10_000).build().unwrap();
    stage.fake.inject_with(faults());
    let before = peak();
    let calls = (0..CALLS).map(|number| {
        let datafy = datafy.clone();
        let operation = OPERATIONS[number % OPERATIONS.len()];
        tokio::spawn(async move { operation.call(&datafy, number).await })
    });
    let mut results = Vec::with_capacity(CALLS);
    for call in calls.collect::<Vec<_>>() {
        results.push(call.await.expect("the call ends"));
    }
    let grown = peak().zip(before).map(|(after, before)| after - before);

    let effects = stage.effects();
    let mut outcomes = [0_usize; 5];
    for (result, effects) in results.iter().zip(&effects) {
        verify(effects, result).unwrap();
        outcomes[match result.as_ref().err().map(datafy_api_ext::Error::outcome) {
            None => 0,
            Some(Outcome::NotSent) => 1,
            Some(Outcome::Refused) => 2,
            Some(Outcome::Unknown) => 3,
            Some(Outcome::Applied) => 4,
        }] += 1;
    }
    let [ok, not_sent, refused, unknown, applied] = outcomes;
    println!(
        "{CALLS} calls: {ok} ok, {not_sent} not sent, {refused} refused, {unknown} unknown, \
         {applied} applied; memory grew by {:?} MiB",
        grown.map(|grown| grown >> 20)
    );
    assert_eq!(results.len(), CALLS);
    assert!(ok > CALLS * 9 / 10, "{ok} of {CALLS}");
    assert!(grown.is_none_or(|grown| grown < GROWTH), "memory grew by {grown:?} bytes");

    stage.fake.inject_with(|_| None);
    Operation::Deactivate.call(&datafy, 0).await.expect("the client works afterwards");
}
