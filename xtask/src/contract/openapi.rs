//! Reads an OpenAPI document or a JSON Schema as facts.

use super::keywords::{
    self, BODY, Compared, Keywords, MEDIA, OPERATION, PARAMETER, RESPONSE, SCHEMA,
};
use super::{Aspect, Facts, Place, Step, Subject, Unreadable, Within};
use crate::codegen::yaml::escape;
use crate::codegen::{METHODS, members};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Bounds for documents whose references double at each step: the places of an operation, and of all together.
const MOST_OF_OPERATION: usize = 3_000;
pub const MOST_SUBJECTS: usize = 50_000;
const DEEPEST: usize = 48;

/// Returns the line of a JSON pointer.
type LineOf<'a> = &'a dyn Fn(&str) -> Option<u64>;

/// Reads the document `root`.
pub fn read(root: &Value, line: LineOf<'_>, facts: &mut Facts) -> Vec<Unreadable> {
    let mut reader = Reader { root, line, facts, unreadable: Vec::new(), before: 0 };
    reader.document();
    reader.unreadable
}

/// Reads the schema at `pointer` of `root`.
pub fn read_schema(root: &Value, pointer: &str) -> Facts {
    let mut facts = Facts::default();
    let mut reader =
        Reader { root, line: &|_| None, facts: &mut facts, unreadable: Vec::new(), before: 0 };
    reader.schema(&Place::default(), pointer, &mut Vec::new());
    facts
}

struct Reader<'a> {
    root: &'a Value,
    line: LineOf<'a>,
    facts: &'a mut Facts,
    unreadable: Vec<Unreadable>,
    /// The number of places before the operation.
    before: usize,
}

/// The value at a pointer, with references followed.
struct Resolved<'a> {
    pointer: String,
    value: Cow<'a, Value>,
}

