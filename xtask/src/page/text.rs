//! The text that copying the rendered page gives.

use super::block::{Block, Line, blocks};
use super::label::{Section, is_media, label, status};
use super::row::{self, Read, Row, Stated};
use super::{NotAPage, Page, record};
use crate::document::{Fact, Facts, Kind, LISTS, Pointer, Problem, Within, security_in_words};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use strum::IntoEnumIterator;

/// The media type of content that is shown without one.
const ANY: &str = "*/*";

/// The largest number of objects whose rows may follow: a page may hold any number of rows.
const MOST_OBJECTS: usize = 32;

/// Reads the page. `spec` resolves what is ambiguous: where a name ends, and which of two objects a
/// property belongs to.
pub(super) fn read(text: &str, spec: &Facts, page: &mut Page) -> Result<(), NotAPage> {
    // Browsers copy some spaces as ones that don't break.
    let text = text.replace('\u{a0}', " ");
    let lines = text.lines().zip(1..);
    let lines = lines.map(|(text, number)| Line { number, text: text.trim() });
    let is_blank = |text: &str| text.is_empty() || row::ICONS.contains(&text);
    let lines: Vec<Line<'_>> = lines.filter(|line| !is_blank(line.text)).collect();
    let blocks = blocks(&lines, &mut page.unreadable);
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
        Reader::new(&block, spec, &known).read(page);
    }
    Ok(())
}

/// Reads one operation.
struct Reader<'a> {
    block: &'a Block<'a>,
    spec: &'a Facts,
    known: &'a BTreeSet<String>,
    /// The sections that are labelled.
    labels: Vec<Section>,
    /// The last line that separates alternatives.
    last_or: u64,
    operation: Pointer,
    facts: Facts,
    unreadable: Vec<Problem>,
    /// The current line.
    number: u64,
    section: Section,
    content: Option<Content>,
    /// The schema of the last row.
    row: Option<Pointer>,
    security: Security,
}

/// The body or the answer whose rows are read.
struct Content {
    owner: Pointer,
    /// The media type, once it is shown. Until the content is read, it stands under [`ANY`].
    media: Option<String>,
    /// The schema that the rows belong to: that of the content, or of its items.
    base: Pointer,
    /// The objects whose rows may follow, the innermost last.
    objects: Vec<Pointer>,
    choice: Option<Choice>,
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

/// The authorizations of an operation.
#[derive(Default)]
struct Security {
    schemes: Map<String, Value>,
    /// One of the schemes is enough.
    is_choice: bool,
    /// A row of a scheme waits for the line that names the scheme.
    unnamed: bool,
    /// A request without authorization is allowed too.
    or_none: bool,
}

impl<'a> Reader<'a> {
    fn new(block: &'a Block<'a>, spec: &'a Facts, known: &'a BTreeSet<String>) -> Self {
        let labels = block.lines.iter().filter_map(|line| Some(label(line.text)?.0));
        let or = |line: &&Line<'_>| matches!(line.text, "or" | "and");
        Self {
            block,
            spec,
            known,
            labels: labels.collect(),
            last_or: block.lines.iter().rfind(or).map_or(0, |line| line.number),
            operation: Pointer::operation(block.method, &block.path),
            facts: Facts::default(),
            unreadable: Vec::new(),
            number: block.line,
            section: Section::None,
            content: None,
            row: None,
            security: Security::default(),
        }
    }

    fn read(mut self, page: &mut Page) {
        let operation = self.operation.clone();
        self.place(&operation);
        if self.labels.is_empty() {
            self.cannot_read(format!("{operation}: there is no section below it"));
        }
        // The badge stands above the title, sometimes with a sentence.
        let badge = |line: &&Line<'_>| {
            let text = row::without_icon(line.text);
            text == "Deprecated" || text.starts_with("This operation is deprecated")
        };
        if let Some(badge) = self.block.title.iter().find(badge) {
            self.number = badge.number;
            self.state(&operation, "deprecated", true);
        }
        for Line { number, text } in self.block.lines {
            self.number = *number;
            self.line(text);
        }
        self.number = self.block.line;
        self.close();
        self.secure();
        self.fold();
        page.unreadable.append(&mut self.unreadable);
        page.add(self.facts, self.block.line);
    }

