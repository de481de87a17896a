//! The edit of openapi.yaml that makes it say what the page says.

use super::schemes;
use crate::codegen::yaml::escape;
use crate::contract::keywords::{Compared, Keywords, PARAMETER, SCHEMA, compared};
use crate::contract::{Aspect, Difference, Facts, Place, Spec, Step, Subject, Within, plain};
use crate::report::Hunk;
use heck::{ToLowerCamelCase, ToUpperCamelCase};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Stands for a description; `check` reports it until it is replaced.
pub const TO_DESCRIBE: &str = "Describe it in your own words.";

/// Precedes a new operation.
const TO_CHOOSE: &str =
    "# Ours: choose a name, and `true` if repeating it brings about the same state.";

/// The order of keywords within a mapping. Other keys follow in their own order.
const ORDER: [&str; 11] = [
    TO_CHOOSE,
    "operationId",
    "x-idempotent",
    "name",
    "in",
    "parameters",
    "requestBody",
    "type",
    "format",
    "required",
    "description",
];

const SCHEMAS: &str = "/components/schemas";

pub struct Editor<'a> {
    spec: &'a Spec,
    page: &'a Facts,
    /// The differences of the page: a parameter that has moved is referred to under its new name.
    all: &'a [Difference],
    /// The IDs of new operations.
    ids: BTreeMap<&'a Place, String>,
    /// The hunks of what is added.
    added: BTreeMap<&'a Place, Vec<Hunk>>,
    /// The JSON pointers of what is replaced as a whole, each with its hunks.
    whole: Vec<(String, Vec<Hunk>)>,
    /// The JSON pointers of what is deleted, and of the lists and mappings that grow.
    deleted: RefCell<BTreeSet<String>>,
    grown: RefCell<BTreeSet<String>>,
}

impl<'a> Editor<'a> {
    pub fn new(spec: &'a Spec, page: &'a Facts, all: &'a [Difference]) -> Self {
        let (added, whole, deleted, grown) = Default::default();
        let ids = operation_ids(spec, all);
        let mut editor = Self { spec, page, all, ids, added, whole, deleted, grown };
        // An edit may depend on what the others delete and add.
        for difference in all {
            let hunks = editor.specific(difference);
            // Adding something doesn't depend on the others.
            if let (Difference::Added { place }, Some(hunks)) = (difference, hunks) {
                editor.added.insert(place, hunks);
            }
        }
        let mut whole: Vec<(String, Vec<Hunk>)> = Vec::new();
        for difference in all {
            let pair = match difference {
                Difference::Added { place } if editor.added.contains_key(place) => None,
                Difference::Changed { place, aspect: Aspect::Content, .. } => editor.content(place),
                _ if editor.specific(difference).is_some() => None,
                Difference::Changed { place, .. } => editor.replace_schema(place),
                other => editor.replace_schema(&other.place().parent()),
            };
            whole.extend(pair);
        }
        editor.whole = whole;
        editor
    }

    /// The hunks for a difference, if they can be given exactly. What several differences need is a hunk that each
    /// of them gives.
    pub fn hunks(&self, difference: &Difference) -> Option<Vec<Hunk>> {
        let place = difference.place();
        let at = match difference {
            Difference::Changed { aspect: Aspect::Required, .. } if is_body(place) => None,
            Difference::Changed { aspect: Aspect::Content, .. } if is_body(place) => {
                self.holder(place)
            }
            Difference::Changed { .. } => self.pointer(place),
            Difference::Added { .. } | Difference::Removed { .. } if is_header(place) => None,
            _ => self.pointer(&place.parent()),
        };
        let is_within = |whole: &str| {
            at.is_some_and(|at| {
                at.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        // The outermost, if several are.
        let whole =
            self.whole.iter().filter(|(whole, _)| is_within(whole)).min_by_key(|(at, _)| at.len());
        let added =
            || self.added.get(place).filter(|_| matches!(difference, Difference::Added { .. }));
        whole.map(|(_, hunks)| hunks).or_else(added).cloned().or_else(|| self.specific(difference))
    }

    fn specific(&self, difference: &Difference) -> Option<Vec<Hunk>> {
        match difference {
            Difference::Changed { place, aspect, page, .. } => {
                self.change(place, *aspect, page.as_ref())
            }
            Difference::Added { place } => self.add(place),
            Difference::Removed { place } => self.remove(place),
            Difference::Moved { place, to } => match (place.last()?, to.last()?) {
                (Step::Property(name), Step::Property(new)) => {
                    self.rename_property(place, name, new)
                }
                (Step::Operation { .. }, _) => self.move_operation(place, to),
                _ => self.move_parameter(place, to),
            },
        }
    }

    /// Where the spec describes a place: for a body or an answer, its schema.
    fn pointer(&self, place: &Place) -> Option<&'a str> {
        self.spec.facts.get(place).map(|subject| &*subject.pointer)
    }

    /// Where the spec describes a body or an answer itself.
    fn holder(&self, place: &Place) -> Option<&'a str> {
        self.spec.facts.get(place).map(|subject| &*subject.holder)
    }

    fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.spec.value().pointer(pointer)
    }

