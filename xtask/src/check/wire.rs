//! The spec and the messages on the wire: the requests of the builders, with all options set, and the answers of the fake
//! hold everything that is documented, and nothing else.
//!
//! A message is read as JSON, and an operation as its schema: a member for each parameter, body or answer.

use super::Checked;
use super::compiled::{Compiled, Exchange, Request};
use super::generated::method_name;
use super::schema::{Describer, without};
use crate::document::{Facts, Pointer, Spec, members};
use crate::files::{DRIVER, HANDLER, SPEC};
use crate::report::{Finding, Link};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Headers of HTTP itself, which no page documents.
const OF_HTTP: [&str; 5] = ["host", "accept", "content-type", "content-length", "user-agent"];

/// Compares the requests, and the operation whose facts decide on retries.
pub fn requests(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut facts = without(&spec.facts, "readOnly");
    facts.map.retain(|place, _| !place.is_in_answer());
    let mut checker = Checker { spec, link: Link::Wire, findings: Vec::new() };
    let mut messages = Vec::new();
    for Exchange { made, request, .. } in &compiled.exchanges {
        let operation = request.operation(spec);
        if operation.and_then(|operation| method_name(spec, operation)).as_ref() != Some(made) {
            let title = format!("`{made}` sends `{}`, which is not that operation", request.line);
            checker.find(&Pointer::default(), &format!("{made} line"), title);
        }
        messages.extend(operation.map(|operation| (operation, request.message(operation))));
    }
    checker.compare(&facts, &messages, "recorded requests")
}

/// Compares the answers of the fake, and what a call returns for them.
pub fn answers(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut facts = without(&spec.facts, "writeOnly");
    facts.map.retain(|place, _| place.is_in_answer() || place.is_operation());
    let mut checker = Checker { spec, link: Link::Fake, findings: Vec::new() };
    let all = compiled.exchanges.iter().filter_map(|it| Some((it.request.operation(spec)?, it)));
    let all: Vec<(&Pointer, &Exchange)> = all.collect();
    let place = |(operation, it): &(&Pointer, &Exchange)| {
        operation.then(&["responses", &it.answer.status.to_string()])
    };
    let served: BTreeSet<Pointer> =
        all.iter().map(place).filter(|place| facts.has(place)).collect();
    let mut messages = Vec::new();
    for one in &all {
        let (place, (operation, Exchange { answer, mapped, .. })) = (place(one), one);
        // The fake may refuse a call, if it answers another one of the operation.
        if !facts.has(&place) && served.iter().any(|served| served.is_within(operation)) {
            continue;
        }
        let (name, sent) = content(&place, answer.content_type.as_deref(), &answer.body);
        // The service may send content where none is documented.
        if facts.has(&place) && facts.children(&place).next().is_none() {
            messages.push((*operation, json!({ place.within_operation(): "" })));
            continue;
        }
        for (field, value) in members(Some(&sent)) {
            if mapped.get(field) != Some(value) {
                let what = format!("{}.{field} unmapped", place.within_operation());
                let title = format!("a call returns `{field}` not as {operation} answers it");
                checker.find(operation, &what, title);
            }
        }
        messages.push((*operation, Value::from_iter([(name, sent)])));
    }
    checker.compare(&facts, &messages, "answers of the fake")
}

struct Checker<'a> {
    spec: &'a Spec,
    link: Link,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn find(&mut self, at: &Pointer, what: &str, title: String) {
        let operation = at.root().map(|operation| format!("{operation} ")).unwrap_or_default();
        let finding = Finding::new(self.link, format!("{operation}{what}"), title);
        let line = self.spec.facts.line_around(at).or_else(|| self.spec.line("/paths"));
        let (file, help) = match self.link {
            Link::Wire => (DRIVER, "fix the builder in datafy-api-ext, or set the option there"),
            _ => (HANDLER, "fix the fake's answer there, or map it in the type of the answer"),
        };
        // Several messages may differ in the same way.
        if self.findings.iter().all(|other| other.fingerprint != finding.fingerprint) {
            self.findings
                .push(finding.at(SPEC, line, "the spec").at(file, None, "here").help(help));
        }
    }

    /// Compares messages with their operations, of which `facts` has what is sent in this direction.
    fn compare(mut self, facts: &Facts, messages: &[(&Pointer, Value)], name: &str) -> Checked {
        let mut places = 0;
        for operation in facts.operations() {
            let mut describer = Describer { spec: self.spec, facts, places: BTreeSet::new() };
            let schema = describer.message(operation);
            let mut filled = BTreeSet::new();
            for (_, message) in messages.iter().filter(|(own, _)| *own == operation) {
                match describer.fit(schema.clone(), message) {
                    Ok((places, undescribed)) => {
                        filled.extend(places);
                        for path in undescribed {
                            let path = &path[1..];
                            let title =
                                format!("`{path}` is sent with {operation}, and isn't documented");
                            self.find(operation, &format!("{path} undocumented"), title);
                        }
                    }
                    Err(problem) => {
                        let title = format!("not as {operation} is documented: {problem}");
                        self.find(operation, &problem, title);
                    }
                }
            }
            places += describer.places.len();
            let missing: BTreeSet<Pointer> =
                describer.places.difference(&filled).cloned().collect();
            let is_outermost =
                |place: &&Pointer| !place.around().skip(1).any(|it| missing.contains(&it));
            for place in missing.iter().filter(is_outermost) {
                let what = format!("{} unsent", place.within_operation());
                self.find(
                    place,
                    what.trim(),
                    format!("nothing that is sent, and fits, has `{place}`"),
                );
            }
        }
        (
            self.findings,
            format!("compared {} {name} with {places} documented places", messages.len()),
        )
    }
}

impl Request {
    fn message(&self, operation: &Pointer) -> Value {
        let media = self.headers.get("content-type").map(String::as_str);
        let body = Some(&self.body).filter(|body| !body.is_empty());
        let body = body.map(|body| content(&operation.then(&["requestBody"]), media, body));
        let query = self.target().split_once('?').map_or("", |(_, query)| query);
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = query.map(|(name, value)| (format!("query {name}"), value.into()));
        let headers = self.headers.iter().filter(|(name, _)| !OF_HTTP.contains(&name.as_str()));
        let headers =
            headers.map(|(name, value)| (format!("header {name}"), value.as_str().into()));
        body.into_iter().chain(query).chain(headers).collect()
    }

    fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The operation that it addresses; of several that fit, the one with the fewest parameters in its path.
    fn operation<'s>(&self, spec: &'s Spec) -> Option<&'s Pointer> {
        let sent: Vec<&str> = self.target().split('?').next()?.split('/').collect();
        let same =
            |(own, sent): (&str, &&str)| own == *sent || own.starts_with('{') && !sent.is_empty();
        let fits = |place: &&Pointer| {
            let (method, path) = place.method_and_path().unwrap_or_default();
            self.line.starts_with(&format!("{method} "))
                && path.split('/').count() == sent.len()
                && path.split('/').zip(&sent).all(same)
        };
        spec.facts.operations().filter(fits).min_by_key(|place| place.0.matches('{').count())
    }
}

/// The member of a message for the content of a body or an answer. What is not JSON is a text.
fn content(owner: &Pointer, media: Option<&str>, body: &str) -> (String, Value) {
    let essence = media.unwrap_or_default().split(';').next().unwrap_or_default();
    let name = owner.then(&["content", essence.trim()]).within_operation();
    (name, serde_json::from_str(body).unwrap_or_else(|_| body.into()))
}
