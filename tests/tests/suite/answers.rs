//! What an answer is taken for: the ID decides, and each other field is read alone.

use datafy_api_ext::{
    CreatedVolume, Datafy, DatafySnapshotId, DeviceName, Error, InstanceId, Outcome, RetryPolicy,
    Snapshot, VolumeId,
};
use datafy_tests::{Listener, http};
use reqwest::redirect::Policy;

fn client(listener: &Listener) -> Datafy {
    let builder = Datafy::builder().endpoint(listener.url()).token("token-1");
    builder.retry(RetryPolicy::none()).build().unwrap()
}

fn volume() -> VolumeId {
    VolumeId::new("vol-1").unwrap()
}

async fn snapshot(answer: impl Into<Vec<u8>>) -> Result<Snapshot, Error> {
    let listener = Listener::answering(answer);
    client(&listener).volume(volume()).create_snapshot().await
}

async fn snapshot_of(body: &str) -> Snapshot {
    // Any 2xx is read like the documented one.
    snapshot(http(201, "application/json", body)).await.unwrap()
}

async fn created(body: &str) -> Result<CreatedVolume, Error> {
    let listener = Listener::answering_json(body);
    let snapshot = DatafySnapshotId::new("dsnap-1").unwrap();
    client(&listener).create_volume(snapshot).await
}

async fn attach(answer: impl Into<Vec<u8>>) -> Result<(), Error> {
    let listener = Listener::answering(answer);
    let (instance, device) = (InstanceId::new("i-1").unwrap(), DeviceName::new("sdb").unwrap());
    client(&listener).volume(volume()).attach(instance, device).await
}

#[tokio::test]
async fn an_answer_with_every_field_is_read() {
    let snapshot = snapshot_of(
        r#"{"datafySnapshotId":"dsnap-2","volumeId":"vol-1","status":"pending",
            "startTime":"2026-11-23T10:00:00.5+02:00","volumeSizeGb":100,"description":"d"}"#,
    )
    .await;
    assert_eq!(snapshot.id.as_str(), "dsnap-2");
    assert_eq!(snapshot.volume_id, Some(volume()));
    assert_eq!(snapshot.status.as_deref(), Some("pending"));
    assert_eq!(snapshot.start_time.unwrap().to_rfc3339(), "2026-11-23T08:00:00.500+00:00");
    assert_eq!(snapshot.volume_size_gb, Some(100));
    assert_eq!(snapshot.description.as_deref(), Some("d"));

    let volume = created(r#"{"volumeId":"vol-3","volumeSizeGB":20}"#).await.unwrap();
    assert_eq!(volume.id.as_str(), "vol-3");
    assert_eq!(volume.volume_size_gb, Some(20));
}