    fn change(&self, place: &Place, aspect: Aspect, page: Option<&Value>) -> Option<Vec<Hunk>> {
        let keyword = aspect.keyword();
        let value = match (aspect, page) {
            (Aspect::Content | Aspect::Alternatives, _) => return None,
            (Aspect::Servers, page) => {
                let urls = page?.as_array()?.iter().map(|url| json!({ "url": url }));
                return Some(vec![self.set("", "servers", &urls.collect())?]);
            }
            (Aspect::Security, page) => return self.secure(place, page?.as_str()?),
            (Aspect::Required, page) => {
                let required = page? == &Value::Bool(true);
                if let Some(Step::Property(name)) = place.last() {
                    return self.require(place, name, required).map(|hunk| vec![hunk]);
                }
                Some(json!(required))
            }
            // A page that runs the values together doesn't show where one ends.
            (Aspect::Enum, Some(values)) if !values.is_array() => return None,
            (Aspect::Type, page) => {
                let scalar =
                    |kind: &str| ["string", "integer", "number", "boolean"].contains(&kind);
                let before = self.spec.facts.value(place, Aspect::Type)?.as_str()?;
                let kind = page?.as_str().filter(|kind| scalar(kind) && scalar(before))?;
                Some(json!(kind))
            }
            (Aspect::Discriminator, Some(name)) => Some(json!({ "propertyName": name })),
            // It refers to components of the page.
            (Aspect::Not, Some(value)) if value.to_string().contains("\"$ref\"") => return None,
            (_, value) => {
                let kind = self.spec.facts.value(place, Aspect::Type).and_then(Value::as_str);
                value.map(|value| retype(aspect, value, kind))
            }
        };
        let owner = self.owner(place, aspect)?;
        Some(vec![match value {
            Some(value) => self.set(&owner, keyword, &value)?,
            None => self.delete(&format!("{owner}/{keyword}"))?,
        }])
    }

    /// The pointer to the object that states an aspect of a place.
    fn owner(&self, place: &Place, aspect: Aspect) -> Option<String> {
        let mut pointer = self.pointer(place)?.to_owned();
        if is_body(place) && aspect == Aspect::Required {
            return self.holder(place).map(str::to_owned);
        }
        let keyword = aspect.keyword();
        let here = |pointer: &str| self.at(pointer).is_some_and(|it| it.get(keyword).is_some());
        if let Some(Step::Parameter { .. }) = place.last() {
            let (own, of_schema) = (compared(PARAMETER, keyword), compared(SCHEMA, keyword));
            if here(&pointer)
                || own.is_some() && (of_schema.is_none() || aspect == Aspect::Required)
            {
                return Some(pointer);
            }
            pointer += "/schema";
        }
        let kind = self.spec.facts.value(place, Aspect::Type).and_then(Value::as_str).unwrap_or("");
        if matches!(compared(SCHEMA, keyword), Some(Compared::OfScalar(_))) {
            pointer += &"/items".repeat(kind.matches("[]").count());
        }
        self.at(&pointer)?.get("$ref").is_none().then_some(pointer)
    }

