//! The exact request of each operation.

use datafy_api::operation::Operation as Facts;
use datafy_api::operations::{
    ATTACH_VOLUME, CREATE_SNAPSHOT, CREATE_VOLUME_FROM_SNAPSHOTS, DEACTIVATE_AUTOSCALING,
};
use datafy_api::types::CreateSnapshotRequest;
use datafy_api_ext::{
    AttachVolume, Call, CreateSnapshot, CreateVolume, Datafy, DatafyBuilder, DatafySnapshotId,
    DeactivateAutoscaling, DeviceName, InstanceId, Operation, SubAccountId, VolumeId,
};
use datafy_tests::{Listener, Request, other_source};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const USER_AGENT: &str = concat!("datafy-api-ext/", env!("CARGO_PKG_VERSION"));

const SUB_ACCOUNT: &str = "1536356a-b26f-4feb-8cd5-56b54b6c51d2";

/// The argument of the raw client's methods that names no sub-account, and one that does.
const NO_ACCOUNT: Option<&str> = None;
const ACCOUNT: Option<&str> = Some("sub-1");

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
    SubAccountId::new(SUB_ACCOUNT).unwrap()
}

fn snapshot(datafy: &Datafy) -> Call<CreateSnapshot> {
    datafy.volume(volume()).create_snapshot()
}

fn from_snapshot(datafy: &Datafy) -> Call<CreateVolume> {
    datafy.create_volume(DatafySnapshotId::new("dsnap-1").unwrap())
}

fn from_object(datafy: &Datafy) -> Call<CreateVolume> {
    datafy.create_volume(other_source().0)
}

fn attach(datafy: &Datafy) -> Call<AttachVolume> {
    let (instance, device) = (InstanceId::new("i-1"), DeviceName::new("/dev/sdb"));
    datafy.volume(volume()).attach(instance.unwrap(), device.unwrap())
}

fn deactivate(datafy: &Datafy) -> Call<DeactivateAutoscaling> {
    datafy.volume(volume()).deactivate_autoscaling()
}

/// What a request of an operation is expected to hold, apart from what all requests do.
#[derive(Clone, Default)]
struct Expected {
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    marked: bool,
}

impl Expected {
    fn body(body: Value) -> Self {
        Self { body: Some(body), ..Self::default() }
    }

    /// Sets a property of the body.
    fn set(&mut self, name: &str, value: Value) {
        self.body.get_or_insert_default()[name] = value;
    }

    /// With the sub-account in each parameter of the operation: the contract has no other ones.
    fn of_sub_account(mut self, facts: &Facts) -> Self {
        let pair = |name: &&str| ((*name).to_owned(), SUB_ACCOUNT.to_owned());
        self.query.extend(facts.query.iter().map(pair));
        self.headers.extend(facts.headers.iter().map(pair));
        assert!(!self.query.is_empty() || !self.headers.is_empty());
        self
    }

    /// The request, if `sent` has a body with the same content and the same marker.
    fn request(mut self, facts: &Facts, listener: &Listener, sent: &Request) -> Request {
        let path = facts.path.replace("{volumeId}", volume().as_str());
        self.query.sort();
        let query: Vec<_> =
            self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let line = format!("{} {path}{mark}{} HTTP/1.1", facts.method, query.join("&"));
        let answers_json = [CREATE_SNAPSHOT, CREATE_VOLUME_FROM_SNAPSHOTS].contains(facts);
        let accept = if answers_json { "application/json" } else { "*/*" };
        let mut headers = BTreeMap::from([
            ("host".to_owned(), listener.host()),
            ("authorization".to_owned(), "Bearer token-1".to_owned()),
            ("accept".to_owned(), accept.to_owned()),
            ("user-agent".to_owned(), USER_AGENT.to_owned()),
            ("content-length".to_owned(), sent.body.len().to_string()),
        ]);
        let mut body = String::new();
        if let Some(mut content) = self.body {
            headers.insert("content-type".to_owned(), "application/json".to_owned());
            let sent: Value = serde_json::from_str(&sent.body).unwrap();
            if self.marked {
                let marker = marker(sent["description"].as_str().unwrap());
                let description = match content["description"].as_str() {
                    Some(description) => format!("{description} {marker}"),
                    None => marker.to_owned(),
                };
                content["description"] = json!(description);
            }
            body = content.to_string();
        }
        headers.extend(self.headers);
        Request { line, headers, body }
    }
}

