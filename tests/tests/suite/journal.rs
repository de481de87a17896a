//! A journal holds the truth about every request, whatever happens to the process, the disk or the file.

use crate::scene::{
    LOST, MINUTE, Scene, Skipping, all_states, ended, ids, plain, snapshot_of, state, states,
    status, without_checksums,
};
use datafy_api_ext::fake::{Fault, Reply};
use datafy_api_ext::jobs::{FleetError, NotDone};
use datafy_api_ext::journal::{Journal, JournalError, Settled, StepState};
use datafy_api_ext::reconcile::SentCall;
use datafy_api_ext::{Clock, Outcome, SubAccountId};
use datafy_tests::until;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

/// A journal of the snapshots of this many volumes.
async fn written(size: usize) -> (Scene, PathBuf) {
    let scene = Scene::of(size).await;
    scene.snapshots(size).await;
    let path = scene.path();
    (scene, path)
}

#[tokio::test]
async fn a_second_run_retries_only_what_was_refused_and_reports_the_rest() {
    let scene = Scene::of(40).await;
    scene.inject_in_turn(&[None, LOST, None, status(409), None]);
    let first = scene.snapshots(40).await;
    scene.inject_all(None);
    let second = scene.snapshots(40).await;
    for (first, second) in first.values().zip(second.values()) {
        match (&first.result, &second.result) {
            (Ok(snapshot), Ok(recorded)) => {
                assert_eq!((second.before, &snapshot.id), (true, &recorded.id));
                assert_eq!((&recorded.status, &recorded.description), (&None, &None));
            }
            (Err(NotDone::Failed(error)), Err(NotDone::Unknown { step })) => {
                assert_eq!(error.outcome(), Outcome::Unknown);
                assert_eq!(error.marker(), step.marker.as_deref());
                assert_eq!(step.subject.volume.as_ref(), Some(&second.item));
            }
            (Err(NotDone::Failed(error)), Ok(_)) => {
                assert_eq!(error.outcome(), Outcome::Refused, "a refused call is retried");
            }
            ends => panic!("{ends:?}"),
        }
    }
    assert!(scene.stage.effects().iter().all(|effects| effects.len() == 1));
    let progress = ended(scene.fleet(40).run(snapshot_of)).await;
    assert_eq!((progress.done, progress.done_before, progress.unknown), (0, 32, 8));
}

