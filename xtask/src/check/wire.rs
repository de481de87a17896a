//! Compares the spec with the messages on the wire: the requests of the builders, with all options set, and the answers
//! of the fake must hold everything that is documented, and nothing else.
//!
//! A message is read as JSON, and an operation as its schema: a member for each parameter, body or answer.

use super::Checked;
use super::compiled::{Compiled, Exchange, Request};
use super::generated::method_name;
use super::schema::{Describer, without};
use crate::document::{Facts, Pointer, Spec};
use crate::files::{DRIVER, HANDLER, SPEC};
use crate::report::{Finding, Link};
use serde_json::Value;
use std::collections::BTreeSet;

/// Headers of HTTP itself, which no page documents.
const OF_HTTP: [&str; 5] = ["host", "accept", "content-type", "content-length", "user-agent"];

/// Compares the requests, and the operation whose facts decide on retries.
pub fn requests(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut facts = without(&spec.facts, "readOnly");
    facts.map.retain(|place, _| !place.is_in_answer());
    let mut checker = Checker { spec, facts, link: Link::Wire, findings: Vec::new() };
    let mut messages = Vec::new();
    for Exchange { made, request, .. } in &compiled.exchanges {
        let operation = request.operation(spec);
        if operation.and_then(|operation| method_name(spec, operation)).as_ref() != Some(made) {
            let title = format!("`{made}` sends `{}`, which is not that operation", request.line);
            checker.find(&Pointer::default(), &format!("{made} line"), title);
        }
        let message = |operation| (operation, request.message(&checker.facts, operation));
        messages.extend(operation.map(message));
    }
    checker.compare(&messages, "recorded requests")
}

/// Compares the answers of the fake, and what a call returns for them.
pub fn answers(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut facts = without(&spec.facts, "writeOnly");
    facts.map.retain(|place, _| place.is_in_answer() || place.is_operation());
    let mut checker = Checker { spec, facts, link: Link::Fake, findings: Vec::new() };
    let exchanges = compiled.exchanges.iter().filter_map(|it| {
        let operation = it.request.operation(spec)?;
        Some((operation, operation.then(&["responses", &it.answer.status.to_string()]), it))
    });
    let (served, refused): (Vec<_>, Vec<_>) =
        exchanges.partition(|(_, at, _)| checker.facts.has(at));
    // The fake may refuse a call, if it answers another one of the operation.
    let refused = refused.iter().filter(|(own, ..)| !served.iter().any(|(other, ..)| own == other));
    let mut messages = Vec::new();
    for (operation, at, Exchange { answer, mapped, .. }) in served.iter().chain(refused) {
        let media = answer.content_type.as_deref();
        let (name, sent) = content(&checker.facts, at, media, &answer.body);
        if checker.facts.has(at) && *mapped != sent {
            let title = format!("a call returns {mapped} if {operation} answers {sent}");
            checker.find(operation, &format!("{operation} unmapped"), title);
        }
        messages.push((*operation, Value::from_iter([(name, sent)])));
    }
    checker.compare(&messages, "answers of the fake")
}

struct Checker<'a> {
    spec: &'a Spec,
    /// What is sent in this direction.
    facts: Facts,
    link: Link,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn find(&mut self, at: &Pointer, what: &str, title: String) {
        let (file, help) = match self.link {
            Link::Wire => (DRIVER, "fix the builder in datafy-api-ext, or set the option there"),
            _ => (HANDLER, "fix the fake's answer there, or map it in the type of the answer"),
        };
        let line = self.spec.facts.line_around(at).or_else(|| self.spec.line("/paths"));
        let finding = Finding::new(self.link, what, title).at(SPEC, line, "the spec");
        // Several messages may differ in the same way.
        if self.findings.iter().all(|other| other.fingerprint != finding.fingerprint) {
            self.findings.push(finding.at(file, None, "here").help(help));
        }
    }

    /// Compares messages with their operations.
    fn compare(mut self, messages: &[(&Pointer, Value)], name: &str) -> Checked {
        let facts = std::mem::take(&mut self.facts);
        let mut places = 0;
        for operation in facts.operations() {
            let mut describer =
                Describer { spec: self.spec, facts: &facts, places: BTreeSet::new() };
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
                            self.find(
                                operation,
                                &format!("{operation} {path} undocumented"),
                                title,
                            );
                        }
                    }
                    Err(problem) => {
                        let title =
                            format!("{operation} is sent otherwise than documented: {problem}");
                        self.find(operation, &format!("{operation} misfit: {problem}"), title);
                    }
                }
            }
            places += describer.places.len();
            let missing: BTreeSet<_> = describer.places.difference(&filled).collect();
            for place in &missing {
                // Of what is missing as a whole, the outermost place.
                if !place.around().skip(1).any(|outer| missing.contains(&outer)) {
                    let title = format!("nothing that is sent, and fits, has `{place}`");
                    self.find(place, &format!("{place} unsent"), title);
                }
            }
        }
        let messages = messages.len();
        (self.findings, format!("compared {messages} {name} with {places} documented places"))
    }
}

impl Request {
    fn message(&self, facts: &Facts, operation: &Pointer) -> Value {
        let media = self.headers.get("content-type").map(String::as_str);
        let body = Some(&self.body).filter(|body| !body.is_empty());
        let body = body.map(|body| content(facts, &operation.then(&["requestBody"]), media, body));
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

/// The member of a message for the content of a body or an answer. What is not JSON is a text. The service may send content
/// where none is documented.
fn content(facts: &Facts, owner: &Pointer, media: Option<&str>, body: &str) -> (String, Value) {
    if facts.has(owner) && facts.children(owner).next().is_none() {
        return (owner.within_operation(), Value::Null);
    }
    let essence = media.unwrap_or_default().split(';').next().unwrap_or_default();
    let name = owner.then(&["content", essence.trim()]).within_operation();
    (name, serde_json::from_str(body).unwrap_or_else(|_| body.into()))
}
