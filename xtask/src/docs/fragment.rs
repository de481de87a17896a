//! YAML to paste into openapi.yaml, for what is new on a page of Markdown: a part of the page's document.

use crate::document::{
    Difference, Fact, Facts, Kind, Pointer, Spec, What, escape, unescape, write,
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
    differences: &'a [Difference],
    /// The pointers of the components of the spec, and of those that fragments add, by what they state.
    known: BTreeMap<String, String>,
    /// The pointers in the spec of new components, by their origins on the page.
    new: BTreeMap<String, String>,
    pasted: Vec<Fragment>,
}

impl<'a> Fragments<'a> {
    pub(super) fn new(spec: &'a Spec, page: &'a Facts, differences: &'a [Difference]) -> Self {
        let (known, new, pasted) = Default::default();
        Self { spec, page, differences, known, new, pasted }
    }

    /// What to paste for a difference; nothing if it is no addition, or if the page doesn't show it.
    pub(super) fn of(&mut self, difference: &Difference) -> Vec<Fragment> {
        let place = &difference.place;
        if difference.what != What::Added || self.page.is_folded(place) {
            return Vec::new();
        }
        if self.known.is_empty() {
            let components = self.spec.facts.map.iter().filter(|(_, fact)| {
                let origin = &fact.origin;
                origin.starts_with("/components/") && origin.matches('/').count() == 3
            });
            let places = components.filter(|(_, fact)| fact.value.is_none());
            let known = |(place, fact): (&Pointer, &Fact)| {
                (stated(&self.spec.facts, place), fact.origin.clone())
            };
            self.known = places.map(known).collect();
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
        let path = |place: &Pointer| place.0.rsplit_once('/').unwrap_or_default().0.to_owned();
        let is_known = self.spec.value().pointer(&path(place)).is_some();
        let added = self.differences.iter().filter(|it| it.what == What::Added).map(|it| &it.place);
        let is_together = |other: &&Pointer| {
            *other == place || !is_known && other.is_operation() && path(other) == path(place)
        };
        let together: Vec<&Pointer> = added.filter(is_together).collect();
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
            self.paste(&path(place), methods);
        }
    }

    /// The name of a new operation: that of the page, or one made of its method and path.
    fn operation_id(&self, operation: &Pointer) -> String {
        let (method, path) = operation.method_and_path().unwrap_or_default();
        let last = path.rsplit('/').find(|part| !part.starts_with('{')).unwrap_or_default();
        let method = if method == "POST" { "" } else { &*method.to_lowercase() };
        let made = format!("{method} {last}");
        let on_page =
            self.page.get(operation).and_then(|fact| fact.recorded.get("operationId")?.as_str());
        let operations = self.spec.facts.operations();
        let taken: Vec<&str> = operations.filter_map(|it| self.spec.operation_id(it)).collect();
        free(&on_page.unwrap_or(&made).to_lower_camel_case(), |name| taken.contains(&name))
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
        if let Some(pointer) = self.equal(place).filter(|_| is_shared) {
            return reference(&pointer);
        }
        let own_name = component.map_or(Cow::Borrowed(name), unescape);
        if kind == Kind::Schema && is_shared && !own_name.is_empty() {
            // A schema may contain itself.
            if let Some(pointer) = self.new.get(&origin) {
                return reference(pointer);
            }
            let pointer = |name: &str| format!("/components/schemas/{}", escape(name));
            let taken = |name: &str| {
                self.spec.value().pointer(&pointer(name)).is_some()
                    || self.new.values().any(|new| *new == pointer(name))
            };
            let pointer = pointer(&free(&own_name, taken));
            self.new.insert(origin, pointer.clone());
            self.known.insert(stated(self.page, place), pointer.clone());
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

    /// The pointer of the component of the spec that is equal to a place of the page, or that has become this parameter.
    fn equal(&self, place: &Pointer) -> Option<String> {
        let last = |place: &Pointer| place.last().map(|step| step.name.into_owned());
        let moved =
            self.differences.iter().find_map(|Difference { place: from, what }| match what {
                What::Moved { to } if to.kind() == Kind::Parameter && last(to) == last(place) => {
                    Some(&self.spec.facts.get(from)?.origin)
                }
                _ => None,
            });
        let component = moved.filter(|origin| origin.starts_with("/components/"));
        component.or_else(|| self.known.get(&stated(self.page, place))).cloned()
    }

    /// Pastes a value at a pointer of which the spec has the beginning; `-` stands for a new item of a list. Does nothing if
    /// the spec writes what is around it on one line.
    fn paste(&mut self, pointer: &str, value: Value) {
        self.pasted.extend(fragment(self.spec, pointer, value));
    }
}

fn fragment(spec: &Spec, mut at: &str, mut value: Value) -> Option<Fragment> {
    while spec.value().pointer(at).is_none() {
        let (outer, key) = at.rsplit_once('/')?;
        value = if key == "-" { json!([value]) } else { json!({ unescape(key): value }) };
        at = outer;
    }
    let inner: Vec<String> = match spec.value().pointer(at)? {
        Value::Object(all) => all.keys().map(|key| escape(key).into_owned()).collect(),
        Value::Array(all) => (0..all.len()).map(|index| index.to_string()).collect(),
        _ => return None,
    };
    // Before the first member, on the line after the key. An item of a list begins with its first member.
    let first = inner.iter().filter_map(|key| spec.line(&format!("{at}/{key}"))).min()?;
    let text = spec.text.lines().nth(usize::try_from(first).ok()?.checked_sub(1)?)?;
    let is_item = text.trim_start().starts_with("- ") && !value.is_array();
    if spec.line(at)? >= first && !is_item {
        return None;
    }
    let indent = text.len() - text.trim_start().len() + if is_item { 2 } else { 0 };
    let margin = " ".repeat(indent);
    let yaml = yaml::write(&value);
    let yaml = yaml.lines().flat_map(|line| [&margin, line, "\n"]).collect();
    Some(Fragment { after: if is_item { first } else { first - 1 }, yaml })
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

/// What a component states. A page may show no example, and whether a property is required is no part of its schema.
fn stated(facts: &Facts, place: &Pointer) -> String {
    let is_schema = place.kind() == Kind::Schema;
    let all = facts.stated(place);
    let stated = all.lines().filter(|fact| {
        let (pointer, _) = fact.split_once('=').unwrap_or_default();
        !(pointer.ends_with("/example") || is_schema && pointer == "/required")
    });
    let name = place.last().filter(|_| !is_schema).map(|step| step.name.into_owned());
    name.iter().map(String::as_str).chain(stated).collect::<Vec<_>>().join("\n")
}
