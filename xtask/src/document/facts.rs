//! A normalised document as a map from pointer to value, whose entries are compared one by one.

use super::Pointer;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// What a document states.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub map: BTreeMap<Pointer, Fact>,
    /// The security schemes that operations need.
    pub schemes: Map<String, Value>,
    /// The keywords of the document that aren't compared.
    pub not_compared: BTreeSet<String>,
}

/// A place, such as an operation or a property, or the value of a keyword.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fact {
    /// The value of a keyword; a place has none.
    pub value: Option<Value>,
    /// Its line in the document.
    pub line: Option<u64>,
    /// Its JSON pointer in the document, with references followed.
    pub origin: String,
    /// What is within the place is not shown: `x-folded` in a document.
    pub folded: bool,
    /// A copied text shows the place without the label of its section: `x-unlabelled` in a document.
    pub unlabelled: bool,
    /// Members of an operation that are recorded and not compared: its `operationId`, and the names of security schemes.
    pub recorded: Map<String, Value>,
    /// The length of the pointer to the place around it.
    pub(super) owner: usize,
}

/// Something that could not be read, can't be understood, or contradicts something else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, once the document is known to be one.
    pub file: Option<String>,
    pub line: Option<u64>,
    pub what: String,
}

impl Facts {
    pub fn get(&self, pointer: &Pointer) -> Option<&Fact> {
        self.map.get(pointer)
    }

    pub fn has(&self, pointer: &Pointer) -> bool {
        self.map.contains_key(pointer)
    }

    /// The value of a keyword of a place.
    pub fn value(&self, place: &Pointer, keyword: &str) -> Option<&Value> {
        self.get(&place.then(&[keyword]))?.value.as_ref()
    }

    /// The type of a schema, or of a parameter or a header, in the words of a page: `string[]`.
    pub fn kind(&self, place: &Pointer) -> Option<&str> {
        let kind = self.value(place, "type");
        kind.or_else(|| self.value(&place.then(&["schema"]), "type"))?.as_str()
    }

    /// Whether a keyword such as `required` or `readOnly` is stated to be true.
    pub fn is(&self, place: &Pointer, keyword: &str) -> bool {
        self.value(place, keyword) == Some(&Value::Bool(true))
    }

    /// Whether it is within something that isn't shown.
    pub fn is_folded(&self, pointer: &Pointer) -> bool {
        pointer.around().any(|place| self.get(&place).is_some_and(|fact| fact.folded))
    }

    /// The line of what is at `pointer`, or of the nearest place around it.
    pub fn line_around(&self, pointer: &Pointer) -> Option<u64> {
        pointer.around().find_map(|place| self.get(&place)?.line)
    }

    /// The places and the values within `place`, without `place` itself.
    pub fn within<'a>(
        &'a self,
        place: &Pointer,
    ) -> impl Iterator<Item = (&'a Pointer, &'a Fact)> + use<'a> {
        // `0` follows `/`.
        let (from, to) = (Pointer(format!("{}/", place.0)), Pointer(format!("{}0", place.0)));
        self.map.range((Bound::Included(from), Bound::Excluded(to)))
    }

    /// The places and the values within `place`, and `place` itself.
    pub fn from<'a>(
        &'a self,
        place: &Pointer,
    ) -> impl Iterator<Item = (&'a Pointer, &'a Fact)> + use<'a> {
        self.map.get_key_value(place).into_iter().chain(self.within(place))
    }

    /// The places and the values directly within `place`.
    pub fn inner<'a>(
        &'a self,
        place: &Pointer,
    ) -> impl Iterator<Item = (&'a Pointer, &'a Fact)> + use<'a> {
        let length = place.0.len();
        self.within(place).filter(move |(_, fact)| fact.owner == length)
    }

    /// The places within `place`.
    pub fn below<'a>(&'a self, place: &Pointer) -> impl Iterator<Item = &'a Pointer> + use<'a> {
        self.within(place).filter(|(_, fact)| fact.value.is_none()).map(|(inner, _)| inner)
    }

    /// The places directly within `place`.
    pub fn children<'a>(&'a self, place: &Pointer) -> impl Iterator<Item = &'a Pointer> + use<'a> {
        self.inner(place).filter(|(_, fact)| fact.value.is_none()).map(|(inner, _)| inner)
    }

    /// The operations, in order.
    pub fn operations(&self) -> impl Iterator<Item = &Pointer> {
        self.children(&Pointer::default())
    }

    /// The parameters of an operation.
    pub fn parameters<'a>(
        &'a self,
        operation: &Pointer,
    ) -> impl Iterator<Item = &'a Pointer> + use<'a> {
        let list = operation.then(&["parameters"]);
        self.children(operation).filter(move |inner| inner.is_within(&list))
    }

    /// All places and values at and within `place`, as text.
    pub fn stated(&self, place: &Pointer) -> String {
        let stated = self.from(place).map(|(pointer, fact)| {
            let value = fact.value.as_ref().map(Value::to_string).unwrap_or_default();
            format!("{}={value}\n", &pointer.0[place.0.len()..])
        });
        stated.collect()
    }

    /// The place, which is created on line `line` with those around it if it isn't there.
    pub fn place(&mut self, place: &Pointer, line: u64) -> &mut Fact {
        if !self.has(place) {
            let owner = place.parent();
            if !owner.0.is_empty() {
                self.place(&owner, line);
            }
            let fact = Fact { line: Some(line), owner: owner.0.len(), ..Fact::default() };
            self.map.insert(place.clone(), fact);
        }
        self.map.get_mut(place).expect("it is there")
    }

    /// Adds what another piece of the document states.
    pub fn extend(&mut self, other: Self) {
        self.map.extend(other.map);
        self.schemes.extend(other.schemes);
        self.not_compared.extend(other.not_compared);
    }

    /// Removes `place` and everything within it.
    pub fn take(&mut self, place: &Pointer) -> Vec<(Pointer, Fact)> {
        let all: Vec<Pointer> = self.from(place).map(|(inner, _)| inner.clone()).collect();
        all.into_iter().filter_map(|inner| self.map.remove_entry(&inner)).collect()
    }

    /// Moves `from` and everything within it to `to`, which has the same owner.
    pub fn relocate(&mut self, from: &Pointer, to: &Pointer) {
        for (inner, mut fact) in self.take(from) {
            if inner != *from {
                fact.owner = fact.owner + to.0.len() - from.0.len();
            }
            self.map.insert(inner.moved(from, to), fact);
        }
    }
}
