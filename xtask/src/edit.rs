//! The edit of openapi.yaml that makes it say what the page says.

use crate::codegen::yaml::escape;
use crate::compare::Difference;
use crate::facts::{Aspect, Facts, Place, Step, Within};
use crate::finding::Hunk;
use crate::openapi::{self, plain};
use crate::spec::Spec;
use heck::{ToLowerCamelCase, ToUpperCamelCase};
use serde_json::Value;

/// Stands where OpenAPI wants a description; `check` finds it.
pub const TO_DESCRIBE: &str = "Describe it in your own words.";

/// The lines to change for `difference`; none where words have to do. `all` are the differences of the
/// page: what has moved is referred to where it went.
pub fn hunks(spec: &Spec, page: &Facts, all: &[Difference], difference: &Difference) -> Vec<Hunk> {
    let editor = Editor { spec, page, all };
    let hunks = match difference {
        Difference::Changed { place, aspect, page, .. } => {
            editor.change(place, *aspect, page.as_ref())
        }
        Difference::Added { place } => editor.add(place),
        Difference::Removed { place } => editor.remove(place),
        Difference::Moved { place, to } => editor.shift(place, to),
    };
    hunks.unwrap_or_default()
}

struct Editor<'a> {
    spec: &'a Spec,
    page: &'a Facts,
    all: &'a [Difference],
}

