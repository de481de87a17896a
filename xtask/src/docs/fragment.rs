//! YAML to paste into openapi.yaml, for what is new on a page of Markdown: a part of the page's document.

use crate::document::{
    Difference, Facts, Kind, Pointer, Spec, escape, inner, members, unescape, visit,
    without_sentences,
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

/// The components that are shared in the spec.
const SHARED: [(Kind, &str); 2] =
    [(Kind::Schema, "/components/schemas"), (Kind::Parameter, "/components/parameters")];

/// A piece of openapi.yaml.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fragment {
    /// The line after which it stands.
    pub after: u64,
    pub yaml: String,
}

/// The fragments for the differences of one page.
pub(super) struct Fragments<'a> {
    spec: &'a Spec,
    page: &'a Page,
    differences: &'a [Difference],
    /// The components of the spec, and those that fragments add, by pointer, without sentences.
    known: RefCell<BTreeMap<String, Value>>,
    /// Where components of the page are in the spec.
    names: RefCell<BTreeMap<String, String>>,
}

impl<'a> Fragments<'a> {
    pub(super) fn new(spec: &'a Spec, page: &'a Page, differences: &'a [Difference]) -> Self {
        let known = SHARED.into_iter().flat_map(|(kind, group)| {
            members(spec.value().pointer(group))
                .map(move |(name, value)| (format!("{group}/{}", escape(name)), bare(value, kind)))
        });
        let (known, names) = (RefCell::new(known.collect()), RefCell::default());
        Self { spec, page, differences, known, names }
    }