/// The marker at the end of a description.
fn marker(description: &str) -> &str {
    let marker = &description[description.rfind('[').unwrap()..];
    let random = marker.strip_prefix("[datafy-").and_then(|rest| rest.strip_suffix(']')).unwrap();
    assert!(random.len() == 10 && random.chars().all(char::is_alphanumeric), "{marker}");
    marker
}

/// Sends a call, and panics unless exactly the expected request arrives.
async fn expect<O: Operation + 'static>(
    facts: &Facts,
    call: impl FnOnce(&Datafy) -> Call<O>,
    expected: Expected,
) {
    let listener = Listener::answering_calls();
    assert!(call(&client(&listener)).await.is_ok());
    let requests = listener.requests();
    let [sent] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(*sent, expected.request(facts, &listener, sent));
}

/// An option of a call, and what it changes in the request.
type Choice<O> = (fn(Call<O>) -> Call<O>, fn(&mut Expected));

/// Sends the call without options, and with all of them.
async fn expect_options<O: Operation + 'static>(
    facts: &Facts,
    call: impl Fn(&Datafy) -> Call<O>,
    without_options: Expected,
    own: &[Choice<O>],
) {
    expect(facts, &call, without_options.clone()).await;
    let mut expected = without_options.of_sub_account(facts);
    expected.query.push(("extra".to_owned(), "1".to_owned()));
    expected.headers.insert("x-extra".to_owned(), "2".to_owned());
    for (_, change) in own {
        change(&mut expected);
    }
    let with_options = |datafy: &Datafy| {
        let call = call(datafy).sub_account(sub_account()).query("extra", "1");
        own.iter().fold(call.header("X-Extra", "2"), |call, (set, _)| set(call))
    };
    expect(facts, with_options, expected).await;
}

#[tokio::test]
async fn create_snapshot_sends_its_options() {
    let own: [Choice<CreateSnapshot>; 3] = [
        (
            |call| call.autoscaling_only(false),
            |expected| expected.set("autoscalingOnly", json!(false)),
        ),
        (
            |call| call.description("nightly \"1\""),
            |expected| expected.set("description", json!("nightly \"1\"")),
        ),
        (Call::traceable, |expected| expected.marked = true),
    ];
    // Without options an empty object.
    expect_options(&CREATE_SNAPSHOT, snapshot, Expected::body(json!({})), &own).await;
}

#[tokio::test]
async fn create_volume_sends_its_source() {
    let body = json!({ "source": { "datafySnapshotId": "dsnap-1" } });
    let facts = &CREATE_VOLUME_FROM_SNAPSHOTS;
    expect_options(facts, from_snapshot, Expected::body(body), &[]).await;
    let body = json!({ "source": other_source().1 });
    expect_options(facts, from_object, Expected::body(body), &[]).await;
}

#[tokio::test]
async fn attach_sends_the_instance_and_the_device() {
    let body = json!({ "deviceName": "/dev/sdb", "instanceId": "i-1" });
    expect_options(&ATTACH_VOLUME, attach, Expected::body(body), &[]).await;
}

#[tokio::test]
async fn deactivate_autoscaling_sends_no_body() {
    expect_options(&DEACTIVATE_AUTOSCALING, deactivate, Expected::default(), &[]).await;
}