    /// States the security of the operation.
    fn secure(&mut self) {
        let Security { schemes, is_choice, or_none, .. } = std::mem::take(&mut self.security);
        let all = schemes.keys().map(|name| (name.clone(), json!([])));
        let one = |one| Value::Object(Map::from_iter([one]));
        let mut alternatives: Vec<Value> =
            if is_choice { all.map(one).collect() } else { vec![Value::Object(all.collect())] };
        alternatives.extend(or_none.then(|| json!({})));
        if let Some(words) = security_in_words(&alternatives, &schemes) {
            let operation = self.operation.clone();
            self.state(&operation, "security", words);
            let recorded = &mut self.place(&operation).recorded;
            recorded.insert("security".to_owned(), alternatives.into());
            self.facts.schemes = schemes;
        }
    }

    /// Marks what is folded, and states the type of what is not.
    fn fold(&mut self) {
        let answers = self.facts.children(&self.operation).filter(|it| it.kind() == Kind::Answer);
        // Of an answer of which only the status is shown, another one is selected.
        let (shown, empty): (Vec<_>, Vec<_>) =
            answers.cloned().partition(|answer| self.facts.inner(answer).next().is_some());
        for answer in empty.iter().filter(|_| !shown.is_empty()) {
            self.place(answer).folded = true;
        }
        let all: Vec<Pointer> = self.facts.below(&self.operation).cloned().collect();
        for schema in all.iter().filter(|place| place.kind() == Kind::Schema) {
            let single = schema.then(&["allOf", "0"]);
            if self.facts.has(&single) && !self.facts.has(&schema.then(&["allOf", "1"])) {
                // It would be the schema itself.
                self.facts.take(&single);
                self.place(schema).folded = true;
            } else if let Some(Fact { folded: false, line, .. }) = self.facts.get(schema)
                && self.facts.kind(schema).is_none()
                && self.unreadable.is_empty()
            {
                self.number = line.unwrap_or(self.number);
                self.state(schema, "type", "any");
            }
        }
    }

    fn line(&mut self, text: &str) {
        let in_answer =
            matches!(self.section, Section::Answers | Section::Answer | Section::Headers);
        if let Some((section, rest)) = label(text)
            && (in_answer || section != Section::Answer)
        {
            match section {
                // Within an answer these are headings, not the request's body.
                Section::Body | Section::Answer if in_answer => {
                    self.section = Section::Answers;
                    self.titled(rest);
                }
                Section::Headers => self.section = section,
                _ => self.open(section, rest),
            }
        } else if let Some(status) = status(text)
            && (in_answer || (status != "default" && !self.labels.contains(&Section::Answers)))
        {
            let answer = self.operation.then(&["responses", status]);
            self.place(&answer).unlabelled = !self.labels.contains(&Section::Answers);
            self.section = Section::Answers;
            self.begin(answer);
        } else if let ("No content", Some(content)) = (text, &self.content) {
            let owner = content.owner.clone();
            self.state(&owner, "content", json!({}));
        } else if self.content.is_some() && is_media(text) {
            self.media(text);
        } else if matches!(text, "or" | "and") {
            self.alternative(text);
        } else {
            self.fact(text);
        }
    }

    /// Reads a row, a line below one, or prose.
    fn fact(&mut self, text: &str) {
        let tails = row::tails(text);
        if !tails.is_empty() {
            if let Some(row) = self.row.clone() {
                self.details(&row, tails);
            }
            return;
        }
        match row::read(text, self.known) {
            Read::Row(row) => self.row(row),
            Read::Unreadable => {
                // The lines below it don't belong to the last row.
                self.row = None;
                self.cannot_read(format!("`{text}` looks like a row and can't be read"));
            }
            Read::Other if self.section == Section::Authorizations && self.security.unnamed => {
                let words = text.to_lowercase();
                let mut words = words.split(|c: char| !c.is_alphanumeric());
                if let Some(word) = words.find(|word| ["bearer", "basic", "digest"].contains(word))
                {
                    self.security.unnamed = false;
                    let scheme = json!({ "type": "http", "scheme": word });
                    self.security.schemes.insert(word.to_owned(), scheme);
                }
            }
            Read::Other => {}
        }
    }

