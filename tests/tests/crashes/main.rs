//! No effect is doubled or lost if a program is killed, or if its disk fails.
//!
//! A real process runs a fleet with a journal, and is killed with `SIGKILL` at a random moment, again and again, while the
//! fake of this process answers it and knows the truth. The environment variable `CRASHES` sets the number of kills, and
//! that of the volumes of the first night, from 40 to 1,000.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod disk;
mod ec2;
mod night;
mod scene;

use scene::{Kind, Scene};
use std::time::Duration;

/// The number of kills, 100 by default.
fn crashes() -> usize {
    std::env::var("CRASHES").map_or(100, |text| text.parse().unwrap())
}

/// The number of items of a fleet. Four are in flight at a time.
const ITEMS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_at_any_moment_doubles_and_loses_no_effect() {
    let crashes = crashes();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut scene = Scene::start(random.fork()).await;
    let (mut killed, mut unknown, mut items) = (0, 0, 0);
    while killed < crashes {
        let kind = [Kind::Snapshots, Kind::Restores, Kind::Clones][random.usize(0..3)];
        let fleet = scene.fleet(kind, ITEMS);
        // Most of the time of a short run is spent on its start, so the kills that come early hit little else.
        let mut crashes_of_fleet = 0;
        loop {
            let worker = fleet.worker().spawn().unwrap();
            let limit = Duration::from_micros(random.u64(0..30_000 + 10_000 * crashes_of_fleet));
            if !fleet.wait_or_kill(worker, limit).await {
                break;
            }
            crashes_of_fleet += 1;
        }
        killed += usize::try_from(crashes_of_fleet).unwrap();
        unknown += fleet.check().await;
        items += ITEMS;

        // Whoever finds out what happened can finish the job. It may have another unknown step.
        scene.heal();
        for _ in 0..3 {
            fleet.settle();
            assert!(fleet.worker().status().unwrap().success());
            fleet.check().await;
        }
        fleet.check_that_all_is_done();
        scene.hurt();
    }
    println!(
        "{killed} kills over {items} items: 0 effects doubled, 0 lost; {unknown} items were reported as unknown, and settled"
    );
}
