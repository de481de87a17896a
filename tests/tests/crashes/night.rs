//! A night, and the morning after: a fleet with faults is killed, and what is unknown then is found out with EC2.

use crate::crashes;
use crate::ec2::{Ec2, programs};
use crate::scene::{Fleet, Kind, Scene};
use chrono::{DateTime, TimeDelta, Utc};
use datafy_api_ext::journal::{Entry, Journal, StepState};
use datafy_api_ext::reconcile::{Ec2Objects, Finding, Query, SentCall, Settings, find_out};
use std::process::Command;
use std::time::{Duration, SystemTime};

/// How long the windows of all calls are, at most: a call, the settling time, and the skew of the clocks.
const SETTLED: TimeDelta = TimeDelta::minutes(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_night_of_faults_and_kills_each_volume_has_one_snapshot() {
    night(Kind::Snapshots, crashes().clamp(300, 1_000), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_night_each_volume_has_one_snapshot_if_ec2_shows_descriptions() {
    night(Kind::Snapshots, 150, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_night_of_faults_and_kills_each_snapshot_is_restored_once() {
    night(Kind::Restores, 150, false).await;
}

async fn night(kind: Kind, items: usize, descriptions: bool) {
    let Some(programs) = programs() else { return };
    let mut ec2 = Ec2::start(programs, descriptions).await;
    let mut scene = Scene::start(fastrand::Rng::new()).await;
    scene.fake.add_instance(ec2.instance.clone());
    let fleet = scene.fleet(kind, items);
    let instance = ec2.instance.to_string();
    let worker = || -> Command {
        let mut worker = fleet.worker();
        worker.env("INSTANCE", &instance).env("CLOCK_AHEAD", "40");
        worker
    };
    // A run of all items takes several times as long.
    let limit = Duration::from_micros(300) * u32::try_from(items).unwrap();
    let mut kills = 0;
    for _ in 0..4 {
        kills += u32::from(fleet.wait_or_kill(worker().spawn().unwrap(), limit).await);
        ec2.mirror(&scene.fake, false).await;
    }
    assert!(kills > 0, "the night was too short for a kill");
    assert!(worker().status().unwrap().success());
    let unknown = fleet.check().await;
    ec2.mirror(&scene.fake, false).await;

    // Too early: what is not there may still appear.
    let early = look(&fleet, &ec2, now());
    assert_eq!(early.absent, 0);
    assert!(early.settled > 0 && early.open > 0, "{early:?}");

    ec2.mirror(&scene.fake, true).await;
    let late = look(&fleet, &ec2, now() + SETTLED);
    let settled = early.settled + late.settled;
    println!(
        "{kind:?}: {unknown} of {items} unknown; {} found at once, {} later, {} did not happen, {} are repeated, {} open",
        early.settled,
        late.settled - late.absent,
        late.absent,
        late.repeated,
        late.open
    );
    assert!(unknown >= items / 40, "{unknown} unknown");
    assert!((settled + late.repeated) * 100 >= unknown * 95, "{late:?}");

    // A restore may have another unknown step.
    scene.heal();
    for _ in 0..2 {
        assert!(worker().status().unwrap().success());
        ec2.mirror(&scene.fake, true).await;
        look(&fleet, &ec2, now() + SETTLED);
    }
    assert_eq!(fleet.check().await, 0, "everything is known");
    fleet.check_that_all_is_done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_of_faults_and_kills_ends_by_itself() {
    let Some(programs) = programs() else { return };
    for (kind, items) in [(Kind::Snapshots, 100), (Kind::Clones, 60)] {
        let mut ec2 = Ec2::start(programs.clone(), true).await;
        let mut scene = Scene::start(fastrand::Rng::new()).await;
        scene.fake.add_instance(ec2.instance.clone());
        let fleet = scene.fleet(kind, items);
        let instance = ec2.instance.to_string();
        let environment = ec2.environment();
        let worker = |look_up: Option<&str>| -> Command {
            let mut worker = fleet.worker();
            worker.env("INSTANCE", &instance).envs(environment.clone());
            if let Some(how) = look_up {
                // After the settling time.
                worker.env("LOOK_UP", how).env("CLOCK_AHEAD", "1860");
            }
            worker
        };
        let limit = Duration::from_micros(400) * u32::try_from(items).unwrap();
        for _ in 0..3 {
            fleet.wait_or_kill(worker(None).spawn().unwrap(), limit).await;
        }
        assert!(worker(None).status().unwrap().success());
        let unknown = fleet.check().await;
        scene.heal();
        ec2.mirror(&scene.fake, true).await;

        // Without a person, EC2's markers prove some of it, and the reasons of the rest are reported.
        assert!(worker(Some("marked")).status().unwrap().success());
        let open = fleet.check().await;
        assert_eq!(fleet.exit_code(), if open == 0 { 0 } else { 3 });
        let lines = fleet.lines();
        for line in lines.iter().rev().take(items).filter(|line| line["state"] == "unknown") {
            assert!(line["text"].as_str().unwrap().contains("; EC2: "), "{line}");
        }
        // If nothing else creates such objects, all of it.
        ec2.mirror(&scene.fake, true).await;
        for _ in 0..3 {
            assert!(worker(Some("only_creator")).status().unwrap().success());
            ec2.mirror(&scene.fake, true).await;
        }
        assert_eq!(fleet.check().await, 0);
        fleet.check_that_all_is_done();
        assert_eq!(fleet.exit_code(), 0);
        println!("{kind:?}: {unknown} of {items} unknown, {open} after the markers, 0 at the end");
        assert!(unknown > 0, "nothing was unknown");
    }
}

/// The result of a look at EC2.
#[derive(Debug, Default)]
struct Look {
    settled: usize,
    /// Those among them that did not happen.
    absent: usize,
    /// Attaches that the next run repeats, since the volume is not attached.
    repeated: usize,
    open: usize,
}

/// Does what the documentation says, at the time `fetched`. Each verdict is compared with the truth.
fn look(fleet: &Fleet, ec2: &Ec2, fetched: DateTime<Utc>) -> Look {
    let mut journal = Journal::read(&fleet.journal).unwrap();
    let calls = |entry: Entry| -> Vec<_> {
        let key = entry.key.as_str();
        entry.steps.iter().map(|step| (key.to_owned(), SentCall::from(step))).collect()
    };
    let (keys, calls): (Vec<String>, Vec<SentCall>) = journal.entries().flat_map(calls).unzip();
    let mut objects = Ec2Objects::new(fetched);
    for query in Query::of_all(&calls) {
        objects.read(&query, &ec2.run(&query.to_string())).unwrap();
    }
    let mut look = Look::default();
    let findings = find_out(&calls, &objects, &Settings::default());
    for ((key, call), finding) in keys.iter().zip(&calls).zip(&findings) {
        let truth = fleet.truth(key.parse().unwrap());
        let id = call.created_id.as_ref();
        let open = call.state == StepState::Unknown
            || call.state == StepState::Applied
                && id.is_none()
                && call.operation != "attach_volume";
        if !open {
            continue;
        }
        match finding {
            Finding::Happened { id, .. } => {
                assert_eq!(truth.created[&*call.operation], [id.as_str()]);
            }
            Finding::DidNotHappen => {
                assert!(truth.created[&*call.operation].is_empty(), "{key}: {truth:?}");
                look.absent += 1;
            }
            Finding::Attached => assert!(truth.attached, "{key}"),
            Finding::NotAttached => {
                look.repeated += 1;
                continue;
            }
            _ => {}
        }
        match finding.settled() {
            Some(found) => {
                journal.settle(key, &call.operation, 1, found).unwrap();
                look.settled += 1;
            }
            None => look.open += 1,
        }
    }
    look
}

fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}
