//! Runs a job for each of many items: the calls, their journal, the signals, and what is printed.

use crate::client::Client;
use crate::exit::{Exit, Result};
use crate::journals::{Chosen, Record};
use crate::plain::quoted;
use crate::print::{Printer, Tone};
use crate::signals::Signals;
use clap::Args;
use datafy_api_ext::jobs::{Finished, Fleet, Job, Keyed, Monitor, NotDone, Progress, Stopped};
use datafy_api_ext::journal::{Step, StepState};
use datafy_api_ext::{Datafy, Error};
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;

/// How a run proceeds.
#[derive(Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct Pace {
    /// Print what would be sent, and send nothing
    #[arg(long)]
    pub(crate) plan: bool,
    /// Start at most N calls per second, 1 to 10000 [default: unlimited]
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// Have at most N calls in flight, 1 to 256; a power cut leaves up to N unknown [default: 16]
    #[arg(long, value_name = "N")]
    concurrency: Option<usize>,
}

/// The client and how it is used, of a command that makes calls.
#[derive(Args)]
pub(crate) struct Calls {
    #[command(flatten)]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) client: Client,
}

/// What a command does for each item.
pub(crate) trait Task: Send + Sync + 'static {
    type Item: Keyed + Clone + Send + Sync + 'static;
    type Job: Job<Error = Error> + 'static;

    /// The names of the command and, in its journals, of the operation.
    const NAMES: [&str; 2];

    fn job(&self, datafy: &Datafy, item: Self::Item) -> Self::Job;

    /// What would be done for an item: `create a snapshot of ..`.
    fn would(&self, item: &Self::Item) -> String;

    /// What was done for an item: `created ..`, and the facts of it.
    fn did(&self, item: &Self::Item, done: &<Self::Job as Job>::Done) -> (String, Value);
}

type Done<T> = <<T as Task>::Job as Job>::Done;

impl Calls {
    /// Runs a task, or prints its plan: with a journal if there is a record.
    pub(crate) async fn run<T: Task>(
        &self,
        task: T,
        items: Vec<T::Item>,
        record: Option<&Record>,
        printer: &Printer,
    ) -> Result<Exit> {
        let datafy = self.client.build()?;
        let choose = |record: &Record| record.choose(T::NAMES, &datafy, printer);
        let journal = record.map(choose).transpose()?;
        run(task, items, &datafy, &self.pace, journal, printer).await
    }
}

async fn run<T: Task>(
    task: T,
    items: Vec<T::Item>,
    datafy: &Datafy,
    pace: &Pace,
    mut journal: Option<Chosen>,
    printer: &Printer,
) -> Result<Exit> {
    let signals = Signals::listen()?;
    let length = items.len();
    let mut fleet = datafy.fleet(items);
    if let Some(rate) = pace.rate {
        fleet = fleet.rate(rate);
    }
    if let Some(concurrency) = pace.concurrency {
        fleet = fleet.concurrency(concurrency);
    }
    if let Some(journal) = &journal {
        fleet = fleet.journal(&journal.path);
        if let Some(job) = &journal.job {
            fleet = fleet.named(job);
        }
        if let Some(look_up) = &journal.look_up {
            fleet = fleet.look_up(look_up.clone());
        }
    }
    let task = Arc::new(task);
    if pace.plan {
        return plan(task, fleet, datafy, printer).await;
    }
    if let Some(journal) = &journal {
        journal.begin(length)?;
    }
    let tasks = Arc::clone(&task);
    let mut run = fleet.run(move |datafy, item, _| tasks.job(&datafy, item)).await?;
    if let Some(journal) = &mut journal {
        journal.created();
        begin(journal, length, printer);
    }
    let monitor = run.monitor();
    let continuation = journal.as_ref().map(Chosen::continuation);
    let stopping = tokio::spawn(stop(signals, run.monitor(), continuation, printer.clone()));
    if length > 1 {
        printer.start_bar(length as u64);
    }
    while let Some(finished) = run.next().await {
        show(&*task, &finished, printer);
        move_bar(&monitor, printer);
    }
    stopping.abort();
    printer.end_bar();
    let (progress, stopped, keys) = (monitor.progress(), run.stopped(), run.not_attempted());
    // The journal is open until here.
    drop(run);
    Ok(end(&progress, length, stopped.as_ref(), &keys, journal.as_ref(), printer))
}

