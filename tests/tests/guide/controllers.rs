mod attach {
    include!(concat!(env!("OUT_DIR"), "/controllers_1.rs"));

    use datafy_api_ext::fake::{Fake, Fault};
    use serde_json::json;

    #[tokio::test]
    async fn an_attach_whose_answer_was_lost_is_found_in_ec2() {
        let fake = Fake::start().await.unwrap();
        let instance = InstanceId::new("i-1").unwrap();
        let device = DeviceName::new("/dev/sdb").unwrap();
        fake.add_volume("vol-1".parse().unwrap(), 100);
        fake.add_instance(instance.clone());
        let volume = fake.client().build().unwrap().volume("vol-1".parse().unwrap());
        let ec2 = async |_| {
            let attached = fake.volume(volume.id()).unwrap().instance;
            let attachments: Vec<_> = attached
                .iter()
                .map(|instance| json!({ "InstanceId": instance, "State": "attached" }))
                .collect();
            let tags = [("Managed-By", "Datafy.io"), ("datafy:source-volume:id", "vol-1")]
                .map(|(key, value)| json!({ "Key": key, "Value": value }));
            let volume = json!({ "VolumeId": "vol-e", "State": "available", "CreateTime": "2026-01-01T00:00:00Z",
                "Attachments": attachments, "Tags": tags });
            Ok(json!({ "Volumes": [volume] }).to_string().into_bytes())
        };

        let round = async |instance: &InstanceId, wanted| {
            ensure_attached(&volume, instance, &device, wanted, ec2).await.unwrap()
        };
        let just_now = SystemTime::now();
        let wanted = just_now - Duration::from_secs(3_600);
        fake.inject(Fault::ApplyThenReset);
        assert_eq!(round(&instance, wanted).await, Next::After(Duration::from_secs(30)));
        assert_eq!(round(&instance, wanted).await, Next::Done);
        // The clocks may differ, so it may have been attached before.
        assert_eq!(round(&instance, just_now).await, Next::After(Duration::from_secs(30)));
        let other = InstanceId::new("i-2").unwrap();
        let stuck = Next::Stuck("vol-1 is attached to i-1".to_owned());
        assert_eq!(round(&other, wanted).await, stuck);
        assert_eq!(fake.effects().len(), 1);
    }
}

mod create {
    include!(concat!(env!("OUT_DIR"), "/controllers_2.rs"));

    use datafy_api_ext::fake::{Fake, Fault};
    use serde_json::json;
    use std::sync::Mutex;

    #[tokio::test]
    async fn a_create_whose_answer_was_lost_is_found_in_ec2() {
        let fake = Fake::start().await.unwrap();
        fake.add_volume("vol-1".parse().unwrap(), 100);
        let volume = fake.client().build().unwrap().volume("vol-1".parse().unwrap());
        let stored = Mutex::new(Status::default());
        let read = || stored.lock().unwrap().clone();
        let store = async |status: &Status| {
            *stored.lock().unwrap() = status.clone();
            Ok(())
        };
        let nothing = async |query: Query| match query.command {
            "describe-volumes" => Ok(br#"{"Volumes": []}"#.to_vec()),
            _ => Ok(br#"{"Snapshots": []}"#.to_vec()),
        };
        let ec2 = async |query: Query| {
            if query.command == "describe-volumes" {
                return nothing(query).await;
            }
            let created = fake.snapshots().remove(0);
            let tags = [
                ("Managed-By", "Datafy.io"),
                ("datafy:source-volume:id", "vol-1"),
                ("datafy:snapshot:id", created.id.as_str()),
            ]
            .map(|(key, value)| json!({ "Key": key, "Value": value }));
            let started = chrono::DateTime::<chrono::Utc>::from(SystemTime::now()).to_rfc3339();
            let snapshot = json!({ "SnapshotId": "snap-e", "StartTime": started, "State": "pending", "Tags": tags });
            Ok(json!({ "Snapshots": [snapshot] }).to_string().into_bytes())
        };

        fake.inject(Fault::status(409));
        assert!(!ensure_snapshot(&volume, read(), store, nothing).await.unwrap());
        fake.inject(Fault::ApplyThenReset);
        assert!(ensure_snapshot(&volume, read(), store, nothing).await.is_err());
        let seen = ensure_snapshot(&volume, read(), store, nothing).await.unwrap();
        assert!(!seen, "EC2 doesn't show it yet");
        assert!(ensure_snapshot(&volume, read(), store, ec2).await.unwrap());
        assert!(ensure_snapshot(&volume, read(), store, ec2).await.unwrap());
        assert_eq!(read().snapshot, Some(fake.snapshots()[0].id.clone()));
        assert_eq!(fake.snapshots().len(), 1);
    }
}
