//! What an error reports: its kind, its causes, and its JSON.

use datafy_api_ext::fake::{Fault, Reply};
use datafy_api_ext::{Datafy, Error, ErrorKind, RetryPolicy};
use datafy_tests::{Operation, Stage};
use serde_json::json;
use std::error::Error as StdError;

async fn fails(datafy: &Datafy) -> Error {
    Operation::CreateSnapshot.call(datafy, 0).await.unwrap_err()
}

/// The texts of an error and of its sources.
fn chain(error: &dyn StdError) -> Vec<String> {
    std::iter::successors(Some(error), |error| (**error).source())
        .map(ToString::to_string)
        .collect()
}

#[tokio::test]
async fn every_error_names_the_object_and_the_endpoint() {
    let endpoint = "https://datafy.invalid";
    let builder = Datafy::builder().endpoint(endpoint).token("t").retry(RetryPolicy::none());
    let datafy = builder.build().unwrap();
    for (operation, object) in [
        (Operation::CreateSnapshot, "snapshot of vol-seed0"),
        (Operation::CreateVolume, "volume from dsnap-seed0"),
        (Operation::Attach, "attach of vol-seed0 to i-1 as /dev/sd0"),
        (Operation::Deactivate, "autoscaling deactivation of vol-seed0"),
    ] {
        let error = operation.call(&datafy, 0).await.unwrap_err();
        let line = format!("{object} at {endpoint} was not sent: the host name was not resolved");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Dns, line));
        let json = serde_json::to_value(&error).unwrap();
        assert_eq!((json["endpoint"].as_str(), error.endpoint()), (Some(endpoint), endpoint));
        assert_eq!(json["subject"], serde_json::to_value(error.subject()).unwrap());
        assert!(json["subject"].is_object(), "{json}");
    }
    let call = datafy.volume("vol-1".parse().unwrap()).create_snapshot();
    let error = call.sub_account(Some("sub-1".parse().unwrap())).await.unwrap_err();
    let begin = "snapshot of vol-1 in sub-account sub-1 at https://datafy.invalid was not sent";
    assert!(error.to_string().starts_with(begin), "{error}");
}

#[tokio::test]
async fn no_cause_is_repeated_in_the_text_of_an_error() {
    let stage = Stage::of(1).await;
    let datafy = stage.builder().retry(RetryPolicy::none()).build().unwrap();
    let _outage = stage.fake.outage().await;
    let error = fails(&datafy).await;
    let texts = chain(&error);
    assert!(texts.len() == 3 && texts[0].ends_with(" was not sent: no connection was made"));
    assert_eq!(format!("{error:#}"), texts.join(": "));
}

#[tokio::test]
async fn an_error_as_json_holds_what_its_methods_return() {
    let stage = Stage::of(1).await;
    let answer = Reply::json(429, &json!({ "message": "slow down" }));
    let answer = answer.header("x-request-id", "r-7").header("retry-after", "50");
    stage.fake.inject(Fault::Answer(answer));
    let datafy = stage.builder().retry(RetryPolicy::none()).build().unwrap();
    let error = fails(&datafy).await;
    let mut object = serde_json::to_value(error.clone()).unwrap();
    assert_eq!(object["elapsed_seconds"].take().as_f64(), Some(error.elapsed().as_secs_f64()));
    let endpoint = stage.fake.endpoint();
    let text = format!(
        "snapshot of vol-seed0 at {endpoint} was refused: 429 Too Many Requests: slow down; request ID \
         r-7; try again in 50 s"
    );
    let expected = json!({
        "operation": "create_snapshot", "outcome": "refused", "kind": "throttled", "text": text,
        "status": 429, "message": "slow down", "request_id": "r-7", "retry_after_seconds": 50.0,
        "attempts": 1, "elapsed_seconds": null, "snapshot_id": null, "volume_id": null,
        "unusable_id": null, "marker": null, "observation": null, "subject": error.subject(), "endpoint": endpoint,
        "started": error.started(),
    });
    assert!(error.subject().volume.is_some());
    assert_eq!(object, expected);
}

#[test]
fn a_call_outside_a_tokio_runtime_panics_with_what_it_needs() {
    let datafy = Datafy::builder().token("t").build().unwrap();
    let call = std::panic::AssertUnwindSafe(|| {
        let call = Operation::Deactivate.call(&datafy, 0);
        futures_util::FutureExt::now_or_never(call)
    });
    let panic = std::panic::catch_unwind(call).unwrap_err();
    let text = panic.downcast_ref::<&str>().unwrap();
    assert!(text.starts_with("a call must be awaited in a Tokio runtime: "), "{text}");
}
