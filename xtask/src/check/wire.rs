//! Spec and builders: what each sends with all its options set, in both directions. Nothing documented
//! is missing, nothing undocumented is sent.

use super::compiled::{Compiled, Request};
use super::generated::method_name;
use super::instance::{self, Shown};
use crate::facts::{Aspect, Place, Step, Within};
use crate::finding::{Finding, Link};
use crate::spec::{SPEC, Spec};
use std::collections::BTreeSet;

/// The program that drives the builders.
pub(super) const DRIVER: &str = "tests/src/bin/facts.rs";

/// Headers that HTTP itself wants, and that no page documents.
const OF_HTTP: [(&str, &str); 5] = [
    ("host", "HTTP/1.1 demands it"),
    ("accept", "says which answers can be read"),
    ("content-type", "says what the body is; checked with the body"),
    ("content-length", "tells where the body ends"),
    ("user-agent", "tells the service who calls"),
];

pub fn check(spec: &Spec, compiled: &Compiled) -> (Vec<Finding>, String) {
    let mut checker = Checker { spec, findings: Vec::new() };
    let mut facts = 0;
    for place in spec.facts.operations() {
        let Some(name) = method_name(spec, place) else { continue };
        let requests: Vec<&Request> =
            compiled.requests.iter().filter(|request| request.operation == name).collect();
        if requests.is_empty() {
            checker.find(place, "unreached", format!("no builder sends {place}"), place);
            continue;
        }
        let mut shown = Shown::default();
        for request in requests {
            checker.request(place, request, &mut shown);
        }
        for documented in spec.facts.below(place) {
            let sent = match documented.tail() {
                [Step::Parameter { .. }] => true,
                [Step::Body, ..] => documented.last() != Some(&Step::Values),
                _ => false,
            };
            if !sent || spec.facts.is(documented, Aspect::ReadOnly) {
                continue;
            }
            facts += 1;
            let skipped = shown.places.iter().any(|place| documented.parent() == *place)
                || documented.tail().len() == 1;
            if !shown.places.contains(documented) && skipped {
                let title =
                    format!("no builder sends `{}` of {place}", documented.within_operation());
                checker.find(
                    place,
                    &format!("{} unsent", documented.within_operation()),
                    title,
                    documented,
                );
            }
        }
    }
    let names: BTreeSet<String> =
        spec.facts.operations().filter_map(|place| method_name(spec, place)).collect();
    for request in compiled.requests.iter().filter(|request| !names.contains(&request.operation)) {
        let title = format!("{DRIVER} drives `{}`, which is no operation", request.operation);
        checker.find(&Place::default(), &request.operation, title, &Place::default());
    }
    let sent = compiled.requests.len();
    let compared = format!(
        "compared {sent} recorded requests with {facts} documented parameters and properties"
    );
    (checker.findings, compared)
}