impl Editor<'_> {
    fn change(&self, place: &Place, aspect: Aspect, page: Option<&Value>) -> Option<Vec<Hunk>> {
        let subject = self.spec.facts.get(place)?;
        let kind = self.spec.facts.value(place, Aspect::Type).and_then(Value::as_str);
        let stated = subject.stated.get(&aspect);
        match (aspect, place.last()) {
            (Aspect::Required, Some(Step::Property(name))) => {
                return self.require(place, name, page? == &Value::Bool(true));
            }
            (Aspect::Servers | Aspect::Security | Aspect::Content | Aspect::Alternatives, _) => {
                return None;
            }
            // A page that runs the values together doesn't tell where one ends.
            (Aspect::Enum, _) if page.is_some_and(|page| !page.is_array()) => return None,
            _ => {}
        }
        let keyword = aspect.keyword();
        let lines: Vec<String> = match (aspect, page) {
            (_, None) => Vec::new(),
            (Aspect::Type, Some(kind)) => typed(kind.as_str()?)?,
            (Aspect::Enum, Some(values)) => {
                let values = values.as_array()?.iter();
                let values = values.map(|value| format!("  - {}", scalar(value)));
                [format!("{keyword}:")].into_iter().chain(values).collect()
            }
            (_, Some(value)) => vec![format!("{keyword}: {}", scalar(&retype(value, kind)))],
        };
        match stated {
            Some(stated) => {
                let line = stated.line?;
                let text = self.spec.line(line)?;
                if !text.trim_start().starts_with(&format!("{keyword}:")) {
                    return None;
                }
                let end = self.end_of_block(line);
                Some(vec![self.replace(line, end, &lines, indent(text))])
            }
            None => {
                // Beside the type there is always room.
                let line = subject.stated.get(&Aspect::Type)?.line?;
                let text = self.spec.line(line)?;
                text.trim_start().starts_with("type:").then_some(())?;
                Some(vec![Self::insert(self.end_of_block(line) + 1, &lines, indent(text))])
            }
        }
    }

    /// Puts a property into the list of the required ones, or takes it out.
    fn require(&self, place: &Place, name: &str, required: bool) -> Option<Vec<Hunk>> {
        let parent = self.spec.facts.get(&place.parent())?;
        let list = format!("{}/required", parent.pointer);
        let key = self.spec.document.line(&list);
        if required {
            return Some(vec![match key {
                Some(_) => {
                    let last = self.spec.last_line(&list)?;
                    let text = self.spec.line(last)?;
                    text.trim_start().starts_with("- ").then_some(())?;
                    Self::insert(last + 1, &[format!("- {}", scalar(&name.into()))], indent(text))
                }
                None => {
                    let line = parent.stated.get(&Aspect::Type)?.line?;
                    let text = self.spec.line(line)?;
                    let lines = ["required:".to_owned(), format!("  - {}", scalar(&name.into()))];
                    Self::insert(line + 1, &lines, indent(text))
                }
            }]);
        }
        let names = self.spec.document.value.pointer(&list)?.as_array()?;
        let at = names.iter().position(|other| other == name)?;
        let line = self.spec.document.line(&format!("{list}/{at}"))?;
        self.spec.line(line)?.trim_start().starts_with("- ").then_some(())?;
        let from = if names.len() == 1 { key? } else { line };
        Some(vec![self.replace(from, line, &[], 0)])
    }

    fn add(&self, place: &Place) -> Option<Vec<Hunk>> {
        match place.last()? {
            Step::Operation { path, method } => self.add_operation(place, path, method),
            Step::Parameter { .. } => {
                let operation = self.spec.facts.get(&place.parent())?;
                let list = format!("{}/parameters", operation.pointer);
                let lines = self.parameter_item(place);
                match self.spec.last_line(&list) {
                    Some(last) => {
                        let first = self.spec.document.line(&format!("{list}/0"))?;
                        Some(vec![Self::insert(last + 1, &lines, indent(self.spec.line(first)?))])
                    }
                    None => self.add_key(&operation.pointer, "parameters", lines),
                }
            }
            Step::Property(name) => {
                let parent = self.spec.facts.get(&place.parent())?;
                let mut lines = vec![format!("{}:", scalar(&name.as_str().into()))];
                lines.extend(indented(self.schema(place)));
                let properties = format!("{}/properties", parent.pointer);
                let mut hunks = match self.spec.last_line(&properties) {
                    Some(last) => {
                        vec![Self::insert(last + 1, &lines, self.depth_within(&properties)?)]
                    }
                    None => {
                        let last = self.spec.last_line(&parent.pointer)?;
                        let depth =
                            indent(self.spec.line(parent.stated.get(&Aspect::Type)?.line?)?);
                        let lines: Vec<_> =
                            ["properties:".to_owned()].into_iter().chain(indented(lines)).collect();
                        vec![Self::insert(last + 1, &lines, depth)]
                    }
                };
                if self.page.is(place, Aspect::Required) {
                    hunks.extend(self.require(place, name, true)?);
                }
                Some(hunks)
            }
            _ => None,
        }
    }

    /// A key of an operation goes before its responses.
    fn add_key(&self, operation: &str, key: &str, lines: Vec<String>) -> Option<Vec<Hunk>> {
        let before = self.spec.document.line(&format!("{operation}/responses"))?;
        let lines: Vec<_> = [format!("{key}:")].into_iter().chain(indented(lines)).collect();
        Some(vec![Self::insert(before, &lines, indent(self.spec.line(before)?))])
    }

    fn add_operation(&self, place: &Place, path: &str, method: &str) -> Option<Vec<Hunk>> {
        let own = format!("/paths/{}", escape(path));
        // A path that has another method already keeps its key.
        let known = self.spec.document.line(&own).is_some();
        let last = self.spec.last_line(if known { &own } else { "/paths" })?;
        let depth = self.depth_within("/paths")?;
        let id = self.operation_id(place);
        let mut operation = vec![
            format!("operationId: {id} # ours: choose a name"),
            "x-idempotent: false # ours: `true` if repeating it brings about the same state"
                .to_owned(),
        ];
        let parameters: Vec<_> = self
            .page
            .children(place)
            .filter(|inner| matches!(inner.last(), Some(Step::Parameter { .. })))
            .flat_map(|inner| self.parameter_item(inner))
            .collect();
        if !parameters.is_empty() {
            operation.push("parameters:".to_owned());
            operation.extend(indented(parameters));
        }
        let mut schemas = Vec::new();
        let mut content = |inner: &Place, name: String| -> Vec<String> {
            let media = self.page.value(inner, Aspect::Content).and_then(|media| match media {
                Value::Array(media) => media.first().map(plain),
                _ => None,
            });
            // A page that names no media type and shows a body means JSON.
            let shown = self.page.children(inner).next().is_some();
            let Some(media) = media.or(shown.then(|| "application/json".to_owned())) else {
                return Vec::new();
            };
            schemas.push(format!("{name}:"));
            schemas.extend(indented(self.schema(inner)));
            vec![
                "content:".to_owned(),
                format!("  {}:", scalar(&media.as_str().into())),
                "    schema:".to_owned(),
                format!("      $ref: \"#/components/schemas/{name}\""),
            ]
        };
        let body = place.then(Step::Body);
        if self.page.get(&body).is_some() {
            operation.push("requestBody:".to_owned());
            operation.push("  required: true".to_owned());
            operation
                .extend(indented(content(&body, format!("{}Request", id.to_upper_camel_case()))));
        }
        operation.push("responses:".to_owned());
        let mut answers = self.page.children(place);
        let first = answers.find(|inner| matches!(inner.last(), Some(Step::Answer(_))));
        for answer in self.page.children(place) {
            let Some(Step::Answer(status)) = answer.last() else { continue };
            operation.push(format!("  \"{status}\":"));
            operation.push(format!("    description: {TO_DESCRIBE}"));
            let number = if Some(answer) == first { "" } else { status };
            let lines = content(answer, format!("{}Answer{number}", id.to_upper_camel_case()));
            operation.extend(indented(indented(lines)));
        }
        let key = format!("{}:", scalar_key(path));
        let mut lines: Vec<String> = if known { Vec::new() } else { vec![key] };
        lines.push(format!("  {}:", method.to_lowercase()));
        lines.extend(indented(indented(operation)));
        let mut hunks = vec![Self::insert(last + 1, &lines, depth)];
        if !schemas.is_empty() {
            let all = "/components/schemas";
            let depth = self.depth_within(all)?;
            hunks.push(Self::insert(self.spec.last_line(all)? + 1, &schemas, depth));
        }
        Some(hunks)
    }

    /// A name after the end of the path, that no other operation has.
    fn operation_id(&self, place: &Place) -> String {
        let word = |place: &Place| {
            let Some(Step::Operation { path, method }) = place.last() else { return String::new() };
            let words = path.rsplit('/').filter(|word| !word.is_empty());
            let mut words = words.filter(|word| !word.starts_with('{'));
            words.next().unwrap_or(method).to_lower_camel_case()
        };
        let name = word(place);
        // Other new operations may end in the same word: they are numbered as they come.
        let added = self.all.iter().filter_map(|difference| match difference {
            Difference::Added { place } if place.0.len() == 1 => Some(place),
            _ => None,
        });
        let before = added.take_while(|other| *other != place);
        let before = before.filter(|other| word(other) == name).count();
        let taken = |name: &str| {
            let paths = openapi::members(self.spec.document.value.get("paths"));
            paths
                .flat_map(|(_, item)| openapi::members(Some(item)))
                .any(|(_, operation)| operation.get("operationId").is_some_and(|id| id == name))
        };
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let names = [name.clone()].into_iter().chain(numbered);
        names.filter(|name| !taken(name)).nth(before).unwrap_or(name)
    }

    fn remove(&self, place: &Place) -> Option<Vec<Hunk>> {
        let subject = self.spec.facts.get(place)?;
        let pointer = match place.last()? {
            Step::Operation { path, .. } => {
                let item = format!("/paths/{}", escape(path));
                let methods = self.spec.document.value.pointer(&item)?.as_object()?.len();
                if methods == 1 { item } else { subject.pointer.clone() }
            }
            Step::Parameter { .. } => {
                let operation = self.spec.facts.get(&place.parent())?;
                let list = format!("{}/parameters", operation.pointer);
                let count = self.spec.document.value.pointer(&list)?.as_array()?.len();
                let reference = format!("#{}", subject.pointer);
                let entry = (0..count).map(|index| format!("{list}/{index}")).find(|entry| {
                    let target = format!("{entry}/$ref");
                    *entry == subject.pointer
                        || self.spec.document.value.pointer(&target)
                            == Some(&Value::String(reference.clone()))
                });
                if count == 1 { list } else { entry? }
            }
            Step::Property(name) => {
                let parent = self.spec.facts.get(&place.parent())?;
                format!("{}/properties/{}", parent.pointer, escape(name))
            }
            _ => return None,
        };
        let line = self.spec.document.line(&pointer)?;
        let mut hunks = vec![self.replace(line, self.spec.last_line(&pointer)?, &[], 0)];
        if let Some(Step::Property(name)) = place.last()
            && self.spec.facts.is(place, Aspect::Required)
        {
            hunks.extend(self.require(place, name, false)?);
        }
        Some(hunks)
    }

    /// A parameter keeps its place in the spec, and its words, and becomes what the page says.
    fn shift(&self, place: &Place, to: &Place) -> Option<Vec<Hunk>> {
        let pointer = &self.spec.facts.get(place)?.pointer;
        let parameter = self.spec.document.value.pointer(pointer)?.as_object()?;
        let first = parameter
            .keys()
            .filter_map(|key| self.spec.document.line(&format!("{pointer}/{}", escape(key))));
        let first = first.min()?;
        let text = self.spec.line(first)?;
        // In a list the first line carries the dash.
        let listed = text.trim_start().starts_with("- ");
        let description =
            parameter.get("description").map(|text| format!("description: {}", scalar(text)));
        let lines = self.parameter(to, description);
        let lines = if listed { as_item(lines) } else { lines };
        let last = self.spec.last_line(pointer)?;
        let mut hunks = vec![self.replace(first, last, &lines, indent(text))];
        if let (
            Some(Step::Parameter { within: Within::Path, name }),
            Some(Step::Parameter { name: new, .. }),
            Some(Step::Operation { path, .. }),
        ) = (place.last(), to.last(), place.0.first())
        {
            // The path names it too.
            let key = self.spec.document.line(&format!("/paths/{}", escape(path)))?;
            let text = self.spec.line(key)?;
            let renamed = text.replace(&format!("{{{name}}}"), &format!("{{{new}}}"));
            hunks.push(self.replace(key, key, &[renamed.trim_start().to_owned()], indent(text)));
        }
        Some(hunks)
    }

    /// An entry of a list of parameters: a reference where the spec has the parameter already.
    fn parameter_item(&self, place: &Place) -> Vec<String> {
        let moved = self.all.iter().find_map(|difference| match difference {
            Difference::Moved { place: from, to } if to.tail() == place.tail() => Some(from),
            _ => None,
        });
        let own = || {
            self.spec.facts.subjects.keys().find(|own| {
                own.tail() == place.tail() && matches!(own.last(), Some(Step::Parameter { .. }))
            })
        };
        let known = moved.or_else(own).and_then(|place| self.spec.facts.get(place));
        if let Some(known) = known.filter(|known| known.pointer.starts_with("/components/")) {
            return vec![format!("- $ref: \"#{}\"", known.pointer)];
        }
        as_item(self.parameter(place, None))
    }

    fn parameter(&self, place: &Place, description: Option<String>) -> Vec<String> {
        let Some(Step::Parameter { within, name }) = place.last() else { return Vec::new() };
        let required = self.page.is(place, Aspect::Required);
        let mut lines = vec![
            format!("name: {}", scalar(&name.as_str().into())),
            format!("in: {}", within.word()),
            format!("required: {required}"),
        ];
        for aspect in [Aspect::Style, Aspect::Explode] {
            if let Some(value) = self.page.value(place, aspect) {
                lines.push(format!("{}: {}", aspect.keyword(), scalar(value)));
            }
        }
        lines.extend(description);
        lines.push("schema:".to_owned());
        lines.extend(indented(self.schema(place)));
        lines
    }

    /// The schema of a place, as the page tells it.
    fn schema(&self, place: &Place) -> Vec<String> {
        let Some(subject) = self.page.get(place) else { return vec!["{}".to_owned()] };
        let value = |aspect| subject.stated.get(&aspect).map(|stated| &stated.value);
        let kind = value(Aspect::Type).and_then(Value::as_str).unwrap_or("any");
        let item = kind.trim_end_matches("[]");
        let alternatives = match item {
            "one of" => Some("oneOf"),
            "any of" => Some("anyOf"),
            "all of" => Some("allOf"),
            _ => None,
        };
        let arrays = kind.len().saturating_sub(item.len()) / 2;
        let inner = if arrays > 0 { place.then(Step::Items) } else { place.clone() };
        let mut lines = Vec::new();
        if let Some(list) = alternatives {
            lines.push(format!("{list}:"));
            for alternative in self.page.children(&inner) {
                if matches!(alternative.last(), Some(Step::Alternative(_))) {
                    lines.extend(indented(as_item(self.schema(alternative))));
                }
            }
        } else if item != "any" && !item.starts_with("const") {
            lines.push(format!("type: {item}"));
        }
        let mut required = Vec::new();
        let mut properties = Vec::new();
        for property in self.page.children(&inner) {
            let Some(Step::Property(name)) = property.last() else { continue };
            if self.page.is(property, Aspect::Required) {
                required.push(format!("  - {}", scalar(&name.as_str().into())));
            }
            properties.push(format!("  {}:", scalar(&name.as_str().into())));
            properties.extend(indented(indented(self.schema(property))));
        }
        if !required.is_empty() {
            lines.push("required:".to_owned());
            lines.extend(required);
        }
        if !properties.is_empty() {
            lines.push("properties:".to_owned());
            lines.extend(properties);
        }
        let of_items = [Aspect::Format, Aspect::Pattern, Aspect::Enum];
        let mut outer = Vec::new();
        for aspect in [
            Aspect::Format,
            Aspect::Pattern,
            Aspect::Enum,
            Aspect::ReadOnly,
            Aspect::WriteOnly,
            Aspect::Nullable,
            Aspect::Deprecated,
            Aspect::Default,
            Aspect::Example,
        ] {
            let Some(stated) = value(aspect).filter(|stated| !stated.is_null()) else { continue };
            let keyword = aspect.keyword();
            let text = match stated {
                Value::Array(values) if aspect == Aspect::Enum => {
                    let values = values.iter().map(|value| format!("  - {}", scalar(value)));
                    [format!("{keyword}:")].into_iter().chain(values).collect()
                }
                _ if aspect == Aspect::Enum => {
                    vec![format!(
                        "# `enum` of values that the page runs together: {}",
                        plain(stated)
                    )]
                }
                stated => vec![format!("{keyword}: {}", scalar(&retype(stated, Some(kind))))],
            };
            if arrays > 0 && !of_items.contains(&aspect) {
                outer.extend(text);
            } else {
                lines.extend(text);
            }
        }
        for _ in 0..arrays {
            lines = ["type: array".to_owned(), "items:".to_owned()]
                .into_iter()
                .chain(indented(lines))
                .collect();
        }
        lines.extend(outer);
        if lines.is_empty() {
            lines.push("{}".to_owned());
        }
        lines
    }

    /// How deep the keys of the mapping at `pointer` stand.
    fn depth_within(&self, pointer: &str) -> Option<usize> {
        let owner = self.spec.document.value.pointer(pointer)?.as_object()?;
        let first = format!("{pointer}/{}", escape(owner.keys().next()?));
        Some(indent(self.spec.line(self.spec.document.line(&first)?)?))
    }

    /// The last line of the key that stands on `line`: all that is deeper, or a list right below it.
    fn end_of_block(&self, line: u64) -> u64 {
        let depth = self.spec.line(line).map_or(0, indent);
        let mut end = line;
        for number in line + 1.. {
            match self.spec.line(number) {
                Some(text) if !text.trim().is_empty() && indent(text) > depth => end = number,
                _ => break,
            }
        }
        end
    }

    fn replace(&self, from: u64, to: u64, lines: &[String], depth: usize) -> Hunk {
        let remove = (from..=to).filter_map(|line| self.spec.line(line)).map(str::to_owned);
        Hunk { line: from, remove: remove.collect(), ..Self::insert(from, lines, depth) }
    }

    fn insert(line: u64, lines: &[String], depth: usize) -> Hunk {
        let insert = lines.iter().map(|line| format!("{:depth$}{line}", "")).collect();
        Hunk { line, remove: Vec::new(), insert }
    }
}

