//! `datafyctl journal list`: what was done, and what is open.

use crate::cli::EXIT_CODES;
use crate::exit::{Exit, Result};
use crate::journals::{State, counted, is_unknown, steps as steps_of, unknown_steps};
use crate::plain::quoted;
use crate::print::{Printer, Tone};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use datafy_api_ext::Untrusted;
use datafy_api_ext::journal::{Journal, Step};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// List what journals say, also of a run in progress
///
/// Exits with 3 if something is unknown.
#[derive(Args)]
#[command(after_long_help = help())]
pub(crate) struct List {
    /// The journals [default: a summary of those in the state directory]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only the steps that are unknown
    #[arg(long, requires = "files")]
    unknown: bool,
    /// Only the volumes that were created and not attached, which are billed
    #[arg(long, requires = "files", conflicts_with = "unknown")]
    orphans: bool,
    #[command(flatten)]
    state: State,
}

fn help() -> String {
    format!(
        "Examples:
  datafyctl journal list                            # the journals in the state directory
  datafyctl journal list nightly-2026-01-01.jsonl   # the steps of a journal
  datafyctl journal list *.jsonl --unknown          # what must be found out
  datafyctl journal list *.jsonl --orphans          # what is billed and not attached

{EXIT_CODES}"
    )
}

pub(crate) fn run(arguments: &List, printer: &Printer) -> Result<Exit> {
    if arguments.files.is_empty() {
        return summary(&arguments.state, printer);
    }
    let mut unknown = 0;
    for path in &arguments.files {
        let journal = Journal::read(path)?;
        if arguments.orphans {
            orphans(&journal, printer);
        } else {
            steps(&journal, arguments.unknown, printer);
        }
        unknown += unknown_steps(&journal);
    }
    printer.check();
    Ok(if unknown > 0 { Exit::Open } else { Exit::Done })
}

/// A line for each journal in the state directory.
fn summary(state: &State, printer: &Printer) -> Result<Exit> {
    let (mut rows, mut open) = (Vec::new(), 0);
    for (path, is_finished) in state.journals()? {
        let journal = match Journal::read(&path) {
            Ok(journal) => journal,
            Err(error) => {
                printer.error(&format!("{error:#}"));
                open += 1;
                continue;
            }
        };
        let (items, unknown) = (journal.entries().len(), unknown_steps(&journal));
        let unattached = journal.unattached().len();
        open += unknown;
        let state = if is_finished { "finished" } else { "unfinished" };
        if printer.json {
            printer.json(&json!({
                "event": "journal", "journal": path, "state": state, "operation": journal.operation(),
                "endpoint": journal.endpoint(), "job": journal.job(), "items": items,
                "unknown": unknown, "unattached": unattached,
            }));
        }
        rows.push([
            path.display().to_string(),
            state.to_owned(),
            journal.operation().to_string(),
            journal.endpoint().to_string(),
            items.to_string(),
            unknown.to_string(),
            unattached.to_string(),
        ]);
    }
    if rows.is_empty() {
        printer.note(&format!("there is no journal in {}", state.directory()?.display()));
    } else if !printer.json {
        let headings =
            ["JOURNAL", "STATE", "OPERATION", "ENDPOINT", "ITEMS", "UNKNOWN", "UNATTACHED"];
        printer.table(headings, rows);
    }
    printer.check();
    Ok(if open > 0 { Exit::Open } else { Exit::Done })
}

/// A line for each step.
fn steps(journal: &Journal, only_unknown: bool, printer: &Printer) {
    let path = journal.path();
    let mut rows = Vec::new();
    for (key, step) in steps_of(journal).filter(|(_, step)| !only_unknown || is_unknown(step)) {
        if printer.json {
            printer.json(&json_of(path, &key, &step));
        } else {
            rows.push(row(&key, &step));
        }
    }
    heading(journal, printer);
    printer.table(["BEGUN", "KEY", "STEP", "STATE", "CREATED", "ABOUT", "MARKER"], rows);
    let (unknown, unattached) = (unknown_steps(journal), journal.unattached().len());
    let items = journal.entries().len();
    let tone = if unknown + unattached > 0 { Tone::Open } else { Tone::Quiet };
    let text = format!(
        "{}, {} unknown, {} unattached",
        counted(items, "item"),
        counted(unknown, "step"),
        counted(unattached, "volume")
    );
    printer.say(tone, &text);
    if unknown > 0 {
        let path = quoted(&path.display().to_string());
        printer.note(&format!("find out: datafyctl journal resolve {path} --run-aws"));
    }
}

fn heading(journal: &Journal, printer: &Printer) {
    let mut text =
        format!("{}: {} at {}", journal.path().display(), journal.operation(), journal.endpoint());
    let facts = [
        ("job", journal.job()),
        ("sub-account", journal.sub_account()),
        ("account", journal.account()),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            let _ = write!(text, ", {name} {fact}");
        }
    }
    printer.note(&text);
}

fn row(key: &Untrusted, step: &Step) -> [String; 7] {
    [
        time(step.begun),
        key.to_string(),
        name(step),
        state(step),
        text(step.created_id.as_ref()),
        step.subject.to_string(),
        text(step.marker.as_ref()),
    ]
}

fn text(fact: Option<&Untrusted>) -> String {
    fact.map(ToString::to_string).unwrap_or_default()
}

/// The operation of a step, with its number unless it is the first.
pub(super) fn name(step: &Step) -> String {
    match step.number {
        1 => step.operation.to_owned(),
        number => format!("{} #{number}", step.operation),
    }
}

fn state(step: &Step) -> String {
    if is_unknown(step) {
        return "unknown".to_owned();
    }
    let state = json!(step.state);
    state.as_str().unwrap_or_default().replace('_', " ")
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn json_of(path: &Path, key: &Untrusted, step: &Step) -> Value {
    let mut json = json!(step);
    json["event"] = "step".into();
    json["journal"] = json!(path);
    json["key"] = json!(key.as_str());
    json["unknown"] = is_unknown(step).into();
    json
}

/// A line for each volume that was created and not attached.
fn orphans(journal: &Journal, printer: &Printer) {
    let mut rows = Vec::new();
    for (key, volume) in journal.unattached() {
        if printer.json {
            let path = journal.path();
            printer
                .json(&json!({ "event": "orphan", "journal": path, "key": key, "volume": volume }));
        } else {
            rows.push([volume.to_string(), key]);
        }
    }
    heading(journal, printer);
    if rows.is_empty() {
        if journal.unattached().is_empty() {
            printer.say(Tone::Quiet, "no volume is unattached");
        }
        return;
    }
    printer.table(["VOLUME", "KEY"], rows);
    printer.note(
        "attach one: the same command with --resume, or datafyctl attach VOLUME INSTANCE DEVICE",
    );
    printer.note(
        "delete one that nobody needs: its EBS volumes have the tag datafy:source-volume:id=VOLUME; delete each with \
         aws ec2 delete-volume --volume-id",
    );
}
