//! Every fault and every status, for every operation: how often the request is sent, how often it has its
//! effect, and what the call reports.

use datafy_api_ext::fake::{Fault, Reply, verify};
use datafy_api_ext::{Error, Timeouts, VolumeId};
use datafy_tests::{OPERATIONS, Operation, Stage};
use serde_json::json;
use std::time::Duration;

/// How a call ends: attempts, effects, and the outcome or `ok`.
type End = (u32, usize, &'static str);

/// How the calls of each operation end, in the order of [`OPERATIONS`]. A second attach is refused, and a second
/// deactivation is not.
type Ends = [End; 4];

const fn ends(create: End, attach: End, deactivate: End) -> Ends {
    [create, create, attach, deactivate]
}

const OK: Ends = [(1, 1, "ok"); 4];
/// No operation is retried.
const REFUSED: Ends = [(1, 0, "refused"); 4];
/// Every operation is retried.
const THROTTLED: Ends = [(4, 0, "refused"); 4];
/// Only idempotent operations are retried.
const TOO_EARLY: Ends = ends((1, 0, "refused"), (4, 0, "refused"), (4, 0, "refused"));
/// Only idempotent operations are retried, without an effect.
const UNKNOWN: Ends = ends((1, 0, "unknown"), (4, 0, "unknown"), (4, 0, "unknown"));
/// No operation is retried, for the answer would be the same.
const UNKNOWN_ONCE: Ends = [(1, 0, "unknown"); 4];
/// Only idempotent operations are retried, each time with the effect.
const UNKNOWN_EFFECT: Ends = ends((1, 1, "unknown"), (4, 1, "unknown"), (4, 4, "unknown"));
/// No operation is retried, for the answer would be the same, and there was an effect.
const UNKNOWN_EFFECT_ONCE: Ends = [(1, 1, "unknown"); 4];
/// The service acted; its answer is needed for a create only.
const UNREADABLE: Ends = ends((1, 1, "applied"), (1, 1, "ok"), (1, 1, "ok"));
/// Nothing proves that the service answered a create.
const NO_ID: Ends = ends((1, 1, "unknown"), (1, 1, "ok"), (1, 1, "ok"));
/// Only the answer to a volume's creation may name another volume. The retried attach is refused.
const OTHER_VOLUME: Ends = [(1, 1, "unknown"), (1, 1, "ok"), (2, 1, "unknown"), (4, 4, "unknown")];
/// There is never a connection.
const NOT_SENT: Ends = [(4, 0, "not_sent"); 4];

/// How long a call waits for an answer that does not come.
const PATIENCE: Duration = Duration::from_millis(400);

/// Calls `operation` while every request meets `fault`, and then once more without a fault.
async fn meets(operation: Operation, fault: Fault, end: End, line: &str) {
    let stage = Stage::of(2).await;
    let patience = match fault {
        Fault::ReadThenHang
        | Fault::ApplyThenHang
        | Fault::ApplyThenStallBody
        | Fault::ApplyThenFlood => PATIENCE,
        _ => Duration::from_secs(60),
    };
    let timeouts = Timeouts::attempt(patience);
    let datafy = stage.builder().timeouts(timeouts).build().unwrap();
    stage.fake.inject_with(move |_| Some(fault.clone()));
    let result = operation.call(&datafy, 0).await;
    expect(&stage, &result, end, line);

    stage.fake.inject_with(|_| None);
    Operation::Deactivate.call(&datafy, 1).await.expect("the client works afterwards");
}

fn expect(stage: &Stage, result: &Result<(), Error>, end: End, line: &str) {
    let effects = &stage.effects()[0];
    let (attempts, ended) = match result {
        Ok(()) => (stage.pauses.pauses().len() + 1, "ok"),
        Err(error) => (error.attempts() as usize, error.outcome().as_str()),
    };
    let text = result.as_ref().map_or_else(|error| format!("{error:#}"), |()| String::new());
    assert_eq!((u32::try_from(attempts).unwrap(), effects.len(), ended), end, "{text}");
    if result.is_err() {
        assert!(text.contains(line), "{text:?} doesn't say {line:?}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    verify(effects, result).unwrap();
}

/// One test per fault, with each operation. The text is part of each error's message.
macro_rules! table {
    ($($name:ident: $fault:expr => $ends:expr, $line:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            for (operation, end) in OPERATIONS.into_iter().zip($ends) {
                meets(operation, $fault, end, $line).await;
            }
        })*
    };
}

fn answered(body: &str) -> Fault {
    Fault::ApplyThenAnswer(Reply::json(200, &json!(null)).body(body))
}

table! {
    // Evidence that there was no effect, and that another attempt won't help.
    status_301: Fault::status(301) => REFUSED, "was refused: 301 Moved Permanently";
    status_304: Fault::status(304) => REFUSED, "was refused: 304 Not Modified";
    status_400: Fault::status(400) => REFUSED, "was refused: 400 Bad Request: scripted 400";
    status_401: Fault::status(401) => REFUSED, "was refused: 401 Unauthorized";
    status_403: Fault::status(403) => REFUSED, "was refused: 403 Forbidden";
    status_404: Fault::status(404) => REFUSED, "was refused: 404 Not Found";
    status_409: Fault::status(409) => REFUSED, "was refused: 409 Conflict";
    status_422: Fault::status(422) => REFUSED, "was refused: 422 Unprocessable";
    status_501: Fault::status(501) => REFUSED, "was refused: 501 Not Implemented";
    status_505: Fault::status(505) => REFUSED, "was refused: 505";

    // Evidence that there was no effect, and that another attempt may help.
    status_425: Fault::status(425) => TOO_EARLY, "was refused: 425 Too Early";
    status_429: Fault::status(429) => THROTTLED, "was refused: 429 Too Many Requests";
    status_429_with_retry_after: Fault::retry_after(429, "2") => THROTTLED, "try again in 2 s";

    // Statuses that a gateway can send after it has forwarded the request: no evidence.
    status_302: Fault::status(302) => UNKNOWN_ONCE, "may have been applied: 302 Found";
    status_303: Fault::status(303) => UNKNOWN_ONCE, "may have been applied: 303 See Other";
    status_408: Fault::status(408) => UNKNOWN, "may have been applied: 408 Request Timeout";
    status_499: Fault::status(499) => UNKNOWN, "may have been applied: 499";
    status_500: Fault::status(500) => UNKNOWN, "may have been applied: 500 Internal";
    status_502: Fault::status(502) => UNKNOWN, "may have been applied: 502 Bad Gateway";
    status_503: Fault::status(503) => UNKNOWN, "may have been applied: 503 Service";
    status_503_with_retry_after: Fault::retry_after(503, "2") => UNKNOWN, "the service asked to wait 2 s";
    status_503_with_bad_retry_after: Fault::retry_after(503, "soon") => UNKNOWN, "may have been applied: 503 Service";
    status_504: Fault::status(504) => UNKNOWN, "may have been applied: 504 Gateway Timeout";
    status_599: Fault::status(599) => UNKNOWN, "may have been applied: 599";
    gateway_503: Fault::ApplyThenAnswer(Reply::html(503)) => UNKNOWN_EFFECT, "may have been applied: 503 Service";
    gateway_503_with_retry_after: Fault::ApplyThenAnswer(Reply::html(503).header("retry-after", "5")) => UNKNOWN_EFFECT, "the service asked to wait 5 s";
    switch_protocols: Fault::ApplyThenAnswer(Reply::status(101)) => UNKNOWN_EFFECT_ONCE, "may have been applied: 101 Switching Protocols";

    // Successes that are not the service's answer to the request.
    captive_portal: Fault::Answer(Reply::html(200)) => UNKNOWN, "may have been applied: 200 OK: the answer is text/html";
    another_volume: Fault::ApplyThenNameVolume(VolumeId::new("vol-other").unwrap()) => OTHER_VOLUME, "200 OK: the answer names volume vol-other and not vol-seed0";
    html: Fault::ApplyThenAnswer(Reply::html(200)) => UNKNOWN_EFFECT, "may have been applied: 200 OK: the answer is text/html";

    // Successes that hold no ID. One is needed only where it is documented.
    empty: answered("") => NO_ID, "200 OK: the answer is not a JSON object";
    no_id: answered("{}") => NO_ID, "200 OK: the answer has no `";
    malformed: Fault::ApplyThenAnswer(Reply::status(200).body("{\"volumeId\"")) => NO_ID, "200 OK: the answer has no `";
    oversized: Fault::ApplyThenAnswer(Reply::status(200).body("x".repeat(2 << 20))) => NO_ID, "longer than the client reads";
    backend_failed: answered(r#"{"message":"Internal server error"}"#) => UNKNOWN_EFFECT, "Internal server error";

    // Successes of the service that arrive in part.
    cut_body: Fault::ApplyThenCutBody => UNREADABLE, "200 OK: ";
    stalled_body: Fault::ApplyThenStallBody => UNREADABLE, "200 OK: timed out after 400ms";

    // No answer.
    read_then_reset: Fault::ReadThenReset => UNKNOWN, "may have been applied: ";
    read_then_hang: Fault::ReadThenHang => UNKNOWN, "may have been applied: timed out after 400ms";
    apply_then_reset: Fault::ApplyThenReset => UNKNOWN_EFFECT, "may have been applied: ";
    apply_then_cut_headers: Fault::ApplyThenCutHeaders => UNKNOWN_EFFECT, "may have been applied: the connection was lost: connection closed before message completed";
    apply_then_hang: Fault::ApplyThenHang => UNKNOWN_EFFECT, "may have been applied: timed out after 400ms";
    apply_then_flood: Fault::ApplyThenFlood => UNKNOWN_EFFECT, "may have been applied: timed out after 400ms";

    // Right answers that arrive in an unusual way.
    drip: Fault::Drip => OK, "";
    tiny_chunks: Fault::TinyChunks(10_000) => OK, "";
    delay: Fault::Delay(Duration::from_millis(20)) => OK, "";
    late_duplicate: Fault::LateDuplicate(Duration::from_millis(1)) => OK, "";
    close_idle: Fault::CloseIdle => OK, "";
}

/// Whether the next call is sent before or after the duplicate arrives, it doesn't take the duplicate for its own answer.
#[tokio::test]
async fn late_duplicate_on_a_reused_connection() {
    for (late, pause) in [(300, 0), (1, 100)] {
        let stage = Stage::of(2).await;
        let datafy = stage.builder().fresh_connections(false).build().unwrap();
        stage.fake.inject(Fault::LateDuplicate(Duration::from_millis(late)));
        let first = Operation::CreateSnapshot.call(&datafy, 0).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let second = Operation::CreateSnapshot.call(&datafy, 1).await;
        first.unwrap();
        if pause < late {
            let text = second.as_ref().unwrap_err().to_string();
            assert!(text.contains("the answer names volume vol-seed0 and not vol-seed1"), "{text}");
        } else {
            assert!(second.is_ok(), "the connection was closed: {second:?}");
        }
        verify(&stage.effects()[1], &second).unwrap();
    }
}

#[tokio::test]
async fn refused_connection() {
    for (operation, end) in OPERATIONS.into_iter().zip(NOT_SENT) {
        let stage = Stage::of(1).await;
        let datafy = stage.client();
        stage.fake.begin_outage().await;
        let result = operation.call(&datafy, 0).await;
        let refusal = stage.refusal();
        let line = format!("was not sent: no connection was made: tcp connect error: {refusal}");
        expect(&stage, &result, end, &line);
        stage.fake.end_outage().await.unwrap();
        operation.call(&datafy, 0).await.expect("the client works afterwards");
    }
}
