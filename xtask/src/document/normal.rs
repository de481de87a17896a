//! Normalises a document and flattens it, in one walk along the grammar.
//!
//! References are followed, what isn't compared is dropped, and what means the same is written the same way: parameters
//! under place and name, `required` as a flag of each property, a single `allOf` as its content, and nothing that is the
//! default anyway. All other keywords are kept, known or not.

use super::grammar::{Held, Kind, held, members};
use super::sentences::is_compared;
use super::{Fact, Facts, Pointer, Unreadable, Within, escape};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Bounds for documents whose references double at each step: the facts of an operation, and of all together.
const MOST_OF_OPERATION: usize = 20_000;
pub const MOST: usize = 500_000;
const DEEPEST: usize = 48;

/// Keywords that separate code reads, and not the grammar.
const SPECIAL: [(Kind, &[&str]); 7] = [
    (Kind::Document, &["servers", "security", "components"]),
    (Kind::Path, &["parameters"]),
    (Kind::Operation, &["security", "parameters"]),
    (Kind::Parameter, &["name", "in", "required", "style", "explode", "example", "examples"]),
    (Kind::Header, &["required", "style", "explode", "example", "examples"]),
    // An example of a whole body is prose.
    (Kind::Media, &["example", "examples"]),
    (
        Kind::Schema,
        &["type", "required", "enum", "x-enum", "example", "discriminator", "additionalProperties"],
    ),
];

/// Keywords that say nothing if they are false.
const FLAGS: &str = "required deprecated nullable readOnly writeOnly uniqueItems exclusiveMinimum exclusiveMaximum \
    allowReserved allowEmptyValue";

/// The lists of alternatives, in the words of a page.
const LISTS: [(&str, &str); 3] = [("oneOf", "one of"), ("anyOf", "any of"), ("allOf", "all of")];

/// States `additionalProperties: false`, since the keyword is also the place of a schema.
pub(super) const CLOSED: &str = "noAdditionalProperties";

/// Returns the line of a JSON pointer.
type LineOf<'a> = &'a dyn Fn(&str) -> Option<u64>;

/// Flattens the document `root`.
pub fn flatten(root: &Value, line: LineOf<'_>, facts: &mut Facts) -> Vec<Unreadable> {
    let mut walk = Walk { root, line, facts, unreadable: Vec::new(), above: Vec::new(), before: 0 };
    walk.object(&Pointer::default(), Kind::Document, "");
    walk.unreadable
}

/// Flattens the schema at `origin` of `root`.
pub fn flatten_schema(root: &Value, origin: &str) -> Facts {
    let (mut facts, unreadable, above) = Default::default();
    let mut walk = Walk { root, line: &|_| None, facts: &mut facts, unreadable, above, before: 0 };
    walk.object(&Pointer("/schema".to_owned()), Kind::Schema, origin);
    facts
}

struct Walk<'a> {
    root: &'a Value,
    line: LineOf<'a>,
    facts: &'a mut Facts,
    unreadable: Vec<Unreadable>,
    /// The schemas around the current one, since a schema may contain itself.
    above: Vec<String>,
    /// The number of facts before the operation.
    before: usize,
}

/// The value at a pointer of the document, with references followed.
struct Resolved<'a> {
    origin: String,
    value: Cow<'a, Value>,
}

impl<'a> Walk<'a> {
    /// Reads the object at `origin`, which stands at `place` of the normalised document.
    fn object(&mut self, place: &Pointer, kind: Kind, origin: &str) {
        let Some(Resolved { origin, value }) = self.follow(origin) else {
            // Nothing is known of it.
            self.facts.place(place).folded = true;
            return;
        };
        if kind == Kind::Operation {
            self.before = self.facts.map.len();
        }
        if kind != Kind::Document && kind != Kind::Path {
            let line = (self.line)(&origin);
            let fact = self.facts.place(place);
            (fact.line, fact.origin) = (line, origin.clone());
        }
        if kind == Kind::Schema && !self.enter(place, &origin) {
            return self.state(place, "type", self::kind(&value), &origin);
        }
        for (keyword, member) in members(Some(&value)) {
            self.member(place, kind, &origin, keyword, member);
        }
        self.special(place, kind, &origin, &value);
        if kind == Kind::Schema {
            self.above.pop();
        }
    }

    /// Notes the schema around those within it, unless it is around itself or too deep.
    fn enter(&mut self, place: &Pointer, origin: &str) -> bool {
        let facts = self.facts.map.len();
        let problem = if self.above.iter().any(|above| above == origin) {
            None
        } else if facts > self.before + MOST_OF_OPERATION || facts > MOST {
            Some("more schemas within schemas than can be followed")
        } else if self.above.len() > DEEPEST {
            Some("schemas within schemas, too deep to be followed")
        } else {
            self.above.push(origin.to_owned());
            return true;
        };
        self.facts.place(place).folded = true;
        if let Some(problem) = problem {
            self.cannot_read(origin, problem);
        }
        false
    }

