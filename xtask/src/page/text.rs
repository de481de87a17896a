//! The text that copying the rendered page gives, read into an OpenAPI document.

use super::block::{Block, Line, blocks};
use super::draft::Draft;
use super::row::{self, Read, Row, Stated};
use super::{NotAPage, record};
use crate::document::{Facts, Kind, Pointer, Unreadable, Within, unescape, visit};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use strum::IntoEnumIterator;

/// The media type of content that is shown without one.
const ANY: &str = "*/*";

/// The largest number of objects whose rows may follow: a page may hold any number of rows.
const MOST_OBJECTS: usize = 32;

/// Reads the page. `spec` resolves what is ambiguous: where a name ends, and which of two objects a
/// property belongs to.
pub(super) fn read(text: &str, spec: &Facts) -> Result<Draft, NotAPage> {
    // Browsers copy some spaces as ones that don't break.
    let text = text.replace('\u{a0}', " ");
    let lines = text.lines().zip(1..);
    let lines = lines.map(|(text, number)| Line { number, text: text.trim() });
    let is_blank = |text: &str| text.is_empty() || row::ICONS.contains(&text);
    let lines: Vec<Line<'_>> = lines.filter(|line| !is_blank(line.text)).collect();
    let mut draft = Draft::default();
    let blocks = blocks(&lines, &mut draft.unreadable);
    if blocks.is_empty() {
        return Err(NotAPage::NoOperation);
    }
    // `Body` and `Headers` are the same words in other languages.
    let english = |line: &Line<'_>| {
        let section = label(line.text).map(|(section, _)| section);
        let only_here = |section| !matches!(section, Section::Body | Section::Headers);
        section.map_or_else(|| row::is_english(line.text), only_here)
    };
    if !blocks.iter().any(|block| block.lines.iter().any(english)) {
        return Err(NotAPage::Language);
    }
    let mut known = record::names(spec);
    known.insert(row::OTHER.to_owned());
    for block in blocks {
        Reader::new(&block, spec, &known).read(&mut draft);
    }
    Ok(draft)
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Section {
    None,
    Authorizations,
    Parameters(Within),
    Body,
    Answers,
    /// The content of an answer, under a title.
    Answer,
    /// The headers of an answer, which are folded.
    Headers,
}

/// The section that a line opens, and the rest of the line: a type, a media type.
pub(super) fn label(line: &str) -> Option<(Section, &str)> {
    let bare = row::without_icon(line).trim();
    let titled = |word: &str, section: Section| {
        let rest = bare.strip_prefix(word)?;
        let (kind, media) = row::kind(rest);
        let fits = !kind.is_empty() || section == Section::Body;
        (fits && (media.is_empty() || is_media(media))).then_some((section, rest))
    };
    Some(match bare {
        "Authorizations" | "Authorization" => (Section::Authorizations, ""),
        "Path parameters" => (Section::Parameters(Within::Path), ""),
        "Query parameters" => (Section::Parameters(Within::Query), ""),
        "Header parameters" => (Section::Parameters(Within::Header), ""),
        "cookie" | "Cookie" | "Cookie parameters" => (Section::Parameters(Within::Cookie), ""),
        "Responses" | "Response" => (Section::Answers, ""),
        "Headers" | "Headersobject" => (Section::Headers, ""),
        _ => titled("Body", Section::Body).or_else(|| titled("Response", Section::Answer))?,
    })
}

fn is_media(text: &str) -> bool {
    let families = ["application", "text", "image", "audio", "video", "multipart", "*"];
    text.split_once('/').is_some_and(|(family, kind)| {
        families.contains(&family) && !kind.is_empty() && !kind.contains(char::is_whitespace)
    })
}

/// A status, sometimes joined with an icon.
fn status(line: &str) -> Option<&str> {
    let bare = row::without_icon(line).trim();
    if bare == "default" {
        return Some(bare);
    }
    let rest = bare.strip_prefix(['1', '2', '3', '4', '5'])?;
    let digits = rest.len() == 2 && rest.chars().all(|c| c.is_ascii_digit());
    (digits || rest == "XX").then_some(bare)
}

