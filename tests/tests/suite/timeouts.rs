//! Timeouts bound every wait.

use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::{Datafy, Outcome, RetryPolicy, Timeouts};
use datafy_tests::{Listener, OPERATIONS, Operation, Stage, Unreachable, http, note};
use futures_util::future::join_all;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(100);

#[tokio::test]
async fn the_operation_timeout_bounds_a_call_without_an_answer() {
    for operation in OPERATIONS {
        let stage = Stage::of(1).await;
        stage.fake.inject_with(|_| Some(Fault::ReadThenHang));
        let timeouts = Timeouts::operation(3 * SOON);
        let begun = Instant::now();
        let result = operation.call_with(&stage.client(), 0, Some(timeouts), None).await;
        let error = result.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(error.elapsed() >= 3 * SOON && begun.elapsed() < 30 * SOON, "{error}");
    }
}

#[tokio::test]
async fn a_call_without_a_connection_in_time_is_not_sent() {
    let port = Unreachable::full().await;
    let builder = || Datafy::builder().endpoint(format!("http://{}", port.address())).token("t");
    for timeouts in [Timeouts::connect(SOON), Timeouts::attempt(SOON), Timeouts::operation(SOON)] {
        let once = || builder().retry(RetryPolicy::none());
        let own = (once().build().unwrap(), Some(timeouts));
        for (datafy, own) in [own, (once().timeouts(timeouts).build().unwrap(), None)] {
            let error = Operation::CreateSnapshot.call_with(&datafy, 0, own, None).await;
            let error = error.unwrap_err();
            assert_eq!(error.outcome(), Outcome::NotSent, "{timeouts:?}: {error:#}");
            assert!(error.elapsed() < 30 * SOON, "{error}");
            // The limit of the call itself, and not that of the client that reqwest keeps for calls like it.
            let own_limit =
                format!("{error:#}").contains("no connection within the connect timeout");
            assert!(own_limit || own.is_none(), "{error:#}");
        }
    }
    // An attempt that ends while it connects was not sent. The last one has less time than the connect timeout.
    let mut operation = Timeouts::operation(3 * SOON);
    operation.connect = SOON;
    let mut retry = RetryPolicy::default();
    retry.base = Duration::from_millis(1);
    for timeouts in [Timeouts::attempt(SOON), operation] {
        let datafy = builder().timeouts(timeouts).retry(retry).build().unwrap();
        let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{timeouts:?}: {error:#}");
        assert!(error.attempts() > 1, "{error:#}");
    }
}

#[tokio::test]
async fn the_second_address_is_tried_in_time_if_the_first_drops_packets() {
    let port = Unreachable::full().await;
    let first = port.address();
    let second = SocketAddr::from(([127, 0, 0, 2], first.port()));
    let fake = match Fake::start_on(second).await {
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
            note(format_args!("skipped: there is no second loopback address: {error}"));
            return;
        }
        fake => fake.unwrap().with_token("t"),
    };
    fake.add_volume("vol-seed0".parse().unwrap(), 1);
    let datafy = || {
        Datafy::builder()
            .endpoint(format!("http://two.test:{}", first.port()))
            .allow_plain_http()
            .token("t")
            .retry(RetryPolicy::none())
            .configure_reqwest(move |http| {
                http.no_proxy().resolve_to_addrs("two.test", &[first, second])
            })
    };
    // Half of the time is that of the first address. All wait for it at once, so that it can be long.
    let limit = 20 * SOON;
    let each = [Timeouts::connect(limit), Timeouts::attempt(limit), Timeouts::operation(limit)];
    let calls = each.into_iter().flat_map(|timeouts| {
        let own = datafy().timeouts(timeouts).build().unwrap();
        [(own, None), (datafy().build().unwrap(), Some(timeouts))]
    });
    let calls = calls.map(async |(datafy, timeouts)| {
        Operation::Deactivate.call_with(&datafy, 0, timeouts, None).await.unwrap();
    });
    let begun = Instant::now();
    join_all(calls).await;
    assert!(begun.elapsed() < 5 * limit, "one waited for the end of its attempt");
}

#[tokio::test]
async fn no_more_than_16_kib_of_an_answer_is_read() {
    // What is read is searched for the token, which no timeout limits.
    for (padding, expected) in [(15 << 10, Some("late")), (16 << 10, None)] {
        let padding = "x".repeat(padding);
        let body = format!(r#"{{"padding":"{padding}","message":"late","more":"{padding}"}}"#);
        let listener = Listener::answering(http(500, "application/json", &body));
        let datafy = Datafy::builder().endpoint(listener.url()).token("t");
        let datafy = datafy.retry(RetryPolicy::none()).build().unwrap();
        let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
        assert_eq!(error.message().map(|it| &**it), expected);
        assert_eq!(error.body(), Some(&body.as_bytes()[..16 << 10]));
    }
}
