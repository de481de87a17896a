//! `cargo xtask`: see `--help`.

use clap::{Parser, Subcommand};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use xtask::report::{Ending, Format};
use xtask::{api, check, docs, generate};

/// Exit code 0: all is equal. 1: something has drifted. 2: it could not be found out.
#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tells how the public API of the crates differs from the listings in xtask/api
    Api {
        /// Write the listings anew
        #[arg(long)]
        write: bool,
    },
    /// Writes the client that openapi.yaml describes to datafy-api/src/generated.rs, and a copy of the spec beside it
    Generate {
        /// Write nothing; report whether the files are what would be written
        #[arg(long)]
        check: bool,
    },
    /// Proves that spec, page record, generated code, builders and fake have not drifted apart
    Check {
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Tells what the vendor's page says otherwise than openapi.yaml, and the edits that follow
    Docs {
        /// A file, an http(s) URL, or `-` for standard input: the Markdown of the page, or a copy of its
        /// text
        page: String,
        /// Store the facts of the page in xtask/page.json
        #[arg(long)]
        record: bool,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

fn main() -> ExitCode {
    if let Some(code) = api::rustdoc::stand_in() {
        return code;
    }
    let root = xtask::root();
    let (report, format) = match Arguments::parse().command {
        Command::Api { write } => return end(api::run(&root, write)),
        Command::Generate { check } => return end(generate::run(&root, check)),
        Command::Check { format } => (check::run(&root), format),
        Command::Docs { page, record, format } => (docs::run(&root, &page, record), format),
    };
    let mut out = io::stdout().lock();
    let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // Whoever reads it may stop reading.
    let _ = out.write_all(report.render(format, colour).as_bytes());
    ExitCode::from(report.ending.code())
}

/// The end of a command that prints what it finds itself.
fn end(result: Result<Ending, String>) -> ExitCode {
    let ending = result.unwrap_or_else(|problem| {
        eprintln!("error: {problem}");
        Ending::CouldNotCheck
    });
    ExitCode::from(ending.code())
}
