//! `datafyctl journal resolve`: asks EC2 what unknown calls did, and settles what is certain.

use crate::aws::Aws;
use crate::cli::EXIT_CODES;
use crate::exit::{Exit, Result};
use crate::items::named;
use crate::journal::list::name;
use crate::journals::{State, counted, is_unknown, now, steps, unknown_steps};
use crate::plain::{plain, quoted};
use crate::print::{Printer, Tone};
use chrono::{DateTime, Utc};
use clap::Args;
use datafy_api_ext::journal::{Journal, JournalError};
use datafy_api_ext::reconcile::{Ec2Objects, Finding, Query, SentCall, Settings, find_out};
use serde_json::json;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Find out from EC2 what unknown calls did, and settle what is certain
///
/// Datafy creates EBS objects in your AWS account, and tags them. Without --run-aws and --from, this prints a script of AWS
/// CLI commands that read them: run it in the account and the region of the volumes, and pass its directory with --from.
/// With --run-aws, the commands are run here. Nothing is changed in AWS.
///
/// What can't be settled is listed with the reason. An attach is certain once EC2 shows it, and a snapshot if it carries
/// the marker of its call; anything else is certain only with --only-creator. The calls of journals in the state directory
/// are taken into account, since they may have created an object; name other journals with --also.
#[derive(Args)]
#[command(after_long_help = help())]
pub(crate) struct Resolve {
    /// The journal
    file: PathBuf,
    /// The directory that the script has written
    #[arg(long, value_name = "DIR", conflicts_with = "run_aws")]
    from: Option<PathBuf>,
    /// Another journal with calls about the same volumes or snapshots
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,
    /// How long a call that was cut off took at most
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    longest_call: Duration,
    /// How long after a call the service may still act
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration)]
    settling_time: Duration,
    #[command(flatten)]
    aws: Aws,
    #[command(flatten)]
    state: State,
}

fn help() -> String {
    format!(
        "Examples:
  datafyctl journal resolve nightly-2026-01-01.jsonl --run-aws --region us-east-1
  datafyctl journal resolve nightly-2026-01-01.jsonl > ask-ec2.sh   # run it elsewhere
  datafyctl journal resolve nightly-2026-01-01.jsonl --from {DIRECTORY}

{EXIT_CODES}"
    )
}

/// The directory that the script writes.
const DIRECTORY: &str = "datafy-ec2";

pub(crate) async fn run(arguments: &Resolve, printer: &Printer) -> Result<Exit> {
    // Fails now, and not after the queries, if a run has the journal open.
    let journal = lock(&arguments.file)?;
    let calls: Vec<SentCall> = steps(&journal).map(|(_, step)| SentCall::from(&step)).collect();
    let queries = Query::of_all(&calls);
    let path = journal.path().to_owned();
    drop(journal);
    if queries.is_empty() {
        return settle(arguments, &Ec2Objects::new(now()), printer);
    }
    if let Some(directory) = &arguments.from {
        return settle(arguments, &read(directory, &queries)?, printer);
    }
    if !arguments.aws.run {
        printer.script(&script(arguments, &path, &queries));
        return Ok(Exit::Open);
    }
    let mut objects = Ec2Objects::new(now());
    for query in &queries {
        let output = arguments.aws.ask(query, printer).await;
        let output = output.map_err(|error| format!("nothing was settled: {error}"))?;
        objects.read(query, &output)?;
    }
    settle(arguments, &objects, printer)
}

/// Reads a journal, which no run can use until it is dropped. One that can't be written is only read.
fn lock(path: &Path) -> std::result::Result<Journal, JournalError> {
    match Journal::lock(path) {
        Err(JournalError::Io { .. }) => Journal::read(path),
        locked => locked,
    }
}

/// A script that asks EC2.
fn script(arguments: &Resolve, journal: &Path, queries: &[Query]) -> String {
    let journal = plain(&quoted(&journal.display().to_string())).into_owned();
    let mut script = format!(
        "#!/bin/sh\n\
         # Asks EC2 what unknown calls did. It only reads. Run it where the AWS CLI reaches the account and the region of\n\
         # the volumes, then run:\n\
         #   datafyctl journal resolve {journal} --from {DIRECTORY}\n\
         # To ask again, remove {DIRECTORY} first.\n\
         set -eu\n\
         mkdir {DIRECTORY}\n\
         date -u +%Y-%m-%dT%H:%M:%SZ > {DIRECTORY}/begun\n"
    );
    for (number, query) in (1..).zip(queries) {
        if let Some(id) = &query.sub_account {
            let _ = writeln!(script, "# In the AWS account of the sub-account {id}:");
        }
        let _ = writeln!(script, "{} > {DIRECTORY}/{number}.json", arguments.aws.line(query));
    }
    script
}

