//! The text that a copy of the rendered page gives.

use super::row::{self, Read, Row};
use super::{NotRead, Unreadable};
use crate::facts::{Aspect, Facts, Place, Step, Within};
use crate::openapi::METHODS;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Reads the page. `spec` settles what the shape leaves open: where a name ends, and which of two
/// objects a property belongs to.
pub(super) fn read(text: &str, spec: &Facts) -> Result<(Facts, Vec<Unreadable>), NotRead> {
    let lines: Vec<Line<'_>> = text
        .lines()
        .zip(1..)
        .map(|(text, number)| Line { number, text: text.trim() })
        .filter(|line| !line.text.is_empty() && !row::ICONS.contains(&line.text))
        .collect();
    let mut unreadable = Vec::new();
    let blocks = blocks(&lines, &mut unreadable);
    if blocks.is_empty() {
        return Err(NotRead::NoOperation);
    }
    // `Body` and `Headers` are the same words in other languages.
    let english = |line: &Line<'_>| {
        let section = label(line.text).map(|(section, _)| section);
        section.is_some_and(|section| !matches!(section, Section::Body | Section::Headers))
    };
    if !blocks.iter().any(|block| block.lines.iter().any(english)) {
        return Err(NotRead::Language);
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
        let place = reader.operation;
        unreadable.append(&mut reader.unreadable);
        if facts.get(&place).is_some() {
            if !super::same(&place, &facts, &reader.facts) {
                let problem = format!("{place} is described a second time, and otherwise");
                unreadable.push(Unreadable { line: Some(block.line), problem });
            }
            continue;
        }
        facts.subjects.extend(reader.facts.subjects);
    }
    unreadable.sort_by_key(|unreadable| unreadable.line);
    Ok((facts, unreadable))
}

#[derive(Clone, Copy)]
struct Line<'a> {
    number: u64,
    text: &'a str,
}

/// The lines about one operation.
struct Block<'a> {
    method: &'static str,
    path: &'a str,
    /// The line on which the path stands.
    line: u64,
    lines: &'a [Line<'a>],
}

enum Marker<'a> {
    /// A method on a line of its own.
    Alone(&'static str),
    /// A method and a path; the path stands in this line of the page.
    Full(&'static str, &'a str, u64),
}

/// Where operations begin and end. They begin with their method, at times joined with the path, and
/// end with both.
fn blocks<'a>(lines: &'a [Line<'a>], unreadable: &mut Vec<Unreadable>) -> Vec<Block<'a>> {
    struct Open<'a> {
        method: &'static str,
        path: Option<(&'a str, u64)>,
        line: u64,
        start: usize,
    }
    let mut blocks = Vec::new();
    let mut close = |open: Open<'a>, end: usize| {
        let lines = &lines[open.start..end];
        let Some((path, line)) = open.path else {
            let problem = format!("`{}`, and no path follows", open.method);
            return unreadable.push(Unreadable { line: Some(open.line), problem });
        };
        blocks.push(Block { method: open.method, path, line, lines });
    };
    let mut open: Option<Open<'a>> = None;
    let mut index = 0;
    while index < lines.len() {
        let line = lines[index].number;
        let Some((marker, length)) = marker(&lines[index..]) else {
            index += 1;
            continue;
        };
        let next = index + length;
        open = match (marker, open) {
            (Marker::Alone(method), before) => {
                if let Some(before) = before {
                    close(before, index);
                }
                Some(Open { method, path: None, line, start: next })
            }
            (Marker::Full(method, path, at), Some(before))
                if before.method == method && before.path.is_none_or(|(own, _)| own == path) =>
            {
                close(Open { path: Some((path, at)), ..before }, index);
                None
            }
            (Marker::Full(method, path, at), before) => {
                if let Some(before) = before {
                    close(before, index);
                }
                Some(Open { method, path: Some((path, at)), line, start: next })
            }
        };
        index = next;
    }
    if let Some(open) = open {
        close(open, lines.len());
    }
    blocks
}

fn marker<'a>(lines: &[Line<'a>]) -> Option<(Marker<'a>, usize)> {
    let line = lines.first()?;
    // `Delete` is a title.
    let method = METHODS.into_iter().find(|method| {
        line.text.starts_with(method) || line.text.starts_with(&method.to_uppercase())
    })?;
    let rest = line.text[method.len()..].trim_start();
    if rest.is_empty() {
        return Some(match lines.get(1).filter(|next| is_path(next.text)) {
            Some(path) => (Marker::Full(method, path.text, path.number), 2),
            None => (Marker::Alone(method), 1),
        });
    }
    is_path(rest).then_some((Marker::Full(method, rest, line.number), 1))
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(char::is_whitespace)
}

