//! The fake keeps volumes, snapshots and attachments as Datafy does, and refuses invalid requests.

use datafy_api_ext::fake::{Fake, Fault, Reply, verify};
use datafy_api_ext::{
    Datafy, DatafySnapshotId, DeviceName, Error, InstanceId, Outcome, SubAccountId, VolumeId,
};
use datafy_tests::{other_source, until};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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
    fake.add_volume(volume_id("vol-1"), 100);
    fake.add_volume(volume_id("vol-2"), 20);
    fake.add_unmanaged_volume(volume_id("vol-9"), 8);
    fake.add_instance(instance());
    let datafy = fake.client().build().unwrap();
    (fake, datafy)
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, status: u16, message: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Refused, Some(status)), "{error}");
    assert_eq!(error.message().unwrap(), message);
    let body: serde_json::Value = serde_json::from_slice(error.body().unwrap()).unwrap();
    assert_eq!(body, json!({ "message": message, "fake": true }), "it is marked as the fake's");
}

#[tokio::test]
async fn the_effects_of_one_call_are_seen_by_the_next() {
    let (fake, datafy) = seeded().await;
    let taken = datafy.volume(volume_id("vol-1")).create_snapshot().description("d").await.unwrap();
    let snapshot = taken.id.clone();
    assert_eq!(taken.volume_size_gb, Some(100));
    assert_eq!(fake.snapshots()[0].description.as_deref(), Some("d"));

    let made = datafy.create_volume(snapshot.clone()).await.unwrap();
    let made = made.id.clone();
    assert_eq!(fake.volume(&made).unwrap().source, Some(snapshot));

    datafy.volume(made.clone()).attach(instance(), device("/dev/sdb")).await.unwrap();
    let volume = fake.volume(&made).unwrap();
    assert_eq!(volume.device, Some(device("/dev/sdb")));
    assert!(volume.managed);

    datafy.volume(made.clone()).deactivate_autoscaling().await.unwrap();
    assert!(!fake.volume(&made).unwrap().managed);
    assert_eq!(fake.requests().len(), 4);
    let operations: Vec<_> = fake.effects().iter().filter_map(|effect| effect.operation).collect();
    let expected = [
        "create_snapshot",
        "create_volume_from_snapshots",
        "attach_volume",
        "deactivate_autoscaling",
    ];
    assert_eq!(operations, expected);
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_refused() {
    let (fake, datafy) = seeded().await;
    let volume = |id: &str| datafy.volume(volume_id(id));
    let attach = |id: &str| volume(id).attach(instance(), device("sdb"));
    refused(volume("vol-7").create_snapshot().await, 404, "there is no volume vol-7");
    refused(volume("vol-7").deactivate_autoscaling().await, 404, "there is no volume vol-7");
    let snapshot = DatafySnapshotId::new("dsnap-7").unwrap();
    refused(datafy.create_volume(snapshot).await, 404, "there is no snapshot dsnap-7");
    let result = volume("vol-1").attach(InstanceId::new("i-7").unwrap(), device("sdb")).await;
    refused(result, 404, "there is no instance i-7");
    let other = fake.client().token("another-token").build().unwrap();
    let result = other.volume(volume_id("vol-1")).create_snapshot().await;
    refused(result, 401, "the bearer token is wrong");
    let source = datafy.create_volume(other_source().0).await;
    refused(source, 400, "the fake knows no source but `datafySnapshotId`");
    assert!(fake.effects().is_empty());

    attach("vol-1").await.unwrap();
    refused(attach("vol-1").await, 409, "volume vol-1 is already attached to i-1 as sdb");
    refused(attach("vol-2").await, 409, "sdb of i-1 is in use by volume vol-1");
    refused(attach("vol-9").await, 409, "volume vol-9 is not managed");
    refused(volume("vol-9").create_snapshot().await, 409, "volume vol-9 is not managed");
    volume("vol-9").create_snapshot().autoscaling_only(false).await.unwrap();
}

const JSON: &str = "authorization: Bearer fake-token\r\ncontent-type: application/json\r\n";
const SNAPSHOT: &str = "POST /api/v1/volumes/vol-1/create-snapshot";

/// Sends a request with these headers and this body, and nothing more.
async fn send(fake: &Fake, line: &str, headers: &str, length: usize, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(fake.endpoint().replace("http://", "")).await.unwrap();
    let head = format!("{line} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    stream
}

/// The answer to such a request.
async fn answer(fake: &Fake, line: &str, headers: &str, body: &str) -> String {
    let mut bytes = Vec::new();
    let mut stream = send(fake, line, headers, body.len(), body).await;
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_request_that_the_api_does_not_allow_is_refused() {
    let (fake, _) = seeded().await;
    let attach = "POST /api/v1/volumes/vol-1/attach";
    let scheme = JSON.replace("Bearer", "BEARER ");
    let media_type = JSON.replace("application/json", "Application/JSON ;charset=utf-8");
    let patch = JSON.replace("json", "json-patch+json");
    let (basic, other) = (JSON.replace("Bearer", "Basic"), JSON.replace("fake", "FAKE"));
    let untyped = JSON.split_inclusive('\n').next().unwrap();
    for (line, headers, body, status, message) in [
        (SNAPSHOT, JSON, "{", 400, "the body is not a JSON object"),
        (SNAPSHOT, JSON, "[]", 400, "the body is not a JSON object"),
        (SNAPSHOT, JSON, r#"{"useSourceVolume":false}"#, 400, "`useSourceVolume` can't be set"),
        (SNAPSHOT, JSON, r#"{"autoscalingOnly":1}"#, 400, "the body is malformed"),
        (attach, JSON, r#"{"instanceId":"i-1"}"#, 400, "missing field `deviceName`"),
        ("POST /api/v1/volumes/vol-1/nowhere", JSON, "{}", 404, "there is no route"),
        ("POST /api/v1/volumes//create-snapshot", JSON, "{}", 404, "there is no route"),
        ("POST /", JSON, "{}", 404, "there is no route"),
        ("GET /api/v1/volumes/vol-1/create-snapshot", JSON, "", 405, "allow: POST"),
        (SNAPSHOT, "", "{}", 401, "the bearer token is missing"),
        (SNAPSHOT, &basic, "{}", 401, "the bearer token is missing"),
        (SNAPSHOT, &other, "{}", 401, "the bearer token is wrong"),
        (SNAPSHOT, &patch, "{}", 415, ""),
        (SNAPSHOT, untyped, "{}", 415, ""),
        // The scheme and the media type are read in any case.
        (SNAPSHOT, &scheme, "{}", 200, ""),
        (SNAPSHOT, &media_type, "{}", 200, ""),
    ] {
        let answer = answer(&fake, line, headers, body).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(
            answer.starts_with(&expected) && answer.contains(message),
            "{line} {body}: {answer}"
        );
    }
    assert_eq!(fake.effects().len(), 2);
}

#[tokio::test]
async fn accounts_and_sub_accounts_see_only_their_own_resources() {
    let (fake, datafy) = seeded().await;
    let sub = SubAccountId::new("sub-1").unwrap();
    let call = || datafy.volume(volume_id("vol-5")).create_snapshot();
    let within = call().sub_account(sub.clone());
    refused(within.clone().await, 403, "the account has no sub-account sub-1");

    fake.sub_account(&sub).add_volume(volume_id("vol-5"), 1);
    within.query("extra", "a b&c").await.unwrap();
    let requests = fake.requests();
    let sent = requests.last().unwrap();
    assert_eq!((sent.query("extra").as_deref(), sent.query("b")), (Some("a b&c"), None));
    refused(call().await, 404, "there is no volume vol-5");
    assert_eq!(fake.sub_account(&sub).snapshots().len(), 1);
    assert_eq!(fake.snapshots(), []);

    let other = fake.with_token("other").client().build().unwrap();
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
    drop(outage);
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
    assert_eq!(mismatch, "the call ended ok and had 2 effects");
}

#[tokio::test]
async fn an_outage_ends_with_the_scope_of_its_guard() {
    let (fake, datafy) = seeded().await;
    let call = datafy.volume(volume_id("vol-1")).create_snapshot();
    for panics in [false, true] {
        let (fake, during) = (fake.clone(), call.clone());
        let body = tokio::spawn(async move {
            let _outage = fake.outage().await;
            assert_eq!(during.await.unwrap_err().outcome(), Outcome::NotSent);
            assert!(!panics, "as a test that fails");
        });
        assert_eq!(body.await.is_err(), panics);
        call.clone().await.unwrap();
    }
    // Also where there is no runtime.
    let outage = fake.outage().await;
    std::thread::spawn(|| drop(outage)).join().unwrap();
    call.await.unwrap();
}

#[test]
fn a_fault_is_read_from_json() {
    let table = [
        (json!("apply_then_reset"), Fault::ApplyThenReset),
        (json!({ "delay": 0.5 }), Fault::Delay(Duration::from_millis(500))),
        (json!({ "tiny_chunks": 3 }), Fault::TinyChunks(3)),
        (
            json!({ "apply_then_name_volume": "vol-9" }),
            Fault::ApplyThenNameVolume(VolumeId::new("vol-9").unwrap()),
        ),
        (
            json!({ "answer": { "status": 429, "headers": { "retry-after": "30" } } }),
            Fault::retry_after(429, "30"),
        ),
        (
            json!({ "apply_then_answer": { "status": 502, "body": { "message": "no" } } }),
            Fault::ApplyThenAnswer(Reply::json(502, &json!({ "message": "no" }))),
        ),
        (
            json!({ "apply_then_answer": { "status": 502, "body": "no" } }),
            Fault::ApplyThenAnswer(Reply::json(502, &json!(null)).body("no")),
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
    fake.on_request(move |request| list.lock().unwrap().push(request.to_string()));
    fake.inject(Fault::status(429));
    fake.inject(Fault::ReadThenReset);
    datafy.volume(volume_id("vol-1")).deactivate_autoscaling().await.unwrap();
    let request = "POST /api/v1/volumes/vol-1/deactivate-autoscaling";
    let seen = seen.lock().unwrap();
    assert!(seen[0].starts_with(&format!("{request} -> 429 {{")), "{seen:?}");
    assert!(seen[0].contains("with the fault Answer(Reply { status: 429,"), "{seen:?}");
    let rest = [
        format!("{request} -> no answer, with the fault ReadThenReset"),
        format!("{request} -> 200 {{\"message\":\"\"}}"),
    ];
    assert_eq!(seen[1..], rest);
}

type Check<'a> = &'a dyn Fn(&str) -> bool;

#[tokio::test]
async fn each_fault_breaks_the_answer_as_its_name_says() {
    let (fake, _) = seeded().await;
    let cut_body = |text: &str| text.contains("\r\n\r\n{") && !text.contains('}');
    let tiny_chunks = |text: &str| {
        let (head, chunks) = text.split_once("\r\n\r\n").unwrap();
        let chunks = chunks.strip_suffix("0\r\n\r\n").unwrap().as_bytes().chunks(6);
        let body: String = chunks.map(|chunk| char::from(chunk[3])).collect();
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        !head.contains("content-length") && body.len() == 500 && json["volumeId"] == "vol-1"
    };
    let table: [(Fault, usize, Check<'_>); 6] = [
        (Fault::ReadThenSend("220 ready\r\n".into()), 0, &|text| text == "220 ready\r\n"),
        (Fault::ApplyThenSend(String::new()), 1, &str::is_empty),
        (Fault::ApplyThenCutHeaders, 1, &|text| !text.is_empty() && !text.contains("\r\n\r\n")),
        (Fault::ApplyThenCutBody, 1, &cut_body),
        (Fault::TinyChunks(500), 1, &tiny_chunks),
        (Fault::LateDuplicate(Duration::ZERO), 1, &|text| text.matches("200").count() == 2),
    ];
    for (fault, effects, check) in table {
        let before = fake.effects().len();
        fake.inject(fault.clone());
        let text = answer(&fake, SNAPSHOT, JSON, "{}").await;
        assert!(check(&text), "{fault:?}: {text}");
        assert_eq!(fake.effects().len(), before + effects, "{fault:?}");
    }
}

#[tokio::test]
async fn a_flood_holds_interim_answers_only_and_lasts_until_the_client_closes() {
    let (fake, _) = seeded().await;
    fake.inject(Fault::ApplyThenFlood);
    let mut stream = send(&fake, SNAPSHOT, JSON, 2, "{}").await;
    let mut flood = vec![0; 4 << 20];
    stream.read_exact(&mut flood).await.unwrap();
    let flood = String::from_utf8(flood).unwrap();
    let seen: BTreeSet<_> = flood.split("HTTP/1.1 ").filter_map(|answer| answer.get(..3)).collect();
    assert_eq!(seen, BTreeSet::from(["100", "102", "103"]));
    assert_eq!(fake.effects().len(), 1);
    drop(stream);
    until(|| fake.connections() == 0).await;
}

#[tokio::test]
async fn a_request_that_ends_early_is_neither_recorded_nor_applied() {
    let (fake, _) = seeded().await;
    let mut stream = send(&fake, SNAPSHOT, JSON, 2, "{").await;
    assert_eq!(stream.read(&mut [0]).await.unwrap_or_default(), 0);
    assert_eq!((fake.requests().len(), fake.effects().len()), (0, 0));
}
