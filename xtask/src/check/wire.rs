//! Compares the spec with the messages on the wire: the requests of the builders, with all options set, and the answers
//! of the fake must hold everything that is documented, and nothing else.
//!
//! A message is read as JSON, and an operation as its schema: a member for each parameter, body or answer.

use super::Checked;
use super::compiled::{Compiled, Exchange, Request};
use super::generated::method_name;
use super::schema::Describer;
use crate::document::{Facts, Pointer, Spec, members};
use crate::files::{DRIVER, HANDLER, SPEC};
use crate::report::{Finding, Link};
use serde_json::Value;
use std::collections::BTreeSet;

/// Headers of HTTP itself, which no page documents.
const OF_HTTP: [&str; 5] = ["host", "accept", "content-type", "content-length", "user-agent"];

/// Compares the requests and the fake's answers, the operation whose facts decide on retries, and what a call returns.
pub fn check(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut facts = spec.facts.clone();
    for place in spec.facts.map.keys() {
        if spec.facts.is(place, if place.is_in_answer() { "writeOnly" } else { "readOnly" }) {
            facts.take(place);
        }
    }
    let mut checker = Checker { spec, findings: Vec::new() };
    let answer_of = |operation: &Pointer, it: &Exchange| {
        operation.then(&["responses", &it.answer.status.to_string()])
    };
    let mut messages = Vec::new();
    for exchange in &compiled.exchanges {
        let Exchange { made, request, answer, mapped } = exchange;
        let operation = request.operation(spec);
        if operation.and_then(|operation| method_name(spec, operation)).as_ref() != Some(made) {
            let title = format!("`{made}` sends `{}`, which is not that operation", request.line);
            checker.find(Link::Wire, &Pointer::default(), &format!("{made} line"), title);
        }
        let Some(operation) = operation else { continue };
        let mut message = request.message(&facts, operation);
        let at = answer_of(operation, exchange);
        let (name, sent) = content(&facts, &at, answer.content_type.as_deref(), &answer.body);
        if facts.has(&at) && *mapped != sent {
            let title = format!("a call returns {mapped} if {operation} answers {sent}");
            checker.find(Link::Fake, operation, &format!("{operation} unmapped"), title);
        }
        // The fake may refuse a call, if it answers another one of the operation.
        let others =
            compiled.exchanges.iter().filter(|it| it.request.operation(spec) == Some(operation));
        if facts.has(&at) || !{ others }.any(|it| facts.has(&answer_of(operation, it))) {
            message[name] = sent;
        }
        messages.push((operation, message));
    }
    let mut places = 0;
    for operation in facts.operations() {
        let own = messages.iter().filter(|(other, _)| *other == operation);
        places += checker.compare(&facts, operation, own.map(|(_, message)| message));
    }
    let messages = messages.len();
    let compared = format!(
        "compared {messages} recorded requests and the fake's answers with {places} documented places"
    );
    (checker.findings, compared)
}

struct Checker<'a> {
    spec: &'a Spec,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn find(&mut self, link: Link, at: &Pointer, what: &str, title: String) {
        let (file, help) = match link {
            Link::Wire => (DRIVER, "fix the builder in datafy-api-ext, or set the option there"),
            _ => (HANDLER, "fix the fake's answer there, or map it in the type of the answer"),
        };
        let line = self.spec.facts.line_around(at).or_else(|| self.spec.line("/paths"));
        let finding = Finding::new(link, what, title).at(SPEC, line, "the spec");
        // Several messages may differ in the same way.
        if self.findings.iter().all(|other| other.fingerprint != finding.fingerprint) {
            self.findings.push(finding.at(file, None, "here").help(help));
        }
    }

    /// Compares messages with their operation. Returns the number of places that it documents.
    fn compare<'m>(
        &mut self,
        facts: &Facts,
        operation: &Pointer,
        messages: impl Iterator<Item = &'m Value>,
    ) -> usize {
        let mut describer = Describer { spec: self.spec, facts, places: BTreeSet::new() };
        let schema = describer.message(operation);
        let mut filled = BTreeSet::new();
        let link = |path: &str| if path.starts_with(".answer") { Link::Fake } else { Link::Wire };
        for message in messages {
            let fit = describer.fit(schema.clone(), message);
            for (path, problem) in fit.problems {
                let title = format!("{operation} is sent otherwise than documented: {problem}");
                self.find(link(&path), operation, &format!("{operation} misfit: {problem}"), title);
            }
            // Those of the message itself are known even if another part of it doesn't fit.
            let parts = members(Some(message)).map(|(name, _)| name);
            let parts = parts.filter(|name| schema["properties"].get(name).is_none());
            for path in parts.map(|name| format!(".{name}")).chain(fit.undescribed) {
                let (link, path) = (link(&path), &path[1..]);
                let title = format!("`{path}` is sent with {operation}, and isn't documented");
                self.find(link, operation, &format!("{operation} {path} undocumented"), title);
            }
            filled.extend(fit.places);
        }
        let missing: BTreeSet<_> = describer.places.difference(&filled).collect();
        for place in &missing {
            // Of what is missing as a whole, the outermost place.
            if !place.around().skip(1).any(|outer| missing.contains(&outer)) {
                let title = format!("nothing that is sent, and fits, has `{place}`");
                let link = if place.is_in_answer() { Link::Fake } else { Link::Wire };
                self.find(link, place, &format!("{place} unsent"), title);
            }
        }
        describer.places.len()
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
