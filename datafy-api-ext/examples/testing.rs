//! Tests a program against the fake, without and with faults.
//!
//! `cargo run --example testing` runs both tests.

use datafy_api_ext::fake::{Fake, Fault, SkipPauses, verify};
use datafy_api_ext::{Datafy, Error, Outcome, Snapshot, VolumeId};
use std::time::Duration;

/// Volumes, by what to do next. The outcome of a call says that.
#[derive(Default)]
struct Report {
    done: Vec<VolumeId>,
    /// No snapshot was created, so it is safe to retry.
    retry: Vec<VolumeId>,
    /// A snapshot was or may have been created, so a retry may create a second one.
    look_up: Vec<(VolumeId, Error)>,
}

/// The code under test.
async fn nightly(datafy: &Datafy, volumes: &[VolumeId]) -> Report {
    let mut report = Report::default();
    for id in volumes.iter().cloned() {
        match datafy.volume(id.clone()).create_snapshot().await {
            Ok(_) => report.done.push(id),
            // Outcomes are ordered by how far a call went. Up to `Refused` it had no effect.
            Err(error) if error.outcome() <= Outcome::Refused => report.retry.push(id),
            Err(error) => report.look_up.push((id, error)),
        }
    }
    report
}

type Tested = Result<(), Box<dyn std::error::Error>>;

/// In your crate this is a `#[tokio::test]`, and so is the next one.
async fn snapshots_are_created_of_all_volumes() -> Tested {
    let volumes = [VolumeId::new("vol-1")?, VolumeId::new("vol-2")?];
    let fake = Fake::start().await?;
    for id in &volumes {
        fake.add_volume(id.clone(), 100);
    }
    let report = nightly(&fake.client().build()?, &volumes).await;
    assert_eq!(report.done, volumes);
    assert_eq!(fake.snapshots().len(), volumes.len());
    Ok(())
}

async fn a_lost_answer_is_reported_and_not_retried() -> Tested {
    let [lost, absent] = [VolumeId::new("vol-1")?, VolumeId::new("vol-2")?];
    let fake = Fake::start().await?;
    fake.add_volume(lost.clone(), 100);
    // Clients of the fake skip pauses anyway. A clock that the test holds also shows them.
    let clock = SkipPauses::default();
    let datafy = fake.client().clock(clock.clone()).build()?;

    // The service is busy. Then it creates the snapshot, and the answer is lost.
    fake.inject(Fault::retry_after(429, "30"));
    fake.inject(Fault::ApplyThenReset);
    let mut report = nightly(&datafy, &[lost.clone(), absent.clone()]).await;

    assert_eq!((report.done, report.retry), (vec![], vec![absent]));
    let (id, error) = report.look_up.pop().ok_or("the lost answer is missing in the report")?;
    assert_eq!((id, error.outcome()), (lost, Outcome::Unknown));
    assert_eq!(fake.snapshots().len(), 1);
    // All effects so far are those of this call.
    verify(&fake.effects(), &Err::<Snapshot, _>(error))?;
    // The client waited for 30 s, and the test did not.
    assert!(clock.pauses().iter().sum::<Duration>() >= Duration::from_secs(30));
    Ok(())
}

#[tokio::main]
async fn main() -> Tested {
    snapshots_are_created_of_all_volumes().await?;
    a_lost_answer_is_reported_and_not_retried().await?;
    println!("both tests passed");
    Ok(())
}
