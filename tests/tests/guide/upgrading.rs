include!(concat!(env!("OUT_DIR"), "/upgrading_1.rs"));

use datafy_api_ext::VolumeId;
use datafy_api_ext::fake::{Fake, Fault};
use std::fs;

#[tokio::test]
async fn journals_that_are_unknown_or_of_another_version_are_listed() {
    let fake = Fake::start().await.unwrap();
    let datafy = fake.client().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("list.csv"), "name,snapshot\n").unwrap();
    let other = concat!(
        r#"{"time":"2026-01-01T02:00:00.000000Z","journal":"datafy","version":99,"job":null,"#,
        r#""operation":"restore","endpoint":"https://api.datafy.io","sub_account":null}"#,
        "\n"
    );
    fs::write(folder.join("new.jsonl"), other).unwrap();
    for (volume, fault) in [("vol-1", Fault::ApplyThenReset), ("vol-2", Fault::status(409))] {
        fake.add_volume(volume.parse().unwrap(), 100);
        fake.inject(fault);
        let fleet = datafy.fleet([VolumeId::new(volume).unwrap()]).journal(folder.join(volume));
        let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
        while run.next().await.is_some() {}
    }

    let open = open_journals(folder).unwrap();
    assert_eq!(open.len(), 2, "{open:?}");
    assert!(open.iter().any(|it| it.ends_with("vol-1: 1 unknown")), "{open:?}");
    assert!(open.iter().any(|it| it.contains("version 99")), "{open:?}");
}