    /// Sets a member of a mapping.
    fn set(&self, owner: &str, key: &str, value: &Value) -> Option<Hunk> {
        let lines = yaml(&json!({ key: value }));
        let of = |pointer: &str| {
            let line = self.spec.document.line(pointer)?;
            // In block style a key begins the line.
            let text = self.spec.line(line)?;
            let bare = text.trim_start().trim_start_matches("- ");
            let name = pointer.rsplit('/').next()?;
            bare.starts_with(&format!("{name}:")).then_some((line, text))
        };
        if self.at(&format!("{owner}/{key}")).is_some() {
            let (line, text) = of(&format!("{owner}/{key}"))?;
            let end = self.spec.end_of_block(line);
            (!text.trim_start().starts_with("- ")).then_some(())?;
            return Some(self.replace(line, end, &lines, indent(text)));
        }
        // A new keyword goes below the first that is there of those that come first.
        let after =
            ["operationId", "in", "type"].iter().find_map(|first| of(&format!("{owner}/{first}")));
        if let Some((line, text)) = after {
            let item = if text.trim_start().starts_with("- ") { 2 } else { 0 };
            return Some(insert(line + 1, &lines, indent(text) + item));
        }
        let members = self.at(owner)?.as_object()?;
        let mut all = members.keys().filter_map(|key| of(&format!("{owner}/{}", escape(key))));
        let first = all.next()?;
        let (line, text) = all.fold(first, |one, other| if other.0 < one.0 { other } else { one });
        (!text.trim_start().starts_with("- ")).then(|| insert(line, &lines, indent(text)))
    }

    /// Replaces the schema of a place, or the whole parameter. Returns the pointer of what is replaced.
    fn replace_schema(&self, place: &Place) -> Option<(String, Vec<Hunk>)> {
        let pointer = self.pointer(place)?;
        if let Step::Parameter { .. } = place.last()? {
            return Some((pointer.to_owned(), self.move_parameter(place, place)?));
        }
        // An operation has no schema, nor has a body without content.
        if place.0.len() < 2 || Some(pointer) == self.holder(place) {
            return None;
        }
        let mut schemas = Map::new();
        let schema = self.schema(place, Some(pointer), &mut schemas);
        let mut hunks = vec![self.replace_value(pointer, &schema)?];
        hunks.extend(self.add_schemas(schemas)?);
        Some((pointer.to_owned(), hunks))
    }

    /// Replaces the content of a body or an answer: its media types, and its schema if that stands there.
    fn content(&self, place: &Place) -> Option<(String, Vec<Hunk>)> {
        if !is_body(place) {
            return self.replace_schema(place);
        }
        let holder = self.holder(place)?;
        let own = format!("{holder}/content");
        let media = self.page.value(place, Aspect::Content)?.as_array()?;
        let hunks = if media.is_empty() {
            vec![self.delete(&own)?]
        } else {
            let mut schemas = Map::new();
            let old = self.at(&own).and_then(Value::as_object).filter(|old| !old.is_empty());
            let schema = match old {
                None => self.component(place, &mut schemas),
                Some(old) => {
                    let mut all = old.values().filter_map(|media| media.get("schema"));
                    match all.find(|schema| schema.get("$ref").is_some()) {
                        Some(reference) => reference.clone(),
                        None => self.schema(place, self.pointer(place), &mut schemas),
                    }
                }
            };
            let mut hunks = vec![self.set(holder, "content", &content(media, &schema))?];
            hunks.extend(self.add_schemas(schemas)?);
            hunks
        };
        Some((holder.to_owned(), hunks))
    }

    /// Sets the security of all operations or of one.
    fn secure(&self, place: &Place, words: &str) -> Option<Vec<Hunk>> {
        let (requirement, schemes) = schemes::requirement(self.spec, words)?;
        let own = |place: &Place| self.spec.of_operation(place, "security").is_some();
        let becomes =
            |place: &Place| self.page.value(place, Aspect::Security).and_then(Value::as_str);
        let mut shared = self.spec.facts.operations().filter(|place| !own(place));
        let shared = !own(place) && shared.all(|place| becomes(place) == Some(words));
        let owner = if shared { "" } else { self.pointer(place)? };
        let mut hunks = vec![self.set(owner, "security", &requirement)?];
        if !schemes.is_empty() {
            hunks.push(self.append("/components", "securitySchemes", &schemes.into())?);
        }
        Some(hunks)
    }

