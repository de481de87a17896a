//! YAML to paste into openapi.yaml, for what is new on a page of Markdown: a part of the page's document.

use crate::document::{
    Difference, Facts, Kind, Pointer, Spec, escape, flatten_schema, members, plain, unescape, visit,
};
use crate::page::Page;
use crate::yaml;
use heck::{ToLowerCamelCase, ToUpperCamelCase};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The text in the place of a description. `check` reports it.
pub const TO_DESCRIBE: &str = "to be described";

const SCHEMAS: &str = "/components/schemas";

/// A piece of openapi.yaml.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fragment {
    /// The line after which it stands.
    pub after: u64,
    pub yaml: String,
}

/// What a schema states, wherever it stands.
type Stated = BTreeMap<Pointer, Value>;

/// The fragments for the differences of one page.
pub(super) struct Fragments<'a> {
    spec: &'a Spec,
    page: &'a Page,
    differences: &'a [Difference],
    /// The schemas of the spec, and those that fragments add, by name.
    schemas: RefCell<Vec<(String, Stated)>>,
}

impl<'a> Fragments<'a> {
    pub(super) fn new(spec: &'a Spec, page: &'a Page, differences: &'a [Difference]) -> Self {
        let is_addition = |it: &Difference| matches!(it, Difference::Added { .. });
        // Without additions none is needed.
        let names = members(spec.value().pointer(SCHEMAS)).map(|(name, _)| name);
        let names = names.filter(|_| differences.iter().any(is_addition));
        let schemas = names.map(|name| (name.clone(), stated(spec.value(), &reference(name))));
        Self { spec, page, differences, schemas: RefCell::new(schemas.collect()) }
    }

    /// What to paste for a difference; nothing if it is no addition, or if the page doesn't show it.
    pub(super) fn of(&self, difference: &Difference) -> Vec<Fragment> {
        match difference {
            Difference::Added { place } if !self.page.facts.is_folded(place) => {
                let operation = place.root().unwrap_or_default();
                let mut writer = Writer { fragments: self, operation, pasted: Vec::new() };
                if place.is_operation() {
                    writer.operation(place);
                } else {
                    writer.place(place);
                }
                writer.pasted
            }
            _ => Vec::new(),
        }
    }

    /// The name of a new operation: that of the page, or one made of its method and path.
    fn operation_id(&self, operation: &Pointer, on_page: Option<&Value>) -> String {
        let (method, path) = operation.method_and_path().unwrap_or_default();
        let last = path.rsplit('/').find(|part| !part.starts_with('{')).unwrap_or_default();
        let method = if method == "POST" { "" } else { &*method.to_lowercase() };
        let made = format!("{method} {last}");
        let name = on_page.and_then(Value::as_str).unwrap_or(&made).to_lower_camel_case();
        let operations = self.spec.facts.operations();
        let taken: Vec<&str> = operations.filter_map(|it| self.spec.operation_id(it)).collect();
        free(&name, |name| taken.contains(&name))
    }

    /// A reference to a parameter of the spec that is the same as that of the page, or has become it.
    fn parameter(&self, place: &Pointer) -> Option<Value> {
        let spec = &self.spec.facts;
        let is_same = |other: &Pointer| {
            other.sent_in() == place.sent_in()
                && other.name().map(|name| name.to_lowercase())
                    == place.name().map(|name| name.to_lowercase())
        };
        let moved = self.differences.iter().find_map(|difference| match difference {
            Difference::Moved { place, to } if is_same(to) => Some(place),
            _ => None,
        });
        let stated = |facts: &Facts, place: &Pointer| {
            let within = facts.within(place).filter(|(inner, _)| inner.holder() != "example");
            within
                .map(|(inner, fact)| (inner.moved(place, &Pointer::default()), fact.value.clone()))
                .collect::<Vec<_>>()
        };
        let own = stated(&self.page.facts, place);
        let mut all = spec.operations().flat_map(|operation| spec.parameters(operation));
        let same = || all.find(|other| is_same(other) && stated(spec, other) == own);
        let origin = &spec.get(moved.or_else(same)?)?.origin;
        origin.starts_with("/components/").then(|| json!({ "$ref": format!("#{origin}") }))
    }

