//! The exact request of each operation.

use datafy_api::types::CreateSnapshotRequest;
use datafy_api_ext::{
    Datafy, DatafyBuilder, DatafySnapshotId, DeviceName, InstanceId, Source, SubAccountId, VolumeId,
};
use datafy_tests::{Listener, Request};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const USER_AGENT: &str = concat!("datafy-api-ext/", env!("CARGO_PKG_VERSION"));

fn client(listener: &Listener) -> Datafy {
    builder(listener).build().unwrap()
}

fn builder(listener: &Listener) -> DatafyBuilder {
    Datafy::builder().endpoint(listener.url()).token("token-1")
}

fn volume() -> VolumeId {
    VolumeId::new("vol-0b9176567fe16f0bc").unwrap()
}

fn sub_account() -> SubAccountId {
    SubAccountId::new("1536356a-b26f-4feb-8cd5-56b54b6c51d2").unwrap()
}

/// Panics unless exactly this request was sent. `accept`: the media type in its `Accept` header.
fn expect(listener: &Listener, line: &str, accept: &str, body: &str, extra: &[(&str, &str)]) {
    let mut headers = BTreeMap::from([
        ("host".to_owned(), listener.host()),
        ("authorization".to_owned(), "Bearer token-1".to_owned()),
        ("accept".to_owned(), accept.to_owned()),
        ("user-agent".to_owned(), USER_AGENT.to_owned()),
        ("content-length".to_owned(), body.len().to_string()),
    ]);
    if !body.is_empty() {
        headers.insert("content-type".to_owned(), "application/json".to_owned());
    }
    headers.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let expected = Request { line: line.to_owned(), headers, body: body.to_owned() };
    assert_eq!(listener.requests(), [expected]);
}

const SNAPSHOT_LINE: &str = "POST /api/v1/volumes/vol-0b9176567fe16f0bc/create-snapshot HTTP/1.1";

#[tokio::test]
async fn create_snapshot_without_options_sends_an_empty_object() {
    let listener = Listener::answering_json("{}");
    client(&listener).volume(volume()).create_snapshot().await.unwrap();
    expect(&listener, SNAPSHOT_LINE, "application/json", "{}", &[]);
}

#[tokio::test]
async fn create_snapshot_sends_the_options_that_were_set() {
    let listener = Listener::answering_json("{}");
    let call = client(&listener).volume(volume()).create_snapshot();
    call.autoscaling_only(false)
        .description("nightly \"1\"")
        .sub_account(sub_account())
        .await
        .unwrap();
    expect(
        &listener,
        SNAPSHOT_LINE,
        "application/json",
        r#"{"autoscalingOnly":false,"description":"nightly \"1\""}"#,
        &[("x-datafy-sub-account-id", "1536356a-b26f-4feb-8cd5-56b54b6c51d2")],
    );
}

const VOLUME_LINE: &str = "POST /api/v1/volumes/create-from-snapshots HTTP/1.1";

#[tokio::test]
async fn create_volume_sends_the_snapshot_as_its_source() {
    let listener = Listener::answering_json("{}");
    let snapshot = DatafySnapshotId::new("dsnap-1").unwrap();
    client(&listener).create_volume().from_snapshot(snapshot).await.unwrap();
    let body = r#"{"source":{"datafySnapshotId":"dsnap-1"}}"#;
    expect(&listener, VOLUME_LINE, "application/json", body, &[]);
}

