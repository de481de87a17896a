//! No sequence of faults makes a call report what is not so.

use datafy_api_ext::fake::{Fault, Reply, verify};
use datafy_api_ext::{Error, Outcome, RetryPolicy, Timeouts, VolumeId};
use datafy_tests::{OPERATIONS, Operation, Stage, until};
use futures_util::{StreamExt, TryStreamExt, stream};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::collections::VecDeque;
use std::time::Duration;

const SCRIPTS: u32 = 2_000;

/// One run: calls, at the same time or one after the other, and what their requests meet in the order of arrival.
#[derive(Clone, Debug)]
struct Script {
    calls: Vec<Operation>,
    concurrent: bool,
    faults: Vec<Option<Fault>>,
    attempts: u32,
    budget: u32,
    operation: Duration,
    fresh_connections: bool,
}

/// Statuses that only a server sends that did not process the request.
const EVIDENCE: [u16; 16] =
    [300, 301, 304, 305, 307, 308, 400, 401, 403, 404, 409, 422, 425, 429, 501, 505];

/// Statuses that prove nothing: they are sent without and after the effect.
const NO_EVIDENCE: [u16; 12] = [101, 302, 303, 408, 499, 500, 502, 503, 504, 529, 599, 600];

const RETRY_AFTER: [&str; 5] = ["0", "1", "30", "soon", "Sun, 06 Nov 1994 08:49:37 GMT"];

/// Faults that a client can survive with its promise kept. The service itself does not lie: it sends no status in
/// [`EVIDENCE`] after an effect, and no success in JSON without one.
fn faults() -> Vec<Option<Fault>> {
    let wire = [
        Fault::ReadThenReset,
        Fault::ApplyThenReset,
        Fault::ApplyThenCutHeaders,
        Fault::ApplyThenCutBody,
        Fault::CloseIdle,
        Fault::Drip,
        Fault::TinyChunks(200),
        Fault::LateDuplicate(Duration::from_micros(500)),
        Fault::LateDuplicate(Duration::from_millis(2)),
    ];
    // Each is as frequent as several of the others.
    let mut faults: Vec<_> = wire.into_iter().flat_map(|fault| vec![fault; 4]).collect();
    faults.extend([
        Fault::Answer(Reply::html(200)),
        Fault::ApplyThenNameVolume(VolumeId::new("vol-other").unwrap()),
        Fault::ReadThenHang,
        Fault::ApplyThenHang,
        Fault::ApplyThenStallBody,
        Fault::ApplyThenFlood,
        Fault::Delay(Duration::from_millis(3)),
        Fault::Delay(Duration::from_millis(30)),
    ]);
    let status = Reply::status;
    let mut applied = vec![
        Reply::html(200),
        Reply::html(503),
        status(200),
        status(204),
        status(200).body("x".repeat(2 << 20)),
        status(200).body("{\"volumeId\""),
    ];
    applied.extend(NO_EVIDENCE.map(status));
    applied.extend(RETRY_AFTER.map(|value| status(503).header("retry-after", value)));
    faults.extend(applied.into_iter().map(Fault::ApplyThenAnswer));
    faults.extend(EVIDENCE.iter().chain(&NO_EVIDENCE).map(|status| Fault::status(*status)));
    let waits = RETRY_AFTER.iter().flat_map(|value| [425, 429, 503].map(|status| (status, value)));
    faults.extend(waits.map(|(status, value)| Fault::retry_after(status, value)));
    let none = vec![None; faults.len() / 4];
    faults.into_iter().map(Some).chain(none).collect()
}

fn calls() -> impl Strategy<Value = Vec<Operation>> {
    let any = prop::sample::select(OPERATIONS.to_vec());
    prop_oneof![
        3 => prop::collection::vec(any, 1..5),
        1 => prop::collection::vec(Just(Operation::CreateSnapshot), 1..5),
    ]
}

fn scripts() -> impl Strategy<Value = Script> {
    (
        calls(),
        any::<bool>(),
        prop::collection::vec(prop::sample::select(faults()), 0..10),
        1..5_u32,
        0..6_u32,
        (20..120_u64).prop_map(Duration::from_millis),
        any::<bool>(),
    )
        .prop_map(|(calls, concurrent, faults, attempts, budget, operation, fresh)| {
            // On a reused connection only an answer that names its volume shows that it is late.
            let late = faults.iter().flatten().any(|it| matches!(it, Fault::LateDuplicate(_)));
            let named = calls.iter().all(|call| *call == Operation::CreateSnapshot);
            let fresh_connections = fresh || late && !named;
            Script { calls, concurrent, faults, attempts, budget, operation, fresh_connections }
        })
}

