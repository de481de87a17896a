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
    /// The generated table.
    pub operations: Vec<Value>,
    /// The JSON Schemas of the generated types, by their names.
    pub schemas: BTreeMap<String, Value>,
    pub exchanges: Vec<Exchange>,
}

/// A request that a builder sent, and the fake's answer to it.
#[derive(Clone, Debug, Deserialize)]
pub struct Exchange {
    /// The name of the operation whose facts decide on retries.
    pub made: String,
    pub request: Request,
    pub answer: Answer,
    /// What a call returns for the answer, as JSON.
    pub mapped: Value,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
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
    pub fn load(root: &Path) -> Result<Result<Self, Box<Finding>>> {
        let mut build = cargo(root, "build");
        build.args("--workspace --exclude datafy-api --bin facts --example lifecycle".split(' '));
        let messages = match messages(build)? {
            Ok(messages) => messages,
            Err(finding) => return Ok(Err(finding)),
        };
        let mut programs = messages.iter().filter(|message| message["target"]["name"] == "facts");
        let program = programs.find_map(|message| message["executable"].as_str());
        let program = program.context("cargo built no program `facts`")?;
        let output = Command::new(program).current_dir(root).output().context("facts")?;
        if !output.status.success() {
            return Ok(Err(failure("the program `facts`", &[], &output.stderr)));
        }
        serde_json::from_slice(&output.stdout).map(Ok).context("the program `facts`")
    }
}

/// Compiles everything else in the workspace at `root`: tests, examples and benches, with the features of the lints, so
/// that their dependencies are compiled already.
pub fn everything(root: &Path) -> Result<Option<Box<Finding>>> {
    let mut check = cargo(root, "check");
    check.args(["--workspace", "--all-targets", "--all-features"]);
    Ok(messages(check)?.err())
}

/// The messages of cargo, or what doesn't compile.
fn messages(mut cargo: Command) -> Result<Result<Vec<Value>, Box<Finding>>> {
    let output = cargo.args(["--quiet", "--message-format=json"]).output().context("cargo")?;
    let messages = serde_json::Deserializer::from_slice(&output.stdout).into_iter().flatten();
    let messages: Vec<Value> = messages.collect();
    let failed = || failure("the compiler", &messages, &output.stderr);
    Ok(if output.status.success() { Ok(messages) } else { Err(failed()) })
}

/// The finding about a program that failed: the errors among the messages of cargo, as rustc renders them, or what was
/// printed.
pub fn failure(program: &str, messages: &[Value], stderr: &[u8]) -> Box<Finding> {
    let mut finding = Finding::new(Link::Compiled, program, format!("{program} failed"));
    for error in messages.iter().map(|it| &it["message"]).filter(|it| it["level"] == "error") {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let rendered = text(&error["rendered"]);
        let mut spans = error["spans"].as_array().into_iter().flatten();
        // Several targets may share a file.
        if let Some(span) = spans.find(|span| span["is_primary"] == true)
            && !finding.printed.contains(&rendered)
        {
            let (file, line) = (text(&span["file_name"]), span["line_start"].as_u64());
            finding = finding.at(&file, line, text(&error["message"]));
            finding.printed += &rendered;
        }
    }
    if finding.printed.is_empty() {
        finding.printed = String::from_utf8_lossy(stderr).into_owned();
    }
    let help = "fix it and run this again: the links that need compiled code were not checked";
    Box::new(finding.help(help))
}
