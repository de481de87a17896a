//! The schemas of a reduced document, in the form that progenitor gets: each type has a name.

use super::Refusal;
use super::names::identifier;
use super::yaml::Node;
use heck::ToUpperCamelCase;
use quote::format_ident;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::mem;
use syn::Ident;

/// The types by name, each with its place and the schema that progenitor gets. progenitor would name types that are
/// described inside others itself, and take two of one name for one.
#[derive(Default)]
pub(crate) struct Schemas<'a>(pub(crate) BTreeMap<String, (Node<'a>, Value)>);

impl<'a> Schemas<'a> {
    /// The components of a document.
    pub(crate) fn new(document: &Node<'a>) -> Result<Self, Refusal> {
        let mut schemas = Self::default();
        for (name, node) in document.get("components").iter().flat_map(|it| it.each("schemas")) {
            schemas.define(&name.to_upper_camel_case(), &node)?;
        }
        Ok(schemas)
    }

    /// The type of a body, if there is one: a component, or a type that is named after the operation.
    pub(crate) fn of_body(
        &mut self,
        body: Option<&Node<'a>>,
        operation: &Ident,
        end: &str,
    ) -> Result<Option<Ident>, Refusal> {
        let Some(node) = body else { return Ok(None) };
        let name = format!("{operation}_{end}").to_upper_camel_case();
        let of = node.target().map_or_else(|| self.define(&name, node), |it| Ok(type_of(it)));
        of.map(Some)
    }

    fn define(&mut self, name: &str, node: &Node<'a>) -> Result<Ident, Refusal> {
        let schema = self.schema(node, name)?;
        self.add(name, node, schema)
    }

    fn add(&mut self, name: &str, node: &Node<'a>, schema: Value) -> Result<Ident, Refusal> {
        // As progenitor writes it: `..AB` of the properties `a` and `b` becomes `..Ab`.
        let name = name.to_upper_camel_case();
        let of = identifier(node, &name)?;
        if let Some((other, _)) = self.0.insert(name, (node.clone(), schema)) {
            let remedy = "give one of them another name in `components/schemas`";
            let other = other.place();
            return Err(
                node.refusal(format!("the type `{of}` is also described at {other}; {remedy}"))
            );
        }
        Ok(of)
    }

    /// The schema of a part of another: a reference, if progenitor would make a type of it.
    fn part(&mut self, node: &Node<'a>, name: &str) -> Result<Value, Refusal> {
        let mut schema = self.schema(node, name)?;
        let is_struct = schema["properties"].as_object().is_some_and(|all| !all.is_empty());
        if !is_struct && schema["oneOf"].is_null() && schema["additionalProperties"] != false {
            return Ok(schema);
        }
        let nullable = mem::replace(&mut schema["nullable"], json!(false));
        let reference = reference(&self.add(name, node, schema)?);
        Ok(match nullable {
            Value::Bool(true) => json!({ "nullable": true, "allOf": [reference] }),
            _ => reference,
        })
    }

    fn schema(&mut self, node: &Node<'a>, name: &str) -> Result<Value, Refusal> {
        if let Some(target) = node.target() {
            return Ok(reference(&type_of(target)));
        }
        let mut out = node.value.clone();
        if let Value::Array(values) = out["enum"].take() {
            let values = values.iter().map(|value| match value.as_str() {
                Some(text) => format!("`{text}`"),
                None => format!("`{value}`"),
            });
            let values = values.collect::<Vec<_>>().join(", ");
            let known = format!("{}\n\nKnown values: {values}.", node.text("description"));
            out["description"] = json!(known.trim_start());
        }
        if node.get("oneOf").is_some() {
            let all = node.each("oneOf").into_iter();
            let all = all.map(|(at, it)| self.part(&it, &format!("{name}Variant{at}")));
            out["oneOf"] = all.collect::<Result<_, _>>()?;
        }
        for (keyword, end) in [("items", "Item"), ("additionalProperties", "Value")] {
            if let Some(inner) = node.get(keyword).filter(|inner| inner.value.is_object()) {
                out[keyword] = self.part(&inner, &format!("{name}{end}"))?;
            }
        }
        out["allOf"].take();
        let parts = node.each("allOf");
        if let [(_, only)] = &*parts
            && only.target().is_some()
        {
            out["allOf"] = json!([self.schema(only, name)?]);
        } else if !parts.is_empty() || node.text("type") == "object" {
            let mut kept = Map::new();
            for (own, property) in properties(node)? {
                let name = format!("{name}{}", own.to_upper_camel_case());
                kept.insert(own, self.part(&property, &name)?);
            }
            let required = required(node).into_iter().map(|own| own.as_text());
            out["required"] = required.filter(|own| kept.contains_key(*own)).collect();
            out["properties"] = Value::Object(kept);
            out["type"] = json!("object");
        }
        Ok(out)
    }
}

/// The type of the component that a `$ref` leads to.
fn type_of(target: &str) -> Ident {
    format_ident!("{}", target.rsplit('/').next().unwrap_or_default().to_upper_camel_case())
}

/// The reference to a type.
pub(crate) fn reference(of: &Ident) -> Value {
    json!({ "$ref": format!("#/components/schemas/{of}") })
}

/// Refuses a schema that requires a property without describing it.
pub(crate) fn check_required(node: &Node<'_>) -> Result<(), Refusal> {
    let all = properties(node)?;
    match required(node).into_iter().find(|own| !all.contains_key(own.as_text())) {
        Some(own) => {
            let name = own.as_text();
            Err(own.refusal(format!("there is no property `{name}`; describe it in `properties`")))
        }
        None => Ok(()),
    }
}

/// The names of the properties that are required.
fn required<'a>(node: &Node<'a>) -> Vec<Node<'a>> {
    parts(node).iter().flat_map(|part| part.each("required")).map(|(_, own)| own).collect()
}

/// The properties of an object, or of all that `allOf` combines.
pub(crate) fn properties<'a>(node: &Node<'a>) -> Result<BTreeMap<String, Node<'a>>, Refusal> {
    let mut all: BTreeMap<String, Node<'a>> = BTreeMap::new();
    for (name, property) in parts(node).iter().flat_map(|part| part.each("properties")) {
        match all.get(&name) {
            Some(other) if other.value != property.value => {
                let other = other.place();
                let text = format!("`{name}` is another property at {other}; make both equal");
                return Err(property.refusal(text));
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
