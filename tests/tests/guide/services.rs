include!(concat!(env!("OUT_DIR"), "/services_1.rs"));

use datafy_api_ext::fake::{Fake, Fault};
use futures_util::FutureExt;

#[tokio::test]
async fn a_request_that_is_repeated_late_or_dropped_has_one_effect() {
    let fake = Fake::start().await.unwrap();
    let [volume, other] = ["vol-1", "vol-2"].map(|id| VolumeId::new(id).unwrap());
    fake.add_volume(volume.clone(), 100);
    fake.add_volume(other.clone(), 100);
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("day").display().to_string();
    let datafy = fake.client().build().unwrap();
    let journal = datafy.journal(format!("{day}.jsonl")).await.unwrap();
    let service = || Arc::new(Service { datafy: datafy.clone(), journal: journal.clone() });
    let ask = |request: &str, limit| {
        let (service, request, volume) = (service(), request.to_owned(), volume.clone());
        async move { service.create_snapshot(request, volume, limit).await }
    };
    let (short, long) = (Duration::from_millis(5), Duration::from_secs(60));

    // The client's deadline passes, it disconnects, and it asks again.
    fake.inject(Fault::Delay(Duration::from_millis(50)));
    assert_eq!(ask("request-1", short).await, Answer::Pending);
    assert!(tokio::time::timeout(short, ask("request-1", long)).await.is_err());
    let first = ask("request-1", long).await;
    assert!(matches!(&first, Answer::Created(_)), "{first:?}");
    assert_eq!((ask("request-1", long).await, fake.effects().len()), (first, 1));

    fake.inject(Fault::status(403));
    assert!(matches!(ask("request-2", long).await, Answer::Failed(_)));
    fake.inject(Fault::ApplyThenReset);
    assert!(matches!(ask("request-3", long).await, Answer::Unknown(_)));
    assert!(matches!(ask("request-3", long).await, Answer::Unknown(_)));
    assert_eq!(fake.effects().len(), 2);

    // A stop waits for what goes on although its client has disconnected, as long as it may.
    fake.inject(Fault::Delay(short));
    let stopped = service();
    let (job, call) = (
        stopped.create_snapshot("request-4".to_owned(), volume.clone(), long),
        stopped.deactivate_autoscaling(other.clone()),
    );
    assert!(job.now_or_never().is_none() && call.now_or_never().is_none());
    assert!(shut_down(stopped, long).await);
    assert_eq!(fake.effects().len(), 4);
    fake.inject(Fault::ApplyThenHang);
    assert!(service().deactivate_autoscaling(other.clone()).now_or_never().is_none());
    assert!(!shut_down(service(), short).await);
}
