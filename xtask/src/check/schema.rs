//! What the spec describes as JSON Schema, and values that should fit it.

use crate::document::{Facts, Kind, Pointer, Spec, Within, write};
use jsonschema::draft202012;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The annotations that say which schemas a value fits, and what of it no schema describes.
const PLACE: &str = "x-place";
const UNDESCRIBED: &str = "x-undescribed";

/// Makes schemas of a part of the spec.
pub(super) struct Describer<'a> {
    pub(super) spec: &'a Spec,
    pub(super) facts: &'a Facts,
    /// The places that the schemas describe.
    pub(super) places: BTreeSet<Pointer>,
}

impl Describer<'_> {
    /// The schema at `place`, with references followed.
    pub(super) fn schema(&mut self, place: &Pointer) -> Value {
        let (spec, facts) = (self.spec, self.facts);
        let Some(fact) = facts.get(place).filter(|fact| !fact.folded) else { return json!({}) };
        let open = format!("{}/additionalProperties", fact.origin);
        let mut schema = write(facts, place, &mut |inner| self.schema(inner));
        if let (Some(open), None) =
            (spec.value().pointer(&open), schema.get("additionalProperties"))
        {
            schema["additionalProperties"] = open.clone();
        }
        // OpenAPI 3.0 writes these in its own way.
        if facts.is(place, "nullable") {
            schema["type"] = json!([schema["type"], "null"]);
        }
        for (limit, flag) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if facts.is(place, flag) {
                schema[flag] = schema[limit].clone();
            }
        }
        // What one of several alternatives describes is described.
        if place.alternative().is_none() {
            schema["unevaluatedProperties"] = json!({ UNDESCRIBED: true });
        }
        // The values of a map need not be shown.
        if place.holder() == "additionalProperties" { schema } else { self.marked(place, schema) }
    }

    /// The schema of the messages of an operation, which have a member for each parameter, body or answer.
    pub(super) fn message(&mut self, operation: &Pointer) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in self.facts.children(operation) {
            let name = part.within_operation();
            let media = self.facts.children(part).find(|inner| inner.kind() == Kind::Media);
            let (name, schema) = match (part.sent_in(), media) {
                // A path has its parameters.
                (Some(Within::Path), _) => continue,
                // The names of headers are case-insensitive.
                (Some(Within::Header), _) => (name.to_lowercase(), self.marked(part, json!({}))),
                (None, Some(media)) => {
                    (media.within_operation(), self.schema(&media.then(&["schema"])))
                }
                _ => (name, self.marked(part, json!({}))),
            };
            required.extend((part.kind() == Kind::Body).then(|| name.clone()));
            properties.insert(name, schema);
        }
        if self.facts.value(operation, "security").is_some_and(|words| *words == "bearer") {
            let name = "header authorization".to_owned();
            required.push(name.clone());
            properties.insert(name, json!({ "pattern": "^Bearer " }));
        }
        self.marked(operation, json!({ "properties": properties, "required": required }))
    }

    /// The schema with an annotation of its place.
    fn marked(&mut self, place: &Pointer, mut schema: Value) -> Value {
        schema[PLACE] = json!(place);
        self.places.insert(place.clone());
        schema
    }

    /// Compares a value with a schema.
    pub(super) fn fit(&self, mut schema: Value, value: &Value) -> Fit {
        // A keyword outside of the structure, such as `not`, may refer to them.
        schema["components"] = self.spec.value()["components"].clone();
        let mut fit = Fit::default();
        let validator = draft202012::options().should_validate_formats(true).build(&schema);
        let validator = match validator {
            Ok(validator) => validator,
            Err(error) => {
                fit.problems.push((String::new(), format!("its schema can't be used: {error}")));
                return fit;
            }
        };
        let path = |pointer: &str| pointer.replace('/', ".").replace("~1", "/");
        for error in validator.iter_errors(value) {
            let path = path(error.instance_path().as_str());
            let problem = format!("{error} {path}").trim_end().to_owned();
            fit.problems.push((path, problem));
        }
        for entry in validator.evaluate(value).iter_annotations() {
            let annotation = |name| entry.annotations.value().get(name);
            let place = annotation(PLACE).and_then(Value::as_str);
            fit.places.extend(place.map(|place| Pointer(place.to_owned())));
            let undescribed = annotation(UNDESCRIBED);
            fit.undescribed.extend(undescribed.map(|_| path(entry.instance_location.as_str())));
        }
        fit
    }
}

/// How a value fits a schema. Paths are such as `.source.iops`.
#[derive(Default)]
pub(super) struct Fit {
    /// What doesn't fit, by the path to it.
    pub(super) problems: Vec<(String, String)>,
    /// The places that the value fills.
    pub(super) places: Vec<Pointer>,
    /// The members that the schema doesn't describe.
    pub(super) undescribed: Vec<String>,
}