struct Checker<'a> {
    spec: &'a Spec,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn find(&mut self, operation: &Place, what: &str, title: String, at: &Place) {
        let line = self.spec.facts.get(at).and_then(|subject| subject.line);
        let what = format!("{operation} {what}");
        self.findings.push(
            Finding::new(Link::Wire, what, title)
                .at(SPEC, line.or_else(|| self.spec.document.line("/paths")), "the spec")
                .at(DRIVER, None, "drives the builders")
                .help(format!(
                    "mend the builder in datafy-api-ext, or let {DRIVER} set the option; \
                     what is meant to stay goes into {}",
                    crate::waivers::WAIVERS
                )),
        );
    }

    fn request(&mut self, place: &Place, request: &Request, shown: &mut Shown) {
        let spec = self.spec;
        let Some(Step::Operation { path, method }) = place.last() else { return };
        let mut line = request.line.split(' ');
        let (own, target) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
        let (sent, query) = target.split_once('?').unwrap_or((target, ""));
        let values = fill(path, sent);
        if own != method || values.is_none() {
            let title = format!("`{}` sends `{own} {sent}`, not {place}", request.operation);
            self.find(place, "line", title, place);
        }
        let parameter =
            |within, name: &str| place.then(Step::Parameter { within, name: name.to_owned() });
        for name in values.unwrap_or_default() {
            shown.places.insert(parameter(Within::Path, name));
        }
        for name in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = name.split('=').next().unwrap_or_default();
            self.parameter(place, parameter(Within::Query, name), shown);
        }
        for name in request.headers.keys() {
            if OF_HTTP.iter().any(|(own, _)| own == name) || self.is_token(place, name) {
                continue;
            }
            let documented = spec.facts.children(place).find(|inner| {
                matches!(inner.last(), Some(Step::Parameter { within: Within::Header, name: own })
                    if own.eq_ignore_ascii_case(name))
            });
            let at = documented.cloned().unwrap_or_else(|| parameter(Within::Header, name));
            self.parameter(place, at, shown);
        }
        let security = spec.facts.value(place, Aspect::Security);
        let bearer = request.headers.get("authorization");
        if security.is_some_and(|security| security == "bearer")
            && !bearer.is_some_and(|token| token.starts_with("Bearer "))
        {
            let title = format!("`{}` sends no bearer token", request.operation);
            self.find(place, "security", title, place);
        }
        self.body(place, request, shown);
    }

    fn parameter(&mut self, place: &Place, at: Place, shown: &mut Shown) {
        if self.spec.facts.get(&at).is_none() {
            let title =
                format!("`{}` is sent with {place}, and isn't documented", at.within_operation());
            self.find(place, &format!("{} undocumented", at.within_operation()), title, &at);
        }
        shown.places.insert(at);
    }

    /// The header that the documented security wants.
    fn is_token(&self, place: &Place, name: &str) -> bool {
        let security = self.spec.facts.value(place, Aspect::Security);
        name == "authorization"
            && security.and_then(|security| security.as_str()).is_some_and(|security| {
                security.split(' ').any(|scheme| matches!(scheme, "bearer" | "basic"))
            })
    }

    fn body(&mut self, place: &Place, request: &Request, shown: &mut Shown) {
        let body = place.then(Step::Body);
        let Some(content) = self.spec.facts.value(&body, Aspect::Content) else {
            if !request.body.is_empty() {
                let title = format!("a body is sent with {place}, and none is documented");
                self.find(place, "body undocumented", title, place);
            }
            return;
        };
        let media = request.headers.get("content-type").map_or("", String::as_str);
        if !instance::among(content, media) {
            let title = format!("the body of {place} is sent as `{media}`");
            self.find(place, "body content-type", title, &body);
        }
        let Some(value) = serde_json::from_str(&request.body).ok() else {
            let title = format!("the body of {place} is no JSON");
            return self.find(place, "body json", title, &body);
        };
        if let Some(problem) = instance::misfit(self.spec, &body, &value) {
            let title = format!("the body of {place} doesn't fit its schema: {problem}");
            self.find(place, "body schema", title, &body);
        }
        let strangers = shown.strangers.len();
        shown.walk(self.spec, &body, &value);
        for stranger in shown.strangers.split_off(strangers) {
            let title = format!(
                "`{}` is sent with {place}, and isn't documented",
                stranger.within_operation()
            );
            self.find(
                place,
                &format!("{} undocumented", stranger.within_operation()),
                title,
                &body,
            );
        }
        let facts = &self.spec.facts;
        let read_only = shown.places.iter().filter(|place| facts.is(place, Aspect::ReadOnly));
        for sent in read_only.cloned().collect::<Vec<_>>() {
            let title =
                format!("`{}` is sent with {place}, and is read-only", sent.within_operation());
            self.find(place, &format!("{} read-only", sent.within_operation()), title, &sent);
        }
    }
}

/// The names of the parameters that `sent` has values for, if it is a path of this template.
fn fill<'a>(template: &'a str, sent: &str) -> Option<Vec<&'a str>> {
    let (own, sent): (Vec<_>, Vec<_>) = (template.split('/').collect(), sent.split('/').collect());
    if own.len() != sent.len() {
        return None;
    }
    let mut names = Vec::new();
    for (own, sent) in own.into_iter().zip(sent) {
        match own.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !sent.is_empty() => names.push(name),
            _ if own == sent => {}
            _ => return None,
        }
    }
    Some(names)
}