fn indented(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

/// The lines as one item of a list.
fn as_item(lines: Vec<String>) -> Vec<String> {
    let dashes = ["- "].into_iter().chain(std::iter::repeat("  "));
    dashes.zip(lines).map(|(dash, line)| format!("{dash}{line}")).collect()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A type in the words of a page, as lines of a schema.
fn typed(kind: &str) -> Option<Vec<String>> {
    let item = kind.trim_end_matches("[]");
    let mut lines = vec![format!("type: {item}")];
    if item.contains(' ') || item == "any" {
        return None;
    }
    for _ in 0..(kind.len() - item.len()) / 2 {
        lines = ["type: array".to_owned(), "items:".to_owned()]
            .into_iter()
            .chain(indented(lines))
            .collect();
    }
    Some(lines)
}

/// A value of the text page as one of the type that it has.
fn retype(value: &Value, kind: Option<&str>) -> Value {
    let Value::String(text) = value else { return value.clone() };
    match kind {
        Some("boolean" | "integer" | "number") => {
            serde_json::from_str(text).unwrap_or_else(|_| value.clone())
        }
        Some(kind) if kind.ends_with("[]") => {
            serde_json::from_str(text).unwrap_or_else(|_| vec![value.clone()].into())
        }
        _ => value.clone(),
    }
}

/// A value on one line of YAML.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if reads_back(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A path as a key: braces are plain within it.
fn scalar_key(path: &str) -> String {
    let plain = path.replace(['{', '}'], "");
    if reads_back(&plain) { path.to_owned() } else { Value::from(path).to_string() }
}

/// The text means itself in YAML without quotes.
fn reads_back(text: &str) -> bool {
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_alphanumeric() || "_-./ ,;'()".contains(c));
    let number = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_hexdigit() || "_.xoeE+-:T".contains(c));
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    plain && !number && !words.contains(&text.to_lowercase().as_str())
}
