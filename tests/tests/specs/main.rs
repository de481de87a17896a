//! The client of another spec, over a socket: what the subset that the generator takes becomes. The client is compiled
//! here, with the hand-written modules of its crate.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "the client is a library")]

#[path = "../../../datafy-api/src/base_url.rs"]
mod base_url;
#[path = "../../../datafy-api/src/hooks.rs"]
mod hooks;
#[path = "../../../datafy-api/src/operation.rs"]
mod operation;
#[path = "../../../datafy-api/src/request.rs"]
mod request;

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated code")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/other_spec.rs"));
}

use datafy_tests::{Listener, Request, http};
use generated::mocks::MockServerExt;
use generated::{Client, Error, operations, types};
use serde_json::{Value, json};

fn client(url: &str) -> Client {
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    Client::new(url.parse().unwrap(), http, hooks::Hooks::bearer("token").unwrap())
}

/// A client of a server that answers with this status and JSON.
fn answering(status: u16, body: &str) -> (Client, Listener) {
    let listener = Listener::answering(http(status, "application/json", body));
    (client(&listener.url()), listener)
}

fn only(listener: &Listener) -> Request {
    let requests = listener.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests[0].clone()
}

fn body(listener: &Listener) -> Value {
    serde_json::from_str(&only(listener).body).unwrap()
}

#[tokio::test]
async fn a_list_is_one_parameter_or_one_for_each_item() {
    let table: [(&[&str], &str); 4] = [
        (&["a", "b"], "?accounts=a,b HTTP"),
        (&["a,b", "c d&e=f", "é#"], "?accounts=a%2Cb,c%20d%26e%3Df,%C3%A9%23 HTTP"),
        (&["", "-._~"], "?accounts=,-._~ HTTP"),
        (&[], "/volumes/v/create-snapshot HTTP"),
    ];
    for (accounts, expected) in table {
        let (client, server) = answering(200, "{}");
        client.create_snapshot("v", accounts.iter().copied(), None).await.unwrap();
        assert!(only(&server).line.contains(expected), "{:?}", only(&server));
    }
    let (client, server) = answering(200, "[]");
    client.list_disks(None, [1, 2], 3, None, None, Some(1.5), "eu").await.unwrap();
    assert_eq!(only(&server).line, "GET /disks?ids=1&ids=2&limit=3 HTTP/1.1");
    assert_eq!(only(&server).headers["x-region"], "eu");
    assert_eq!(only(&server).headers["x-ratio"], "1.5");
}

#[tokio::test]
async fn a_parameter_without_a_value_is_not_sent_and_its_default_neither() {
    let (client, server) = answering(200, "[]");
    let since = chrono::NaiveDate::from_ymd_opt(2026, 1, 2);
    client
        .list_disks(Some("2026-01-02T03:04:05Z"), None, 0, since, Some(true), None, "é")
        .await
        .unwrap();
    let request = only(&server);
    let line =
        "GET /disks?before=2026-01-02T03%3A04%3A05Z&limit=0&since=2026-01-02&y=true HTTP/1.1";
    assert_eq!(request.line, line);
    assert!(!request.headers.contains_key("x-ratio"), "{request:?}");
    assert_eq!(request.headers["authorization"], "Bearer token");
}

#[tokio::test]
async fn an_optional_body_can_be_left_out() {
    let body_of = types::CreateSnapshotBody::default();
    // Neither a default nor a read-only property is sent.
    for (given, length, expected) in [(None, "0", ""), (Some(&body_of), "2", "{}")] {
        let (client, server) = answering(200, "{}");
        client.create_snapshot("v", None, given).await.unwrap();
        let request = only(&server);
        assert_eq!(
            (request.headers["content-length"].as_str(), &*request.body),
            (length, expected)
        );
        assert_eq!(request.headers.contains_key("content-type"), given.is_some(), "{request:?}");
    }
}

#[tokio::test]
async fn an_enum_of_an_answer_can_grow_and_no_limit_is_checked() {
    let answer = r#"{"status":"new","startTime":"2026-01-02T03:04:05Z","tags":["a"],"other":1}"#;
    let (client, _server) = answering(200, answer);
    let snapshot = client.create_snapshot("v", Some("a"), None).await.unwrap().into_inner();
    assert_eq!(snapshot.status.as_deref(), Some("new"));
    assert_eq!(snapshot.tags, ["a"]);
    assert_eq!(snapshot.start_time.unwrap().timestamp(), 1_767_323_045);
}