/// Says which journal the run has.
fn begin(journal: &Chosen, items: usize, printer: &Printer) {
    let path = journal.path.display();
    let verb = if journal.resumes { "resuming" } else { "the journal is" };
    printer.say(Tone::Quiet, &format!("{verb} {path}"));
    if printer.json {
        let resumes = journal.resumes;
        printer.json(&json!({
            "event": "begin", "journal": journal.path, "resumes": resumes, "items": items,
        }));
    }
}

async fn plan<T: Task>(
    task: Arc<T>,
    fleet: Fleet<T::Item>,
    datafy: &Datafy,
    printer: &Printer,
) -> Result<Exit> {
    let tasks = Arc::clone(&task);
    let mut run = fleet.plan(move |datafy, item, _| tasks.job(&datafy, item)).await?;
    let mut begun = 0;
    while let Some(finished) = run.next().await {
        let Finished { item, steps, result: Err(NotDone::NotAttempted), .. } = &finished else {
            show(&*task, &finished, printer);
            continue;
        };
        let (would, before) = (task.would(item), did_before(steps));
        let mut text = format!("{}: would {would}", item.key());
        if !before.is_empty() {
            begun += 1;
            let _ = write!(text, "; done before: {before}");
        }
        let json = json!({ "event": "plan", "key": item.key(), "would": would, "steps": steps });
        printer.result(Tone::Plain, &json, &text);
    }
    let progress = run.monitor().progress();
    let Progress { to_do, done_before, unknown, not_attempted, failed, .. } = progress;
    let text = format!(
        "at {}: {to_do} to do, {begun} of them begun before; {done_before} done before, {unknown} unknown, {} refused; nothing was sent",
        datafy.endpoint(),
        not_attempted + failed
    );
    printer.note(&text);
    if printer.json {
        let mut json = json!(progress);
        json["event"] = "planned".into();
        json["endpoint"] = datafy.endpoint().into();
        printer.json(&json);
    }
    printer.check();
    Ok(if unknown > 0 { Exit::Open } else { Exit::Done })
}