    fn member(&mut self, place: &Pointer, kind: Kind, origin: &str, keyword: &str, member: &Value) {
        let is_special = SPECIAL.iter().any(|(own, all)| *own == kind && all.contains(&keyword));
        let at = format!("{origin}/{}", escape(keyword));
        match keyword {
            "x-folded" => self.facts.place(place).folded = true,
            "x-unlabelled" => self.facts.place(place).unlabelled = true,
            "$ref" if kind == Kind::Path => {
                self.cannot_read(origin, "a path that is described elsewhere");
            }
            _ if is_special || keyword == "$ref" => {}
            _ if !is_compared(keyword) => drop(self.facts.not_compared.insert(keyword.to_owned())),
            _ if *member == Value::Bool(false) && FLAGS.split(' ').any(|flag| flag == keyword) => {}
            _ => match (held(kind, keyword), member) {
                (None, _) => self.state(place, keyword, member.clone(), &at),
                (Some((Held::One, inner)), Value::Object(_)) => {
                    self.object(&place.then(&[keyword]), inner, &at);
                }
                (Some((Held::Many, inner)), Value::Object(all)) => {
                    for name in all.keys() {
                        self.object(
                            &place.then(&[keyword, name]),
                            inner,
                            &format!("{at}/{}", escape(name)),
                        );
                    }
                }
                (Some((Held::Many, inner)), Value::Array(all))
                    if LISTS.iter().any(|(list, _)| *list == keyword) =>
                {
                    for index in 0..all.len() {
                        self.object(
                            &place.then(&[keyword, &index.to_string()]),
                            inner,
                            &format!("{at}/{index}"),
                        );
                    }
                }
                _ => self.cannot_read(&at, "OpenAPI requires a value of another kind here"),
            },
        }
    }

    /// Reads the keywords that are written in several ways.
    fn special(&mut self, place: &Pointer, kind: Kind, origin: &str, value: &Value) {
        match kind {
            Kind::Document => {
                if let Some(servers) = value.get("servers").and_then(Value::as_array) {
                    let urls = servers.iter().filter_map(|server| server.get("url")?.as_str());
                    let urls: Vec<_> = urls.map(|url| url.trim_end_matches('/')).collect();
                    self.state(place, "servers", json!(urls), "/servers/0/url");
                }
            }
            Kind::Operation => {
                self.security(place, origin);
                let (path, _) = origin.rsplit_once('/').unwrap_or_default();
                for owner in [path, origin] {
                    self.parameters(place, &format!("{owner}/parameters"));
                }
            }
            Kind::Parameter | Kind::Header => self.parameter(place, origin, value),
            // That there is none is a fact too.
            Kind::Answer
                if members(value.get("content")).next().is_none()
                    && !self.facts.place(place).folded =>
            {
                self.state(place, "content", json!({}), origin);
            }
            Kind::Schema => self.schema(place, origin, value),
            _ => {}
        }
    }

    /// The security of the operation, by default that of the document, in words. Nothing says that none is needed.
    fn security(&mut self, place: &Pointer, operation: &str) {
        let own = format!("{operation}/security");
        let origin = if self.at(&own).is_some() { own } else { "/security".to_owned() };
        self.must_be(&origin, Value::is_array);
        let Some(Value::Array(alternatives)) = self.at(&origin) else { return };
        let schemes = |alternative| {
            let schemes = members(Some(alternative)).map(|(name, scopes)| {
                let missing = || format!("#/components/securitySchemes/{name}");
                let scheme = self.scheme(name).ok_or_else(missing)?;
                let scopes: Vec<String> =
                    scopes.as_array().into_iter().flatten().map(plain).collect();
                let scopes = scopes.join(", ");
                Ok(if scopes.is_empty() { scheme } else { format!("{scheme} ({scopes})") })
            });
            let schemes = schemes.collect::<Result<Vec<_>, String>>()?;
            Ok(if schemes.is_empty() { "none".to_owned() } else { schemes.join(" and ") })
        };
        match alternatives.iter().map(schemes).collect::<Result<Vec<String>, String>>() {
            Ok(mut words) => {
                words.sort();
                words.dedup();
                if !words.is_empty() && words != ["none"] {
                    self.state(place, "security", words.join(" or "), &origin);
                }
            }
            Err(target) => self.missing(&origin, &target),
        }
    }

