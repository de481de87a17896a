include!(concat!(env!("OUT_DIR"), "/backups_1.rs"));

use datafy_api_ext::fake::{Fake, Fault};

#[tokio::test]
async fn a_second_run_creates_only_what_is_missing() {
    let fake = Fake::start().await.unwrap();
    let datafy = fake.client().build().unwrap();
    let volumes = ["vol-1", "vol-2"].map(|id| VolumeId::new(id).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let run = async || nightly(&datafy, volumes.to_vec(), &journal).await.unwrap();

    fake.add_volume(volumes[0].clone(), 100);
    assert_eq!(run().await, 2, "the second volume doesn't exist yet");
    fake.add_volume(volumes[1].clone(), 100);
    fake.inject(Fault::ApplyThenReset);
    assert_eq!(run().await, 3, "its snapshot is created, and the answer lost");
    assert_eq!(run().await, 3, "nothing is repeated");
    assert_eq!(fake.snapshots().len(), 2);
}
