//! `datafyctl`: the Datafy API for the person on call, and for cron.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "doc comments are help texts, which clap shows as they are"
)]

mod attach;
mod aws;
mod check;
mod cli;
mod client;
mod completions;
mod deactivate;
mod exit;
mod fake;
mod items;
mod journal;
mod journals;
mod plain;
mod print;
mod restore;
mod run;
mod signals;
mod snapshot;

use clap::Parser;
use cli::{Cli, Command};
use exit::{Exit, Result};
use journal::JournalCommand;
use print::Printer;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let printer = Printer::new(cli.json);
    match run(cli.command, &printer).await {
        Ok(exit) => exit.into(),
        Err(error) => {
            printer.error(&format!("{error:#}"));
            Exit::Unusable.into()
        }
    }
}

async fn run(command: Command, printer: &Printer) -> Result<Exit> {
    match command {
        Command::Snapshot(arguments) => snapshot::run(arguments, printer).await,
        Command::Restore(arguments) => restore::run(arguments, printer).await,
        Command::Attach(arguments) => attach::run(arguments, printer).await,
        Command::Deactivate(arguments) => deactivate::run(arguments, printer).await,
        Command::Journal(JournalCommand::List(arguments)) => {
            journal::list::run(&arguments, printer)
        }
        Command::Journal(JournalCommand::Settle(arguments)) => {
            journal::settle::run(arguments, printer)
        }
        Command::Journal(JournalCommand::Resolve(arguments)) => {
            journal::resolve::run(&arguments, printer).await
        }
        Command::Check(arguments) => check::run(arguments, printer).await,
        Command::Fake(arguments) => fake::run(arguments, printer).await,
        Command::Completions(arguments) => completions::run(&arguments, printer),
    }
}
