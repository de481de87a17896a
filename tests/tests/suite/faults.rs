//! Every fault and every status, for every operation: how often the request is sent, how often the
//! effect happens, and what the call says of itself.

use datafy_api_ext::Timeouts;
use datafy_api_ext::fake::{Answer, Fault, check};
use datafy_tests::{Operation, Stage};
use serde_json::json;
use std::time::Duration;

/// What a call comes to: attempts, effects, and how it ended.
type Ended = (u32, usize, &'static str);

/// Calls `operation` while every request meets `fault`, and then once more when all is well.
async fn meets(operation: Operation, fault: Fault, expected: Ended, line: &str) {
    let stage = Stage::of(2).await;
    let patience = match fault {
        Fault::ReadThenHang | Fault::ApplyThenHang | Fault::ApplyThenStallBody => {
            Duration::from_millis(400)
        }
        _ => Duration::from_secs(60),
    };
    let timeouts = Timeouts::builder().attempt(patience).build().unwrap();
    let datafy = stage.builder().timeouts(timeouts).build().unwrap();
    stage.fake.inject_with(move || Some(fault.clone()));
    let result = operation.call(&datafy, 0).await;
    judge(&stage, &result, expected, line);

    stage.fake.inject_with(|| None);
    Operation::Deactivate.call(&datafy, 1).await.expect("the client works afterwards");
}

fn judge(stage: &Stage, result: &Result<(), datafy_api_ext::Error>, expected: Ended, line: &str) {
    let effects = &stage.effects()[0];
    let (attempts, ended) = match result {
        Ok(()) => (stage.pauses.pauses().len() + 1, "ok"),
        Err(error) => (error.attempts() as usize, error.outcome().as_str()),
    };
    let text = result.as_ref().map_or_else(|error| format!("{error:#}"), |()| String::new());
    assert_eq!((u32::try_from(attempts).unwrap(), effects.len(), ended), expected, "{text}");
    assert!(text.contains(line), "{text:?} doesn't say {line:?}");
    assert_eq!(text.lines().count(), usize::from(result.is_err()), "{text}");
    check(effects, result).unwrap();
}

/// One test a row: `create` for both creates; `attach` and `deactivate` may differ, since a second
/// attach is refused.
macro_rules! table {
    ($($name:ident: $fault:expr => create $create:expr, attach $attach:expr, deactivate $deactivate:expr, $line:expr;)*) => {
        $(mod $name {
            use super::*;

            #[tokio::test]
            async fn create_snapshot() {
                meets(Operation::CreateSnapshot, $fault, $create, $line.0).await;
            }

            #[tokio::test]
            async fn create_volume() {
                meets(Operation::CreateVolume, $fault, $create, $line.0).await;
            }

            #[tokio::test]
            async fn attach() {
                meets(Operation::Attach, $fault, $attach, $line.1).await;
            }

            #[tokio::test]
            async fn deactivate() {
                meets(Operation::Deactivate, $fault, $deactivate, $line.1).await;
            }
        })*
    };
}

/// For a fault of which creates and converges say the same.
const fn both(line: &'static str) -> (&'static str, &'static str) {
    (line, line)
}

/// For a fault that concerns creates alone.
const fn create_only(line: &'static str) -> (&'static str, &'static str) {
    (line, "")
}

const ONCE_REFUSED: Ended = (1, 0, "refused");
const OFTEN_REFUSED: Ended = (4, 0, "refused");
const ONCE_IN_DOUBT: Ended = (1, 0, "unknown");
const OFTEN_IN_DOUBT: Ended = (4, 0, "unknown");
const APPLIED: Ended = (1, 1, "applied");
const OK: Ended = (1, 1, "ok");

fn unusable(body: &str) -> Fault {
    Fault::ApplyThenAnswer(Answer::json(200, &json!(null)).body(body))
}

table! {
    // Refusals that are final.
    status_301: Fault::status(301) => create ONCE_REFUSED, attach ONCE_REFUSED, deactivate ONCE_REFUSED, both("was refused: 301 Moved Permanently");
    status_400: Fault::status(400) => create ONCE_REFUSED, attach ONCE_REFUSED, deactivate ONCE_REFUSED, both("was refused: 400 Bad Request: scripted 400");
    status_401: Fault::status(401) => create ONCE_REFUSED, attach ONCE_REFUSED, deactivate ONCE_REFUSED, both("was refused: 401 Unauthorized");
    status_403: Fault::status(403) => create ONCE_REFUSED, attach ONCE_REFUSED, deactivate ONCE_REFUSED, both("was refused: 403 Forbidden");
    status_404: Fault::status(404) => create ONCE_REFUSED, attach ONCE_REFUSED, deactivate ONCE_REFUSED, both("was refused: 404 Not Found");
    status_409: Fault::status(409) => create ONCE_REFUSED, attach ONCE_REFUSED, deactivate ONCE_REFUSED, both("was refused: 409 Conflict");
    status_422: Fault::status(422) => create ONCE_REFUSED, attach ONCE_REFUSED, deactivate ONCE_REFUSED, both("was refused: 422 Unprocessable");
    status_501: Fault::status(501) => create ONCE_REFUSED, attach ONCE_REFUSED, deactivate ONCE_REFUSED, both("was refused: 501 Not Implemented");
    status_505: Fault::status(505) => create ONCE_REFUSED, attach ONCE_REFUSED, deactivate ONCE_REFUSED, both("was refused: 505");

    // Refusals that say come back.
    status_425: Fault::status(425) => create ONCE_REFUSED, attach OFTEN_REFUSED, deactivate OFTEN_REFUSED, both("was refused: 425 Too Early");
    status_429: Fault::status(429) => create OFTEN_REFUSED, attach OFTEN_REFUSED, deactivate OFTEN_REFUSED, both("was refused: 429 Too Many Requests");
    status_429_with_a_time: Fault::retry_after(429, "2") => create OFTEN_REFUSED, attach OFTEN_REFUSED, deactivate OFTEN_REFUSED, both("try again in 2 s");

    // Answers that leave it open whether the request was applied.
    status_302: Fault::status(302) => create ONCE_IN_DOUBT, attach ONCE_IN_DOUBT, deactivate ONCE_IN_DOUBT, both("may have been applied: 302 Found");
    status_303: Fault::status(303) => create ONCE_IN_DOUBT, attach ONCE_IN_DOUBT, deactivate ONCE_IN_DOUBT, both("may have been applied: 303 See Other");
    status_408: Fault::status(408) => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: 408 Request Timeout");
    status_499: Fault::status(499) => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: 499");
    status_500: Fault::status(500) => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: 500 Internal");
    status_502: Fault::status(502) => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: 502 Bad Gateway");
    status_503: Fault::status(503) => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: 503 Service");
    status_503_with_a_time: Fault::retry_after(503, "2") => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("try again in 2 s");
    status_503_with_a_time_after_the_effect: Fault::ApplyThenAnswer(Answer::status(503).header("retry-after", "2")) => create (1, 1, "unknown"), attach (4, 1, "unknown"), deactivate (4, 4, "unknown"), both("may have been applied: 503 Service");
    status_503_with_garbage_for_a_time: Fault::retry_after(503, "soon") => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: 503 Service");
    status_504: Fault::status(504) => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: 504 Gateway Timeout");
    status_599: Fault::status(599) => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: 599");

    // Successes whose body is of no use. Where the page documents no content, none is needed.
    html: Fault::html() => create (1, 1, "unknown"), attach (4, 1, "unknown"), deactivate (4, 4, "unknown"), both("may have been applied: 200 OK: the answer is text/html");
    empty: unusable("") => create APPLIED, attach OK, deactivate OK, create_only("200 OK: EOF while parsing");
    malformed: Fault::malformed() => create APPLIED, attach OK, deactivate OK, create_only("200 OK: EOF while parsing");
    one_bad_field: unusable("{\"volumeId\":\"vol-seed0\",\"startTime\":\"noon\",\"volumeSizeGB\":[]}") => create APPLIED, attach OK, deactivate OK, create_only("; volume vol-seed0");
    oversized: Fault::oversized(2 << 20) => create APPLIED, attach OK, deactivate OK, create_only("longer than the client reads");
    cut_body: Fault::ApplyThenCutBody => create APPLIED, attach OK, deactivate OK, create_only("200 OK: ");
    stalled_body: Fault::ApplyThenStallBody => create APPLIED, attach OK, deactivate OK, create_only("200 OK: timed out after 400ms");

    // The wire.
    reset_before_reading: Fault::ResetBeforeReading => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: ");
    read_then_reset: Fault::ReadThenReset => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: ");
    read_then_hang: Fault::ReadThenHang => create ONCE_IN_DOUBT, attach OFTEN_IN_DOUBT, deactivate OFTEN_IN_DOUBT, both("may have been applied: timed out after 400ms");
    apply_then_reset: Fault::ApplyThenReset => create (1, 1, "unknown"), attach (4, 1, "unknown"), deactivate (4, 4, "unknown"), both("may have been applied: ");
    apply_then_cut_headers: Fault::ApplyThenCutHeaders => create (1, 1, "unknown"), attach (4, 1, "unknown"), deactivate (4, 4, "unknown"), both("may have been applied: the connection was lost: connection closed before message completed");
    apply_then_hang: Fault::ApplyThenHang => create (1, 1, "unknown"), attach (4, 1, "unknown"), deactivate (4, 4, "unknown"), both("may have been applied: timed out after 400ms");

    // What is slow or odd, and well all the same.
    drip: Fault::Drip => create OK, attach OK, deactivate OK, both("");
    delay: Fault::Delay(Duration::from_millis(20)) => create OK, attach OK, deactivate OK, both("");
    close_idle: Fault::CloseIdle => create OK, attach OK, deactivate OK, both("");
}

/// Calls `operation` while nobody listens.
async fn is_refused_a_connection(operation: Operation) {
    let stage = Stage::of(1).await;
    let datafy = stage.client();
    let outage = stage.fake.outage().await;
    let result = operation.call(&datafy, 0).await;
    judge(
        &stage,
        &result,
        (4, 0, "not_sent"),
        "was not sent: no connection was made: tcp connect error: Connection refused",
    );
    outage.end().await;
    operation.call(&datafy, 0).await.expect("the client works afterwards");
}

mod refused_connection {
    use super::*;

    #[tokio::test]
    async fn create_snapshot() {
        is_refused_a_connection(Operation::CreateSnapshot).await;
    }

    #[tokio::test]
    async fn create_volume() {
        is_refused_a_connection(Operation::CreateVolume).await;
    }

    #[tokio::test]
    async fn attach() {
        is_refused_a_connection(Operation::Attach).await;
    }

    #[tokio::test]
    async fn deactivate() {
        is_refused_a_connection(Operation::Deactivate).await;
    }
}
