//! `datafyctl restore`: a volume from each snapshot, attached.

use crate::cli::after_help_with_journal;
use crate::exit::{Exit, Result};
use crate::items::{named, open};
use crate::journals::Record;
use crate::print::Printer;
use crate::run::{Calls, Task};
use clap::Args;
use datafy_api_ext::{Datafy, DatafySnapshotId, DeviceName, InstanceId, VolumeId, jobs};
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Create a volume from a snapshot, and attach it: one, or a list
///
/// Both steps are recorded in a journal, so that a restore continues where it stopped. A volume is billed from its
/// creation, whether or not it gets attached.
#[derive(Args)]
#[command(after_long_help = help())]
pub(crate) struct Restore {
    /// The snapshot
    #[arg(value_name = "DSNAP", required_unless_present = "from", requires = "to")]
    snapshot: Option<DatafySnapshotId>,
    /// Where to attach the new volume, such as i-09759c0bdec242294:/dev/sdb
    #[arg(long, value_name = "INSTANCE:DEVICE", value_parser = place)]
    to: Option<(InstanceId, DeviceName)>,
    /// A CSV file with a row for each restore, and the columns name, snapshot, instance and device; `-` is standard input.
    /// A name stands for the same row when the run is resumed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["snapshot", "to"])]
    from: Option<PathBuf>,
    /// How long to repeat the attach, since a new volume may not be ready; `0s` attaches once
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    within: Duration,
    #[command(flatten)]
    record: Record,
    #[command(flatten)]
    calls: Calls,
}

fn help() -> String {
    after_help_with_journal(
        "  datafyctl restore dsnap-0c1 --to i-09759c0bdec242294:/dev/sdb
  datafyctl restore dsnap-0c1 --to i-09759c0bdec242294:/dev/sdb --resume last
  datafyctl restore --from recovery.csv --plan
  datafyctl restore --from recovery.csv --concurrency 8

  where recovery.csv is
    name,snapshot,instance,device
    db-1,dsnap-0c1,i-09759c0bdec242294,/dev/sdb",
    )
}

/// A restore. Its IDs are checked when it is read.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    snapshot: DatafySnapshotId,
    instance: InstanceId,
    device: DeviceName,
}

impl jobs::Keyed for Row {
    fn key(&self) -> Cow<'_, str> {
        self.name.as_str().into()
    }
}

pub(crate) async fn run(arguments: Restore, printer: &Printer) -> Result<Exit> {
    let Restore { snapshot, to, from, within, record, calls } = arguments;
    let rows = match (from, snapshot.zip(to)) {
        (Some(path), _) => read(&path)?,
        (None, Some((snapshot, (instance, device)))) => {
            vec![Row { name: snapshot.to_string(), snapshot, instance, device }]
        }
        (None, None) => {
            return Err("give a snapshot and --to INSTANCE:DEVICE, or --from FILE".into());
        }
    };
    calls.run(Restores { within }, rows, Some(&record), printer).await
}

/// Reads the whole list, before anything is sent. An error names the line.
fn read(path: &Path) -> Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(open(path)?);
    let rows: std::result::Result<Vec<Row>, _> = reader.deserialize().collect();
    let rows = rows.map_err(|error| named(path, error))?;
    if rows.is_empty() {
        return Err(named(path, "there is no row in it").into());
    }
    Ok(rows)
}

fn place(text: &str) -> std::result::Result<(InstanceId, DeviceName), String> {
    let parts = text.split_once(':').ok_or("give INSTANCE:DEVICE")?;
    let invalid = |error: datafy_api_ext::InvalidId| error.to_string();
    Ok((parts.0.parse().map_err(invalid)?, parts.1.parse().map_err(invalid)?))
}

struct Restores {
    within: Duration,
}

impl Task for Restores {
    type Item = Row;
    type Job = jobs::Restore;
    const NAMES: [&str; 2] = ["restore", "restore"];

    fn job(&self, datafy: &Datafy, row: Row) -> jobs::Restore {
        let restore = datafy.restore(row.snapshot, row.instance, row.device);
        if self.within.is_zero() { restore } else { restore.attach_within(self.within) }
    }

    fn would(&self, row: &Row) -> String {
        let Row { snapshot, instance, device, .. } = row;
        format!("create a volume from {snapshot}, and attach it to {instance} as {device}")
    }

    fn did(&self, row: &Row, volume: &VolumeId) -> (String, Value) {
        let Row { snapshot, instance, device, .. } = row;
        let facts = json!({
            "snapshot": snapshot, "volume": volume, "instance": instance, "device": device,
        });
        (format!("{volume} is attached to {instance} as {device}"), facts)
    }
}
