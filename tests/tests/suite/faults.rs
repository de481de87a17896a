//! Every fault and a status of each kind, for every operation: how often the request is sent, how often it has its effect,
//! and what the call reports.

use datafy_api_ext::fake::{Fault, Reply, verify};
use datafy_api_ext::{Error, ErrorKind, Timeouts, VolumeId};
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
/// Only the answer to a snapshot's creation may name a snapshot.
const A_SNAPSHOT: Ends = [(1, 1, "ok"), (1, 1, "unknown"), (4, 1, "unknown"), (4, 4, "unknown")];
/// There is never a connection.
const NOT_SENT: Ends = [(4, 0, "not_sent"); 4];

/// How long a call waits for an answer that does not come.
const PATIENCE: Duration = Duration::from_millis(400);

/// Calls `operation` while every request meets `fault`, and then once more without a fault.
async fn meets(operation: Operation, fault: Fault, end: End, kind: ErrorKind) {
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
    expect(&stage, &result, end, kind);

    stage.fake.inject_with(|_| None);
    Operation::Deactivate.call(&datafy, 1).await.expect("the client works afterwards");
}

fn expect(stage: &Stage, result: &Result<(), Error>, end: End, kind: ErrorKind) {
    let effects = &stage.effects()[0];
    let (attempts, ended) = match result {
        Ok(()) => (stage.pauses.pauses().len() + 1, "ok"),
        Err(error) => (error.attempts() as usize, error.outcome().as_str()),
    };
    let text = result.as_ref().map_or_else(|error| format!("{error:#}"), |()| String::new());
    assert_eq!((u32::try_from(attempts).unwrap(), effects.len(), ended), end, "{text}");
    if let Err(error) = result {
        assert_eq!((error.kind(), text.lines().count()), (kind, 1), "{text}");
    }
    verify(effects, result).unwrap();
}

/// One test per fault, with each operation. The kind is that of each error.
macro_rules! table {
    ($($name:ident: $fault:expr => $ends:expr, $kind:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            for (operation, end) in OPERATIONS.into_iter().zip($ends) {
                meets(operation, $fault, end, $kind).await;
            }
        })*
    };
}

fn answered(body: &str) -> Fault {
    Fault::ApplyThenAnswer(Reply::json(200, &json!(null)).body(body))
}

table! {
    // One status of each kind: every status has its kind in a table of `decision.rs`.
    refused: Fault::status(404) => REFUSED, ErrorKind::Rejected;
    not_implemented: Fault::status(501) => REFUSED, ErrorKind::Rejected;
    too_early: Fault::status(425) => TOO_EARLY, ErrorKind::Rejected;
    throttled: Fault::retry_after(429, "2") => THROTTLED, ErrorKind::Throttled;
    elsewhere: Fault::status(302) => UNKNOWN_ONCE, ErrorKind::Server;
    gateway_timeout: Fault::status(408) => UNKNOWN, ErrorKind::Server;
    unavailable: Fault::status(503) => UNKNOWN, ErrorKind::Server;
    gateway_503: Fault::ApplyThenAnswer(Reply::html(503).header("retry-after", "5")) => UNKNOWN_EFFECT, ErrorKind::Server;
    switch_protocols: Fault::ApplyThenAnswer(Reply::status(101)) => UNKNOWN_EFFECT_ONCE, ErrorKind::Server;

    // Successes that are not the service's answer to the request.
    captive_portal: Fault::Answer(Reply::html(200)) => UNKNOWN, ErrorKind::Body;
    html: Fault::ApplyThenAnswer(Reply::html(200)) => UNKNOWN_EFFECT, ErrorKind::Body;
    another_volume: Fault::ApplyThenNameVolume(VolumeId::new("vol-other").unwrap()) => OTHER_VOLUME, ErrorKind::Body;
    a_snapshot: answered(r#"{"datafySnapshotId":"dsnap-9"}"#) => A_SNAPSHOT, ErrorKind::Body;

    // Successes that hold no ID. One is needed only where it is documented.
    empty: answered("") => NO_ID, ErrorKind::Body;
    oversized: answered(&"x".repeat(2 << 20)) => NO_ID, ErrorKind::Body;
    backend_failed: answered(r#"{"message":"Internal server error"}"#) => UNKNOWN_EFFECT, ErrorKind::Body;

    // Successes of the service that arrive in part.
    cut_body: Fault::ApplyThenCutBody => UNREADABLE, ErrorKind::Body;
    stalled_body: Fault::ApplyThenStallBody => UNREADABLE, ErrorKind::Body;

    // No answer.
    read_then_reset: Fault::ReadThenReset => UNKNOWN, ErrorKind::ConnectionLost;
    read_then_hang: Fault::ReadThenHang => UNKNOWN, ErrorKind::Timeout;
    apply_then_reset: Fault::ApplyThenReset => UNKNOWN_EFFECT, ErrorKind::ConnectionLost;
    apply_then_cut_headers: Fault::ApplyThenCutHeaders => UNKNOWN_EFFECT, ErrorKind::ConnectionLost;
    apply_then_hang: Fault::ApplyThenHang => UNKNOWN_EFFECT, ErrorKind::Timeout;
    apply_then_flood: Fault::ApplyThenFlood => UNKNOWN_EFFECT, ErrorKind::Timeout;

    // Right answers that arrive in an unusual way.
    drip: Fault::Drip => OK, ErrorKind::Body;
    tiny_chunks: Fault::TinyChunks(10_000) => OK, ErrorKind::Body;
    delay: Fault::Delay(Duration::from_millis(20)) => OK, ErrorKind::Body;
    late_duplicate: Fault::LateDuplicate(Duration::from_millis(1)) => OK, ErrorKind::Body;
    close_idle: Fault::CloseIdle => OK, ErrorKind::Body;
}

#[tokio::test]
async fn refused_connection() {
    for (operation, end) in OPERATIONS.into_iter().zip(NOT_SENT) {
        let stage = Stage::of(1).await;
        let datafy = stage.client();
        let outage = stage.fake.outage().await;
        let result = operation.call(&datafy, 0).await;
        expect(&stage, &result, end, ErrorKind::Connect);
        drop(outage);
        operation.call(&datafy, 0).await.expect("the client works afterwards");
    }
}
