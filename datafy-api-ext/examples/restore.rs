//! Restores a snapshot. When the attach fails, the volume that was created is attached later.
//!
//! `cargo run --example restore` runs on a fake Datafy in this process.

use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::{DatafySnapshotId, InstanceId};
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}"); // `#` adds the causes
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let snapshot: DatafySnapshotId = "dsnap-0b9176567fe16f0bc".parse()?;
    let instance: InstanceId = "i-09759c0bdec242294".parse()?;
    let fake = Fake::start().await?;
    fake.add_snapshot(snapshot.clone(), "vol-0f3c6a1d2b4e59780".parse()?, 100);
    fake.add_instance(instance.clone());
    let datafy = fake.client().build()?;

    // The create succeeds. The service then refuses to attach the volume until it is ready.
    fake.inject_none();
    (0..4).for_each(|_| fake.inject(Fault::status(409)));

    // Without `attach_within`, the first refusal ends the restore.
    let restore = datafy.restore(snapshot, instance.clone(), "/dev/sdb".parse()?);
    let Err(error) = restore.await else {
        return Err("the attach was not refused".into());
    };
    println!("{error:#}");
    // The volume is billed from now on, so keep its ID first.
    let created = error.volume_id().cloned().ok_or("the error holds no volume ID")?;

    // A new restore would create a second volume. `resume` returns what is left: to attach the first. It fails if no volume
    // is known to exist.
    let attach = error.resume()?;
    // A new volume takes a while to be ready. Real programs call `attach_within` at the start.
    attach.within(Duration::from_secs(600)).await?;
    println!("volume {created} is attached, after {} requests", fake.requests().len());

    // The fake shows what happened: there is one volume, and it is attached.
    let volumes = fake.volumes();
    assert!(matches!(&volumes[..], [one] if one.instance == Some(instance)), "{volumes:?}");
    Ok(())
}