/// The body or answer whose rows go to `base`.
fn owner(base: &Place) -> Place {
    if base.last() == Some(&Step::Items) { base.parent() } else { base.clone() }
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    None,
    Authorizations,
    Parameters(Within),
    Body,
    Answers,
    /// Of an answer: there is no fact that they could be compared with.
    Headers,
}

/// The section that a line opens, and what stands behind its label.
fn label(line: &str) -> Option<(Section, &str)> {
    let bare = row::ICONS.iter().find_map(|icon| line.strip_prefix(icon)).unwrap_or(line).trim();
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

/// A status, at times glued to the icon before it.
fn status(line: &str) -> Option<&str> {
    let bare = row::ICONS.iter().find_map(|icon| line.strip_prefix(icon)).unwrap_or(line).trim();
    let code = bare.len() == 3
        && bare.starts_with(|first| ('1'..='5').contains(&first))
        && bare
            .get(1..)
            .is_some_and(|rest| rest == "XX" || rest.chars().all(|c| c.is_ascii_digit()));
    code.then_some(bare)
}

/// The schemas among which a `one of` chooses, while their rows are read.
struct Choice {
    place: Place,
    current: usize,
    /// Rows of the alternatives are shown, not folded away.
    spelled_out: bool,
}

/// How many objects back a row may belong to.
const DEEPEST: usize = 32;

struct Reader<'a> {
    block: &'a Block<'a>,
    spec: &'a Facts,
    known: &'a BTreeSet<String>,
    operation: Place,
    facts: Facts,
    unreadable: Vec<Unreadable>,
    section: Section,
    /// What the rows of the section belong to: the body or an answer, or its items.
    base: Option<Place>,
    /// Objects whose rows may follow, the innermost last.
    objects: Vec<Place>,
    choice: Option<Choice>,
    /// Where the last row was put.
    row: Option<Place>,
    schemes: Vec<String>,
    between_schemes: &'static str,
    /// The line below the last scheme's row has said what it is.
    scheme_is_named: bool,
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
            operation: Place::operation(block.method, block.path),
            facts: Facts::default(),
            unreadable: Vec::new(),
            section: Section::None,
            base: None,
            objects: Vec::new(),
            choice: None,
            row: None,
            schemes: Vec::new(),
            between_schemes: " and ",
            scheme_is_named: false,
            names_a_body: names(Section::Body),
            names_answers: names(Section::Answers),
            last_or: block.lines.iter().rposition(or).unwrap_or(0),
        }
    }

    fn read(&mut self) {
        self.facts.subject(&self.operation.clone()).line = Some(self.block.line);
        if !self.block.lines.iter().any(|line| label(line.text).is_some()) {
            let problem = format!("{}: nothing is said of it", self.operation);
            self.unreadable.push(Unreadable { line: Some(self.block.line), problem });
        }
        for index in 0..self.block.lines.len() {
            self.line(index);
        }
        if !self.schemes.is_empty() {
            let scheme = self.schemes.join(self.between_schemes);
            let operation = self.operation.clone();
            let line = Some(self.block.line);
            self.facts.subject(&operation).state(Aspect::Security, scheme, line);
        }
    }

    fn line(&mut self, index: usize) {
        let Line { number, text } = self.block.lines[index];
        if let Some((section, rest)) = label(text) {
            // Within an answer it is a heading, not the request's body.
            let in_answer = matches!(self.section, Section::Answers | Section::Headers);
            if in_answer && section == Section::Body {
                self.section = Section::Answers;
            } else if section == Section::Headers {
                self.section = section;
            } else {
                self.open(section, rest, number);
            }
            return;
        }
        if let Some(status) = status(text)
            && (matches!(self.section, Section::Answers | Section::Headers) || !self.names_answers)
        {
            let place = self.operation.then(Step::Answer(status.to_owned()));
            self.section = Section::Answers;
            return self.begin(place, number);
        }
        if let Some(base) = &self.base {
            let content = match text {
                "No content" => Some(json!([])),
                media if is_media(media) => Some(json!([media])),
                _ => None,
            };
            if let Some(content) = content {
                let owner = owner(base);
                return self.facts.subject(&owner).state(Aspect::Content, content, Some(number));
            }
        }
        if matches!(text, "or" | "and") {
            return self.alternative(text, number);
        }
        if let Some((aspect, value)) = row::tail(text) {
            if let Some(row) = self.row.clone() {
                self.facts.subject(&row).state(aspect, value, Some(number));
            }
            return;
        }
        match row::read(text, self.known) {
            Read::Row(row) => self.place(row, index),
            Read::Unreadable => {
                // What stands below it is not the last row's.
                self.row = None;
                let problem = format!("`{text}` looks like a row and can't be taken apart");
                self.unreadable.push(Unreadable { line: Some(number), problem });
            }
            Read::Other if self.section == Section::Authorizations && !self.scheme_is_named => {
                self.scheme(text);
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
            let body = self.operation.then(Step::Body);
            self.begin(body.clone(), number);
            let mut media = rest;
            if let Some(after) = rest.strip_prefix("[]") {
                media = after;
                self.facts.subject(&body).state(Aspect::Type, "object[]", Some(number));
                self.base = Some(body.then(Step::Items));
            }
            let media = media.trim();
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
        for scheme in ["bearer", "basic", "digest"] {
            let named = text.split(|c: char| !c.is_alphanumeric());
            if named.into_iter().any(|word| word.eq_ignore_ascii_case(scheme))
                && !self.schemes.iter().any(|known| known == scheme)
            {
                self.scheme_is_named = true;
                return self.schemes.push(scheme.to_owned());
            }
        }
    }

    fn place(&mut self, row: Row, index: usize) {
        let number = self.block.lines[index].number;
        let is_content = matches!(self.section, Section::Body | Section::Answers);
        let bare = row::ICONS.iter().find_map(|icon| row.name.strip_prefix(icon));
        if !is_content && bare.unwrap_or(&row.name) == "Authorization" {
            // What kind it is stands in the line below.
            self.section = Section::Authorizations;
            self.scheme_is_named = false;
            self.row = None;
            return;
        }
        let parameter =
            |within| self.operation.then(Step::Parameter { within, name: row.name.clone() });
        let in_path = self.block.path.contains(&format!("{{{}}}", row.name));
        let body = self.operation.then(Step::Body);
        let place = match self.section {
            Section::Body | Section::Answers => match self.content_place(&row, index) {
                Some(place) => place,
                None => return self.homeless(&row, number),
            },
            // Folded headers are followed by the rows of the body, without a label.
            Section::Headers => {
                let base = self.base.clone().unwrap_or_default();
                let place = base.property(&row.name);
                if self.spec.get(&place).is_none() {
                    return self.homeless(&row, number);
                }
                self.section = Section::Answers;
                place
            }
            Section::Parameters(within) if within != Within::Path || in_path => {
                let declared = parameter(within);
                // A page may leave the label of the body out.
                let strange = !self.names_a_body
                    && self.spec.get(&declared).is_none()
                    && self.spec.get(&body.property(&row.name)).is_some();
                if strange {
                    self.open(Section::Body, "", number);
                    body.property(&row.name)
                } else {
                    declared
                }
            }
            _ if in_path => parameter(Within::Path),
            section => {
                let of_spec = Within::ALL.into_iter().map(parameter);
                let mut of_spec = of_spec.filter(|place| self.spec.get(place).is_some());
                match of_spec.next() {
                    Some(place) => place,
                    None if !self.names_a_body
                        && self.spec.get(&body.property(&row.name)).is_some() =>
                    {
                        self.open(Section::Body, "", number);
                        body.property(&row.name)
                    }
                    None if section == Section::Authorizations => {
                        self.schemes.push(format!("header {}", row.name));
                        self.row = None;
                        return;
                    }
                    None if matches!(section, Section::Parameters(_)) => parameter(Within::Path),
                    None => return self.homeless(&row, number),
                }
            }
        };
        self.state(place, row, number);
    }

    fn homeless(&mut self, row: &Row, number: u64) {
        let problem = format!("`{}` stands in no section", row.name);
        self.unreadable.push(Unreadable { line: Some(number), problem });
    }

    /// The place of a row of the body or of an answer. The shape doesn't show how deep a row is.
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
                let subject = self.facts.subject(&alternative);
                let line = subject.line.or(Some(self.block.lines[index].number));
                subject.line = line;
                subject.state(Aspect::Type, "object", line);
                return Some(alternative.then(last));
            }
        }
        // No page shows objects within objects without end.
        let first = self.objects.len().saturating_sub(DEEPEST);
        let inner = self.objects[first..].iter().rposition(|object| fresh(object).is_some());
        let inner = inner.map(|inner| first + inner);
        if let Some(inner) = inner {
            self.objects.truncate(inner + 1);
            return self.objects.last().map(|object| object.then(last));
        }
        Some(base.then(last))
    }

    fn state(&mut self, place: Place, row: Row, number: u64) {
        if let Some(base) = &self.base
            && !row.name.is_empty()
            && place.is_within(base)
            && self.facts.value(base, Aspect::Type).is_none()
        {
            let base = base.clone();
            let line = self.facts.subject(&base).line.or(Some(number));
            self.facts.subject(&base).line = line;
            self.facts.subject(&base).state(Aspect::Type, "object", line);
        }
        // What has no name of its own can't be left out either.
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
            let problem = format!("`{}` is described a second time, and otherwise", row.name);
            self.unreadable.push(Unreadable { line: Some(number), problem });
        }
        let subject = self.facts.subject(&place);
        let kind = subject.stated.get(&Aspect::Type).map(|stated| stated.value.clone());
        match kind.as_ref().and_then(Value::as_str) {
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
