//! Pointers into a normalised document: JSON pointers, in which references are followed and parameters stand under
//! place and name.

use super::grammar::{Held, Kind, held};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use strum::{Display, EnumIter, EnumString};

/// A pointer. The empty one is the document itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pointer(pub String);

/// One step of a pointer: to an object, or to the value of a keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    pub kind: Kind,
    /// The keyword that holds the object.
    pub keyword: Cow<'a, str>,
    /// Its name, or its number in a list, if the keyword holds several.
    pub name: Cow<'a, str>,
    /// The length of the pointer that ends here.
    end: usize,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display, EnumIter, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Within {
    Path,
    Query,
    Header,
    Cookie,
}

impl Pointer {
    pub fn operation(method: &str, path: &str) -> Self {
        Self::default().then(&["paths", path, &method.to_lowercase()])
    }

    pub fn parameter(&self, within: Within, name: &str) -> Self {
        self.then(&["parameters", &format!("{within} {name}")])
    }

    pub fn property(&self, name: &str) -> Self {
        self.then(&["properties", name])
    }

    /// The pointer with these segments appended.
    pub fn then(&self, segments: &[&str]) -> Self {
        let added = segments.iter().map(|segment| segment.len() + 1).sum::<usize>();
        let mut text = String::with_capacity(self.0.len() + added);
        text.push_str(&self.0);
        for segment in segments {
            text.push('/');
            text.push_str(&escape(segment));
        }
        Self(text)
    }

    /// Whether this is `outer`, or within it.
    pub fn is_within(&self, outer: &Self) -> bool {
        let rest = self.0.strip_prefix(&outer.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The pointer with `from`, within which it is, replaced by `to`.
    pub fn moved(&self, from: &Self, to: &Self) -> Self {
        Self(format!("{}{}", to.0, &self.0[from.0.len()..]))
    }

    fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = Vec::new();
        let (mut kind, mut end) = (Kind::Document, 0);
        let mut segments = self.0.split('/').skip(1);
        while let Some(keyword) = segments.next() {
            // A schema by itself has no document around it.
            let alone =
                (steps.is_empty() && keyword == "schema").then_some((Held::One, Kind::Schema));
            let (held, inner) = alone.or(held(kind, keyword)).unwrap_or((Held::One, Kind::Keyword));
            let named = if held == Held::Many { segments.next() } else { None };
            end += keyword.len() + 1 + named.map_or(0, |name| name.len() + 1);
            // The map of all is a value, if it is empty.
            kind = if held == Held::Many && named.is_none() { Kind::Keyword } else { inner };
            let (keyword, name) = (unescape(keyword), unescape(named.unwrap_or_default()));
            steps.push(Step { kind, keyword, name, end });
        }
        steps
    }

    pub fn last(&self) -> Option<Step<'_>> {
        self.steps().pop()
    }

    /// What is at this pointer.
    pub fn kind(&self) -> Kind {
        self.last().map_or(Kind::Document, |step| step.kind)
    }

    /// The keyword that holds it.
    pub fn holder(&self) -> String {
        self.last().map_or_else(String::new, |step| step.keyword.into_owned())
    }

    /// The name of a property, a parameter or a header.
    pub fn name(&self) -> Option<String> {
        let step = self.last()?;
        match (step.kind, &*step.keyword) {
            (Kind::Parameter, _) => Some(step.name.split_once(' ')?.1.to_owned()),
            (Kind::Header, _) | (Kind::Schema, "properties") => Some(step.name.into_owned()),
            _ => None,
        }
    }

    /// Where the parameter is sent that it points to.
    pub fn sent_in(&self) -> Option<Within> {
        let step = self.last().filter(|step| step.kind == Kind::Parameter)?;
        step.name.split_once(' ')?.0.parse().ok()
    }