#[tokio::test]
async fn a_schema_can_be_sent_and_answered() {
    let answer = r#"{"name":"longer","age":-1,"role":"guest","level":4}"#;
    let (client, server) = answering(200, answer);
    let user = types::User { role: Some(String::new()), level: Some(9), ..Default::default() };
    let user = client.patch_user(7, &user).await.unwrap().into_inner();
    assert_eq!(only(&server).line, "PATCH /users/7 HTTP/1.1");
    assert_eq!(body(&server), json!({ "role": "", "level": 9 }));
    assert_eq!(serde_json::to_string(&user).unwrap().len(), answer.len());
}

#[tokio::test]
async fn read_only_properties_and_defaults_are_not_sent_wherever_they_come_from() {
    let (client, server) = answering(202, "");
    let disk = types::NewDisk { size: None, zone: "z".to_owned() };
    let body_of = types::PutDisksBody {
        disks: vec![disk.clone()],
        named: [("n".to_owned(), disk)].into(),
        y: Some("on".to_owned()),
    };
    client.put_disks(&body_of).await.unwrap();
    let disk = json!({ "zone": "z" });
    assert_eq!(body(&server), json!({ "disks": [disk], "named": { "n": disk }, "y": "on" }));
}

#[tokio::test]
async fn an_alternative_of_a_request_is_sent_as_it_is() {
    let (client, server) = answering(201, "");
    let source = types::ListSource { invented_list: vec!["a".to_owned()] }.into();
    client.create_volume(None, &types::CreateVolumeBody { source }).await.unwrap();
    assert_eq!(body(&server), json!({ "source": { "inventedList": ["a"] } }));
    let (client, server) = answering(200, "");
    let detach = types::DetachVolumeRequest { force: None, instance_id: "i-1".to_owned() };
    client.detach_volume("v", &detach).await.unwrap();
    assert_eq!(body(&server), json!({ "instanceId": "i-1" }));
}

#[tokio::test]
async fn an_answer_is_read_by_its_status() {
    let (client, _server) =
        answering(200, r#"[{"id":"a","parent":null,"part":{"id":"b","parent":"c"}}]"#);
    let disks =
        client.list_disks(None, None, 1, None, None, None, "eu").await.unwrap().into_inner();
    assert_eq!(disks[0].part.as_ref().unwrap().parent.as_deref(), Some("c"));
    let (client, _server) = answering(200, "");
    client.head_user(1).await.unwrap();
    for status in [404, 500, 201] {
        let (client, _server) = answering(status, r#"{"message":"no"}"#);
        let error = client.create_snapshot("v", None, None).await.unwrap_err();
        let Error::UnexpectedResponse(response) = error else { panic!("{error}") };
        assert_eq!(response.status(), status);
        assert_eq!(response.text().await.unwrap(), r#"{"message":"no"}"#);
    }
}

#[tokio::test]
async fn a_mock_expects_what_the_client_sends() {
    let server = httpmock::MockServer::start_async().await;
    let mock = server.create_snapshot(|when, then| {
        when.accounts("a,b");
        then.ok(&types::CreateSnapshotResponse::default());
    });
    client(&server.base_url()).create_snapshot("v", ["a", "b"], None).await.unwrap();
    mock.assert();
    let before = "2026-01-02T03:04:05Z";
    let mock = server.list_disks(|when, then| {
        when.before(before);
        then.into_inner().status(404);
    });
    let client = client(&server.base_url());
    client.list_disks(Some(before), None, 1, None, None, None, "eu").await.unwrap_err();
    mock.assert();
}

#[test]
fn the_table_lists_what_is_sent() {
    let names: Vec<_> = operations::ALL.iter().map(|operation| operation.name).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    assert_eq!(operations::CREATE_SNAPSHOT.query, ["accounts"]);
    assert_eq!(operations::CREATE_SNAPSHOT.body, ["autoscalingOnly", "description"]);
    assert_eq!(operations::LIST_DISKS.headers, ["x-ratio", "x-region"]);
    let idempotent = [operations::CREATE_VOLUME, operations::PUT_DISKS].map(|it| it.idempotent);
    assert_eq!(idempotent, [false, true]);
}
