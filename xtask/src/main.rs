//! `cargo xtask`: keeps the links of the chain equal, from the vendor's page to the bytes sent.

#[cfg(test)]
mod codegen_tests;
mod generate;

#[path = "../../datafy-api/codegen.rs"]
mod codegen;

use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the client that openapi.yaml describes to datafy-api/src/generated.rs
    Generate {
        /// Write nothing; say whether the file is what would be written
        #[arg(long)]
        check: bool,
    },
}

/// How a command ended, and the exit code that says so.
enum Ending {
    /// All is equal: 0.
    Equal,
    /// Something has drifted, and was reported: 1.
    Drift,
    /// It could not be found out: 2.
    CouldNotCheck(String),
}

fn main() -> ExitCode {
    let ending = match Arguments::parse().command {
        Command::Generate { check } => generate::run(&root(), check),
    };
    match ending {
        Ending::Equal => ExitCode::SUCCESS,
        Ending::Drift => ExitCode::from(1),
        Ending::CouldNotCheck(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
