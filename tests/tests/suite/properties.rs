//! Whatever the service and the network do, a call keeps its promise.

use datafy_api_ext::fake::{Answer, Fault, check};
use datafy_api_ext::{Error, Outcome, RetryPolicy, Timeouts};
use datafy_tests::{OPERATIONS, Operation, Stage, until};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::collections::VecDeque;
use std::time::Duration;

const SCRIPTS: u32 = 2_000;

/// One run: calls at the same time, and what their requests meet in the order of arrival.
#[derive(Clone, Debug)]
struct Script {
    calls: Vec<Operation>,
    faults: Vec<Option<Fault>>,
    attempts: u32,
    budget: u32,
    operation: Duration,
}

fn faults() -> impl Strategy<Value = Option<Fault>> {
    let statuses = prop::sample::select(vec![
        200_u16, 204, 301, 400, 401, 403, 404, 408, 409, 425, 429, 500, 501, 502, 503, 504, 529,
    ]);
    let times = prop::sample::select(vec!["0", "1", "30", "soon", "Sun, 06 Nov 1994 08:49:37 GMT"]);
    let wire = prop::sample::select(vec![
        Fault::ResetBeforeReading,
        Fault::ReadThenReset,
        Fault::ApplyThenReset,
        Fault::ApplyThenCutHeaders,
        Fault::ApplyThenCutBody,
        Fault::CloseIdle,
        Fault::Drip,
        Fault::html(),
        Fault::oversized(2 << 20),
    ]);
    let slow = prop::sample::select(vec![
        Fault::ReadThenHang,
        Fault::ApplyThenHang,
        Fault::ApplyThenStallBody,
        Fault::Delay(Duration::from_millis(3)),
        Fault::Delay(Duration::from_millis(30)),
    ]);
    // A script that says 2xx without applying anything would make a liar of any client.
    let not_applied = |status: u16| if status < 300 { 500 } else { status };
    prop_oneof![
        20 => Just(None),
        30 => wire.prop_map(Some),
        30 => statuses.clone().prop_map(move |status| Some(Fault::status(not_applied(status)))),
        10 => statuses.clone().prop_map(|status| Some(Fault::ApplyThenAnswer(Answer::status(
            // A refusal that is none would make a liar of any client, too.
            match status { 200 | 204 | 408 | 500 | 502..=504 | 529 => status, _ => 200 },
        )))),
        10 => (prop::sample::select(vec![429_u16, 503]), times.clone())
            .prop_map(|(status, time)| Some(Fault::retry_after(status, time))),
        // What a gateway answers by itself when its backend dies after the effect.
        5 => times.prop_map(|time| {
            Some(Fault::ApplyThenAnswer(Answer::status(503).header("retry-after", time)))
        }),
        3 => slow.prop_map(Some),
    ]
}

fn scripts() -> impl Strategy<Value = Script> {
    (
        prop::collection::vec(prop::sample::select(OPERATIONS.to_vec()), 1..5),
        prop::collection::vec(faults(), 0..10),
        1..5_u32,
        0..6_u32,
        (20..120_u64).prop_map(Duration::from_millis),
    )
        .prop_map(|(calls, faults, attempts, budget, operation)| Script {
            calls,
            faults,
            attempts,
            budget,
            operation,
        })
}

async fn play(script: &Script) -> Result<[usize; 5], String> {
    let stage = Stage::of(script.calls.len()).await;
    let retry = RetryPolicy::builder()
        .attempts(script.attempts)
        .base(Duration::from_millis(5))
        .retry_after_cap(Duration::from_secs(2))
        .build()
        .unwrap();
    let attempt = Duration::from_millis(20).min(script.operation);
    let timeouts =
        Timeouts::builder().attempt(attempt).operation(script.operation).build().unwrap();
    let builder = stage.builder().retry(retry).timeouts(timeouts).retry_budget(script.budget);
    let datafy = builder.build().unwrap();
    let mut faults = VecDeque::from(script.faults.clone());
    stage.fake.inject_with(move || faults.pop_front().flatten());

    let calls = script.calls.iter().enumerate().map(|(number, operation)| {
        let (datafy, operation) = (datafy.clone(), *operation);
        tokio::spawn(async move { operation.call(&datafy, number).await })
    });
    let mut results = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        results.push(call.await.map_err(|error| error.to_string())?);
    }
    // What was cancelled by a timeout may still be on its way to be applied.
    drop(datafy);
    until(|| stage.fake.connections() == 0).await;

    let effects = stage.effects();
    for ((number, operation), result) in script.calls.iter().enumerate().zip(&results) {
        let said = result.as_ref().map_or_else(ToString::to_string, |()| "ok".to_owned());
        check(&effects[number], result)
            .map_err(|broken| format!("{operation:?}: {broken}: {said}"))?;
        if let Err(error) = result {
            let applied = error.outcome() == Outcome::Applied && operation.creates();
            if applied && effects[number].len() != 1 {
                return Err(format!("{operation:?}: {} effects: {said}", effects[number].len()));
            }
            within_limits(script, error)
                .map_err(|broken| format!("{operation:?}: {broken}: {said}"))?;
        }
    }
    let successes = results.iter().filter(|result| result.is_ok()).count();
    let repeated = stage.pauses.pauses().len();
    if repeated > script.budget as usize + successes / 10 {
        return Err(format!("{repeated} repetitions overdraw the budget"));
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
    // The pauses that other calls skip go by for this call too: each is shorter than the deadline.
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
fn no_script_of_faults_makes_a_call_break_its_promise() {
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
