//! The facts that only compiled code knows, printed by the program `facts` of the package in `tests`.

use crate::cargo::cargo;
use crate::report::{Finding, Link};
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What the program prints.
#[derive(Clone, Debug, Deserialize)]
pub struct Compiled {
    pub server: String,
    pub operations: Vec<Operation>,
    /// The JSON Schemas of the generated types, by their names.
    pub schemas: BTreeMap<String, Value>,
    pub requests: Vec<Request>,
    pub answers: Vec<Answered>,
}

/// A row of the generated table.
#[derive(Clone, Debug, Deserialize)]
pub struct Operation {
    pub name: String,
    pub method: String,
    pub path: String,
    pub idempotent: bool,
}

/// A request that a builder sent.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    pub operation: String,
    /// The operation whose facts decide on retries.
    pub made: String,
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// The fake's answer to an operation.
#[derive(Clone, Debug, Deserialize)]
pub struct Answered {
    pub operation: String,
    pub answer: Answer,
    /// What a call returns for it, as JSON.
    pub mapped: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: String,
}

impl Compiled {
    /// Builds and runs the program in the workspace at `root`. The outer error is that cargo could not run; the inner
    /// one is that the code doesn't compile, or that the program fails.
    ///
    /// Cargo chooses the features by the packages, and the example adds those of the dev-dependencies. So they are nearly
    /// those of `cargo test --workspace`, and few dependencies are compiled twice. The package `datafy-api` itself would
    /// turn on `codegen`, and the committed code would not be compiled.
    pub fn load(root: &Path) -> Result<Result<Self, Vec<Finding>>> {
        let mut build = cargo(root, "build");
        build.args([
            "--workspace",
            "--exclude",
            "datafy-api",
            "--bin",
            "facts",
            "--example",
            "lifecycle",
        ]);
        let messages = match messages(build)? {
            Ok(messages) => messages,
            Err(findings) => return Ok(Err(findings)),
        };
        let mut programs = messages.iter().filter(|message| message["target"]["name"] == "facts");
        let program = programs.find_map(|message| message["executable"].as_str());
        let program = program.context("cargo built no program `facts`")?;
        let output = Command::new(program).current_dir(root).output().context("facts")?;
        if !output.status.success() {
            return Ok(Err(vec![failed(&String::from_utf8_lossy(&output.stderr))]));
        }
        serde_json::from_slice(&output.stdout).map(Ok).context("the program `facts`")
    }
}

/// Compiles everything else in the workspace at `root`: tests, examples and benches, with the features of the lints, so
/// that their dependencies are compiled already.
pub fn everything(root: &Path) -> Result<Vec<Finding>> {
    let mut check = cargo(root, "check");
    check.args(["--workspace", "--all-targets", "--all-features"]);
    Ok(messages(check)?.err().unwrap_or_default())
}

/// The messages of cargo, or the errors of the compiler.
fn messages(mut cargo: Command) -> Result<Result<Vec<Value>, Vec<Finding>>> {
    let output = cargo.args(["--quiet", "--message-format=json"]).output().context("cargo")?;
    let messages = serde_json::Deserializer::from_slice(&output.stdout).into_iter().flatten();
    let messages: Vec<Value> = messages.collect();
    if output.status.success() {
        return Ok(Ok(messages));
    }
    Ok(Err(errors(&messages, &String::from_utf8_lossy(&output.stderr))))
}

/// The most errors of the compiler that are shown.
const MOST_ERRORS: usize = 12;

/// The errors of the compiler as findings. Those in tests and examples come last: they follow from those in what they
/// use.
pub fn errors(messages: &[Value], stderr: &str) -> Vec<Finding> {
    let mut errors: Vec<(bool, String, u64, &Value)> = Vec::new();
    for message in messages.iter().map(|message| &message["message"]) {
        let mut spans = message["spans"].as_array().into_iter().flatten();
        let Some(span) =
            spans.find(|span| span["is_primary"] == true && message["level"] == "error")
        else {
            continue;
        };
        let file = span["file_name"].as_str().unwrap_or_default().to_owned();
        let follows =
            ["tests/", "datafy-api-ext/examples/"].iter().any(|folder| file.starts_with(folder));
        errors.push((follows, file, span["line_start"].as_u64().unwrap_or_default(), message));
    }
    errors.sort_by(|one, other| (one.0, &one.1, one.2).cmp(&(other.0, &other.1, other.2)));
    // Several targets may share a file.
    errors.dedup_by(|one, other| one.3["rendered"] == other.3["rendered"]);
    let more = match errors.len().saturating_sub(MOST_ERRORS) {
        0 => String::new(),
        more => format!("; {more} more errors are not shown"),
    };
    let help = format!(
        "fix the errors and run this again: links that need this code were not checked{more}"
    );
    let findings = errors.iter().take(MOST_ERRORS).map(|(_, file, line, message)| {
        let text = message["message"].as_str().unwrap_or_default();
        let mut finding = Finding::new(
            Link::Compiled,
            format!("{file} {text}"),
            format!("the code doesn't compile: {text}"),
        );
        finding.printed.push_str(message["rendered"].as_str().unwrap_or_default());
        finding.at(file, Some(*line), "here").help(&*help)
    });
    let findings: Vec<Finding> = findings.collect();
    if findings.is_empty() { vec![other(stderr, "cargo failed", &help)] } else { findings }
}

/// The finding about the program, which may have panicked.
pub fn failed(stderr: &str) -> Finding {
    let help = "fix it and run this again: the links that need compiled code were not checked";
    other(stderr, "the program `facts` failed", help)
}

fn other(stderr: &str, what: &str, help: &str) -> Finding {
    // A panic says where, and why on the line after.
    let says = |line: &&str| {
        !line.trim().is_empty() && !line.starts_with("thread '") && !line.starts_with("note: ")
    };
    let first = stderr.lines().find(says).unwrap_or("nothing was printed");
    let mut finding = Finding::new(Link::Compiled, first, format!("{what}: {first}"));
    finding.printed.push_str(stderr);
    finding.help(help)
}
