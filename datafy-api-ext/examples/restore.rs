//! A volume from a snapshot, attached: when the attach fails, the volume is neither lost nor made twice.
//!
//! `cargo run --example restore` does it on a fake Datafy in this process.

use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::{DatafySnapshotId, InstanceId, RestoreStep};
use std::error::Error;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let snapshot: DatafySnapshotId = "dsnap-0b9176567fe16f0bc".parse()?;
    let instance: InstanceId = "i-09759c0bdec242294".parse()?;
    let fake = Fake::start().await?;
    fake.account().add_snapshot(snapshot.clone(), "vol-0f3c6a1d2b4e59780".parse()?, 100);
    fake.account().add_instance(instance.clone());
    let datafy = fake.client().build()?;

    // The create is served well. Then the volume isn't ready, which is a refusal that only time mends.
    fake.inject_none();
    fake.inject_times(4, Fault::status(409));

    // Without patience the first refusal ends it.
    let restore = datafy.restore(snapshot).attach_to(instance.clone(), "/dev/sdb".parse()?);
    let Err(error) = restore.await else {
        return Err("the attach was to be refused".into());
    };
    println!("{error}");
    assert_eq!(error.step(), RestoreStep::AttachVolume);
    // It costs money from now on, so its name is worth keeping before anything else is tried.
    let created = error.volume_id().cloned().ok_or("the error names no volume")?;

    // A new restore would create a second volume; this one goes on with the first. The error comes back
    // where a volume may have been made that nobody can name.
    let restore = error.resume()?;
    // Volumes take a while to be ready. A program that knows it sets the patience at the start.
    let attached = restore.attach_within(Duration::from_secs(600)).await?;
    println!("volume {attached} is attached, after {} requests", fake.requests().len());
    assert_eq!(attached, created);

    // The fake knows what really happened: there is one volume, and it isn't left unused.
    let volumes = fake.account().volumes();
    let at: Vec<_> = volumes.iter().map(|volume| volume.attachment.as_ref()).collect();
    assert!(matches!(at[..], [Some(at)] if at.instance == instance), "{volumes:?}");
    Ok(())
}