    fn open(&mut self, section: Section, rest: &str) {
        self.close();
        self.section = section;
        if section == Section::Body {
            let body = self.operation.then(&["requestBody"]);
            self.place(&body.then(&["content", ANY, "schema"]));
            self.begin(body);
            self.titled(rest);
        }
    }

    fn begin(&mut self, owner: Pointer) {
        self.close();
        self.place(&owner);
        let base = owner.then(&["content", ANY, "schema"]);
        let (objects, choice) = Default::default();
        self.content = Some(Content { owner, media: None, base, objects, choice });
    }

    /// Ends the section, and moves what was read to its media type.
    fn close(&mut self) {
        self.row = None;
        if let Some(Content { owner, media: Some(media), .. }) = self.content.take() {
            let place = |media: &str| owner.then(&["content", media]);
            self.facts.relocate(&place(ANY), &place(&media));
        }
    }

    /// States the media type, which may stand below the title of the content.
    fn media(&mut self, media: &str) {
        let Some(content) = &mut self.content else { return };
        let first = content.media.get_or_insert_with(|| media.to_owned());
        let place = if first == media { ANY } else { media };
        let schema = content.owner.then(&["content", place, "schema"]);
        self.place(&schema);
    }

    /// Reads what follows the title of a body or an answer: `object[]`, `application/json`.
    fn titled(&mut self, rest: &str) {
        let (kind, media) = row::kind(rest);
        if !media.is_empty() {
            self.media(media);
        }
        let base = self.content.as_ref().map(|content| content.base.clone());
        if let Some(base) = base.filter(|_| !kind.is_empty()) {
            let base = self.kind(&base, if kind == "[]" { "object[]" } else { kind });
            self.content = self.content.take().map(|content| Content { base, ..content });
        }
    }

    fn alternative(&mut self, word: &str) {
        if self.section == Section::Authorizations {
            self.security.is_choice = word == "or";
        }
        if let Some(choice) = self.content.as_mut().and_then(|content| content.choice.as_mut()) {
            choice.current += 1;
            let alternative = choice.alternative();
            self.place(&alternative).folded = true;
            self.row = None;
        }
    }

    /// Whether the spec has a place. It has a media type for what is shown without one.
    fn is_known(&self, place: &Pointer) -> bool {
        let owner = self.content.as_ref().map(|content| &content.owner);
        let any = owner.map(|owner| owner.then(&["content", ANY]));
        let mut own = owner.into_iter().flat_map(|owner| self.spec.children(owner));
        self.spec.has(place)
            || any.filter(|any| place.is_within(any)).is_some_and(|any| {
                own.any(|own| own.kind() == Kind::Media && self.spec.has(&place.moved(&any, own)))
            })
    }

    fn row(&mut self, row: Row) {
        self.row = None;
        if row.name == row::OTHER && row.stated.contains(&("type", "any".into())) {
            // They are allowed anyway.
            return;
        }
        let in_content = matches!(self.section, Section::Body | Section::Answers);
        if !in_content && row::without_icon(&row.name) == "Authorization" {
            return self.authorization(&row);
        }
        if let Some((place, is_labelled)) = self.place_of(&row) {
            self.describe(&place, row);
            self.place(&place).unlabelled = !is_labelled;
        } else if self.section == Section::Authorizations {
            let name = row.name.to_lowercase();
            let scheme = json!({ "type": "apiKey", "in": "header", "name": name });
            let key = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            self.security.schemes.insert(format!("header-{key}"), scheme);
        } else {
            self.cannot_read(format!("`{}` is in no section", row.name));
        }
    }

