//! Ctrl-C, `kill -9`, and the run after that.

use crate::ctl::{Machine, Ran};
use datafy_api_ext::fake::Fault;
use datafy_tests::until;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::time::Duration;

const VOLUMES: usize = 60;

/// Sends a signal to a process.
fn signal(name: &str, child: &Child) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// The command that these tests stop.
const SNAPSHOTS: &str = "snapshot --from list.txt --concurrency 2";

/// A machine whose service has this fault.
async fn machine(fault: Fault) -> Machine {
    let machine = Machine::with_volumes(VOLUMES).await;
    machine.list(VOLUMES);
    machine.fake.inject_with(move |_| Some(fault.clone()));
    machine
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_calls_in_flight_and_begins_no_other() {
    for name in ["-INT", "-TERM", "-HUP"] {
        let machine = machine(Fault::Delay(Duration::from_millis(50))).await;
        let child = machine.command(&format!("{SNAPSHOTS} --json")).spawn().unwrap();
        until(|| machine.created_snapshots() > 2).await;
        signal(name, &child);
        let ran = Ran::end(child).await.expect(3);
        let created = machine.created_snapshots();
        assert!(created < VOLUMES, "{created}");
        let ran = ran.says("stopping").says("not attempted").says("stopped by a signal");
        assert!(ran.err.lines().count() < 12, "{ran}");
        let lines = ran.json();
        let done: Vec<_> = lines.iter().filter(|line| line["state"] == "done").collect();
        assert_eq!(done.len(), created, "each effect is reported");
        let not_attempted = lines.last().unwrap()["not_attempted_keys"].as_array().unwrap();
        let keys = done.iter().map(|line| &line["key"]).chain(not_attempted);
        assert_eq!(keys.collect::<HashSet<_>>().len(), VOLUMES, "each volume is reported once");
        assert_eq!(created + not_attempted.len(), VOLUMES);
        machine.fake.inject_with(|_| None);
        machine.run("snapshot --from list.txt --resume last").await.expect(0);
        assert_eq!(machine.created_snapshots(), VOLUMES);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_again_and_again_doubles_and_loses_nothing() {
    let machine = Machine::with_volumes(VOLUMES).await;
    machine.list(VOLUMES);
    let resume = format!("{SNAPSHOTS} --resume last");
    for round in 1..=5 {
        (0..8).for_each(|_| machine.fake.inject_none());
        machine.fake.inject(Fault::ApplyThenHang);
        machine.fake.inject(Fault::ReadThenHang);
        let line = if round == 1 { SNAPSHOTS } else { &resume };
        let mut child = machine.command(line).spawn().unwrap();
        until(|| machine.fake.requests().len() == 10 * round).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    machine.run(&resume).await.expect(3).says("10 unknown");
    let journal = &machine.journals()[0];
    let list = machine.run(&format!("journal list {journal} --unknown --json")).await.expect(3);
    for step in list.json() {
        let (key, marker) = (step["key"].as_str().unwrap(), step["marker"].as_str().unwrap());
        let mut snapshots = machine.fake.snapshots();
        snapshots.retain(|it| it.description.as_ref().is_some_and(|it| it.contains(marker)));
        let found = match &snapshots[..] {
            [] => "not-applied".to_owned(),
            [snapshot] => format!("applied {}", snapshot.id),
            _ => panic!("{snapshots:?}"),
        };
        machine.run(&format!("journal settle {journal} {key} {found}")).await.expect(0);
    }
    machine.run(&resume).await.expect(0).says("5 done, 55 done by earlier runs");
    let effects = machine.fake.effects();
    let volumes: HashSet<_> = effects.iter().map(|effect| &effect.volume).collect();
    assert_eq!((effects.len(), volumes.len()), (VOLUMES, VOLUMES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_in_use_can_be_listed_and_not_changed() {
    let machine = machine(Fault::ReadThenHang).await;
    let mut child = machine.command(SNAPSHOTS).spawn().unwrap();
    until(|| machine.fake.requests().len() == 2).await;
    let journal = &machine.journals()[0];
    let content = || std::fs::read(machine.directory.path().join(journal)).unwrap();
    let before = content();
    let ran = machine.run(&format!("journal list {journal}")).await.expect(3);
    ran.says("2 items, 2 steps unknown");
    for line in [
        format!("journal settle {journal} vol-1 not-applied"),
        format!("journal resolve {journal}"),
        format!("{SNAPSHOTS} --resume {journal}"),
    ] {
        machine.run(&line).await.expect(1).says("is in use");
    }
    assert_eq!(content(), before);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Presses Ctrl-C twice while two calls are in flight.
async fn abort(machine: &Machine, line: &str) -> Ran {
    let mut child = machine.command(line).spawn().unwrap();
    until(|| machine.fake.requests().len() == 2).await;
    signal("-INT", &child);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("stopping") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    signal("-INT", &child);
    stderr.read_to_string(&mut said).unwrap();
    Ran { err: said, ..Ran::end(child).await.expect(130) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_aborts_and_the_journal_has_what_was_in_flight() {
    let machine = machine(Fault::ReadThenHang).await;
    let ran = abort(&machine, SNAPSHOTS).await.says("aborted: what was in flight is unknown\n");
    let journal = &machine.journals()[0];
    let path = machine.directory.path().join(journal);
    ran.says(&format!("continue: the same command with --resume {}", path.display()));
    let ran = machine.run(&format!("journal list {journal}")).await.expect(3);
    ran.says("2 items, 2 steps unknown");
    // What was in flight had no effect: the next run repeats it.
    machine.fake.inject_with(|_| None);
    for step in machine.run(&format!("journal list {journal} --unknown --json")).await.json() {
        let line =
            format!("journal settle {journal} {} not-applied", step["key"].as_str().unwrap());
        machine.run(&line).await.expect(0);
    }
    machine.run("snapshot --from list.txt --resume last").await.expect(0);
    assert_eq!(machine.created_snapshots(), VOLUMES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_says_nothing_of_a_journal_where_there_is_none() {
    let machine = machine(Fault::ReadThenHang).await;
    let line = "deactivate --from list.txt --concurrency 2";
    let ran = abort(&machine, line).await.says("aborted: what was in flight is unknown\n");
    assert!(!ran.err.contains("journal") && !ran.err.contains("--resume"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_does_not_end_the_run() {
    let machine = machine(Fault::Delay(Duration::ZERO)).await;
    let mut child = machine.command("snapshot --from list.txt").spawn().unwrap();
    drop(child.stdout.take());
    Ran::end(child).await.expect(0).says("results could not be written to standard output");
    assert_eq!(machine.created_snapshots(), VOLUMES);
}
