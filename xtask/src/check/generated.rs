//! The spec and the generated code: the committed text, and the compiled table of operations.

use super::Checked;
use super::compiled::Compiled;
use crate::codegen::Refusal;
use crate::document::{Pointer, Spec};
use crate::files::{GENERATED, SPEC};
use crate::generate::try_client;
use crate::report::{Finding, Link};
use heck::ToSnakeCase;
use serde_json::Value;

/// Compares the committed client with what the spec describes.
pub fn check(spec: &Spec, committed: &str) -> Checked {
    let finding = match try_client(&spec.text) {
        Ok(generated) => stale(GENERATED, committed, &generated),
        Err(refusal) => Some(refused(&refusal)),
    };
    let lines = committed.lines().count();
    (finding.into_iter().collect(), format!("compared {GENERATED}: {lines} lines"))
}

/// Compares the compiled table of operations with the spec.
pub fn compiled(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut findings = Vec::new();
    let mut find = |what: String, title: String, line| {
        let help = "run `cargo xtask generate`; the compiled client is that of another spec";
        findings
            .push(Finding::new(Link::Generated, what, title).at(SPEC, line, "the spec").help(help));
    };
    let server = spec.value().pointer("/servers/0/url").and_then(Value::as_str);
    if server != Some(&compiled.server) {
        let title = format!("the compiled client's server is {}", compiled.server);
        find("server".to_owned(), title, spec.line("/servers/0/url"));
    }
    let mut names = Vec::new();
    for place in spec.facts.operations() {
        let Some((method, path)) = place.method_and_path() else { continue };
        let Some(name) = method_name(spec, place) else { continue };
        let found = compiled.operations.iter().find(|operation| operation.name == name);
        let same = found.is_some_and(|found| {
            found.method == method
                && found.path == path
                && spec.of_operation(place, "x-idempotent") == Some(&found.idempotent.into())
        });
        if !same {
            let title = format!("the compiled client's `{name}` is not {place}");
            find(format!("{place} table"), title, spec.line_of(place));
        }
        names.push(name);
    }
    for other in compiled.operations.iter().filter(|operation| !names.contains(&operation.name)) {
        let title = format!("the compiled client has `{}`, and the spec doesn't", other.name);
        find(format!("{} table", other.name), title, spec.line("/paths"));
    }
    (findings, format!("compared the compiled table of {} operations", compiled.operations.len()))
}

/// The name of the generated method of an operation.
pub fn method_name(spec: &Spec, place: &Pointer) -> Option<String> {
    spec.operation_id(place).map(ToSnakeCase::to_snake_case)
}

/// Compares a committed file with what the spec describes.
pub fn stale(file: &str, committed: &str, described: &str) -> Option<Finding> {
    if committed == described {
        return None;
    }
    let differs = committed.lines().zip(described.lines()).position(|(own, new)| own != new);
    let line = differs.unwrap_or_else(|| committed.lines().count().min(described.lines().count()));
    let title = format!("{file} is not what {SPEC} describes");
    let finding = Finding::new(Link::Generated, format!("{file} stale"), title);
    let help = "run `cargo xtask generate`; with `--check`, it prints the difference";
    Some(finding.at(file, Some(line as u64 + 1), "the first difference").help(help))
}

fn refused(refusal: &Refusal) -> Finding {
    let pointer = refusal.pointer.as_deref().unwrap_or("");
    Finding::new(Link::Spec, format!("#{pointer} {}", refusal.problem), &*refusal.problem)
        .at(SPEC, refusal.line, "the generator refuses this")
        .help(refusal.remedy)
}
