//! The edit of openapi.yaml that makes it say what the page says.

use crate::codegen::yaml::escape;
use crate::contract::{Aspect, Difference, Facts, Place, Spec, Step, Subject, Within, plain};
use crate::report::Hunk;
use heck::{ToLowerCamelCase, ToUpperCamelCase};
use serde_json::{Map, Value, json};

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

pub struct Editor<'a> {
    pub spec: &'a Spec,
    pub page: &'a Facts,
    /// The differences of the page: a parameter that has moved is referred to under its new name.
    pub all: &'a [Difference],
}

impl Editor<'_> {
    /// The hunks for a difference, if they can be given exactly.
    pub fn hunks(&self, difference: &Difference) -> Option<Vec<Hunk>> {
        match difference {
            Difference::Changed { place, aspect, page, .. } => {
                self.change(place, *aspect, page.as_ref()).map(|hunk| vec![hunk])
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

    fn change(&self, place: &Place, aspect: Aspect, page: Option<&Value>) -> Option<Hunk> {
        let subject = self.spec.facts.get(place)?;
        let keyword = aspect.keyword();
        if let (Aspect::Required, Some(Step::Property(name))) = (aspect, place.last()) {
            return self.require(place, name, page? == &Value::Bool(true));
        }
        let value = match (aspect, page) {
            (Aspect::Servers | Aspect::Security | Aspect::Content | Aspect::Alternatives, _) => {
                return None;
            }
            (_, None) => Value::Null,
            // A page that runs the values together doesn't show where one ends.
            (Aspect::Enum, Some(values)) if !values.is_array() => return None,
            (Aspect::Type, Some(kind)) => {
                let kind = kind.as_str().filter(|kind| !kind.contains(' ') && *kind != "any")?;
                nested(json!({ "type": kind.trim_end_matches("[]") }), kind)
            }
            (_, Some(value)) => {
                let kind = self.spec.facts.value(place, Aspect::Type).and_then(Value::as_str);
                json!({ keyword: retype(value, kind) })
            }
        };
        let lines = if page.is_some() { yaml(&value) } else { Vec::new() };
        // A new keyword goes below the type, which every schema states.
        let stated = subject.stated.get(&aspect);
        let (key, beside) =
            if stated.is_some() { (keyword, aspect) } else { ("type", Aspect::Type) };
        let line = subject.stated.get(&beside)?.line?;
        let text = self.spec.line(line)?;
        text.trim_start().starts_with(&format!("{key}:")).then_some(())?;
        let end = self.spec.end_of_block(line);
        Some(match stated {
            Some(_) => self.replace(line, end, &lines, indent(text)),
            None => insert(end + 1, &lines, indent(text)),
        })
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
    fn name_on_page<'a>(&'a self, place: &'a Place) -> Option<&'a String> {
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
        let owner = self.spec.facts.get(&place.parent()).map(|owner| &owner.pointer);
        match place.last()? {
            Step::Operation { path, method } => self.add_operation(place, path, method),
            Step::Parameter { .. } => {
                let item = json!([self.parameter_item(place)]);
                Some(vec![self.append(owner?, "parameters", &item)?])
            }
            Step::Property(name) => {
                let known = self.spec.value().pointer(owner?)?.get("properties").is_some();
                let new = self.beside(place).filter(|(other, _)| {
                    if known { *other == place } else { self.spec.facts.get(other).is_none() }
                });
                let properties: Map<_, _> =
                    new.map(|(other, name)| (name.clone(), self.schema(other))).collect();
                let mut hunks = vec![self.append(owner?, "properties", &properties.into())?];
                if self.page.is(place, Aspect::Required) {
                    hunks.push(self.require(place, name, true)?);
                }
                Some(hunks)
            }
            _ => None,
        }
    }

    fn add_operation(&self, place: &Place, path: &str, method: &str) -> Option<Vec<Hunk>> {
        let id = self.operation_id(place);
        let mut operation = json!({ TO_CHOOSE: null, "operationId": id, "x-idempotent": false });
        let mut schemas = Map::new();
        let mut content = |inner: &Place, suffix: &str| {
            let media = self.page.value(inner, Aspect::Content).and_then(|media| media.get(0));
            // A page that shows a body without a media type means JSON.
            let shown = self.page.children(inner).next().map(|_| "application/json".to_owned());
            let media = media.map(plain).or(shown)?;
            let name = format!("{}{suffix}", id.to_upper_camel_case());
            let reference = format!("#/components/schemas/{name}");
            schemas.insert(name, self.schema(inner));
            Some(json!({ media: { "schema": { "$ref": reference } } }))
        };
        let mut parameters = Vec::new();
        let mut answers = Map::new();
        for inner in self.page.children(place) {
            match inner.last() {
                Some(Step::Parameter { .. }) => parameters.push(self.parameter_item(inner)),
                Some(Step::Body) => {
                    operation["requestBody"] = json!({ "required": true });
                    if let Some(content) = content(inner, "Request") {
                        operation["requestBody"]["content"] = content;
                    }
                }
                Some(Step::Answer(status)) => {
                    let number = if answers.is_empty() { "" } else { status };
                    let mut answer = json!({ "description": TO_DESCRIBE });
                    if let Some(content) = content(inner, &format!("Answer{number}")) {
                        answer["content"] = content;
                    }
                    answers.insert(status.clone(), answer);
                }
                _ => {}
            }
        }
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        operation["responses"] = answers.into();
        let method = json!({ method.to_lowercase(): operation });
        let mut hunks = vec![self.append("/paths", &escape(path), &method)?];
        if !schemas.is_empty() {
            hunks.push(self.append("/components", "schemas", &schemas.into())?);
        }
        Some(hunks)
    }

    /// The last word of the path, with a number if another operation has that name.
    fn operation_id(&self, place: &Place) -> String {
        let name = |place: &Place| match place.last() {
            Some(Step::Operation { path, method }) => {
                let mut words = path.rsplit('/').filter(|word| !word.contains('{'));
                words.find(|word| !word.is_empty()).unwrap_or(method).to_lower_camel_case()
            }
            _ => String::new(),
        };
        let own = name(place);
        let new = self.all.iter().map(Difference::place).take_while(|other| *other != place);
        let old = self.spec.facts.operations().filter_map(|place| self.spec.operation_id(place));
        let old = old.filter(|id| id.trim_end_matches(|c: char| c.is_ascii_digit()) == own);
        match new.filter(|other| name(other) == own).count() + old.count() {
            0 => own,
            others => format!("{own}{}", others + 1),
        }
    }

    fn remove(&self, place: &Place) -> Option<Vec<Hunk>> {
        let pointer = &self.spec.facts.get(place)?.pointer;
        let owner = self.spec.facts.get(&place.parent()).map(|owner| &owner.pointer);
        match place.last()? {
            Step::Operation { .. } => Some(vec![self.delete(pointer)?]),
            Step::Parameter { .. } => {
                let list = format!("{}/parameters", owner?);
                let items = self.spec.value().pointer(&list)?.as_array()?;
                let reference = json!(format!("#{pointer}"));
                let is_it = |(index, item): (usize, &Value)| {
                    *pointer == format!("{list}/{index}") || item.get("$ref") == Some(&reference)
                };
                let at = items.iter().enumerate().position(is_it)?;
                Some(vec![self.delete(&format!("{list}/{at}"))?])
            }
            Step::Property(name) => {
                let property = format!("{}/properties/{}", owner?, escape(name));
                let mut hunks = vec![self.delete(&property)?];
                if self.spec.facts.is(place, Aspect::Required) {
                    hunks.push(self.require(place, name, false)?);
                }
                Some(hunks)
            }
            _ => None,
        }
    }

    /// Changes a parameter in place, so that references to it and its description stay.
    fn move_parameter(&self, place: &Place, to: &Place) -> Option<Vec<Hunk>> {
        let pointer = &self.spec.facts.get(place)?.pointer;
        let mut parameter = self.parameter(to)?;
        let description = self.spec.value().pointer(&format!("{pointer}/description"));
        if let Some(description) = description {
            parameter["description"] = description.clone();
        }
        let line = self.spec.document.line(pointer)?;
        let end = self.spec.end_of_block(line);
        let text = self.spec.line(line)?;
        let mut hunks = vec![if text.trim_start().starts_with("- ") {
            self.replace(line, end, &yaml(&json!([parameter])), indent(text))
        } else {
            self.replace(line + 1, end, &yaml(&parameter), indent(text) + 2)
        }];
        if let (
            Some(Step::Parameter { within: Within::Path, name }),
            Some(Step::Parameter { name: new, .. }),
            Some(Step::Operation { path, .. }),
        ) = (place.last(), to.last(), place.0.first())
        {
            // The path names it too.
            let line = self.spec.document.line(&format!("/paths/{}", escape(path)))?;
            let text = self.spec.line(line)?.replace(&format!("{{{name}}}"), &format!("{{{new}}}"));
            hunks.push(self.replace(line, line, &[text], 0));
        }
        Some(hunks)
    }

    /// An item of a list of parameters: a reference if the spec has the parameter already.
    fn parameter_item(&self, place: &Place) -> Value {
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
        self.parameter(place).unwrap_or_default()
    }

    fn parameter(&self, place: &Place) -> Option<Value> {
        let Some(Step::Parameter { within, name }) = place.last() else { return None };
        let required = self.page.is(place, Aspect::Required);
        let schema = self.schema(place);
        let within = within.to_string();
        let mut parameter =
            json!({ "name": name, "in": within, "required": required, "schema": schema });
        for aspect in [Aspect::Style, Aspect::Explode] {
            if let Some(value) = self.page.value(place, aspect) {
                parameter[aspect.keyword()] = value.clone();
            }
        }
        Some(parameter)
    }

    /// The schema of a place, as the page describes it.
    fn schema(&self, place: &Place) -> Value {
        let kind = self.page.value(place, Aspect::Type).and_then(Value::as_str).unwrap_or("any");
        let item = kind.trim_end_matches("[]");
        let inner = if item == kind { place.clone() } else { place.then(Step::Items) };
        let mut schema = Map::new();
        if item != "any" && !item.contains(' ') {
            schema.insert("type".to_owned(), item.into());
        }
        let (mut required, mut properties, mut alternatives) = (Vec::new(), Map::new(), Vec::new());
        for member in self.page.children(&inner) {
            match member.last() {
                Some(Step::Property(name)) => {
                    if self.page.is(member, Aspect::Required) {
                        required.push(Value::from(name.as_str()));
                    }
                    properties.insert(name.clone(), self.schema(member));
                }
                Some(Step::Alternative(_)) => alternatives.push(self.schema(member)),
                _ => {}
            }
        }
        let list = item.replace(" of", "Of");
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
        let mut outer = Map::new();
        for (aspect, value) in self.page.get(place).into_iter().flat_map(Subject::values) {
            let of_kind = (aspect != Aspect::Enum).then_some(kind);
            let value = retype(value, of_kind);
            match aspect {
                _ if value.is_null() => continue,
                Aspect::Enum if !value.is_array() => {
                    let comment = format!("# `enum` of these, run together: {}", plain(&value));
                    schema.insert(comment, Value::Null)
                }
                Aspect::Format | Aspect::Pattern | Aspect::Enum => {
                    schema.insert(aspect.keyword().to_owned(), value)
                }
                Aspect::ReadOnly
                | Aspect::WriteOnly
                | Aspect::Nullable
                | Aspect::Deprecated
                | Aspect::Default
                | Aspect::Example => outer.insert(aspect.keyword().to_owned(), value),
                _ => continue,
            };
        }
        let mut schema = nested(schema.into(), kind);
        schema.as_object_mut().into_iter().for_each(|schema| schema.append(&mut outer));
        schema
    }

    /// Deletes the value at `pointer`, and its owner if nothing else would be left there.
    fn delete(&self, pointer: &str) -> Option<Hunk> {
        let (owner, _) = pointer.rsplit_once('/')?;
        let members = match self.spec.value().pointer(owner)? {
            Value::Array(items) => items.len(),
            value => value.as_object()?.len(),
        };
        if members == 1 {
            return self.delete(owner);
        }
        let line = self.spec.document.line(pointer)?;
        // Several values of a flow collection share a line.
        let alone = self.spec.document.line(owner) != Some(line);
        alone.then(|| self.replace(line, self.spec.end_of_block(line), &[], 0))
    }

    /// Appends to the list or mapping `key` of `owner`, which is created if it doesn't exist.
    fn append(&self, owner: &str, key: &str, members: &Value) -> Option<Hunk> {
        let inner = format!("{owner}/{key}");
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

/// The schema `item` within the arrays of the type `kind`: `string[][]`.
fn nested(item: Value, kind: &str) -> Value {
    let arrays = kind.matches("[]");
    arrays.fold(item, |items, _| json!({ "type": "array", "items": items }))
}

/// A value of the text page as one of its type.
fn retype(value: &Value, kind: Option<&str>) -> Value {
    let (Value::String(text), Some(kind)) = (value, kind) else { return value.clone() };
    let parsed = || serde_json::from_str(text).ok();
    match kind {
        "boolean" | "integer" | "number" => parsed().unwrap_or_else(|| value.clone()),
        _ if kind.ends_with("[]") => parsed().unwrap_or_else(|| json!([value])),
        _ => value.clone(),
    }
}
