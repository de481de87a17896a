//! The spec and the fake: it serves every operation, and answers what is documented.

use super::Checked;
use super::compiled::{Answered, Compiled};
use super::generated::method_name;
use super::instance::{Instance, content};
use crate::document::{Kind, Pointer, Spec, members};
use crate::files::{HANDLER, SPEC};
use crate::report::{Finding, Link};
use serde_json::Value;

pub fn check(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut findings = Vec::new();
    let mut facts = 0;
    let mut find = |operation: &Pointer, what: &str, title: String, at: &Pointer| {
        let finding = Finding::new(Link::Fake, format!("{operation} {what}"), title).at(
            SPEC,
            spec.line_of(at),
            "the spec",
        );
        findings.push(if what.ends_with("unmapped") {
            finding.help("map it in the type of the answer, in datafy-api-ext/src/operations")
        } else {
            finding.at(HANDLER, None, "answers").help(format!("fix the fake's answer in {HANDLER}"))
        });
    };
    for place in spec.facts.operations() {
        let Some(name) = method_name(spec, place) else { continue };
        let mut instance = Instance::default();
        let mut statuses = Vec::new();
        let mut served = false;
        for Answered { answer, mapped, .. } in
            compiled.answers.iter().filter(|it| it.operation == name)
        {
            let at = place.then(&["responses", &answer.status.to_string()]);
            statuses.push(answer.status.to_string());
            if !spec.facts.has(&at) {
                continue;
            }
            served = true;
            let media = answer.content_type.as_deref().unwrap_or_default();
            // The service may send content where none is documented.
            let Some(content) = content(spec, &at) else { continue };
            for problem in instance.content(spec, &at, media, &answer.body) {
                let title = format!("the fake's answer to {place} {}", problem.title);
                find(place, &problem.what, title, &problem.at);
            }
            let sent = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
            for (field, value) in
                members(Some(&sent)).filter(|(field, _)| spec.facts.has(&content.property(field)))
            {
                if mapped.get(field) != Some(value) {
                    let at = content.property(field);
                    let tail = at.within_operation();
                    let title = format!(
                        "the answer of `{name}` doesn't have `{tail}` as it was sent: it isn't mapped"
                    );
                    find(place, &format!("{tail} unmapped"), title, &at);
                }
            }
        }
        if !served {
            let title = match statuses.as_slice() {
                [] => format!("the fake doesn't serve {place}"),
                statuses => format!(
                    "the fake answers {place} with {}, which isn't documented",
                    statuses.join(", ")
                ),
            };
            find(place, "unserved", title, place);
            continue;
        }
        let answers = |inner: &&Pointer| inner.is_in_answer() && inner.kind() == Kind::Schema;
        for documented in spec.facts.below(place).filter(answers) {
            facts += 1;
            if instance.misses(documented) {
                let tail = documented.within_operation();
                let title = format!("the fake never answers {place} with `{tail}`");
                find(place, &format!("{tail} unanswered"), title, documented);
            }
        }
    }
    let answers = compiled.answers.len();
    (findings, format!("compared {answers} answers of the fake with {facts} documented properties"))
}
