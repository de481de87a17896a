//! `datafyctl journal settle`: records what a person found out.

use crate::cli::EXIT_CODES;
use crate::exit::{Exit, Result};
use crate::journal::list::name;
use crate::journals::{counted, is_unknown, unknown_steps};
use crate::print::{Printer, Tone};
use clap::{Args, Subcommand};
use datafy_api_ext::journal::{Journal, Settled, Step};
use serde_json::json;
use std::path::PathBuf;

/// Record what you found out about a step that is unknown
///
/// A step that is settled as applied is skipped by the next run; one that is settled as not applied is repeated. Look in
/// EC2 first: `datafyctl journal resolve` says where.
#[derive(Args)]
#[command(after_long_help = help())]
pub(crate) struct Settle {
    /// The journal
    file: PathBuf,
    /// The key of the item, as `datafyctl journal list` shows it
    key: String,
    /// The operation of the step, if several steps of the item are unknown
    #[arg(long)]
    operation: Option<String>,
    /// The number of the step among those of this operation
    #[arg(long, value_name = "N", requires = "operation")]
    number: Option<u32>,
    #[command(subcommand)]
    found: Found,
}

/// What you found out
#[derive(Subcommand)]
enum Found {
    /// The service acted: the next run skips the step
    Applied {
        /// The ID of what was created: dsnap-.. or vol-.. as Datafy has it, not that of an EBS object
        id: Option<String>,
    },
    /// The service did not act: the next run repeats the step
    NotApplied,
}

fn help() -> String {
    format!(
        "Examples:
  datafyctl journal settle nightly-2026-01-01.jsonl vol-0b9176567fe16f0bc applied dsnap-0c1
  datafyctl journal settle recovery-2026-01-01.jsonl db-1 not-applied
  datafyctl journal settle recovery-2026-01-01.jsonl db-1 --operation attach_volume applied

{EXIT_CODES}"
    )
}

pub(crate) fn run(arguments: Settle, printer: &Printer) -> Result<Exit> {
    let Settle { file, key, operation, number, found } = arguments;
    let mut journal = Journal::read(&file)?;
    let (operation, number) = match operation {
        Some(operation) => (operation, number.unwrap_or(1)),
        None => only_unknown(&journal, &key)?,
    };
    let settled = match found {
        Found::Applied { id } => Settled::Applied { id },
        Found::NotApplied => Settled::NotApplied,
    };
    let text = match &settled {
        Settled::Applied { id: Some(id) } => format!("applied, created {id}"),
        Settled::Applied { id: None } => "applied".to_owned(),
        Settled::NotApplied => "not applied: the next run repeats it".to_owned(),
    };
    journal.settle(&key, &operation, number, settled)?;
    let unknown = unknown_steps(&journal);
    let json = json!({
        "event": "settled", "journal": file, "key": key, "operation": operation, "number": number, "unknown": unknown,
    });
    printer.result(Tone::Good, &json, &format!("{key}: {operation}: {text}"));
    printer.note(&format!("{} unknown", counted(unknown, "step")));
    printer.check();
    Ok(Exit::Done)
}

/// The step of an item that is unknown, if there is one only.
fn only_unknown(journal: &Journal, key: &str) -> Result<(String, u32)> {
    let entry = journal.entry(key).ok_or_else(|| {
        format!("the journal has no item {key:?}; `datafyctl journal list` shows the keys")
    })?;
    let unknown: Vec<&Step> = entry.steps.iter().filter(|step| is_unknown(step)).collect();
    match unknown[..] {
        [step] => Ok((step.operation.to_owned(), step.number)),
        [] => Err(format!("{key:?}: nothing is unknown").into()),
        _ => {
            let names: Vec<_> = unknown.into_iter().map(name).collect();
            let text = format!(
                "{key:?}: several steps are unknown; pass --operation: {}",
                names.join(", ")
            );
            Err(text.into())
        }
    }
}
