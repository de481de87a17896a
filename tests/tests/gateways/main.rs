//! Calls through real gateways to an origin that counts effects and fails.
//!
//! What the gateways answered is in `fixtures/gateways/README.md`, beside their configurations.
//!
//! `.ci/tools` installs the gateways: a Python package, and packages of Debian. Without them these tests are
//! skipped, unless the environment variable `CI` is set: then they fail. `cargo test --test gateways --
//! --nocapture` prints the results as tables.
#![allow(clippy::unwrap_used)]

mod gateway;
mod origin;
mod table;

use datafy_api_ext::fake::{Fake, Fault, SkipPauses};
use datafy_api_ext::{Datafy, Outcome, RetryPolicy, Timeouts};
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

fn client(gateway: &Gateway) -> Datafy {
    client_with(gateway, RetryPolicy::default())
}

/// A client that is more patient than the gateways, and skips the pauses between attempts.
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

/// A call with a single attempt, after another one on the same connections. The origin applies the request and closes the
/// connection, and answers if the gateway repeats the request.
async fn through(
    gateway: &Gateway,
    origin: &Origin,
    operation: Operation,
) -> (usize, Option<Outcome>) {
    let client = client_with(gateway, RetryPolicy::none());
    operation.call(&client, 1).await.unwrap();
    origin.inject(2, Fault::ApplyThenSend(String::new()), 1);
    let result = operation.call(&client, 2).await;
    (origin.seen(2).effects, result.err().map(|error| error.outcome()))
}

#[tokio::test]
async fn a_gateway_that_repeats_requests_doubles_an_effect_and_others_leave_it_unknown() {
    if !installed() {
        return;
    }
    let (doubled, unknown) = ((2, None), (1, Some(Outcome::Unknown)));
    for (kind, operation, expected) in [
        (Kind::HaProxyRetrying, Operation::CreateSnapshot, doubled),
        (Kind::HaProxy, Operation::CreateSnapshot, unknown),
        // Varnish repeats a request that has no body.
        (Kind::Varnish, Operation::Deactivate, doubled),
        (Kind::Varnish, Operation::CreateSnapshot, unknown),
    ] {
        let origin = Origin::start().await;
        let gateway = Gateway::start(kind, origin.address()).await;
        assert_eq!(through(&gateway, &origin, operation).await, expected, "{kind:?}");
    }
    // With the default retries of Istio 1.23, Envoy repeats after the 503 of another gateway.
    for (kind, expected) in [(Kind::EnvoyRetrying, doubled), (Kind::Envoy, unknown)] {
        let origin = Origin::start().await;
        let varnish = Gateway::start(Kind::Varnish, origin.address()).await;
        let envoy = Gateway::start(kind, varnish.address()).await;
        let found = through(&envoy, &origin, Operation::CreateSnapshot).await;
        assert_eq!(found, expected, "{kind:?}");
    }
}
