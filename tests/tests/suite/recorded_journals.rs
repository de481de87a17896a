//! Journals that a release without checksums has written, before it was killed, are resumed.
//!
//! Each has entries that are applied, unknown, refused and settled, and ends with an intent without a result. The items
//! are numbered as those of the stage.

use crate::scene::{Row, Scene, all_states, device, instance, snapshot, status};
use datafy_api_ext::VolumeId;
use datafy_api_ext::journal::StepState::{Applied, NotApplied, Refused, Unknown};
use std::fs;
use std::path::Path;

/// A scene with a recorded journal, whose endpoint is that of the fake.
async fn recorded(name: &str, size: usize) -> Scene {
    let scene = Scene::of(size).await;
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journals").join(name);
    let text = fs::read_to_string(recorded).unwrap();
    let text = text.replace("https://api.datafy.io", &scene.stage.fake.endpoint());
    fs::write(scene.path(), text).unwrap();
    scene
}

/// Adds the volumes that the fake would create with these numbers.
fn add_volumes(scene: &Scene, numbers: &[usize]) {
    for number in numbers {
        let id = VolumeId::new(format!("vol-{number:017}")).unwrap();
        scene.stage.fake.add_volume(id, 1);
    }
}

#[tokio::test]
async fn a_recorded_journal_of_snapshots_is_resumed() {
    let scene = recorded("snapshots.jsonl", 8).await;
    // The ID of the sixth was not usable for that release.
    let expected = [Applied, Unknown, Refused, Applied, NotApplied, Applied, Unknown];
    assert_eq!(scene.states(), expected);
    for expected in [
        ["before", "unknown", "done", "before", "done"],
        ["before", "unknown", "before", "before", "before"],
    ] {
        let fleet = scene.fleet(8).named("nightly");
        let states =
            all_states(fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot())).await;
        assert_eq!((&states[..5], states[6]), (&expected[..], "unknown"));
        assert_eq!(scene.effects(), 3, "of the volumes 2, 4 and 7");
    }
}

#[tokio::test]
async fn a_recorded_journal_of_attaches_is_resumed() {
    let scene = recorded("attaches.jsonl", 4).await;
    assert_eq!(scene.states(), [Applied, Unknown, Refused, Unknown]);
    let run = scene.fleet(4).run(|datafy, id, _| {
        let device = device(id.as_str().trim_start_matches("vol-seed"));
        datafy.volume(id).attach(instance(), device)
    });
    assert_eq!(all_states(run).await, ["before", "done", "done", "done"]);
    assert_eq!(scene.states(), [Applied; 4]);
}

#[tokio::test]
async fn a_recorded_journal_of_restores_is_resumed() {
    let scene = recorded("restores.jsonl", 6).await;
    add_volumes(&scene, &[1, 3, 5, 6]);
    for expected in [
        ["before", "done", "unknown", "done", "done", "done"],
        ["before", "before", "unknown", "before", "before", "before"],
    ] {
        let fleet = scene.datafy.fleet((0..6).map(Row)).named("recovery").journal(scene.path());
        let run =
            fleet.run(|datafy, Row(row), _| datafy.restore(snapshot(row), instance(), device(row)));
        assert_eq!(all_states(run).await, expected);
        assert_eq!(scene.requests(), 5, "a create and four attaches");
    }
}

#[tokio::test]
async fn a_recorded_journal_of_a_restore_is_resumed() {
    let scene = recorded("restore.jsonl", 1).await;
    add_volumes(&scene, &[1]);
    scene.inject([status(403)]);
    for attached in [false, true, true] {
        let restore = scene.datafy.restore(snapshot(0), instance(), device('b'));
        let result = restore.journal(scene.path()).await;
        assert_eq!(result.is_ok(), attached, "{result:?}");
    }
    assert_eq!(scene.requests(), 2, "both attach the volume of the journal");
}