    /// The place of a row, and whether the label of its section says so. If not, path and spec do: some pages lack labels.
    fn place_of(&mut self, row: &Row) -> Option<(Pointer, bool)> {
        let parameter = |within| self.operation.parameter(within, &row.name);
        match self.section {
            Section::Body | Section::Answers => return Some((self.of_content(row)?, true)),
            // Folded headers are followed by the rows of the body, without a label.
            Section::Headers => {
                let place = self.content.as_ref()?.base.property(&row.name);
                self.is_known(&place).then_some(())?;
                self.section = Section::Answers;
                return Some((self.of_content(row)?, true));
            }
            Section::Parameters(within) if within != Within::Path || self.is_in_path(row) => {
                return Some((parameter(within), true));
            }
            _ if self.is_in_path(row) => return Some((parameter(Within::Path), false)),
            _ => {}
        }
        if let Some(place) = Within::iter().map(parameter).find(|place| self.spec.has(place)) {
            return Some((place, false));
        }
        let body = self.operation.then(&["requestBody"]);
        let mut names = self.spec.below(&body).filter_map(Pointer::name);
        if names.any(|name| name == row.name) && !self.labels.contains(&Section::Body) {
            self.open(Section::Body, "");
            self.place(&body).unlabelled = true;
            return Some((self.of_content(row)?, false));
        }
        let in_parameters = matches!(self.section, Section::Parameters(_));
        in_parameters.then(|| (parameter(Within::Path), false))
    }

    fn is_in_path(&self, row: &Row) -> bool {
        self.block.path.contains(&format!("{{{}}}", row.name))
    }

    /// Reads the row of a scheme, which the line below it names.
    fn authorization(&mut self, row: &Row) {
        if self.section != Section::Authorizations {
            self.place(&self.operation.clone()).unlabelled = true;
        }
        self.section = Section::Authorizations;
        self.security.unnamed = true;
        if !row.stated.contains(&("type", "string".into())) {
            self.cannot_read("the header of an authorization is no string".to_owned());
        }
        self.security.or_none |= !row.stated.contains(&("required", true.into()));
    }

    /// The place of a row of the body or of an answer. The page doesn't show how deep a row is.
    fn of_content(&mut self, row: &Row) -> Option<Pointer> {
        let Content { base, objects, choice, .. } = self.content.as_ref()?;
        if row.name.is_empty() {
            return Some(base.clone());
        }
        let inner = |owner: &Pointer| match &*row.name {
            row::OTHER => owner.then(&["additionalProperties"]),
            name => owner.property(name),
        };
        let is_next = |owner: &Pointer| {
            let place = inner(owner);
            self.is_known(&place) && !self.facts.has(&place)
        };
        let is_chosen = |choice: &&Choice| {
            let is_last = choice.current == 0 && self.last_or > self.number;
            choice.place == *base || choice.spelled_out || is_last
        };
        let (in_base, next) = (is_next(base), objects.iter().rposition(is_next));
        let in_choice = choice.as_ref().is_some_and(|choice| is_chosen(&choice));
        let Content { base, objects, choice, .. } = self.content.as_mut()?;
        let mut of_choice = None;
        let owner = match (choice.as_mut().filter(|_| in_choice), next) {
            _ if in_base => {
                (*choice, *objects) = Default::default();
                base.clone()
            }
            (Some(choice), _) => {
                choice.spelled_out = true;
                of_choice = Some(choice.place.clone());
                choice.alternative()
            }
            (None, Some(at)) => {
                objects.truncate(at + 1);
                objects[at].clone()
            }
            (None, None) => base.clone(),
        };
        if let Some(choice) = of_choice
            && row.stated.iter().any(|(keyword, _)| *keyword == "discriminator")
        {
            self.state(&choice, "discriminator", &*row.name);
        }
        // Its properties are shown.
        self.place(&owner).folded = false;
        if self.facts.kind(&owner).is_none() {
            self.state(&owner, "type", "object");
        }
        Some(inner(&owner))
    }

    /// States the type of a schema, and returns the place of its innermost items, or the schema itself.
    fn kind(&mut self, place: &Pointer, kind: &str) -> Pointer {
        if let Some(constant) = kind.strip_prefix("const: ") {
            let value = typed(self.spec.kind(place).unwrap_or_default(), constant.trim());
            let kind = match &value {
                Value::Bool(_) => "boolean",
                Value::Number(number) if number.is_f64() => "number",
                Value::Number(_) => "integer",
                _ => "string",
            };
            self.state(place, "type", kind);
            self.state(place, "enum", json!([value]));
            return place.clone();
        }
        let is_new = self.facts.kind(place).is_none();
        self.state(place, "type", kind);
        if let Some(item) = kind.strip_suffix("[]") {
            return self.kind(&place.then(&["items"]), item);
        }
        let list = LISTS.iter().find(|(_, word)| *word == kind).map(|(list, _)| *list);
        let Some(content) = &mut self.content else { return place.clone() };
        match list {
            // Until a row of it follows.
            None if kind == "object" && is_new => {
                if content.objects.len() == MOST_OBJECTS {
                    content.objects.remove(0);
                }
                content.objects.push(place.clone());
                self.place(place).folded = true;
            }
            None => {}
            // The alternatives of items are not even counted.
            Some(_) if place.0.ends_with("/items") => self.place(place).folded = true,
            Some(list) => {
                let choice = Choice { place: place.clone(), list, current: 0, spelled_out: false };
                let alternative = choice.alternative();
                content.choice = Some(choice);
                self.place(&alternative).folded = true;
            }
        }
        place.clone()
    }

