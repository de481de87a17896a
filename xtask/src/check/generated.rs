//! Spec and generated code: the committed text, and the methods in it.

use super::compiled::Compiled;
use crate::codegen::{self, Refusal};
use crate::facts::{Place, Step};
use crate::finding::{Finding, Link};
use crate::generate::{self, SPEC_COPY};
use crate::openapi::blank;
use crate::sources::{GENERATED, Sources};
use crate::spec::{SPEC, Spec};
use heck::ToSnakeCase;
use serde_json::Value;

/// How much of a diff a finding quotes, in lines.
const QUOTED: usize = 24;

/// The committed text is what the spec describes, and has a method for each operation.
pub fn check(spec: &Spec, committed: &str) -> (Vec<Finding>, String) {
    let mut findings = Vec::new();
    match codegen::generate(&spec.text) {
        Ok(generated) => {
            if let Some(diff) = generate::diff(GENERATED, committed, &generated) {
                findings.push(stale(GENERATED, &diff));
            }
        }
        Err(refusal) => findings.push(refused(&refusal)),
    }
    let mut sources = Sources::default();
    sources.read(GENERATED, committed);
    let mut seen = 0;
    for place in spec.facts.operations() {
        let Some(Step::Operation { path, method }) = place.last() else { continue };
        let Some(name) = method_name(spec, place) else { continue };
        let find = |name: &str| {
            sources
                .generated()
                .find(|item| item.owner.as_deref() == Some("Client") && item.name == name)
        };
        let builder = format!("{name}_request");
        let item = find(&builder);
        let problem = match item {
            _ if find(&name).is_none() => {
                format!("the generated client has no method `{name}` for {place}")
            }
            None => format!("the generated client has no method `{builder}` for {place}"),
            Some(item) if !item.mentions(&method.to_lowercase()) => {
                format!("`Client::{builder}` doesn't build a {method}")
            }
            Some(item) if !item.mentions(&blank(path)) => {
                format!("`Client::{builder}` doesn't address {path}")
            }
            Some(_) => {
                seen += 1;
                continue;
            }
        };
        let line = item.map(|item| item.line);
        findings.push(
            Finding::new(Link::Generated, format!("{place} method"), problem)
                .at(GENERATED, line, "the generated method")
                .at(SPEC, spec.facts.get(place).and_then(|subject| subject.line), "the operation")
                .help("run `cargo xtask generate`, and read the diff"),
        );
    }
    (findings, format!("compared {GENERATED}: {seen} methods, {} lines", committed.lines().count()))
}

/// The table of operations that was compiled is that of the spec.
pub fn compiled(spec: &Spec, compiled: &Compiled) -> (Vec<Finding>, String) {
    let mut findings = Vec::new();
    let mut finding = |what: String, problem: String, line| {
        findings.push(
            Finding::new(Link::Generated, what, problem)
                .at(SPEC, line, "the spec")
                .help("run `cargo xtask generate`; what was compiled is another spec's client"),
        );
    };
    let server = spec.document.value.pointer("/servers/0/url").and_then(Value::as_str);
    if server != Some(&compiled.server) {
        let problem = format!("the compiled client's server is {}", compiled.server);
        finding("server".to_owned(), problem, spec.document.line("/servers/0/url"));
    }
    let mut strangers: Vec<&str> =
        compiled.operations.iter().map(|operation| operation.name.as_str()).collect();
    for place in spec.facts.operations() {
        let Some(Step::Operation { path, method }) = place.last() else { continue };
        let Some(name) = method_name(spec, place) else { continue };
        strangers.retain(|stranger| *stranger != name);
        let idempotent = operation(spec, place).and_then(|operation| operation.get("x-idempotent"));
        let found = compiled.operations.iter().find(|operation| operation.name == name);
        let same = found.is_some_and(|found| {
            found.method == *method
                && found.path == *path
                && idempotent.and_then(Value::as_bool) == Some(found.idempotent)
        });
        if !same {
            let line = spec.facts.get(place).and_then(|subject| subject.line);
            let problem = format!("the compiled client has another `{name}` than {place}");
            finding(format!("{place} table"), problem, line);
        }
    }
    for stranger in strangers {
        let problem = format!("the compiled client has `{stranger}`, and the spec has it not");
        finding(format!("{stranger} table"), problem, spec.document.line("/paths"));
    }
    let count = compiled.operations.len();
    (findings, format!("compared the compiled table of {count} operations"))
}

/// The method of an operation, after its `operationId`.
pub(super) fn method_name(spec: &Spec, place: &Place) -> Option<String> {
    Some(operation(spec, place)?.get("operationId")?.as_str()?.to_snake_case())
}

fn operation<'a>(spec: &'a Spec, place: &Place) -> Option<&'a Value> {
    spec.document.value.pointer(&spec.facts.get(place)?.pointer)
}

/// The copy of the spec in the crate that is built from it is the spec.
pub(super) fn copy(spec: &Spec, committed: &str) -> Option<Finding> {
    let diff = generate::diff(SPEC_COPY, committed, &generate::spec_copy(&spec.text))?;
    Some(stale(SPEC_COPY, &diff))
}

fn stale(file: &str, diff: &str) -> Finding {
    let quoted: Vec<&str> = diff.lines().take(QUOTED).collect();
    let more = diff.lines().count().saturating_sub(QUOTED);
    let more = if more > 0 { format!("\n... and {more} lines more") } else { String::new() };
    // The first line of the first hunk: `@@ -12,7 +12,7 @@`.
    let line = diff
        .lines()
        .find_map(|line| line.strip_prefix("@@ -")?.split([',', ' ']).next()?.parse().ok());
    let title = format!("{file} is not what {SPEC} describes");
    Finding::new(Link::Generated, format!("{file} stale"), title)
        .at(file, line, "from here on")
        .help(format!("run `cargo xtask generate`\n{}{more}", quoted.join("\n")))
}

fn refused(refusal: &Refusal) -> Finding {
    let pointer = refusal.pointer.as_deref().unwrap_or("");
    Finding::new(Link::Spec, format!("#{pointer} {}", refusal.problem), &*refusal.problem)
        .at(SPEC, refusal.line, "the generator refuses this")
        .help(refusal.remedy)
}
