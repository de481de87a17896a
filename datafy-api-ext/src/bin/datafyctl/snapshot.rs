//! `datafyctl snapshot`: a snapshot of each volume.

use crate::cli::after_help_with_journal;
use crate::exit::{Exit, Result};
use crate::items::Volumes;
use crate::journals::{Record, dated};
use crate::print::Printer;
use crate::run::{Calls, Task};
use clap::Args;
use datafy_api_ext::{Call, CreateSnapshot, Datafy, VolumeId};
use serde_json::{Value, json};

/// Create a snapshot of each volume: of one, or of thousands
///
/// Each snapshot is recorded in a journal before it is requested, and a marker is appended to its description, so that a
/// snapshot whose answer was lost can be found.
#[derive(Args)]
#[command(after_long_help = help())]
pub(crate) struct Snapshot {
    #[command(flatten)]
    volumes: Volumes,
    /// The description of the snapshots, in which `{volume}` is the volume, and `{date}` today's date in UTC
    #[arg(long, value_name = "TEXT", value_parser = template)]
    description: Option<String>,
    /// Create snapshots only of volumes that Datafy manages [default: the service's, true]
    #[arg(long, value_name = "BOOL")]
    autoscaling_only: Option<bool>,
    #[command(flatten)]
    record: Record,
    #[command(flatten)]
    calls: Calls,
}

fn help() -> String {
    after_help_with_journal(
        "  datafyctl snapshot vol-0b9176567fe16f0bc --description 'before the upgrade'
  datafyctl snapshot --from volumes.txt --plan
  datafyctl snapshot --from volumes.txt --rate 5 --description 'nightly {volume}'
  datafyctl snapshot --from volumes.txt --rate 5 --description 'nightly {volume}' --resume last
  datafyctl snapshot --from volumes.txt --job 'nightly-{date}'    # for a timer",
    )
}

pub(crate) async fn run(arguments: Snapshot, printer: &Printer) -> Result<Exit> {
    let Snapshot { volumes, description, autoscaling_only, record, calls } = arguments;
    let task = Snapshots { description: description.as_deref().map(dated), autoscaling_only };
    calls.run(task, volumes.read()?, Some(&record), printer).await
}

struct Snapshots {
    description: Option<String>,
    autoscaling_only: Option<bool>,
}

impl Snapshots {
    fn description(&self, volume: &VolumeId) -> Option<String> {
        Some(self.description.as_ref()?.replace("{volume}", volume.as_str()))
    }
}

impl Task for Snapshots {
    type Item = VolumeId;
    type Job = Call<CreateSnapshot>;
    const NAMES: [&str; 2] = ["snapshot", "create_snapshot"];

    fn job(&self, datafy: &Datafy, volume: VolumeId) -> Call<CreateSnapshot> {
        let description = self.description(&volume);
        let mut call = datafy.volume(volume).create_snapshot();
        if let Some(description) = description {
            call = call.description(description);
        }
        if let Some(only) = self.autoscaling_only {
            call = call.autoscaling_only(only);
        }
        call.traceable()
    }

    fn would(&self, volume: &VolumeId) -> String {
        match self.description(volume) {
            Some(description) => format!("create a snapshot, described as {description:?}"),
            None => "create a snapshot".to_owned(),
        }
    }

    fn did(&self, _: &VolumeId, snapshot: &datafy_api_ext::Snapshot) -> (String, Value) {
        (format!("created {}", snapshot.id), json!({ "snapshot": snapshot.id }))
    }
}

/// Checks the placeholders of a description.
fn template(text: &str) -> std::result::Result<String, String> {
    let rest = text.replace("{volume}", "").replace("{date}", "");
    match rest.find(['{', '}']) {
        None => Ok(text.to_owned()),
        Some(_) => Err("only the placeholders {volume} and {date} are known".to_owned()),
    }
}
