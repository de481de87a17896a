//! Journals that a release without checksums has written, before it was killed, are resumed.
//!
//! Each has entries that are applied, unknown, refused and settled, and ends with an intent without a result. The items
//! are numbered as those of the stage.

use crate::scene::{Row, all_states, device, ids, instance, snapshot, states};
use datafy_api_ext::fake::Fault;
use datafy_api_ext::journal::{Journal, StepState};
use datafy_api_ext::{Datafy, VolumeId};
use datafy_tests::Stage;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A copy of a recorded journal whose endpoint is that of the stage.
fn recorded(name: &str, stage: &Stage) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journals").join(name);
    let text = fs::read_to_string(recorded).unwrap();
    fs::write(&path, text.replace("https://api.datafy.io", &stage.fake.endpoint())).unwrap();
    (directory, path)
}

fn states_in(path: &Path) -> Vec<StepState> {
    states(&Journal::read(path).unwrap())
}

#[tokio::test]
async fn a_recorded_journal_of_snapshots_is_resumed() {
    use StepState::{Applied, NotApplied, Refused, Unknown};
    let stage = Stage::of(8).await;
    let (_directory, path) = recorded("snapshots.jsonl", &stage);
    // The ID of the sixth was not usable for that release.
    assert_eq!(
        states_in(&path),
        [Applied, Unknown, Refused, Applied, NotApplied, Applied, Unknown]
    );
    for expected in [
        ["before", "unknown", "done", "before", "done"],
        ["before", "unknown", "before", "before", "before"],
    ] {
        let fleet = stage.client().fleet(ids(8)).named("nightly").journal(&path);
        let run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot());
        let states = all_states(run).await;
        assert_eq!((&states[..5], states[6]), (&expected[..], "unknown"));
        assert_eq!(stage.fake.effects().len(), 3, "of the volumes 2, 4 and 7");
    }
}

#[tokio::test]
async fn a_recorded_journal_of_attaches_is_resumed() {
    use StepState::{Applied, Refused, Unknown};
    let stage = Stage::of(4).await;
    let (_directory, path) = recorded("attaches.jsonl", &stage);
    assert_eq!(states_in(&path), [Applied, Unknown, Refused, Unknown]);
    let fleet = stage.client().fleet(ids(4)).journal(&path);
    let run = fleet.run(|datafy, id, _| {
        let device = device(id.as_str().trim_start_matches("vol-seed"));
        datafy.volume(id).attach(instance(), device)
    });
    assert_eq!(all_states(run).await, ["before", "done", "done", "done"]);
    assert_eq!(states_in(&path), [Applied; 4]);
}

async fn restore_rows(datafy: &Datafy, path: &Path) -> Vec<&'static str> {
    let fleet = datafy.fleet((0..6).map(Row)).named("recovery").journal(path);
    let run = fleet
        .run(|datafy, Row(number), _| datafy.restore(snapshot(number), instance(), device(number)));
    all_states(run).await
}

#[tokio::test]
async fn a_recorded_journal_of_restores_is_resumed() {
    let stage = Stage::of(6).await;
    for number in [1, 3, 5, 6] {
        stage.fake.add_volume(volume(number), 1);
    }
    let (_directory, path) = recorded("restores.jsonl", &stage);
    let expected = ["before", "done", "unknown", "done", "done", "done"];
    assert_eq!(restore_rows(&stage.client(), &path).await, expected);
    // A create and four attaches.
    assert_eq!(stage.fake.requests().len(), 5);
    let mut expected = ["before"; 6];
    expected[2] = "unknown";
    assert_eq!(restore_rows(&stage.client(), &path).await, expected);
    assert_eq!(stage.fake.requests().len(), 5);
}

#[tokio::test]
async fn a_recorded_journal_of_a_restore_is_resumed() {
    let stage = Stage::of(1).await;
    stage.fake.add_volume(volume(1), 1);
    let (_directory, path) = recorded("restore.jsonl", &stage);
    stage.fake.inject(Fault::status(403));
    for attached in [false, true, true] {
        let restore = stage.client().restore(snapshot(0), instance(), device('b'));
        let result = restore.journal(&path).await;
        assert_eq!(result.is_ok(), attached, "{result:?}");
    }
    assert_eq!(stage.fake.requests().len(), 2, "both attach the volume of the journal");
}

/// The ID of the volume that the fake creates with this number.
fn volume(number: usize) -> VolumeId {
    VolumeId::new(format!("vol-{number:017}")).unwrap()
}
