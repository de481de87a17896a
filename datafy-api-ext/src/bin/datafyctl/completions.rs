//! `datafyctl completions`: completions for a shell.

use crate::cli::Cli;
use crate::exit::{Exit, Result};
use crate::print::Printer;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print completions for a shell
#[derive(Args)]
#[command(
    after_help = "Example:\n  datafyctl completions bash > ~/.local/share/bash-completion/completions/datafyctl"
)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Completions, printer: &Printer) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "datafyctl", &mut script);
    printer.script(&String::from_utf8(script)?);
    Ok(Exit::Done)
}
