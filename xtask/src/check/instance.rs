//! A JSON value beside the facts of its schema: what it has that isn't documented, and what it shows of
//! what is.

use super::spec::rooted;
use crate::facts::{Place, Step};
use crate::spec::Spec;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What one value shows.
#[derive(Default)]
pub(super) struct Shown {
    /// The documented places that it fills.
    pub(super) places: BTreeSet<Place>,
    /// The properties that aren't documented.
    pub(super) strangers: Vec<Place>,
}

impl Shown {
    /// Goes through `value`, which stands at `place`.
    pub(super) fn walk(&mut self, spec: &Spec, place: &Place, value: &Value) {
        self.places.insert(place.clone());
        match value {
            Value::Object(object) => {
                let alternatives: Vec<Place> = spec
                    .facts
                    .children(place)
                    .filter(|inner| matches!(inner.last(), Some(Step::Alternative(_))))
                    .filter(|inner| fits(spec, inner, value))
                    .cloned()
                    .collect();
                for alternative in &alternatives {
                    self.walk(spec, alternative, value);
                }
                for (name, member) in object {
                    let property = place.property(name);
                    let values = place.then(Step::Values);
                    if spec.facts.get(&property).is_some() {
                        self.walk(spec, &property, member);
                    } else if spec.facts.get(&values).is_some() {
                        self.walk(spec, &values, member);
                    } else if alternatives.is_empty() {
                        self.strangers.push(property);
                    }
                }
            }
            Value::Array(items) => {
                let inner = place.then(Step::Items);
                if spec.facts.get(&inner).is_some() {
                    for item in items {
                        self.walk(spec, &inner, item);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The first reason why `value` doesn't fit the schema at `place`.
pub(super) fn misfit(spec: &Spec, place: &Place, value: &Value) -> Option<String> {
    let pointer = &spec.facts.get(place)?.pointer;
    let schema = rooted(spec, spec.document.value.pointer(pointer)?);
    let options = jsonschema::draft4::options().should_validate_formats(true);
    match options.build(&schema) {
        Ok(validator) => validator.validate(value).err().map(|error| error.to_string()),
        Err(error) => Some(format!("its schema can't be used: {error}")),
    }
}

fn fits(spec: &Spec, place: &Place, value: &Value) -> bool {
    misfit(spec, place, value).is_none()
}

/// Whether a media type is among those of a content.
pub(super) fn among(content: &Value, media: &str) -> bool {
    let media = media.split(';').next().unwrap_or_default().trim();
    content.as_array().is_some_and(|documented| documented.contains(&json!(media)))
}
