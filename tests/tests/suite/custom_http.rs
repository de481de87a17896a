//! The caller's own settings of the HTTP client: they apply to every call, and can't break a promise.

use datafy_api_ext::fake::Fault;
use datafy_api_ext::{Datafy, ErrorKind, RetryPolicy, Timeouts, VolumeId};
use datafy_tests::{Listener, Operation, Stage};
use reqwest::header::{HeaderMap, HeaderValue};
use std::time::Duration;

#[tokio::test]
async fn the_callers_settings_apply_to_every_call() {
    let listener = Listener::answering_calls();
    let headers = HeaderMap::from_iter([(
        reqwest::header::USER_AGENT,
        HeaderValue::from_static("somebody/1"),
    )]);
    let datafy = Datafy::builder()
        .endpoint(listener.url())
        .token("a-token")
        .configure_reqwest(move |http| http.default_headers(headers.clone()))
        .build()
        .unwrap();
    let volume = datafy.volume(VolumeId::new("vol-1").unwrap());
    volume.create_snapshot().await.unwrap();
    // A call with another connect timeout uses another client.
    let timeouts = Timeouts::connect(Duration::from_secs(1));
    volume.create_snapshot().timeouts(timeouts).await.unwrap();
    let requests = listener.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.headers["user-agent"] == "somebody/1"));
}

#[tokio::test]
async fn a_timeout_of_reqwest_is_said_to_be_one() {
    let text = "a timeout of reqwest ended the request, which `configure_reqwest` sets";
    let short = Duration::from_millis(50);
    let stage = Stage::of(1).await;
    for (fault, kind) in
        [(Fault::ReadThenHang, ErrorKind::Timeout), (Fault::ApplyThenStallBody, ErrorKind::Body)]
    {
        let total = stage.builder().configure_reqwest(move |http| http.timeout(short));
        let read = stage.builder().configure_reqwest(move |http| http.read_timeout(short));
        for builder in [total, read] {
            stage.fake.inject(fault.clone());
            let datafy = builder.retry(RetryPolicy::none()).build().unwrap();
            let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{error:#}");
            assert!(format!("{error:#}").contains(text), "{error:#}");
        }
    }
}