#[tokio::test]
async fn a_field_that_does_not_fit_is_none() {
    let snapshot = snapshot_of(r#"{"datafySnapshotId":"dsnap-2","status":7}"#).await;
    assert_eq!((snapshot.id.as_str(), snapshot.status), ("dsnap-2", None));
    let volume = created(r#"{"volumeId":"vol-1","volumeSizeGb":20}"#).await.unwrap();
    assert_eq!(volume.volume_size_gb, None, "the size of a volume is `volumeSizeGB`");
}

#[tokio::test]
async fn an_answer_whose_id_is_not_usable_was_applied() {
    for (body, shown, unusable) in [
        (r#"{"ID":"../snap/7"}"#, "it contains the character '/'", Some("../snap/7")),
        (r#"{"ID":"a","ID":"b"}"#, "has several `", None),
        (r#"{"ID":"cut of"#, "is cut off", None),
    ] {
        // The `volumeId` of a snapshot is its source.
        let listener = Listener::answering_json(&body.replace("ID", "datafySnapshotId"));
        let snapshot = client(&listener).volume(volume()).create_snapshot().await.unwrap_err();
        let volume = created(&body.replace("ID", "volumeId")).await.unwrap_err();
        for error in [snapshot, volume] {
            assert_eq!((error.outcome(), error.attempts()), (Outcome::Applied, 1), "{body}");
            assert!(format!("{error:#}").contains(shown), "{error:#}");
            assert_eq!((error.snapshot_id(), error.volume_id()), (None, None));
            assert_eq!(error.unusable_id().map(|id| &**id), unusable);
        }
    }
    // It names its source, and not itself.
    let source = r#"{"volumeId":"vol-1"}"#;
    let error = snapshot(http(200, "application/json", source)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Applied);
    assert_eq!((error.volume_id(), error.unusable_id()), (Some(&volume()), None));
}

#[tokio::test]
async fn what_is_no_answer_of_the_service_shows_what_it_says_or_how_it_is_encoded() {
    for (status, body, shown) in [
        (200, r#"{"message":"Internal server error"}"#, ": Internal server error"),
        (200, r#"{"errorMessage":"timed out","errorType":"x"}"#, ": timed out"),
        (200, "\u{1f}G", " 200 OK: the answer is in gzip, which was not asked for"),
        (200, "{\0}\0", " 200 OK: the answer is in UTF-16, which was not asked for"),
        (400, "\u{1f}G", " 400 Bad Request: the body is in gzip"),
        (400, "{\0}\0", " 400 Bad Request: the body is in UTF-16"),
    ] {
        let answer = http(status, "application/json", body).into_bytes();
        let gzip = |byte| if byte == b'G' { 0x8B } else { byte };
        let answer: Vec<u8> = answer.into_iter().map(gzip).collect();
        let outcome = if status == 200 { Outcome::Unknown } else { Outcome::Refused };
        let snapshot = snapshot(answer.clone()).await.unwrap_err();
        for error in [attach(answer).await.unwrap_err(), snapshot] {
            assert_eq!(error.outcome(), outcome, "{error}");
            assert!(error.to_string().ends_with(shown), "{error}");
        }
    }
}

#[tokio::test]
async fn a_refusal_shows_what_it_says_in_any_common_form() {
    for (media_type, body, shown) in [
        ("application/json", r#"{"error":"no"}"#, ": no"),
        ("application/problem+json", r#"{"detail":"no"}"#, ": no"),
        ("text/plain; charset=utf-8", "no\u{1b}]0;x\n", ": no ]0;x"),
        ("text/html", "<html>no</html>", ""),
        ("text/plain", "<html>no</html>", ""),
        ("application/octet-stream", "no", ""),
    ] {
        let error = attach(http(400, media_type, body)).await.unwrap_err();
        let line = error.to_string();
        assert!(line.ends_with(&format!("400 Bad Request{shown}")), "{line}");
        assert_eq!(error.message().is_some(), !shown.is_empty());
    }
}

#[tokio::test]
async fn what_an_error_keeps_of_an_answer_is_bounded() {
    let long = "m".repeat(100_000);
    let request_id = format!("\r\nx-request-id: {}\r\n", &long[..50_000]);
    let answer = |status, body: &str| {
        http(status, "application/json", body).replacen("\r\n", &request_id, 1)
    };
    let error = attach(answer(404, &format!(r#"{{"message":"{long}"}}"#))).await.unwrap_err();
    assert!(error.message().unwrap().len() <= 2048 && error.request_id().unwrap().len() <= 2048);
    assert!(serde_json::to_string(&error).unwrap().len() < 8 * 1024);
    assert!(error.to_string().len() < 2 * 1024);

    let created = answer(200, &format!(r#"{{"datafySnapshotId":"{}"}}"#, &long[..9_000]));
    let error = snapshot(created.clone()).await.unwrap_err();
    assert!((2000..=2048).contains(&error.unusable_id().unwrap().len()));
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let listener = Listener::answering(created);
    let fleet = client(&listener).fleet([volume()]).journal(&journal);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    while run.next().await.is_some() {}
    let written = std::fs::read_to_string(&journal).unwrap();
    let end = written.lines().find(|line| line.contains(r#""event":"end""#)).unwrap();
    assert!((2 * 2000..2 * 2048 + 512).contains(&end.len()), "{} bytes", end.len());
}

#[test]
fn reading_a_body_of_many_tiny_chunks_takes_memory_in_proportion_to_its_length() {
    const CHUNKS: usize = 16_000;
    let mut answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                      transfer-encoding: chunked\r\n\r\n"
        .to_owned();
    answer.extend(std::iter::repeat_n("1\r\n \r\n", CHUNKS));
    let body = r#"{"datafySnapshotId":"dsnap-2"}"#;
    answer.extend([&format!("{:x}\r\n", body.len()), body, "\r\n0\r\n\r\n"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let measured = allocation_counter::measure(|| {
        runtime.block_on(snapshot(answer)).unwrap();
    });
    // Copying the earlier chunks for each chunk takes 128 MB.
    assert!(measured.bytes_total < 20 << 20, "{} bytes", measured.bytes_total);
}

#[tokio::test]
async fn a_redirect_is_not_followed_even_if_the_callers_settings_would() {
    let target = Listener::answering_json("{}");
    // Some services answer a POST that they have processed with 303.
    for (status, outcome) in [(303, Outcome::Unknown), (307, Outcome::Refused)] {
        let head = format!("HTTP/1.1 {status} Moved\r\nlocation: {}/", target.url());
        let listener = Listener::answering(format!("{head}\r\ncontent-length: 0\r\n\r\n"));
        let builder = Datafy::builder().endpoint(listener.url()).token("token-1");
        let limited = |http: reqwest::ClientBuilder| http.redirect(Policy::limited(5));
        let datafy = builder.configure_reqwest(limited).build().unwrap();
        let error = datafy.volume(volume()).create_snapshot().await.unwrap_err();
        assert_eq!((error.outcome(), error.status()), (outcome, Some(status)));
        assert!(error.to_string().ends_with(&format!(": {}/", target.url())), "{error}");
    }
    assert_eq!(target.requests(), []);
}
