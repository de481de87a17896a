//! Traces report each call, and don't show the token.
//!
//! A separate program whose tests run one at a time: `tracing` caches for all threads whether a span is enabled.
#![allow(clippy::unwrap_used)]

use datafy_api_ext::Timeouts;
use datafy_api_ext::fake::{Fault, Reply};
use datafy_tests::{OPERATIONS, Operation, Stage};
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::Level;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::format::FmtSpan;

type Fields = BTreeMap<String, String>;

/// What tracing-subscriber writes, with a line for each end of a span.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    fn of_level(level: Level) -> (Self, DefaultGuard) {
        let output = Self::default();
        let writer = output.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(level);
        let subscriber = subscriber.with_span_events(FmtSpan::FULL);
        let subscriber = subscriber.with_writer(move || writer.clone()).finish();
        (output, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// The level and the name of each span that ended, and its fields.
    fn spans(&self) -> Vec<(String, Fields)> {
        self.lines(": datafy_api_ext: close ")
            .map(|(name, span, _)| (name, fields(&span)))
            .collect()
    }

    /// The level of each event of an attempt, and the fields.
    fn attempts(&self) -> Vec<(String, Fields)> {
        let lines = self.lines(" datafy.attempt=");
        lines
            .map(|(name, _, event)| (name.split(' ').next().unwrap().into(), fields(&event)))
            .collect()
    }

    /// The lines with this text: the level and the name of the span, its fields, and the rest.
    fn lines(&self, text: &'static str) -> impl Iterator<Item = (String, String, String)> {
        let lines: Vec<_> = self.text().lines().map(str::to_owned).collect();
        lines.into_iter().filter(move |line| line.contains(text)).map(|line| {
            let (before, rest) = line.split_once('{').unwrap();
            let (span, rest) = rest.rsplit_once("}: ").unwrap();
            let (_, name) = before.split_once(' ').unwrap();
            (name.trim().to_owned(), span.to_owned(), rest.to_owned())
        })
    }
}

fn fields(text: &str) -> Fields {
    let fields = text.split(' ').filter_map(|field| field.split_once('='));
    fields.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// Held by each test while it runs.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test]
async fn a_call_is_one_span_named_after_its_operation() {
    let _turn = TURN.lock().await;
    let stage = Stage::of(1).await;
    let datafy = stage.client();
    let (output, _guard) = Output::of_level(Level::DEBUG);
    for operation in OPERATIONS {
        operation.call(&datafy, 0).await.unwrap();
    }
    let spans = output.spans();
    let names: Vec<_> = spans.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "INFO create_snapshot",
        "INFO create_volume_from_snapshots",
        "INFO attach_volume",
        "INFO deactivate_autoscaling",
    ];
    assert_eq!(names, expected);
    let port = stage.fake.endpoint().rsplit(':').next().unwrap().to_owned();
    let expected = format!(
        "otel.kind=client http.request.method=POST http.response.status_code=200 \
         url.template=/api/v1/volumes/{{volumeId}}/create-snapshot server.address=127.0.0.1 server.port={port} \
         http.request.resend_count=0 datafy.outcome=ok datafy.volume.id=vol-seed0"
    );
    assert_eq!(spans[0].1, fields(&expected));
    assert_eq!(output.attempts().len(), 4);
}