    /// Changes the name of a property where it is, so that its description stays.
    fn rename_property(&self, place: &Place, name: &str, new: &str) -> Option<Vec<Hunk>> {
        let owner = &self.spec.facts.get(&place.parent())?.pointer;
        let mut hunks = vec![self.rename(&format!("{owner}/properties/{}", escape(name)), new)?];
        let becomes = |it: &Difference| matches!(it, Difference::Changed { place: other, aspect: Aspect::Required, .. } if other == place);
        let required = self.spec.value().pointer(&format!("{owner}/required"));
        let at = required.and_then(Value::as_array);
        let at = at.and_then(|names| names.iter().position(|other| other == name));
        if let Some(at) = at.filter(|_| !self.all.iter().any(becomes)) {
            let line = self.spec.document.line(&format!("{owner}/required/{at}"))?;
            let text = self.spec.line(line)?;
            text.trim_start().starts_with("- ").then_some(())?;
            hunks.push(self.replace(line, line, &yaml(&json!([new])), indent(text)));
        }
        Some(hunks)
    }

    /// Changes the method or the path of an operation where it is.
    fn move_operation(&self, place: &Place, to: &Place) -> Option<Vec<Hunk>> {
        let (Step::Operation { path, .. }, Step::Operation { path: new, method }) =
            (place.last()?, to.last()?)
        else {
            return None;
        };
        let of_path = |place: &Place, path| matches!(place.last(), Some(Step::Operation { path: own, .. }) if own == path);
        if path == new {
            let pointer = &self.spec.facts.get(place)?.pointer;
            return Some(vec![self.rename(pointer, &method.to_lowercase())?]);
        }
        // The operations of a path move together, to a path that isn't there yet.
        let moves = |from: &Place| {
            let mut all = self.all.iter();
            all.any(|it| matches!(it, Difference::Moved { place, to } if place == from && of_path(to, new)))
        };
        let mut beside = self.spec.facts.operations().filter(|place| of_path(place, path));
        let mut known = self.spec.facts.operations();
        if known.any(|place| of_path(place, new)) || !beside.all(moves) {
            return None;
        }
        Some(vec![self.rename(&format!("/paths/{}", escape(path)), new)?])
    }

    /// Changes the key at `pointer`.
    fn rename(&self, pointer: &str, new: &str) -> Option<Hunk> {
        let line = self.spec.document.line(pointer)?;
        let text = self.spec.line(line)?;
        let (_, key) = pointer.rsplit_once('/')?;
        let key = key.replace("~1", "/").replace("~0", "~");
        let own = text.trim_start();
        let quoted = json!(key).to_string();
        let rest = own.strip_prefix(&key).or_else(|| own.strip_prefix(&quoted))?;
        rest.starts_with(':').then_some(())?;
        let new = yaml(&json!({ new: {} })).concat();
        let new = new.strip_suffix(": {}")?;
        Some(self.replace(line, line, &[format!("{new}{rest}")], indent(text)))
    }

    /// The name of the property at `place` on the page.
    fn name_on_page<'b>(&'b self, place: &'b Place) -> Option<&'b String> {
        let renamed = self.all.iter().find_map(|difference| match difference {
            Difference::Moved { place: from, to } if from == place => Some(to),
            _ => None,
        });
        match renamed.unwrap_or(place).last()? {
            Step::Property(name) => Some(name),
            _ => None,
        }
    }

