include!(concat!(env!("OUT_DIR"), "/disaster_recovery_1.rs"));

use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::journal::{Journal, Settled};

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_attached_once_it_is_settled() {
    let fake = Fake::start().await.unwrap();
    let datafy = fake.client().build().unwrap();
    fake.add_instance("i-1".parse().unwrap());
    for (snapshot, volume) in [("dsnap-1", "vol-1"), ("dsnap-2", "vol-2")] {
        fake.add_snapshot(snapshot.parse().unwrap(), volume.parse().unwrap(), 100);
    }
    let folder = tempfile::tempdir().unwrap();
    let (list, journal) = (folder.path().join("list.csv"), folder.path().join("journal.jsonl"));
    let rows = "name,snapshot,instance,device\na,dsnap-1,i-1,/dev/sdb\nb,dsnap-2,i-1,/dev/sdc\n";
    std::fs::write(&list, rows).unwrap();
    let run = async || restore_all(&datafy, &list, &journal).await.unwrap();

    fake.inject(Fault::ApplyThenReset);
    assert_eq!(run().await, 3);
    assert_eq!(run().await, 3, "nothing is repeated");
    let volumes = fake.volumes();
    assert_eq!(volumes.len(), 2);
    let lost = volumes.iter().find(|volume| volume.instance.is_none()).unwrap();
    let name = if lost.source.as_ref().unwrap().as_str() == "dsnap-1" { "a" } else { "b" };
    let created = Settled::Applied { id: Some(lost.id.to_string()) };
    Journal::read(&journal)
        .unwrap()
        .settle(name, "create_volume_from_snapshots", 1, created)
        .unwrap();
    assert_eq!(run().await, 0);
    let volumes = fake.volumes();
    assert!(volumes.len() == 2 && volumes.iter().all(|volume| volume.instance.is_some()));
}
