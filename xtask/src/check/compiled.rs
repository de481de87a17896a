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
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// The fake's answer to an operation.
#[derive(Clone, Debug, Deserialize)]
pub struct Answered {
    pub operation: String,
    pub answer: Answer,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: String,
}

impl Compiled {
    /// Builds and runs the program in the workspace at `root`. The outer error is that cargo could not run;
    /// the inner one is that the code doesn't compile, or that the program fails.
    ///
    /// Cargo chooses the features by the packages, and the example adds those of the dev-dependencies. So they are nearly
    /// those of `cargo test --workspace`, and few dependencies are compiled twice. The package `datafy-api` itself would
    /// turn on `codegen`, and the committed code would not be compiled.
    pub fn load(root: &Path) -> Result<Result<Self, Box<Finding>>> {
        let built = cargo(root, "build")
            .args(["--quiet", "--color", "never", "--message-format=json-render-diagnostics"])
            .args(["--workspace", "--exclude", "datafy-api"])
            .args(["--bin", "facts", "--example", "lifecycle"])
            .output()
            .context("cargo")?;
        if !built.status.success() {
            return Ok(Err(Box::new(failure(&String::from_utf8_lossy(&built.stderr)))));
        }
        let messages = serde_json::Deserializer::from_slice(&built.stdout).into_iter::<Value>();
        let program = messages
            .flatten()
            .filter(|message| message["target"]["name"] == "facts")
            .find_map(|message| Some(message["executable"].as_str()?.to_owned()))
            .context("cargo built no program `facts`")?;
        let output = Command::new(program).current_dir(root).output().context("facts")?;
        if !output.status.success() {
            return Ok(Err(Box::new(failure(&String::from_utf8_lossy(&output.stderr)))));
        }
        serde_json::from_slice(&output.stdout).map(Ok).context("the program `facts`")
    }
}

/// The most errors of the compiler that are shown.
const MOST_ERRORS: usize = 12;

/// The finding for the errors of the compiler, or of the program. Errors in tests and examples come last: they follow
/// from those in what they use.
pub fn failure(stderr: &str) -> Finding {
    let mut lines = stderr.lines().peekable();
    let mut errors: Vec<(&str, String, u64)> = Vec::new();
    while let Some(line) = lines.next() {
        // `  --> file:line:column`
        let place = lines.peek().filter(|_| line.starts_with("error")).and_then(|place| {
            let mut parts = place.trim().strip_prefix("--> ")?.rsplitn(3, ':');
            let line = parts.nth(1)?.parse().ok()?;
            Some((parts.next()?.to_owned(), line))
        });
        errors.extend(place.map(|(file, number)| (line, file, number)));
    }
    errors.sort_by_key(|(_, file, line)| (file.starts_with("tests/"), file.clone(), *line));
    errors.dedup();
    let printed = || stderr.lines().find(|line| line.starts_with("error"));
    let first = errors.first().map(|(error, ..)| *error).or_else(printed);
    let first = first.or_else(|| stderr.lines().next()).unwrap_or("no error was printed");
    let compiler = !errors.is_empty() || stderr.contains("could not compile");
    let what = if compiler { "the code doesn't compile" } else { "the program `facts` failed" };
    let mut finding = Finding::new(Link::Compiled, first, format!("{what}: {first}"));
    for (error, file, line) in errors.iter().take(MOST_ERRORS) {
        finding = finding.at(file, Some(*line), *error);
    }
    let more = match errors.len().saturating_sub(MOST_ERRORS) {
        0 => String::new(),
        more => format!("; {more} more errors are not shown"),
    };
    finding.help(format!(
        "fix the errors and run this again: the links that need compiled code were not checked{more}"
    ))
}
