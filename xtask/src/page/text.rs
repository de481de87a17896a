//! The text that copying the rendered page gives, read into the facts of an OpenAPI document.

use super::block::{Block, Line, blocks};
use super::row::{self, Read, Row};
use super::{NotAPage, Page, Shape, record};
use crate::document::{Facts, Kind, Pointer, Unreadable, Within, unflatten};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use strum::IntoEnumIterator;

/// The media type of content that is shown without one.
const ANY: &str = "*/*";

/// The largest depth of objects within objects.
const DEEPEST: usize = 32;

/// Reads the page. `spec` resolves what is ambiguous: where a name ends, and which of two objects a
/// property belongs to.
pub(super) fn read(text: &str, spec: &Facts) -> Result<Page, NotAPage> {
    // Browsers copy some spaces as ones that don't break.
    let text = text.replace('\u{a0}', " ");
    let lines = text.lines().zip(1..);
    let lines = lines.map(|(text, number)| Line { number, text: text.trim() });
    let is_blank = |text: &str| text.is_empty() || row::ICONS.contains(&text);
    let lines: Vec<Line<'_>> = lines.filter(|line| !is_blank(line.text)).collect();
    let mut unreadable = Vec::new();
    let blocks = blocks(&lines, spec, &mut unreadable);
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
    let mut facts = Facts::default();
    for block in blocks {
        let mut reader = Reader::new(&block, spec, &known);
        reader.read();
        unreadable.append(&mut reader.unreadable);
        super::add(&mut facts, reader.facts, block.line, &mut unreadable);
    }
    Ok(Page { shape: Shape::Text, document: unflatten(&facts), facts, unreadable })
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

#[expect(clippy::struct_excessive_bools, reason = "what was seen so far")]
struct Reader<'a> {
    block: &'a Block<'a>,
    spec: &'a Facts,
    known: &'a BTreeSet<String>,
    operation: Pointer,
    facts: Facts,
    unreadable: Vec<Unreadable>,
    section: Section,
    /// The body or the answer, and the schema in it that the rows belong to: that of its content, or of its items.
    owner: Pointer,
    base: Option<Pointer>,
    /// The objects whose rows may follow, the innermost last.
    objects: Vec<Pointer>,
    choice: Option<Choice>,
    /// The place of the last row.
    row: Option<Pointer>,
    schemes: BTreeSet<String>,
    between_schemes: &'static str,
    /// No row of a scheme waits for the line that names the scheme.
    scheme_is_named: bool,
    /// A request without authorization is allowed too.
    or_none: bool,
    names_a_body: bool,
    names_answers: bool,
    /// The last line that separates alternatives.
    last_or: usize,
}

impl<'a> Reader<'a> {
    fn new(block: &'a Block<'a>, spec: &'a Facts, known: &'a BTreeSet<String>) -> Self {
        let names = |wanted| {
            let mut labels = block.lines.iter().filter_map(|line| label(line.text));
            labels.any(|(section, _)| section == wanted)
        };
        let or = |line: &Line<'_>| matches!(line.text, "or" | "and");
        Self {
            block,
            spec,
            known,
            operation: Pointer::operation(block.method, &block.path),
            facts: Facts::default(),
            unreadable: Vec::new(),
            section: Section::None,
            owner: Pointer::default(),
            base: None,
            objects: Vec::new(),
            choice: None,
            row: None,
            schemes: BTreeSet::new(),
            between_schemes: " and ",
            scheme_is_named: true,
            or_none: false,
            names_a_body: names(Section::Body),
            names_answers: names(Section::Answers),
            last_or: block.lines.iter().rposition(or).unwrap_or(0),
        }
    }