    /// A security scheme in words: `bearer`, `header x-api-key`.
    fn scheme(&self, name: &str) -> Option<String> {
        let scheme =
            self.resolve(&format!("/components/securitySchemes/{}", escape(name))).ok()?.value;
        let word = |key: &str| scheme.get(key).and_then(Value::as_str);
        Some(match (word("type")?, word("in")) {
            ("http", _) => word("scheme")?.to_lowercase(),
            ("apiKey", Some("header")) => format!("header {}", word("name")?.to_lowercase()),
            ("apiKey", Some(within)) => format!("{within} {}", word("name")?),
            (other, _) => {
                let rest =
                    members(Some(&scheme)).filter(|(key, _)| *key != "type" && is_compared(key));
                rest.fold(other.to_owned(), |text, (key, value)| format!("{text} {key} {value}"))
            }
        })
    }

    fn parameters(&mut self, operation: &Pointer, list: &str) {
        self.must_be(list, Value::is_array);
        for index in 0..self.at(list).and_then(Value::as_array).map_or(0, Vec::len) {
            let Some(Resolved { origin, value }) = self.follow(&format!("{list}/{index}")) else {
                continue;
            };
            let word = |key: &str| value.get(key)?.as_str();
            match (word("in").and_then(|within| within.parse().ok()), word("name")) {
                (Some(within), Some(name)) => {
                    let place = operation.parameter(within, name);
                    // A parameter of the operation replaces that of its path.
                    self.facts.take(&place);
                    self.object(&place, Kind::Parameter, &origin);
                }
                _ => self.cannot_read(&origin, "a parameter without `name` or `in`"),
            }
        }
    }

    fn parameter(&mut self, place: &Pointer, origin: &str, value: &Value) {
        let required = value.get("required") == Some(&Value::Bool(true));
        self.state(place, "required", required, &format!("{origin}/required"));
        let form = matches!(place.sent_in(), Some(Within::Query | Within::Cookie));
        let style = value.get("style").and_then(Value::as_str);
        if let Some(style) = style.filter(|style| *style != if form { "form" } else { "simple" }) {
            self.state(place, "style", style, &format!("{origin}/style"));
        }
        let explodes = Value::Bool(style.map_or(form, |style| style == "form"));
        if let Some(explode) = value.get("explode").filter(|explode| **explode != explodes) {
            self.state(place, "explode", explode.clone(), &format!("{origin}/explode"));
        }
        // Both may stand in the schema too, where they mean the same.
        if let Some(mut fact) = self.facts.map.remove(&place.then(&["schema", "deprecated"])) {
            fact.origin = format!("{origin}/deprecated");
            self.facts.map.insert(place.then(&["deprecated"]), fact);
        }
        let first = || value.get("examples")?.as_object()?.values().next()?.get("value");
        if let Some(example) = value.get("example").or_else(first) {
            self.state(
                &place.then(&["schema"]),
                "example",
                example.clone(),
                &format!("{origin}/example"),
            );
        }
    }

    fn schema(&mut self, place: &Pointer, origin: &str, value: &Value) {
        let kind = kind(value);
        if kind != "any" || !self.facts.place(place).folded {
            self.state(place, "type", kind, &format!("{origin}/type"));
        }
        // In a copied text the values run together.
        if let Some(values) = value.get("x-enum").or_else(|| value.get("enum")) {
            self.state(place, "enum", values.clone(), &format!("{origin}/enum"));
        }
        if let Some(name) = value.get("discriminator").and_then(|it| it.get("propertyName")) {
            self.state(place, "discriminator", name.clone(), &format!("{origin}/discriminator"));
        }
        // That of a scalar item is an example of the list.
        let item = || {
            let items = self.resolve(&format!("{origin}/items")).ok()?.value;
            items.get("example").filter(|_| is_scalar(&items)).cloned()
        };
        let of_list = place.holder() == "items" && is_scalar(value);
        let example = value.get("example").cloned().or_else(item);
        if let Some(example) = example.filter(|_| !of_list) {
            self.state(place, "example", example, &format!("{origin}/example"));
        }
        let at = format!("{origin}/additionalProperties");
        match value.get("additionalProperties") {
            None | Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => self.state(place, CLOSED, true, &at),
            Some(Value::Object(any)) if !any.keys().any(|key| is_compared(key)) => {}
            Some(_) => self.object(&place.then(&["additionalProperties"]), Kind::Schema, &at),
        }
        self.properties(place, origin, value);
    }

    /// States of each property whether it is required. One that is not described may be anything.
    fn properties(&mut self, place: &Pointer, origin: &str, value: &Value) {
        self.must_be(&format!("{origin}/required"), Value::is_array);
        let list = value.get("required").and_then(Value::as_array);
        let required: Vec<&str> = list.into_iter().flatten().filter_map(Value::as_str).collect();
        let known = members(value.get("properties")).map(|(name, _)| name.as_str());
        for name in known.chain(required.iter().copied()) {
            let property = place.property(name);
            let described = format!("{origin}/properties/{}", escape(name));
            let line = (self.line)(&described);
            let at = required.iter().position(|other| *other == name);
            let at = at.map_or(described, |at| format!("{origin}/required/{at}"));
            if !self.facts.has(&property) {
                self.state(&property, "type", "any", &at);
            }
            let fact = self.facts.place(&property);
            fact.line = line.or(fact.line);
            self.state(&property, "required", required.contains(&name), &at);
        }
    }

