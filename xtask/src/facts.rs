//! What a document says of an API, as facts that can be compared one by one.
//!
//! A page, its record, `openapi.yaml` and the schemas of the compiled types all become [`Facts`]; there
//! is one comparison for all of them.

use serde::{Deserialize, Serialize, de};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What is known, by the place in the API that it is known of.
#[derive(Debug, Default)]
pub struct Facts {
    pub subjects: BTreeMap<Place, Subject>,
}

impl Facts {
    /// The subject at `place`, made if it isn't there.
    pub fn subject(&mut self, place: &Place) -> &mut Subject {
        self.subjects.entry(place.clone()).or_default()
    }

    pub fn get(&self, place: &Place) -> Option<&Subject> {
        self.subjects.get(place)
    }

    /// What is said of one aspect of a place.
    pub fn value(&self, place: &Place, aspect: Aspect) -> Option<&Value> {
        Some(&self.get(place)?.stated.get(&aspect)?.value)
    }

    /// Whether a place is said to be so: required, read-only.
    pub fn is(&self, place: &Place, aspect: Aspect) -> bool {
        self.value(place, aspect) == Some(&Value::Bool(true))
    }

    /// The operations, in order.
    pub fn operations(&self) -> impl Iterator<Item = &Place> {
        self.subjects.keys().filter(|place| matches!(place.0.as_slice(), [Step::Operation { .. }]))
    }

    /// The places right below `place` that have a subject.
    pub fn children(&self, place: &Place) -> impl Iterator<Item = &Place> {
        let depth = place.0.len() + 1;
        self.below(place).filter(move |inner| inner.0.len() == depth)
    }

    /// All places below `place`, without itself.
    pub fn below(&self, place: &Place) -> impl Iterator<Item = &Place> {
        let place = place.clone();
        self.subjects
            .range(place.clone()..)
            .map(|(inner, _)| inner)
            .skip_while({
                let place = place.clone();
                move |inner| **inner == place
            })
            .take_while(move |inner| inner.is_within(&place))
    }

    /// Takes out all that stands at `place` and below it.
    pub fn take(&mut self, place: &Place) -> Vec<(Place, Subject)> {
        let places: Vec<Place> = [place].into_iter().chain(self.below(place)).cloned().collect();
        places.into_iter().filter_map(|place| self.subjects.remove_entry(&place)).collect()
    }

    /// Moves all that stands at `from` and below it to `to`.
    pub fn relocate(&mut self, from: &Place, to: &Place) {
        for (place, subject) in self.take(from) {
            let rest = place.0[from.0.len()..].iter();
            self.subjects.insert(Place(to.0.iter().chain(rest).cloned().collect()), subject);
        }
    }
}

/// What is said of one place.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The line on which it stands in its document.
    pub line: Option<u64>,
    /// Where it stands in its document, if that is an OpenAPI one, with references followed.
    pub pointer: String,
    /// The document doesn't tell what stands below: it names something that isn't there.
    pub opaque: bool,
    pub stated: BTreeMap<Aspect, Stated>,
}

impl Subject {
    pub fn state(&mut self, aspect: Aspect, value: impl Into<Value>, line: Option<u64>) {
        self.stated.insert(aspect, Stated { value: value.into(), line });
    }
}

/// A value and the line on which it stands.
#[derive(Clone, Debug)]
pub struct Stated {
    pub value: Value,
    pub line: Option<u64>,
}

/// What can be said of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    Servers,
    Security,
    Content,
    Style,
    Explode,
    Required,
    Type,
    Format,
    ReadOnly,
    WriteOnly,
    Nullable,
    Deprecated,
    Alternatives,
    Enum,
    Minimum,
    Maximum,
    Pattern,
    Default,
    Example,
}

