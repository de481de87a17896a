include!(concat!(env!("OUT_DIR"), "/metrics_1.rs"));

use datafy_api_ext::fake::{Fake, Fault};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn each_call_is_counted_by_its_outcome() {
    let mut registry = Registry::default();
    let metrics = CallMetrics::register(&mut registry);
    let subscriber = tracing_subscriber::registry().with(metrics);
    let _guard = tracing::subscriber::set_default(subscriber);
    let fake = Fake::start().await.unwrap();
    fake.add_volume("vol-1".parse().unwrap(), 100);
    fake.inject_none();
    fake.inject(Fault::ApplyThenReset);
    fake.inject(Fault::ApplyThenHang);
    let volume = fake.client().build().unwrap().volume("vol-1".parse().unwrap());

    volume.create_snapshot().await.unwrap();
    volume.create_snapshot().await.unwrap_err();
    timeout(Duration::from_millis(100), volume.create_snapshot()).await.unwrap_err();

    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    for line in [
        r#"datafy_call_seconds_count{operation="create_snapshot",outcome="ok"} 1"#,
        r#"datafy_call_seconds_count{operation="create_snapshot",outcome="unknown"} 2"#,
    ] {
        assert!(text.lines().any(|it| it == line), "{text}");
    }
}