    fn state(&mut self, place: &Pointer, keyword: &str, value: impl Into<Value>, origin: &str) {
        let (value, line) = (Some(value.into()), (self.line)(origin));
        let fact = Fact { value, line, origin: origin.to_owned(), ..Fact::default() };
        self.facts.map.insert(place.then(&[keyword]), fact);
    }

    fn at(&self, origin: &str) -> Option<&'a Value> {
        self.root.pointer(origin)
    }

    /// The value at `origin`, with references followed. Members beside a reference or around a single `allOf`
    /// replace those of the target.
    fn resolve(&self, origin: &str) -> Result<Resolved<'a>, String> {
        let mut origin = origin.to_owned();
        let mut beside = Map::new();
        let mut seen = Vec::new();
        loop {
            let value = self.at(&origin).ok_or_else(|| format!("#{origin}"))?;
            let single = |list: &Vec<Value>| list.len() == 1 && value.get("properties").is_none();
            let next = match (value.get("$ref"), value.get("allOf")) {
                // A path that refers is reported, and not followed.
                (Some(Value::String(target)), _) if !is_path(&origin) => {
                    target.strip_prefix('#').ok_or_else(|| target.clone())?.to_owned()
                }
                (_, Some(Value::Array(all))) if single(all) => format!("{origin}/allOf/0"),
                _ => {
                    let value = if beside.is_empty() {
                        Cow::Borrowed(value)
                    } else {
                        let mut merged = value.as_object().cloned().unwrap_or_default();
                        merged.extend(beside);
                        Cow::Owned(Value::Object(merged))
                    };
                    return Ok(Resolved { origin, value });
                }
            };
            for (key, member) in members(Some(value)) {
                if !matches!(key.as_str(), "$ref" | "allOf") && !beside.contains_key(key) {
                    beside.insert(key.clone(), member.clone());
                }
            }
            seen.push(origin);
            if seen.contains(&next) {
                return Err(format!("#{next}, which refers to itself"));
            }
            origin = next;
        }
    }

    /// Like [`resolve`](Self::resolve), and reports what is missing.
    fn follow(&mut self, origin: &str) -> Option<Resolved<'a>> {
        self.resolve(origin).map_err(|target| self.missing(origin, &target)).ok()
    }

    /// Reports a value of another kind, which would otherwise read like an absent one.
    fn must_be(&mut self, origin: &str, kind: fn(&Value) -> bool) {
        if self.at(origin).is_some_and(|value| !kind(value)) {
            self.cannot_read(origin, "OpenAPI requires a value of another kind here");
        }
    }

    fn missing(&mut self, origin: &str, target: &str) {
        self.cannot_read(origin, &format!("it refers to `{target}`, which doesn't exist"));
    }

    fn cannot_read(&mut self, origin: &str, problem: &str) {
        let problem = format!("#{origin}: {problem}");
        let unreadable = Unreadable { line: (self.line)(origin), problem };
        if !self.unreadable.contains(&unreadable) {
            self.unreadable.push(unreadable);
        }
    }
}

fn is_path(origin: &str) -> bool {
    origin.strip_prefix("/paths/").is_some_and(|path| !path.contains('/'))
}

/// The type of a schema. If it isn't stated, it follows from what is.
fn kind(schema: &Value) -> String {
    let stated = match schema.get("type") {
        Some(Value::Array(kinds)) => Some(kinds.iter().map(plain).collect::<Vec<_>>().join(" or ")),
        other => other.map(plain),
    };
    let lists = LISTS.iter().filter(|(list, _)| schema.get(list).is_some());
    let words: Vec<String> =
        stated.into_iter().chain(lists.map(|(_, word)| (*word).to_owned())).collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    let kind = match schema.get("enum").and_then(|values| values.get(0)) {
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        Some(Value::String(_)) => "string",
        Some(Value::Number(number)) if number.is_f64() => "number",
        Some(Value::Number(_)) => "integer",
        Some(Value::Bool(_)) => "boolean",
        _ => "any",
    };
    kind.to_owned()
}

fn is_scalar(schema: &Value) -> bool {
    matches!(&*kind(schema), "string" | "integer" | "number" | "boolean" | "any")
}

/// A value as a page prints it: without quotes, commas and brackets.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.to_string(),
    }
}