#[tokio::test]
async fn each_attempt_is_an_event_and_the_span_has_the_outcome() {
    let _turn = TURN.lock().await;
    let stage = Stage::of(1).await;
    let datafy = stage.client();
    let (output, _guard) = Output::of_level(Level::DEBUG);
    stage.fake.inject(Fault::status(429));
    stage.fake.inject(Fault::ReadThenReset);
    stage.fake.inject(Fault::status(409));
    Operation::Attach.call(&datafy, 0).await.unwrap_err();
    let names = ["datafy.attempt", "datafy.outcome", "error.type"];
    let attempts = output.attempts().into_iter().map(|(level, fields)| {
        format!("{level} {}", names.map(|name| fields[name].clone()).join(" "))
    });
    let expected =
        ["DEBUG 1 refused 429", "DEBUG 2 unknown connection_lost", "DEBUG 3 refused 409"];
    assert_eq!(attempts.collect::<Vec<_>>(), expected);
    // The span describes the attempt that decided the outcome, not the last one.
    let (_, span) = &output.spans()[0];
    assert_eq!(span["datafy.outcome"], "unknown");
    assert_eq!(span["error.type"], "connection_lost");
    assert!(!span.contains_key("http.response.status_code"), "there was no answer");
    assert_eq!(span["http.request.resend_count"], "2");
    assert_eq!(span["otel.status_code"], "ERROR");
}

#[tokio::test]
async fn a_span_has_the_request_id_of_a_success_and_of_a_failure() {
    let _turn = TURN.lock().await;
    let stage = Stage::of(1).await;
    let datafy = stage.client();
    let (output, _guard) = Output::of_level(Level::INFO);
    let long = "r".repeat(50_000);
    for (status, id) in [(200, "r-7"), (404, "r-7"), (200, &long), (404, &long)] {
        let answer = Reply::json(status, &json!({})).header("x-request-id", id);
        stage.fake.inject(Fault::ApplyThenAnswer(answer));
        let result = Operation::Deactivate.call(&datafy, 0).await;
        assert_eq!(result.is_ok(), status == 200);
        let shown = output.spans().last().unwrap().1["datafy.request_id"].clone();
        assert!(id.starts_with(shown.trim_end_matches('…')) && shown.len() < 1024, "{shown}");
    }
}

const CANARY: &str = "canary-5e1f0c-canary";
/// The canary in base64.
const ENCODED: &str = "Y2FuYXJ5LTVlMWYwYy1jYW5hcnk";
/// The value of a query parameter and of a header.
const EXTRA: &str = "extra-7d2a";
const SECRETS: [&str; 3] = [CANARY, ENCODED, EXTRA];

/// Answers that repeat the token, also as request ID.
fn echoes() -> impl Iterator<Item = Fault> {
    [200, 302, 401, 500].into_iter().flat_map(|status| {
        [CANARY, ENCODED].map(|text| {
            let body =
                json!({ "message": text, "datafySnapshotId": text, "volumeId": "vol-seed0" });
            Fault::ApplyThenAnswer(Reply::json(status, &body).header("x-request-id", text))
        })
    })
}

/// Faults of the wire.
const WIRE: [Fault; 4] = [
    Fault::ReadThenReset,
    Fault::ReadThenHang,
    Fault::ApplyThenCutHeaders,
    Fault::ApplyThenCutBody,
];

/// The token, and what a caller adds to requests, are secret.
#[tokio::test]
async fn no_trace_shows_the_token_or_the_values_of_extras() {
    let _turn = TURN.lock().await;
    let (output, _guard) = Output::of_level(Level::TRACE);
    let timeouts = Timeouts::attempt(Duration::from_millis(50));
    for fault in echoes().chain(WIRE) {
        let stage = Stage::of(1).await;
        stage.fake.rotate_token(datafy_api_ext::fake::Fake::TOKEN, CANARY);
        let builder = stage.builder().token(CANARY).timeouts(timeouts);
        let datafy = builder.query("extra", EXTRA).header("extra", EXTRA).build().unwrap();
        stage.fake.inject_with(move |_| Some(fault.clone()));
        for operation in OPERATIONS {
            let _ = operation.call(&datafy, 0).await;
        }
        assert!(stage.fake.requests().iter().all(|request| request.target.contains(EXTRA)));
    }
    let traces = output.text();
    assert!(traces.contains("deactivate_autoscaling"));
    let line = traces.lines().find(|line| SECRETS.iter().any(|it| line.contains(it)));
    assert_eq!(line, None);
}
