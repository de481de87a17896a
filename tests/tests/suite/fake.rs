//! The fake keeps volumes, snapshots and attachments as Datafy does, and refuses invalid requests.

use datafy_api_ext::fake::{Answer, Fake, Fault, verify};
use datafy_api_ext::{
    Datafy, DatafySnapshotId, DeviceName, Error, InstanceId, Outcome, SubAccountId, VolumeId,
};
use datafy_tests::other_source;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn volume_id(id: &str) -> VolumeId {
    VolumeId::new(id).unwrap()
}

fn instance() -> InstanceId {
    InstanceId::new("i-1").unwrap()
}

fn device(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

/// A fake with the managed volumes vol-1 and vol-2, the unmanaged vol-9 and the instance i-1.
async fn seeded() -> (Fake, Datafy) {
    let fake = Fake::start().await.unwrap();
    let account = fake.account();
    account.add_volume(volume_id("vol-1"), 100);
    account.add_volume(volume_id("vol-2"), 20);
    account.add_unmanaged_volume(volume_id("vol-9"), 8);
    account.add_instance(instance());
    let datafy = fake.client().build().unwrap();
    (fake, datafy)
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, status: u16, message: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Refused, Some(status)), "{error}");
    assert_eq!(error.message(), Some(message));
    let body: serde_json::Value = serde_json::from_slice(error.body().unwrap()).unwrap();
    assert_eq!(
        body,
        json!({ "message": message, "fake": true }),
        "a refusal is marked as that of the fake"
    );
}

#[tokio::test]
async fn the_effects_of_one_call_are_seen_by_the_next() {
    let (fake, datafy) = seeded().await;
    let taken = datafy.volume(volume_id("vol-1")).create_snapshot().description("d").await.unwrap();
    let snapshot = taken.id.clone();
    assert_eq!(taken.volume_size_gb, Some(100));
    assert_eq!(fake.account().snapshots()[0].description.as_deref(), Some("d"));

    let made = datafy.create_volume().from_snapshot(snapshot.clone()).await.unwrap();
    let made = made.id.clone();
    assert_eq!(fake.account().volume(&made).unwrap().source, Some(snapshot));

    datafy.volume(made.clone()).attach(instance(), device("/dev/sdb")).await.unwrap();
    let volume = fake.account().volume(&made).unwrap();
    assert_eq!(volume.attachment.unwrap().device, device("/dev/sdb"));
    assert!(volume.managed);

    datafy.volume(made.clone()).deactivate_autoscaling().await.unwrap();
    assert!(!fake.account().volume(&made).unwrap().managed);
    assert_eq!(fake.requests().len(), 4);
    let operations: Vec<_> = fake.effects().iter().map(|effect| effect.operation).collect();
    let expected = [
        "create_snapshot",
        "create_volume_from_snapshots",
        "attach_volume",
        "deactivate_autoscaling",
    ];
    assert_eq!(operations, expected);
}

#[tokio::test]
async fn a_missing_or_wrong_token_is_refused_with_401() {
    let (fake, _) = seeded().await;
    let other = fake.client().token("another-token").build().unwrap();
    let result = other.volume(volume_id("vol-1")).create_snapshot().await;
    refused(result, 401, "the bearer token is wrong");

    let url = format!("{}/api/v1/volumes/vol-1/create-snapshot", fake.endpoint());
    let answer = reqwest::Client::new().post(url).json(&json!({})).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["message"], "the bearer token is missing");
    assert_eq!(fake.effects(), []);
}

#[tokio::test]
async fn an_unknown_volume_snapshot_or_instance_is_refused_with_404() {
    let (_fake, datafy) = seeded().await;
    let result = datafy.volume(volume_id("vol-7")).create_snapshot().await;
    refused(result, 404, "there is no volume vol-7");
    let result = datafy.volume(volume_id("vol-7")).deactivate_autoscaling().await;
    refused(result, 404, "there is no volume vol-7");
    let snapshot = DatafySnapshotId::new("dsnap-7").unwrap();
    let result = datafy.create_volume().from_snapshot(snapshot).await;
    refused(result, 404, "there is no snapshot dsnap-7");
    let result = datafy
        .volume(volume_id("vol-1"))
        .attach(InstanceId::new("i-7").unwrap(), device("sdb"))
        .await;
    refused(result, 404, "there is no instance i-7");
}

