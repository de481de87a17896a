//! The schemas in the form that progenitor gets: what is sent has no read-only properties, what is answered no
//! write-only ones, nothing has a default or a limit, and each type has a name.

use super::Refusal;
use super::node::Node;
use super::operations::Operation;
use heck::ToUpperCamelCase;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Where values of a schema go.
#[derive(Clone, Copy)]
pub(crate) struct Use {
    pub(crate) sent: bool,
    pub(crate) answered: bool,
}

#[derive(Default)]
pub(crate) struct Schemas<'a> {
    /// The types by name, each with its place.
    pub(crate) types: BTreeMap<String, Node<'a>>,
    /// What progenitor gets: the components, and the types that the document describes elsewhere. Progenitor would name
    /// those itself, and take two of one name for one.
    pub(crate) components: Map<String, Value>,
}

impl<'a> Schemas<'a> {
    /// The components of a document with these operations.
    pub(crate) fn new(document: &Node<'a>, operations: &[Operation<'a>]) -> Result<Self, Refusal> {
        let (mut sent, mut answered) = (BTreeSet::new(), BTreeSet::new());
        for Operation { body, answer, .. } in operations {
            if let Some(schema) = body {
                reach(schema, &mut sent);
            }
            if let Some(schema) = answer {
                reach(schema, &mut answered);
            }
        }
        let components =
            document.get("components").map(|it| it.each("schemas")).unwrap_or_default();
        let mut schemas = Self::default();
        for (name, node) in &components {
            schemas.add_type(&name.to_upper_camel_case(), node)?;
        }
        for (name, node) in &components {
            let at = &node.pointer;
            let usage = Use { sent: sent.contains(at), answered: answered.contains(at) };
            let schema = schemas.schema(node, usage, &name.to_upper_camel_case())?;
            schemas.components.insert(name.clone(), schema);
        }
        Ok(schemas)
    }

    fn add_type(&mut self, name: &str, node: &Node<'a>) -> Result<(), Refusal> {
        if syn::parse_str::<syn::Ident>(name).is_err() {
            let problem = format!("`{name}`, the name of this schema, is not a valid Rust type");
            return node.refuse(problem, "begin it with a letter, and use no keyword of Rust");
        }
        match self.types.insert(name.to_owned(), node.clone()) {
            Some(other) if other.pointer != node.pointer => {
                let problem = format!("two types would be named `{name}`: also {}", other.place());
                node.refuse(problem, "give one of them another name in `components/schemas`")
            }
            _ => Ok(()),
        }
    }

    /// The schema of a part of another: a reference, if progenitor would make a type of it.
    fn part(&mut self, node: &Node<'a>, usage: Use, name: &str) -> Result<Value, Refusal> {
        let mut schema = self.schema(node, usage, name)?;
        let is_struct = schema["properties"].as_object().is_some_and(|all| !all.is_empty());
        if !is_struct && schema["oneOf"].is_null() && schema["additionalProperties"] != json!(false)
        {
            return Ok(schema);
        }
        let nullable = schema.as_object_mut().and_then(|schema| schema.remove("nullable"));
        let reference = self.add(name, node, schema)?;
        Ok(match nullable {
            Some(nullable) => json!({ "nullable": nullable, "allOf": [reference] }),
            None => reference,
        })
    }

    /// The reference to the type of a body, which has that name unless it is a component.
    pub(crate) fn named(
        &mut self,
        node: &Node<'a>,
        usage: Use,
        name: &str,
    ) -> Result<Value, Refusal> {
        let schema = self.schema(node, usage, name)?;
        if schema.get("$ref").is_some() { Ok(schema) } else { self.add(name, node, schema) }
    }

    fn add(&mut self, name: &str, node: &Node<'a>, schema: Value) -> Result<Value, Refusal> {
        // As progenitor writes it: `..AB` of the properties `a` and `b` becomes `..Ab`.
        let name = name.to_upper_camel_case();
        self.add_type(&name, node)?;
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        self.components.insert(name, schema);
        Ok(reference)
    }

    fn schema(&mut self, node: &Node<'a>, usage: Use, name: &str) -> Result<Value, Refusal> {
        if let Some(target) = node.target() {
            return Ok(json!({ "$ref": target }));
        }
        let mut out = node.copy(&["type", "description", "nullable"]);
        if let Some(format) = kept_format(node) {
            out["format"] = json!(format);
        }
        if let Some(Value::Array(values)) = node.value.get("enum") {
            let text =
                |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let values: Vec<_> = values.iter().map(|value| format!("`{}`", text(value))).collect();
            let known =
                format!("{}\n\nKnown values: {}.", node.text("description"), values.join(", "));
            out["description"] = json!(known.trim_start());
        }
        let parts = node.each("allOf");
        if let Some(alternatives) = node.get("oneOf") {
            if usage.answered {
                let remedy =
                    "describe any JSON, without `oneOf`, or an object with the properties of all";
                return alternatives
                    .refuse("an answer doesn't say which alternative it is", remedy);
            }
            let all = alternatives.inside().into_iter();
            let all = all.map(|(at, it)| self.part(&it, usage, &format!("{name}Variant{at}")));
            out["oneOf"] = all.collect::<Result<_, _>>()?;
        } else if let Some(items) = node.get("items") {
            out["items"] = self.part(&items, usage, &format!("{name}Item"))?;
        } else if let [(_, only)] = &*parts
            && let Some(target) = only.target()
        {
            out["allOf"] = json!([{ "$ref": target }]);
        } else if !parts.is_empty() || node.text("type") == "object" {
            self.object(node, usage, name, &mut out)?;
        }
        Ok(out)
    }

    /// Writes a struct, or a map, with the properties of `node`.
    fn object(
        &mut self,
        node: &Node<'a>,
        usage: Use,
        name: &str,
        out: &mut Value,
    ) -> Result<(), Refusal> {
        let all = properties(node)?;
        let mut kept = Map::new();
        for (own, property) in &all {
            if !is_hidden(property, usage)? {
                let type_name = format!("{name}{}", own.to_upper_camel_case());
                kept.insert(own.clone(), self.part(property, usage, &type_name)?);
            }
        }
        let mut required = Vec::new();
        for item in parts(node).iter().flat_map(|part| part.each("required")) {
            let own = item.1.as_text();
            if !all.contains_key(own) {
                return item.1.refuse(
                    format!("there is no property `{own}`"),
                    "describe it in `properties`",
                );
            }
            required.extend(kept.contains_key(own).then_some(own));
        }
        let additional = node.get("additionalProperties");
        match additional.as_ref().map(|it| it.value) {
            Some(Value::Bool(true)) => out["additionalProperties"] = json!(true),
            Some(Value::Object(_)) => {
                let schema = additional.map(|it| self.part(&it, usage, &format!("{name}Value")));
                out["additionalProperties"] = schema.transpose()?.unwrap_or_default();
            }
            // Without properties progenitor would make a map. An answer may have more members than is known.
            closed
                if kept.is_empty() && !usage.answered && (closed.is_some() || !all.is_empty()) =>
            {
                out["additionalProperties"] = json!(false);
            }
            _ => {}
        }
        out["type"] = json!("object");
        out["properties"] = Value::Object(kept);
        out["required"] = json!(required);
        Ok(())
    }
}

