//! The whole life of a volume: snapshot, a new volume from it, attach, deactivate autoscaling.
//!
//! `cargo run --example lifecycle` runs on a fake Datafy in this process. With `DATAFY_TOKEN` set and the arguments
//! `--volume ID --instance ID --device NAME` it runs on the real service, where it costs money.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::{Datafy, DeviceName, InstanceId, VolumeId};
use std::error::Error;
use std::process::ExitCode;

struct Plan {
    volume: VolumeId,
    instance: InstanceId,
    device: DeviceName,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    if let Some(plan) = plan(std::env::args().skip(1))? {
        let datafy = Datafy::from_env()?;
        println!(
            "creating a snapshot of {} and a volume from it at {}, and attaching the volume to {} as {}",
            plan.volume,
            datafy.endpoint(),
            plan.instance,
            plan.device
        );
        return run_plan(&datafy, plan).await;
    }

    let plan = Plan {
        volume: "vol-0b9176567fe16f0bc".parse()?,
        instance: "i-09759c0bdec242294".parse()?,
        device: "/dev/sdb".parse()?,
    };
    let fake = Fake::start().await?;
    fake.add_volume(plan.volume.clone(), 100);
    fake.add_instance(plan.instance.clone());
    println!("a fake Datafy listens at {}", fake.endpoint());
    run_plan(&fake.client().build()?, plan).await?;

    println!("the fake now holds");
    for snapshot in fake.snapshots() {
        println!("  snapshot {} of {}", snapshot.id, snapshot.volume);
    }
    for volume in fake.volumes() {
        let managed = if volume.managed { "autoscaling" } else { "not autoscaling" };
        let attached = volume.instance.map_or("nothing".to_owned(), |it| it.to_string());
        println!("  volume {}, {managed}, attached to {attached}", volume.id);
    }
    Ok(())
}

async fn run_plan(datafy: &Datafy, plan: Plan) -> Result<(), Box<dyn Error>> {
    let snapshot = datafy
        .volume(plan.volume)
        .create_snapshot()
        .description("taken by the lifecycle example")
        // If the answer is lost, the error contains the marker by which to find the snapshot.
        .traceable()
        .await?;
    let snapshot = snapshot.id;
    println!("created snapshot {snapshot}");

    let volume = datafy.create_volume(snapshot.clone()).await?;
    let volume = volume.id;
    println!("created volume {volume}");

    let volume = datafy.volume(volume.clone());
    volume.attach(plan.instance.clone(), plan.device.clone()).await?;
    println!("attached volume {} to {} as {}", volume.id(), plan.instance, plan.device);

    volume.deactivate_autoscaling().await?;
    println!("deactivated autoscaling of volume {}", volume.id());
    Ok(())
}

/// Returns what to do on the real service, or `None` without arguments.
fn plan(mut arguments: impl Iterator<Item = String>) -> Result<Option<Plan>, Box<dyn Error>> {
    let (mut volume, mut instance, mut device) = (None, None, None);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{flag} needs a value"));
        match flag.as_str() {
            "--volume" => volume = Some(value()?.parse()?),
            "--instance" => instance = Some(value()?.parse()?),
            "--device" => device = Some(value()?.parse()?),
            _ => return Err(format!("unknown argument {flag}").into()),
        }
    }
    match (volume, instance, device) {
        (None, None, None) => Ok(None),
        (Some(volume), Some(instance), Some(device)) => Ok(Some(Plan { volume, instance, device })),
        _ => Err("--volume, --instance and --device must be given together".into()),
    }
}