/// The alternatives of a `one of`, while their rows are read.
struct Choice {
    /// The schema whose alternatives they are, and the name of the list.
    place: Pointer,
    list: &'static str,
    current: usize,
    /// Rows of the alternatives are shown, not folded away.
    spelled_out: bool,
}

impl Choice {
    fn alternative(&self) -> Pointer {
        self.place.then(&[self.list, &self.current.to_string()])
    }
}

/// Reads one operation. Until it is finished, its document has the pointers of a normalised one.
struct Reader<'a> {
    block: &'a Block<'a>,
    spec: &'a Facts,
    known: &'a BTreeSet<String>,
    /// The sections that are labelled.
    labels: Vec<Section>,
    /// The last line that separates alternatives.
    last_or: usize,
    operation: Pointer,
    document: Value,
    lines: BTreeMap<String, u64>,
    unreadable: Vec<Unreadable>,
    section: Section,
    /// The body or the answer, and the schema in it that the rows belong to: that of its content, or of its items.
    owner: Pointer,
    base: Option<Pointer>,
    /// The objects whose rows may follow, the innermost last.
    objects: Vec<Pointer>,
    choice: Option<Choice>,
    /// The schema of the last row.
    row: Option<Pointer>,
    schemes: BTreeMap<String, Value>,
    /// All schemes are needed, not one of them.
    needs_all: bool,
    /// A row of a scheme waits for the line that names the scheme.
    unnamed_scheme: bool,
    /// A request without authorization is allowed too.
    or_none: bool,
}

impl<'a> Reader<'a> {
    fn new(block: &'a Block<'a>, spec: &'a Facts, known: &'a BTreeSet<String>) -> Self {
        let labels = block.lines.iter().filter_map(|line| Some(label(line.text)?.0));
        let or = |line: &Line<'_>| matches!(line.text, "or" | "and");
        Self {
            block,
            spec,
            known,
            labels: labels.collect(),
            last_or: block.lines.iter().rposition(or).unwrap_or(0),
            operation: Pointer::operation(block.method, &block.path),
            document: json!({}),
            lines: BTreeMap::new(),
            unreadable: Vec::new(),
            section: Section::None,
            owner: Pointer::default(),
            base: None,
            objects: Vec::new(),
            choice: None,
            row: None,
            schemes: BTreeMap::new(),
            needs_all: true,
            unnamed_scheme: false,
            or_none: false,
        }
    }

