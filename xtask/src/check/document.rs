//! The spec by itself: a valid OpenAPI 3.0 document whose examples and defaults fit their schemas.

use super::Checked;
use super::schema::Describer;
use crate::docs::TO_DESCRIBE;
use crate::document::{Kind, Problem, Spec, members};
use crate::files::SPEC;
use crate::report::{Finding, Link};
use roas::v3_0::spec::Spec as Valid;
use roas::validation::{Options, Validate};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Operation IDs, idempotency, references and what the generator can't do are checked when it generates.
pub fn check(spec: &Spec) -> Checked {
    let mut findings = Vec::new();
    let mut find = |line, problem: &str| {
        let finding = Finding::new(Link::Spec, problem, problem).at(SPEC, line, "here");
        findings.push(finding.help("fix it there"));
    };
    let read = serde_json::from_value::<Valid>(spec.value().clone());
    let valid = |it: Valid| it.validate(Options::empty(), None).map_err(|error| error.to_string());
    if let Err(problem) = read.map_err(|error| error.to_string()).and_then(valid) {
        find(None, &format!("not a valid OpenAPI 3.0 document: {}", problem.replace('\n', "; ")));
    }
    for Problem { line, what, .. } in &spec.unreadable {
        find(*line, what);
    }
    for repeated in repeated(spec.value()) {
        find(None, &format!("something is listed twice: {repeated}"));
    }
    for (_, line) in spec.text.lines().zip(1..).filter(|(text, _)| text.contains(TO_DESCRIBE)) {
        find(Some(line), "the description is still to be written");
    }
    let mut describer = Describer { spec, facts: &spec.facts, places: BTreeSet::new() };
    let mut origins = BTreeSet::new();
    for (pointer, fact) in &spec.facts.map {
        let (place, origin) = match pointer.kind() {
            Kind::Keyword if ["example", "default"].contains(&&*pointer.holder()) => {
                (pointer.parent(), fact.origin.clone())
            }
            // The example of a whole body is not compared with the page.
            Kind::Media => (pointer.then(&["schema"]), format!("{}/example", fact.origin)),
            _ => continue,
        };
        let value = fact.value.as_ref().or_else(|| spec.value().pointer(&origin));
        let Some(value) = value.filter(|_| origins.insert(origin.clone())) else { continue };
        let schema = describer.schema(&place);
        // The example of a list may be that of an item.
        let fits = |value: &Value| describer.fit(schema.clone(), value).problems.is_empty();
        if !fits(value) && !fits(&json!([value])) {
            find(spec.line(&origin), &format!("#{origin} doesn't fit its schema"));
        }
    }
    (findings, format!("validated {SPEC}: {} examples and defaults", origins.len()))
}

/// The items that stand twice in a list.
fn repeated(value: &Value) -> Vec<&Value> {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    let twice = (1..list.len()).filter(|at| list[..*at].contains(&list[*at])).map(|at| &list[at]);
    let members = members(Some(value)).map(|(_, member)| member);
    twice.chain(list.iter().chain(members).flat_map(repeated)).collect()
}