#[tokio::test]
async fn a_call_sends_the_sub_account_of_the_client_unless_it_omits_it() {
    let listener = Listener::answering_calls();
    let datafy = builder(&listener).sub_account(sub_account()).build().unwrap();
    snapshot(&datafy).await.unwrap();
    snapshot(&datafy).sub_account(None).await.unwrap();
    let sent = listener.requests();
    let without = Expected::body(json!({}));
    let with = without.clone().of_sub_account(&CREATE_SNAPSHOT);
    for (request, expected) in sent.iter().zip([with, without]) {
        assert_eq!(*request, expected.request(&CREATE_SNAPSHOT, &listener, request));
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
        within
            .create_snapshot("vol-1", NO_ACCOUNT, &request)
            .await
            .expect("a body within the limit");
        let error = beyond.create_snapshot("vol-1", NO_ACCOUNT, &request).await.unwrap_err();
        assert!(matches!(error, datafy_api::Error::ResponseBodyError(_)), "{error}");
    }
}

#[tokio::test]
async fn a_request_method_builds_the_request_of_its_call_and_sends_nothing() {
    let listener = Listener::answering_calls();
    let hooks = datafy_api::hooks::Hooks::bearer("token-1").unwrap();
    // The listener closes each connection, and a pool may notice that too late.
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let client = datafy_api::Client::new(listener.url().parse().unwrap(), http.clone(), hooks);
    let body = CreateSnapshotRequest { description: Some("nightly".into()), ..Default::default() };

    let snapshot = client.create_snapshot_request("vol-1", ACCOUNT, &body).unwrap();
    let deactivation = client.deactivate_autoscaling_request("vol-1", NO_ACCOUNT).unwrap();
    assert!(listener.requests().is_empty());
    http.execute(snapshot).await.unwrap();
    client.create_snapshot("vol-1", ACCOUNT, &body).await.unwrap();
    http.execute(deactivation).await.unwrap();
    client.deactivate_autoscaling("vol-1", NO_ACCOUNT).await.unwrap();
    let requests = listener.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(requests[0], requests[1]);
    assert_eq!(requests[2], requests[3]);
    assert_eq!(requests[2].headers["content-length"], "0");
    assert!(requests.iter().all(|it| it.headers["authorization"] == "Bearer token-1"));
    // No `api-version`, which progenitor sends, and no read-only property.
    assert!(!requests[0].headers.contains_key("api-version"), "{requests:?}");
    assert_eq!(requests[0].body, r#"{"description":"nightly"}"#);
}

#[tokio::test]
async fn the_url_of_a_request_is_the_base_url_with_the_path_appended() {
    let hooks = datafy_api::hooks::Hooks::bearer("token-1").unwrap();
    for base in ["http://h", "https://[::1]:8443/stage/", "https://h/a%20b/c"] {
        let client =
            datafy_api::Client::new(base.parse().unwrap(), reqwest::Client::new(), hooks.clone());
        let base = base.trim_end_matches('/');
        for (id, encoded) in [
            ("vol-1", "vol-1"),
            ("a/b?c#d", "a%2Fb%3Fc%23d"),
            ("100% \t\n", "100%25%20%09%0A"),
            ("a\\b{c}", "a%5Cb%7Bc%7D"),
            ("é|^'[]:", "%C3%A9%7C%5E%27%5B%5D:"),
            ("%2e%2e", "%252e%252e"),
        ] {
            let request = client.deactivate_autoscaling_request(id, NO_ACCOUNT).unwrap();
            let path = format!("/api/v1/volumes/{encoded}/deactivate-autoscaling");
            let expected: reqwest::Url = format!("{base}{path}").parse().unwrap();
            assert_eq!(request.url(), &expected, "{base} {id:?}");
        }
        // They would address another operation.
        for id in ["..", ".", ""] {
            assert!(client.deactivate_autoscaling_request(id, NO_ACCOUNT).is_err(), "{id:?}");
        }
    }
}