    /// What to paste for a difference; nothing if it is no addition, or if the page doesn't show it.
    pub(super) fn of(&self, difference: &Difference) -> Vec<Fragment> {
        let mut writer = Writer { fragments: self, pasted: Vec::new() };
        match difference {
            Difference::Added { place } if self.page.facts.is_folded(place) => {}
            Difference::Added { place } if place.is_operation() => writer.operation(place),
            Difference::Added { place } => writer.place(place),
            _ => {}
        }
        writer.pasted
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

    /// The pointer of the component of the spec that is equal to a part of the page, or that has become this parameter.
    fn equal(&self, value: &Value, kind: Kind) -> Option<String> {
        let is_same = |to: &Pointer| {
            let within = to.sent_in().map(|within| within.to_string());
            kind == Kind::Parameter
                && within.as_deref() == value["in"].as_str()
                && to.name().as_deref() == value["name"].as_str()
        };
        let moved = self.differences.iter().find_map(|difference| match difference {
            Difference::Moved { place, to } if is_same(to) => Some(place),
            _ => None,
        });
        let origin = moved.and_then(|place| Some(self.spec.facts.get(place)?.origin.clone()));
        let (own, known) = (bare(value, kind), self.known.borrow());
        let equal = || known.iter().find(|(_, other)| **other == own).map(|(it, _)| it.clone());
        origin.filter(|origin| known.contains_key(origin)).or_else(equal)
    }

    /// The value at a pointer of which the spec has the beginning; `-` stands for a new item of a list. Returns `None` if
    /// the spec writes what is around it on one line.
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
        let mut pointer = format!("{base}{rest}");
        let kind = place.kind();
        if kind == Kind::Parameter {
            pointer = format!("{base}/parameters/-");
        } else if place.is_property() && page.facts.is(place, "required") {
            self.paste(&format!("{base}/required/-"), place.name().into(), Kind::Keyword);
        } else if place.0.trim_end_matches(char::is_numeric).ends_with("Of/") {
            pointer = format!("{base}/{}/-", place.holder());
        }
        let id = place.root().and_then(|root| spec.operation_id(&root).map(str::to_owned));
        let name = if kind == Kind::Schema { String::new() } else { id.unwrap_or_default() };
        self.reuse(&mut value, kind, &name.to_upper_camel_case());
        if place.is_property() && value.get("$ref").is_none() {
            value["description"] = TO_DESCRIBE.into();
        }
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
            // The security of the spec applies; another one is a separate finding.
            value.remove("security");
            let method = operation.holder();
            let name = self.fragments.operation_id(operation, value.get("operationId"));
            let is_idempotent = ["get", "put", "delete"].contains(&&*method);
            value.insert("operationId".to_owned(), name.as_str().into());
            value.insert("x-idempotent".to_owned(), is_idempotent.then_some(true).into());
            let mut value = value.into();
            self.reuse(&mut value, Kind::Operation, &name.to_upper_camel_case());
            methods.insert(method, value);
        }
        if is_known {
            let operation = methods.remove(&place.holder()).unwrap_or_default();
            self.paste(&place.0, operation, Kind::Operation);
        } else {
            self.paste(&path, methods.into(), Kind::Path);
        }
    }

    /// Replaces what the spec has as a component by references to it, from the inside out. `name` is that of the operation,
    /// the body or the answer around it, which names its schema.
    fn reuse(&mut self, value: &mut Value, kind: Kind, name: &str) {
        let fragments = self.fragments;
        if let Some(Value::String(target)) = value.get("$ref") {
            let target = target.trim_start_matches('#').to_owned();
            let found = fragments.page.document.pointer(&target).cloned().unwrap_or_default();
            let known = fragments.names.borrow().get(&target).cloned();
            if let (Kind::Schema, None) = (kind, &known) {
                // A schema may contain itself.
                fragments.names.borrow_mut().insert(target.clone(), target.clone());
                let mut schema = found;
                self.inside(&mut schema, kind, "");
                let name = unescape(target.rsplit('/').next().unwrap_or_default()).into_owned();
                let pointer = self.component(schema, &name);
                *value = reference(&pointer);
                fragments.names.borrow_mut().insert(target, pointer);
            } else if let Some(pointer) = known {
                *value = reference(&pointer);
            } else {
                *value = found;
                self.reuse(value, kind, name);
            }
            return;
        }
        self.inside(value, kind, name);
        // A mere type deserves no name.
        let is_shared =
            kind == Kind::Parameter || value.get("properties").is_some_and(Value::is_object);
        if let Some(pointer) = fragments.equal(value, kind).filter(|_| is_shared) {
            *value = reference(&pointer);
        } else if kind == Kind::Schema && is_shared && !name.is_empty() {
            *value = reference(&self.component(value.take(), name));
        }
    }

    fn inside(&mut self, value: &mut Value, kind: Kind, name: &str) {
        let name = match kind {
            Kind::Body => format!("{name}Request"),
            Kind::Answer => format!("{name}Answer"),
            Kind::Schema => String::new(),
            _ => name.to_owned(),
        };
        for (kind, member) in value.as_object_mut().into_iter().flat_map(|all| inner(kind, all)) {
            self.reuse(member, kind, &name);
        }
    }

    /// The pointer of a schema of the spec that is equal, or of a new one with this name.
    fn component(&mut self, schema: Value, name: &str) -> String {
        if let Some(pointer) = self.fragments.equal(&schema, Kind::Schema) {
            return pointer;
        }
        let pointer = |name: &str| format!("/components/schemas/{}", escape(name));
        let name = {
            let known = self.fragments.known.borrow();
            free(name, |name| known.contains_key(&pointer(name)))
        };
        let mut known = self.fragments.known.borrow_mut();
        known.insert(pointer(&name), bare(&schema, Kind::Schema));
        self.paste(&pointer(&name), schema, Kind::Schema);
        pointer(&name)
    }

    fn paste(&mut self, pointer: &str, mut value: Value, kind: Kind) {
        visit(&mut value, kind, &mut |kind, object| {
            if matches!(kind, Kind::Parameter | Kind::Answer | Kind::Header) {
                object.insert("description".to_owned(), TO_DESCRIBE.into());
            }
            let properties = object.get_mut("properties").filter(|_| kind == Kind::Schema);
            for (_, property) in properties.and_then(Value::as_object_mut).into_iter().flatten() {
                property["description"] = TO_DESCRIBE.into();
            }
        });
        // What is described stands elsewhere.
        visit(&mut value, kind, &mut |_, object| {
            if object.contains_key("$ref") {
                object.remove("description");
            }
        });
        self.pasted.extend(self.fragments.paste(pointer, value));
    }
}

fn reference(pointer: &str) -> Value {
    json!({ "$ref": format!("#{pointer}") })
}

/// The name, or one like it that is not taken.
fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}{number}"));
    let mut names = [name.to_owned()].into_iter().chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_default()
}

/// What a component states. A page may show no example, and what isn't required is optional.
fn bare(value: &Value, kind: Kind) -> Value {
    let mut bare = value.clone();
    without_sentences(&mut bare, kind);
    visit(&mut bare, kind, &mut |_, object| {
        object.retain(|key, value| key != "example" && (key != "required" || *value != false));
    });
    bare
}