/// The names of the properties that a request with this schema can set.
pub(crate) fn settable(schema: &Node<'_>) -> Vec<String> {
    let all = properties(&schema.clone().resolved()).unwrap_or_default().into_iter();
    all.filter(|(_, property)| !property.is("readOnly")).map(|(name, _)| name).collect()
}

/// The properties of an object, or of all that `allOf` combines.
pub(crate) fn properties<'a>(node: &Node<'a>) -> Result<BTreeMap<String, Node<'a>>, Refusal> {
    let mut all: BTreeMap<String, Node<'a>> = BTreeMap::new();
    for (name, property) in parts(node).iter().flat_map(|part| part.each("properties")) {
        match all.get(&name) {
            Some(other) if other.value != property.value => {
                let problem = format!("`{name}` is another property at {}", other.place());
                return property.refuse(problem, "make both equal");
            }
            _ => all.insert(name, property),
        };
    }
    Ok(all)
}

/// The object, or the objects that `allOf` combines.
fn parts<'a>(node: &Node<'a>) -> Vec<Node<'a>> {
    let node = node.clone().resolved();
    match node.get("allOf") {
        Some(all) => all.inside().iter().flat_map(|(_, part)| parts(part)).collect(),
        None => vec![node],
    }
}

/// Whether a property is left out of what is sent, or of what is answered.
fn is_hidden(property: &Node<'_>, usage: Use) -> Result<bool, Refusal> {
    let all = [("readOnly", usage.sent), ("writeOnly", usage.answered)];
    match all.into_iter().find(|(keyword, hides)| *hides && property.is(keyword)) {
        Some((keyword, _)) if usage.sent && usage.answered => {
            let problem =
                format!("this is `{keyword}`, in a schema that is both sent and answered");
            property.refuse(problem, "use one schema for requests and another for answers")
        }
        found => Ok(found.is_some()),
    }
}

/// The format of a schema, if it decides on the type.
pub(crate) fn kept_format<'a>(node: &Node<'a>) -> Option<&'a str> {
    let kept: &[&str] = match node.text("type") {
        "string" => &["date", "date-time"],
        "integer" => &["int32", "int64"],
        "number" => &["float", "double"],
        _ => &[],
    };
    Some(node.text("format")).filter(|format| kept.contains(format))
}

/// Adds the components that a schema refers to.
fn reach(node: &Node<'_>, found: &mut BTreeSet<String>) {
    match node.follow() {
        Some(target) if found.insert(target.pointer.clone()) => reach(&target, found),
        Some(_) => {}
        None => node.inside().iter().for_each(|(_, inner)| reach(inner, found)),
    }
}
