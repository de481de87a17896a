//! The spec and the generated code: the committed text, and the compiled table of operations.

use super::Checked;
use super::compiled::Compiled;
use crate::document::{Pointer, Spec};
use crate::files::{GENERATED, SPEC};
use crate::generate::try_client;
use crate::report::{Finding, Link};
use heck::ToSnakeCase;
use serde_json::{Value, json};

/// Compares the committed client with what the spec describes.
pub fn check(spec: &Spec, committed: &str) -> Checked {
    let finding = match try_client(&spec.text) {
        Ok(generated) => stale(GENERATED, committed, &generated),
        Err(refusal) => {
            let pointer = refusal.pointer.as_deref().unwrap_or("");
            let what = format!("#{pointer} {}", refusal.problem);
            let finding = Finding::new(Link::Spec, what, &*refusal.problem).help(refusal.remedy);
            Some(finding.at(SPEC, refusal.line, "the generator refuses this"))
        }
    };
    let lines = committed.lines().count();
    (finding.into_iter().collect(), format!("compared {GENERATED}: {lines} lines"))
}

/// Compares a committed file with what the spec describes.
pub fn stale(file: &str, committed: &str, described: &str) -> Option<Finding> {
    if committed == described {
        return None;
    }
    let same = committed.lines().zip(described.lines()).take_while(|(own, new)| own == new).count();
    let title = format!("{file} is not what {SPEC} describes");
    let finding = Finding::new(Link::Generated, format!("{file} stale"), title);
    let help = "run `cargo xtask generate`; with `--check`, it prints the difference";
    Some(finding.at(file, Some(same as u64 + 1), "the first difference").help(help))
}

/// Compares the compiled server and table of operations with the spec.
pub fn compiled(spec: &Spec, compiled: &Compiled) -> Checked {
    let row = |place: &Pointer| {
        let (method, path) = place.method_and_path()?;
        let idempotent = spec.of_operation(place, "x-idempotent");
        let name = method_name(spec, place);
        Some(json!({ "name": name, "method": method, "path": path, "idempotent": idempotent }))
    };
    let server = spec.value().pointer("/servers/0/url").cloned().unwrap_or_default();
    let described: Vec<Value> = spec.facts.operations().filter_map(row).chain([server]).collect();
    let server = Value::from(&*compiled.server);
    let table: Vec<Value> = compiled.operations.iter().cloned().chain([server]).collect();
    let only = |side: &str, one: &[Value], other: &[Value]| -> Vec<Finding> {
        let rows = one.iter().filter(|row| !other.contains(row));
        let find = |row| {
            let title = format!("only {side} has {row}");
            Finding::new(Link::Generated, &title, &*title)
                .at(SPEC, spec.line("/paths"), "the spec")
                .help("run `cargo xtask generate`; the compiled client is that of another spec")
        };
        rows.map(find).collect()
    };
    let mut findings = only("the spec", &described, &table);
    findings.extend(only("the compiled client", &table, &described));
    (findings, format!("compared the compiled table of {} operations", compiled.operations.len()))
}

/// The name of the generated method of an operation.
pub fn method_name(spec: &Spec, place: &Pointer) -> Option<String> {
    spec.operation_id(place).map(ToSnakeCase::to_snake_case)
}
