//! A program that the tests of crashes kill: it runs a fleet with a journal, and prints a line for each result.
//!
//! `worker snapshots|restores ENDPOINT JOURNAL FIRST COUNT`: the items are numbered from FIRST. The environment variable
//! `INSTANCE` names another instance than `i-1`, and `CLOCK_AHEAD` says by how many seconds the clock is ahead.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::jobs::{Job, NotDone, Run};
use datafy_api_ext::{
    Clock, Datafy, DatafySnapshotId, DeviceName, InstanceId, RetryPolicy, VolumeId,
};
use serde_json::json;
use std::error::Error;
use std::io::Write;
use std::time::{Duration, SystemTime};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A clock that is ahead of the system's.
#[derive(Debug)]
struct Ahead(Duration);

impl Clock for Ahead {
    fn date(&self) -> SystemTime {
        SystemTime::now() + self.0
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, endpoint, journal, first, count] = &arguments[..] else {
        return Err("give a kind, an endpoint, a journal, the first number and a count".into());
    };
    let pause = Duration::from_millis(1);
    let retry = RetryPolicy::builder().base(pause).cap(pause).build()?;
    let ahead = std::env::var("CLOCK_AHEAD").map_or(Ok(0), |text| text.parse())?;
    let clock = Ahead(Duration::from_secs(ahead));
    let builder = Datafy::builder().endpoint(endpoint).token(Fake::TOKEN);
    let datafy = builder.retry(retry).clock(clock).build()?;
    let instance = std::env::var("INSTANCE").unwrap_or_else(|_| "i-1".to_owned());
    let instance = InstanceId::new(instance)?;
    let first: usize = first.parse()?;
    let numbers = first..first + count.parse::<usize>()?;
    let items = numbers.map(|number| (number.to_string(), number));
    let fleet = datafy.fleet(items).concurrency(4).journal(journal);
    if kind == "snapshots" {
        let run = fleet.run(|datafy, (_, number)| {
            let volume = VolumeId::new(format!("vol-seed{number}")).expect("an ID");
            datafy.volume(volume).create_snapshot().traceable()
        });
        print(run.await?, |snapshot| json!(snapshot.id)).await
    } else {
        let run = fleet.run(move |datafy, (_, number)| {
            let snapshot = DatafySnapshotId::new(format!("dsnap-seed{number}")).expect("an ID");
            let device = DeviceName::new(format!("sd{number}")).expect("a name");
            let restore = datafy.restore(snapshot).attach_to(instance.clone(), device);
            restore.attach_within(Duration::from_secs(2))
        });
        print(run.await?, |volume| json!(volume)).await
    }
}

/// Prints each result. A reader sees a line only after the result was reported.
async fn print<J: Job>(
    mut run: Run<(String, usize), J>,
    id: impl Fn(&J::Done) -> serde_json::Value,
) -> Result<()> {
    while let Some(((key, _), result)) = run.next().await {
        let (state, id) = match &result {
            Ok(done) => ("done", id(done)),
            Err(NotDone::AppliedBefore { created_id }) => ("applied_before", json!(created_id)),
            Err(not_done) => (not_done.state(), json!(null)),
        };
        let text = result.err().map(|error| format!("{error:#}"));
        let line = json!({ "key": key, "state": state, "id": id, "text": text });
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}