    /// Method and path of the operation.
    pub fn method_and_path(&self) -> Option<(String, String)> {
        match self.steps().as_slice() {
            [path, operation, ..] if operation.kind == Kind::Operation => {
                Some((operation.keyword.to_uppercase(), path.name.to_string()))
            }
            _ => None,
        }
    }

    /// The places around this one, from itself to the document.
    pub fn around(&self) -> impl Iterator<Item = Self> + use<> {
        let places = self.steps().into_iter().filter(|step| step.kind != Kind::Path);
        let ends: Vec<usize> = [0].into_iter().chain(places.map(|step| step.end)).collect();
        let text = self.0.clone();
        ends.into_iter().rev().map(move |end| Self(text[..end].to_owned()))
    }

    /// The place around this one.
    pub fn parent(&self) -> Self {
        self.around().nth(1).unwrap_or_default()
    }

    /// The operation that it is in, if any.
    pub fn root(&self) -> Option<Self> {
        self.around().find(Self::is_operation)
    }

    pub fn is_operation(&self) -> bool {
        self.0.bytes().filter(|byte| *byte == b'/').count() == 3 && self.kind() == Kind::Operation
    }

    pub fn is_property(&self) -> bool {
        self.last().is_some_and(|step| step.kind == Kind::Schema && step.keyword == "properties")
    }

    /// The number of an alternative in its list.
    pub fn alternative(&self) -> Option<usize> {
        self.0.rsplit_once("Of/")?.1.parse().ok()
    }

    pub fn is_in_answer(&self) -> bool {
        self.steps().iter().any(|step| step.kind == Kind::Answer)
    }

    /// The place within its operation in words, such as `body.name`.
    pub fn within_operation(&self) -> String {
        words(&self.steps()[if self.root().is_some() { 2 } else { 0 }..])
    }
}

fn words(steps: &[Step<'_>]) -> String {
    let mut text = String::new();
    for (index, Step { kind, keyword, name, .. }) in steps.iter().enumerate() {
        let last = index + 1 == steps.len();
        let word = match (kind, &**keyword) {
            (Kind::Path, _) if last => name.to_string(),
            (Kind::Operation, method) => format!("{} {}", method.to_uppercase(), steps[0].name),
            (Kind::Parameter, _) => format!(" {name}"),
            (Kind::Body, _) => " body".to_owned(),
            (Kind::Answer, _) => format!(" answer {name}"),
            (Kind::Header, _) => format!(" header {name}"),
            (Kind::Media, _) if last => format!(" as {name}"),
            (Kind::Schema, "properties") => format!(".{name}"),
            (Kind::Schema, "items") => "[]".to_owned(),
            (Kind::Schema, "additionalProperties") => "{}".to_owned(),
            // Alternatives are counted from 1.
            (Kind::Schema, "oneOf" | "anyOf" | "allOf") => {
                format!("|{}", name.parse().unwrap_or(0) + 1)
            }
            (Kind::Keyword, keyword) if text.is_empty() => keyword.to_owned(),
            (Kind::Keyword, keyword) => format!(": {keyword}"),
            _ => String::new(),
        };
        text += &word;
    }
    text.trim_start().to_owned()
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("the API") } else { f.write_str(&words(&self.steps())) }
    }
}

/// Escapes one segment of a JSON pointer (RFC 6901).
pub fn escape(segment: &str) -> Cow<'_, str> {
    // Looking for both at once is slow in a debug build.
    if segment.contains('~') || segment.contains('/') {
        segment.replace('~', "~0").replace('/', "~1").into()
    } else {
        segment.into()
    }
}

/// Undoes [`escape`].
pub fn unescape(segment: &str) -> Cow<'_, str> {
    if segment.contains('~') {
        segment.replace("~1", "/").replace("~0", "~").into()
    } else {
        segment.into()
    }
}

/// A path without the names of the parameters in it.
pub fn without_names(path: &str) -> String {
    let parts = path.split(['{', '}']).enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { part } else { "{}" }).collect()
}
