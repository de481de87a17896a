//! A journal holds the truth about every request, whatever happens to the process, the disk or the file.

use crate::fleet::{Result, count, done, ids, planned, snapshots, unknown_before, unknown_now};
use datafy_api_ext::fake::{Fault, Reply};
use datafy_api_ext::jobs::{FleetError, NotDone};
use datafy_api_ext::journal::{Journal, JournalError, Settled, StepState};
use datafy_api_ext::{Datafy, Outcome};
use datafy_tests::{Stage, until};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn journal() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.jsonl");
    (directory, path)
}

/// A journal of the snapshots of this many volumes, and the fake that made them.
async fn written(size: usize) -> (Stage, Datafy, TempDir, PathBuf) {
    let stage = Stage::of(size).await;
    let (directory, path) = journal();
    let datafy = stage.client();
    snapshots(&datafy, ids(size), Some(&path)).await.unwrap();
    (stage, datafy, directory, path)
}

fn applied_before(it: &Result) -> bool {
    it.before
}

/// The states of the last steps.
fn states(journal: &Journal) -> Vec<StepState> {
    journal.entries().map(|entry| entry.steps[0].state).collect()
}

/// Removes the checksums from a journal, so that a test can edit it. Returns its text.
pub(crate) fn without_checksums(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text: String = text.lines().map(|line| plain(line) + "\n").collect();
    fs::write(path, &text).unwrap();
    text
}

