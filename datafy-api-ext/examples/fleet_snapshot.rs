//! Creates snapshots of 5,000 volumes, on a fake Datafy that injects a fault into every fiftieth request.
//!
//! Press Ctrl-C to stop the run cleanly: calls in flight end, and no other is started. Press it again to quit at once. Run it
//! again to resume from the journal, which is kept until every snapshot is certain: the example `journal` lists and settles
//! it.
//!
//! Exits with 0 if all snapshots were created, with 2 if some were not, and with 3 if it is unknown whether some were, or
//! if some were not attempted. The faults of this example cause some of the latter.

use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::jobs::{Monitor, NotDone, Steps};
use datafy_api_ext::{Call, CreateSnapshot, Datafy, SystemClock, VolumeId};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{IsTerminal, Write, stderr};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

const VOLUMES: usize = 5_000;
/// A journal belongs to one endpoint, so the fake must use the same port when the run is resumed.
const PORT: u16 = 47_291;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The job of each volume. The marker of a traceable snapshot is how to find one whose answer was lost.
fn snapshot(datafy: Datafy, id: VolumeId, _: Steps) -> Call<CreateSnapshot> {
    datafy.volume(id).create_snapshot().description("nightly").traceable()
}

async fn run() -> Result<u8, Box<dyn Error>> {
    let ids: Vec<VolumeId> = (0..VOLUMES)
        .map(|number| format!("vol-{number:017x}").parse())
        .collect::<Result<_, _>>()?;
    let fake = Fake::start_on((Ipv4Addr::LOCALHOST, PORT)).await?;
    for id in &ids {
        fake.account().add_volume(id.clone(), 100);
    }
    fake.inject_with(faults());
    // Clients of the fake skip pauses by default; with this clock the pauses and the rate are real.
    let datafy = fake.client().clock(SystemClock).build()?;

    let journal = std::env::temp_dir().join("datafy-fleet-snapshot.jsonl");
    let fleet = || datafy.fleet(ids.clone()).concurrency(16).rate(1_000).journal(&journal);
    let plan = fleet().plan(snapshot).await?;
    let mut run = fleet().run(snapshot).await?;

    let monitor = run.monitor();
    tokio::spawn(stop_on_ctrl_c(run.monitor()));
    let mut counts = BTreeMap::<_, usize>::new();
    while let Some(finished) = run.next().await {
        let state = match finished.result {
            Ok(_) if finished.before => "done by an earlier run".to_owned(),
            Ok(_) => "done".to_owned(),
            Err(NotDone::Failed(error)) => format!("failed: {}", error.outcome()),
            Err(not_done) => not_done.state().to_owned(),
        };
        *counts.entry(state).or_default() += 1;
        draw(&monitor, plan.to_do);
    }
    if let Some(stopped) = run.stopped() {
        println!("{stopped:#}");
    }
    // The journal is open until here.
    drop(run);

    if stderr().is_terminal() {
        eprintln!();
    }
    println!("{:<48} {:>7}", "result", "volumes");
    for (state, volumes) in &counts {
        println!("{state:<48} {volumes:>7}");
    }
    println!(
        "{:<48} {:>7}",
        "snapshots that the fake created in this run",
        fake.account().snapshots().len()
    );
    let code = monitor.progress().exit_code();
    if code == 0 {
        std::fs::remove_file(journal)?;
    } else {
        let path = journal.display();
        println!("run it again to resume; to see and settle what is unknown:");
        println!("  cargo run --example journal -- {path}");
    }
    Ok(code)
}

/// Stops the run at the first Ctrl-C, and the program at the second. The journal is fit for both.
async fn stop_on_ctrl_c(monitor: Monitor) {
    if tokio::signal::ctrl_c().await.is_ok() {
        monitor.stop();
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(130);
    }
}

/// Two faults in a hundred requests: after the first a retry is safe, and the second is ambiguous.
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

/// Draws a progress bar of fifty cells for what this run has to do, on a terminal only.
fn draw(monitor: &Monitor, to_do: u64) {
    let progress = monitor.progress();
    let attempted = progress.done + progress.failed + progress.unknown;
    if !stderr().is_terminal() || !attempted.is_multiple_of(20) {
        return;
    }
    let cells = usize::try_from(attempted * 50 / to_do.max(1)).unwrap_or(50).min(50);
    let _ = write!(
        stderr(),
        "\r[{}{}] {attempted}/{to_do}, {} unknown, {} in flight, {:.0}/s\x1b[K",
        "#".repeat(cells),
        ".".repeat(50 - cells),
        progress.unknown,
        progress.in_flight,
        progress.rate
    );
}
