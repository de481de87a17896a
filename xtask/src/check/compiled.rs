//! What only compiled code knows, as the program `facts` of the workspace's tests prints it.

use crate::cargo::cargo;
use crate::finding::{Finding, Link};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Its answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Compiled {
    pub server: String,
    pub operations: Vec<Operation>,
    /// JSON Schemas by the names of the generated types.
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

/// What the fake answered to the request of an operation.
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
    /// Builds and runs the program in the workspace at `root`. The outer error says why that couldn't
    /// be tried; the inner one is that the code doesn't compile, or ends in an error.
    pub fn load(root: &Path) -> Result<Result<Self, Box<Finding>>, String> {
        let output = cargo(root, "run")
            .args(["--quiet", "--color", "never", "--package", "datafy-tests", "--bin", "facts"])
            .output()
            .map_err(|error| format!("cargo: {error}"))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Ok(Err(Box::new(failure(&errors))));
        }
        Self::parse(&output.stdout).map(Ok).map_err(|error| format!("the program `facts`: {error}"))
    }

    pub fn parse(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }
}

/// The first error of the compiler, or of the program.
pub fn failure(errors: &str) -> Finding {
    let mut lines = errors.lines().skip_while(|line| !line.starts_with("error"));
    let first = lines.next().or_else(|| errors.lines().next()).unwrap_or("no error was printed");
    // `  --> file:line:column`
    let place = lines.next().and_then(|line| {
        let mut parts = line.trim().strip_prefix("--> ")?.rsplitn(3, ':');
        let line = parts.nth(1)?.parse().ok()?;
        Some((parts.next()?.to_owned(), line))
    });
    let compiler = place.is_some() || errors.contains("could not compile");
    let what = if compiler { "the code doesn't compile" } else { "the program `facts` failed" };
    let finding = Finding::new(Link::Compiled, first, format!("{what}: {first}"));
    let finding = match place {
        Some((file, line)) => finding.at(&file, Some(line), "the first error"),
        None => finding,
    };
    finding.help(
        "mend it, and run this again: what is compiled could not be checked. \
         `cargo run --package datafy-tests --bin facts` prints all errors",
    )
}
