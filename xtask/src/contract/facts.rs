//! Facts about an API that can be compared one by one.
//!
//! A page, its record, `openapi.yaml` and the schemas of the compiled types all become [`Facts`].

use super::{Place, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use strum::IntoStaticStr;

/// The facts that a document states, by the place in the API that they are about.
#[derive(Debug, Default)]
pub struct Facts {
    pub subjects: BTreeMap<Place, Subject>,
    /// The keywords of the document that aren't compared.
    pub not_compared: BTreeSet<String>,
}

impl Facts {
    /// The subject at `place`, which is created if it doesn't exist.
    pub fn subject(&mut self, place: &Place) -> &mut Subject {
        self.subjects.entry(place.clone()).or_default()
    }

    pub fn get(&self, place: &Place) -> Option<&Subject> {
        self.subjects.get(place)
    }

    /// The stated value of one aspect of a place.
    pub fn value(&self, place: &Place, aspect: Aspect) -> Option<&Value> {
        Some(&self.get(place)?.stated.get(&aspect)?.value)
    }

    /// Whether an aspect such as required or read-only is stated to be true.
    pub fn is(&self, place: &Place, aspect: Aspect) -> bool {
        self.value(place, aspect) == Some(&Value::Bool(true))
    }

    /// The operations, in order.
    pub fn operations(&self) -> impl Iterator<Item = &Place> {
        self.subjects.keys().filter(|place| matches!(place.0.as_slice(), [Step::Operation { .. }]))
    }

    /// The places directly below `place`.
    pub fn children(&self, place: &Place) -> impl Iterator<Item = &Place> {
        let depth = place.0.len() + 1;
        self.below(place).filter(move |inner| inner.0.len() == depth)
    }

    /// All places below `place`, without `place` itself.
    pub fn below(&self, place: &Place) -> impl Iterator<Item = &Place> {
        let after = (Bound::Excluded(place.clone()), Bound::Unbounded);
        let place = place.clone();
        let inner = self.subjects.range(after).map(|(inner, _)| inner);
        inner.take_while(move |inner| inner.is_within(&place))
    }

    /// Removes `place` and everything below it.
    pub fn take(&mut self, place: &Place) -> Vec<(Place, Subject)> {
        let places: Vec<Place> = [place].into_iter().chain(self.below(place)).cloned().collect();
        places.into_iter().filter_map(|place| self.subjects.remove_entry(&place)).collect()
    }

    /// Moves `from` and everything below it to `to`.
    pub fn relocate(&mut self, from: &Place, to: &Place) {
        for (place, subject) in self.take(from) {
            let rest = place.0[from.0.len()..].iter();
            self.subjects.insert(Place(to.0.iter().chain(rest).cloned().collect()), subject);
        }
    }
}

/// The facts about one place.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Subject {
    /// Its line in the document.
    #[serde(skip)]
    pub line: Option<u64>,
    /// Its JSON pointer in an OpenAPI document, with references followed.
    #[serde(skip)]
    pub pointer: String,
    /// That of the body or answer whose schema is at `pointer`.
    #[serde(skip)]
    pub holder: String,
    /// Nothing is known of the places below: the document refers to something that doesn't exist.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opaque: bool,
    /// A copied text shows it without the label of its section.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlabelled: bool,
    #[serde(flatten)]
    pub stated: BTreeMap<Aspect, Stated>,
}

impl Subject {
    pub fn values(&self) -> impl Iterator<Item = (Aspect, &Value)> {
        self.stated.iter().map(|(aspect, stated)| (*aspect, &stated.value))
    }

    pub fn state(&mut self, aspect: Aspect, value: impl Into<Value>, line: Option<u64>) {
        self.stated.insert(aspect, Stated { value: value.into(), line });
    }
}

/// A value and its line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stated {
    pub value: Value,
    #[serde(skip)]
    pub line: Option<u64>,
}

/// A place of a document that can't be understood, or that contradicts another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub line: Option<u64>,
    pub problem: String,
}

/// What can be stated about a place.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "camelCase")]
pub enum Aspect {
    Servers,
    Security,
    Content,
    Style,
    Explode,
    AllowReserved,
    AllowEmptyValue,
    Required,
    Type,
    Format,
    ReadOnly,
    WriteOnly,
    Nullable,
    Deprecated,
    #[strum(serialize = "oneOf")]
    Alternatives,
    Discriminator,
    Enum,
    Minimum,
    ExclusiveMinimum,
    Maximum,
    ExclusiveMaximum,
    MultipleOf,
    MinLength,
    MaxLength,
    Pattern,
    MinItems,
    MaxItems,
    UniqueItems,
    MinProperties,
    MaxProperties,
    AdditionalProperties,
    Not,
    Default,
    Example,
}

impl Aspect {
    /// Its keyword in an OpenAPI document.
    pub fn keyword(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alternatives => "number of alternatives",
            other => other.into(),
        })
    }
}
