include!(concat!(env!("OUT_DIR"), "/services_1.rs"));

use datafy_api_ext::fake::{Fake, Fault};

#[tokio::test]
async fn a_request_that_is_repeated_or_dropped_has_one_effect() {
    let fake = Fake::start().await.unwrap();
    let volume = VolumeId::new("vol-1").unwrap();
    fake.add_volume(volume.clone(), 100);
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("day").display().to_string();
    let datafy = fake.client().build().unwrap();
    let journal = datafy.journal(format!("{day}.jsonl")).await.unwrap();
    let service = Arc::new(Service { datafy, journal });
    let ask = |request: &str| {
        let (service, request, volume) = (Arc::clone(&service), request.to_owned(), volume.clone());
        async move { service.create_snapshot(request, volume).await }
    };

    // The client disconnects, and asks again.
    fake.inject(Fault::Delay(Duration::from_millis(20)));
    assert!(tokio::time::timeout(Duration::from_millis(5), ask("request-1")).await.is_err());
    let first = ask("request-1").await;
    assert!(matches!(&first, Answer::Created(_)), "{first:?}");
    assert_eq!((ask("request-1").await, fake.effects().len()), (first, 1));

    fake.inject(Fault::status(403));
    assert!(matches!(ask("request-2").await, Answer::Failed(_)));
    fake.inject(Fault::ApplyThenReset);
    assert!(matches!(ask("request-3").await, Answer::Unknown(_)));
    assert!(matches!(ask("request-3").await, Answer::Unknown(_)));
    assert_eq!(fake.effects().len(), 2);
    assert!(shut_down(service, Duration::from_secs(5)).await);
}
