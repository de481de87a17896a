//! A program that the tests of crashes kill: it runs a fleet with a journal, and prints a line for each result.
//!
//! `worker snapshots|restores|clones ENDPOINT JOURNAL FIRST COUNT`: the items are numbered from FIRST. The environment variable
//! `INSTANCE` names another instance than `i-1`, `CLOCK_AHEAD` says by how many seconds the clock is ahead, and `LOOK_UP`
//! has the run settle what EC2 proves: `marked`, or `only_creator`.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::jobs::{Run, Steps};
use datafy_api_ext::reconcile::{LookUp, Query};
use datafy_api_ext::{Clock, Datafy, InstanceId, RetryPolicy, VolumeId};
use datafy_tests::{device, snapshot, volume};
use serde_json::json;
use std::error::Error;
use std::io::{self, Write};
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
    let mut retry = RetryPolicy::default();
    (retry.base, retry.cap) = (pause, pause);
    let ahead = std::env::var("CLOCK_AHEAD").map_or(Ok(0), |text| text.parse())?;
    let clock = Ahead(Duration::from_secs(ahead));
    let builder = Datafy::builder().endpoint(endpoint).token(Fake::TOKEN);
    let datafy = builder.retry(retry).clock(clock).build()?;
    let instance = std::env::var("INSTANCE").unwrap_or_else(|_| "i-1".to_owned());
    let instance = InstanceId::new(instance)?;
    let first: usize = first.parse()?;
    let numbers = first..first + count.parse::<usize>()?;
    let items = numbers.map(|number| (number.to_string(), number));
    let mut fleet = datafy.fleet(items).concurrency(4).journal(journal);
    if let Ok(how) = std::env::var("LOOK_UP") {
        let mut look_up = LookUp::new(ask_ec2);
        (look_up.wait, look_up.only_creator) = (Some(Duration::ZERO), how == "only_creator");
        fleet = fleet.look_up(look_up);
    }
    match &**kind {
        "snapshots" => {
            let run = fleet.run(|datafy, (_, number), _| {
                datafy.volume(volume(number)).create_snapshot().traceable()
            });
            print(run.await?, |snapshot| json!(snapshot.id)).await
        }
        "restores" => {
            let run = fleet.run(move |datafy, (_, number), _| {
                let restore = datafy.restore(snapshot(number), instance.clone(), device(number));
                restore.attach_within(PATIENCE)
            });
            print(run.await?, |volume| json!(volume)).await
        }
        "clones" => {
            let run = fleet.run(move |datafy, (_, number), steps| {
                clone_volume(datafy, number, instance.clone(), steps)
            });
            print(run.await?, |volume| json!(volume)).await
        }
        other => Err(format!("{other} is no kind of fleet").into()),
    }
}

/// Runs a query with the AWS CLI.
async fn ask_ec2(query: Query) -> io::Result<Vec<u8>> {
    let output = tokio::process::Command::new("aws").args(query.args()).output().await?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr)))
    }
}

const PATIENCE: Duration = Duration::from_secs(2);

/// A function of three steps, which retries a refused create by itself.
async fn clone_volume(
    datafy: Datafy,
    number: usize,
    instance: InstanceId,
    steps: Steps,
) -> std::result::Result<VolumeId, datafy_api_ext::Error> {
    let snapshot = steps.run(datafy.volume(volume(number)).create_snapshot().traceable()).await?;
    let create = || steps.run(datafy.create_volume(snapshot.id.clone()));
    let created = match create().await {
        Err(_) => create().await?,
        Ok(created) => created,
    };
    let attach = datafy.volume(created.id.clone()).attach(instance, device(number));
    steps.run(attach.within(PATIENCE)).await?;
    Ok(created.id)
}

/// Prints each result. A reader sees a line only after the result was reported.
async fn print<D>(
    mut run: Run<(String, usize), D>,
    id: impl Fn(&D) -> serde_json::Value,
) -> Result<()> {
    let line = |line: serde_json::Value| writeln!(std::io::stdout(), "{line}");
    while let Some(finished) = run.next().await {
        let (key, _) = &finished.item;
        let state = match &finished.result {
            Ok(_) if finished.before => "before",
            Ok(_) => "done",
            Err(not_done) => not_done.state(),
        };
        let created = finished.result.as_ref().map_or_else(|_| json!(null), &id);
        let text = finished.result.as_ref().err().map(|error| format!("{error:#}"));
        let unattached = finished.unattached();
        line(
            json!({ "key": key, "state": state, "id": created, "text": text, "unattached": unattached }),
        )?;
    }
    line(json!({ "exit_code": run.monitor().progress().exit_code() }))?;
    for key in run.not_attempted() {
        line(json!({ "key": key, "state": "not_attempted" }))?;
    }
    Ok(())
}