    /// Adds a property to the list of required ones, or removes it from there.
    fn require(&self, place: &Place, name: &str, required: bool) -> Option<Hunk> {
        let owner = &self.spec.facts.get(&place.parent())?.pointer;
        if required {
            let list = self.spec.value().pointer(owner)?.get("required");
            let required =
                self.beside(place).filter(|(other, _)| self.page.is(other, Aspect::Required));
            let names: Vec<_> = required.map(|(_, name)| name).collect();
            let name = self.name_on_page(place)?;
            return self.append(owner, "required", &list.map_or(json!(names), |_| json!([name])));
        }
        let list = format!("{owner}/required");
        let names = self.spec.value().pointer(&list)?.as_array()?;
        let at = names.iter().position(|other| other == name)?;
        self.delete(&format!("{list}/{at}"))
    }

    /// The properties of the same schema that are added or become required. What all of them need is a hunk
    /// that each of them gives.
    fn beside(&self, place: &Place) -> impl Iterator<Item = (&Place, &String)> {
        let owner = place.parent();
        let places = self.all.iter().filter_map(|difference| match difference {
            Difference::Added { place }
            | Difference::Changed { place, aspect: Aspect::Required, .. } => Some(place),
            _ => None,
        });
        places
            .filter(move |place| place.parent() == owner)
            .filter_map(|place| Some((place, self.name_on_page(place)?)))
    }

    fn add(&self, place: &Place) -> Option<Vec<Hunk>> {
        let parent = place.parent();
        let owner = self.pointer(&parent);
        let mut schemas = Map::new();
        let hunk = match place.last()? {
            Step::Operation { path, method } => {
                self.add_operation(place, path, method, &mut schemas)?
            }
            Step::Parameter { name, .. } if is_header(place) => {
                let header = json!({ name: self.header(place, &mut schemas)? });
                self.append(self.holder(&parent)?, "headers", &header)?
            }
            Step::Parameter { .. } => {
                let item = json!([self.parameter_item(place, &mut schemas)]);
                self.append(owner?, "parameters", &item)?
            }
            Step::Body => self.set(owner?, "requestBody", &self.body(place, &mut schemas))?,
            Step::Answer(status) => {
                let answer = json!({ status: self.answer(place, &mut schemas)? });
                self.append(owner?, "responses", &answer)?
            }
            Step::Values => {
                self.set(owner?, "additionalProperties", &self.schema(place, None, &mut schemas))?
            }
            Step::Property(name) => {
                let known = self.at(owner?)?.get("properties").is_some();
                let new = self.beside(place).filter(|(other, _)| {
                    if known { *other == place } else { self.spec.facts.get(other).is_none() }
                });
                let properties: Map<_, _> = new
                    .map(|(other, name)| (name.clone(), self.schema(other, None, &mut schemas)))
                    .collect();
                let mut hunks = vec![self.append(owner?, "properties", &properties.into())?];
                if self.page.is(place, Aspect::Required) {
                    hunks.push(self.require(place, name, true)?);
                }
                if !known {
                    hunks.extend(self.no_longer_unknown(&parent));
                }
                hunks.extend(self.add_schemas(schemas)?);
                return Some(hunks);
            }
            Step::Items | Step::Alternative(_) => return None,
        };
        Some([hunk].into_iter().chain(self.add_schemas(schemas)?).collect())
    }

    /// Removes the keywords that stand for unknown fields, unless the page states them too.
    fn no_longer_unknown(&self, place: &Place) -> Vec<Hunk> {
        let owner = self.pointer(place).unwrap_or_default();
        let open = format!("{owner}/additionalProperties");
        let open = Some(open).filter(|open| self.at(open) == Some(&Value::Bool(true)));
        let open = open.filter(|_| self.page.get(&place.then(Step::Values)).is_none());
        let not = Some(format!("{owner}/not")).filter(|not| self.at(not).is_some());
        let not = not.filter(|_| self.page.value(place, Aspect::Not).is_none());
        open.into_iter().chain(not).filter_map(|pointer| self.delete(&pointer)).collect()
    }

