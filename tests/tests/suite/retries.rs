//! When a request is retried, how often, and after which pause.

use datafy_api_ext::fake::{Fault, Reply, verify};
use datafy_api_ext::{
    ConfigError, Datafy, Error, ErrorKind, Outcome, RetryPolicy, Timeouts, VolumeId,
};
use datafy_tests::{OPERATIONS, Operation, Stage, until};
use serde_json::json;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_call_that_is_throttled_for_a_while_succeeds_with_one_effect() {
    for operation in OPERATIONS {
        let stage = Stage::of(1).await;
        (0..2).for_each(|_| stage.fake.inject(Fault::status(429)));
        stage.fake.inject(Fault::retry_after(429, "0"));
        let result = operation.call(&stage.client(), 0).await;
        assert_eq!(stage.pauses.pauses().len(), 3, "{operation:?}");
        verify(&stage.effects()[0], &result).unwrap();
        result.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_after_an_ambiguous_attempt_leaves_the_outcome_unknown() {
    let stage = Stage::of(1).await;
    stage.fake.inject(Fault::ReadThenReset);
    stage.fake.inject(Fault::status(404));
    let error = Operation::Deactivate.call(&stage.client(), 0).await.unwrap_err();
    let facts = (error.outcome(), error.status(), error.attempts());
    assert_eq!(facts, (Outcome::Unknown, None, 2));
    assert!(error.to_string().contains("; then: 404 Not Found"), "{error}");
}

#[tokio::test]
async fn the_pause_is_the_retry_after_plus_a_part_of_the_base() {
    for (value, least) in [("7", 7 * SECOND), ("soon", Duration::ZERO), ("3600", 30 * SECOND)] {
        let stage = Stage::of(1).await;
        let mut policy = RetryPolicy::default();
        (policy.base, policy.retry_after_cap) = (SECOND, 30 * SECOND);
        let datafy = stage.builder().retry(policy).build().unwrap();
        stage.fake.inject(Fault::retry_after(429, value));
        Operation::CreateSnapshot.call(&datafy, 0).await.unwrap();
        let [pause] = stage.pauses.pauses()[..] else { panic!("{:?}", stage.pauses) };
        assert!(pause > least && pause < least + SECOND, "{value}: {pause:?}");
    }
}

#[tokio::test]
async fn a_retry_after_past_the_deadline_ends_the_call_without_a_pause() {
    let stage = Stage::of(1).await;
    stage.fake.inject(Fault::retry_after(429, "50"));
    let timeouts = Timeouts::operation(10 * SECOND);
    let datafy = stage.builder().timeouts(timeouts).build().unwrap();
    let error = Operation::CreateVolume.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Refused, 1));
    assert_eq!(error.retry_after(), Some(50 * SECOND));
    assert!(error.to_string().ends_with("; try again in 50 s"), "{error}");
    assert!(stage.pauses.pauses().is_empty());
}

#[tokio::test]
async fn the_clones_of_a_client_share_one_retry_budget() {
    let stage = Stage::of(1).await;
    let datafy = stage.builder().retry_budget(4).build().unwrap();
    stage.fake.inject_with(|_| Some(Fault::status(429)));
    let mut attempts = Vec::new();
    for _ in 0..3 {
        let error = Operation::CreateSnapshot.call(&datafy.clone(), 0).await.unwrap_err();
        attempts.push((error.attempts(), error.to_string().ends_with("the retry budget is empty")));
    }
    assert_eq!(attempts, [(4, false), (2, true), (1, true)]);

    stage.fake.inject_with(|_| None);
    for _ in 0..10 {
        Operation::Deactivate.call(&datafy, 0).await.unwrap();
    }
    stage.fake.inject(Fault::status(429));
    Operation::Deactivate.call(&datafy, 0).await.expect("ten successes add a retry to the budget");
}

#[tokio::test]
async fn the_error_of_an_unknown_create_names_the_marker_to_look_for() {
    let stage = Stage::of(1).await;
    let volume = VolumeId::new("vol-seed0").unwrap();
    let call = stage.client().volume(volume).create_snapshot().description("nightly").traceable();
    stage.fake.inject(Fault::ApplyThenCutHeaders);
    let error = call.await.unwrap_err();
    let marker = error.marker().unwrap().to_owned();
    let kept = stage.fake.snapshots().pop().unwrap().description.unwrap();
    assert_eq!(kept, format!("nightly {marker}"));
    let advice = format!("; look for {marker} in the descriptions of the volume's snapshots");
    assert!(error.to_string().ends_with(&advice), "{error}");

    stage.fake.inject(Fault::status(500));
    let error = Operation::CreateSnapshot.call(&stage.client(), 0).await.unwrap_err();
    assert_eq!(error.marker(), None, "markers are off by default");
}