    fn read(mut self, draft: &mut Draft) {
        let operation = self.operation.clone();
        self.place(&operation, self.block.line);
        if self.labels.is_empty() {
            self.cannot_read(self.block.line, format!("{operation}: there is no section below it"));
        }
        // The badge stands above the title, sometimes with a sentence.
        let badge = |line: &&Line<'_>| {
            let text = row::without_icon(line.text);
            text == "Deprecated" || text.starts_with("This operation is deprecated")
        };
        if let Some(badge) = self.block.title.iter().find(badge) {
            self.state(&operation, "deprecated", true, badge.number);
        }
        for index in 0..self.block.lines.len() {
            self.line(index);
        }
        self.security();
        let mut finished = self.at(&operation).take();
        finish(&mut finished);
        let piece = json!({
            "paths": { &self.block.path: { self.block.method: finished } },
            "components": { "securitySchemes": self.schemes },
        });
        draft.unreadable.append(&mut self.unreadable);
        draft.add(piece, self.block.line, &|place, _| self.lines.get(&place.0).copied());
    }

    fn security(&mut self) {
        if self.schemes.is_empty() {
            return;
        }
        let all = self.schemes.keys().map(|name| (name.clone(), json!([])));
        let mut alternatives: Vec<Value> = if self.needs_all {
            vec![Value::Object(all.collect())]
        } else {
            all.map(|one| Value::Object([one].into_iter().collect())).collect()
        };
        alternatives.extend(self.or_none.then(|| json!({})));
        self.state(&self.operation.clone(), "security", alternatives, self.block.line);
    }

    fn line(&mut self, index: usize) {
        let Line { number, text } = self.block.lines[index];
        let in_answer =
            matches!(self.section, Section::Answers | Section::Answer | Section::Headers);
        if let Some((section, rest)) = label(text)
            && (in_answer || section != Section::Answer)
        {
            match section {
                // Within an answer these are headings, not the request's body.
                Section::Body | Section::Answer if in_answer => {
                    self.section = Section::Answers;
                    self.titled(rest, number);
                }
                Section::Headers => self.section = section,
                _ => self.open(section, rest, number),
            }
        } else if let Some(status) = status(text)
            && (in_answer || (status != "default" && !self.labels.contains(&Section::Answers)))
        {
            let place = self.operation.then(&["responses", status]);
            self.place(&place, number);
            self.mark(&place, "x-unlabelled", !self.labels.contains(&Section::Answers));
            self.section = Section::Answers;
            self.begin(place);
        } else if self.base.is_some() && text == "No content" {
            self.state(&self.owner.clone(), "content", json!({}), number);
        } else if self.base.is_some() && is_media(text) {
            self.media(text, number);
        } else if matches!(text, "or" | "and") {
            self.alternative(text, number);
        } else {
            self.fact(index);
        }
    }

    /// Reads a row, a line below one, or prose.
    fn fact(&mut self, index: usize) {
        let Line { number, text } = self.block.lines[index];
        let tails = row::tails(text);
        if !tails.is_empty() {
            if let Some(row) = self.row.clone() {
                self.details(&row, tails, number);
            }
            return;
        }
        match row::read(text, self.known) {
            Read::Row(row) => self.row(row, index),
            Read::Unreadable => {
                // The lines below it don't belong to the last row.
                self.row = None;
                self.cannot_read(number, format!("`{text}` looks like a row and can't be read"));
            }
            Read::Other if self.section == Section::Authorizations && self.unnamed_scheme => {
                let words = text.to_lowercase();
                let mut words = words.split(|c: char| !c.is_alphanumeric());
                if let Some(word) = words.find(|word| ["bearer", "basic", "digest"].contains(word))
                {
                    self.unnamed_scheme = false;
                    let scheme = json!({ "type": "http", "scheme": word });
                    self.schemes.insert(word.to_owned(), scheme);
                }
            }
            Read::Other => {}
        }
    }

    fn open(&mut self, section: Section, rest: &str, number: u64) {
        self.section = section;
        self.base = None;
        self.row = None;
        self.choice = None;
        if section == Section::Body {
            let body = self.operation.then(&["requestBody"]);
            self.place(&body, number);
            self.begin(body);
            self.media(ANY, number);
            self.titled(rest, number);
        }
    }

    fn begin(&mut self, owner: Pointer) {
        self.row = None;
        self.choice = None;
        self.objects.clear();
        self.base = Some(owner.then(&["content", ANY, "schema"]));
        self.owner = owner;
    }

    /// States the media type, which may stand below the title of the content.
    fn media(&mut self, media: &str, number: u64) {
        let (any, place) =
            (self.owner.then(&["content", ANY]), self.owner.then(&["content", media]));
        if let Some(content) = self.document.pointer_mut(&any.parent().then(&["content"]).0)
            && let Some(shown) = content.as_object_mut().and_then(|content| content.remove(ANY))
        {
            content[media] = shown;
        }
        self.place(&place, number);
        self.place(&place.then(&["schema"]), number);
        let base = self.base.take();
        self.base =
            base.map(|base| if base.is_within(&any) { base.moved(&any, &place) } else { base });
    }

    /// Reads what follows the title of a body or an answer: `object[]`, `application/json`.
    fn titled(&mut self, rest: &str, number: u64) {
        let (kind, media) = row::kind(rest);
        if !media.is_empty() {
            self.media(media, number);
        }
        if let Some(base) = self.base.clone()
            && !kind.is_empty()
        {
            self.place(&base.parent(), number);
            let kind = if kind == "[]" { "object[]" } else { kind };
            self.base = Some(self.kind(&base, kind, number));
        }
    }

    fn alternative(&mut self, word: &str, number: u64) {
        if self.section == Section::Authorizations {
            self.needs_all = word == "and";
        }
        if let Some(choice) = &mut self.choice {
            choice.current += 1;
            let alternative = choice.alternative();
            self.place(&alternative, number);
            self.mark(&alternative, "x-folded", true);
            self.row = None;
        }
    }

    /// Whether the spec has a place. It has a media type for what is shown without one.
    fn is_known(&self, place: &Pointer) -> bool {
        let any = self.owner.then(&["content", ANY]);
        let mut own = self.spec.children(&self.owner).filter(|own| own.kind() == Kind::Media);
        self.spec.has(place)
            || place.is_within(&any) && own.any(|own| self.spec.has(&place.moved(&any, own)))
    }

    fn row(&mut self, row: Row, index: usize) {
        let number = self.block.lines[index].number;
        self.row = None;
        if row.name == row::OTHER && row.stated.contains(&("type", "any".into())) {
            // They are allowed anyway.
            return;
        }
        let in_content = matches!(self.section, Section::Body | Section::Answers);
        if !in_content && row::without_icon(&row.name) == "Authorization" {
            return self.authorization(&row, number);
        }
        let labelled = self.labelled(&row, index);
        let is_labelled = labelled.is_some();
        if let Some(place) = labelled.or_else(|| self.unlabelled(&row, index)) {
            self.describe(&place, row, number);
            self.mark(&place, "x-unlabelled", !is_labelled);
        } else if self.section == Section::Authorizations {
            let name = row.name.to_lowercase();
            let scheme = json!({ "type": "apiKey", "in": "header", "name": name });
            let key = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            self.schemes.insert(format!("header-{key}"), scheme);
        } else {
            self.cannot_read(number, format!("`{}` is in no section", row.name));
        }
    }

    /// The place of a row by the label of its section.
    fn labelled(&mut self, row: &Row, index: usize) -> Option<Pointer> {
        match self.section {
            Section::Body | Section::Answers => self.content(row, index),
            // Folded headers are followed by the rows of the body, without a label.
            Section::Headers if self.is_known(&self.base.as_ref()?.property(&row.name)) => {
                self.section = Section::Answers;
                self.content(row, index)
            }
            Section::Parameters(within) if within != Within::Path || self.is_in_path(row) => {
                Some(self.operation.parameter(within, &row.name))
            }
            _ => None,
        }
    }

    /// The place of a row by path and spec. Some pages lack only the label of the body.
    fn unlabelled(&mut self, row: &Row, index: usize) -> Option<Pointer> {
        let parameter = |within| self.operation.parameter(within, &row.name);
        if matches!(self.section, Section::Body | Section::Answers | Section::Headers) {
            return None;
        }
        if self.is_in_path(row) {
            return Some(parameter(Within::Path));
        }
        if let Some(place) = Within::iter().map(parameter).find(|place| self.spec.has(place)) {
            return Some(place);
        }
        let body = self.operation.then(&["requestBody"]);
        let mut names = self.spec.below(&body).filter_map(Pointer::name);
        if names.any(|name| name == row.name) && !self.labels.contains(&Section::Body) {
            self.open(Section::Body, "", self.block.lines[index].number);
            self.mark(&body, "x-unlabelled", true);
            return self.content(row, index);
        }
        matches!(self.section, Section::Parameters(_)).then(|| parameter(Within::Path))
    }

    fn is_in_path(&self, row: &Row) -> bool {
        self.block.path.contains(&format!("{{{}}}", row.name))
    }

    /// Reads the row of a scheme, which the line below it names.
    fn authorization(&mut self, row: &Row, number: u64) {
        if self.section != Section::Authorizations {
            self.mark(&self.operation.clone(), "x-unlabelled", true);
        }
        self.section = Section::Authorizations;
        self.unnamed_scheme = true;
        if !row.stated.contains(&("type", "string".into())) {
            self.cannot_read(number, "the header of an authorization is no string".to_owned());
        }
        self.or_none |= !row.stated.contains(&("required", true.into()));
    }

    /// The place of a row of the body or of an answer. The page doesn't show how deep a row is.
    fn content(&mut self, row: &Row, index: usize) -> Option<Pointer> {
        let base = self.base.clone()?;
        let number = self.block.lines[index].number;
        if row.name.is_empty() {
            self.place(&base.parent(), number);
            return Some(base);
        }
        let inner = |owner: &Pointer| {
            if row.name == row::OTHER {
                owner.then(&["additionalProperties"])
            } else {
                owner.property(&row.name)
            }
        };
        let is_next = |owner: &Pointer| {
            let place = inner(owner);
            self.is_known(&place) && self.document.pointer(&place.0).is_none()
        };
        let next_object = self.objects.iter().rposition(is_next);
        let owner = if is_next(&base) {
            self.choice = None;
            self.objects.clear();
            base
        } else if let Some(choice) = &mut self.choice
            && (choice.place == base
                || choice.spelled_out
                || (choice.current == 0 && self.last_or > index))
        {
            choice.spelled_out = true;
            let (alternative, place) = (choice.alternative(), choice.place.clone());
            if row.stated.iter().any(|(keyword, _)| *keyword == "discriminator") {
                let discriminator = json!({ "propertyName": row.name });
                self.state(&place, "discriminator", discriminator, number);
            }
            alternative
        } else if let Some(at) = next_object {
            self.objects.truncate(at + 1);
            self.objects[at].clone()
        } else {
            base
        };
        let place = inner(&owner);
        // Its properties are shown.
        self.place(&owner.parent(), number);
        self.place(&owner, number);
        self.mark(&owner, "x-folded", false);
        if self.value(&owner, "type").is_none() {
            let line = self.lines[&owner.0];
            self.state(&owner, "type", "object", line);
        }
        Some(place)
    }

    /// States the type of a schema, and returns the place of its innermost items, or the schema itself.
    fn kind(&mut self, place: &Pointer, kind: &str, number: u64) -> Pointer {
        self.place(place, number);
        if let Some(constant) = kind.strip_prefix("const: ") {
            let value = typed(self.spec.kind(place).unwrap_or_default(), constant.trim());
            let kind = match &value {
                Value::Bool(_) => "boolean",
                Value::Number(number) if number.is_f64() => "number",
                Value::Number(_) => "integer",
                _ => "string",
            };
            self.state(place, "type", kind, number);
            self.state(place, "enum", json!([value]), number);
            return place.clone();
        }
        if let Some(item) = kind.strip_suffix("[]") {
            self.state(place, "type", "array", number);
            return self.kind(&place.then(&["items"]), item, number);
        }
        let is_new = self.value(place, "type").is_none();
        self.state(place, "type", kind, number);
        let list = match kind {
            "one of" => "oneOf",
            "any of" => "anyOf",
            "all of" => "allOf",
            _ => "",
        };
        if kind == "object" && is_new {
            // Until a row of it follows.
            self.mark(place, "x-folded", true);
            if self.objects.len() == MOST_OBJECTS {
                self.objects.remove(0);
            }
            self.objects.push(place.clone());
        } else if !list.is_empty() && place.0.ends_with("/items") {
            // The alternatives of items are not even counted.
            self.at(&place.then(&[list]));
            self.mark(place, "x-folded", true);
        } else if !list.is_empty() {
            let choice = Choice { place: place.clone(), list, current: 0, spelled_out: false };
            self.place(&choice.alternative(), number);
            self.mark(&choice.alternative(), "x-folded", true);
            self.choice = Some(choice);
        }
        place.clone()
    }

    /// States what a row states of the parameter or the property at `place`.
    fn describe(&mut self, place: &Pointer, row: Row, number: u64) {
        // Only parameters and properties are required or optional.
        let named = place.name();
        let is_parameter = place.kind() == Kind::Parameter;
        let schema = if is_parameter { place.then(&["schema"]) } else { place.clone() };
        self.place(place, number);
        if is_parameter {
            let within = place.sent_in().map(|within| within.to_string());
            self.at(place)["in"] = within.into();
            self.at(place)["name"] = named.clone().into();
        }
        if named.is_some() && !row.stated.iter().any(|(keyword, _)| *keyword == "required") {
            self.cannot_read(
                number,
                format!("`{}` is neither `Required` nor `Optional`", row.name),
            );
        }
        let mut details = Vec::new();
        for (keyword, value) in row.stated {
            match keyword {
                "type" => drop(self.kind(&schema, value.as_str().unwrap_or_default(), number)),
                "required" if named.is_some() => self.state(place, keyword, value, number),
                "deprecated" if is_parameter => self.state(place, keyword, value, number),
                "required" | "discriminator" => {}
                _ => details.push((keyword, value)),
            }
        }
        self.details(&schema, details, number);
        self.row = Some(schema);
    }

    /// States what stands beside the type of a row or below the row. Some of it is about the items of a list.
    fn details(&mut self, schema: &Pointer, details: Stated, number: u64) {
        let mut item = schema.clone();
        while self.value(&item, "items").is_some() {
            item = item.then(&["items"]);
        }
        let (kind, of_item) = (self.words(schema), self.words(&item));
        for (keyword, value) in details {
            let text = value.as_str().unwrap_or_default();
            match keyword {
                "format" | "pattern" => self.state(&item, keyword, value, number),
                "enum" => {
                    let values = value.as_array().map(|values| {
                        values.iter().map(|it| typed(&of_item, it.as_str().unwrap_or_default()))
                    });
                    let values = values.map(Iterator::collect);
                    self.state(&item, keyword, values.unwrap_or(value), number);
                }
                // Limits of values, lengths or counts.
                "min" | "max" => {
                    let (own, of_item) = (limit(keyword, &kind), limit(keyword, &of_item));
                    let is_known =
                        |place: &Pointer, limit: &str| self.is_known(&place.then(&[limit]));
                    let is_item = !is_known(schema, &own) && is_known(&item, &of_item);
                    let (place, limit) = if is_item { (&item, of_item) } else { (schema, own) };
                    self.state(place, &limit, typed("number", text), number);
                }
                "default" | "example" => self.state(schema, keyword, typed(&kind, text), number),
                _ => self.state(schema, keyword, value, number),
            }
        }
    }

    /// The type of a schema in the words of the page.
    fn words(&self, schema: &Pointer) -> String {
        match self.value(schema, "type").and_then(Value::as_str) {
            Some("array") => self.words(&schema.then(&["items"])) + "[]",
            kind => kind.unwrap_or_default().to_owned(),
        }
    }

    fn value(&self, place: &Pointer, keyword: &str) -> Option<&Value> {
        self.document.pointer(&place.0)?.get(keyword)
    }

    /// The object at `place`, which is created if it doesn't exist.
    fn at(&mut self, place: &Pointer) -> &mut Value {
        let mut value = &mut self.document;
        for segment in place.0.split('/').skip(1) {
            value = &mut value[&*unescape(segment)];
        }
        if value.is_null() {
            *value = json!({});
        }
        value
    }

    /// Notes that the page has a place, first on line `number`.
    fn place(&mut self, place: &Pointer, number: u64) {
        self.at(place);
        self.lines.entry(place.0.clone()).or_insert(number);
    }

    fn mark(&mut self, place: &Pointer, mark: &str, set: bool) {
        let object = self.at(place);
        if set {
            object[mark] = true.into();
        } else if let Value::Object(object) = object {
            object.remove(mark);
        }
    }

    fn state(&mut self, place: &Pointer, keyword: &str, value: impl Into<Value>, number: u64) {
        let value = value.into();
        let before = self.value(place, keyword).filter(|before| **before != "");
        if before.is_some_and(|before| *before != value && value != "") {
            // The row that this line belongs to may be missing.
            let problem = format!("`{keyword}` of `{}` is stated twice", place.within_operation());
            self.cannot_read(number, problem);
        } else if before.is_none() {
            self.at(place)[keyword] = value;
            self.lines.insert(place.then(&[keyword]).0, number);
        }
    }

    fn cannot_read(&mut self, number: u64, problem: String) {
        self.unreadable.push(Unreadable { line: Some(number), problem });
    }
}

