//! YAML to paste into openapi.yaml, for what is new on a page of Markdown.

use crate::document::{
    Difference, Facts, Kind, Pointer, Spec, escape, flatten_schema, members, plain, visit,
};
use crate::page::Page;
use crate::yaml;
use heck::{ToLowerCamelCase, ToUpperCamelCase};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

/// The text in the place of a description. `check` reports it.
pub const TO_DESCRIBE: &str = "to be described";

const SCHEMAS: &str = "/components/schemas";

/// A new item of a list, as in RFC 6901.
const LAST: &str = "-";

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
    schemas: OnceCell<RefCell<Vec<(String, Stated)>>>,
}

impl<'a> Fragments<'a> {
    pub(super) fn new(spec: &'a Spec, page: &'a Page, differences: &'a [Difference]) -> Self {
        Self { spec, page, differences, schemas: OnceCell::new() }
    }

    /// What to paste for a difference; nothing if it is no addition, or if the page doesn't show it.
    pub(super) fn of(&self, difference: &Difference) -> Vec<Fragment> {
        match difference {
            Difference::Added { place } if !self.page.facts.is_folded(place) => {
                self.added(place).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn added(&self, place: &Pointer) -> Option<Vec<Fragment>> {
        if place.is_operation() {
            return self.path(place);
        }
        let owner = place.parent();
        let base = &self.spec.facts.get(&owner)?.origin;
        let mut writer = Writer { fragments: self, operation: place.root()?, added: Map::new() };
        let mut value = writer.write(&self.origin_on_page(place)?);
        let mut path = place.segments_after(&owner);
        let mut pasted = Vec::new();
        match place.kind() {
            Kind::Parameter => {
                path = vec!["parameters".to_owned(), LAST.to_owned()];
                value = self.parameter(place).unwrap_or(value);
            }
            Kind::Schema if path.len() == 2 && path[0] != "properties" => {
                LAST.clone_into(&mut path[1]);
            }
            Kind::Schema if self.page.facts.is(place, "required") => {
                let list = ["required".to_owned(), LAST.to_owned()];
                pasted.extend(self.paste(base, &list, json!(place.name()?), Kind::Keyword));
            }
            _ => {}
        }
        if place.is_property() && value.get("$ref").is_none() {
            value["description"] = TO_DESCRIBE.into();
        }
        pasted.extend(self.paste(base, &path, value, place.kind()));
        pasted.extend(writer.schemas());
        Some(pasted)
    }

    /// The operations of a new path together, with the first of them, or the new operation of a known one.
    fn path(&self, place: &Pointer) -> Option<Vec<Fragment>> {
        let (_, path) = place.method_and_path()?;
        let item = |place: &Pointer| place.0.rsplit_once('/').map(|(item, _)| item.to_owned());
        let is_known = self.spec.value().pointer(&item(place)?).is_some();
        let added = self.differences.iter().filter_map(|difference| match difference {
            Difference::Added { place } if place.is_operation() => Some(place),
            _ => None,
        });
        let together = added
            .filter(|other| if is_known { *other == place } else { item(other) == item(place) });
        let together: Vec<&Pointer> = together.collect();
        if together.first() != Some(&place) {
            return None;
        }
        let (mut methods, mut pasted) = (Map::new(), Vec::new());
        for operation in together {
            let mut writer =
                Writer { fragments: self, operation: operation.clone(), added: Map::new() };
            let mut value = writer.write(&self.page.facts.get(operation)?.origin);
            // The security of the spec applies; another one is a separate finding.
            value.as_object_mut()?.remove("security");
            value["operationId"] = self.name(operation).into();
            let idempotent = ["get", "put", "delete"].contains(&&*operation.holder());
            value["x-idempotent"] = if idempotent { true.into() } else { Value::Null };
            describe(&mut value, Kind::Operation);
            pasted.extend(writer.schemas());
            methods.insert(operation.holder(), value);
        }
        let at = ["paths".to_owned(), path];
        if is_known {
            let (method, value) = methods.into_iter().next()?;
            pasted
                .insert(0, self.paste("", &[&at[..], &[method]].concat(), value, Kind::Operation)?);
        } else {
            pasted.insert(0, self.paste("", &at, methods.into(), Kind::Path)?);
        }
        Some(pasted)
    }

    /// Where the page's document has a place, before references are followed.
    fn origin_on_page(&self, place: &Pointer) -> Option<String> {
        let owner = place.parent();
        let around = self.page.facts.get(&owner).filter(|_| place.kind() == Kind::Schema);
        let raw = around.map(|fact| {
            let rest = place.segments_after(&owner);
            rest.iter().fold(fact.origin.clone(), |text, part| format!("{text}/{}", escape(part)))
        });
        let raw = raw.filter(|raw| self.page.document.pointer(raw).is_some());
        raw.or_else(|| Some(self.page.facts.get(place)?.origin.clone()))
    }

    /// The name of a new operation: that of the page, or one made of its method and path.
    fn name(&self, place: &Pointer) -> String {
        let spec = self.spec;
        let on_page = self.page.facts.get(place).and_then(|fact| {
            self.page.document.pointer(&fact.origin)?.get("operationId")?.as_str()
        });
        let (method, path) = place.method_and_path().unwrap_or_default();
        let last = path.rsplit('/').find(|part| !part.starts_with('{')).unwrap_or_default();
        let made = if method == "POST" {
            last.to_owned()
        } else {
            format!("{} {last}", method.to_lowercase())
        };
        let name = on_page.map_or(made, str::to_owned).to_lower_camel_case();
        let taken: Vec<&str> =
            spec.facts.operations().filter_map(|it| spec.operation_id(it)).collect();
        free(&name, |name| taken.contains(&name))
    }

    /// A reference to a parameter of the spec that is the same, or that has become it.
    fn parameter(&self, place: &Pointer) -> Option<Value> {
        let spec = &self.spec.facts;
        let tail = |place: &Pointer| place.last().map(|step| step.name.to_lowercase());
        let moved = self.differences.iter().find_map(|difference| match difference {
            Difference::Moved { place: from, to } if tail(to) == tail(place) => Some(from),
            _ => None,
        });
        let stated = |facts: &Facts, place: &Pointer| {
            let within = facts.within(place).filter(|(inner, _)| inner.holder() != "example");
            within
                .map(|(inner, fact)| (inner.moved(place, &Pointer::default()), fact.value.clone()))
                .collect::<Vec<_>>()
        };
        let own = stated(&self.page.facts, place);
        let same = || {
            let all = spec.operations().flat_map(|operation| spec.parameters(operation));
            all.filter(|other| tail(other) == tail(place)).find(|other| stated(spec, other) == own)
        };
        let origin = &spec.get(moved.or_else(same)?)?.origin;
        origin.starts_with("/components/").then(|| json!({ "$ref": format!("#{origin}") }))
    }

    fn schemas(&self) -> &RefCell<Vec<(String, Stated)>> {
        self.schemas.get_or_init(|| {
            let names = members(self.spec.value().pointer(SCHEMAS)).map(|(name, _)| name);
            let all = names.map(|name| {
                let origin = format!("{SCHEMAS}/{}", escape(name));
                (name.clone(), stated(self.spec.value(), &origin))
            });
            RefCell::new(all.collect())
        })
    }

    /// A reference to the schema of the spec, or of a fragment, that equals the one at `origin` of the page's document.
    fn known(&self, origin: &str) -> Option<Value> {
        // A mere type deserves no name.
        self.page.document.pointer(origin)?.get("properties")?;
        let own = stated(&self.page.document, origin);
        let known = self.schemas().borrow();
        let (name, _) = known.iter().find(|(_, other)| *other == own)?;
        Some(json!({ "$ref": format!("#{SCHEMAS}/{name}") }))
    }

    /// The value below what the spec has of the path; `-` is a new item of a list. `None` if the spec has that on one
    /// line with something else.
    fn paste(&self, base: &str, path: &[String], mut value: Value, kind: Kind) -> Option<Fragment> {
        describe(&mut value, kind);
        let document = self.spec.value();
        let (mut at, mut rest) = (base.to_owned(), path);
        while let [first, others @ ..] = rest {
            let inner = format!("{at}/{}", escape(first));
            if document.pointer(&inner).is_none() {
                break;
            }
            (at, rest) = (inner, others);
        }
        let nested = rest.iter().rev().fold(value, |value, key| match key.as_str() {
            LAST => json!([value]),
            key => json!({ key: value }),
        });
        let inner: Vec<String> = match document.pointer(&at)? {
            Value::Object(all) => all.keys().map(|key| escape(key).into_owned()).collect(),
            Value::Array(all) => (0..all.len()).map(|index| index.to_string()).collect(),
            _ => return None,
        };
        // Before the first member, on the line after the key. An item of a list begins with its first member.
        let first = inner.iter().filter_map(|key| self.spec.line(&format!("{at}/{key}"))).min()?;
        let text = self.spec.text.lines().nth(usize::try_from(first).ok()?.checked_sub(1)?)?;
        let is_item = text.trim_start().starts_with("- ") && !nested.is_array();
        if self.spec.line(&at)? >= first && !is_item {
            return None;
        }
        let margin = if is_item { "- " } else { "" }.len() + text.len() - text.trim_start().len();
        let after = if is_item { first } else { first - 1 };
        let margin = " ".repeat(margin);
        let yaml = yaml::write(&nested)
            .lines()
            .fold(String::new(), |yaml, line| yaml + &margin + line + "\n");
        Some(Fragment { after, yaml })
    }
}

/// Writes a part of the page's document for the spec.
struct Writer<'a> {
    fragments: &'a Fragments<'a>,
    operation: Pointer,
    /// The schemas that are new, by name.
    added: Map<String, Value>,
}

impl Writer<'_> {
    /// The part at `origin`, in which equal parts of the spec are reused.
    fn write(&mut self, origin: &str) -> Value {
        let page = self.fragments.page;
        let Some(value) = page.document.pointer(origin) else { return Value::Null };
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            return self.follow(target.trim_start_matches('#'));
        }
        if let Some(known) = self.fragments.known(origin) {
            return known;
        }
        // The schema of a body or an answer has a name in the spec.
        if origin.contains("/content/")
            && origin.ends_with("/schema")
            && value.get("properties").is_some()
        {
            let of_spec = self.fragments.spec.operation_id(&self.operation).map(str::to_owned);
            let id = of_spec.unwrap_or_else(|| self.fragments.name(&self.operation));
            let suffix = if origin.contains("/responses/") { "Answer" } else { "Request" };
            return self.add(&format!("{}{suffix}", id.to_upper_camel_case()), origin, value);
        }
        self.members(origin, value)
    }

