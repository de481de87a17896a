//! A body on the wire and its schema: whether it fits, what it has that isn't documented, and which of the
//! documented places it fills.

use super::document::standalone;
use crate::document::{Kind, Pointer, Spec};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The bodies of one operation.
#[derive(Default)]
pub(super) struct Instance {
    /// The documented places that they fill.
    pub(super) places: BTreeSet<Pointer>,
}

/// What is wrong with a body.
pub(super) struct Problem {
    /// The part of the fingerprint.
    pub(super) what: String,
    /// The end of a sentence about the body.
    pub(super) title: String,
    /// The place in the spec that it concerns.
    pub(super) at: Pointer,
}

impl Instance {
    /// Reads the content of the body or the answer at `owner`.
    pub(super) fn content(
        &mut self,
        spec: &Spec,
        owner: &Pointer,
        media: &str,
        body: &str,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut find = |what: &str, title: String, at: &Pointer| {
            problems.push(Problem { what: what.to_owned(), title, at: at.clone() });
        };
        let essence = media.split(';').next().unwrap_or_default().trim();
        let sent = owner.then(&["content", essence]);
        if !spec.facts.has(&sent) {
            find("content-type", format!("is sent as `{media}`"), owner);
        }
        self.places.extend([owner.clone(), sent]);
        let Some(place) = &content(spec, owner) else { return problems };
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
    pub(super) fn misses(&self, documented: &Pointer) -> bool {
        self.places.contains(&documented.parent()) && !self.places.contains(documented)
    }

    /// Records the places that `value` fills, and returns those that aren't documented.
    fn walk(&mut self, spec: &Spec, place: &Pointer, value: &Value) -> Vec<Pointer> {
        let mut undocumented = Vec::new();
        self.places.insert(place.clone());
        match value {
            Value::Object(object) => {
                let inner = spec.facts.children(place);
                let lists = ["oneOf", "anyOf", "allOf"];
                let alternatives = inner.filter(|inner| lists.contains(&&*inner.holder()));
                let fits = |inner: &&Pointer| misfit(spec, inner, value).is_none();
                let alternatives: Vec<&Pointer> = alternatives.filter(fits).collect();
                for alternative in &alternatives {
                    undocumented.extend(self.walk(spec, alternative, value));
                }
                for (name, member) in object {
                    let property = place.property(name);
                    let values = place.then(&["additionalProperties"]);
                    if spec.facts.has(&property) {
                        undocumented.extend(self.walk(spec, &property, member));
                    } else if spec.facts.has(&values) {
                        undocumented.extend(self.walk(spec, &values, member));
                    } else if alternatives.is_empty() && !is_open(spec, place) {
                        undocumented.push(property);
                    }
                }
            }
            Value::Array(items) => {
                let inner = place.then(&["items"]);
                if spec.facts.has(&inner) {
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

/// The schema of the content of a body or an answer.
pub(super) fn content(spec: &Spec, owner: &Pointer) -> Option<Pointer> {
    let media = spec.facts.children(owner).find(|media| media.kind() == Kind::Media)?;
    Some(media.then(&["schema"])).filter(|schema| spec.facts.has(schema))
}

/// Whether an object may have properties that aren't described: the spec describes none, or says so.
fn is_open(spec: &Spec, place: &Pointer) -> bool {
    let schema = spec.facts.get(place).and_then(|fact| spec.value().pointer(&fact.origin));
    let values = schema.and_then(|schema| schema.get("additionalProperties"));
    values.is_some_and(|values| *values == json!(true) || *values == json!({}))
}

/// The first reason why `value` doesn't fit the schema at `place`.
fn misfit(spec: &Spec, place: &Pointer, value: &Value) -> Option<String> {
    let schema = standalone(spec, spec.value().pointer(&spec.facts.get(place)?.origin)?);
    let options = jsonschema::draft4::options().should_validate_formats(true);
    match options.build(&schema) {
        Ok(validator) => validator.validate(value).err().map(|error| error.to_string()),
        Err(error) => Some(format!("its schema can't be used: {error}")),
    }
}