    /// The value at a pointer, of which the spec has a part; `-` is a new item of a list. `None` if the spec has that
    /// part on one line with something else.
    fn paste(&self, pointer: &str, value: Value) -> Option<Fragment> {
        let (document, mut at, mut value) = (self.spec.value(), pointer, value);
        while document.pointer(at).is_none() {
            let (outer, key) = at.rsplit_once('/')?;
            value = if key == "-" { json!([value]) } else { json!({ unescape(key): value }) };
            at = outer;
        }
        let inner: Vec<String> = match document.pointer(at)? {
            Value::Object(all) => all.keys().map(|key| escape(key).into_owned()).collect(),
            Value::Array(all) => (0..all.len()).map(|index| index.to_string()).collect(),
            _ => return None,
        };
        // Before the first member, on the line after the key. An item of a list begins with its first member.
        let first = inner.iter().filter_map(|key| self.spec.line(&format!("{at}/{key}"))).min()?;
        let text = self.spec.text.lines().nth(usize::try_from(first).ok()?.checked_sub(1)?)?;
        let is_item = text.trim_start().starts_with("- ") && !value.is_array();
        if self.spec.line(at)? >= first && !is_item {
            return None;
        }
        let indent = text.len() - text.trim_start().len() + if is_item { 2 } else { 0 };
        let margin = " ".repeat(indent);
        let yaml = yaml::write(&value);
        let yaml = yaml.lines().flat_map(|line| [&margin, line, "\n"]).collect();
        Some(Fragment { after: if is_item { first } else { first - 1 }, yaml })
    }
}

/// Writes parts of the page's document for the spec, and the schemas that they refer to.
struct Writer<'a> {
    fragments: &'a Fragments<'a>,
    operation: Pointer,
    pasted: Vec<Fragment>,
}

