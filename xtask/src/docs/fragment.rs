//! YAML to paste into openapi.yaml, for what is new on a page of Markdown: a part of the page's document.

use crate::document::{
    Difference, Facts, Kind, Pointer, Spec, What, escape, members, unescape, write,
};
use crate::yaml;
use heck::{ToLowerCamelCase, ToUpperCamelCase};
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The text in the place of a description. `check` reports it.
pub const TO_DESCRIBE: &str = "to be described";

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
    page: &'a Facts,
    lines: Vec<&'a str>,
    /// The new operations by their paths.
    added: BTreeMap<&'a str, Vec<&'a Pointer>>,
    /// The pointers of the components of the spec, as they will be, and of those that fragments add, by what they state.
    known: BTreeMap<String, String>,
    /// The pointers in the spec of new components, by their origins on the page.
    new: BTreeMap<String, String>,
    /// The names of operations and the pointers of schemas, and the number of the last one that is called like it.
    taken: BTreeMap<String, usize>,
    /// The lines after which something can be pasted into what a pointer points to, and its margin.
    rooms: BTreeMap<String, Option<(u64, String)>>,
    pasted: Vec<Fragment>,
}

impl<'a> Fragments<'a> {
    pub(super) fn new(spec: &'a Spec, page: &'a Facts, differences: &'a [Difference]) -> Self {
        let components = spec.facts.map.iter().filter(|(_, fact)| {
            let origin = &fact.origin;
            origin.starts_with("/components/") && origin.matches('/').count() == 3
        });
        let places = components.filter(|(_, fact)| fact.value.is_none());
        let known =
            places.map(|(place, fact)| (stated(&spec.facts, place, place), fact.origin.clone()));
        let mut known: BTreeMap<_, _> = known.collect();
        let mut added = BTreeMap::<_, Vec<_>>::new();
        for Difference { place, what } in differences {
            match what {
                What::Added if place.is_operation() => {
                    added.entry(path(place)).or_default().push(place);
                }
                What::Moved { to } if to.kind() == Kind::Parameter => {
                    let origin = spec.facts.get(place).map_or("", |fact| &fact.origin);
                    if origin.starts_with("/components/") {
                        known.insert(stated(page, place, to), origin.to_owned());
                    }
                }
                _ => {}
            }
        }
        let ids = spec.facts.operations().filter_map(|it| spec.operation_id(it)).map(str::to_owned);
        let schemas = members(spec.value().pointer("/components/schemas"));
        let taken = ids.chain(schemas.map(|(name, _)| schema(name))).map(|name| (name, 1));
        Self {
            spec,
            page,
            lines: spec.text.lines().collect(),
            added,
            known,
            new: BTreeMap::new(),
            taken: taken.collect(),
            rooms: BTreeMap::new(),
            pasted: Vec::new(),
        }
    }

    /// What to paste for a difference; nothing if it is no addition, or if the page doesn't show it.
    pub(super) fn of(&mut self, difference: &Difference) -> Vec<Fragment> {
        let place = &difference.place;
        if difference.what != What::Added || self.page.is_folded(place) {
            return Vec::new();
        }
        if place.is_operation() {
            self.operation(place);
        } else {
            self.place(place);
        }
        std::mem::take(&mut self.pasted)
    }

    /// Pastes a place within an operation that the spec has.
    fn place(&mut self, place: &Pointer) {
        let owner = place.parent();
        let Some(base) = self.spec.facts.get(&owner).map(|fact| fact.origin.clone()) else {
            return;
        };
        let id = place.root().and_then(|root| self.spec.operation_id(&root));
        let name = id.filter(|_| place.kind() != Kind::Schema).unwrap_or_default();
        if place.is_property() && self.page.is(place, "required") {
            self.paste(&format!("{base}/required/-"), place.name().into());
        }
        let value = self.value(place, &name.to_upper_camel_case());
        let pointer = match place.kind() {
            Kind::Parameter => format!("{base}/parameters/-"),
            _ if place.alternative().is_some() => format!("{base}/{}/-", place.holder()),
            _ => format!("{base}{}", &place.0[owner.0.len()..]),
        };
        self.paste(&pointer, value);
    }

    /// Pastes a new operation: with the first one of a new path all that the path has.
    fn operation(&mut self, place: &Pointer) {
        let path = path(place);
        let is_known = self.spec.value().pointer(path).is_some();
        let together = if is_known { vec![place] } else { self.added[path].clone() };
        if together[0] != place {
            return;
        }
        let mut methods = json!({});
        for operation in together {
            let method = operation.holder();
            let id = self.operation_id(operation);
            let mut value = self.written(operation, &id.to_upper_camel_case());
            // The security of the spec applies; another one is a separate finding.
            value.as_object_mut().into_iter().for_each(|value| drop(value.remove("security")));
            value["operationId"] = id.into();
            let is_idempotent = ["get", "put", "delete"].contains(&&*method);
            value["x-idempotent"] = is_idempotent.then_some(true).into();
            methods[method] = value;
        }
        if is_known {
            self.paste(&place.0, methods[place.holder()].take());
        } else {
            self.paste(path, methods);
        }
    }

    /// The name of a new operation: that of the page, or one made of its method and path.
    fn operation_id(&mut self, operation: &Pointer) -> String {
        let (method, path) = operation.method_and_path().unwrap_or_default();
        let last = path.rsplit('/').find(|part| !part.starts_with('{')).unwrap_or_default();
        let method = if method == "POST" { "" } else { &*method.to_lowercase() };
        let made = format!("{method} {last}");
        let on_page =
            self.page.get(operation).and_then(|fact| fact.recorded.get("operationId")?.as_str());
        self.free(&on_page.unwrap_or(&made).to_lower_camel_case())
    }