#[tokio::test]
async fn the_lines_of_a_journal_are_those_that_its_documentation_shows() {
    let scene = Scene::of(1).await;
    let job = |datafy, id, steps| {
        snapshot_of(datafy, id, steps).sub_account(SubAccountId::new("sub-1").unwrap())
    };
    let mut run = scene.fleet(1).named("nightly").run(job).await.unwrap();
    run.next().await.unwrap().result.unwrap_err();
    let text = fs::read_to_string(scene.path()).unwrap();
    let mut lines = scene.lines();
    for (line, write) in lines.iter_mut().zip([None, Some(2), Some(3)]) {
        let line = line.as_object_mut().unwrap();
        assert_eq!(line.remove("write").map(|write| write.as_u64().unwrap()), write);
        assert_eq!(line.remove("crc").unwrap().as_str().unwrap().len(), 8);
        let time = line.remove("time").unwrap();
        let time = time.as_str().unwrap();
        assert_eq!((time.len(), &time[10..11], &time[26..]), (27, "T", "Z"), "{time}");
    }
    let marker = lines[1].as_object_mut().unwrap().remove("marker").unwrap();
    assert!(marker.as_str().unwrap().starts_with("[datafy-"));
    let expected = [
        json!({
            "journal": "datafy", "version": 2, "job": "nightly", "operation": "create_snapshot",
            "endpoint": scene.stage.fake.endpoint(), "sub_account": null, "account": null,
        }),
        json!({
            "key": "vol-seed0", "operation": "create_snapshot", "event": "begin",
            "subject": { "volume": "vol-seed0", "sub_account": "sub-1" },
        }),
        json!({
            "key": "vol-seed0", "operation": "create_snapshot", "event": "end",
            "outcome": "refused",
        }),
    ];
    assert_eq!(lines, expected);
    assert!(text.lines().all(|line| line.starts_with(r#"{"time":""#)), "{text}");
}

#[tokio::test]
async fn an_intent_is_recorded_before_its_request_is_sent_and_a_result_before_it_is_reported() {
    let scene = Scene::of(3).await;
    scene.stage.fake.inject_none();
    scene.inject_all(Some(Fault::ApplyThenHang));
    let mut run = scene.fleet(3).concurrency(1).run(snapshot_of).await.unwrap();
    let id = run.next().await.unwrap().result.unwrap().id;
    let end = &scene.lines()[2];
    assert_eq!((&end["outcome"], &end["created_id"]), (&json!("applied"), &json!(id)));
    tokio::select! {
        result = run.next() => panic!("{result:?}"),
        () = until(|| scene.requests() == 2) => {}
    }
    assert_eq!(scene.lines()[3]["event"], "begin");

    // As if the process had died here. The copy is needed because this process still holds the lock of the file.
    let copy = scene.file("copy");
    fs::copy(scene.path(), &copy).unwrap();
    scene.inject_all(None);
    let run = scene.datafy.fleet(ids(3)).journal(copy).run(snapshot_of);
    assert_eq!(all_states(run).await, ["before", "unknown", "done"]);
    assert_eq!(scene.effects(), 3);
}

#[tokio::test]
async fn an_unknown_outcome_in_the_journal_is_reported_in_spite_of_other_entries() {
    let (scene, path) = written(0).await;
    let header = without_checksums(&path);
    let facts =
        r#""time":"2026-01-01T00:00:00.000000Z","key":"vol-seed0","operation":"create_snapshot""#;
    let line = |event: &str| {
        let event = match event {
            "begin" => r#""begin","subject":{"volume":"vol-seed0"}"#.to_owned(),
            "created" => r#""end","outcome":"applied","created_id":"dsnap-1""#.to_owned(),
            outcome => format!(r#""end","outcome":"{outcome}""#),
        };
        format!("{{{facts},\"event\":{event}}}\n")
    };
    for (events, expected) in [
        ("begin begin created refused", "before"),
        ("begin created created", "before"),
        // What was created is not known.
        ("begin applied", "unknown"),
        ("begin begin not_sent", "unknown"),
        ("begin unknown begin refused", "unknown"),
        ("begin unknown begin applied", "unknown"),
        ("begin begin applied", "unknown"),
    ] {
        let lines: String = events.split(' ').map(line).collect();
        fs::write(&path, header.clone() + &lines).unwrap();
        assert_eq!(scene.snapshot_states(1).await, [expected], "{events}");
    }
    assert_eq!(scene.effects(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_journal_follows_no_link_and_leaves_nothing_beside_it() {
    let scene = Scene::of(1).await;
    let (path, other) = (scene.path(), scene.file("other"));
    // A link whose target is absent is not taken for a new journal.
    std::os::unix::fs::symlink(scene.file("unmounted/journal.jsonl"), &path).unwrap();
    let error = format!("{:#}", scene.try_snapshots(1).await.unwrap_err());
    assert!(error.contains("a symbolic link to a file that doesn't exist"), "{error}");
    assert!(scene.fleet(1).plan(snapshot_of).await.is_err());
    assert_eq!(scene.effects(), 0);

    fs::remove_file(&path).unwrap();
    fs::write(&other, "other").unwrap();
    std::os::unix::fs::symlink(&other, path.with_extension("jsonl.new")).unwrap();
    scene.snapshots(1).await;
    assert_eq!(fs::read_to_string(&other).unwrap(), "other");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    let mode = |path| fs::metadata(path).unwrap().permissions();
    assert_eq!(mode(&path), mode(&other), "those of any new file");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_the_runs_that_create_a_journal_at_once_has_it() {
    for _ in 0..50 {
        let scene = Scene::of(1).await;
        let start = || scene.fleet(1).run(snapshot_of);
        let runs = tokio::join!(start(), start(), start());
        let runs = [runs.0, runs.1, runs.2];
        assert_eq!(runs.iter().filter(|run| run.is_ok()).count(), 1);
        for error in runs.iter().filter_map(|run| run.as_ref().err()) {
            assert!(matches!(error, FleetError::Journal(JournalError::InUse { .. })), "{error}");
        }
        let beside = fs::read_dir(scene.path().parent().unwrap()).unwrap().count();
        assert_eq!((scene.lines().len(), beside), (1, 1));
    }
}

/// A clock that the thread that writes the journal reads once a lock is free.
#[derive(Clone, Debug, Default)]
struct Held(Arc<Mutex<()>>);

impl Clock for Held {
    fn date(&self) -> SystemTime {
        if thread::current().name() == Some("datafy-journal") {
            drop(self.0.lock().unwrap());
        }
        SystemTime::now()
    }
}

#[tokio::test]
async fn what_a_dropped_run_had_queued_is_recorded_as_not_sent() {
    let clock = Held::default();
    let scene = Scene::with(8, |client| client.clock(clock.clone())).await;
    let mut run = scene.fleet(8).concurrency(4).run(snapshot_of).await.unwrap();
    // One poll queues four intents. If one were written meanwhile, its call would begin in the same poll.
    let held = clock.0.lock().unwrap();
    assert!(futures_util::FutureExt::now_or_never(run.next()).is_none());
    drop(held);
    drop(run);
    assert_eq!((scene.requests(), scene.states()), (0, vec![StepState::NotSent; 4]));
    assert_eq!(scene.snapshot_states(8).await, ["done"; 8]);
}

#[tokio::test]
async fn a_failed_journal_says_why_in_one_line_and_as_json() {
    let scene = Scene::of(1).await;
    let fails = async |path: &str| {
        let fleet = scene.datafy.fleet(ids(1)).journal(path);
        fleet.run(snapshot_of).await.map(drop).unwrap_err()
    };
    let error = fails("/nowhere/journal").await;
    let why = fs::read("/nowhere/journal").unwrap_err().to_string();
    assert!(!error.to_string().contains(&why) && format!("{error:#}").contains(&why), "{error:#}");
    let FleetError::Journal(error) = error else { panic!() };
    let not_done: NotDone = NotDone::Journal(error);
    let text = format!("{not_done:#}");
    assert!(text.contains(&why) && text.lines().count() == 1, "{text}");
    assert_eq!(serde_json::to_value(&not_done).unwrap()["text"], text);
    if Path::new("/dev/zero").exists() {
        let error = format!("{:#}", fails("/dev/zero").await);
        assert!(error.ends_with("it is not a regular file"), "{error}");
    }
}

#[tokio::test]
async fn a_foreign_damaged_or_locked_journal_is_rejected_and_left_unchanged() {
    let (scene, path) = written(2).await;
    let sealed = fs::read_to_string(&path).unwrap();
    let whole = without_checksums(&path);
    let (lines, header) = (whole.lines().collect::<Vec<_>>(), sealed.find('\n').unwrap());
    let end = lines.iter().find(|line| line.contains("\"end\"")).unwrap();
    let version = r#"{"journal":"datafy-fleet","version":1,"operation":"create_snapshot"}"#;
    let changed = |from: &str, to: &str| whole.replacen(from, to, 1);
    let mut table = vec![
        ("not a journal".to_owned(), "is not a journal: its first line is \"not a journal\""),
        ("{}\n".to_owned(), "is not a journal"),
        (changed("create_snapshot", "attach_volume"), "its `operation` is \"attach_volume\""),
        (changed("http://127", "http://128"), "its `endpoint` is \"http://128."),
        (changed("account\":null", "account\":\"sub-1\""), "its `sub_account` is \"sub-1\""),
        (changed("job\":null", "job\":\"weekly\""), "its `job` is \"weekly\""),
        (version.to_owned() + "\n", "has version 1 of the format"),
        (changed(":2,", ":4,"), "has version 4 of the format"),
        // A new journal has its first line from the start, so these were truncated.
        (String::new(), "is damaged at line 1: it is empty"),
        (sealed[..1].to_owned(), "is damaged at line 1: "),
        (sealed[..header].to_owned(), "is damaged at line 1: its end is missing"),
    ];
    let begin = lines[1];
    let (event, operation) = (begin.replace("begin", "odd"), begin.replace("snapshot\"", "odd\""));
    for line in [&begin[..40], "{}", &event, &operation, end] {
        table.push((format!("{}\n{line}\n{begin}\n", lines[0]), "is damaged at line 2: "));
    }
    for (text, expected) in table {
        fs::write(&path, &text).unwrap();
        let error = scene.try_snapshots(2).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    // The order of the members doesn't matter.
    let (header, entries) = whole.split_once('\n').unwrap();
    let members = header.trim_matches(['{', '}']).split(',').rev().collect::<Vec<_>>();
    fs::write(&path, format!("{{{}}}\n{entries}", members.join(","))).unwrap();
    scene.snapshots(2).await;
    assert_eq!(scene.requests(), 2, "the second run repeats nothing");

    let _running = scene.fleet(2).run(snapshot_of).await.unwrap();
    let error = scene.try_snapshots(2).await.unwrap_err().to_string();
    assert!(error.contains("is in use; "), "{error}");
}

#[tokio::test]
async fn a_journal_that_is_too_old_is_refused() {
    // Only by the clock of the client.
    let clock = Skipping::new(Duration::ZERO);
    let scene = Scene::with(1, |client| client.clock(clock.clone())).await;
    let run = async |seconds| {
        clock.skip(Duration::from_secs(seconds));
        scene.fleet(1).max_journal_age(MINUTE).run(snapshot_of).await.map(drop)
    };
    run(3_600).await.unwrap();
    run(59).await.unwrap();
    let error = run(2).await.unwrap_err().to_string();
    assert!(error.contains(" was begun at 20") && error.contains("use a new one"), "{error}");
    // Whatever white space the time has.
    let text = fs::read_to_string(scene.path()).unwrap();
    let lines: Vec<_> = text.lines().map(plain).collect();
    fs::write(scene.path(), lines.join("\n").replacen('-', r"\n\u2028-", 1) + "\n").unwrap();
    let error = run(0).await.unwrap_err().to_string();
    assert!(error.contains(" UTC, longer ago") && !error.contains(['\n', '\u{2028}']), "{error}");
}

#[tokio::test]
async fn a_journal_that_is_changed_while_in_use_stops_the_run_before_the_next_effect() {
    type Change = fn(&Path);
    let changes: [(Change, &str); 5] = [
        (|path| fs::remove_file(path).unwrap(), "was removed or renamed"),
        (|path| fs::rename(path, path.with_extension("old")).unwrap(), "was removed or renamed"),
        (
            |path| {
                fs::copy(path, path.with_extension("new")).unwrap();
                fs::rename(path.with_extension("new"), path).unwrap();
            },
            "was replaced",
        ),
        (|path| fs::write(path, "").unwrap(), "was truncated"),
        (
            |path| fs::write(path, fs::read_to_string(path).unwrap() + "{}\n").unwrap(),
            "was written to",
        ),
    ];
    for (change, expected) in changes {
        let scene = Scene::of(9).await;
        let mut run = scene.fleet(9).concurrency(1).run(snapshot_of).await.unwrap();
        for _ in 0..3 {
            run.next().await.unwrap().result.unwrap();
        }
        change(&scene.path());
        // One job finds out, and the others are not attempted.
        let finished = run.next().await.unwrap();
        assert!(matches!(finished.result, Err(NotDone::Journal(_))), "{finished:?}");
        assert!(run.next().await.is_none());
        assert_eq!((run.not_attempted().len(), scene.effects()), (5, 3));
        let text = format!("{:#}", run.stopped().unwrap());
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn what_a_journal_said_before_another_run_settles_nothing() {
    let scene = Scene::of(1).await;
    scene.inject([Some(Fault::ReadThenReset), LOST]);
    assert_eq!(scene.snapshot_states(1).await, ["failed"]);
    let [mut early, mut late] = [scene.journal(), scene.journal()];
    let settle = |journal: &mut Journal| {
        journal.settle("vol-seed0", "create_snapshot", 1, Settled::NotApplied)
    };
    settle(&mut early).unwrap();
    drop(early);
    assert_eq!(scene.snapshot_states(1).await, ["failed"]);
    for _ in 0..2 {
        let error = settle(&mut late).unwrap_err().to_string();
        assert!(error.ends_with("was written to since it was read; read it again"), "{error}");
    }
    assert_eq!(scene.snapshot_states(1).await, ["unknown"]);
    assert_eq!(scene.effects(), 1);
}

#[tokio::test]
async fn what_is_unknown_can_be_settled_and_the_next_run_skips_or_repeats_it() {
    let scene = Scene::of(4).await;
    scene.inject([LOST, LOST, Some(Fault::ReadThenReset), status(403)]);
    ended(scene.fleet(4).concurrency(1).run(snapshot_of)).await;

    let mut journal = Journal::lock(scene.path()).unwrap();
    let busy = scene.try_snapshots(4).await.unwrap_err();
    assert!(matches!(busy, FleetError::Journal(JournalError::InUse { .. })), "{busy}");
    let unknown = StepState::Unknown;
    assert_eq!(states(&journal), [unknown, unknown, unknown, StepState::Refused]);
    let step = journal.entry("vol-seed0").unwrap().steps[0].clone();
    assert!(step.begun < step.ended.unwrap());

    let id = scene.stage.fake.snapshots()[4].id.to_string();
    let applied = Settled::Applied { id: Some(id.clone()) };
    journal.settle("vol-seed0", "create_snapshot", 1, applied).unwrap();
    journal.settle("vol-seed2", "create_snapshot", 1, Settled::NotApplied).unwrap();
    let expected = [StepState::Applied, unknown, StepState::NotApplied, StepState::Refused];
    assert_eq!(states(&journal), expected);
    let another = Settled::Applied { id: Some("vol-1".to_owned()) };
    for (key, found, expected) in [
        ("vol-9", Settled::NotApplied, "the journal has no step 1 of it"),
        ("vol-seed0", Settled::NotApplied, "it is not unknown"),
        ("vol-seed1", Settled::Applied { id: None }, "the ID of the created object is missing"),
        ("vol-seed1", another, "\"vol-1\" is not a Datafy snapshot ID"),
    ] {
        let error = journal.settle(key, "create_snapshot", 1, found).unwrap_err();
        assert!(matches!(error, JournalError::NotSettled { .. }));
        assert!(error.to_string().contains(expected), "{error}");
    }
    drop(journal);

    let results = scene.snapshots(4).await;
    let states: Vec<_> = results.values().map(state).collect();
    assert_eq!(states, ["before", "unknown", "done", "done"]);
    assert_eq!(results["vol-seed0"].result.as_ref().unwrap().id.as_str(), id);
    assert!(scene.stage.effects().iter().all(|effects| effects.len() == 1));
    assert_eq!(scene.lines().iter().filter(|line| line["event"] == "settle").count(), 2);
}

#[tokio::test]
async fn an_applied_create_without_a_usable_id_is_unknown_until_it_is_settled_with_its_id() {
    for (body, created) in
        [(r#"{"datafySnapshotId":"ds 1"}"#, Some("ds 1")), (r#"{"volumeId":"vol-seed0"}"#, None)]
    {
        let scene = Scene::of(1).await;
        scene.inject([Some(Fault::ApplyThenAnswer(Reply::json(200, &json!(null)).body(body)))]);
        let mut run = scene.fleet(1).run(snapshot_of).await.unwrap();
        let finished = run.next().await.unwrap();
        assert_eq!(finished.outcome(), Outcome::Unknown);
        let Err(NotDone::Failed(error)) = finished.result else { panic!("{finished:?}") };
        assert_eq!(
            (error.outcome(), error.unusable_id().map(|it| &**it)),
            (Outcome::Applied, created)
        );
        let progress = run.monitor().progress();
        assert_eq!((progress.done, progress.unknown, progress.exit_code()), (0, 1, 3));
        drop(run);
        assert_eq!(scene.lines()[2]["outcome"], "applied", "the journal says what happened");

        assert_eq!(scene.snapshot_states(1).await, ["unknown"]);
        let mut journal = scene.journal();
        let step = &journal.entries().next().unwrap().steps[0];
        assert_eq!((step.state, step.created_id.as_deref()), (StepState::Unknown, created));
        assert_eq!(SentCall::from(step).outcome, Outcome::Applied, "no look-up denies it");
        let mut settle = |found| journal.settle("vol-seed0", "create_snapshot", 1, found);
        let error = settle(Settled::NotApplied).unwrap_err();
        assert!(matches!(error, JournalError::NotSettled { .. }), "{error}");
        settle(Settled::Applied { id: Some("dsnap-1".to_owned()) }).unwrap();
        drop(journal);
        assert_eq!(scene.snapshot_states(1).await, ["before"]);
        assert_eq!(scene.effects(), 1);
    }
}

#[tokio::test]
async fn no_text_of_a_journal_reaches_a_terminal_as_control_characters() {
    let (scene, path) = written(0).await;
    let header = without_checksums(&path);
    let facts = r#""time":"2026-01-01T00:00:00.000000Z","key":"k\u001b]0;x\u202e","operation":"create_snapshot""#;
    let begin = r#""event":"begin","subject":{"volume":"vol-1"},"marker":"m\u001b[2J""#;
    let end =
        r#""event":"end","outcome":"applied","created_id":"c\u009b2J","request_id":"r\u007f""#;
    fs::write(&path, format!("{header}{{{facts},{begin}}}\n{{{facts},{end}}}\n")).unwrap();
    let mut journal = scene.journal();
    let entry = journal.entries().next().unwrap();
    assert_eq!(&*entry.key, "k\u{1b}]0;x\u{202e}", "it is settled by this");
    let step = &entry.steps[0];
    let boxed = || Box::new(step.clone());
    let mut shown = vec![
        format!("{} {} {:?}", entry.key, step.marker.as_ref().unwrap(), journal),
        format!("{} {}", step.created_id.as_ref().unwrap(), step.request_id.as_ref().unwrap()),
        format!("{entry:?} {}", serde_json::to_string(step).unwrap()),
        NotDone::<datafy_api_ext::Error>::Unknown { step: boxed() }.to_string(),
        NotDone::<datafy_api_ext::Error>::Conflict { step: boxed() }.to_string(),
    ];
    for found in [Settled::NotApplied, Settled::Applied { id: Some("\u{1b}".to_owned()) }] {
        let error = journal.settle(&entry.key, "create_snapshot", 1, found).unwrap_err();
        shown.push(error.to_string());
    }
    for text in shown {
        let misleads = |letter: char| letter.is_control() || letter == '\u{202e}';
        assert!(!text.contains(misleads), "{text:?}");
    }
}

#[tokio::test]
async fn a_journal_belongs_to_the_account_of_the_client() {
    let scene = Scene::of(1).await;
    let of = |account: &str| scene.stage.builder().query("accounts", account).build().unwrap();
    let (one, other, none) = (of("acc-1"), of("acc-2"), scene.datafy.clone());
    let run = async |datafy: &datafy_api_ext::Datafy| {
        datafy.fleet(ids(1)).journal(scene.path()).run(snapshot_of).await.map(drop)
    };
    run(&one).await.unwrap();
    assert_eq!(scene.lines()[0]["account"], "acc-1");
    for foreign in [&other, &none] {
        let error = run(foreign).await.unwrap_err();
        assert!(error.to_string().contains("its `account` is \"acc-1\""), "{error}");
        assert!(!scene.journal().is_of(foreign));
    }
    run(&one).await.unwrap();
    assert!(scene.journal().is_of(&one));
    // Releases before checksums didn't record it.
    let text = without_checksums(&scene.path()).replace(r#","account":"acc-1""#, "");
    fs::write(scene.path(), text).unwrap();
    assert!(scene.journal().is_of(&other) && run(&other).await.is_ok());
}

/// On Windows nobody can read a file that is locked.
#[cfg(unix)]
#[tokio::test]
async fn a_journal_in_use_or_that_is_not_writable_can_be_read_and_not_settled() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::of(1).await;
    scene.inject([Some(Fault::ReadThenHang)]);
    let mut run = scene.fleet(1).run(snapshot_of).await.unwrap();
    tokio::select! {
        _ = run.next() => panic!("the fake never answers"),
        () = until(|| scene.requests() == 1) => {}
    }
    assert!(matches!(Journal::lock(scene.path()), Err(JournalError::InUse { .. })));
    let mut read = scene.journal();
    assert_eq!(states(&read), [StepState::Unknown]);
    let before = fs::read(scene.path()).unwrap();
    let mut settle = || read.settle("vol-seed0", "create_snapshot", 1, Settled::NotApplied);
    assert!(matches!(settle(), Err(JournalError::InUse { .. })));
    assert_eq!(fs::read(scene.path()).unwrap(), before);

    drop(run);
    fs::set_permissions(scene.path(), fs::Permissions::from_mode(0o444)).unwrap();
    // The superuser may write it nevertheless.
    if fs::OpenOptions::new().append(true).open(scene.path()).is_err() {
        assert!(matches!(settle(), Err(JournalError::Io { .. })));
    }
    // What was written since it was read is not lost: what was found out may be about an earlier call.
    fs::set_permissions(scene.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let text = fs::read_to_string(scene.path()).unwrap();
    let lines: Vec<_> = text.lines().map(plain).collect();
    let other = lines[1].replace("vol-seed0", "vol-seed1");
    fs::write(scene.path(), lines.join("\n") + "\n" + &other + "\n").unwrap();
    assert!(matches!(settle(), Err(JournalError::NotSettled { .. })));
    let mut read = scene.journal();
    read.settle("vol-seed0", "create_snapshot", 1, Settled::NotApplied).unwrap();
    assert_eq!(read.entries().len(), 2);
    assert_eq!(read.path(), std::path::absolute(scene.path()).unwrap());
    assert_eq!(lines.len() + 2, crate::scene::lines(&scene.path()).len());
}
