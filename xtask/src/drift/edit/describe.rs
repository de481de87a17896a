//! What the page describes, as openapi.yaml writes it.

use super::lines::TO_CHOOSE;
use super::{Editor, TO_DESCRIBE};
use crate::codegen::yaml::escape;
use crate::contract::keywords::{Compared, Keywords, PARAMETER, SCHEMA, compared};
use crate::contract::{Aspect, Difference, Place, Step, Subject, plain};
use crate::drift::schemes;
use crate::report::Hunk;
use heck::ToUpperCamelCase;
use serde_json::{Map, Value, json};

const SCHEMAS: &str = "/components/schemas";

impl Editor<'_> {
    pub(super) fn add_operation(
        &self,
        place: &Place,
        path: &str,
        method: &str,
        schemas: &mut Map<String, Value>,
    ) -> Option<Hunk> {
        let id = self.ids.get(place)?.clone();
        let mut operation = json!({ TO_CHOOSE: null, "operationId": id, "x-idempotent": false });
        let mut parameters = Vec::new();
        let mut answers = Map::new();
        for inner in self.page.children(place) {
            match inner.last() {
                Some(Step::Parameter { .. }) => {
                    parameters.push(self.parameter_item(inner, schemas));
                }
                Some(Step::Body) => operation["requestBody"] = self.body(inner, schemas),
                Some(Step::Answer(status)) => {
                    answers.insert(status.clone(), self.answer(inner, schemas)?);
                }
                _ => {}
            }
        }
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        operation["responses"] = answers.into();
        if self.page.is(place, Aspect::Deprecated) {
            operation["deprecated"] = true.into();
        }
        let words = self.page.value(place, Aspect::Security).and_then(Value::as_str);
        if let Some(words) = words
            && let Some((requirement, schemes)) = schemes::requirement(self.spec, words)
            && schemes.is_empty()
            && self.at("/security") != Some(&requirement)
        {
            operation["security"] = requirement;
        }
        self.append("/paths", &escape(path), &json!({ method.to_lowercase(): operation }))
    }

    /// A body that the spec doesn't have. A page that says nothing about it means that it is required.
    pub(super) fn body(&self, place: &Place, schemas: &mut Map<String, Value>) -> Value {
        let required = self.page.value(place, Aspect::Required).cloned();
        let mut body = json!({ "required": required.unwrap_or(Value::Bool(true)) });
        if let Some(content) = self.new_content(place, schemas) {
            body["content"] = content;
        }
        body
    }

    /// An answer that the spec doesn't have.
    pub(super) fn answer(&self, place: &Place, schemas: &mut Map<String, Value>) -> Option<Value> {
        let mut answer = json!({ "description": TO_DESCRIBE });
        if let Some(content) = self.new_content(place, schemas) {
            answer["content"] = content;
        }
        let mut headers = Map::new();
        for header in self.page.children(place) {
            if let Some(Step::Parameter { name, .. }) = header.last() {
                headers.insert(name.clone(), self.header(header, schemas)?);
            }
        }
        if !headers.is_empty() {
            answer["headers"] = headers.into();
        }
        Some(answer)
    }

    /// The content of a body or an answer, if it has any.
    pub(super) fn new_content(
        &self,
        place: &Place,
        schemas: &mut Map<String, Value>,
    ) -> Option<Value> {
        let media = self.page.value(place, Aspect::Content).and_then(Value::as_array).cloned();
        // A page that shows a body without a media type means JSON.
        let shown = || {
            self.page
                .children(place)
                .any(|inner| !matches!(inner.last(), Some(Step::Parameter { .. })))
        };
        let media = media.or_else(|| shown().then(|| vec![json!("application/json")]))?;
        if media.is_empty() {
            return None;
        }
        Some(content(&media, &self.component(place, schemas)))
    }

    /// A reference to a new component for the schema of a body or an answer.
    pub(super) fn component(&self, place: &Place, schemas: &mut Map<String, Value>) -> Value {
        let operation = place.root();
        let id = self.spec.operation_id(&operation).map(str::to_owned);
        let id = id.or_else(|| self.ids.get(&operation).cloned()).unwrap_or_default();
        let id = id.to_upper_camel_case();
        let name = match place.last() {
            Some(Step::Answer(status)) => {
                let answers = self.page.children(&operation);
                let mut answers =
                    answers.filter(|inner| matches!(inner.last(), Some(Step::Answer(_))));
                let first =
                    answers.next() == Some(place) && self.spec.facts.get(&operation).is_none();
                format!("{id}Answer{}", if first { "" } else { status })
            }
            _ => format!("{id}Request"),
        };
        let schema = self.schema(place, None, schemas);
        self.name_schema(&name, schema, schemas)
    }

    /// Adds a component under this name, or one like it if that is taken.
    pub(super) fn name_schema(
        &self,
        name: &str,
        schema: Value,
        schemas: &mut Map<String, Value>,
    ) -> Value {
        let taken = |name: &str| {
            schemas.contains_key(name) || self.at(&format!("{SCHEMAS}/{name}")).is_some()
        };
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let name = [name.to_owned()].into_iter().chain(numbered).find(|name| !taken(name));
        let name = name.expect("numbers do not end");
        let reference = json!({ "$ref": format!("#{SCHEMAS}/{name}") });
        schemas.insert(name, schema);
        reference
    }

    /// An item of a list of parameters: a reference if the spec has the parameter already.
    pub(super) fn parameter_item(&self, place: &Place, schemas: &mut Map<String, Value>) -> Value {
        let moved = self.all.iter().find_map(|difference| match difference {
            Difference::Moved { place: from, to } if to.tail() == place.tail() => Some(from),
            _ => None,
        });
        let subjects = &self.spec.facts.subjects;
        let known = moved.or_else(|| subjects.keys().find(|own| own.tail() == place.tail()));
        let pointer = known.map_or("", |known| &subjects[known].pointer);
        if pointer.starts_with("/components/") {
            return json!({ "$ref": format!("#{pointer}") });
        }
        self.parameter(place, None, schemas).unwrap_or_default()
    }

    /// The header of an answer: a parameter without a name.
    pub(super) fn header(&self, place: &Place, schemas: &mut Map<String, Value>) -> Option<Value> {
        let mut header = self.parameter(place, None, schemas)?;
        header.as_object_mut()?.retain(|key, _| key != "name" && key != "in");
        Some(header)
    }

    /// A parameter as the page describes it. `schema` is the pointer to its schema in the spec.
    pub(super) fn parameter(
        &self,
        place: &Place,
        schema: Option<&str>,
        schemas: &mut Map<String, Value>,
    ) -> Option<Value> {
        let Some(Step::Parameter { within, name }) = place.last() else { return None };
        let required = self.page.is(place, Aspect::Required);
        let within = within.to_string();
        let mut parameter = json!({ "name": name, "in": within, "required": required });
        let of_schema = |aspect: Aspect| compared(SCHEMA, aspect.keyword()).is_some();
        for (aspect, value) in self.page.get(place)?.values() {
            if compared(PARAMETER, aspect.keyword()).is_some() && !of_schema(aspect) {
                parameter[aspect.keyword()] = value.clone();
            }
        }
        let schema = self.schema(place, schema, schemas);
        match self.page.value(place, Aspect::Content).and_then(Value::as_array) {
            Some(media) => parameter["content"] = content(media, &schema),
            None => parameter["schema"] = schema,
        }
        Some(parameter)
    }

    /// The schema of a place, as the page describes it. What the spec has at `pointer` and the page doesn't describe
    /// stays, and so do references.
    pub(super) fn schema(
        &self,
        place: &Place,
        pointer: Option<&str>,
        schemas: &mut Map<String, Value>,
    ) -> Value {
        let old = pointer.and_then(|pointer| self.at(pointer));
        if let Some(reference) = old.filter(|old| old.get("$ref").is_some()) {
            return reference.clone();
        }
        let below = |steps: &str| pointer.map(|pointer| format!("{pointer}{steps}"));
        let kind = |place: &Place| self.page.value(place, Aspect::Type).and_then(Value::as_str);
        let arrays = |place: &Place| kind(place).unwrap_or("").matches("[]").count();
        let items = Some(place.then(Step::Items)).filter(|items| self.page.get(items).is_some());
        // Within these arrays are the items that have facts of their own, or those whose facts are the array's.
        let depth = arrays(place) - items.as_ref().map_or(0, arrays).min(arrays(place));
        let at = below(&"/items".repeat(depth));
        let mut schema = match &items {
            Some(items) => self.schema(items, at.as_deref(), schemas),
            None => self.item(place, kind(place).unwrap_or("any"), at.as_deref(), schemas),
        };
        for _ in 0..depth {
            schema = json!({ "type": "array", "items": schema });
        }
        let Some(outer) = schema.as_object_mut() else { return schema };
        let of_items = |how: Compared| depth > 0 && matches!(how, Compared::OfScalar(_));
        self.copy(place, outer, |how| !of_items(how));
        keep(old, outer, SCHEMA);
        schema
    }

    /// The schema of a place that is no array, or of its items.
    pub(super) fn item(
        &self,
        place: &Place,
        kind: &str,
        pointer: Option<&str>,
        schemas: &mut Map<String, Value>,
    ) -> Value {
        let old = pointer.and_then(|pointer| self.at(pointer));
        if let Some(reference) = old.filter(|old| old.get("$ref").is_some()) {
            return reference.clone();
        }
        let kind = kind.trim_end_matches("[]");
        let list = kind.replace(" of", "Of");
        let mut schema = Map::new();
        if kind != "any" && !kind.contains(' ') {
            schema.insert("type".to_owned(), kind.into());
        }
        let (mut required, mut properties, mut alternatives) = (Vec::new(), Map::new(), Vec::new());
        for member in self.page.children(place) {
            let below = |steps: String| pointer.map(|pointer| format!("{pointer}/{steps}"));
            let mut schema_at =
                |steps: String| self.schema(member, below(steps).as_deref(), schemas);
            match member.last() {
                Some(Step::Property(old)) => {
                    let name = self.name_on_page(member).unwrap_or(old);
                    if self.page.is(member, Aspect::Required) {
                        required.push(Value::from(name.as_str()));
                    }
                    let inner = schema_at(format!("properties/{}", escape(old)));
                    properties.insert(name.clone(), inner);
                }
                Some(Step::Alternative(number)) => {
                    let lists = ["oneOf", "anyOf", "allOf"];
                    let old =
                        lists.iter().find(|list| old.is_some_and(|old| old.get(list).is_some()));
                    let inner = schema_at(format!("{}/{}", old.unwrap_or(&""), number - 1));
                    // The Markdown names it.
                    let name =
                        self.page.get(member).and_then(|it| it.pointer.strip_prefix(SCHEMAS));
                    let name = name
                        .and_then(|name| name.strip_prefix('/'))
                        .filter(|name| !name.contains('/'));
                    alternatives.push(match name {
                        Some(name) if inner.get("$ref").is_none() => {
                            self.name_schema(name, inner, schemas)
                        }
                        _ => inner,
                    });
                }
                Some(Step::Values) => {
                    schema.insert(
                        "additionalProperties".to_owned(),
                        schema_at("additionalProperties".to_owned()),
                    );
                }
                _ => {}
            }
        }
        let inner = [
            ("required", json!(required)),
            (&*list, json!(alternatives)),
            ("properties", json!(properties)),
        ];
        for (key, value) in inner {
            if value != json!([]) && value != json!({}) {
                schema.insert(key.to_owned(), value);
            }
        }
        self.copy(place, &mut schema, |how| matches!(how, Compared::OfScalar(_)));
        keep(old, &mut schema, SCHEMA);
        schema.into()
    }

    /// Copies the keywords of a schema that the page states for a place.
    pub(super) fn copy(
        &self,
        place: &Place,
        schema: &mut Map<String, Value>,
        wanted: impl Fn(Compared) -> bool,
    ) {
        let kind = self.page.value(place, Aspect::Type).and_then(Value::as_str);
        for (aspect, value) in self.page.get(place).into_iter().flat_map(Subject::values) {
            let keyword = aspect.keyword();
            let Some(how) = compared(SCHEMA, keyword).filter(|how| wanted(*how)) else { continue };
            let value = match aspect {
                Aspect::Enum if value.is_null() => continue,
                Aspect::Enum if !value.is_array() => {
                    let comment = format!("# `enum` of these, run together: {}", plain(value));
                    schema.insert(comment, Value::Null);
                    continue;
                }
                Aspect::Discriminator => json!({ "propertyName": value }),
                Aspect::Example | Aspect::AdditionalProperties => retype(aspect, value, kind),
                _ if matches!(how, Compared::As(_)) => continue,
                _ => retype(aspect, value, kind),
            };
            schema.insert(keyword.to_owned(), value);
        }
    }
}