/// The keyword of a limit of what has this type.
fn limit(side: &str, kind: &str) -> String {
    let of = match kind {
        "string" => "Length",
        "object" => "Properties",
        list if list.ends_with("[]") => "Items",
        _ => "imum",
    };
    format!("{side}{of}")
}

/// A value that the page writes as text, as one of this type.
fn typed(kind: &str, text: &str) -> Value {
    let parsed = serde_json::from_str::<Value>(text).ok();
    let fits = |value: &Value| match kind {
        "string" => false,
        "integer" | "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        kind if kind.ends_with("[]") => value.is_array(),
        _ => !value.is_string(),
    };
    parsed.filter(fits).unwrap_or_else(|| text.into())
}

/// Writes an operation as OpenAPI does: parameters and alternatives in lists, and the names of the properties that are
/// required beside them. An answer of which only the status is shown is folded, since another one is selected.
fn finish(operation: &mut Value) {
    visit(operation, Kind::Operation, &mut |kind, object| {
        if let (Kind::Operation, Some(Value::Object(all))) = (kind, object.get_mut("parameters")) {
            let list = std::mem::take(all).into_iter().map(|(_, parameter)| parameter).collect();
            object.insert("parameters".to_owned(), list);
        }
        if kind == Kind::Operation {
            let answers = object.entry("responses").or_insert_with(|| json!({}));
            let answers = answers.as_object_mut().into_iter().flat_map(|all| all.values_mut());
            let (shown, empty): (Vec<_>, Vec<_>) =
                answers.partition(|answer| answer.get("content").is_some());
            let mark = if shown.is_empty() { "x-unstated" } else { "x-folded" };
            for answer in empty {
                answer[mark] = true.into();
            }
        }
        if kind == Kind::Schema {
            schema(object);
        }
    });
}

fn schema(object: &mut Map<String, Value>) {
    object.retain(|keyword, value| {
        let word = value.as_str().unwrap_or_default();
        keyword != "type" || (word != "any" && !word.ends_with(" of"))
    });
    for list in ["oneOf", "anyOf", "allOf"] {
        if let Some(Value::Object(all)) = object.get_mut(list) {
            let all = (0..all.len()).filter_map(|index| all.remove(&index.to_string()));
            let mut all: Vec<Value> = all.collect();
            if list == "allOf" && all.len() == 1 {
                // A single one would be the schema itself.
                all.clear();
                object.insert("x-folded".to_owned(), true.into());
            }
            object.insert(list.to_owned(), all.into());
        }
    }
    let mut required = Vec::new();
    let properties = object.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        let flag = property.as_object_mut().and_then(|property| property.remove("required"));
        required.extend(flag.filter(|flag| *flag == true).map(|_| name.clone()));
    }
    if !required.is_empty() {
        object.insert("required".to_owned(), required.into());
    }
    // Values that run together.
    if object.get("enum").is_some_and(Value::is_string) {
        let text = object.remove("enum").unwrap_or_default();
        object.insert("x-enum".to_owned(), text);
    }
}
