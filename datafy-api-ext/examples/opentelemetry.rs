//! Exports the spans of calls with OpenTelemetry, to the standard output.
//!
//! `cargo run --package datafy-tests --example opentelemetry` makes the calls to a fake Datafy in this process.

use datafy_api_ext::VolumeId;
use datafy_api_ext::fake::{Fake, Fault};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use opentelemetry_stdout::SpanExporter;
use std::error::Error;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let kept = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name("nightly").build())
        // In batches, so that no call waits for the exporter. A real program uses the OTLP exporter here.
        .with_batch_exporter(SpanExporter::default())
        // So that this example can check the exported spans.
        .with_simple_exporter(kept.clone())
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("nightly"))
        // The source line and the thread that opened a span don't help to read a trace of calls.
        .with_location(false)
        .with_threads(false);
    // At `INFO` there is one span per call; `DEBUG` adds an event for each attempt. Other crates log much more at that
    // level, so it is enabled for this one only.
    let ours = Targets::new().with_target("datafy_api_ext", LevelFilter::DEBUG);
    tracing_subscriber::registry().with(layer.with_filter(ours)).init();

    let fake = Fake::start().await?;
    let datafy = fake.client().build()?;
    let volume = VolumeId::new("vol-0b9176567fe16f0bc")?;
    fake.add_volume(volume.clone(), 100);

    // A call is one span, however many attempts it makes.
    fake.inject(Fault::retry_after(429, "1"));
    datafy.volume(volume).create_snapshot().await?;
    let missing = datafy.volume(VolumeId::new("vol-00000000000000bad")?);
    if missing.create_snapshot().await.is_ok() {
        return Err("a snapshot was created of a volume that does not exist".into());
    }

    let spans = kept.get_finished_spans()?;
    let exported: Vec<_> = spans.iter().map(summary).collect();
    let ok = ["200", "1", "ok", "Unset"].map(str::to_owned);
    let refused = ["404", "0", "refused", "Error { description: \"\" }"].map(str::to_owned);
    assert_eq!(exported, [ok, refused]);

    // Exports the spans that are still in the batch.
    provider.shutdown()?;
    Ok(())
}

/// Returns the fields by which a dashboard groups calls, and the status of the span.
fn summary(span: &SpanData) -> [String; 4] {
    let attribute = |key| {
        let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
        found.map(|attribute| attribute.value.to_string()).unwrap_or_default()
    };
    [
        attribute("http.response.status_code"),
        attribute("http.request.resend_count"),
        attribute("datafy.outcome"),
        format!("{:?}", span.status),
    ]
}
