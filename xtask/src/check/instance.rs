//! A body on the wire and its schema: whether it fits, what it has that isn't documented, and which of the
//! documented places it fills.

use super::document::standalone;
use crate::contract::{Aspect, Place, Spec, Step};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The bodies of one operation.
#[derive(Default)]
pub(super) struct Instance {
    /// The documented places that they fill.
    pub(super) places: BTreeSet<Place>,
}

/// What is wrong with a body.
pub(super) struct Problem {
    /// The part of the fingerprint.
    pub(super) what: String,
    /// The end of a sentence about the body.
    pub(super) title: String,
    /// The place in the spec that it concerns.
    pub(super) at: Place,
}

impl Instance {
    /// Reads the content of a body or answer at `place`.
    pub(super) fn content(
        &mut self,
        spec: &Spec,
        place: &Place,
        media: &str,
        body: &str,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut find = |what: &str, title: String, at: &Place| {
            problems.push(Problem { what: what.to_owned(), title, at: at.clone() });
        };
        let essence = media.split(';').next().unwrap_or_default().trim();
        let documented = spec.facts.value(place, Aspect::Content).and_then(Value::as_array);
        if !documented.is_some_and(|documented| documented.contains(&json!(essence))) {
            find("content-type", format!("is sent as `{media}`"), place);
        }
        let Ok(value) = serde_json::from_str(body) else {
            find("json", "is not JSON".to_owned(), place);
            return problems;
        };
        if let Some(problem) = misfit(spec, place, &value) {
            find("schema", format!("doesn't fit its schema: {problem}"), place);
        }
        for undocumented in self.walk(spec, place, &value) {
            let tail = undocumented.within_operation();
            let title = format!("has `{tail}`, which isn't documented");
            find(&format!("{tail} undocumented"), title, &undocumented.parent());
        }
        problems
    }

    /// Whether a place is documented and never filled, although the place around it is.
    pub(super) fn misses(&self, documented: &Place) -> bool {
        self.places.contains(&documented.parent()) && !self.places.contains(documented)
    }

    /// Records the places that `value` fills, and returns those that aren't documented.
    fn walk(&mut self, spec: &Spec, place: &Place, value: &Value) -> Vec<Place> {
        let mut undocumented = Vec::new();
        self.places.insert(place.clone());
        match value {
            Value::Object(object) => {
                let inner = spec.facts.children(place);
                let alternatives =
                    inner.filter(|inner| matches!(inner.last(), Some(Step::Alternative(_))));
                let fits = |inner: &&Place| misfit(spec, inner, value).is_none();
                let alternatives: Vec<&Place> = alternatives.filter(fits).collect();
                for alternative in &alternatives {
                    undocumented.extend(self.walk(spec, alternative, value));
                }
                for (name, member) in object {
                    let property = place.property(name);
                    let values = place.then(Step::Values);
                    if spec.facts.get(&property).is_some() {
                        undocumented.extend(self.walk(spec, &property, member));
                    } else if spec.facts.get(&values).is_some() {
                        undocumented.extend(self.walk(spec, &values, member));
                    } else if alternatives.is_empty() {
                        undocumented.push(property);
                    }
                }
            }
            Value::Array(items) => {
                let inner = place.then(Step::Items);
                if spec.facts.get(&inner).is_some() {
                    for item in items {
                        undocumented.extend(self.walk(spec, &inner, item));
                    }
                }
            }
            _ => {}
        }
        undocumented
    }
}

/// The first reason why `value` doesn't fit the schema at `place`.
fn misfit(spec: &Spec, place: &Place, value: &Value) -> Option<String> {
    let pointer = &spec.facts.get(place)?.pointer;
    let schema = standalone(spec, spec.document.value.pointer(pointer)?);
    let options = jsonschema::draft4::options().should_validate_formats(true);
    match options.build(&schema) {
        Ok(validator) => validator.validate(value).err().map(|error| error.to_string()),
        Err(error) => Some(format!("its schema can't be used: {error}")),
    }
}
