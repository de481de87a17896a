//! What only compiled code knows, as the program `facts` of the workspace's tests prints it.

use crate::cargo::cargo;
use crate::finding::{Finding, Link};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Its answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Compiled {
    pub(crate) server: String,
    pub(crate) operations: Vec<Operation>,
    /// JSON Schemas by the names of the generated types.
    pub(crate) schemas: BTreeMap<String, Value>,
    pub(crate) requests: Vec<Request>,
    pub(crate) answers: Vec<Answered>,
}

/// A row of the generated table.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) idempotent: bool,
}

/// A request that a builder sent.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What the fake answered to the request of an operation.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Answered {
    pub(crate) operation: String,
    pub(crate) answer: Answer,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: String,
}

impl Compiled {
    /// Builds and runs the program in the workspace at `root`. The outer error says why that couldn't
    /// be tried; the inner one is that the code doesn't compile, or ends in an error.
    pub(crate) fn load(root: &Path) -> Result<Result<Self, Box<Finding>>, String> {
        // Each build puts its program in the same place.
        #[cfg(test)]
        let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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

    pub(crate) fn parse(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }
}

#[cfg(test)]
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// The first error of the compiler, or of the program.
fn failure(errors: &str) -> Finding {
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

#[cfg(test)]
mod tests {
    use super::failure;

    #[test]
    fn the_first_error_of_the_compiler_is_named_with_its_place() {
        let finding = failure(
            "warning: unused\n  --> a.rs:1:2\nerror[E0609]: no field `x` on type `Y`\n   \
             --> datafy-api-ext/src/create_snapshot.rs:27:29\n   |\nerror: aborting",
        );
        assert_eq!(
            finding.title,
            "the code doesn't compile: error[E0609]: no field `x` on type `Y`"
        );
        let spot = &finding.spots[0];
        assert_eq!(spot.file, "datafy-api-ext/src/create_snapshot.rs");
        assert_eq!(spot.line, Some(27));
        assert!(failure("").title.contains("no error was printed"));
        let title = failure("Error: \"nothing drives x\"").title;
        assert_eq!(title, "the program `facts` failed: Error: \"nothing drives x\"");
    }
}