async fn play(script: &Script) -> Result<[usize; 5], String> {
    let stage = Stage::of(script.calls.len()).await;
    let mut retry = RetryPolicy::default();
    retry.attempts = script.attempts;
    retry.base = Duration::from_millis(5);
    retry.retry_after_cap = Duration::from_secs(2);
    let mut timeouts = Timeouts::operation(script.operation);
    timeouts.attempt = Duration::from_millis(20);
    let builder = stage.builder().retry(retry).timeouts(timeouts).retry_budget(script.budget);
    let datafy = builder.fresh_connections(script.fresh_connections).build().unwrap();
    let mut faults = VecDeque::from(script.faults.clone());
    stage.fake.inject_with(move |_| faults.pop_front().flatten());

    let calls = script.calls.iter().copied().enumerate().map(|(number, operation)| {
        let datafy = datafy.clone();
        tokio::spawn(async move { operation.call(&datafy, number).await })
    });
    let at_a_time = if script.concurrent { script.calls.len() } else { 1 };
    let results = stream::iter(calls).buffered(at_a_time).try_collect::<Vec<_>>().await;
    let results = results.map_err(|error| error.to_string())?;
    // A request whose call has timed out may still be applied.
    drop(datafy);
    until(|| stage.fake.connections() == 0).await;

    let effects = stage.effects();
    for ((number, operation), result) in script.calls.iter().enumerate().zip(&results) {
        let reported = result.as_ref().map_or_else(ToString::to_string, |()| "ok".to_owned());
        verify(&effects[number], result)
            .map_err(|mismatch| format!("{operation:?}: {mismatch}: {reported}"))?;
        if let Err(error) = result {
            let applied = error.outcome() == Outcome::Applied && operation.creates();
            if applied && effects[number].len() != 1 {
                return Err(format!(
                    "{operation:?}: {} effects: {reported}",
                    effects[number].len()
                ));
            }
            within_limits(script, error)
                .map_err(|excess| format!("{operation:?}: {excess}: {reported}"))?;
        }
    }
    let successes = results.iter().filter(|result| result.is_ok()).count();
    let retries = stage.pauses.pauses().len();
    if retries > script.budget as usize + successes / 10 {
        return Err(format!("{retries} retries exceed the budget"));
    }
    let count = |wanted: Option<Outcome>| {
        results.iter().filter(|result| result.as_ref().err().map(Error::outcome) == wanted).count()
    };
    Ok([
        count(None),
        count(Some(Outcome::NotSent)),
        count(Some(Outcome::Refused)),
        count(Some(Outcome::Unknown)),
        count(Some(Outcome::Applied)),
    ])
}

fn within_limits(script: &Script, error: &Error) -> Result<(), String> {
    // The clock is shared: it also advances by the pauses of the other calls, each shorter than the deadline.
    let others = script.operation * u32::try_from(script.calls.len()).unwrap() * script.attempts;
    let scheduling = Duration::from_secs(5);
    if error.elapsed() > script.operation + others + scheduling {
        return Err(format!("{:?} is past the deadline", error.elapsed()));
    }
    if error.attempts() > script.attempts {
        return Err(format!("{} attempts of {}", error.attempts(), script.attempts));
    }
    Ok(())
}

#[test]
fn no_script_of_faults_makes_a_call_report_what_is_not_so() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config {
        cases: SCRIPTS,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x0da7_afe1),
        ..Config::default()
    };
    let total = std::cell::Cell::new([0; 5]);
    let result = TestRunner::new(config).run(&scripts(), |script| {
        let counts = runtime.block_on(play(&script)).map_err(TestCaseError::fail)?;
        let mut sum = total.get();
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        total.set(sum);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let [ok, not_sent, refused, unknown, applied] = total.get();
    println!(
        "{SCRIPTS} scripts: {ok} ok, {not_sent} not sent, {refused} refused, {unknown} unknown, {applied} applied"
    );
    assert!([ok, refused, unknown, applied].iter().all(|count| *count > 50), "each end is common");
}