impl Writer<'_> {
    /// Pastes a place within an operation that the spec has.
    fn place(&mut self, place: &Pointer) {
        let Fragments { spec, page, .. } = self.fragments;
        let owner = place.parent();
        let origin = |facts: &Facts, place| facts.get(place).map(|fact| fact.origin.clone());
        let Some(base) = origin(&spec.facts, &owner) else { return };
        // Where the page's document has it, before references are followed.
        let rest = &place.0[owner.0.len()..];
        let on_page = origin(&page.facts, &owner).map(|origin| origin + rest);
        let on_page = on_page.filter(|raw| page.document.pointer(raw).is_some());
        let Some(on_page) = on_page.or_else(|| origin(&page.facts, place)) else { return };
        let Some(mut value) = page.document.pointer(&on_page).cloned() else { return };
        let kind = place.kind();
        let mut pointer = format!("{base}{rest}");
        let mut name = String::new();
        match kind {
            Kind::Parameter => {
                pointer = format!("{base}/parameters/-");
                value = self.fragments.parameter(place).unwrap_or(value);
            }
            Kind::Schema if place.is_property() => {
                if page.facts.is(place, "required") {
                    let pointer = format!("{base}/required/-");
                    self.paste(&pointer, place.name().into(), Kind::Keyword);
                }
                if value.get("$ref").is_none() {
                    value["description"] = TO_DESCRIBE.into();
                }
            }
            // An alternative.
            Kind::Schema if rest.matches('/').count() == 2 => {
                pointer = format!("{base}/{}/-", place.holder());
            }
            Kind::Body | Kind::Answer | Kind::Media => {
                let id = place.root().and_then(|root| Some(spec.operation_id(&root)?.to_owned()));
                let suffix = if place.is_in_answer() { "Answer" } else { "Request" };
                name = id.unwrap_or_default().to_upper_camel_case() + suffix;
            }
            _ => {}
        }
        self.reuse(&mut value, &name);
        self.paste(&pointer, value, kind);
    }

    /// Pastes a new operation: with the first one of a new path all that the path has.
    fn operation(&mut self, place: &Pointer) {
        let Fragments { spec, page, differences, .. } = self.fragments;
        let item = |place: &Pointer| place.0.rsplit_once('/').unwrap_or_default().0.to_owned();
        let path = item(place);
        let is_known = spec.value().pointer(&path).is_some();
        let together = differences.iter().filter_map(|difference| match difference {
            Difference::Added { place } if place.is_operation() => Some(place),
            _ => None,
        });
        let together =
            together.filter(|other| *other == place || (!is_known && item(other) == path));
        let mut methods = Map::new();
        for operation in together {
            if methods.is_empty() && operation != place {
                return;
            }
            let value = page.document.pointer(&operation.0).and_then(Value::as_object);
            let Some(mut value) = value.cloned() else { return };
            self.operation.clone_from(operation);
            // The security of the spec applies; another one is a separate finding.
            value.remove("security");
            let method = operation.holder();
            let name = self.fragments.operation_id(operation, value.get("operationId"));
            let is_idempotent = ["get", "put", "delete"].contains(&&*method);
            value.insert("operationId".to_owned(), name.as_str().into());
            value.insert("x-idempotent".to_owned(), is_idempotent.then_some(true).into());
            let mut value = value.into();
            self.reuse(&mut value, &name.to_upper_camel_case());
            methods.insert(method, value);
        }
        if is_known {
            let operation = methods.remove(&place.holder()).unwrap_or_default();
            self.paste(&place.0, operation, Kind::Operation);
        } else {
            self.paste(&path, methods.into(), Kind::Path);
        }
    }

    /// Replaces references, and schemas that have a name in the spec, by references to what the spec has. Of components,
    /// only parameters and schemas are shared in the spec. `name` is that of a schema that is neither.
    fn reuse(&mut self, value: &mut Value, name: &str) {
        let page = self.fragments.page;
        if let Some(Value::String(target)) = value.get("$ref") {
            let target = target.trim_start_matches('#').to_owned();
            let found = page.document.pointer(&target).cloned().unwrap_or_default();
            if target.starts_with(SCHEMAS) {
                let own = target.rsplit('/').next().unwrap_or_default();
                *value = self.schema(value, found, &unescape(own));
            } else {
                let key = format!("{} {}", plain(&found["in"]), plain(&found["name"]));
                let place = self.operation.then(&["parameters", &key]);
                *value = self.fragments.parameter(&place).unwrap_or(found);
                if value.get("$ref").is_none() {
                    self.reuse(value, name);
                }
            }
        } else if value.get("properties").is_some_and(Value::is_object) {
            // A mere type deserves no name.
            let found = value.take();
            *value = self.schema(&found.clone(), found, name);
        } else {
            self.members(value, name);
        }
    }

    fn members(&mut self, value: &mut Value, name: &str) {
        match value {
            Value::Array(all) => all.iter_mut().for_each(|item| self.reuse(item, "")),
            Value::Object(all) => {
                for (keyword, member) in all {
                    // The schema of a body or an answer has a name in the spec.
                    let name = match keyword.as_str() {
                        "requestBody" => format!("{name}Request"),
                        "responses" => format!("{name}Answer"),
                        "properties" | "items" | "additionalProperties" => String::new(),
                        _ => name.to_owned(),
                    };
                    self.reuse(member, &name);
                }
            }
            _ => {}
        }
    }

    /// A schema of the page: a reference to the equal one of the spec or of a fragment, or to a new one of this name. It
    /// stays where it is if it has no name.
    fn schema(&mut self, stands: &Value, mut schema: Value, name: &str) -> Value {
        let own = stated(&self.fragments.page.document, stands);
        let known = self.fragments.schemas.borrow().iter().find(|(_, it)| *it == own).cloned();
        if let Some((name, _)) = known {
            return reference(&name);
        }
        if name.is_empty() {
            self.members(&mut schema, "");
            return schema;
        }
        let name = {
            // It is noted before what is within it refers to it.
            let mut all = self.fragments.schemas.borrow_mut();
            let name = free(name, |name| all.iter().any(|(other, _)| other == name));
            all.push((name.clone(), own));
            name
        };
        self.members(&mut schema, "");
        self.paste(&format!("{SCHEMAS}/{}", escape(&name)), schema, Kind::Schema);
        reference(&name)
    }

    fn paste(&mut self, pointer: &str, mut value: Value, kind: Kind) {
        describe(&mut value, kind);
        self.pasted.extend(self.fragments.paste(pointer, value));
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#{SCHEMAS}/{}", escape(name)) })
}

/// The name, or one like it that is not taken.
fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}{number}"));
    let mut names = [name.to_owned()].into_iter().chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_default()
}

/// What a schema of a document states. A page may show no example.
fn stated(document: &Value, schema: &Value) -> Stated {
    let facts = flatten_schema(document, schema).map.into_iter();
    let facts = facts.filter(|(pointer, _)| pointer.holder() != "example");
    facts.filter_map(|(pointer, fact)| Some((pointer, fact.value?))).collect()
}

/// Adds descriptions, to be written.
fn describe(value: &mut Value, kind: Kind) {
    visit(value, kind, &mut |kind, object| {
        if matches!(kind, Kind::Parameter | Kind::Answer | Kind::Header)
            && !object.contains_key("$ref")
        {
            object.insert("description".to_owned(), TO_DESCRIBE.into());
        }
        let properties = object.get_mut("properties").filter(|_| kind == Kind::Schema);
        for property in
            properties.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
        {
            if property.get("$ref").is_none() {
                property["description"] = TO_DESCRIBE.into();
            }
        }
    });
}
