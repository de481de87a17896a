//! `cargo xtask`; see `--help`.

use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::process::ExitCode;
use xtask::report::{Format, Report};
use xtask::{api, check, docs, files, generate};

/// Keeps the vendor's page, openapi.yaml, the generated client and the builders equal.
///
/// Exit codes: 0 if all is equal, 1 if something differs, 2 if it could not be checked.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare the public API of the crates with the listings in xtask/api
    Api {
        /// Write the listings instead of comparing them
        #[arg(long)]
        write: bool,
    },
    /// Write the client that openapi.yaml describes, and a copy of the spec, to datafy-api
    Generate,
    /// Compare openapi.yaml with the recorded page, the generated code, the builders and the fake
    Check {
        /// How to print the findings
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Compare openapi.yaml with the vendor's page, and print the YAML of what is new there
    Docs {
        /// The page's Markdown or copied text: a file, an http(s) URL, or `-` for standard input
        page: String,
        /// Store the page in xtask/page.yaml, without its sentences
        #[arg(long)]
        record: bool,
        /// How to print the findings
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

fn main() -> ExitCode {
    let root = files::root();
    let (command, result, format) = match Arguments::parse().command {
        Command::Api { write } => ("api", api::run(&root, write), Format::Text),
        Command::Generate => ("generate", generate::run(&root), Format::Text),
        Command::Check { format } => ("check", check::run(&root), format),
        Command::Docs { page, record, format } => {
            ("docs", Ok(docs::run(&root, &page, record)), format)
        }
    };
    let report = result.unwrap_or_else(|error| Report::could_not_check(command, &error));
    // A closed pipe is no error: the reader has seen enough.
    let _ = io::stdout().write_all(report.render(format).as_bytes());
    ExitCode::from(report.ending as u8)
}
