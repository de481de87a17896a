//! Ctrl-C, `kill -9`, and the run after that.

use crate::ctl::Machine;
use datafy_api_ext::fake::Fault;
use datafy_tests::until;
use std::process::{Child, Command};
use std::time::Duration;

const VOLUMES: usize = 60;

/// Sends a signal to a process.
fn signal(name: &str, child: &Child) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Waits for the end of the process, and returns its code and its output.
async fn end(child: Child) -> (Option<i32>, String, String) {
    let output =
        tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn machine() -> (Machine, String) {
    let machine = Machine::with_volumes(VOLUMES).await;
    let list = machine.list(1..=VOLUMES);
    (machine, list)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_is_killed_again_and_again_doubles_and_loses_nothing() {
    let (machine, list) = machine().await;
    let mut random = fastrand::Rng::new();
    machine.fake.inject_with(|_| Some(Fault::Delay(Duration::from_millis(5))));
    let arguments = ["snapshot", "--from", &list, "--concurrency", "4", "--job", "night"];
    for _ in 0..8 {
        let mut child = machine.command(&arguments).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(random.u64(10..150))).await;
        let _ = child.kill();
        child.wait().unwrap();
    }
    until(|| machine.fake.connections() == 0).await;
    machine.fake.inject_with(|_| None);
    machine.run(&arguments).await;
    // What was in flight is unknown: a person finds it out.
    let ran =
        machine.run(&["journal", "list", &machine.journals()[0], "--unknown", "--json"]).await;
    for step in ran.json() {
        let (key, marker) = (step["key"].as_str().unwrap(), step["marker"].as_str().unwrap());
        let has_marker =
            |text: &Option<String>| text.as_ref().is_some_and(|it| it.contains(marker));
        let snapshots = machine.fake.snapshots();
        let created =
            snapshots.iter().find(|it| has_marker(&it.description)).map(|it| it.id.to_string());
        let found = match &created {
            Some(id) => vec!["applied", id],
            None => vec!["not-applied"],
        };
        machine
            .run(&[&["journal", "settle", &machine.journals()[0], key], &found[..]].concat())
            .await
            .expect(0);
    }
    machine.run(&arguments).await.expect(0);
    assert_eq!(machine.created_snapshots(), VOLUMES);
    let volumes: std::collections::HashSet<_> =
        machine.fake.effects().into_iter().map(|effect| effect.volume).collect();
    assert_eq!(volumes.len(), VOLUMES);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_calls_in_flight_and_begins_no_other() {
    for name in ["-INT", "-TERM", "-HUP"] {
        let (machine, list) = machine().await;
        machine.fake.inject_with(|_| Some(Fault::Delay(Duration::from_millis(50))));
        let arguments = ["snapshot", "--from", &list, "--concurrency", "2", "--json"];
        let child = machine.command(&arguments).spawn().unwrap();
        until(|| machine.created_snapshots() > 2).await;
        signal(name, &child);
        let (code, out, err) = end(child).await;
        assert_eq!(code, Some(3), "{err}");
        let created = machine.created_snapshots();
        assert!(created < VOLUMES, "{created}");
        assert!(err.contains("stopping") && err.contains("not attempted"), "{err}");
        assert!(err.contains("stopped by a signal") && err.lines().count() < 12, "{err}");
        let done = out.lines().filter(|line| line.contains("\"state\":\"done\"")).count();
        assert_eq!(done, created, "each effect is reported");
        machine.fake.inject_with(|_| None);
        machine.run(&["snapshot", "--from", &list, "--resume", "last"]).await.expect(0);
        assert_eq!(machine.created_snapshots(), VOLUMES);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_aborts_and_the_journal_has_what_was_in_flight() {
    let (machine, list) = machine().await;
    machine.fake.inject_with(|_| Some(Fault::ReadThenHang));
    let arguments = ["snapshot", "--from", &list, "--concurrency", "2"];
    let mut child = machine.command(&arguments).spawn().unwrap();
    until(|| machine.fake.requests().len() == 2).await;
    signal("-INT", &child);
    let stderr = child.stderr.take().unwrap();
    let (said, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(std::io::BufReader::new(stderr)) {
            let _ = said.send(line.unwrap());
        }
    });
    while !hears.recv().unwrap().starts_with("stopping") {}
    signal("-INT", &child);
    let (code, ..) = end(child).await;
    assert_eq!(code, Some(130));
    let ran = machine.run(&["journal", "list", &machine.journals()[0]]).await.expect(3);
    ran.says("2 items, 2 steps unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_in_use_can_be_listed_and_a_second_run_is_refused() {
    let (machine, list) = machine().await;
    machine.fake.inject_with(|_| Some(Fault::ReadThenHang));
    let arguments = ["snapshot", "--from", &list, "--concurrency", "2"];
    let mut child = machine.command(&arguments).spawn().unwrap();
    until(|| machine.fake.requests().len() == 2).await;
    let journal = &machine.journals()[0];
    machine.run(&["journal", "list", journal]).await.expect(3).says("2 items, 2 steps unknown");
    machine.run(&["snapshot", "vol-1"]).await.expect(1).says("a run is in progress");
    machine.run(&["snapshot", "vol-1", "--resume", journal]).await.expect(1).says("is in use");
    machine
        .run(&["journal", "settle", journal, "vol-1", "not-applied"])
        .await
        .expect(1)
        .says("is in use");
    machine.run(&["journal", "resolve", journal]).await.expect(1).says("is in use");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_does_not_end_the_run() {
    let (machine, list) = machine().await;
    let mut child = machine.command(&["snapshot", "--from", &list]).spawn().unwrap();
    drop(child.stdout.take());
    let (code, _, err) = end(child).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("results could not be written to standard output"), "{err}");
    assert_eq!(machine.created_snapshots(), VOLUMES);
}