/// A line without its checksum and its write.
pub(crate) fn plain(line: &str) -> String {
    let (text, _) = line.rsplit_once(r#","crc":"#).unwrap();
    text.rsplit_once(r#","write":"#).map_or(text, |(text, _)| text).to_owned() + "}"
}

/// A line with a checksum, and the number of the first line of its write.
pub(crate) fn sealed(plain: &str, write: u64) -> String {
    let text = format!(r#"{},"write":{write}"#, plain.trim_end().strip_suffix('}').unwrap());
    format!("{text},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(text.as_bytes()))
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_second_run_retries_only_what_was_refused_and_reports_the_rest() {
    let stage = Stage::of(100).await;
    let (_directory, path) = journal();
    let mut requests = 0;
    stage.fake.inject_with(move |_| {
        requests += 1;
        match requests % 10 {
            3 => Some(Fault::ApplyThenReset),
            6 => Some(Fault::status(409)),
            _ => None,
        }
    });
    let datafy = stage.client();
    let first = snapshots(&datafy, ids(100), Some(&path)).await.unwrap();
    assert_eq!((count(&first, done), count(&first, unknown_now)), (80, 10));

    stage.fake.inject_with(|_| None);
    let second = snapshots(&datafy, ids(100), Some(&path)).await.unwrap();
    let mut repeated = 0;
    for (id, finished) in &second {
        match (&first[id].result, &finished.result) {
            (Ok(snapshot), Ok(recorded)) => {
                assert_eq!((finished.before, &snapshot.id), (true, &recorded.id));
                assert_eq!((&recorded.status, &recorded.description), (&None, &None));
            }
            (Err(NotDone::Failed(error)), Err(not_done @ NotDone::Unknown { step, .. })) => {
                assert_eq!(error.outcome(), Outcome::Unknown);
                let marker = step.marker.as_deref().unwrap();
                assert_eq!(Some(marker), error.marker());
                assert_eq!(step.subject.volume.as_ref(), Some(id));
                let text = not_done.to_string();
                let ends =
                    format!(" may have been applied; look for {marker}; settle it in the journal");
                assert!(text.ends_with(&ends), "{text}");
            }
            (Err(NotDone::Failed(error)), Ok(_)) => {
                assert_eq!(error.outcome(), Outcome::Refused, "a refused call is retried");
                repeated += 1;
            }
            ends => panic!("{id}: {ends:?}"),
        }
    }
    assert_eq!(repeated, 10);
    assert!(stage.effects().iter().all(|effects| effects.len() == 1));
}

#[tokio::test]
async fn the_lines_of_a_journal_are_those_that_its_documentation_shows() {
    let stage = Stage::of(1).await;
    let (_directory, path) = journal();
    let fleet = stage.client().fleet(ids(1)).named("nightly").journal(&path);
    let mut run = fleet
        .run(|datafy, id, _| {
            let sub_account = datafy_api_ext::SubAccountId::new("sub-1").unwrap();
            datafy.volume(id.clone()).create_snapshot().traceable().sub_account(sub_account)
        })
        .await
        .unwrap();
    run.next().await.unwrap().result.unwrap_err();
    let mut lines = lines(&path);
    let text = fs::read_to_string(&path).unwrap();
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
            "endpoint": stage.fake.endpoint(), "sub_account": null, "account": null,
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
async fn the_intent_is_in_the_journal_before_the_request_is_sent() {
    let stage = Stage::of(3).await;
    let (_directory, path) = journal();
    stage.fake.inject_with(|_| Some(Fault::ApplyThenHang));
    let datafy = stage.client();
    let fleet = datafy.fleet(ids(3)).journal(&path);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    tokio::select! {
        result = run.next() => panic!("{result:?}"),
        () = until(|| stage.fake.requests().len() == 3) => {}
    }
    let begun = lines(&path).iter().filter(|line| line["event"] == "begin").count();
    assert_eq!(begun, 3);

    // As if the process had died here. The copy is needed because this process still holds the lock of the file.
    let copy = path.with_extension("copy");
    fs::copy(&path, &copy).unwrap();
    let after = snapshots(&datafy, ids(3), Some(&copy)).await.unwrap();
    assert_eq!(count(&after, unknown_before), 3);
    assert_eq!(stage.fake.effects().len(), 3);
}

#[tokio::test]
async fn a_result_is_in_the_journal_before_it_is_reported() {
    let (stage, _datafy, _directory, path) = written(1).await;
    let end = &lines(&path)[2];
    assert_eq!(end["outcome"], "applied");
    assert_eq!(end["created_id"], stage.fake.snapshots()[1].id.as_str());
}

#[tokio::test]
async fn an_unknown_outcome_in_the_journal_is_reported_in_spite_of_other_entries() {
    let (stage, datafy, _directory, path) = written(0).await;
    let header = without_checksums(&path);
    let record = |event: &str| {
        let time = "2026-01-01T00:00:00.000000Z";
        let facts = r#""key":"vol-seed0","operation":"create_snapshot""#;
        format!(r#"{{"time":"{time}",{facts},"event":{event}}}"#)
    };
    let begin = &record(r#""begin","subject":{"volume":"vol-seed0"}"#);
    let end = |outcome: &str| record(&format!(r#""end","outcome":"{outcome}""#));
    let created = record(r#""end","outcome":"applied","created_id":"dsnap-1""#);
    for (lines, applied) in [
        (vec![begin.clone(), begin.clone(), created, end("refused")], true),
        // What was created is not known.
        (vec![begin.clone(), end("applied")], false),
        (vec![begin.clone(), begin.clone(), end("not_sent")], false),
        (vec![begin.clone(), end("unknown"), begin.clone(), end("refused")], false),
        (vec![begin.clone(), end("unknown"), begin.clone(), end("applied")], false),
        (vec![begin.clone(), begin.clone(), end("applied")], false),
    ] {
        fs::write(&path, format!("{header}{}\n", lines.join("\n"))).unwrap();
        let results = snapshots(&datafy, ids(1), Some(&path)).await.unwrap();
        assert_eq!(count(&results, applied_before) == 1, applied, "{lines:?}");
        assert_eq!(count(&results, unknown_before) == 1, !applied, "{lines:?}");
    }
    assert_eq!(stage.fake.effects(), []);
}

#[tokio::test]
async fn an_idempotent_operation_with_an_unknown_outcome_is_retried_by_the_next_run() {
    let stage = Stage::of(2).await;
    let (_directory, path) = journal();
    stage.fake.inject_with(|_| Some(Fault::ReadThenReset));
    let datafy = stage.client();
    for expected in [0, 2] {
        let fleet = datafy.fleet(ids(2)).journal(&path);
        let mut run =
            fleet.run(|datafy, id, _| datafy.volume(id).deactivate_autoscaling()).await.unwrap();
        let monitor = run.monitor();
        while run.next().await.is_some() {}
        assert_eq!(monitor.progress().done, expected);
        stage.fake.inject_with(|_| None);
    }
}

#[tokio::test]
async fn a_truncated_last_write_is_accepted() {
    let (stage, datafy, _directory, path) = written(2).await;
    let whole = fs::read(&path).unwrap();
    let made = stage.fake.effects().len();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    // After every cut each volume is begun, applied, or not in the journal.
    for length in header..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        stage.fake.inject_with(|_| Some(Fault::status(403)));
        let results = snapshots(&datafy, ids(2), Some(&path)).await.unwrap();
        assert_eq!(results.len(), 2, "cut at {length}");
    }
    assert_eq!(stage.fake.effects().len(), made);
}

#[tokio::test]
async fn a_last_line_of_which_only_the_line_break_is_missing_counts() {
    let stage = Stage::of(2).await;
    let (_directory, path) = journal();
    let datafy = stage.client();
    stage.fake.inject(Fault::ApplyThenReset);
    snapshots(&datafy, ids(1), Some(&path)).await.unwrap();
    // The intent alone, as after a kill, and as an editor may leave it.
    let whole = fs::read_to_string(&path).unwrap();
    let intent: String = whole.split_inclusive('\n').take(2).collect();
    fs::write(&path, intent.trim_end()).unwrap();
    let read = Journal::read(&path).unwrap();
    assert_eq!(read.entries().next().unwrap().steps[0].state, StepState::Unknown);
    drop(read);

    let results = snapshots(&datafy, ids(2), Some(&path)).await.unwrap();
    assert_eq!(count(&results, unknown_before), 1, "{results:?}");
    assert_eq!(stage.fake.effects().len(), 2, "the other snapshot is created");
    assert!(fs::read_to_string(&path).unwrap().starts_with(&intent));
    assert_eq!(lines(&path).len(), 4);
}

#[cfg(unix)]
#[tokio::test]
async fn a_journal_behind_a_link_whose_target_is_absent_is_not_taken_for_a_new_one() {
    let stage = Stage::of(1).await;
    let (directory, path) = journal();
    std::os::unix::fs::symlink(directory.path().join("unmounted/journal.jsonl"), &path).unwrap();
    let error = snapshots(&stage.client(), ids(1), Some(&path)).await.unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("a symbolic link to a file that doesn't exist"), "{error}");
    let datafy = stage.client();
    let plan = datafy.fleet(ids(1)).journal(&path);
    let plan = plan.plan(|datafy, id, _| datafy.volume(id).create_snapshot()).await;
    assert!(plan.is_err(), "{plan:?}");
    assert!(stage.fake.effects().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_journal_follows_no_link_and_leaves_nothing_beside_it() {
    let stage = Stage::of(1).await;
    let (directory, path) = journal();
    let other = directory.path().join("other");
    fs::write(&other, "other").unwrap();
    std::os::unix::fs::symlink(&other, path.with_extension("jsonl.new")).unwrap();
    snapshots(&stage.client(), ids(1), Some(&path)).await.unwrap();
    assert_eq!(fs::read_to_string(&other).unwrap(), "other");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    let mode = |path| fs::metadata(path).unwrap().permissions();
    assert_eq!(mode(&path), mode(&other), "those of any new file");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_the_runs_that_create_a_journal_at_once_has_it() {
    let stage = Stage::of(1).await;
    let datafy = stage.client();
    for _ in 0..50 {
        let (directory, path) = journal();
        let start = || {
            let fleet = datafy.fleet(ids(1)).journal(&path);
            fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot())
        };
        let runs = tokio::join!(start(), start(), start());
        let runs = [runs.0, runs.1, runs.2];
        assert_eq!(runs.iter().filter(|run| run.is_ok()).count(), 1);
        for error in runs.iter().filter_map(|run| run.as_ref().err()) {
            assert!(matches!(error, FleetError::Journal(JournalError::InUse { .. })), "{error}");
        }
        assert_eq!((lines(&path).len(), fs::read_dir(directory.path()).unwrap().count()), (1, 1));
    }
}

#[tokio::test]
async fn a_journal_without_a_complete_header_was_truncated_and_is_refused() {
    let (stage, datafy, _directory, path) = written(2).await;
    let whole = fs::read(&path).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for (length, expected) in [
        (0, "line 1: it is empty, so it was truncated, "),
        (1, " is damaged at line 1: "),
        (header, "line 1: its end is missing; "),
    ] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = snapshots(&datafy, ids(2), Some(&path)).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        let error = Journal::read(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read(&path).unwrap(), &whole[..length]);
    }
    assert_eq!(stage.fake.effects().len(), 2);
}

#[tokio::test]
async fn what_a_dropped_run_had_queued_is_recorded_as_not_sent() {
    let stage = Stage::of(8).await;
    let (_directory, path) = journal();
    let datafy = stage.client();
    let fleet = datafy.fleet(ids(8)).concurrency(4).journal(&path);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    // One poll queues four intents.
    assert!(futures_util::FutureExt::now_or_never(run.next()).is_none());
    drop(run);
    assert_eq!(stage.fake.requests().len(), 0);
    let states: Vec<_> = {
        let journal = Journal::read(&path).unwrap();
        journal.entries().map(|entry| entry.steps[0].state).collect()
    };
    assert_eq!(states, [StepState::NotSent; 4]);
    let results = snapshots(&datafy, ids(8), Some(&path)).await.unwrap();
    assert_eq!(count(&results, done), 8);
}

#[tokio::test]
async fn a_result_without_a_begin_is_damage_and_a_second_result_is_not() {
    let stage = Stage::of(1).await;
    let (_directory, path) = journal();
    let datafy = stage.client();
    let deactivate = async || {
        let fleet = datafy.fleet(ids(1)).journal(&path);
        let mut run =
            fleet.run(|datafy, id, _| datafy.volume(id).deactivate_autoscaling()).await.unwrap();
        while run.next().await.is_some() {}
    };
    deactivate().await;
    without_checksums(&path);
    let [header, begin, end] = &texts(&path)[..] else { panic!() };
    fs::write(&path, [&**header, begin, begin, end, end].concat()).unwrap();
    assert_eq!(states(&Journal::read(&path).unwrap())[0], StepState::Applied);
    fs::write(&path, [&**header, end].concat()).unwrap();
    let error = Journal::read(&path).unwrap_err().to_string();
    assert!(error.contains("damaged at line 2"), "{error}");
}

#[tokio::test]
async fn a_failed_journal_says_why_in_one_line_and_as_json() {
    let stage = Stage::of(1).await;
    let error = snapshots(&stage.client(), ids(1), Some(Path::new("/nowhere/journal"))).await;
    let error = error.unwrap_err();
    let line = format!("{error:#}");
    let why = fs::read("/nowhere/journal").unwrap_err();
    let expected = format!("the journal /nowhere/journal can't be read or written: {why} at path ");
    assert!(line.starts_with(&expected), "{line}");
    let FleetError::Journal(error) = error else { panic!() };
    let not_done: NotDone = NotDone::Journal(error);
    let expected = format!("not continued: the journal can't be used: {line}");
    assert_eq!(format!("{not_done:#}"), expected);
    assert_eq!(serde_json::to_value(&not_done).unwrap()["text"], expected);
}

/// The lines of a journal as texts, with their line ends.
fn texts(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().split_inclusive('\n').map(str::to_owned).collect()
}

#[tokio::test]
async fn a_journal_whose_header_has_its_members_in_another_order_is_resumed() {
    let (stage, datafy, _directory, path) = written(2).await;
    let whole = without_checksums(&path);
    let (header, entries) = whole.split_once('\n').unwrap();
    let members = header.trim_matches(['{', '}']).split(',').rev().collect::<Vec<_>>();
    fs::write(&path, format!("{{{}}}\n{entries}", members.join(","))).unwrap();
    snapshots(&datafy, ids(2), Some(&path)).await.unwrap();
    assert_eq!(stage.fake.requests().len(), 2, "the second run repeats nothing");
}

#[tokio::test]
async fn a_foreign_damaged_or_locked_journal_is_rejected_and_left_unchanged() {
    let (stage, datafy, _directory, path) = written(2).await;
    let whole = without_checksums(&path);
    let rejected = async |text: &str| {
        fs::write(&path, text).unwrap();
        let error = snapshots(&datafy, ids(2), Some(&path)).await.unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        error.to_string()
    };
    for text in ["not a journal", "{}\n", "[]\n"] {
        let error = rejected(text).await;
        assert!(error.contains(" is not a journal: its first line is \""), "{error}");
    }
    for (from, to, expected) in [
        ("create_snapshot", "attach_volume", "its `operation` is \"attach_volume\", and that of"),
        ("http://127", "http://128", "its `endpoint` is \"http://128."),
        ("\"sub_account\":null", "\"sub_account\":\"sub-1\"", "its `sub_account` is \"sub-1\","),
        (
            "\"job\":null",
            "\"job\":\"weekly\"",
            "its `job` is \"weekly\", and that of this run is null",
        ),
    ] {
        let error = rejected(&whole.replacen(from, to, 1)).await;
        assert!(error.contains(expected), "{error}");
    }
    let one = r#"{"journal":"datafy-fleet","version":1,"operation":"create_snapshot"}"#;
    for (text, version) in [(one.to_owned() + "\n", 1), (whole.replacen(":2,", ":4,", 1), 4)] {
        let error = rejected(&text).await;
        let expected =
            format!("has version {version} of the format, and this crate reads versions 2 and 3");
        assert!(error.contains(&expected) && error.contains("the release"), "{error}");
    }
    let lines: Vec<_> = whole.lines().collect();
    let end = lines.iter().find(|line| line.contains("\"end\"")).unwrap();
    let cut = &lines[1][..40];
    for damage in [cut, "{}", &lines[1].replace("begin", "odd"), end] {
        let error = rejected(&format!("{}\n{damage}\n{}\n", lines[0], lines[1])).await;
        assert!(error.contains("is damaged at line 2: "), "{error}");
    }
    fs::write(&path, &whole).unwrap();
    let running = datafy.fleet(ids(2)).journal(&path);
    let _running = running.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await;
    let error = snapshots(&datafy, ids(2), Some(&path)).await.unwrap_err();
    assert!(error.to_string().contains("is in use; "), "{error}");
    let error = snapshots(&datafy, ids(2), Some(Path::new("/nowhere/journal"))).await.unwrap_err();
    assert_eq!(error.to_string(), "the journal /nowhere/journal can't be read or written");
    let source = std::error::Error::source(&error).unwrap();
    let why = fs::read("/nowhere/journal").unwrap_err().to_string();
    assert!(source.to_string().starts_with(&why), "{source}");
    if Path::new("/dev/zero").exists() {
        let error = snapshots(&datafy, ids(2), Some(Path::new("/dev/zero"))).await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "it is not a regular file");
    }
    assert_eq!(stage.fake.effects().len(), 2);
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
        (
            |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(10).unwrap(),
            "was truncated",
        ),
        (
            |path| {
                use std::io::Write;
                let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
                file.write_all(b"{}\n").unwrap();
            },
            "was written to",
        ),
    ];
    for (change, expected) in changes {
        let stage = Stage::of(300).await;
        let (_directory, path) = journal();
        let fleet = stage.client().fleet(ids(300)).concurrency(1).journal(&path);
        let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
        for _ in 0..3 {
            run.next().await.unwrap().result.unwrap();
        }
        change(&path);
        // One job finds out, and the others are not attempted.
        let finished = run.next().await.unwrap();
        assert!(matches!(finished.result, Err(NotDone::Journal(_))), "{finished:?}");
        assert!(run.next().await.is_none());
        let stopped = run.stopped().unwrap();
        assert_eq!((run.not_attempted().len(), stage.fake.effects().len()), (296, 3));
        let text = format!("{stopped:#}");
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn what_is_unknown_can_be_settled_and_the_next_run_skips_or_repeats_it() {
    let stage = Stage::of(4).await;
    let (_directory, path) = journal();
    let datafy = stage.client();
    stage.fake.inject_with(|_| Some(Fault::ApplyThenReset));
    snapshots(&datafy, ids(2), Some(&path)).await.unwrap();
    stage.fake.inject_with(|_| Some(Fault::ReadThenReset));
    snapshots(&datafy, ids(3).skip(2), Some(&path)).await.unwrap();
    stage.fake.inject_with(|_| Some(Fault::status(403)));
    snapshots(&datafy, ids(4).skip(3), Some(&path)).await.unwrap();

    let mut journal = Journal::lock(&path).unwrap();
    let busy = snapshots(&datafy, ids(4), Some(&path)).await.unwrap_err();
    assert!(matches!(busy, FleetError::Journal(JournalError::InUse { .. })), "{busy}");
    assert_eq!(
        states(&journal),
        [StepState::Unknown, StepState::Unknown, StepState::Unknown, StepState::Refused]
    );
    let entry = journal.entry("vol-seed0").unwrap().steps[0].clone();
    assert!(entry.begun < entry.ended.unwrap());

    let id = stage.fake.snapshots()[4].id.to_string();
    journal
        .settle("vol-seed0", "create_snapshot", 1, Settled::Applied { id: Some(id.clone()) })
        .unwrap();
    journal.settle("vol-seed2", "create_snapshot", 1, Settled::NotApplied).unwrap();
    assert_eq!(
        states(&journal),
        [StepState::Applied, StepState::Unknown, StepState::NotApplied, StepState::Refused]
    );
    for (key, found, expected) in [
        (
            "vol-9",
            Settled::NotApplied,
            "create_snapshot of \"vol-9\" can't be settled: the journal has no step 1 of it",
        ),
        (
            "vol-seed0",
            Settled::NotApplied,
            "create_snapshot of \"vol-seed0\" can't be settled: it is not unknown: the journal says `applied`",
        ),
        (
            "vol-seed1",
            Settled::Applied { id: None },
            "create_snapshot of \"vol-seed1\" can't be settled: the ID of the created \
             object is missing",
        ),
        (
            "vol-seed1",
            Settled::Applied { id: Some("vol-1".to_owned()) },
            "create_snapshot of \"vol-seed1\" can't be settled: \"vol-1\" is not a Datafy \
             snapshot ID: `vol-` begins a volume ID",
        ),
    ] {
        let error = journal.settle(key, "create_snapshot", 1, found).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error, JournalError::NotSettled { .. }));
    }
    drop(journal);

    stage.fake.inject_with(|_| None);
    let results = snapshots(&datafy, ids(4), Some(&path)).await.unwrap();
    let [first, second, third, fourth] = &results.into_values().collect::<Vec<_>>()[..] else {
        panic!()
    };
    assert_eq!((first.before, first.result.as_ref().unwrap().id.as_str()), (true, &*id));
    assert!(unknown_before(second) && done(third) && done(fourth), "{third:?} {fourth:?}");
    assert!(stage.effects().iter().all(|effects| effects.len() == 1));
    assert_eq!(lines(&path).iter().filter(|line| line["event"] == "settle").count(), 2);
}

#[tokio::test]
async fn an_applied_create_without_a_usable_id_is_unknown_until_it_is_settled_with_its_id() {
    for (body, created) in
        [(r#"{"datafySnapshotId":"ds 1"}"#, Some("ds 1")), (r#"{"volumeId":"vol-seed0"}"#, None)]
    {
        let stage = Stage::of(1).await;
        let (_directory, path) = journal();
        stage.fake.inject(Fault::ApplyThenAnswer(Reply::json(200, &json!(null)).body(body)));
        let fleet = stage.client().fleet(ids(1)).journal(&path);
        let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
        let finished = run.next().await.unwrap();
        assert_eq!(finished.outcome(), Outcome::Unknown);
        let Err(NotDone::Failed(error)) = finished.result else { panic!("{finished:?}") };
        assert_eq!((error.outcome(), error.unusable_id()), (Outcome::Applied, created));
        let progress = run.monitor().progress();
        assert_eq!((progress.done, progress.unknown, progress.exit_code()), (0, 1, 3));
        drop(run);
        assert_eq!(lines(&path)[2]["outcome"], "applied", "the journal says what happened");

        let again = snapshots(&stage.client(), ids(1), Some(&path)).await.unwrap();
        assert_eq!(count(&again, unknown_before), 1);
        let mut journal = Journal::read(&path).unwrap();
        let step = &journal.entries().next().unwrap().steps[0];
        assert_eq!((step.state, step.created_id.as_deref()), (StepState::Unknown, created));
        let mut settle = |found| journal.settle("vol-seed0", "create_snapshot", 1, found);
        let error = settle(Settled::NotApplied).unwrap_err();
        assert!(matches!(error, JournalError::NotSettled { .. }), "{error}");
        settle(Settled::Applied { id: Some("dsnap-1".to_owned()) }).unwrap();
        drop(journal);
        let settled = snapshots(&stage.client(), ids(1), Some(&path)).await.unwrap();
        assert_eq!(count(&settled, applied_before), 1);
        assert_eq!(stage.fake.effects().len(), 1);
    }
}

#[tokio::test]
async fn no_text_of_a_journal_reaches_a_terminal_as_control_characters() {
    let (_stage, _datafy, _directory, path) = written(0).await;
    let header = without_checksums(&path);
    let time = r#""time":"2026-01-01T00:00:00.000000Z""#;
    let step = r#""key":"k\u001b]0;x\u202e","operation":"create_snapshot""#;
    let begin = r#""event":"begin","subject":{"volume":"vol-1"},"marker":"m\u001b[2J""#;
    let end =
        r#""event":"end","outcome":"applied","created_id":"c\u009b2J","request_id":"r\u007f""#;
    fs::write(&path, format!("{header}{{{time},{step},{begin}}}\n{{{time},{step},{end}}}\n"))
        .unwrap();
    let mut journal = Journal::read(&path).unwrap();
    let entry = journal.entries().next().unwrap();
    let step = &entry.steps[0];
    let errors =
        [Settled::NotApplied, Settled::Applied { id: Some("\u{1b}".to_owned()) }].map(|found| {
            journal.settle(&entry.key, "create_snapshot", 1, found).unwrap_err().to_string()
        });
    let mut shown = vec![
        entry.key.to_string(),
        format!("{} {}", step.operation, step.marker.as_ref().unwrap()),
        format!("{} {}", step.created_id.as_ref().unwrap(), step.request_id.as_ref().unwrap()),
        format!("{journal:?} {entry:?} {}", journal.operation()),
        serde_json::to_string(step).unwrap(),
        NotDone::<datafy_api_ext::Error>::Unknown { step: Box::new(step.clone()) }.to_string(),
        NotDone::<datafy_api_ext::Error>::Conflict { step: Box::new(step.clone()) }.to_string(),
    ];
    shown.extend(errors);
    for text in shown {
        assert!(
            !text.contains(|letter: char| letter.is_control() || letter == '\u{202e}'),
            "{text:?}"
        );
    }
    assert_eq!(&*entry.key, "k\u{1b}]0;x\u{202e}", "it is settled by this");
}

#[tokio::test]
async fn a_journal_is_settled_after_a_crash_has_cut_its_last_line() {
    let (stage, datafy, _directory, path) = written(2).await;
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    let mut journal = Journal::read(&path).unwrap();
    let unknown = journal.entries().find(|it| it.steps[0].state == StepState::Unknown);
    let key = unknown.unwrap().key.clone();
    journal.settle(&key, "create_snapshot", 1, Settled::NotApplied).unwrap();
    drop(journal);
    let results = snapshots(&datafy, ids(2), Some(&path)).await.unwrap();
    assert_eq!((count(&results, done), count(&results, applied_before)), (1, 1));
    assert_eq!(stage.fake.effects().len(), 3);
}

#[cfg(unix)]
#[tokio::test]
async fn a_journal_that_is_not_writable_can_be_read_and_not_settled() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::of(1).await;
    let (_directory, path) = journal();
    stage.fake.inject(Fault::ApplyThenReset);
    snapshots(&stage.client(), ids(1), Some(&path)).await.unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let mut journal = Journal::read(&path).unwrap();
    assert_eq!(journal.entries().len(), 1);
    // The superuser may write it nevertheless.
    if fs::OpenOptions::new().append(true).open(&path).is_err() {
        let error =
            journal.settle("vol-seed0", "create_snapshot", 1, Settled::NotApplied).unwrap_err();
        assert!(matches!(error, JournalError::Io { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_plan_sends_nothing_and_says_what_a_run_would_do() {
    let stage = Stage::of(5).await;
    let (_directory, path) = journal();
    let datafy = stage.client();
    stage.fake.inject_none();
    stage.fake.inject(Fault::ApplyThenReset);
    stage.fake.inject(Fault::status(403));
    let fleet = datafy.fleet(ids(3)).concurrency(1).journal(&path);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    while run.next().await.is_some() {}
    drop(run);
    let before = fs::read(&path).unwrap();

    let fleet = datafy.fleet(ids(5)).journal(&path);
    let job = |datafy: Datafy, id, _| datafy.volume(id).create_snapshot();
    let mut plan = fleet.plan(job).await.unwrap();
    let mut states = Vec::new();
    while let Some(it) = plan.next().await {
        let state = it.result.as_ref().map_or_else(NotDone::state, |_| "done");
        states.push(format!("{}: {state} after {}", it.item, it.steps.len()));
    }
    assert_eq!(
        states,
        [
            "vol-seed0: done after 1",
            "vol-seed1: unknown after 1",
            "vol-seed2: not_attempted after 1",
            "vol-seed3: not_attempted after 0",
            "vol-seed4: not_attempted after 0",
        ]
    );
    let plan = plan.monitor().progress();
    assert_eq!((plan.to_do, plan.done_before, plan.unknown), (3, 1, 1));
    assert_eq!((stage.fake.requests().len(), fs::read(&path).unwrap()), (3, before));

    let fleet = datafy.fleet(ids(5)).journal(path.with_extension("none"));
    assert_eq!(planned(fleet.plan(job)).await.to_do, 5);
    assert!(!path.with_extension("none").exists());
}

#[tokio::test]
async fn a_journal_belongs_to_the_account_of_the_client() {
    let stage = Stage::of(1).await;
    let (_directory, path) = journal();
    let of = |account: &str| stage.builder().query("accounts", account).build().unwrap();
    let (one, other, none) = (of("acc-1"), of("acc-2"), stage.client());
    let run = async |datafy: &Datafy| {
        let fleet = datafy.fleet(ids(1)).journal(&path);
        fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.map(drop)
    };
    run(&one).await.unwrap();
    assert_eq!(lines(&path)[0]["account"], "acc-1");
    for foreign in [&other, &none] {
        let error = run(foreign).await.unwrap_err();
        assert!(error.to_string().contains("its `account` is \"acc-1\""), "{error}");
    }
    run(&one).await.unwrap();
    let read = Journal::read(&path).unwrap();
    assert_eq!(read.account().unwrap(), *"acc-1");
    assert!(read.is_of(&one) && !read.is_of(&other) && !read.is_of(&none));
}

/// On Windows nobody can read a file that is locked.
#[cfg(unix)]
#[tokio::test]
async fn a_journal_in_use_can_be_viewed_and_not_changed() {
    let stage = Stage::of(1).await;
    let (_directory, path) = journal();
    stage.fake.inject(Fault::ReadThenHang);
    let fleet = stage.client().fleet(ids(1)).journal(&path);
    let mut run = fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot()).await.unwrap();
    tokio::select! {
        _ = run.next() => panic!("the fake never answers"),
        () = until(|| stage.fake.requests().len() == 1) => {}
    }
    assert!(matches!(Journal::lock(&path), Err(JournalError::InUse { .. })));
    let mut view = Journal::read(&path).unwrap();
    assert_eq!(view.entry("vol-seed0").unwrap().steps[0].state, StepState::Unknown);
    let before = fs::read(&path).unwrap();
    let settled = view.settle("vol-seed0", "create_snapshot", 1, Settled::NotApplied);
    assert!(matches!(settled, Err(JournalError::InUse { .. })), "{settled:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(view.path(), std::path::absolute(&path).unwrap());
}