    /// The name, or one like it that is not taken. It is taken then.
    fn free(&mut self, name: &str) -> String {
        let (mut free, mut number) = (name.to_owned(), self.taken.get(name).copied().unwrap_or(0));
        while self.taken.contains_key(&free) {
            number += 1;
            free = format!("{name}{number}");
        }
        self.taken.insert(free.clone(), 1);
        self.taken.insert(name.to_owned(), number.max(1));
        free
    }

    /// What the spec has for a place: a reference to a component that is equal, or to a new one, or the object itself.
    /// `name` is that of the operation, the body or the answer around it, which names its schema.
    fn value(&mut self, place: &Pointer, name: &str) -> Value {
        let kind = place.kind();
        let origin = self.page.get(place).map_or("", |fact| &fact.origin).to_owned();
        let component =
            origin.strip_prefix("/components/schemas/").filter(|name| !name.contains('/'));
        // A mere type deserves no name.
        let has_properties = self.page.children(place).any(Pointer::is_property);
        let is_shared = kind == Kind::Parameter || component.is_some() || has_properties;
        let stated = stated(self.page, place, place);
        if is_shared && let Some(pointer) = self.known.get(&stated) {
            return reference(pointer);
        }
        let own_name = component.map_or(Cow::Borrowed(name), unescape);
        if kind == Kind::Schema && is_shared && !own_name.is_empty() {
            // A schema may contain itself.
            if let Some(pointer) = self.new.get(&origin) {
                return reference(pointer);
            }
            let pointer = self.free(&schema(&own_name));
            self.new.insert(origin, pointer.clone());
            self.known.insert(stated, pointer.clone());
            let schema = self.written(place, "");
            self.paste(&pointer, schema);
            return reference(&pointer);
        }
        let mut value = self.written(place, name);
        if matches!(kind, Kind::Parameter | Kind::Answer | Kind::Header) || place.is_property() {
            value["description"] = TO_DESCRIBE.into();
        }
        value
    }

    fn written(&mut self, place: &Pointer, name: &str) -> Value {
        let name = match place.kind() {
            Kind::Body => format!("{name}Request"),
            Kind::Answer => format!("{name}Answer"),
            Kind::Schema => String::new(),
            _ => name.to_owned(),
        };
        write(self.page, place, &mut |inner| self.value(inner, &name))
    }

    /// Pastes a value at a pointer of which the spec has the beginning; `-` stands for a new item of a list. Does nothing if
    /// the spec writes what is around it on one line.
    fn paste(&mut self, mut at: &str, mut value: Value) {
        while self.spec.value().pointer(at).is_none() {
            let Some((outer, key)) = at.rsplit_once('/') else { return };
            value = if key == "-" { json!([value]) } else { json!({ unescape(key): value }) };
            at = outer;
        }
        if !self.rooms.contains_key(at) {
            let room = self.room(at);
            self.rooms.insert(at.to_owned(), room);
        }
        if let Some((after, margin)) = &self.rooms[at] {
            let yaml = yaml::write(&value);
            let yaml = yaml.lines().flat_map(|line| [margin, line, "\n"]).collect();
            self.pasted.push(Fragment { after: *after, yaml });
        }
    }

    /// The place before the first member of what is at a pointer, on the line after the key. An item of a list begins with
    /// its first member.
    fn room(&self, at: &str) -> Option<(u64, String)> {
        let value = self.spec.value().pointer(at)?;
        let inner: Vec<String> = match value {
            Value::Object(all) => all.keys().map(|key| escape(key).into_owned()).collect(),
            Value::Array(all) => (0..all.len()).map(|index| index.to_string()).collect(),
            _ => return None,
        };
        let line = |key: &String| self.spec.line(&format!("{at}/{key}"));
        let first = inner.iter().filter_map(line).min()?;
        let text = self.lines.get(usize::try_from(first).ok()?.checked_sub(1)?)?;
        let is_item = text.trim_start().starts_with("- ") && !value.is_array();
        if self.spec.line(at)? >= first && !is_item {
            return None;
        }
        let indent = text.len() - text.trim_start().len() + if is_item { 2 } else { 0 };
        Some((if is_item { first } else { first - 1 }, " ".repeat(indent)))
    }
}

/// The path of an operation, as a pointer.
fn path(operation: &Pointer) -> &str {
    operation.0.rsplit_once('/').unwrap_or_default().0
}

/// The pointer of a schema that is a component.
fn schema(name: &str) -> String {
    format!("/components/schemas/{}", escape(name))
}

fn reference(pointer: &str) -> Value {
    json!({ "$ref": format!("#{pointer}") })
}

/// What a component states if it is called like another place. A page may show no example, and whether a property is
/// required is no part of its schema.
fn stated(facts: &Facts, place: &Pointer, called: &Pointer) -> String {
    let is_schema = place.kind() == Kind::Schema;
    let all = facts.stated(place);
    let stated = all.lines().filter(|fact| {
        let (pointer, _) = fact.split_once('=').unwrap_or_default();
        !(pointer.ends_with("/example") || is_schema && pointer == "/required")
    });
    let name = called.last().filter(|_| !is_schema).map(|step| step.name.into_owned());
    name.iter().map(String::as_str).chain(stated).collect::<Vec<_>>().join("\n")
}
