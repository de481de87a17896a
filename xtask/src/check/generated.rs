//! The spec and the generated code: the committed text, and the compiled table of operations.

use super::Checked;
use super::compiled::Compiled;
use crate::codegen;
use crate::document::{Pointer, Spec};
use crate::files::{GENERATED, SPEC};
use crate::generate::stale;
use crate::report::{Finding, Link};
use heck::ToSnakeCase;
use serde_json::{Value, json};

/// Compares the committed client with what the spec describes.
pub fn check(spec: &Spec, committed: &str) -> Checked {
    let finding = match codegen::generate(&spec.text) {
        Ok(generated) => stale(GENERATED, committed, &generated),
        Err(refusal) => {
            let pointer = &refusal.pointer;
            let (problem, remedy) = refusal.text.split_once("; ").unwrap_or((&refusal.text, ""));
            let what = format!("#{pointer} {problem}");
            let finding = Finding::new(Link::Spec, what, problem).help(remedy);
            Some(finding.at(SPEC, refusal.line, "the generator refuses this"))
        }
    };
    let lines = committed.lines().count();
    (finding.into_iter().collect(), format!("compared {GENERATED}: {lines} lines"))
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
    let rows = described.iter().chain(&table);
    let findings = rows.filter(|row| !described.contains(row) || !table.contains(row)).map(|row| {
        let side = if table.contains(row) { "the compiled client" } else { "the spec" };
        let title = format!("only {side} has {row}");
        Finding::new(Link::Generated, &title, &*title)
            .at(SPEC, spec.line("/paths"), "the spec")
            .help("run `cargo xtask generate`; the compiled client is that of another spec")
    });
    let compared =
        format!("compared the compiled table of {} operations", compiled.operations.len());
    (findings.collect(), compared)
}

/// The name of the generated method of an operation.
pub fn method_name(spec: &Spec, place: &Pointer) -> Option<String> {
    spec.operation_id(place).map(ToSnakeCase::to_snake_case)
}
