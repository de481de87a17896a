//! `datafyctl attach`: attaches a volume.

use crate::cli::after_help;
use crate::exit::{Exit, Result};
use crate::print::Printer;
use crate::run::{Calls, Task};
use clap::Args;
use datafy_api_ext::jobs::{Job, Steps};
use datafy_api_ext::{Datafy, DeviceName, Error, InstanceId, VolumeId};
use serde_json::{Value, json};
use std::time::Duration;

/// Attach a volume to an instance
///
/// Attaching is idempotent: it is safe to repeat this command. A volume that is attached already is refused by the
/// service.
#[derive(Args)]
#[command(after_long_help = help())]
pub(crate) struct Attach {
    /// The volume
    volume: VolumeId,
    /// The instance
    instance: InstanceId,
    /// The device name, such as /dev/sdb
    device: DeviceName,
    /// Repeat the attach for this long until it succeeds: a new volume may not be ready
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    within: Option<Duration>,
    #[command(flatten)]
    calls: Calls,
}

fn help() -> String {
    after_help(
        "  datafyctl attach vol-0b9176567fe16f0bc i-09759c0bdec242294 /dev/sdb
  datafyctl attach vol-0b9176567fe16f0bc i-09759c0bdec242294 /dev/sdb --within 10m",
    )
}

pub(crate) async fn run(arguments: Attach, printer: &Printer) -> Result<Exit> {
    let Attach { volume, instance, device, within, calls } = arguments;
    let task = Attaches { instance, device, within };
    calls.run(task, vec![volume], None, printer).await
}

struct Attaches {
    instance: InstanceId,
    device: DeviceName,
    within: Option<Duration>,
}

/// An attach, with or without a wait.
struct Attaching {
    call: datafy_api_ext::Call<datafy_api_ext::AttachVolume>,
    within: Option<Duration>,
}

impl Job for Attaching {
    type Done = ();
    type Error = Error;

    async fn run(self, steps: &Steps) -> std::result::Result<(), Error> {
        match self.within {
            Some(limit) => steps.run(self.call.within(limit)).await,
            None => steps.run(self.call).await,
        }
    }
}

impl Task for Attaches {
    type Item = VolumeId;
    type Job = Attaching;
    const NAMES: [&str; 2] = ["attach", "attach_volume"];

    fn job(&self, datafy: &Datafy, volume: VolumeId) -> Attaching {
        let call = datafy.volume(volume).attach(self.instance.clone(), self.device.clone());
        Attaching { call, within: self.within }
    }

    fn would(&self, _: &VolumeId) -> String {
        format!("attach it to {} as {}", self.instance, self.device)
    }

    fn did(&self, _: &VolumeId, (): &()) -> (String, Value) {
        let Self { instance, device, .. } = self;
        let facts = json!({ "instance": instance, "device": device });
        (format!("attached to {instance} as {device}"), facts)
    }
}