    fn members(&mut self, origin: &str, value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let names = object.keys();
                names
                    .map(|name| (name.clone(), self.write(&format!("{origin}/{}", escape(name)))))
                    .collect()
            }
            Value::Array(all) => {
                (0..all.len()).map(|index| self.write(&format!("{origin}/{index}"))).collect()
            }
            scalar => scalar.clone(),
        }
    }

    /// What a reference leads to. Of components, only parameters and schemas are shared in the spec.
    fn follow(&mut self, target: &str) -> Value {
        let page = self.fragments.page;
        let Some(value) = page.document.pointer(target) else { return Value::Null };
        let name = target.rsplit('/').next().unwrap_or_default();
        if target.starts_with(SCHEMAS) {
            return self.fragments.known(target).unwrap_or_else(|| self.add(name, target, value));
        }
        let key = format!("{} {}", plain(&value["in"]), plain(&value["name"]));
        let known = self.fragments.parameter(&self.operation.then(&["parameters", &key]));
        known.unwrap_or_else(|| self.write(target))
    }

    /// A reference to a new schema, which is noted before what is within it refers to it.
    fn add(&mut self, name: &str, origin: &str, schema: &Value) -> Value {
        let own = stated(&self.fragments.page.document, origin);
        let name = {
            let mut known = self.fragments.schemas().borrow_mut();
            let name = free(name, |name| known.iter().any(|(other, _)| other == name));
            known.push((name.clone(), own));
            name
        };
        let written = self.members(origin, schema);
        self.added.insert(name.clone(), written);
        json!({ "$ref": format!("#{SCHEMAS}/{name}") })
    }

    fn schemas(self) -> Vec<Fragment> {
        let components = ["components".to_owned(), "schemas".to_owned()];
        let added = self.added.into_iter();
        added
            .filter_map(|(name, schema)| {
                self.fragments.paste("", &[&components[..], &[name]].concat(), schema, Kind::Schema)
            })
            .collect()
    }
}

/// The name, or one like it that is not taken.
fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}{number}"));
    let mut names = [name.to_owned()].into_iter().chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_default()
}

/// What a schema of a document states. A page may show no example.
fn stated(document: &Value, origin: &str) -> Stated {
    let facts = flatten_schema(document, origin).map.into_iter();
    let facts = facts.filter(|(pointer, _)| pointer.holder() != "example");
    facts.filter_map(|(pointer, fact)| Some((pointer, fact.value?))).collect()
}

/// Adds descriptions, to be written.
fn describe(value: &mut Value, kind: Kind) {
    visit(value, kind, &mut |kind, object| {
        let described = matches!(kind, Kind::Parameter | Kind::Answer | Kind::Header);
        if described && !object.contains_key("$ref") {
            object.insert("description".to_owned(), TO_DESCRIBE.into());
        }
        let properties = object.get_mut("properties").filter(|_| kind == Kind::Schema);
        for (_, property) in properties.and_then(Value::as_object_mut).into_iter().flatten() {
            if property.get("$ref").is_none() {
                property["description"] = TO_DESCRIBE.into();
            }
        }
    });
}
