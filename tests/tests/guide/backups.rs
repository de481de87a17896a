include!(concat!(env!("OUT_DIR"), "/backups_1.rs"));

use datafy_api_ext::fake::{Fake, Fault};
use std::future::ready;
use std::sync::mpsc::channel;

#[tokio::test]
async fn a_second_run_creates_only_what_is_missing() {
    let fake = Fake::start().await.unwrap();
    let datafy = fake.client().build().unwrap();
    let volumes = ["vol-1", "vol-2"].map(|id| VolumeId::new(id).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let (asked, queries) = channel();
    let look_up = LookUp::new(move |query| {
        asked.send(query).unwrap();
        ready(Err("there is no AWS CLI"))
    });
    let run = async || nightly(&datafy, volumes.to_vec(), &journal, look_up.clone()).await.unwrap();

    fake.add_volume(volumes[0].clone(), 100);
    assert_eq!(run().await, 2, "the second volume doesn't exist yet");
    assert_eq!(queries.try_iter().count(), 0, "nothing is unknown");
    fake.add_volume(volumes[1].clone(), 100);
    fake.inject(Fault::ApplyThenReset);
    assert_eq!(run().await, 3, "its snapshot is created, and the answer lost");
    assert_ne!(queries.try_iter().count(), 0, "it is looked up");
    assert_eq!(run().await, 3, "nothing is repeated");
    assert_eq!(fake.snapshots().len(), 2);
}
