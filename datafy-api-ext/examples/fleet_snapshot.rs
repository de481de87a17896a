//! Snapshots of 5,000 volumes, on a fake Datafy of which every fiftieth answer is a fault.
//!
//! Ctrl-C stops the run well: what is under way is finished, nothing else is begun. Run it again, and
//! it goes on where it stopped, by the journal. That is kept until each volume was attempted.

use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::jobs::{Monitor, NotDone};
use datafy_api_ext::{SystemClock, VolumeId};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{IsTerminal, Write, stderr};
use std::process::ExitCode;
use std::time::Duration;

const VOLUMES: usize = 5_000;
/// A journal belongs to one endpoint, so the fake must be at the same port when the run goes on.
const PORT: u16 = 47_291;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let ids: Vec<VolumeId> = (0..VOLUMES)
        .map(|number| format!("vol-{number:017x}").parse())
        .collect::<Result<_, _>>()?;
    let fake = Fake::start_on(PORT).await?;
    for id in &ids {
        fake.account().add_volume(id.clone(), 100);
    }
    fake.inject_with(faults());
    // The fake's own clients skip pauses; here they are real, and so is the rate.
    let datafy = fake.client().clock(SystemClock).build()?;

    let journal = std::env::temp_dir().join("datafy-fleet-snapshot.jsonl");
    let fleet = datafy.fleet(ids).concurrency(16).rate(1_000).journal(&journal);
    let mut run = fleet.run(|volume| volume.create_snapshot().description("nightly")).await?;

    let monitor = run.monitor();
    tokio::spawn(stop_on_ctrl_c(run.monitor()));
    let mut ends = BTreeMap::<_, usize>::new();
    let mut finished = true;
    while let Some((_, result)) = run.next().await {
        let end = match result {
            Ok(_) => "done".to_owned(),
            Err(NotDone::Failed(error)) => format!("failed: {}", error.outcome()),
            Err(NotDone::AppliedBefore { .. }) => "done by an earlier run".to_owned(),
            Err(NotDone::UnknownBefore { .. }) => "in doubt since an earlier run".to_owned(),
            Err(not_attempted) => {
                finished = false;
                not_attempted.to_string()
            }
        };
        *ends.entry(end).or_default() += 1;
        draw(&monitor);
    }

    if stderr().is_terminal() {
        eprintln!();
    }
    println!("{:<48} {:>7}", "what became of it", "volumes");
    for (end, volumes) in &ends {
        println!("{end:<48} {volumes:>7}");
    }
    println!(
        "{:<48} {:>7}",
        "snapshots that the fake has made in this run",
        fake.account().snapshots().len()
    );
    if finished {
        std::fs::remove_file(journal)?;
    } else {
        println!("run it again to go on");
    }
    Ok(())
}

async fn stop_on_ctrl_c(monitor: Monitor) {
    if tokio::signal::ctrl_c().await.is_ok() {
        monitor.stop();
    }
}

/// Two faults in a hundred requests: one that is safe to repeat, one that leaves a doubt.
fn faults() -> impl FnMut() -> Option<Fault> + Send {
    let mut requests = 0_u32;
    move || {
        requests += 1;
        match requests % 100 {
            0 => Some(Fault::retry_after(429, "1")),
            50 => Some(Fault::ApplyThenReset),
            _ => Some(Fault::Delay(Duration::from_millis(2))),
        }
    }
}

/// A bar of fifty cells, on a terminal only.
fn draw(monitor: &Monitor) {
    let progress = monitor.progress();
    let told = progress.done + progress.failed + progress.unknown + progress.not_attempted;
    if !stderr().is_terminal() || !told.is_multiple_of(20) {
        return;
    }
    let cells = usize::try_from(told).unwrap_or(VOLUMES) * 50 / VOLUMES;
    let _ = write!(
        stderr(),
        "\r[{}{}] {told}/{VOLUMES}, {} unknown, {} in flight, {:.0}/s\x1b[K",
        "#".repeat(cells),
        ".".repeat(50 - cells),
        progress.unknown,
        progress.in_flight,
        progress.rate
    );
}
