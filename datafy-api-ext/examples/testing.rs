//! How to test code of one's own against the fake: on a good day, and on the worst.
//!
//! `cargo run --example testing` runs both tests.

use datafy_api_ext::fake::{Fake, Fault, SkipPauses, check};
use datafy_api_ext::{Datafy, Error, Outcome, Snapshot, VolumeId};
use std::time::Duration;

/// Sorted by what is to be done next, which is what an outcome says.
#[derive(Default)]
struct Report {
    done: Vec<VolumeId>,
    /// No snapshot was made: these may be repeated.
    repeat: Vec<VolumeId>,
    /// A snapshot was made, or may have been: repeating these might pay twice.
    look: Vec<(VolumeId, Error)>,
}

/// The code under test.
async fn nightly(datafy: &Datafy, volumes: &[VolumeId]) -> Report {
    let mut report = Report::default();
    for id in volumes.iter().cloned() {
        match datafy.volume(id.clone()).create_snapshot().await {
            Ok(_) => report.done.push(id),
            // Outcomes are ordered by what may have happened, and up to a refusal nothing has.
            Err(error) if error.outcome() <= Outcome::Refused => report.repeat.push(id),
            Err(error) => report.look.push((id, error)),
        }
    }
    report
}

type Tested = Result<(), Box<dyn std::error::Error>>;

/// In a crate of yours this is a `#[tokio::test]`, and so is the next one.
async fn a_good_day() -> Tested {
    let volumes = [VolumeId::new("vol-1")?, VolumeId::new("vol-2")?];
    let fake = Fake::start().await?;
    for id in &volumes {
        fake.account().add_volume(id.clone(), 100);
    }
    let report = nightly(&fake.client().build()?, &volumes).await;
    assert_eq!(report.done, volumes);
    assert_eq!(fake.account().snapshots().len(), volumes.len());
    Ok(())
}

async fn a_bad_day() -> Tested {
    let [lost, absent] = [VolumeId::new("vol-1")?, VolumeId::new("vol-2")?];
    let fake = Fake::start().await?;
    fake.account().add_volume(lost.clone(), 100);
    // Clients of the fake skip pauses in any case. A clock of the test's own tells which.
    let clock = SkipPauses::default();
    let datafy = fake.client().clock(clock.clone()).build()?;

    // A busy service, and then the worst that a network can do: the snapshot is made, and nobody hears
    // of it.
    fake.inject(Fault::retry_after(429, "30"));
    fake.inject(Fault::ApplyThenReset);
    let mut report = nightly(&datafy, &[lost.clone(), absent.clone()]).await;

    assert_eq!((report.done, report.repeat), (vec![], vec![absent]));
    let (id, doubt) = report.look.pop().ok_or("the doubt was swallowed")?;
    assert_eq!((id, doubt.outcome()), (lost, Outcome::Unknown));
    assert_eq!(fake.account().snapshots().len(), 1);
    // What the call says of itself is held against what it did: all effects so far are its own.
    check(&fake.effects(), &Err::<Snapshot, _>(doubt))?;
    // Half a minute for the client, and no time at all for the test.
    assert!(clock.pauses().iter().sum::<Duration>() >= Duration::from_secs(30));
    Ok(())
}

#[tokio::main]
async fn main() -> Tested {
    a_good_day().await?;
    a_bad_day().await?;
    println!("both tests passed");
    Ok(())
}
