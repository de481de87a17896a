//! Query parameters and headers that the contract doesn't have.

use datafy_api_ext::fake::Fault;
use datafy_api_ext::{
    Call, CreateSnapshot, Datafy, DatafySnapshotId, ErrorKind, Outcome, VolumeId,
};
use datafy_tests::{Listener, Stage};

const VALUE: &str = "a b&c=d/é,+%";
const ENCODED: &str = "a+b%26c%3Dd%2F%C3%A9%2C%2B%25";

fn client(listener: &Listener) -> datafy_api_ext::DatafyBuilder {
    Datafy::builder().endpoint(listener.url()).token("token-1")
}

fn snapshot(datafy: &Datafy) -> Call<CreateSnapshot> {
    datafy.volume(VolumeId::new("vol-1").unwrap()).create_snapshot()
}

#[tokio::test]
async fn the_last_value_of_a_name_is_sent_and_that_of_the_call_replaces_the_clients() {
    let listener = Listener::answering_calls();
    let builder = client(&listener).query("a", "1").query("b", "2").query("a", "3");
    let datafy = builder.header("x-a", "4").header("X-B", "5").header("X-A", "6").build().unwrap();
    snapshot(&datafy).await.unwrap();
    snapshot(&datafy).query("b", "7").query("b", "8").header("X-a", "9").await.unwrap();
    let sent = listener.requests().into_iter().map(|request| {
        let query = request.line.split(['?', ' ']).nth(2).unwrap().to_owned();
        (query, request.headers["x-a"].clone(), request.headers["x-b"].clone())
    });
    let expected = [("b=2&a=3", "6", "5"), ("a=3&b=8", "9", "5")];
    let expected = expected.map(|(query, a, b)| (query.to_owned(), a.to_owned(), b.to_owned()));
    assert_eq!(sent.collect::<Vec<_>>(), expected);
}

/// Headers that the client controls.
const CONTROLLED: &str = "Authorization Host Content-Length Content-Type Accept Accept-Encoding Transfer-Encoding \
    Connection Upgrade TE Expect Proxy-Authorization";

#[tokio::test]
async fn what_the_contract_or_the_client_sends_can_not_be_set() {
    let listener = Listener::answering_calls();
    let datafy = client(&listener).build().unwrap();
    let documented = datafy_api::operations::ALL.iter().flat_map(|operation| operation.headers);
    let documented = documented.map(|name| (*name, "v", "which the API documents"));
    let controlled = CONTROLLED.split(' ').map(|name| (name, "v", "which the client controls"));
    let invalid = [
        ("x a", "v", "has an invalid name: \"x a\""),
        ("x-a", "hidden\r\nx: y", "`x-a` has a value that no header can hold"),
    ];
    for (name, value, expected) in documented.chain(controlled).chain(invalid) {
        let built = client(&listener).header(name, value).build().unwrap_err();
        let built = format!("{built} {built:?}");
        assert!(built.contains("the setting `header` ") && built.contains(expected), "{built}");
        assert!(!built.contains("hidden"), "{built}");
        let error = snapshot(&datafy).header(name, value).await.unwrap_err();
        assert_eq!((error.outcome(), error.kind()), (Outcome::NotSent, ErrorKind::Request));
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
        assert_eq!(error.attempts(), 1, "another attempt would fail, too");
    }
    let documented = datafy_api::operations::ALL.iter().flat_map(|operation| operation.query);
    let documented = documented.map(|name| (*name, "which the API documents"));
    for (name, expected) in documented.chain([("", "has an empty name")]) {
        let built = client(&listener).query(name, "v").build().unwrap_err().to_string();
        assert!(built.contains("the setting `query` ") && built.contains(expected), "{built}");
        let error = snapshot(&datafy).query(name, "v").query("a", "b").await.unwrap_err();
        assert_eq!((error.outcome(), error.kind()), (Outcome::NotSent, ErrorKind::Request));
    }
    assert!(listener.requests().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn debug_shows_the_names_of_extras_only() {
    let listener = Listener::answering(datafy_tests::http(400, "text/plain", "no"));
    let builder = client(&listener).query("the-query", VALUE).header("the-header", "hidden");
    let shown = format!("{builder:?}");
    assert!(shown.contains("the-query") && shown.contains("the-header"), "{shown}");
    let datafy = builder.build().unwrap();
    let call = snapshot(&datafy).query("own-query", VALUE).header("own-header", "hidden");
    let called = format!("{call:?}");
    assert!(called.contains("own-query") && called.contains("own-header"), "{called}");
    let error = call.await.unwrap_err();
    let shown = format!("{shown} {datafy:?} {called} {error:?} {error:#}");
    assert!(!shown.contains("a b") && !shown.contains("a+b") && !shown.contains("hidden"));
}

#[tokio::test]
async fn every_attempt_and_both_calls_of_a_restore_send_the_extras() {
    let stage = Stage::of(1).await;
    stage.fake.inject(Fault::status(429));
    let snapshot = DatafySnapshotId::new("dsnap-seed0").unwrap();
    let (instance, device) = ("i-1".parse().unwrap(), "sdb".parse().unwrap());
    let restore = stage.client().restore(snapshot, instance, device);
    restore.query("q", VALUE).header("x-a", "b").await.unwrap();
    let requests = stage.fake.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert!(request.target.ends_with(&format!("?q={ENCODED}")), "{}", request.target);
        assert_eq!(request.header("x-a"), Some("b"));
    }
}