#[tokio::test]
async fn the_error_of_an_answer_that_is_cut_off_has_its_ids_and_its_body() {
    let stage = Stage::of(1).await;
    let body = r#"{"datafySnapshotId":"dsnap-9","volumeId":"vol-seed0","volumeSizeGb":"#;
    stage.fake.inject(Fault::ApplyThenAnswer(Reply::json(200, &json!(0)).body(body)));
    let error = Operation::CreateSnapshot.call(&stage.client(), 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Applied, 1));
    assert_eq!(error.snapshot_id().unwrap().as_str(), "dsnap-9");
    assert_eq!(error.volume_id().unwrap().as_str(), "vol-seed0");
    assert_eq!(error.body(), Some(body.as_bytes()));
}

#[tokio::test]
async fn requests_in_flight_are_capped_at_max_in_flight() {
    let stage = Stage::of(20).await;
    let datafy = stage.builder().max_in_flight(3).build().unwrap();
    let calls = (0..20).map(|number| {
        let datafy = datafy.clone();
        tokio::spawn(async move { Operation::Deactivate.call(&datafy, number).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert!(stage.fake.connections() <= 3, "{} connections", stage.fake.connections());

    // A call that gets no slot in time is not sent.
    let timeouts = Timeouts::operation(SECOND / 5);
    let datafy = stage.builder().max_in_flight(1).timeouts(timeouts).build().unwrap();
    stage.fake.inject(Fault::ReadThenHang);
    let hangs = {
        let datafy = datafy.clone();
        let patient = Timeouts::default();
        let call = async move {
            Operation::CreateSnapshot.call_with(&datafy, 0, Some(patient), None).await
        };
        tokio::spawn(call)
    };
    until(|| stage.fake.requests().len() == 21).await;
    let error = Operation::CreateSnapshot.call(&datafy, 1).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.to_string().contains("all connections were in use"), "{error}");
    hangs.abort();
}

#[tokio::test]
async fn a_client_and_a_call_with_a_setting_out_of_range_fail_and_name_it() {
    let stage = Stage::of(1).await;
    let datafy = stage.client();
    let fails = |built: Result<Datafy, ConfigError>, called: Error, name: &str| {
        let start = format!("the setting `{name}` is ");
        let built = built.unwrap_err().to_string();
        assert!(built.starts_with(&start), "{built}");
        assert!(called.to_string().contains(&start), "{called}");
        assert_eq!((called.outcome(), called.kind()), (Outcome::NotSent, ErrorKind::Request));
        assert_eq!(called.attempts(), 1, "another attempt would fail, too");
    };
    let policies: [(_, fn(&mut RetryPolicy)); 6] = [
        ("attempts", |policy| policy.attempts = 0),
        ("attempts", |policy| policy.attempts = 11),
        ("base", |policy| policy.base = Duration::ZERO),
        ("base", |policy| policy.base = 11 * SECOND),
        ("cap", |policy| policy.cap = 4000 * SECOND),
        ("retry_after_cap", |policy| policy.retry_after_cap = 4000 * SECOND),
    ];
    for (name, spoil) in policies {
        let mut policy = RetryPolicy::default();
        spoil(&mut policy);
        let called = Operation::Attach.call_with(&datafy, 0, None, Some(policy)).await;
        fails(stage.builder().retry(policy).build(), called.unwrap_err(), name);
    }
    for (name, timeouts) in [
        ("connect timeout", Timeouts::connect(Duration::ZERO)),
        ("attempt timeout", Timeouts::attempt(Duration::ZERO)),
        ("operation timeout", Timeouts::operation(Duration::from_micros(1))),
        ("operation timeout", Timeouts::operation(Duration::MAX)),
    ] {
        let called = Operation::Attach.call_with(&datafy, 0, Some(timeouts), None).await;
        fails(stage.builder().timeouts(timeouts).build(), called.unwrap_err(), name);
    }
    assert!(stage.fake.requests().is_empty());
    let build = |budget: u32, in_flight: usize| {
        Datafy::builder().token("t").retry_budget(budget).max_in_flight(in_flight).build()
    };
    assert!(build(10_001, 1).unwrap_err().to_string().contains("`retry budget` is 10001"));
    assert!(build(0, 0).unwrap_err().to_string().contains("`max in flight` is 0"));
    build(0, 1).unwrap();
}
