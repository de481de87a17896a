//! Traces report each call, and don't show the token.
//!
//! A separate program whose tests run one at a time: `tracing` caches for all threads whether a span is enabled.
#![allow(clippy::unwrap_used)]

use datafy_api_ext::fake::{Fault, Reply};
use datafy_api_ext::{Clock, Timeouts};
use datafy_tests::{OPERATIONS, Operation, Stage};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

type Fields = BTreeMap<String, String>;

/// The spans and events of this crate, with their fields.
#[derive(Clone, Default)]
struct Recording(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    spans: Vec<(&'static str, Level, Fields)>,
    events: Vec<(Level, Fields)>,
}

struct Fill<'a>(&'a mut Fields);

impl Visit for Fill<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recording {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target() == "datafy_api_ext" {
            let mut fields = Fields::new();
            attributes.record(&mut Fill(&mut fields));
            self.0.lock().unwrap().spans.push((metadata.name(), *metadata.level(), fields));
        }
    }

    fn on_record(&self, _: &Id, record: &Record<'_>, _: Context<'_, S>) {
        let mut recorded = self.0.lock().unwrap();
        // The tests make one call at a time.
        if let Some((_, _, fields)) = recorded.spans.last_mut() {
            record.record(&mut Fill(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("datafy_api_ext") {
            let mut fields = Fields::new();
            event.record(&mut Fill(&mut fields));
            self.0.lock().unwrap().events.push((*event.metadata().level(), fields));
        }
    }
}

/// Held by each test while it runs.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn record() -> (Recording, tracing::subscriber::DefaultGuard) {
    let recording = Recording::default();
    let subscriber = tracing_subscriber::registry().with(recording.clone());
    (recording, tracing::subscriber::set_default(subscriber))
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_call_is_one_span_named_after_its_operation() {
    let _turn = TURN.lock().await;
    let stage = Stage::of(1).await;
    let datafy = stage.client();
    let (recording, _guard) = record();
    for operation in OPERATIONS {
        operation.call(&datafy, 0).await.unwrap();
    }
    let recorded = recording.0.lock().unwrap();
    let names: Vec<_> = recorded.spans.iter().map(|(name, ..)| *name).collect();
    let expected = [
        "create_snapshot",
        "create_volume_from_snapshots",
        "attach_volume",
        "deactivate_autoscaling",
    ];
    assert_eq!(names, expected);
    let port = stage.fake.endpoint().rsplit(':').next().unwrap().to_owned();
    let (_, level, snapshot) = &recorded.spans[0];
    assert_eq!(*level, Level::INFO);
    let expected = fields(&[
        ("otel.kind", "client"),
        ("http.request.method", "POST"),
        ("url.template", "/api/v1/volumes/{volumeId}/create-snapshot"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port),
        ("http.response.status_code", "200"),
        ("http.request.resend_count", "0"),
        ("datafy.outcome", "ok"),
        ("datafy.volume.id", "vol-seed0"),
    ]);
    assert_eq!(*snapshot, expected);
    assert_eq!(recorded.events.len(), 4);
}

#[tokio::test]
async fn each_attempt_is_an_event_and_the_span_has_the_outcome() {
    let _turn = TURN.lock().await;
    let stage = Stage::of(1).await;
    let datafy = stage.client();
    let (recording, _guard) = record();
    stage.fake.inject(Fault::status(429));
    stage.fake.inject(Fault::ReadThenReset);
    stage.fake.inject(Fault::status(409));
    Operation::Attach.call(&datafy, 0).await.unwrap_err();
    let recorded = recording.0.lock().unwrap();
    let attempts: Vec<_> = recorded
        .events
        .iter()
        .map(|(level, fields)| {
            assert_eq!(*level, Level::DEBUG);
            let [attempt, outcome, kind] = ["datafy.attempt", "datafy.outcome", "error.type"];
            (fields[attempt].as_str(), fields[outcome].as_str(), fields[kind].as_str())
        })
        .collect();
    assert_eq!(
        attempts,
        [("1", "refused", "429"), ("2", "unknown", "connection_lost"), ("3", "refused", "409")]
    );
    // The span describes the attempt that decided the outcome, not the last one.
    let (_, _, span) = &recorded.spans[0];
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
    let (recording, _guard) = record();
    for status in [200, 404] {
        let answer = Reply::json(status, &json!({})).header("x-request-id", "r-7");
        stage.fake.inject(Fault::ApplyThenAnswer(answer));
        let result = Operation::Deactivate.call(&datafy, 0).await;
        assert_eq!(result.is_ok(), status == 200);
        let recorded = recording.0.lock().unwrap();
        assert_eq!(recorded.spans.last().unwrap().2["datafy.request_id"], "r-7");
    }
}

const CANARY: &str = "canary-5e1f0c-canary";
/// The canary in base64.
const ENCODED: &str = "Y2FuYXJ5LTVlMWYwYy1jYW5hcnk";
/// The value of a query parameter and of a header.
const EXTRA: &str = "extra-7d2a";
const SECRETS: [&str; 3] = [CANARY, ENCODED, EXTRA];

/// A writer that keeps its output.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

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

/// Faults of the wire and of gateways.
fn wire() -> impl Iterator<Item = Fault> {
    [
        Fault::ReadThenReset,
        Fault::ReadThenHang,
        Fault::ApplyThenReset,
        Fault::ApplyThenCutHeaders,
        Fault::ApplyThenCutBody,
        Fault::ApplyThenStallBody,
        Fault::ApplyThenHang,
        Fault::Drip,
        Fault::CloseIdle,
        Fault::ApplyThenAnswer(Reply::html(200)),
        Fault::ApplyThenAnswer(Reply::status(200).body("x".repeat(2 << 20))),
    ]
    .into_iter()
}

/// The token, and what a caller adds to requests, are secret.
#[tokio::test]
async fn no_trace_shows_the_token_or_the_values_of_extras() {
    let _turn = TURN.lock().await;
    let output = Output::default();
    let writer = output.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let timeouts = Timeouts::attempt(Duration::from_millis(50));
    for fault in echoes().chain(wire()) {
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

/// Panics in the middle of a call.
#[derive(Debug)]
struct Panics;

impl Clock for Panics {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        panic!("no pause")
    }
}

#[tokio::test]
async fn the_token_appears_in_no_panic() {
    let _turn = TURN.lock().await;
    let stage = Stage::of(1).await;
    stage.fake.rotate_token(datafy_api_ext::fake::Fake::TOKEN, CANARY);
    let datafy = stage.builder().token(CANARY).clock(Panics).build().unwrap();
    stage.fake.inject(Fault::status(429));
    let panics = Arc::new(Mutex::new(String::new()));
    let writer = Arc::clone(&panics);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = format!("{panic} {panic:?}");
        writer.lock().unwrap().push_str(&text);
    }));
    let ended = tokio::spawn(async move { Operation::Attach.call(&datafy, 0).await }).await;
    std::panic::set_hook(hook);
    let error = ended.unwrap_err();
    let shown = format!("{error} {error:?} {}", panics.lock().unwrap());
    assert!(error.is_panic() && shown.contains("no pause"), "{shown}");
    assert!(!shown.contains(CANARY), "{shown}");
}
