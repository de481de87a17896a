//! The spec and the fake: it serves every operation, and answers what is documented.

use super::Checked;
use super::compiled::{Answered, Compiled};
use super::generated::method_name;
use super::instance::Instance;
use crate::contract::{Aspect, Place, Spec, Step};
use crate::files::{HANDLER, SPEC};
use crate::report::{Finding, Link};

pub fn check(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut findings = Vec::new();
    let mut facts = 0;
    let mut find = |operation: &Place, what: &str, title: String, at: &Place| {
        findings.push(
            Finding::new(Link::Fake, format!("{operation} {what}"), title)
                .at(SPEC, spec.line_of(at), "the spec")
                .at(HANDLER, None, "answers")
                .help(format!("fix the fake's answer in {HANDLER}")),
        );
    };
    for place in spec.facts.operations() {
        let Some(name) = method_name(spec, place) else { continue };
        let mut instance = Instance::default();
        let mut served = false;
        for Answered { operation, answer } in &compiled.answers {
            let at = place.then(Step::Answer(answer.status.to_string()));
            // The page documents successes only.
            let Some(content) = spec.facts.value(&at, Aspect::Content) else { continue };
            if *operation != name {
                continue;
            }
            served = true;
            // The service may send content where none is documented.
            if content.as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            let media = answer.content_type.as_deref().unwrap_or_default();
            for problem in instance.content(spec, &at, media, &answer.body) {
                let title = format!("the fake's answer to {place} {}", problem.title);
                find(place, &problem.what, title, &problem.at);
            }
        }
        if !served {
            find(place, "unserved", format!("the fake doesn't serve {place}"), place);
            continue;
        }
        let answers = |inner: &&Place| matches!(inner.tail(), [Step::Answer(_), _, ..]);
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
