//! What an answer is taken for: the ID decides, and each other field is read alone.

use datafy_api_ext::{
    CreatedVolume, Datafy, DatafySnapshotId, DeviceName, Error, InstanceId, Outcome, RetryPolicy,
    Snapshot, VolumeId,
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
    // Any 2xx is read like the documented one.
    snapshot(&http(201, "application/json", body)).await.unwrap()
}

async fn created(body: &str) -> CreatedVolume {
    let listener = Listener::answering_json(body);
    let snapshot = DatafySnapshotId::new("dsnap-1").unwrap();
    client(&listener).create_volume(snapshot).await.unwrap()
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
    assert_eq!(snapshot.id.as_str(), "dsnap-2");
    assert_eq!(snapshot.volume_id, Some(volume()));
    assert_eq!(snapshot.status.as_deref(), Some("pending"));
    assert_eq!(snapshot.start_time.unwrap().to_rfc3339(), "2026-11-23T08:00:00.500+00:00");
    assert_eq!(snapshot.volume_size_gb, Some(100));
    assert_eq!(snapshot.description.as_deref(), Some("d"));

    let volume = created(r#"{"volumeId":"vol-3","volumeSizeGB":20}"#).await;
    assert_eq!(volume.id.as_str(), "vol-3");
    assert_eq!(volume.volume_size_gb, Some(20));
}

#[tokio::test]
async fn the_id_decides_and_a_field_that_is_absent_or_does_not_fit_is_none() {
    let odd = r#"{"datafySnapshotId":"dsnap-2","volumeId":null,"status":7,"startTime":"2026-01-01T00:00:00",
        "volumeSizeGb":20.0,"description":"bad \x escape","tags":[1],"x":{"y":null}}"#;
    for body in [r#"{"datafySnapshotId":"dsnap-2"}"#, odd, &format!("\u{feff}{odd}")] {
        let snapshot = snapshot_of(body).await;
        assert_eq!(snapshot.id.as_str(), "dsnap-2");
        assert!(snapshot.volume_id.is_none() && snapshot.status.is_none());
        assert!(snapshot.start_time.is_none() && snapshot.volume_size_gb.is_none());
        assert!(snapshot.description.is_none());
    }
    let volume = created(r#"{"volumeId":"vol-1","volumeSizeGb":20}"#).await;
    assert_eq!(volume.volume_size_gb, None, "the size of a volume is `volumeSizeGB`");
}

/// The errors of both creates.
async fn errors_of_creates(body: &str) -> [Error; 2] {
    let listener = Listener::answering_json(body);
    let datafy = client(&listener);
    let snapshot = datafy.volume(volume()).create_snapshot().await.unwrap_err();
    let source = DatafySnapshotId::new("dsnap-1").unwrap();
    let volume = datafy.create_volume(source).await.unwrap_err();
    assert_eq!(listener.requests().len(), 2, "a create is not repeated");
    [snapshot, volume]
}

#[tokio::test]
async fn a_success_without_an_id_is_unknown_and_shows_its_message() {
    for (body, shown) in [
        (r#"{"message":"Internal server error"}"#, ": Internal server error"),
        (r#"{"errorMessage":"timed out","errorType":"x"}"#, ": timed out"),
        (r#"{"error":"backend"}"#, ": backend"),
        ("{}", ""),
    ] {
        for error in errors_of_creates(body).await {
            assert_eq!((error.outcome(), error.status()), (Outcome::Unknown, Some(200)), "{body}");
            let text = error.to_string();
            assert!(text.contains("200 OK: the answer ") && text.contains(shown), "{text}");
        }
    }
}

#[tokio::test]
async fn an_answer_whose_id_is_not_usable_was_applied() {
    let long = format!(r#"{{"ID":"{}"}}"#, "x".repeat(3_000));
    for (body, shown, unusable) in [
        (r#"{"ID":"../snap/7"}"#, "it contains the character '/'", Some("../snap/7")),
        (r#"{"ID":"i-1"}"#, "`i-` begins an instance ID", Some("i-1")),
        (r#"{"ID":""}"#, "it is empty", Some("")),
        (r#"{"ID":"a","ID":"b"}"#, "has several `", None),
        (r#"{"ID":"cut of"#, "is cut off", None),
        (&long, "it is 3000 bytes long", Some("xxx")),
    ] {
        // The `volumeId` of a snapshot is its source.
        let [snapshot, _] = errors_of_creates(&body.replace("ID", "datafySnapshotId")).await;
        let [_, volume] = errors_of_creates(&body.replace("ID", "volumeId")).await;
        for error in [snapshot, volume] {
            assert_eq!(error.outcome(), Outcome::Applied, "{body}");
            assert!(format!("{error:#}").contains(shown), "{error:#}");
            assert_eq!((error.snapshot_id(), error.volume_id()), (None, None));
            let kept = error.unusable_id();
            assert_eq!(
                kept.map(|id| &id[..id.len().min(3)]),
                unusable.map(|id| &id[..id.len().min(3)])
            );
            assert!(kept.is_none_or(|id| id.len() <= 2048));
        }
    }
    // It names its source, and not itself.
    let source = r#"{"volumeId":"vol-1"}"#;
    let error = snapshot(&http(200, "application/json", source)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Applied);
    assert_eq!((error.volume_id(), error.unusable_id()), (Some(&volume()), None));
}

#[tokio::test]
async fn a_success_without_documented_content_that_is_about_something_else_is_unknown() {
    for body in [r#"{"error":"x"}"#, r#"{"datafySnapshotId":"dsnap-2"}"#, r#"{"volumeId":"vol-2"}"#]
    {
        let answer = http(200, "application/json", body);
        let listener = Listener::answering(answer.clone());
        let deactivated = client(&listener).volume(volume()).deactivate_autoscaling().await;
        for error in [attach(&answer).await.unwrap_err(), deactivated.unwrap_err()] {
            assert_eq!((error.outcome(), error.status()), (Outcome::Unknown, Some(200)), "{body}");
        }
    }
}

#[tokio::test]
async fn a_refusal_shows_what_it_says_in_any_common_form() {
    for (media_type, body, shown) in [
        ("application/json", r#"{"Message":"no"}"#, ": no"),
        ("application/json", r#"{"error":"no"}"#, ": no"),
        ("application/json", r#"{"errors":[{"code":1}]}"#, r#": [{"code":1}]"#),
        ("application/problem+json", r#"{"detail":"no"}"#, ": no"),
        ("text/plain; charset=utf-8", "no\u{1b}]0;x\n", ": no ]0;x"),
        ("application/json", r#""no""#, r#": "no""#),
        ("text/html", "<html>no</html>", ""),
        ("text/plain", "<html>no</html>", ""),
        ("application/octet-stream", "no", ""),
    ] {
        let error = attach(&http(400, media_type, body)).await.unwrap_err();
        let line = error.to_string();
        assert!(line.ends_with(&format!("400 Bad Request{shown}")), "{line}");
        assert_eq!(error.message().is_some(), !shown.is_empty());
    }
}

#[tokio::test]
async fn what_an_error_keeps_of_an_answer_is_bounded() {
    let long = "m".repeat(100_000);
    let body = format!(r#"{{"message":"{long}"}}"#);
    let answer = http(404, "application/json", &body).replacen(
        "\r\n",
        &format!("\r\nx-request-id: {}\r\n", &long[..50_000]),
        1,
    );
    let error = attach(&answer).await.unwrap_err();
    assert!(error.message().unwrap().len() <= 2048 && error.request_id().unwrap().len() <= 2048);
    assert!(serde_json::to_string(&error).unwrap().len() < 8 * 1024);
    assert!(error.to_string().len() < 2 * 1024);
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
        runtime.block_on(snapshot(&answer)).unwrap();
    });
    // Copying the earlier chunks for each chunk takes 128 MB.
    assert!(measured.bytes_total < 20 << 20, "{} bytes", measured.bytes_total);
}

#[tokio::test]
async fn a_refusal_keeps_its_message_and_its_request_id() {
    let answer = "HTTP/1.1 404 Not Found\r\nx-request-id: r-7\r\ncontent-length: 22\r\n\r\n\
                  {\"message\":\"no\\nsuch\"}";
    let error = attach(answer).await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Refused, Some(404)));
    assert_eq!(error.message().unwrap(), "no\nsuch");
    assert_eq!(error.request_id().unwrap(), "r-7");
    assert_eq!((error.operation(), error.attempts()), ("attach_volume", 1));
    let line = format!(
        "attach of vol-1 to i-1 as sdb at {} was refused: 404 Not Found: no such; request ID r-7",
        error.endpoint()
    );
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
        assert!(error.to_string().ends_with(&format!(": {}/", target.url())), "{error}");
    }
    assert_eq!(target.requests(), []);
}
