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
        let holder = place.holder();
        if !["oneOf", "anyOf", "allOf"].contains(&&*holder) {
            schema["unevaluatedProperties"] = json!({ UNDESCRIBED: true });
        }
        // The values of a map need not be shown.
        if holder == "additionalProperties" { schema } else { self.marked(place, schema) }
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
        let undescribed = json!({ UNDESCRIBED: true });
        let schema = json!({ "properties": properties, "required": required, "unevaluatedProperties": undescribed });
        self.marked(operation, schema)
    }

    /// The schema with an annotation of its place.
    fn marked(&mut self, place: &Pointer, mut schema: Value) -> Value {
        schema[PLACE] = json!(place);
        self.places.insert(place.clone());
        schema
    }

    /// Compares a value with a schema. Returns the places that it fills, and the members that the schema doesn't describe,
    /// such as `.source.iops`. The error says what doesn't fit.
    pub(super) fn fit(
        &self,
        mut schema: Value,
        value: &Value,
    ) -> Result<(Vec<Pointer>, Vec<String>), String> {
        // A keyword outside of the structure, such as `not`, may refer to them.
        schema["components"] = self.spec.value()["components"].clone();
        let validator = draft202012::options().should_validate_formats(true).build(&schema);
        let validator = validator.map_err(|error| format!("its schema can't be used: {error}"))?;
        let path = |pointer: &str| pointer.replace('/', ".").replace("~1", "/");
        let errors = validator.iter_errors(value);
        let errors =
            errors.map(|error| format!("{error} {}", path(error.instance_path().as_str())));
        let errors: Vec<String> = errors.map(|error| error.trim_end().to_owned()).collect();
        if !errors.is_empty() {
            return Err(errors.join("; "));
        }
        let (mut places, mut undescribed) = (Vec::new(), Vec::new());
        for entry in validator.evaluate(value).iter_annotations() {
            let annotation = |name| entry.annotations.value().get(name);
            let place = annotation(PLACE).and_then(Value::as_str);
            places.extend(place.map(|place| Pointer(place.to_owned())));
            undescribed
                .extend(annotation(UNDESCRIBED).map(|_| path(entry.instance_location.as_str())));
        }
        Ok((places, undescribed))
    }
}

/// The facts without the places that have the flag `readOnly`, which aren't in requests, or `writeOnly`, which aren't in
/// answers.
pub(super) fn without(facts: &Facts, flag: &str) -> Facts {
    let mut rest = facts.clone();
    for place in facts.map.keys().filter(|place| facts.is(place, flag)) {
        rest.take(place);
    }
    rest
}
