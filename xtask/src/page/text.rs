//! The text that copying the rendered page gives.

use super::NotAPage;
use super::block::{Block, Line, blocks};
use super::row::{self, Read, Row};
use crate::contract::{Aspect, Facts, Place, Step, Unreadable, Within};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use strum::IntoEnumIterator;

/// Reads the page. `spec` resolves what is ambiguous: where a name ends, and which of two objects a
/// property belongs to.
pub(super) fn read(text: &str, spec: &Facts) -> Result<(Facts, Vec<Unreadable>), NotAPage> {
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
    let names = spec.subjects.keys().filter_map(|place| match place.last()? {
        Step::Parameter { name, .. } | Step::Property(name) => Some(name.clone()),
        _ => None,
    });
    let known: BTreeSet<String> = names.chain([row::OTHER.to_owned()]).collect();
    let mut facts = Facts::default();
    for block in blocks {
        let mut reader = Reader::new(&block, spec, &known);
        reader.read();
        unreadable.append(&mut reader.unreadable);
        super::add(&mut facts, reader.facts, block.line, &mut unreadable);
    }
    Ok((facts, unreadable))
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Section {
    None,
    Authorizations,
    Parameters(Within),
    Body,
    Answers,
    /// The headers of an answer, which the spec doesn't describe.
    Headers,
}

/// The section that a line opens, and the rest of the line.
pub(super) fn label(line: &str) -> Option<(Section, &str)> {
    let bare = row::without_icon(line).trim();
    Some(match bare {
        "Authorizations" | "Authorization" => (Section::Authorizations, ""),
        "Path parameters" => (Section::Parameters(Within::Path), ""),
        "Query parameters" => (Section::Parameters(Within::Query), ""),
        "Header parameters" => (Section::Parameters(Within::Header), ""),
        "cookie" | "Cookie" | "Cookie parameters" => (Section::Parameters(Within::Cookie), ""),
        "Responses" | "Response" => (Section::Answers, ""),
        "Headers" => (Section::Headers, ""),
        _ => {
            let rest = bare.strip_prefix("Body")?;
            let media = rest.strip_prefix("[]").unwrap_or(rest).trim();
            (media.is_empty() || is_media(media)).then_some((Section::Body, rest))?
        }
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
    place: Place,
    current: usize,
    /// Rows of the alternatives are shown, not folded away.
    spelled_out: bool,
}

/// The largest depth of objects within objects.
const DEEPEST: usize = 32;

/// States that a place whose properties are shown is an object.
fn object(facts: &mut Facts, place: &Place, number: u64) {
    let subject = facts.subject(place);
    subject.line = subject.line.or(Some(number));
    subject.state(Aspect::Type, "object", subject.line);
}

struct Reader<'a> {
    block: &'a Block<'a>,
    spec: &'a Facts,
    known: &'a BTreeSet<String>,
    operation: Place,
    facts: Facts,
    unreadable: Vec<Unreadable>,
    section: Section,
    /// The place that the rows of the section belong to: the body or an answer, or its items.
    base: Option<Place>,
    /// The objects whose rows may follow, the innermost last.
    objects: Vec<Place>,
    choice: Option<Choice>,
    /// The place of the last row.
    row: Option<Place>,
    schemes: Vec<String>,
    between_schemes: &'static str,
    /// No row of a scheme waits for the line that names the scheme.
    scheme_is_named: bool,
    /// Says that a request without authorization is allowed.
    or_none: &'static str,
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
            operation: Place::operation(block.method, &block.path),
            facts: Facts::default(),
            unreadable: Vec::new(),
            section: Section::None,
            base: None,
            objects: Vec::new(),
            choice: None,
            row: None,
            schemes: Vec::new(),
            between_schemes: " and ",
            scheme_is_named: true,
            or_none: "",
            names_a_body: names(Section::Body),
            names_answers: names(Section::Answers),
            last_or: block.lines.iter().rposition(or).unwrap_or(0),
        }
    }

    fn read(&mut self) {
        self.facts.subject(&self.operation).line = Some(self.block.line);
        if !self.block.lines.iter().any(|line| label(line.text).is_some()) {
            let problem = format!("{}: there is no section below it", self.operation);
            self.cannot_read(self.block.line, problem);
        }
        for index in 0..self.block.lines.len() {
            self.line(index);
        }
        if !self.schemes.is_empty() {
            let scheme = self.schemes.join(self.between_schemes) + self.or_none;
            let line = Some(self.block.line);
            self.facts.subject(&self.operation).state(Aspect::Security, scheme, line);
        }
    }

    fn line(&mut self, index: usize) {
        let Line { number, text } = self.block.lines[index];
        if let Some((section, rest)) = label(text) {
            // Within an answer this is a heading, not the request's body.
            let in_answer = matches!(self.section, Section::Answers | Section::Headers);
            match section {
                Section::Body if in_answer => self.section = Section::Answers,
                Section::Headers => self.section = section,
                _ => self.open(section, rest, number),
            }
            return;
        }
        if let Some(status) = status(text)
            && (matches!(self.section, Section::Answers | Section::Headers)
                || (!self.names_answers && status != "default"))
        {
            let place = self.operation.then(Step::Answer(status.to_owned()));
            self.section = Section::Answers;
            self.begin(place.clone(), number);
            self.facts.subject(&place).unlabelled = !self.names_answers;
            return;
        }
        let content = match text {
            "No content" => Some(json!([])),
            media if is_media(media) => Some(json!([media])),
            _ => None,
        };
        if let (Some(base), Some(content)) = (&self.base, content) {
            let items = base.last() == Some(&Step::Items);
            let place = if items { base.parent() } else { base.clone() };
            return self.facts.subject(&place).state(Aspect::Content, content, Some(number));
        }
        if matches!(text, "or" | "and") {
            return self.alternative(text, number);
        }
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
    fn below(&mut self, tails: Vec<(Aspect, Value)>, number: u64) {
        let Some(row) = self.row.clone() else { return };
        for (aspect, value) in tails {
            let before = self.facts.value(&row, aspect).filter(|before| !before.is_null());
            if before.is_some_and(|before| *before != value && !value.is_null()) {
                // The row that this line belongs to may be missing.
                let problem = format!("`{aspect}` of `{}` is stated twice", row.within_operation());
                self.cannot_read(number, problem);
            } else if before.is_none() {
                self.facts.subject(&row).state(aspect, value, Some(number));
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
            let body = self.operation.then(Step::Body);
            self.begin(body.clone(), number);
            if rest.starts_with("[]") {
                self.facts.subject(&body).state(Aspect::Type, "object[]", Some(number));
                self.base = Some(body.then(Step::Items));
            }
            let media = rest.trim_start_matches("[]").trim();
            if !media.is_empty() {
                self.facts.subject(&body).state(Aspect::Content, json!([media]), Some(number));
            }
        }
    }

    fn begin(&mut self, place: Place, number: u64) {
        self.facts.subject(&place).line = Some(number);
        self.row = None;
        self.choice = None;
        self.objects.clear();
        self.base = Some(place);
    }

    fn alternative(&mut self, word: &str, number: u64) {
        if self.section == Section::Authorizations {
            self.between_schemes = if word == "or" { " or " } else { " and " };
        }
        if let Some(choice) = &mut self.choice {
            choice.current += 1;
            let (place, count) = (choice.place.clone(), choice.current);
            self.facts.subject(&place).state(Aspect::Alternatives, count, Some(number));
            self.row = None;
        }
    }

    fn scheme(&mut self, text: &str) {
        let words = text.to_lowercase();
        let mut words = words.split(|c: char| !c.is_alphanumeric());
        let new = |word: &&str| {
            ["bearer", "basic", "digest"].contains(word)
                && !self.schemes.iter().any(|own| own == word)
        };
        if let Some(scheme) = words.find(new) {
            self.scheme_is_named = true;
            self.schemes.push(scheme.to_owned());
        }
    }

    fn place(&mut self, row: Row, index: usize) {
        let number = self.block.lines[index].number;
        let is_content = matches!(self.section, Section::Body | Section::Answers);
        if !is_content && row::without_icon(&row.name) == "Authorization" {
            // The line below names the scheme.
            self.facts.subject(&self.operation).unlabelled |=
                self.section != Section::Authorizations;
            self.section = Section::Authorizations;
            self.scheme_is_named = false;
            self.row = None;
            let states = |fact| row.stated.contains(&fact);
            if !states((Aspect::Type, "string".into())) {
                self.cannot_read(number, "the header of an authorization is no string".to_owned());
            }
            if !states((Aspect::Required, true.into())) {
                self.or_none = " or none";
            }
            return;
        }
        let operation = self.operation.clone();
        let parameter = |within| operation.then(Step::Parameter { within, name: row.name.clone() });
        let in_path = self.block.path.contains(&format!("{{{}}}", row.name));
        let of_body = self.operation.then(Step::Body).property(&row.name);
        let spec = self.spec;
        let known = |place: &Place| spec.get(place).is_some();
        let section = self.section;
        let labelled = match section {
            Section::Body | Section::Answers => self.content_place(&row, index),
            // Folded headers are followed by the rows of the body, without a label.
            Section::Headers => {
                self.base.as_ref().map(|base| base.property(&row.name)).filter(known)
            }
            Section::Parameters(within) if within != Within::Path || in_path => {
                Some(parameter(within))
            }
            Section::None | Section::Authorizations | Section::Parameters(_) => None,
        };
        // Without a label, path and spec show the section. Some pages lack only the label of the body.
        let inferred = || match section {
            Section::Body | Section::Answers | Section::Headers => None,
            _ if in_path => Some(parameter(Within::Path)),
            _ => Within::iter().map(parameter).find(known).or_else(|| match section {
                _ if !self.names_a_body && known(&of_body) => Some(of_body.clone()),
                Section::Parameters(_) => Some(parameter(Within::Path)),
                _ => None,
            }),
        };
        let unlabelled = labelled.is_none();
        let place = labelled.or_else(inferred);
        match place {
            Some(place) => {
                if section == Section::Headers {
                    self.section = Section::Answers;
                } else if place == of_body && section != Section::Body {
                    self.open(Section::Body, "", number);
                    self.facts.subject(&place.parent()).unlabelled = true;
                }
                self.facts.subject(&place).unlabelled = unlabelled;
                self.state(place, row, number);
            }
            None if section == Section::Authorizations => {
                self.schemes.push(format!("header {}", row.name));
                self.row = None;
            }
            None => self.cannot_read(number, format!("`{}` is in no section", row.name)),
        }
    }

    /// The place of a row of the body or of an answer. The page doesn't show how deep a row is.
    fn content_place(&mut self, row: &Row, index: usize) -> Option<Place> {
        let base = self.base.clone()?;
        if row.name.is_empty() {
            return Some(base);
        }
        let last =
            if row.name == row::OTHER { Step::Values } else { Step::Property(row.name.clone()) };
        let fresh = |container: &Place| {
            let place = container.then(last.clone());
            (self.spec.get(&place).is_some() && self.facts.get(&place).is_none()).then_some(place)
        };
        if let Some(place) = fresh(&base) {
            self.choice = None;
            self.objects.clear();
            return Some(place);
        }
        if let Some(choice) = &mut self.choice {
            let more = self.last_or > index;
            if choice.place == base || choice.spelled_out || (more && choice.current == 1) {
                choice.spelled_out = true;
                let alternative = choice.place.then(Step::Alternative(choice.current));
                object(&mut self.facts, &alternative, self.block.lines[index].number);
                return Some(alternative.then(last));
            }
        }
        // A bound, since a page may hold any number of rows.
        let first = self.objects.len().saturating_sub(DEEPEST);
        let inner = self.objects[first..].iter().rposition(|object| fresh(object).is_some());
        let Some(inner) = inner else { return Some(base.then(last)) };
        self.objects.truncate(first + inner + 1);
        let owner = self.objects.last()?.clone();
        object(&mut self.facts, &owner, self.block.lines[index].number);
        Some(owner.then(last))
    }

    fn state(&mut self, place: Place, row: Row, number: u64) {
        if let Some(base) = &self.base
            && !row.name.is_empty()
            && place.is_within(base)
            && self.facts.value(base, Aspect::Type).is_none()
        {
            object(&mut self.facts, base, number);
        }
        // Only parameters and properties are required or optional.
        let nameless = !matches!(place.last(), Some(Step::Property(_) | Step::Parameter { .. }));
        let subject = self.facts.subject(&place);
        subject.line = Some(number);
        let mut again = false;
        for (aspect, value) in row.stated {
            if !(nameless && aspect == Aspect::Required) {
                let before = subject.stated.get(&aspect).map(|before| &before.value);
                again |= !nameless && before.is_some_and(|before| *before != value);
                subject.state(aspect, value, Some(number));
            }
        }
        if again {
            let problem = format!("`{}` is described twice, in different ways", row.name);
            self.cannot_read(number, problem);
        }
        match self.facts.value(&place, Aspect::Type).and_then(Value::as_str) {
            Some("one of" | "any of" | "all of") => {
                self.choice = Some(Choice { place: place.clone(), current: 1, spelled_out: false });
            }
            Some("object") => self.objects.push(place.clone()),
            Some("object[]") => self.objects.push(place.then(Step::Items)),
            _ => {}
        }
        self.row = Some(place);
    }
}
