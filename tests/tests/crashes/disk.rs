//! Disks that are full, read-only or broken.

use crate::scene::{Fleet, Kind, Scene};
use datafy_tests::usable;
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

const ITEMS: usize = 200;

fn count(fleet: &Fleet, state: &str) -> usize {
    fleet.lines().iter().filter(|line| line["state"] == state).count()
}

/// Checks that the run stopped sending when its journal failed, and that the results and the journal are the truth.
async fn check(fleet: &Fleet, cause: &str) {
    fleet.check().await;
    let (done, failed) =
        (count(fleet, "done"), count(fleet, "not_attempted") + count(fleet, "journal"));
    assert_eq!(done + failed, ITEMS, "{:?}", fleet.lines());
    assert_eq!(fleet.effects(), done, "each effect has a result, and nothing else was sent");
    assert!(done > 0 && failed > ITEMS / 2, "{done} done, {failed} failed");
    // No intent is left whose request was not sent.
    let text = fs::read_to_string(&fleet.journal).unwrap();
    let intents = text.lines().filter(|line| line.contains(r#""event":"begin""#)).count();
    assert!(intents <= done, "{intents} intents");
    println!("{cause}: {done} of {ITEMS} were done, and {failed} not attempted");
}

/// Returns the command line of a fleet in which strace injects `failure`, in its syntax, into each `system_call`.
fn injected(fleet: &Fleet, system_call: &str, failure: &str) -> Vec<String> {
    let trace = format!("trace={system_call}");
    let inject = format!("inject={system_call}:{failure}");
    let strace = ["strace", "-f", "-q", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let worker = fleet.command_line(fleet.journal.to_str().unwrap());
    strace.map(str::to_owned).into_iter().chain(worker).collect()
}

/// Runs a fleet below a mount that only its process sees, and copies the journal out of it. Returns whether it could.
fn ran_below(fleet: &Fleet, options: &str, before: &str) -> bool {
    let unshare = ["unshare", "--user", "--map-root-user", "--mount"];
    if !usable(Command::new(unshare[0]).args(&unshare[1..]).arg("true")) {
        return false;
    }
    let directory = fleet.journal.with_extension("mount");
    fs::create_dir(&directory).unwrap();
    let inside = directory.join("journal.jsonl").to_str().unwrap().to_owned();
    let (worker, out) = (fleet.command_line(&inside).join(" "), fleet.journal.display());
    let mount = format!("mount -t tmpfs {options} none {}", directory.display());
    let script = format!("{mount} && {before} {worker}; cp {inside} {out}");
    let line = [&unshare[..], &["sh", "-c", &script]].concat();
    let line: Vec<_> = line.into_iter().map(str::to_owned).collect();
    assert!(fleet.wrapped(&line).status().unwrap().success());
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_the_run_and_the_journal_stays_true() {
    let mut scene = Scene::start(fastrand::Rng::new()).await;
    scene.heal();
    let mut fleet = scene.fleet(Kind::Snapshots, ITEMS);
    fleet.disk_fails = true;
    if !ran_below(&fleet, "-o size=16k", "") {
        return;
    }
    check(&fleet, "a full disk").await;

    // With room on the disk, the rest is done.
    assert!(fleet.worker().status().unwrap().success());
    fleet.check().await;
    fleet.settle();
    assert!(fleet.worker().status().unwrap().success());
    fleet.check_that_all_is_done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_if_the_disk_is_read_only() {
    let mut scene = Scene::start(fastrand::Rng::new()).await;
    let fleet = scene.fleet(Kind::Restores, ITEMS);
    let directory = fleet.journal.with_extension("mount");
    let directory = directory.display();
    let before = format!("touch {directory}/journal.jsonl && mount -o remount,ro {directory} &&");
    if ran_below(&fleet, "", &before) {
        assert_eq!((fleet.lines(), fleet.effects()), (Vec::<Value>::new(), 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_if_the_file_system_has_no_locks_or_does_not_sync_directories() {
    if !usable(Command::new("strace").arg("--version")) {
        return;
    }
    for (system_call, failure, expected) in [
        ("flock", "error=ENOLCK", "it can't be locked: No locks available"),
        // The first is that of the file.
        ("fsync", "error=EINVAL:when=2+", "its directory can't be synced: Invalid argument"),
    ] {
        let mut scene = Scene::start(fastrand::Rng::new()).await;
        let fleet = scene.fleet(Kind::Snapshots, ITEMS);
        let line = injected(&fleet, system_call, failure);
        let output = fleet.wrapped(&line).stderr(Stdio::piped()).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(expected) && text.contains("; keep it on a local disk"), "{text}");
        assert_eq!((fleet.lines(), fleet.effects()), (Vec::<Value>::new(), 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_fsync_stops_the_run_and_the_journal_stays_true() {
    if !usable(Command::new("strace").arg("--version")) {
        return;
    }
    // Writes of results and of intents take turns, so one of each fails.
    for (kind, at) in [(Kind::Snapshots, 20), (Kind::Snapshots, 21), (Kind::Restores, 20)] {
        let mut scene = Scene::start(fastrand::Rng::new()).await;
        scene.heal();
        let mut fleet = scene.fleet(kind, ITEMS);
        fleet.disk_fails = true;
        let line = injected(&fleet, "fdatasync", &format!("error=EIO:when={at}+"));
        assert!(fleet.wrapped(&line).status().unwrap().success());
        if kind == Kind::Snapshots {
            check(&fleet, "a failing fsync").await;
        } else {
            fleet.check().await;
            // A volume that was created and not attached is reported with its ID.
            let lines = fleet.lines();
            let reported = |line: &&Value| {
                line["state"] == "done"
                    || line["unattached"] != serde_json::json!([])
                        && line["state"] != "not_attempted"
            };
            assert_eq!(fleet.effects(), lines.iter().filter(reported).count(), "{lines:?}");
            assert_eq!(lines.len(), ITEMS);
        }
    }
}