#[tokio::test]
async fn create_volume_sends_an_undocumented_source_unchanged() {
    let listener = Listener::answering_json("{}");
    let object: Map<String, Value> = serde_json::from_str(r#"{"a":[1,{"b":null}]}"#).unwrap();
    let call = client(&listener).create_volume().from_source(Source::Undocumented(object));
    call.sub_account(sub_account()).await.unwrap();
    expect(
        &listener,
        VOLUME_LINE,
        "application/json",
        r#"{"source":{"a":[1,{"b":null}]}}"#,
        &[("x-datafy-sub-account-id", "1536356a-b26f-4feb-8cd5-56b54b6c51d2")],
    );
}

const ATTACH_LINE: &str = "POST /api/v1/volumes/vol-0b9176567fe16f0bc/attach HTTP/1.1";

#[tokio::test]
async fn attach_sends_the_instance_and_the_device() {
    let listener = Listener::answering_json("");
    let (instance, device) =
        (InstanceId::new("i-1").unwrap(), DeviceName::new("/dev/sdb").unwrap());
    client(&listener).volume(volume()).attach(instance, device).await.unwrap();
    let body = r#"{"deviceName":"/dev/sdb","instanceId":"i-1"}"#;
    expect(&listener, ATTACH_LINE, "*/*", body, &[]);
}

const DEACTIVATE_LINE: &str =
    "POST /api/v1/volumes/vol-0b9176567fe16f0bc/deactivate-autoscaling HTTP/1.1";

#[tokio::test]
async fn deactivate_autoscaling_sends_no_body() {
    let listener = Listener::answering_json("");
    client(&listener).volume(volume()).deactivate_autoscaling().await.unwrap();
    expect(&listener, DEACTIVATE_LINE, "*/*", "", &[]);
}

#[tokio::test]
async fn every_call_sends_the_sub_account_of_the_client() {
    let header = [("x-datafy-sub-account-id", "1536356a-b26f-4feb-8cd5-56b54b6c51d2")];
    for call in 0..4 {
        let listener = Listener::answering_json("{}");
        let datafy = builder(&listener).sub_account(sub_account()).build().unwrap();
        let of = datafy.volume(volume());
        let (instance, device) = (InstanceId::new("i-1").unwrap(), DeviceName::new("sdb").unwrap());
        match call {
            0 => drop(of.create_snapshot().await.unwrap()),
            1 => {
                let snapshot = DatafySnapshotId::new("dsnap-1").unwrap();
                drop(datafy.create_volume().from_snapshot(snapshot).await.unwrap());
            }
            2 => of.attach(instance, device).await.unwrap(),
            _ => of.deactivate_autoscaling().await.unwrap(),
        }
        let request = &listener.requests()[0];
        assert_eq!(request.headers.get(header[0].0).map(String::as_str), Some(header[0].1));
    }
}

#[tokio::test]
async fn a_call_can_omit_the_sub_account_of_the_client() {
    let listener = Listener::answering_json("");
    let datafy = builder(&listener).sub_account(sub_account()).build().unwrap();
    datafy.volume(volume()).deactivate_autoscaling().sub_account(None).await.unwrap();
    expect(&listener, DEACTIVATE_LINE, "*/*", "", &[]);
}

#[tokio::test]
async fn a_traceable_snapshot_has_its_marker_after_the_description() {
    for (description, before) in [(Some("nightly"), "nightly "), (None, "")] {
        let listener = Listener::answering_json("{}");
        let mut call = client(&listener).volume(volume()).create_snapshot().traceable();
        if let Some(description) = description {
            call = call.description(description);
        }
        call.await.unwrap();
        let body: Value = serde_json::from_str(&listener.requests()[0].body).unwrap();
        let sent = body["description"].as_str().unwrap();
        let marker = sent.strip_prefix(before).unwrap();
        let mark = marker.strip_prefix("[datafy-").and_then(|rest| rest.strip_suffix(']')).unwrap();
        assert!(mark.len() == 10 && mark.chars().all(char::is_alphanumeric), "{marker}");
    }
}

#[tokio::test]
async fn the_raw_client_rejects_a_body_longer_than_its_limit() {
    let body = format!("{{\"description\":\"{}\"}}", "x".repeat(100));
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for answer in [datafy_tests::http(200, "application/json", &body), chunked] {
        let listener = Listener::answering(answer);
        let of_limit = |limit| {
            let hooks = datafy_api::hooks::Hooks::bearer("t").unwrap().with_body_limit(limit);
            datafy_api::Client::new(listener.url().parse().unwrap(), reqwest::Client::new(), hooks)
        };
        let request = CreateSnapshotRequest::default();
        let (within, beyond) = (of_limit(body.len()), of_limit(body.len() - 1));
        within.create_snapshot("vol-1", None, &request).await.expect("a body within the limit");
        let error = beyond.create_snapshot("vol-1", None, &request).await.unwrap_err();
        assert!(matches!(error, datafy_api::Error::ResponseBodyError(_)), "{error}");
    }
}

#[tokio::test]
async fn the_raw_client_sends_no_api_version_and_no_read_only_property() {
    let listener = Listener::answering_json("{}");
    let hooks = datafy_api::hooks::Hooks::bearer("token-1").unwrap();
    let client =
        datafy_api::Client::new(listener.url().parse().unwrap(), reqwest::Client::new(), hooks);
    client.create_snapshot("vol-1", None, &CreateSnapshotRequest::default()).await.unwrap();
    let request = &listener.requests()[0];
    let names: Vec<_> = request.headers.keys().map(String::as_str).collect();
    assert_eq!(names, ["accept", "authorization", "content-length", "content-type", "host"]);
    assert_eq!(request.body, "{}");
}

#[tokio::test]
async fn a_request_method_builds_the_request_of_its_call_and_sends_nothing() {
    let listener = Listener::answering_json("{}");
    let hooks = datafy_api::hooks::Hooks::bearer("token-1").unwrap();
    // The listener closes each connection, and a pool may notice that too late.
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let client = datafy_api::Client::new(listener.url().parse().unwrap(), http.clone(), hooks);
    let body = CreateSnapshotRequest { description: Some("nightly".into()), ..Default::default() };

    let snapshot = client.create_snapshot_request("vol-1", Some("sub-1"), &body).unwrap();
    let deactivation = client.deactivate_autoscaling_request("vol-1", None).unwrap();
    assert!(listener.requests().is_empty());
    http.execute(snapshot).await.unwrap();
    client.create_snapshot("vol-1", Some("sub-1"), &body).await.unwrap();
    http.execute(deactivation).await.unwrap();
    client.deactivate_autoscaling("vol-1", None).await.unwrap();
    let requests = listener.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(requests[0], requests[1]);
    assert_eq!(requests[2], requests[3]);
    assert_eq!(requests[2].headers["content-length"], "0");
    assert!(requests.iter().all(|it| it.headers["authorization"] == "Bearer token-1"));

    let error = client.create_snapshot_request("vol-1", Some("a\nb"), &body).unwrap_err();
    assert!(matches!(error, datafy_api::Error::InvalidRequest(_)), "{error}");
}

#[tokio::test]
async fn the_url_of_a_request_is_the_base_url_with_the_path_appended() {
    let hooks = datafy_api::hooks::Hooks::bearer("token-1").unwrap();
    for base in ["http://h", "https://h:8443/", "https://[::1]/stage/", "https://h/a%20b/c"] {
        let client =
            datafy_api::Client::new(base.parse().unwrap(), reqwest::Client::new(), hooks.clone());
        let base = base.trim_end_matches('/');
        for (id, encoded) in [
            ("vol-1", "vol-1"),
            ("a/b?c#d", "a%2Fb%3Fc%23d"),
            ("100% \t\n", "100%25%20%09%0A"),
            ("é|^'[]", "%C3%A9|^'[]"),
            ("%2e%2e", "%252e%252e"),
            // Not escaped: the README of the crate warns about these.
            ("..", ".."),
            ("", ""),
        ] {
            let request = client.deactivate_autoscaling_request(id, None).unwrap();
            let path = format!("/api/v1/volumes/{encoded}/deactivate-autoscaling");
            let expected: reqwest::Url = format!("{base}{path}").parse().unwrap();
            assert_eq!(request.url(), &expected, "{base} {id:?}");
        }
    }
}