    fn add_operation(
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
    fn body(&self, place: &Place, schemas: &mut Map<String, Value>) -> Value {
        let required = self.page.value(place, Aspect::Required).cloned();
        let mut body = json!({ "required": required.unwrap_or(Value::Bool(true)) });
        if let Some(content) = self.new_content(place, schemas) {
            body["content"] = content;
        }
        body
    }

    /// An answer that the spec doesn't have.
    fn answer(&self, place: &Place, schemas: &mut Map<String, Value>) -> Option<Value> {
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
    fn new_content(&self, place: &Place, schemas: &mut Map<String, Value>) -> Option<Value> {
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
    fn component(&self, place: &Place, schemas: &mut Map<String, Value>) -> Value {
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
    fn name_schema(&self, name: &str, schema: Value, schemas: &mut Map<String, Value>) -> Value {
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

    fn add_schemas(&self, schemas: Map<String, Value>) -> Option<Vec<Hunk>> {
        if schemas.is_empty() {
            return Some(Vec::new());
        }
        Some(vec![self.append("/components", "schemas", &schemas.into())?])
    }

    fn remove(&self, place: &Place) -> Option<Vec<Hunk>> {
        let pointer = self.pointer(place)?;
        let parent = place.parent();
        let owner = self.pointer(&parent);
        Some(vec![match place.last()? {
            Step::Operation { .. } => self.delete(pointer)?,
            Step::Body => self.delete(&format!("{}/requestBody", owner?))?,
            Step::Answer(status) => {
                let answers = format!("{}/responses", owner?);
                // There must be one.
                (self.at(&answers)?.as_object()?.len() > 1).then_some(())?;
                self.delete(&format!("{answers}/{}", escape(status)))?
            }
            Step::Parameter { name, .. } if is_header(place) => {
                self.delete(&format!("{}/headers/{}", self.holder(&parent)?, escape(name)))?
            }
            Step::Parameter { .. } => {
                let list = format!("{}/parameters", owner?);
                let items = self.at(&list)?.as_array()?;
                let reference = json!(format!("#{pointer}"));
                let is_it = |(index, item): (usize, &Value)| {
                    *pointer == format!("{list}/{index}") || item.get("$ref") == Some(&reference)
                };
                let at = items.iter().enumerate().position(is_it)?;
                self.delete(&format!("{list}/{at}"))?
            }
            Step::Property(name) => {
                let property = format!("{}/properties/{}", owner?, escape(name));
                let mut hunks = vec![self.delete(&property)?];
                if self.spec.facts.is(place, Aspect::Required) {
                    hunks.push(self.require(place, name, false)?);
                }
                return Some(hunks);
            }
            Step::Values => match self.page.value(&parent, Aspect::AdditionalProperties) {
                Some(stated) => self.set(owner?, "additionalProperties", stated)?,
                None => self.delete(&format!("{}/additionalProperties", owner?))?,
            },
            Step::Items | Step::Alternative(_) => return None,
        }])
    }

    /// Changes a parameter in place, so that references to it and its description stay.
    fn move_parameter(&self, place: &Place, to: &Place) -> Option<Vec<Hunk>> {
        let pointer = self.pointer(place)?;
        let kind = |facts: &Facts, place| facts.value(place, Aspect::Type).cloned();
        let schema = format!("{pointer}/schema");
        // The schema stays as it is as far as possible.
        let schema =
            Some(&*schema).filter(|_| kind(&self.spec.facts, place) == kind(self.page, to));
        let mut schemas = Map::new();
        let mut parameter = self.parameter(to, schema, &mut schemas)?;
        let parameter_or_header = parameter.as_object_mut()?;
        keep(self.at(pointer), parameter_or_header, PARAMETER);
        if is_header(place) {
            parameter_or_header.retain(|key, _| key != "name" && key != "in");
        }
        let mut hunks = vec![self.replace_value(pointer, &parameter)?];
        hunks.extend(self.add_schemas(schemas)?);
        if let (
            Some(Step::Parameter { within: Within::Path, name }),
            Some(Step::Parameter { name: new, .. }),
            Some(Step::Operation { path, .. }),
        ) = (place.last(), to.last(), place.0.first())
            && name != new
        {
            // The path names it too.
            let line = self.spec.document.line(&format!("/paths/{}", escape(path)))?;
            let text = self.spec.line(line)?.replace(&format!("{{{name}}}"), &format!("{{{new}}}"));
            hunks.push(self.replace(line, line, &[text], 0));
        }
        Some(hunks)
    }

    /// An item of a list of parameters: a reference if the spec has the parameter already.
    fn parameter_item(&self, place: &Place, schemas: &mut Map<String, Value>) -> Value {
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
    fn header(&self, place: &Place, schemas: &mut Map<String, Value>) -> Option<Value> {
        let mut header = self.parameter(place, None, schemas)?;
        header.as_object_mut()?.retain(|key, _| key != "name" && key != "in");
        Some(header)
    }

    /// A parameter as the page describes it. `schema` is the pointer to its schema in the spec.
    fn parameter(
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
    fn schema(
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
    fn item(
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
    fn copy(
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

    /// Replaces the value at `pointer`.
    fn replace_value(&self, pointer: &str, value: &Value) -> Option<Hunk> {
        let line = self.spec.document.line(pointer)?;
        let text = self.spec.line(line)?;
        let end = self.spec.end_of_block(line);
        let (_, key) = pointer.rsplit_once('/')?;
        let key = key.replace("~1", "/").replace("~0", "~");
        let bare = text.trim_start().trim_matches('"');
        if bare.starts_with("- ") && key.parse::<usize>().is_ok() {
            return Some(self.replace(line, end, &yaml(&json!([value])), indent(text)));
        }
        bare.starts_with(&key).then_some(())?;
        if text.ends_with(':') {
            return Some(self.replace(line + 1, end, &yaml(value), indent(text) + 2));
        }
        Some(self.replace(line, end, &yaml(&json!({ key: value })), indent(text)))
    }

    /// Deletes the value at `pointer` with the comment above it, and its owner if nothing else would be left there.
    fn delete(&self, pointer: &str) -> Option<Hunk> {
        let (owner, _) = pointer.rsplit_once('/')?;
        self.deleted.borrow_mut().insert(pointer.to_owned());
        let members: Vec<String> = match self.at(owner)? {
            Value::Array(items) => (0..items.len()).map(|index| index.to_string()).collect(),
            value => value.as_object()?.keys().map(|key| escape(key)).collect(),
        };
        let is_deleted = |key: &String| self.deleted.borrow().contains(&format!("{owner}/{key}"));
        if members.iter().all(is_deleted) {
            let grown = self.grown.borrow().contains(owner);
            return if grown { None } else { self.delete(owner) };
        }
        let line = self.spec.document.line(pointer)?;
        let text = self.spec.line(line)?;
        // Several values of a flow collection share a line.
        let alone = self.spec.document.line(owner) != Some(line);
        let is_comment = |above: &u64| {
            self.spec
                .line(*above)
                .is_some_and(|it| it.trim_start().starts_with('#') && indent(it) == indent(text))
        };
        let first = (1..line).rev().take_while(is_comment).last().unwrap_or(line);
        alone.then(|| self.replace(first, self.spec.end_of_block(line), &[], 0))
    }

    /// Appends to the list or mapping `key` of `owner`, which is created if it doesn't exist.
    fn append(&self, owner: &str, key: &str, members: &Value) -> Option<Hunk> {
        let inner = format!("{owner}/{key}");
        self.grown.borrow_mut().insert(inner.clone());
        let below = format!("{inner}/");
        let lines = &self.spec.document.lines;
        let Some(line) = lines.get(&inner) else {
            let (above, name) = owner.rsplit_once('/')?;
            let key = key.replace("~1", "/").replace("~0", "~");
            return self.append(above, name, &json!({ key: members }));
        };
        let first = lines.range(below.clone()..).take_while(|(at, _)| at.starts_with(&below));
        let first = first.map(|(_, line)| *line).min()?;
        // The members of a flow collection are on its own line.
        let listed = self.spec.line(*line)?.trim_start().starts_with("- ");
        (first > *line || listed).then_some(())?;
        let depth = indent(self.spec.line(first)?) + if first > *line { 0 } else { 2 };
        Some(insert(self.spec.end_of_block(*line) + 1, &yaml(members), depth))
    }

    fn replace(&self, from: u64, to: u64, lines: &[String], depth: usize) -> Hunk {
        let remove = (from..=to).filter_map(|line| self.spec.line(line)).map(str::to_owned);
        Hunk { remove: remove.collect(), ..insert(from, lines, depth) }
    }
}

fn insert(line: u64, lines: &[String], depth: usize) -> Hunk {
    let insert = lines.iter().map(|line| format!("{:depth$}{line}", "")).collect();
    Hunk { line, remove: Vec::new(), insert }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A value in block style. A key that begins with `#` is a comment.
fn yaml(value: &Value) -> Vec<String> {
    let item = |item: &Value| {
        let dashes = ["- "].into_iter().chain(std::iter::repeat("  "));
        dashes.zip(yaml(item)).map(|(dash, line)| format!("{dash}{line}")).collect::<Vec<_>>()
    };
    let member = |(key, value): (&String, &Value)| {
        if key.starts_with('#') {
            return vec![key.clone()];
        }
        // Braces mean themselves within a path.
        let bare = reads_back(&key.replace(['{', '}'], "")) || key == "$ref";
        let key = if bare { key.clone() } else { json!(key).to_string() };
        if *value == json!([]) || *value == json!({}) || !(value.is_array() || value.is_object()) {
            return yaml(value).iter().map(|value| format!("{key}: {value}")).collect();
        }
        let inner = yaml(value).into_iter().map(|line| format!("  {line}"));
        [format!("{key}:")].into_iter().chain(inner).collect()
    };
    match value {
        Value::Object(object) if !object.is_empty() => {
            let mut members: Vec<_> = object.iter().collect();
            let rank = |key| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
            members.sort_by_key(|(key, _)| rank(key.as_str()));
            members.into_iter().flat_map(member).collect()
        }
        Value::Array(items) if !items.is_empty() => items.iter().flat_map(item).collect(),
        Value::String(text) if reads_back(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// Whether the text means itself in YAML without quotes.
fn reads_back(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_alphanumeric() || "_-./ ,;'()".contains(c))
        && !words.contains(&text.to_lowercase().as_str())
}

/// The IDs of new operations: the last word of the path, with a number if another operation has that name.
fn operation_ids<'a>(spec: &Spec, all: &'a [Difference]) -> BTreeMap<&'a Place, String> {
    let old = spec.facts.operations().filter_map(|place| spec.operation_id(place));
    let old = old.map(|id| id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned());
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    old.for_each(|name| *names.entry(name).or_default() += 1);
    let mut ids = BTreeMap::new();
    for difference in all {
        let Difference::Added { place } = difference else { continue };
        let Some(Step::Operation { path, method }) = place.last() else { continue };
        let mut words = path.rsplit('/').filter(|word| !word.contains('{'));
        let name = words.find(|word| !word.is_empty()).unwrap_or(method).to_lower_camel_case();
        let number = names.entry(name.clone()).or_default();
        *number += 1;
        ids.insert(place, if *number == 1 { name } else { format!("{name}{number}") });
    }
    ids
}

fn is_body(place: &Place) -> bool {
    matches!(place.last(), Some(Step::Body | Step::Answer(_)))
}

/// Whether it is a header of an answer.
fn is_header(place: &Place) -> bool {
    matches!(place.tail(), [Step::Answer(_), Step::Parameter { .. }])
}

/// The content of a body or answer, with one schema for all media types.
fn content(media: &[Value], schema: &Value) -> Value {
    media.iter().map(|media| (plain(media), json!({ "schema": schema }))).collect()
}

/// Keeps what isn't compared: descriptions, names, extensions.
fn keep(old: Option<&Value>, new: &mut Map<String, Value>, keywords: Keywords) {
    for (key, value) in old.and_then(Value::as_object).into_iter().flatten() {
        let known = compared(keywords, key);
        if !new.contains_key(key) && matches!(known, None | Some(Compared::Not(_))) {
            new.insert(key.clone(), value.clone());
        }
    }
}

/// A value of the text page as one of the type of its place or, for a limit, as a number.
fn retype(aspect: Aspect, value: &Value, kind: Option<&str>) -> Value {
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
