//! A normalised document as a map from pointer to value, whose entries are compared one by one.

use super::Pointer;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// What a document states.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub map: BTreeMap<Pointer, Fact>,
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
}

/// A place of a document that can't be understood, or that contradicts another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub line: Option<u64>,
    pub problem: String,
}

impl Facts {
    pub fn get(&self, pointer: &Pointer) -> Option<&Fact> {
        self.map.get(pointer)
    }

    pub fn has(&self, pointer: &Pointer) -> bool {
        self.map.contains_key(pointer)
    }

    pub fn is_place(&self, pointer: &Pointer) -> bool {
        self.get(pointer).is_some_and(|fact| fact.value.is_none())
    }

    /// The value of a keyword of a place.
    pub fn value(&self, place: &Pointer, keyword: &str) -> Option<&Value> {
        self.get(&place.then(&[keyword]))?.value.as_ref()
    }

    /// The type of a schema, or of what has one, in the words of a page: `string[]`.
    pub fn kind(&self, place: &Pointer) -> Option<String> {
        let inner = ["schema", "content"].into_iter().find_map(|keyword| {
            let inner = place.then(&[keyword]);
            self.children(place).find(|child| child.is_within(&inner))
        });
        match (self.value(place, "type"), inner) {
            (Some(Value::String(kind)), _) if kind == "array" => {
                let items = self.kind(&place.then(&["items"]));
                Some(format!("{}[]", items.as_deref().unwrap_or("any")))
            }
            (Some(kind), _) => kind.as_str().map(str::to_owned),
            (None, inner) => self.kind(inner?),
        }
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

    /// The place at `pointer`, which is created if it doesn't exist.
    pub fn place(&mut self, pointer: &Pointer) -> &mut Fact {
        self.map.entry(pointer.clone()).or_default()
    }

    pub fn state(
        &mut self,
        place: &Pointer,
        keyword: &str,
        value: impl Into<Value>,
        line: Option<u64>,
    ) {
        let value = Some(value.into());
        self.map.insert(place.then(&[keyword]), Fact { value, line, ..Fact::default() });
    }

    /// The operations, in order.
    pub fn operations(&self) -> impl Iterator<Item = &Pointer> {
        let mut from = Pointer("/paths/".to_owned());
        std::iter::from_fn(move || {
            let (found, _) = self
                .map
                .range(&from..)
                .find(|(pointer, fact)| fact.value.is_none() && pointer.is_operation())?;
            from = after(found);
            Some(found)
        })
    }

    /// All that is within `place`, without `place` itself.
    pub fn within<'a>(
        &'a self,
        place: &Pointer,
    ) -> impl Iterator<Item = (&'a Pointer, &'a Fact)> + use<'a> {
        let from = Pointer(format!("{}/", place.0));
        self.map.range((Bound::Excluded(from), Bound::Excluded(after(place))))
    }

    /// The places within `place`.
    pub fn below<'a>(&'a self, place: &Pointer) -> impl Iterator<Item = &'a Pointer> + use<'a> {
        self.within(place).filter(|(_, fact)| fact.value.is_none()).map(|(inner, _)| inner)
    }

    /// The places directly within `place`.
    pub fn children<'a>(&'a self, place: &Pointer) -> impl Iterator<Item = &'a Pointer> + use<'a> {
        let place = place.clone();
        self.below(&place).filter(move |inner| inner.parent() == place)
    }

    /// The parameters of an operation.
    pub fn parameters<'a>(
        &'a self,
        operation: &Pointer,
    ) -> impl Iterator<Item = &'a Pointer> + use<'a> {
        let list = operation.then(&["parameters"]);
        let start = list.0.len() + 1;
        self.below(&list).filter(move |inner| !inner.0[start..].contains('/'))
    }

    /// The keywords of `place`.
    pub fn keywords<'a>(
        &'a self,
        place: &Pointer,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        let start = place.0.len() + 1;
        self.within(place).filter_map(move |(inner, fact)| {
            let keyword = &inner.0[start..];
            Some((keyword, fact.value.as_ref()?)).filter(|_| !keyword.contains('/'))
        })
    }

    /// Removes `place` and everything within it.
    pub fn take(&mut self, place: &Pointer) -> Vec<(Pointer, Fact)> {
        let within: Vec<Pointer> = self.within(place).map(|(inner, _)| inner.clone()).collect();
        let all = [place.clone()].into_iter().chain(within);
        all.filter_map(|inner| self.map.remove_entry(&inner)).collect()
    }

    /// Moves `from` and everything within it to `to`.
    pub fn relocate(&mut self, from: &Pointer, to: &Pointer) {
        for (inner, fact) in self.take(from) {
            self.map.insert(inner.moved(from, to), fact);
        }
    }
}

/// The first pointer after all that are within `place`: `0` follows `/`.
fn after(place: &Pointer) -> Pointer {
    Pointer(format!("{}0", place.0))
}