impl Aspect {
    /// The word for it in an OpenAPI document.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Servers => "servers",
            Self::Security => "security",
            Self::Content => "content",
            Self::Style => "style",
            Self::Explode => "explode",
            Self::Required => "required",
            Self::Type => "type",
            Self::Format => "format",
            Self::ReadOnly => "readOnly",
            Self::WriteOnly => "writeOnly",
            Self::Nullable => "nullable",
            Self::Deprecated => "deprecated",
            Self::Alternatives => "oneOf",
            Self::Enum => "enum",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::Pattern => "pattern",
            Self::Default => "default",
            Self::Example => "example",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alternatives => "number of alternatives",
            other => other.keyword(),
        })
    }
}

/// A place in an API: an operation, and the way down to something in it. Empty, it is the API itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place(pub Vec<Step>);

impl Place {
    pub fn operation(method: &str, path: &str) -> Self {
        Self(vec![Step::Operation { path: path.to_owned(), method: method.to_uppercase() }])
    }

    pub fn then(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    pub fn property(&self, name: &str) -> Self {
        self.then(Step::Property(name.to_owned()))
    }

    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// The operation that it belongs to.
    pub fn root(&self) -> Self {
        Self(self.0[..self.0.len().min(1)].to_vec())
    }

    pub fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    /// The place without its operation.
    pub fn tail(&self) -> &[Step] {
        match self.0.as_slice() {
            [Step::Operation { .. }, tail @ ..] => tail,
            whole => whole,
        }
    }

    /// The same, to be printed.
    pub fn within_operation(&self) -> Self {
        Self(self.tail().to_vec())
    }

    pub fn last(&self) -> Option<&Step> {
        self.0.last()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let glued = matches!(
                step,
                Step::Property(_) | Step::Values | Step::Items | Step::Alternative(_)
            );
            if index > 0 && !glued {
                f.write_str(" ")?;
            }
            write!(f, "{step}")?;
        }
        if self.0.is_empty() { f.write_str("the API") } else { Ok(()) }
    }
}

/// One step of a [`Place`]. Written out it is a word that reads back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// `POST /path`
    Operation { path: String, method: String },
    /// `header X-Name`
    Parameter { within: Within, name: String },
    /// `body`
    Body,
    /// `answer 200`
    Answer(String),
    /// `.name`
    Property(String),
    /// `{}`: the values of the properties that have no name.
    Values,
    /// `[]`: the items of an array that is not of scalars.
    Items,
    /// `|1`: one of several schemas, counted from 1.
    Alternative(usize),
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Within {
    Path,
    Query,
    Header,
    Cookie,
}

impl Within {
    pub const ALL: [Self; 4] = [Self::Path, Self::Query, Self::Header, Self::Cookie];

    pub fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|within| within.word() == word)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation { path, method } => write!(f, "{method} {path}"),
            Self::Parameter { within, name } => write!(f, "{} {name}", within.word()),
            Self::Body => f.write_str("body"),
            Self::Answer(status) => write!(f, "answer {status}"),
            Self::Property(name) => write!(f, ".{name}"),
            Self::Values => f.write_str("{}"),
            Self::Items => f.write_str("[]"),
            Self::Alternative(number) => write!(f, "|{number}"),
        }
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "body" => return Ok(Self::Body),
            "{}" => return Ok(Self::Values),
            "[]" => return Ok(Self::Items),
            _ => {}
        }
        if let Some(name) = text.strip_prefix('.') {
            return Ok(Self::Property(name.to_owned()));
        }
        if let Some(number) = text.strip_prefix('|').and_then(|number| number.parse().ok()) {
            return Ok(Self::Alternative(number));
        }
        let (word, rest) = text.split_once(' ').ok_or_else(|| format!("`{text}` is no place"))?;
        Ok(match (word, Within::of(word)) {
            ("answer", _) => Self::Answer(rest.to_owned()),
            (_, Some(within)) => Self::Parameter { within, name: rest.to_owned() },
            _ => Self::Operation { path: rest.to_owned(), method: word.to_owned() },
        })
    }
}

impl Serialize for Step {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
