//! Answers reach the caller unchanged: an absent field is absent, an unexpected value is kept.

use datafy_api_ext::{
    Answered, CreatedVolume, Datafy, DatafySnapshotId, DeviceName, Error, InstanceId, Outcome,
    RetryPolicy, Snapshot, SnapshotStatus, VolumeId,
};
use datafy_tests::{Listener, http};

fn client(listener: &Listener) -> Datafy {
    let builder = Datafy::builder().endpoint(listener.url()).token("token-1");
    builder.retry(RetryPolicy::none()).build().unwrap()
}

fn volume() -> VolumeId {
    VolumeId::new("vol-1").unwrap()
}

async fn snapshot(answer: &str) -> Result<Snapshot, Error> {
    let listener = Listener::answering(answer);
    client(&listener).volume(volume()).create_snapshot().await
}

async fn snapshot_of(body: &str) -> Snapshot {
    snapshot(&http(200, "application/json", body)).await.unwrap()
}

async fn created(body: &str) -> CreatedVolume {
    let listener = Listener::answering_json(body);
    let snapshot = DatafySnapshotId::new("dsnap-1").unwrap();
    client(&listener).create_volume().from_snapshot(snapshot).await.unwrap()
}

async fn attach(answer: &str) -> Result<(), Error> {
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
    assert_eq!(snapshot.require_id().unwrap().as_str(), "dsnap-2");
    assert_eq!(snapshot.volume_id, Some(Answered::Id(volume())));
    assert_eq!(snapshot.status, Some(SnapshotStatus::Pending));
    assert_eq!(snapshot.start_time.unwrap().to_rfc3339(), "2026-11-23T08:00:00.500+00:00");
    assert_eq!(snapshot.volume_size_gb, Some(100));
    assert_eq!(snapshot.description.as_deref(), Some("d"));

    let volume = created(r#"{"volumeId":"vol-3","volumeSizeGB":20}"#).await;
    assert_eq!(volume.require_id().unwrap().as_str(), "vol-3");
    assert_eq!(volume.volume_size_gb, Some(20));
}

#[tokio::test]
async fn an_absent_or_null_field_is_none() {
    let nulls = r#"{"datafySnapshotId":null,"volumeId":null,"status":null,"startTime":null,
        "volumeSizeGb":null,"description":null}"#;
    for body in ["{}", nulls] {
        let snapshot = snapshot_of(body).await;
        assert!(snapshot.id.is_none() && snapshot.volume_id.is_none() && snapshot.status.is_none());
        assert!(snapshot.start_time.is_none() && snapshot.volume_size_gb.is_none());
        assert!(snapshot.description.is_none());
        let error = snapshot.require_id().unwrap_err().to_string();
        assert_eq!(error, "the answer holds no usable `datafySnapshotId`: it is absent");
    }
    let volume = created(r#"{"volumeSizeGb":20}"#).await;
    assert_eq!(volume.volume_size_gb, None, "the size of a volume is `volumeSizeGB`");
}

#[tokio::test]
async fn an_extra_field_and_an_unknown_status_are_accepted() {
    let snapshot = snapshot_of(r#"{"status":"error.recoverable","tags":[1],"x":{"y":null}}"#).await;
    assert_eq!(snapshot.status, Some(SnapshotStatus::Other("error.recoverable".to_owned())));
}

#[tokio::test]
async fn an_id_of_unexpected_form_is_kept_unchanged() {
    let snapshot = snapshot_of(r#"{"datafySnapshotId":"../snap/7","volumeId":""}"#).await;
    assert_eq!(snapshot.id, Some(Answered::Unexpected("../snap/7".to_owned())));
    assert_eq!(snapshot.volume_id, Some(Answered::Unexpected(String::new())));
    let error = snapshot.require_id().unwrap_err().to_string();
    assert_eq!(error, r#"the answer holds no usable `datafySnapshotId`: it is "../snap/7""#);
}

#[tokio::test]
async fn a_success_that_is_not_the_services_answer_is_unknown() {
    let page = http(200, "text/html; charset=utf-8", "<html>Sign in</html>");
    for error in [attach(&page).await.unwrap_err(), snapshot(&page).await.unwrap_err()] {
        assert_eq!((error.outcome(), error.status()), (Outcome::Unknown, Some(200)));
        assert!(error.to_string().contains("200 OK: the answer is text/html and not "), "{error}");
        assert_eq!(error.body(), Some(&b"<html>Sign in</html>"[..]));
    }
    let text = http(200, "text/plain", r#"{"datafySnapshotId":"dsnap-2"}"#);
    assert_eq!(snapshot(&text).await.unwrap_err().outcome(), Outcome::Unknown);
    let untyped = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>";
    assert_eq!(snapshot(untyped).await.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(attach(untyped).await.unwrap_err().outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_success_without_documented_content_may_be_empty_or_json() {
    let bodies = [
        http(200, "application/json", r#"{"message":""}"#),
        http(200, "text/plain", r#"{"message":""}"#),
        http(200, "application/json", ""),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        http(202, "application/json", "{}"),
    ];
    for answer in bodies {
        attach(&answer).await.unwrap();
    }
}

#[tokio::test]
async fn an_undocumented_success_status_is_read_like_the_documented_one() {
    let answer = http(201, "application/json", r#"{"datafySnapshotId":"dsnap-2"}"#);
    let snapshot = snapshot(&answer).await.unwrap();
    assert_eq!(snapshot.require_id().unwrap().as_str(), "dsnap-2");
}

#[tokio::test]
async fn a_204_in_answer_to_a_create_is_unknown() {
    let error = snapshot("HTTP/1.1 204 No Content\r\n\r\n").await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Unknown, Some(204)));
}

#[test]
fn reading_a_body_of_many_tiny_chunks_takes_memory_in_proportion_to_its_length() {
    const CHUNKS: usize = 20_000;
    let mut answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                      transfer-encoding: chunked\r\n\r\n"
        .to_owned();
    answer.extend(std::iter::repeat_n("1\r\n \r\n", CHUNKS));
    answer.push_str("2\r\n{}\r\n0\r\n\r\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let measured = allocation_counter::measure(|| {
        runtime.block_on(snapshot(&answer)).unwrap();
    });
    // Copying the earlier chunks for each chunk takes 200 MB.
    assert!(measured.bytes_total < 20 << 20, "{} bytes", measured.bytes_total);
}

#[tokio::test]
async fn the_error_page_of_a_gateway_keeps_its_status_and_its_body() {
    let error = snapshot(&http(502, "text/html", "<html>Bad Gateway</html>")).await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Unknown, Some(502)));
    assert_eq!((error.message(), error.body()), (None, Some(&b"<html>Bad Gateway</html>"[..])));
    assert_eq!(error.to_string(), "create_snapshot may have been applied: 502 Bad Gateway");
}

#[tokio::test]
async fn a_refusal_keeps_its_message_and_its_request_id() {
    let answer = "HTTP/1.1 404 Not Found\r\nx-request-id: r-7\r\ncontent-length: 22\r\n\r\n\
                  {\"message\":\"no\\nsuch\"}";
    let error = attach(answer).await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Refused, Some(404)));
    assert_eq!((error.message(), error.request_id()), (Some("no\nsuch"), Some("r-7")));
    assert_eq!((error.operation(), error.attempts()), ("attach_volume", 1));
    let line = "attach_volume was refused: 404 Not Found: no such; request ID r-7";
    assert_eq!(error.to_string(), line);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Listener::answering_json("{}");
    for status in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Moved\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n",
            target.url()
        );
        let error = snapshot(&answer).await.unwrap_err();
        // Some services answer a POST that they have processed with these.
        let ambiguous = matches!(status, 302 | 303);
        let outcome = if ambiguous { Outcome::Unknown } else { Outcome::Refused };
        assert_eq!((error.outcome(), error.status()), (outcome, Some(status)));
    }
    assert_eq!(target.requests(), []);
}