#[tokio::test]
async fn a_conflict_with_the_state_is_refused_with_409() {
    let (_fake, datafy) = seeded().await;
    let attach = |id: &str| datafy.volume(volume_id(id)).attach(instance(), device("sdb"));
    attach("vol-1").await.unwrap();
    refused(attach("vol-1").await, 409, "volume vol-1 is already attached to i-1 as sdb");
    refused(attach("vol-2").await, 409, "sdb of i-1 is in use by volume vol-1");
    refused(attach("vol-9").await, 409, "volume vol-9 is not managed");
    let snapshot = datafy.volume(volume_id("vol-9")).create_snapshot();
    refused(snapshot.clone().await, 409, "volume vol-9 is not managed");
    snapshot.autoscaling_only(false).await.unwrap();
}

#[tokio::test]
async fn a_malformed_body_is_refused_with_400_and_an_unknown_route_with_404() {
    let (fake, datafy) = seeded().await;
    let result = datafy.create_volume().from_source(other_source()).await;
    refused(result, 400, "the fake knows no source but `datafySnapshotId`");

    let post = async |path: &str, body: &str| {
        let request = reqwest::Client::new().post(format!("{}{path}", fake.endpoint()));
        let request = request.header("content-type", "application/json").body(body.to_owned());
        let answer = request.bearer_auth(Fake::TOKEN).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let snapshot = "/api/v1/volumes/vol-1/create-snapshot";
    let table = [
        (snapshot, "{", 400, "the body is not JSON"),
        (snapshot, "[]", 400, "the body is malformed"),
        (snapshot, r#"{"useSourceVolume":false}"#, 400, "`useSourceVolume` can't be set"),
        (snapshot, r#"{"autoscalingOnly":1}"#, 400, "the body is malformed"),
        (
            "/api/v1/volumes/vol-1/attach",
            r#"{"instanceId":"i-1"}"#,
            400,
            "missing field `deviceName`",
        ),
        ("/api/v1/volumes/../create-snapshot", "{}", 404, "there is no route"),
        ("/api/v1/volumes//create-snapshot", "{}", 404, "there is no route"),
        ("/api/v1/volumes/vol-1/nowhere", "{}", 404, "there is no route"),
        ("/", "{}", 404, "there is no route"),
    ];
    for (path, body, status, message) in table {
        let (answered, text) = post(path, body).await;
        assert_eq!(answered, status, "{path} {body}");
        assert!(text.contains(message), "{path} {body}: {text}");
    }
    assert_eq!(fake.effects(), []);
}

#[tokio::test]
async fn accounts_and_sub_accounts_see_only_their_own_resources() {
    let (fake, datafy) = seeded().await;
    let sub = SubAccountId::new("sub-1").unwrap();
    let call = || datafy.volume(volume_id("vol-5")).create_snapshot();
    let within = call().sub_account(sub.clone());
    refused(within.clone().await, 403, "the account has no sub-account sub-1");

    fake.account().sub_account(&sub).add_volume(volume_id("vol-5"), 1);
    within.query("extra", "a b&c").await.unwrap();
    let requests = fake.requests();
    let sent = requests.last().unwrap();
    assert_eq!((sent.query("extra").as_deref(), sent.query("b")), (Some("a b&c"), None));
    refused(call().await, 404, "there is no volume vol-5");
    assert_eq!(fake.account().sub_account(&sub).snapshots().len(), 1);
    assert_eq!(fake.account().snapshots(), []);

    fake.add_account("other");
    let other = fake.client().token("other").build().unwrap();
    let result = other.volume(volume_id("vol-1")).create_snapshot().await;
    refused(result, 404, "there is no volume vol-1");
}

#[tokio::test]
async fn verify_fails_unless_the_number_of_effects_fits_the_outcome() {
    let (fake, datafy) = seeded().await;
    let volume = datafy.volume(volume_id("vol-1"));
    for fault in [Fault::status(404), Fault::ApplyThenReset, Fault::ApplyThenCutBody] {
        fake.inject(fault);
    }
    let refused = volume.create_snapshot().await.map(drop);
    let unknown = volume.create_snapshot().await.map(drop);
    let applied = volume.create_snapshot().await.map(drop);
    let outage = fake.outage().await;
    let not_sent = volume.create_snapshot().await.map(drop);
    outage.end().await;
    let creates = fake.effects();
    assert_eq!(creates.len(), 2);
    volume.deactivate_autoscaling().await.unwrap();
    volume.deactivate_autoscaling().await.unwrap();
    let idempotent = fake.effects().split_off(2);

    // The numbers of effects from 0 to 2 that fit.
    for (result, of_create, of_idempotent) in [
        (Ok(()), [false, true, false], [false, true, true]),
        (not_sent, [true, false, false], [true, false, false]),
        (refused, [true, false, false], [true, false, false]),
        (unknown, [true, true, false], [true, true, true]),
        (applied, [false, true, false], [false, true, true]),
    ] {
        let fit = |effects: &[_]| {
            [0, 1, 2].map(|count| verify(effects.iter().take(count), &result).is_ok())
        };
        assert_eq!((fit(&creates), fit(&idempotent)), (of_create, of_idempotent), "{result:?}");
    }
    let mismatch = verify(&creates, &Ok::<_, Error>(())).unwrap_err();
    assert_eq!(mismatch.to_string(), "the call ended ok and had 2 effects");
}

#[test]
fn a_fault_is_read_from_json() {
    let table = [
        (json!("apply_then_reset"), Fault::ApplyThenReset),
        (json!({ "delay": 0.5 }), Fault::Delay(Duration::from_millis(500))),
        (json!({ "late_duplicate": 2 }), Fault::LateDuplicate(Duration::from_secs(2))),
        (json!({ "tiny_chunks": 3 }), Fault::TinyChunks(3)),
        (
            json!({ "apply_then_name_volume": "vol-9" }),
            Fault::ApplyThenNameVolume(VolumeId::new("vol-9").unwrap()),
        ),
        (json!({ "answer": { "status": 409 } }), Fault::status(409)),
        (
            json!({ "answer": { "status": 429, "headers": { "retry-after": "30" } } }),
            Fault::retry_after(429, "30"),
        ),
        (
            json!({ "apply_then_answer": { "status": 502, "body": { "message": "no" } } }),
            Fault::ApplyThenAnswer(Answer::json(502, &json!({ "message": "no" }))),
        ),
        (
            json!({ "apply_then_answer": { "status": 502, "body": "no" } }),
            Fault::ApplyThenAnswer(Answer::json(502, &json!(null)).body("no")),
        ),
    ];
    for (json, fault) in table {
        assert_eq!(serde_json::from_value::<Fault>(json).unwrap(), fault);
    }
    let bad = [
        (json!("apply"), "unknown variant `apply`"),
        (json!({ "delay": -1 }), "value is negative"),
        (json!({ "answer": { "status": 42 } }), "42 is not a status; it must be from 100 to 599"),
        (json!({ "answer": { "status": 200, "text": "" } }), "unknown field `text`"),
        (json!({ "apply_then_name_volume": "i-9" }), "\"i-9\" is not a volume ID"),
    ];
    for (json, message) in bad {
        let error = serde_json::from_value::<Fault>(json).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[tokio::test]
async fn an_observer_sees_each_request_with_its_answer_and_fault() {
    let (fake, datafy) = seeded().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&seen);
    fake.on_request(move |request, answer, fault| {
        let answer = answer.map_or("no answer".to_owned(), ToString::to_string);
        list.lock().unwrap().push(format!("{request} -> {answer} {fault:?}"));
    });
    fake.inject(Fault::status(429));
    fake.inject(Fault::ReadThenReset);
    datafy.volume(volume_id("vol-1")).deactivate_autoscaling().await.unwrap();
    let request = "POST /api/v1/volumes/vol-1/deactivate-autoscaling";
    let seen = seen.lock().unwrap();
    assert!(seen[0].starts_with(&format!("{request} -> 429 {{")), "{seen:?}");
    assert!(seen[0].contains("Some(Answer(Answer { status: 429,"), "{seen:?}");
    let rest = [
        format!("{request} -> no answer Some(ReadThenReset)"),
        format!("{request} -> 200 {{\"message\":\"\"}} None"),
    ];
    assert_eq!(seen[1..], rest);
}