impl<'a> Reader<'a> {
    fn document(&mut self) {
        let servers = self.root.get("servers").and_then(Value::as_array);
        if let Some(servers) = servers {
            let urls = servers.iter().filter_map(|server| server.get("url")?.as_str());
            let urls: Vec<_> = urls.map(|url| url.trim_end_matches('/')).collect();
            self.state(&Place::default(), Aspect::Servers, json!(urls), "/servers/0/url");
        }
        self.must_be("/paths", Value::is_object);
        for (path, item) in members(self.root.get("paths")) {
            if item.get("$ref").is_some() {
                let pointer = format!("/paths/{}", escape(path));
                self.cannot_read(&pointer, "a path that is described elsewhere");
            }
            for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
                self.operation(path, method);
            }
        }
    }

    fn operation(&mut self, path: &str, method: &str) {
        let place = Place::operation(method, path);
        let item = format!("/paths/{}", escape(path));
        let pointer = format!("{item}/{method}");
        self.before = self.facts.subjects.len();
        self.subject(&place, &pointer);
        if let Some(operation) = self.at(&pointer) {
            self.copy(&place, &pointer, operation, OPERATION);
        }
        self.security(&place, &pointer);
        for owner in [&item, &pointer] {
            let list = format!("{owner}/parameters");
            self.must_be(&list, Value::is_array);
            let count = self.at(&list).and_then(Value::as_array).map_or(0, Vec::len);
            for index in 0..count {
                self.parameter(&place, &format!("{list}/{index}"));
            }
        }
        let body = format!("{pointer}/requestBody");
        if self.at(&body).is_some() {
            self.content(&place.then(Step::Body), &body, true);
        }
        let answers = format!("{pointer}/responses");
        self.must_be(&answers, Value::is_object);
        for (status, _) in members(self.at(&answers)) {
            let answer = format!("{answers}/{}", escape(status));
            self.content(&place.then(Step::Answer(status.clone())), &answer, false);
        }
    }

    /// The security of the operation, by default that of the document.
    fn security(&mut self, place: &Place, operation: &str) {
        let own = format!("{operation}/security");
        let pointer = if self.at(&own).is_some() { own } else { "/security".to_owned() };
        self.must_be(&pointer, Value::is_array);
        let Some(Value::Array(alternatives)) = self.at(&pointer) else { return };
        let joined = |words: Vec<String>, between: &str| {
            if words.is_empty() { "none".to_owned() } else { words.join(between) }
        };
        let schemes = |alternative| {
            let schemes = members(Some(alternative)).map(|(name, _)| {
                self.scheme(name).ok_or_else(|| format!("#/components/securitySchemes/{name}"))
            });
            schemes.collect::<Result<_, _>>().map(|schemes| joined(schemes, " and "))
        };
        match alternatives.iter().map(schemes).collect::<Result<Vec<_>, _>>() {
            Ok(mut words) => {
                words.sort();
                self.state(place, Aspect::Security, joined(words, " or "), &pointer);
            }
            Err(target) => self.missing(&pointer, &target),
        }
    }

    fn scheme(&self, name: &str) -> Option<String> {
        let pointer = format!("/components/securitySchemes/{}", escape(name));
        scheme(&self.resolve(&pointer).ok()?.value)
    }

    fn parameter(&mut self, operation: &Place, pointer: &str) {
        let Some(Resolved { pointer, value }) = self.follow(pointer) else { return };
        let word = |key: &str| value.get(key).and_then(Value::as_str);
        let within = value.get("in").and_then(|within| Within::deserialize(within).ok());
        let (Some(within), Some(name)) = (within, word("name")) else {
            return self.cannot_read(&pointer, "a parameter without `name` or `in`");
        };
        let place = operation.then(Step::Parameter { within, name: name.to_owned() });
        self.parameter_or_header(&place, &pointer, &value, within);
    }

    fn parameter_or_header(&mut self, place: &Place, pointer: &str, value: &Value, within: Within) {
        // A parameter of the operation replaces that of its path.
        self.facts.take(place);
        self.subject(place, pointer);
        let form = matches!(within, Within::Query | Within::Cookie);
        let style = value.get("style").and_then(Value::as_str);
        if let Some(style) = style.filter(|style| *style != if form { "form" } else { "simple" }) {
            self.state(place, Aspect::Style, style, &format!("{pointer}/style"));
        }
        let explodes = style.map_or(form, |style| style == "form");
        if let Some(explode) = value.get("explode").filter(|own| **own != Value::Bool(explodes)) {
            self.state(place, Aspect::Explode, explode.clone(), &format!("{pointer}/explode"));
        }
        let required = value.get("required") == Some(&Value::Bool(true));
        self.state(place, Aspect::Required, required, &format!("{pointer}/required"));
        if value.get("schema").is_some() {
            self.schema(place, &format!("{pointer}/schema"), &mut Vec::new());
        } else if value.get("content").is_some() {
            self.media(place, pointer, value);
        }
        self.copy(place, pointer, value, PARAMETER);
        self.example(place, pointer, value);
        self.subject(place, pointer);
    }

    /// Reads a request body or an answer.
    fn content(&mut self, place: &Place, pointer: &str, request: bool) {
        let Some(Resolved { pointer, value }) = self.enter(place, pointer) else { return };
        self.subject(place, &pointer);
        self.copy(place, &pointer, &value, if request { BODY } else { RESPONSE });
        if request {
            let required = value.get("required") == Some(&Value::Bool(true));
            self.state(place, Aspect::Required, required, &format!("{pointer}/required"));
        }
        for (name, _) in members(value.get("headers")) {
            let header = place.then(Step::Parameter { within: Within::Header, name: name.clone() });
            let at = format!("{pointer}/headers/{}", escape(name));
            if let Some(Resolved { pointer, value }) = self.follow(&at) {
                self.parameter_or_header(&header, &pointer, &value, Within::Header);
            }
        }
        self.media(place, &pointer, &value);
        let subject = self.facts.subject(place);
        subject.line = (self.line)(&pointer);
        subject.holder = pointer;
    }

    /// Reads the media types of a body, an answer or a parameter, and the schema of one of them.
    fn media(&mut self, place: &Place, pointer: &str, value: &Value) {
        let media: Vec<&String> = members(value.get("content")).map(|(media, _)| media).collect();
        let list = format!("{pointer}/content");
        self.state(place, Aspect::Content, json!(media), &list);
        // Only one schema is read, preferably that of JSON.
        let Some(read) = media.iter().find(|media| media.contains("json")).or(media.first()) else {
            return;
        };
        for (media, content) in members(value.get("content")) {
            self.note(content, MEDIA);
            if media != *read && content.get("schema").is_some() {
                self.facts.not_compared.insert(format!("schema of {media}"));
            }
        }
        let schema = format!("{list}/{}/schema", escape(read));
        if self.at(&schema).is_some() {
            self.schema(place, &schema, &mut Vec::new());
        }
    }

    /// `above` are the pointers of the schemas around this one, since a schema may contain itself.
    fn schema(&mut self, place: &Place, pointer: &str, above: &mut Vec<String>) {
        let places = self.facts.subjects.len();
        if places > self.before + MOST_OF_OPERATION || places > MOST_SUBJECTS {
            return self.cannot_read(pointer, "more schemas within schemas than can be followed");
        }
        let Some(Resolved { pointer, value }) = self.enter(place, pointer) else { return };
        self.subject(place, &pointer);
        if above.contains(&pointer) {
            self.facts.subject(place).opaque = true;
            return;
        }
        if above.len() > DEEPEST {
            return self.cannot_read(&pointer, "schemas within schemas, too deep to be followed");
        }
        above.push(pointer.clone());
        let kind = self.kind(&pointer, &value, 0);
        self.state(place, Aspect::Type, kind, &format!("{pointer}/type"));
        self.copy(place, &pointer, &value, SCHEMA);
        let kinds = value.get("type").and_then(Value::as_array);
        if kinds.is_some_and(|kinds| kinds.contains(&json!("null"))) {
            self.state(place, Aspect::Nullable, true, &format!("{pointer}/type"));
        }
        self.example(place, &pointer, &value);
        let discriminator = value.get("discriminator").and_then(|it| it.get("propertyName"));
        if let Some(name) = discriminator {
            let at = format!("{pointer}/discriminator");
            self.state(place, Aspect::Discriminator, name.clone(), &at);
        }
        self.within(place, &pointer, &value, above);
        above.pop();
    }

    /// Reads the schemas within a schema.
    fn within(&mut self, place: &Place, pointer: &str, value: &Value, above: &mut Vec<String>) {
        let required = value.get("required").and_then(Value::as_array);
        let required: Vec<_> = required.into_iter().flatten().filter_map(Value::as_str).collect();
        self.must_be(&format!("{pointer}/properties"), Value::is_object);
        for (name, _) in members(value.get("properties")) {
            let inner = place.property(name);
            let property = format!("{pointer}/properties/{}", escape(name));
            self.schema(&inner, &property, above);
            let at = required.iter().position(|other| other == name);
            let at = at.map_or_else(|| property.clone(), |at| format!("{pointer}/required/{at}"));
            self.state(&inner, Aspect::Required, required.contains(&name.as_str()), &at);
            self.facts.subject(&inner).line = (self.line)(&property);
        }
        let lists = ["oneOf", "anyOf", "allOf"];
        if lists.iter().filter(|list| value.get(list).is_some()).count() > 1 {
            self.cannot_read(pointer, "several of `oneOf`, `anyOf` and `allOf` in one schema");
        }
        for list in lists {
            let Some(alternatives) = value.get(list).and_then(Value::as_array) else { continue };
            let at = format!("{pointer}/{list}");
            self.state(place, Aspect::Alternatives, alternatives.len(), &at);
            for index in 0..alternatives.len() {
                let alternative = place.then(Step::Alternative(index + 1));
                self.schema(&alternative, &format!("{at}/{index}"), above);
            }
        }
        let (values, at) = (place.then(Step::Values), format!("{pointer}/additionalProperties"));
        match value.get("additionalProperties") {
            Some(Value::Bool(true)) => {
                self.subject(&values, &at);
                self.state(&values, Aspect::Type, "any", &at);
            }
            Some(Value::Bool(false)) => {
                self.state(place, Aspect::AdditionalProperties, false, &at);
            }
            Some(Value::Object(_)) => self.schema(&values, &at, above),
            _ => {}
        }
        if value.get("items").is_some() {
            self.items(place, &format!("{pointer}/items"), above);
        }
    }

    /// Reads the items of an array. Like a page, states the facts of scalars on the array itself.
    fn items(&mut self, place: &Place, pointer: &str, above: &mut Vec<String>) {
        let Some(Resolved { pointer, value }) = self.enter(place, pointer) else { return };
        if above.contains(&pointer) || above.len() > DEEPEST {
            self.facts.subject(place).opaque = true;
            return;
        }
        // What would mean something else with the array has a separate place.
        let apart = members(Some(&value)).any(|(keyword, _)| {
            let compared = keywords::compared(SCHEMA, keyword);
            !matches!(keyword.as_str(), "type" | "items" | "example" | "examples" | "const")
                && !matches!(compared, None | Some(Compared::OfScalar(_) | Compared::Not(_)))
        });
        if apart {
            return self.schema(&place.then(Step::Items), &pointer, above);
        }
        if value.get("items").is_some() {
            above.push(pointer.clone());
            self.items(place, &format!("{pointer}/items"), above);
            above.pop();
            return;
        }
        self.copy(place, &pointer, &value, SCHEMA);
        if self.facts.value(place, Aspect::Example).is_none() {
            self.example(place, &pointer, &value);
        }
    }

    /// States the keywords whose values are compared, and notes those that aren't compared.
    fn copy(&mut self, place: &Place, pointer: &str, value: &Value, keywords: Keywords) {
        for (keyword, stated) in members(Some(value)) {
            let Some(Compared::Value(aspect) | Compared::OfScalar(aspect) | Compared::Flag(aspect)) =
                keywords::compared(keywords, keyword)
            else {
                continue;
            };
            // Of keywords that are true or not stated, `false` says nothing.
            if *stated != Value::Bool(false) || aspect == Aspect::Default {
                self.state(place, aspect, stated.clone(), &format!("{pointer}/{keyword}"));
            }
        }
        self.note(value, keywords);
    }

    /// Notes the keywords that aren't compared.
    fn note(&mut self, value: &Value, keywords: Keywords) {
        for (keyword, _) in members(Some(value)).filter(|(keyword, _)| *keyword != "$ref") {
            if matches!(keywords::compared(keywords, keyword), None | Some(Compared::Not(_))) {
                self.facts.not_compared.insert(keyword.clone());
            }
        }
    }

    /// The type as a page writes it.
    fn kind(&self, pointer: &str, value: &Value, depth: usize) -> String {
        if let Some(constant) = value.get("const") {
            return format!("const: {}", plain(constant));
        }
        for (list, words) in [("oneOf", "one of"), ("anyOf", "any of"), ("allOf", "all of")] {
            if value.get(list).is_some() {
                return words.to_owned();
            }
        }
        let named = |kind: &str| {
            if kind != "array" {
                return kind.to_owned();
            }
            let items = self.resolve(&format!("{pointer}/items")).ok().filter(|_| depth < 20);
            let items = items.map(|items| self.kind(&items.pointer, &items.value, depth + 1));
            format!("{}[]", items.as_deref().unwrap_or("any"))
        };
        match value.get("type") {
            Some(Value::String(kind)) => named(kind),
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
                kinds.map(named).collect::<Vec<_>>().join(" or ")
            }
            _ if value.get("properties").is_some() => "object".to_owned(),
            _ if value.get("items").is_some() => named("array"),
            _ if value.get("enum").is_some() => "string".to_owned(),
            _ => "any".to_owned(),
        }
    }

    fn example(&mut self, place: &Place, pointer: &str, value: &Value) {
        if let Some(example) = value.get("example") {
            self.state(place, Aspect::Example, example.clone(), &format!("{pointer}/example"));
        } else if let Some(first) = value.get("examples").and_then(|examples| match examples {
            Value::Array(examples) => examples.first(),
            Value::Object(examples) => examples.values().next()?.get("value"),
            _ => None,
        }) {
            self.state(place, Aspect::Example, first.clone(), &format!("{pointer}/examples"));
        }
    }

    fn subject(&mut self, place: &Place, pointer: &str) -> &mut Subject {
        let line = (self.line)(pointer);
        let subject = self.facts.subject(place);
        subject.line = line;
        pointer.clone_into(&mut subject.pointer);
        subject
    }

    fn state(&mut self, place: &Place, aspect: Aspect, value: impl Into<Value>, pointer: &str) {
        let line = (self.line)(pointer);
        self.facts.subject(place).state(aspect, value, line);
    }

    fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.root.pointer(pointer)
    }

    /// The value at `pointer`, with references followed. Members beside a reference or around a single
    /// `allOf` replace those of the target.
    fn resolve(&self, pointer: &str) -> Result<Resolved<'a>, String> {
        let mut pointer = pointer.to_owned();
        let mut beside = Map::new();
        let mut seen = Vec::new();
        loop {
            let value = self.at(&pointer).ok_or_else(|| format!("#{pointer}"))?;
            let next = match (value.get("$ref"), value.get("allOf")) {
                (Some(Value::String(target)), _) => {
                    Some(target.strip_prefix('#').ok_or_else(|| target.clone())?.to_owned())
                }
                (_, Some(Value::Array(all)))
                    if all.len() == 1 && value.get("properties").is_none() =>
                {
                    Some(format!("{pointer}/allOf/0"))
                }
                _ => None,
            };
            let Some(next) = next else {
                let value = if beside.is_empty() {
                    Cow::Borrowed(value)
                } else {
                    let mut merged = value.as_object().cloned().unwrap_or_default();
                    merged.extend(beside);
                    Cow::Owned(Value::Object(merged))
                };
                return Ok(Resolved { pointer, value });
            };
            for (key, member) in members(Some(value)) {
                if !matches!(key.as_str(), "$ref" | "allOf") && !beside.contains_key(key) {
                    beside.insert(key.clone(), member.clone());
                }
            }
            seen.push(pointer);
            if seen.contains(&next) {
                return Err(format!("#{next}, which refers to itself"));
            }
            pointer = next;
        }
    }

    /// Like [`resolve`](Self::resolve), and reports what is missing.
    fn follow(&mut self, pointer: &str) -> Option<Resolved<'a>> {
        self.resolve(pointer).map_err(|target| self.missing(pointer, &target)).ok()
    }

    /// Like [`follow`](Self::follow), and marks the place whose value is missing.
    fn enter(&mut self, place: &Place, pointer: &str) -> Option<Resolved<'a>> {
        let resolved = self.follow(pointer);
        self.facts.subject(place).opaque |= resolved.is_none();
        resolved
    }

    /// Reports a value of another kind, which would otherwise read like an absent one.
    fn must_be(&mut self, pointer: &str, kind: fn(&Value) -> bool) {
        if self.at(pointer).is_some_and(|value| !kind(value)) {
            self.cannot_read(pointer, "OpenAPI requires a value of another kind here");
        }
    }

    fn missing(&mut self, pointer: &str, target: &str) {
        self.cannot_read(pointer, &format!("it refers to `{target}`, which doesn't exist"));
    }

    fn cannot_read(&mut self, pointer: &str, problem: &str) {
        let unreadable =
            Unreadable { line: (self.line)(pointer), problem: format!("#{pointer}: {problem}") };
        if !self.unreadable.contains(&unreadable) {
            self.unreadable.push(unreadable);
        }
    }
}

/// A security scheme in words: `bearer`, `header x-api-key`.
pub fn scheme(scheme: &Value) -> Option<String> {
    let word = |key: &str| scheme.get(key).and_then(Value::as_str);
    Some(match word("type")? {
        "http" => word("scheme")?.to_lowercase(),
        "apiKey" if word("in") == Some("header") => {
            format!("header {}", word("name")?.to_lowercase())
        }
        "apiKey" => format!("{} {}", word("in")?, word("name")?),
        other => other.to_owned(),
    })
}

/// A value as a page prints it: without quotes, commas and brackets.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.to_string(),
    }
}

/// A path or an operation without the names of the parameters in its path.
pub fn without_names(path: &str) -> String {
    let mut text = String::new();
    for (index, part) in path.split(['{', '}']).enumerate() {
        text += if index % 2 == 0 { part } else { "{}" };
    }
    text
}
