//! The spec and the builders: the requests that they send with all options set hold everything that is
//! documented, and nothing else.

use super::Checked;
use super::compiled::{Compiled, Request};
use super::generated::method_name;
use super::instance::{Instance, content};
use crate::document::{Kind, Pointer, Spec, Within};
use crate::files::{DRIVER, SPEC, WAIVERS};
use crate::report::{Finding, Link};
use serde_json::Value;

/// Headers of HTTP itself, which no page documents.
const OF_HTTP: [&str; 5] = ["host", "accept", "content-type", "content-length", "user-agent"];

pub fn check(spec: &Spec, compiled: &Compiled) -> Checked {
    let mut checker = Checker { spec, findings: Vec::new(), instance: Instance::default() };
    let mut facts = 0;
    let mut names = Vec::new();
    for place in spec.facts.operations() {
        let Some(name) = method_name(spec, place) else { continue };
        checker.instance = Instance::default();
        for request in compiled.requests.iter().filter(|sent| sent.operation == name) {
            checker.request(place, request);
        }
        if !checker.instance.places.contains(place) {
            checker.find(place, "unreached", format!("no builder sends {place}"), place);
        }
        names.push(name);
        let documented = spec.facts.below(place).filter(|inner| match inner.kind() {
            Kind::Parameter | Kind::Body => true,
            Kind::Schema => {
                !inner.is_in_answer()
                    && inner.holder() != "additionalProperties"
                    && inner.parent().kind() != Kind::Parameter
            }
            _ => false,
        });
        for documented in documented.filter(|inner| !spec.facts.is(inner, "readOnly")) {
            facts += 1;
            if checker.instance.misses(documented) {
                let tail = documented.within_operation();
                let title = format!("no builder sends `{tail}` of {place}");
                checker.find(place, &format!("{tail} unsent"), title, documented);
            }
        }
    }
    for request in compiled.requests.iter().filter(|request| !names.contains(&request.operation)) {
        let title = format!("{DRIVER} calls `{}`, which is no operation", request.operation);
        checker.find(&Pointer::default(), &request.operation, title, &Pointer::default());
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
    /// The places that the requests of the current operation fill.
    instance: Instance,
}

impl Checker<'_> {
    fn find(&mut self, operation: &Pointer, what: &str, title: String, at: &Pointer) {
        let line = self.spec.line_of(at).or_else(|| self.spec.line("/paths"));
        self.findings.push(
            Finding::new(Link::Wire, format!("{operation} {what}"), title)
                .at(SPEC, line, "the spec")
                .at(DRIVER, None, "calls the builders")
                .help(format!(
                    "fix the builder in datafy-api-ext, or set the option in {DRIVER}; a difference that \
                     is meant to stay goes into {WAIVERS}"
                )),
        );
    }

    fn request(&mut self, place: &Pointer, request: &Request) {
        let Some((method, path)) = place.method_and_path() else { return };
        self.instance.places.insert(place.clone());
        if request.made != request.operation {
            let title =
                format!("`{}` is made with the facts of `{}`", request.operation, request.made);
            self.find(place, "facts", title, place);
        }
        let mut line = request.line.split(' ');
        let (own, target) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
        let (sent, query) = target.split_once('?').unwrap_or((target, ""));
        let names = path_parameters(&path, sent);
        if own != method || names.is_none() {
            let title = format!("`{}` sends `{own} {sent}`, not {place}", request.operation);
            self.find(place, "line", title, place);
        }
        for name in names.unwrap_or_default() {
            self.parameter(place, Within::Path, name);
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            self.parameter(place, Within::Query, pair.split('=').next().unwrap_or_default());
        }
        let security = self.spec.facts.value(place, "security").and_then(Value::as_str);
        let security = security.unwrap_or_default();
        let with_token = security.split(' ').any(|scheme| matches!(scheme, "bearer" | "basic"));
        for name in request.headers.keys().filter(|name| !OF_HTTP.contains(&name.as_str())) {
            if !(with_token && name == "authorization") {
                self.parameter(place, Within::Header, name);
            }
        }
        let token = request.headers.get("authorization");
        if security == "bearer" && !token.is_some_and(|token| token.starts_with("Bearer ")) {
            let title = format!("`{}` sends no bearer token", request.operation);
            self.find(place, "security", title, place);
        }
        self.body(place, request);
    }

    fn parameter(&mut self, place: &Pointer, within: Within, name: &str) {
        let facts = &self.spec.facts;
        let same = |known: &str| {
            known == name || within == Within::Header && known.eq_ignore_ascii_case(name)
        };
        let documented = facts.parameters(place).find(|inner| {
            inner.sent_in() == Some(within) && inner.name().is_some_and(|known| same(&known))
        });
        if let Some(documented) = documented {
            self.instance.places.insert(documented.clone());
            return;
        }
        let at = place.parameter(within, name);
        let tail = at.within_operation();
        let title = format!("`{tail}` is sent with {place}, and isn't documented");
        self.find(place, &format!("{tail} undocumented"), title, &at);
    }

    fn body(&mut self, place: &Pointer, request: &Request) {
        let body = place.then(&["requestBody"]);
        let facts = &self.spec.facts;
        if content(self.spec, &body).is_none() {
            if !request.body.is_empty() {
                let title = format!("a body is sent with {place}, and none is documented");
                self.find(place, "body undocumented", title, place);
            }
            return;
        }
        let media = request.headers.get("content-type").map_or("", String::as_str);
        for problem in self.instance.content(self.spec, &body, media, &request.body) {
            let prefix = if problem.what.starts_with("body") { "" } else { "body " };
            let title = format!("the body of {place} {}", problem.title);
            self.find(place, &format!("{prefix}{}", problem.what), title, &problem.at);
        }
        let read_only = |place: &&Pointer| facts.is(place, "readOnly");
        let sent: Vec<Pointer> = self.instance.places.iter().filter(read_only).cloned().collect();
        for sent in sent {
            let tail = sent.within_operation();
            let title = format!("`{tail}` is sent with {place}, and is read-only");
            self.find(place, &format!("{tail} read-only"), title, &sent);
        }
    }
}

/// The names of the parameters in `template` if `sent` is a path of that template.
fn path_parameters<'a>(template: &'a str, sent: &str) -> Option<Vec<&'a str>> {
    let (own, sent): (Vec<_>, Vec<_>) = (template.split('/').collect(), sent.split('/').collect());
    let mut names = Vec::new();
    for (own, sent) in own.iter().zip(&sent) {
        match own.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !sent.is_empty() => names.push(name),
            _ if own == sent => {}
            _ => return None,
        }
    }
    (own.len() == sent.len()).then_some(names)
}
