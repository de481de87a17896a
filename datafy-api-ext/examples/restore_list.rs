//! Restores the snapshots of a list: creates a volume from each, and attaches it.
//!
//! `DATAFY_TOKEN=.. cargo run --example restore_list -- LIST.csv JOURNAL.jsonl`. The list has the columns `name`,
//! `snapshot`, `instance` and `device`. The results are JSON Lines on standard output. Press Ctrl-C to stop cleanly, and again to quit
//! at once; run it again, also after `kill -9`, to resume from the journal. Without arguments, it restores three snapshots on a fake.
//!
//! Exits with 0 if everything was restored, with 2 if something was not, and with 3 if it is unknown what happened to
//! some, or if some were not attempted.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::jobs::{Keyed, Monitor, Restore, Steps};
use datafy_api_ext::{Datafy, DatafySnapshotId, DeviceName, InstanceId};
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How long a new volume may take until it can be attached.
const PATIENCE: Duration = Duration::from_secs(600);

/// A line of the list. Its IDs are checked when it is read.
#[derive(Clone, Debug, Deserialize)]
struct Row {
    name: String,
    snapshot: DatafySnapshotId,
    instance: InstanceId,
    device: DeviceName,
}

impl Keyed for Row {
    fn key(&self) -> Cow<'_, str> {
        self.name.as_str().into()
    }
}

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

async fn run() -> Result<u8, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => on_a_fake().await,
        [list, journal] => {
            let rows = read(Path::new(list))?;
            restore(&Datafy::from_env()?, rows, Path::new(journal)).await
        }
        _ => Err("give a list and a journal, or nothing".into()),
    }
}

/// Reads the whole list before anything is sent. An error names the line.
fn read(list: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(list)?;
    let rows: Result<_, _> = reader.deserialize().collect();
    rows.map_err(|error| format!("{}: {error}", list.display()).into())
}

async fn restore(datafy: &Datafy, rows: Vec<Row>, journal: &Path) -> Result<u8, Box<dyn Error>> {
    let fleet = datafy.fleet(rows).concurrency(8).journal(journal);
    let mut run = fleet.run(job).await?;
    let monitor = run.monitor();
    tokio::spawn(stop_on_ctrl_c(run.monitor()));
    while let Some(finished) = run.next().await {
        let name = &finished.item.name;
        let line = match &finished.result {
            Ok(volume) => json!({ "name": name, "volume": volume }),
            Err(not_done) => json!({ "name": name, "not_done": not_done }),
        };
        writeln!(std::io::stdout(), "{line}")?;
    }
    if let Some(stopped) = run.stopped() {
        writeln!(std::io::stdout(), "{}", json!({ "stopped": stopped }))?;
    }
    Ok(monitor.progress().exit_code())
}

#[expect(clippy::needless_pass_by_value, reason = "as `run` passes it")]
fn job(datafy: Datafy, row: Row, _: Steps) -> Restore {
    datafy.restore(row.snapshot).attach_to(row.instance, row.device).attach_within(PATIENCE)
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

async fn on_a_fake() -> Result<u8, Box<dyn Error>> {
    let fake = Fake::start().await?;
    fake.account().add_instance("i-1".parse()?);
    fake.account().hold_back_new_volumes(2);
    let mut rows = Vec::new();
    for number in 1..=3 {
        let snapshot: DatafySnapshotId = format!("dsnap-{number}").parse()?;
        fake.account().add_snapshot(snapshot.clone(), format!("vol-{number}").parse()?, 100);
        let device = format!("/dev/sd{}", ["b", "c", "d"][number - 1]).parse()?;
        rows.push(Row { name: format!("db-{number}"), snapshot, instance: "i-1".parse()?, device });
    }
    let journal = std::env::temp_dir().join(format!("datafy-restore-list-{}", std::process::id()));
    let code = restore(&fake.client().build()?, rows, &journal).await;
    std::fs::remove_file(journal)?;
    code
}