/// The content of a body or answer, with one schema for all media types.
pub(super) fn content(media: &[Value], schema: &Value) -> Value {
    media.iter().map(|media| (plain(media), json!({ "schema": schema }))).collect()
}

/// Keeps what isn't compared: descriptions, names, extensions.
pub(super) fn keep(old: Option<&Value>, new: &mut Map<String, Value>, keywords: Keywords) {
    for (key, value) in old.and_then(Value::as_object).into_iter().flatten() {
        let known = compared(keywords, key);
        if !new.contains_key(key) && matches!(known, None | Some(Compared::Not(_))) {
            new.insert(key.clone(), value.clone());
        }
    }
}

/// A value of the text page as one of the type of its place or, for a limit, as a number.
pub(super) fn retype(aspect: Aspect, value: &Value, kind: Option<&str>) -> Value {
    let (Value::String(text), Some(kind)) = (value, kind) else { return value.clone() };
    let parsed = || serde_json::from_str(text).ok();
    let limit = ["min", "max", "mul"].iter().any(|start| aspect.keyword().starts_with(start));
    match kind {
        _ if limit => parsed(),
        _ if !matches!(aspect, Aspect::Example | Aspect::Default) => None,
        "boolean" | "integer" | "number" => parsed(),
        _ if kind.ends_with("[]") => parsed().or_else(|| Some(json!([value]))),
        _ => None,
    }
    .unwrap_or_else(|| value.clone())
}
