//! The spec by itself: a valid OpenAPI 3.0 document whose examples and defaults fit their schemas.

use super::Checked;
use crate::docs::TO_DESCRIBE;
use crate::document::{Spec, escape};
use crate::files::SPEC;
use crate::report::{Finding, Link};
use roas::v3_0::spec::Spec as Valid;
use roas::validation::{Options, Validate};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Operation IDs, idempotency, references and what the generator can't do are checked when it generates.
pub fn check(spec: &Spec) -> Checked {
    let mut checker = Checker { spec, findings: Vec::new(), values: 0 };
    let root = spec.value();
    let read = serde_json::from_value::<Valid>(root.clone()).map_err(|error| error.to_string());
    let valid = |it: Valid| it.validate(Options::empty(), None).map_err(|error| error.to_string());
    if let Err(problem) = read.and_then(valid) {
        let problem = problem.lines().map(str::trim).collect::<Vec<_>>().join("; ");
        checker.find("", format!("not a valid OpenAPI 3.0 document: {problem}"));
    }
    for unreadable in &spec.unreadable {
        checker.findings.push(
            Finding::new(Link::Spec, &unreadable.problem, &*unreadable.problem)
                .at(SPEC, unreadable.line, "here")
                .help("fix it there"),
        );
    }
    checker.visit("", root);
    let compared = format!("validated {SPEC}: {} examples and defaults", checker.values);
    (checker.findings, compared)
}

struct Checker<'a> {
    spec: &'a Spec,
    findings: Vec<Finding>,
    values: usize,
}

impl Checker<'_> {
    fn find(&mut self, pointer: &str, problem: String) {
        self.findings.push(
            Finding::new(Link::Spec, format!("#{pointer} {problem}"), problem)
                .at(SPEC, self.spec.line(pointer), "here")
                .help(format!("fix it at #{pointer}")),
        );
    }

    fn visit(&mut self, pointer: &str, value: &Value) {
        match value {
            Value::Object(object) => {
                self.object(pointer, value);
                for (key, member) in object {
                    let inner = format!("{pointer}/{}", escape(key));
                    // Examples hold values, not schemas.
                    if key != "example" && key != "default" {
                        self.visit(&inner, member);
                    }
                    if member.as_str() == Some(TO_DESCRIBE) {
                        self.find(&inner, "the description is still to be written".to_owned());
                    }
                }
            }
            Value::Array(items) => {
                let texts: BTreeSet<String> = items.iter().map(ToString::to_string).collect();
                if texts.len() < items.len() {
                    self.find(pointer, "the list names something twice".to_owned());
                }
                for (index, item) in items.iter().enumerate() {
                    self.visit(&format!("{pointer}/{index}"), item);
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, pointer: &str, object: &Value) {
        if object.get("$ref").is_some_and(Value::is_string)
            && object.as_object().is_some_and(|object| object.len() > 1)
        {
            self.find(pointer, "OpenAPI 3.0 ignores the members beside a `$ref`".to_owned());
        }
        if object.get("type").is_none()
            && ["properties", "additionalProperties"].iter().any(|word| object.get(word).is_some())
        {
            self.find(pointer, "a schema with properties must state `type: object`".to_owned());
        }
        if object.get("type").is_none()
            && object.get("items").is_some()
            && !pointer.ends_with("/properties")
        {
            self.find(pointer, "a schema with items must state `type: array`".to_owned());
        }
        let own = object.get("type").is_some_and(Value::is_string).then_some(object);
        for (schema, word) in
            [(own, "example"), (own, "default"), (object.get("schema"), "example")]
        {
            let (Some(schema), Some(value)) = (schema, object.get(word)) else { continue };
            self.values += 1;
            let fits = jsonschema::draft4::options()
                .should_validate_formats(true)
                .build(&standalone(self.spec, schema))
                .is_ok_and(|validator| validator.is_valid(value));
            if !fits {
                let problem = format!("the {word} doesn't fit its schema");
                self.find(&format!("{pointer}/{word}"), problem);
            }
        }
    }
}

/// A schema of the spec together with the components that it refers to, as JSON Schema of draft 4.
pub fn standalone(spec: &Spec, schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let (Value::Object(schema), Some(components)) = (&mut schema, spec.value().get("components"))
    {
        // Draft 4 and OpenAPI 3.0 ignore the members beside a reference.
        if let Some(reference) = schema.remove("$ref") {
            schema.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
        }
        schema.insert("components".to_owned(), components.clone());
    }
    replace_nullable(&mut schema);
    schema
}

/// Replaces OpenAPI's `nullable` by JSON Schema's second type.
fn replace_nullable(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("nullable") == Some(&Value::Bool(true))
                && let Some(Value::String(kind)) = object.get("type").cloned()
            {
                object.insert("type".to_owned(), json!([kind, "null"]));
            }
            object.values_mut().for_each(replace_nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(replace_nullable),
        _ => {}
    }
}
