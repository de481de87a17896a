mod jobs {
    include!(concat!(env!("OUT_DIR"), "/steps_1.rs"));

    use datafy_api_ext::fake::{Fake, Fault};

    #[tokio::test]
    async fn a_clone_continues_with_the_step_that_failed() {
        let fake = Fake::start().await.unwrap();
        let instance = InstanceId::new("i-1").unwrap();
        fake.add_instance(instance.clone());
        let volume = VolumeId::new("vol-1").unwrap();
        fake.add_volume(volume.clone(), 100);
        let device = DeviceName::new("/dev/sdb").unwrap();
        let row = Row { name: "db-1".to_owned(), volume, instance, device };
        let datafy = fake.client().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal.jsonl");
        let run = async || clone_all(&datafy, vec![row.clone()], &journal).await.unwrap();

        fake.inject_none();
        fake.inject(Fault::status(403));
        assert_eq!((run().await, run().await, run().await), (2, 0, 0));
        assert_eq!(fake.effects().len(), 3);
    }
}

mod service {
    include!(concat!(env!("OUT_DIR"), "/steps_2.rs"));

    use datafy_api_ext::fake::Fake;

    #[tokio::test]
    async fn a_request_that_is_repeated_gets_the_same_snapshot() {
        let fake = Fake::start().await.unwrap();
        let volume = VolumeId::new("vol-1").unwrap();
        fake.add_volume(volume.clone(), 100);
        let datafy = fake.client().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        let mut answers = Vec::new();
        for _ in 0..2 {
            let journal = datafy.journal(&path).await.unwrap();
            answers.push(snapshot(&datafy, &journal, "request-7", volume.clone()).await.unwrap());
        }
        assert_eq!((&answers[0], fake.effects().len()), (&answers[1], 1));
    }
}