/// Reads what the script has written.
fn read(directory: &Path, queries: &[Query]) -> Result<Ec2Objects> {
    let path = directory.join("begun");
    let begun = fs::read_to_string(&path).map_err(|error| named(&path, error))?;
    let begun: DateTime<Utc> = begun.trim().parse().map_err(|error| named(&path, error))?;
    if begun > now() {
        return Err(named(&path, "the time is in the future").into());
    }
    let file = |number: usize| directory.join(format!("{number}.json"));
    let mut objects = Ec2Objects::new(begun);
    for (number, query) in (1..).zip(queries) {
        let path = file(number);
        let output = fs::read(&path).map_err(|error| named(&path, error))?;
        objects.read(query, &output).map_err(|error| named(&path, error))?;
    }
    let extra = file(1 + queries.len());
    if extra.exists() {
        return Err(named(&extra, "the journal has changed since; make a new script").into());
    }
    Ok(objects)
}

/// Settles what is certain, and prints what was found out.
fn settle(arguments: &Resolve, objects: &Ec2Objects, printer: &Printer) -> Result<Exit> {
    // Read again: calls that were begun while EC2 was asked may have created an object.
    let mut journal = lock(&arguments.file)?;
    let mut calls: Vec<SentCall> = steps(&journal).map(|(_, step)| SentCall::from(&step)).collect();
    let own: Vec<_> = steps(&journal).collect();
    calls.extend(others(arguments, &journal, printer)?);
    let mut settings = Settings::default();
    settings.longest_call = arguments.longest_call;
    settings.settling_time = arguments.settling_time;
    let findings = find_out(&calls, objects, &settings);
    let path = journal.path().display().to_string();
    for ((key, step), finding) in own.iter().zip(findings) {
        if !is_unknown(step) {
            continue;
        }
        let obstacle = match &finding {
            Finding::DidNotHappen | Finding::Happened { marked: false, .. }
                if !arguments.aws.only_creator =>
            {
                Some("not settled: that is certain only with --only-creator")
            }
            _ => None,
        };
        let settled = finding.settled().filter(|_| obstacle.is_none());
        let is_settled = settled.is_some();
        if let Some(found) = settled {
            journal.settle(key, step.operation, step.number, found)?;
        }
        let advice = obstacle.unwrap_or_else(|| advice(&finding));
        let mut text = format!("{key}: {}: {finding}", name(step));
        if !advice.is_empty() {
            let _ = write!(text, "; {advice}");
        }
        let json = json!({
            "event": "finding", "journal": path, "key": key, "operation": step.operation, "number": step.number,
            "finding": finding.to_string(), "settled": is_settled, "advice": advice,
        });
        printer.result(if is_settled { Tone::Good } else { Tone::Open }, &json, &text);
    }
    let unknown = unknown_steps(&journal);
    printer.note(&format!("{} unknown", counted(unknown, "step")));
    if unknown > 0 {
        printer.note(&format!(
            "settle the rest by hand: datafyctl journal settle {} KEY applied [ID] | not-applied",
            quoted(&path)
        ));
    }
    printer.check();
    Ok(if unknown > 0 { Exit::Open } else { Exit::Done })
}

/// The calls of other journals, which may explain objects.
fn others(arguments: &Resolve, journal: &Journal, printer: &Printer) -> Result<Vec<SentCall>> {
    let mut calls = Vec::new();
    let mut add = |other: &Journal| {
        if other.path() != journal.path() && other.endpoint() == journal.endpoint() {
            calls.extend(steps(other).map(|(_, step)| SentCall::from(&step)));
        }
    };
    for path in &arguments.also {
        add(&Journal::read(path)?);
    }
    let named: Vec<_> = arguments.also.iter().filter_map(|path| path.canonicalize().ok()).collect();
    for (path, _) in arguments.state.journals()? {
        if named.iter().any(|named| path.canonicalize().is_ok_and(|path| path == *named)) {
            continue;
        }
        match Journal::read(&path) {
            Ok(other) => add(&other),
            Err(error) => {
                printer.say(Tone::Open, &format!("not taken into account: {error:#}"));
            }
        }
    }
    Ok(calls)
}

/// What to do about a finding that settles nothing.
fn advice(finding: &Finding) -> &'static str {
    match finding {
        Finding::Ambiguous(_) => "decide which one it is, and settle it by hand",
        Finding::NotAttached | Finding::Partly { .. } => "the next run attaches it again",
        Finding::AttachedElsewhere { .. } => {
            "detach it there, or leave it: the next run can't attach it"
        }
        Finding::NoVolumes => "check the account and the region; the volume may have been deleted",
        Finding::NotYetSeen { .. } => "run this again then",
        _ => "",
    }
}
