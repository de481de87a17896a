//! `datafyctl deactivate`: deactivates autoscaling.

use crate::cli::after_help;
use crate::exit::{Exit, Result};
use crate::items::Volumes;
use crate::print::Printer;
use crate::run::{Calls, Task};
use clap::Args;
use datafy_api_ext::{Call, Datafy, DeactivateAutoscaling, VolumeId};
use serde_json::{Value, json};

/// Deactivate the autoscaling of volumes
///
/// Deactivating is idempotent: it is safe to repeat this command.
#[derive(Args)]
#[command(after_long_help = help())]
pub(crate) struct Deactivate {
    #[command(flatten)]
    volumes: Volumes,
    #[command(flatten)]
    calls: Calls,
}

fn help() -> String {
    after_help(
        "  datafyctl deactivate vol-0b9176567fe16f0bc
  datafyctl deactivate --from volumes.txt --rate 5",
    )
}

pub(crate) async fn run(arguments: Deactivate, printer: &Printer) -> Result<Exit> {
    let Deactivate { volumes, calls } = arguments;
    calls.run(Deactivations, volumes.read()?, None, printer).await
}

struct Deactivations;

impl Task for Deactivations {
    type Item = VolumeId;
    type Job = Call<DeactivateAutoscaling>;
    const NAMES: [&str; 2] = ["deactivate", "deactivate_autoscaling"];

    fn job(&self, datafy: &Datafy, volume: VolumeId) -> Call<DeactivateAutoscaling> {
        datafy.volume(volume).deactivate_autoscaling()
    }

    fn would(&self, _: &VolumeId) -> String {
        "deactivate its autoscaling".to_owned()
    }

    fn did(&self, _: &VolumeId, (): &()) -> (String, Value) {
        ("autoscaling is deactivated".to_owned(), json!({}))
    }
}
