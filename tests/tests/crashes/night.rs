//! A night, and the morning after: a fleet with faults is killed, and a later run settles what EC2 proves.

use crate::crashes;
use crate::ec2::{Ec2, programs};
use crate::scene::{Kind, Scene};
use std::process::Command;
use std::time::Duration;

// Whether the description of a snapshot, with its marker, reaches EC2 is not documented.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_of_snapshots_ends_by_itself() {
    night(Kind::Snapshots, crashes().clamp(40, 1_000), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_of_snapshots_whose_descriptions_reach_ec2_ends_by_itself() {
    night(Kind::Snapshots, 40, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_of_restores_ends_by_itself() {
    night(Kind::Restores, 40, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_of_a_function_ends_by_itself() {
    night(Kind::Clones, 40, true).await;
}

/// A night with faults and kills, and the runs after it. `descriptions`: whether they reach EC2.
async fn night(kind: Kind, items: usize, descriptions: bool) {
    let Some(programs) = programs() else { return };
    let mut ec2 = Ec2::start(programs.clone(), descriptions).await;
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
        ec2.mirror(&scene.fake, false).await;
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
