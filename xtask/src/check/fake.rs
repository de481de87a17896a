//! Spec and fake: it serves every operation, and answers what is documented.

use super::compiled::{Answered, Compiled};
use super::generated::method_name;
use super::instance::{self, Shown};
use crate::facts::{Aspect, Place, Step};
use crate::finding::{Finding, Link};
use crate::spec::{SPEC, Spec};

/// What the fake answers with.
const HANDLER: &str = "datafy-api-ext/src/fake/handler.rs";

pub fn check(spec: &Spec, compiled: &Compiled) -> (Vec<Finding>, String) {
    let mut findings = Vec::new();
    let mut facts = 0;
    let mut find = |operation: &Place, what: &str, title: String, at: &Place| {
        let line = spec.facts.get(at).and_then(|subject| subject.line);
        findings.push(
            Finding::new(Link::Fake, format!("{operation} {what}"), title)
                .at(SPEC, line, "the spec")
                .at(HANDLER, None, "answers")
                .help(format!("mend what the fake answers, in {HANDLER}")),
        );
    };
    for place in spec.facts.operations() {
        let Some(name) = method_name(spec, place) else { continue };
        let of_operation = |answered: &&Answered| answered.operation == name;
        let mut shown = Shown::default();
        let mut served = false;
        for Answered { answer, .. } in compiled.answers.iter().filter(of_operation) {
            let at = place.then(Step::Answer(answer.status.to_string()));
            // The page documents successes; a refusal of the fake is its own.
            let Some(content) = spec.facts.value(&at, Aspect::Content) else { continue };
            served = true;
            // Where no content is documented the service is known to send some all the same.
            if content.as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            let media = answer.content_type.as_deref().unwrap_or_default();
            if !instance::among(content, media) {
                find(place, "content-type", format!("the fake answers {place} as `{media}`"), &at);
            }
            let Some(value) = serde_json::from_str(&answer.body).ok() else {
                find(place, "json", format!("the fake answers {place} with no JSON"), &at);
                continue;
            };
            if let Some(problem) = instance::misfit(spec, &at, &value) {
                let title =
                    format!("the fake's answer to {place} doesn't fit its schema: {problem}");
                find(place, "schema", title, &at);
            }
            shown.walk(spec, &at, &value);
        }
        if !served {
            find(place, "unserved", format!("the fake doesn't serve {place}"), place);
            continue;
        }
        for stranger in &shown.strangers {
            let tail = stranger.within_operation();
            let title = format!("the fake answers {place} with `{tail}`, which isn't documented");
            find(place, &format!("{tail} undocumented"), title, &stranger.parent());
        }
        for documented in spec.facts.below(place) {
            let [Step::Answer(_), _, ..] = documented.tail() else { continue };
            facts += 1;
            if shown.places.contains(&documented.parent()) && !shown.places.contains(documented) {
                let tail = documented.within_operation();
                let title = format!("the fake never answers {place} with `{tail}`");
                find(place, &format!("{tail} unanswered"), title, documented);
            }
        }
    }
    let answers = compiled.answers.len();
    (findings, format!("compared {answers} answers of the fake with {facts} documented properties"))
}