    /// States what a row states of the parameter or the property at `place`.
    fn describe(&mut self, place: &Pointer, row: Row) {
        // Only parameters and properties are required or optional.
        let is_named = place.name().is_some();
        let is_parameter = place.kind() == Kind::Parameter;
        let schema = if is_parameter { place.then(&["schema"]) } else { place.clone() };
        self.place(&schema);
        if is_named && !row.stated.iter().any(|(keyword, _)| *keyword == "required") {
            self.cannot_read(format!("`{}` is neither `Required` nor `Optional`", row.name));
        }
        let mut details = Vec::new();
        for (keyword, value) in row.stated {
            match keyword {
                "type" => drop(self.kind(&schema, value.as_str().unwrap_or_default())),
                "required" if is_named => self.state(place, keyword, value),
                "deprecated" if is_parameter => self.state(place, keyword, value),
                "required" | "discriminator" => {}
                _ => details.push((keyword, value)),
            }
        }
        self.details(&schema, details);
        self.row = Some(schema);
    }

    /// States what stands beside the type of a row or below the row. Some of it is about the items of a list.
    fn details(&mut self, schema: &Pointer, details: Stated) {
        let mut item = schema.clone();
        while self.facts.has(&item.then(&["items"])) {
            item = item.then(&["items"]);
        }
        let words = |place: &Pointer| self.facts.kind(place).unwrap_or_default().to_owned();
        let (kind, of_item) = (words(schema), words(&item));
        for (keyword, value) in details {
            let text = value.as_str().unwrap_or_default();
            match keyword {
                "format" | "pattern" => self.state(&item, keyword, value),
                "enum" => {
                    let values = value.as_array().map(|values| {
                        values.iter().map(|it| typed(&of_item, it.as_str().unwrap_or_default()))
                    });
                    let values = values.map(Iterator::collect);
                    self.state(&item, keyword, values.unwrap_or(value));
                }
                // Limits of values, lengths or counts.
                "min" | "max" => {
                    let (own, of_item) = (limit(keyword, &kind), limit(keyword, &of_item));
                    let is_known =
                        |place: &Pointer, limit: &str| self.is_known(&place.then(&[limit]));
                    let is_item = !is_known(schema, &own) && is_known(&item, &of_item);
                    let (place, limit) = if is_item { (&item, of_item) } else { (schema, own) };
                    self.state(place, &limit, typed("number", text));
                }
                "default" | "example" => self.state(schema, keyword, typed(&kind, text)),
                _ => self.state(schema, keyword, value),
            }
        }
    }

    /// The place, which is noted if it is new.
    fn place(&mut self, place: &Pointer) -> &mut Fact {
        self.facts.place(place, self.number)
    }

    fn state(&mut self, place: &Pointer, keyword: &str, value: impl Into<Value>) {
        let value = value.into();
        let before = self.facts.value(place, keyword).filter(|before| **before != "");
        if before.is_some_and(|before| *before != value && value != "") {
            // The row that this line belongs to may be missing.
            let problem = format!("`{keyword}` of `{}` is stated twice", place.within_operation());
            self.cannot_read(problem);
        } else if before.is_none() {
            self.place(place);
            let line = Some(self.number);
            let fact = self.place(&place.then(&[keyword]));
            (fact.value, fact.line) = (Some(value), line);
        }
    }

    fn cannot_read(&mut self, what: String) {
        self.unreadable.push(Problem { line: Some(self.number), what, file: None });
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