    fn read(&mut self) {
        let line = Some(self.block.line);
        self.facts.place(&self.operation).line = line;
        if !self.block.lines.iter().any(|line| label(line.text).is_some()) {
            let problem = format!("{}: there is no section below it", self.operation);
            self.cannot_read(self.block.line, problem);
        }
        // The badge stands above the title, sometimes with a sentence.
        let badge = |line: &&Line<'_>| {
            let text = row::without_icon(line.text);
            text == "Deprecated" || text.starts_with("This operation is deprecated")
        };
        if let Some(badge) = self.block.title.iter().find(badge) {
            self.facts.state(&self.operation, "deprecated", true, Some(badge.number));
        }
        for index in 0..self.block.lines.len() {
            self.line(index);
        }
        self.security(line);
        self.fold_answers();
    }

    fn security(&mut self, line: Option<u64>) {
        let schemes: Vec<&str> = self.schemes.iter().map(String::as_str).collect();
        let joined = schemes.join(self.between_schemes);
        let mut alternatives: Vec<&str> = joined.split(" or ").collect();
        alternatives.extend(self.or_none.then_some("none"));
        alternatives.sort_unstable();
        let words = alternatives.join(" or ");
        if !schemes.is_empty() {
            self.facts.state(&self.operation, "security", words, line);
        }
    }

    /// Marks the answers of which only the status is shown, since another one is selected.
    fn fold_answers(&mut self) {
        let answers = self.facts.children(&self.operation);
        let answers: Vec<Pointer> =
            answers.filter(|it| it.kind() == Kind::Answer).cloned().collect();
        let (shown, empty): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| self.facts.within(answer).next().is_some());
        for answer in empty.iter().filter(|_| !shown.is_empty()) {
            self.facts.place(answer).folded = true;
        }
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
            && (in_answer || (!self.names_answers && status != "default"))
        {
            let place = self.operation.then(&["responses", status]);
            self.section = Section::Answers;
            let fact = self.facts.place(&place);
            (fact.line, fact.unlabelled) = (Some(number), !self.names_answers);
            self.begin(place);
        } else if self.base.is_some() && text == "No content" {
            self.facts.state(&self.owner, "content", json!({}), Some(number));
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
            return self.below(tails, number);
        }
        match row::read(text, self.known) {
            Read::Row(row) => self.place(row, index),
            Read::Unreadable => {
                // The lines below it don't belong to the last row.
                self.row = None;
                let problem = format!("`{text}` looks like a row and can't be read");
                self.cannot_read(number, problem);
            }
            Read::Other if self.section == Section::Authorizations && !self.scheme_is_named => {
                self.scheme(text);
            }
            Read::Other => {}
        }
    }

    /// States the facts of a line below a row.
    fn below(&mut self, tails: Vec<(&'static str, Value)>, number: u64) {
        let Some(row) = self.row.clone() else { return };
        for (keyword, value) in tails {
            let (place, keyword, value) = self.resolve(&row, keyword, value);
            let before = self.facts.value(&place, keyword).filter(|before| **before != "");
            if before.is_some_and(|before| *before != value && value != "") {
                // The row that this line belongs to may be missing.
                let problem =
                    format!("`{keyword}` of `{}` is stated twice", row.within_operation());
                self.cannot_read(number, problem);
            } else if before.is_none() {
                self.facts.state(&place, keyword, value, Some(number));
            }
        }
    }

    fn cannot_read(&mut self, number: u64, problem: String) {
        self.unreadable.push(Unreadable { line: Some(number), problem });
    }

    fn open(&mut self, section: Section, rest: &str, number: u64) {
        self.section = section;
        self.base = None;
        self.row = None;
        self.choice = None;
        if section == Section::Body {
            let body = self.operation.then(&["requestBody"]);
            self.facts.place(&body).line = Some(number);
            self.begin(body);
            self.media(ANY, number);
            self.titled(rest, number);
        }
    }

    fn begin(&mut self, owner: Pointer) {
        self.row = None;
        self.choice = None;
        self.objects.clear();
        self.base = Some(content(&owner, ANY));
        self.owner = owner;
    }

    /// States the media type, which may stand below the title of the content.
    fn media(&mut self, media: &str, number: u64) {
        let (any, place) =
            (self.owner.then(&["content", ANY]), self.owner.then(&["content", media]));
        self.facts.relocate(&any, &place);
        for place in [&place, &place.then(&["schema"])] {
            self.facts.place(place).line.get_or_insert(number);
        }
        self.base = self
            .base
            .take()
            .map(|base| if base.is_within(&any) { base.moved(&any, &place) } else { base });
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
            self.facts.place(&base.parent()).line.get_or_insert(number);
            self.facts.place(&base).line.get_or_insert(number);
            let kind = if kind == "[]" { "object[]" } else { kind };
            self.base = Some(self.kind(&base, kind, number));
        }
    }

    fn alternative(&mut self, word: &str, number: u64) {
        if self.section == Section::Authorizations {
            self.between_schemes = if word == "or" { " or " } else { " and " };
        }
        if let Some(choice) = &mut self.choice {
            choice.current += 1;
            let fact = self.facts.place(&choice.alternative());
            (fact.line, fact.folded) = (Some(number), true);
            self.row = None;
        }
    }

    fn scheme(&mut self, text: &str) {
        let words = text.to_lowercase();
        let mut words = words.split(|c: char| !c.is_alphanumeric());
        if let Some(scheme) = words.find(|word| ["bearer", "basic", "digest"].contains(word)) {
            self.scheme_is_named = true;
            self.schemes.insert(scheme.to_owned());
        }
    }

    /// Whether the spec has a place. It has a media type for what is shown without one.
    fn is_known(&self, place: &Pointer) -> bool {
        let any = self.owner.then(&["content", ANY]);
        let mut own = self.spec.children(&self.owner).filter(|own| own.kind() == Kind::Media);
        self.spec.has(place)
            || place.is_within(&any) && own.any(|own| self.spec.has(&place.moved(&any, own)))
    }

    fn place(&mut self, row: Row, index: usize) {
        let number = self.block.lines[index].number;
        if row.name == row::OTHER && row.stated.contains(&("type", "any".into())) {
            // They are allowed anyway.
            self.row = None;
            return;
        }
        let is_content = matches!(self.section, Section::Body | Section::Answers);
        if !is_content && row::without_icon(&row.name) == "Authorization" {
            return self.authorization(&row, number);
        }
        let operation = self.operation.clone();
        let parameter = |within| operation.parameter(within, &row.name);
        let in_path = self.block.path.contains(&format!("{{{}}}", row.name));
        let section = self.section;
        let labelled = match section {
            Section::Body | Section::Answers => self.content_place(&row, index),
            // Folded headers are followed by the rows of the body, without a label.
            Section::Headers => {
                let place = self.base.as_ref().map(|base| base.property(&row.name));
                let known = place.is_some_and(|place| self.is_known(&place));
                if known { self.content_place(&row, index) } else { None }
            }
            Section::Parameters(within) if within != Within::Path || in_path => {
                Some(parameter(within))
            }
            _ => None,
        };
        // Without a label, path and spec show the section. Some pages lack only the label of the body.
        let inferred = || match section {
            Section::Body | Section::Answers | Section::Answer | Section::Headers => None,
            _ if in_path => Some(parameter(Within::Path)),
            _ => Within::iter().map(parameter).find(|place| self.spec.has(place)),
        };
        let unlabelled = labelled.is_none();
        let mut place = labelled.or_else(inferred);
        let in_no_body =
            !self.names_a_body && !matches!(section, Section::Answers | Section::Headers);
        if place.is_none() && in_no_body {
            let body = operation.then(&["requestBody"]);
            let names = self.spec.below(&body).any(|own| own.name().as_ref() == Some(&row.name));
            if names {
                self.open(Section::Body, "", number);
                self.facts.place(&body).unlabelled = true;
                place = self.content_place(&row, index);
            }
        }
        if place.is_none() && matches!(section, Section::Parameters(_)) {
            place = Some(parameter(Within::Path));
        }
        match place {
            Some(place) => {
                if section == Section::Headers {
                    self.section = Section::Answers;
                }
                self.facts.place(&place).unlabelled = unlabelled;
                self.state(&place, row, number);
            }
            None if section == Section::Authorizations => {
                self.schemes.insert(format!("header {}", row.name.to_lowercase()));
                self.row = None;
            }
            None => self.cannot_read(number, format!("`{}` is in no section", row.name)),
        }
    }

    /// Reads the row of a scheme, which the line below it names.
    fn authorization(&mut self, row: &Row, number: u64) {
        self.facts.place(&self.operation).unlabelled |= self.section != Section::Authorizations;
        self.section = Section::Authorizations;
        self.scheme_is_named = false;
        self.row = None;
        if !row.stated.contains(&("type", "string".into())) {
            self.cannot_read(number, "the header of an authorization is no string".to_owned());
        }
        self.or_none |= !row.stated.contains(&("required", true.into()));
    }

    /// The place of a row of the body or of an answer. The page doesn't show how deep a row is.
    fn content_place(&mut self, row: &Row, index: usize) -> Option<Pointer> {
        let base = self.base.clone()?;
        let number = self.block.lines[index].number;
        if row.name.is_empty() {
            self.facts.place(&base.parent()).line.get_or_insert(number);
            return Some(base);
        }
        let inner = |owner: &Pointer| {
            if row.name == row::OTHER {
                owner.then(&["additionalProperties"])
            } else {
                owner.property(&row.name)
            }
        };
        let fresh = |reader: &Self, owner: &Pointer| {
            let place = inner(owner);
            reader.is_known(&place) && !reader.facts.has(&place)
        };
        if fresh(self, &base) {
            self.choice = None;
            self.objects.clear();
            return Some(self.object(&base, number, inner));
        }
        let more = self.last_or > index;
        if let Some(choice) = &mut self.choice
            && (choice.place == base || choice.spelled_out || (more && choice.current == 0))
        {
            choice.spelled_out = true;
            let (alternative, place) = (choice.alternative(), choice.place.clone());
            if row.stated.iter().any(|(keyword, _)| *keyword == "discriminator") {
                self.facts.state(&place, "discriminator", &*row.name, Some(number));
            }
            return Some(self.object(&alternative, number, inner));
        }
        // A bound, since a page may hold any number of rows.
        let first = self.objects.len().saturating_sub(DEEPEST);
        let owner = self.objects[first..].iter().rposition(|object| fresh(self, object));
        if let Some(at) = owner {
            self.objects.truncate(first + at + 1);
        }
        let owner = owner.and_then(|_| self.objects.last().cloned()).unwrap_or(base);
        Some(self.object(&owner, number, inner))
    }

    /// The place within an object, whose properties are shown.
    fn object(
        &mut self,
        object: &Pointer,
        number: u64,
        inner: impl Fn(&Pointer) -> Pointer,
    ) -> Pointer {
        let media = object.parent();
        if media.kind() == Kind::Media {
            self.facts.place(&media).line.get_or_insert(number);
        }
        let fact = self.facts.place(object);
        fact.folded = false;
        let line = Some(*fact.line.get_or_insert(number));
        if self.facts.value(object, "type").is_none() {
            self.facts.state(object, "type", "object", line);
        }
        inner(object)
    }

    /// States the type of a schema, and returns the place of its innermost items, or the schema itself.
    fn kind(&mut self, place: &Pointer, kind: &str, number: u64) -> Pointer {
        let line = Some(number);
        let fact = self.facts.place(place);
        fact.line.get_or_insert(number);
        if let Some(constant) = kind.strip_prefix("const: ") {
            let value = typed(&self.spec.kind(place).unwrap_or_default(), constant.trim());
            let kind = if value.is_boolean() {
                "boolean"
            } else if value.is_number() {
                if value.is_f64() { "number" } else { "integer" }
            } else {
                "string"
            };
            self.facts.state(place, "type", kind, line);
            self.facts.state(place, "enum", json!([value]), line);
            return place.clone();
        }
        if let Some(item) = kind.strip_suffix("[]") {
            self.facts.state(place, "type", "array", line);
            return self.kind(&place.then(&["items"]), item, number);
        }
        let list = match kind {
            "one of" => "oneOf",
            "any of" => "anyOf",
            "all of" => "allOf",
            "object" => {
                // Until a row of it follows.
                fact.folded = true;
                self.objects.push(place.clone());
                ""
            }
            _ => "",
        };
        self.facts.state(place, "type", kind, line);
        if !list.is_empty() && place.holder() == "items" {
            // The alternatives of items are not even counted.
            self.facts.place(place).folded = true;
        } else if !list.is_empty() {
            let choice = Choice { place: place.clone(), list, current: 0, spelled_out: false };
            let fact = self.facts.place(&choice.alternative());
            (fact.line, fact.folded) = (line, true);
            self.choice = Some(choice);
        }
        place.clone()
    }

    fn state(&mut self, place: &Pointer, row: Row, number: u64) {
        // Only parameters and properties are required or optional.
        let nameless = place.name().is_none();
        let is_parameter = place.kind() == Kind::Parameter;
        let schema = if is_parameter { place.then(&["schema"]) } else { place.clone() };
        let before: Vec<(Pointer, Value)> = self
            .facts
            .within(place)
            .filter_map(|(fact, it)| Some((fact.clone(), it.value.clone()?)))
            .collect();
        self.facts.place(place).line = Some(number);
        if !nameless && !row.stated.iter().any(|(keyword, _)| *keyword == "required") {
            self.cannot_read(
                number,
                format!("`{}` is neither `Required` nor `Optional`", row.name),
            );
        }
        for (keyword, value) in row.stated {
            match keyword {
                "type" => drop(self.kind(&schema, value.as_str().unwrap_or_default(), number)),
                "required" if nameless => {}
                "required" => self.facts.state(place, keyword, value, Some(number)),
                "deprecated" if is_parameter => {
                    self.facts.state(place, keyword, value, Some(number));
                }
                "discriminator" => {}
                _ => {
                    let (place, keyword, value) = self.resolve(&schema, keyword, value);
                    self.facts.state(&place, keyword, value, Some(number));
                }
            }
        }
        let again = |(fact, before): &(Pointer, Value)| {
            self.facts.get(fact).is_some_and(|now| now.value.as_ref() != Some(before))
        };
        if !nameless && before.iter().any(again) {
            let problem = format!("`{}` is described twice, in different ways", row.name);
            self.cannot_read(number, problem);
        }
        self.row = Some(schema);
    }

    /// The place, the keyword and the value of a fact in a row or below it. Some are about the items of a list, and one
    /// word stands for the limits of values, lengths and counts.
    fn resolve(
        &self,
        place: &Pointer,
        keyword: &'static str,
        value: Value,
    ) -> (Pointer, &'static str, Value) {
        let kind = self.facts.kind(place).unwrap_or_default();
        let mut item = place.clone();
        while self.facts.has(&item.then(&["items"])) {
            item = item.then(&["items"]);
        }
        let text = value.as_str().unwrap_or_default();
        let of_item = kind.trim_end_matches("[]");
        match keyword {
            "format" | "pattern" => (item, keyword, value),
            "enum" => match value {
                Value::Array(values) => {
                    (item, keyword, values.iter().map(|it| typed(of_item, &text_of(it))).collect())
                }
                other => (item, keyword, other),
            },
            "minimum" | "maximum" => {
                let names: [&'static str; 4] = if keyword == "minimum" {
                    ["minimum", "minLength", "minItems", "minProperties"]
                } else {
                    ["maximum", "maxLength", "maxItems", "maxProperties"]
                };
                let known = |place: &Pointer| {
                    names.into_iter().find(|name| self.is_known(&place.then(&[name])))
                };
                let of_kind = match &*kind {
                    "string" => names[1],
                    "object" => names[3],
                    kind if kind.ends_with("[]") => names[2],
                    _ => names[0],
                };
                let value = typed("number", text);
                match (known(place), known(&item)) {
                    (None, Some(name)) => (item, name, value),
                    (own, _) => (place.clone(), own.unwrap_or(of_kind), value),
                }
            }
            "default" | "example" => (place.clone(), keyword, typed(&kind, text)),
            _ => (place.clone(), keyword, value),
        }
    }
}

fn content(owner: &Pointer, media: &str) -> Pointer {
    owner.then(&["content", media, "schema"])
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
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