/// What earlier runs have done for an item.
fn did_before(steps: &[Step]) -> String {
    let applied = steps.iter().filter(|step| step.state == StepState::Applied);
    let texts = applied.map(|step| match &step.created_id {
        Some(id) => format!("{} created {id}", step.operation),
        None => step.operation.to_string(),
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// Prints how an item ended.
fn show<T: Task>(task: &T, finished: &Finished<T::Item, Done<T>>, printer: &Printer) {
    let key = finished.item.key();
    let mut json = json!({ "event": "item", "key": key });
    match &finished.result {
        Ok(done) => {
            let (text, facts) = task.did(&finished.item, done);
            json["state"] = "done".into();
            json["before"] = finished.before.into();
            add(&mut json, facts);
            let tone = if finished.before { Tone::Quiet } else { Tone::Good };
            let before = if finished.before { ", by an earlier run" } else { "" };
            printer.result(tone, &json, &format!("{key}: {text}{before}"));
        }
        Err(not_done) => {
            let unattached = finished.unattached();
            if printer.json {
                add(&mut json, json!(not_done));
                json["outcome"] = json!(finished.outcome());
                json["unattached"] = json!(unattached);
                printer.json(&json);
            }
            let tone = match not_done {
                NotDone::Failed(_) => Tone::Bad,
                _ => Tone::Open,
            };
            printer.say(tone, &format!("{key}: {not_done:#}"));
            for volume in unattached {
                let text = format!("{key}: volume {volume} exists, is billed and is not attached");
                printer.say(Tone::Open, &text);
            }
        }
    }
}

fn add(json: &mut Value, facts: Value) {
    if let (Value::Object(json), Value::Object(facts)) = (json, facts) {
        json.extend(facts);
    }
}

fn move_bar(monitor: &Monitor, printer: &Printer) {
    let progress = monitor.progress();
    let Progress { done, done_before, failed, unknown, not_attempted, in_flight, rate, .. } =
        progress;
    let ended = done + done_before + failed + unknown + not_attempted;
    let mut message = String::new();
    for (number, name) in [(failed, "failed"), (unknown, "unknown"), (in_flight, "in flight")] {
        if number > 0 {
            let _ = write!(message, ", {number} {name}");
        }
    }
    printer.move_bar(ended, format!("{message}, {rate:.0}/s"));
}

/// Stops the run at the first signal, and the program at the second. The journal is fit for both.
async fn stop(
    mut signals: Signals,
    monitor: Monitor,
    continuation: Option<String>,
    printer: Printer,
) {
    signals.next().await;
    monitor.stop();
    let in_flight = monitor.progress().in_flight;
    printer.say(
        Tone::Open,
        &format!("stopping: waiting for {in_flight} in flight; press Ctrl-C again to abort"),
    );
    signals.next().await;
    printer.end_bar();
    printer.say(Tone::Bad, "aborted: what was in flight is unknown");
    if let Some(continuation) = continuation {
        printer.note(&format!("continue: {continuation}"));
    }
    std::process::exit(130);
}

/// Prints what the run has done and left, and what to do next. The keys are those of what was not attempted.
fn end(
    progress: &Progress,
    items: usize,
    stopped: Option<&Stopped>,
    keys: &[String],
    journal: Option<&Chosen>,
    printer: &Printer,
) -> Exit {
    let exit = Exit::of(progress.exit_code());
    let path = journal.map(|journal| &journal.path);
    if printer.json {
        let mut json = json!({ "event": "end" });
        add(&mut json, json!(progress));
        let stopped = stopped.map(|it| json!({ "reason": it.as_str(), "text": format!("{it:#}") }));
        let facts = json!({
            "stopped": stopped, "not_attempted_keys": keys, "journal": path, "exit_code": exit.code(),
        });
        add(&mut json, facts);
        printer.json(&json);
    }
    let Progress { done, done_before, failed, unknown, not_attempted, .. } = *progress;
    let counts = [
        (done, "done"),
        (done_before, "done by earlier runs"),
        (failed, "failed"),
        (unknown, "unknown"),
        (not_attempted, "not attempted"),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts: Vec<_> = counts.map(|(number, name)| format!("{number} {name}")).collect();
    let tone = match exit {
        Exit::Done => Tone::Good,
        Exit::Failed | Exit::Unusable => Tone::Bad,
        Exit::Open => Tone::Open,
    };
    printer.say(tone, &counts.join(", "));
    match stopped {
        None => {}
        Some(Stopped::Requested) => printer.say(Tone::Open, "stopped by a signal"),
        Some(stopped) => printer.error(&format!("{stopped:#}")),
    }
    if exit == Exit::Done && done == 0 && done_before > 0 {
        printer.note("nothing was sent: earlier runs have done everything");
    }
    if let Some(journal) = journal {
        let path = quoted(&journal.path.display().to_string());
        if unknown > 0 {
            printer.note(&format!(
                "find out what is unknown: datafyctl journal resolve {path} --run-aws"
            ));
        }
        if exit != Exit::Done {
            let begin = if unknown > 0 { "then continue" } else { "continue" };
            printer.note(&format!("{begin}: {}", journal.continuation()));
        }
    }
    if let (Exit::Done, Some(journal)) = (exit, journal)
        && let Err(error) = journal.finish(items)
    {
        printer.say(Tone::Open, &format!("the journal stays unfinished: {error:#}"));
    }
    printer.check();
    exit
}
