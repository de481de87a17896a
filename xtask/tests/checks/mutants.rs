//! Mutation tests: every node of openapi.yaml is changed in turn, and `check` must find each change.

use crate::workspace;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use xtask::check::compiled::Compiled;
use xtask::check::{document, generated, record, schemas, wire};
use xtask::docs::findings::Around;
use xtask::document::{Spec, escape};
use xtask::files;
use xtask::page;

/// Changes that no link finds, by a part of their names, and why they are harmless.
const BLIND_SPOTS: [(&str, &str); 6] = [
    ("/responses/200/description ", "a text of ours that no code shows"),
    ("/securitySchemes/bearer/description ", "a text of ours that no code shows"),
    ("/useSourceVolume/description ", "a text of ours about a property that is never sent"),
    ("/schema/example moved up", "an example may stand in a schema or beside it"),
    ("/post/parameters moved up", "parameters of a path are those of its one operation"),
    ("/additionalProperties made an object", "`{}` is the schema of anything, as `true` is"),
];

/// All mutants of the spec, each with its name: the place, and what is done to it.
pub(crate) fn mutants(spec: &Value) -> BTreeMap<String, Value> {
    let mut mutants = BTreeMap::new();
    let mut add = |pointer: &str, what: &str, mutant: Value| {
        if mutant != *spec {
            mutants.insert(format!("{pointer} {what}"), mutant);
        }
    };
    for (pointer, node) in nodes(spec, "") {
        for (what, other) in others(node) {
            let mut mutant = spec.clone();
            *mutant.pointer_mut(&pointer).expect("a node of the spec") = other;
            add(&pointer, what, mutant);
        }
        // What isn't stated to be required is optional.
        if pointer.ends_with("/required") && *node == json!(false) {
            continue;
        }
        let (parent, key) = pointer.rsplit_once('/').expect("a node below the root");
        let key = key.replace("~1", "/").replace("~0", "~");
        let mut without = spec.clone();
        match without.pointer_mut(parent).expect("the owner") {
            Value::Object(owner) => drop(owner.remove(&key)),
            Value::Array(items) => drop(items.remove(key.parse().expect("a number"))),
            _ => unreachable!("it has members"),
        }
        let above = parent.rsplit_once('/').map(|(above, _)| (above, key.clone(), "moved up"));
        for (owner, key, what) in
            [Some((parent, format!("{key}X"), "renamed")), above].into_iter().flatten()
        {
            let mut mutant = without.clone();
            if let Some(Value::Object(owner)) = mutant.pointer_mut(owner)
                && owner.insert(key, node.clone()).is_none()
            {
                add(&pointer, what, mutant);
            }
        }
        add(&pointer, "removed", without);
    }
    mutants
}

/// The nodes of a document below its root.
pub(crate) fn nodes<'a>(value: &'a Value, pointer: &str) -> Vec<(String, &'a Value)> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            object.iter().map(|(key, member)| (escape(key).into_owned(), member)).collect()
        }
        Value::Array(items) => (0..).map(|index: usize| index.to_string()).zip(items).collect(),
        _ => Vec::new(),
    };
    let members = members.into_iter().flat_map(|(key, member)| {
        let inner = format!("{pointer}/{key}");
        let below = nodes(member, &inner);
        [(inner, member)].into_iter().chain(below)
    });
    members.collect()
}

/// What a node may be changed to.
fn others(node: &Value) -> Vec<(&'static str, Value)> {
    let mut others = vec![
        ("made null", Value::Null),
        ("made a text", json!("other")),
        ("made a number", json!(7)),
        ("made true", json!(true)),
        ("made a list", json!([])),
        ("made an object", json!({})),
    ];
    match node {
        Value::Bool(value) => others.push(("changed", json!(!*value))),
        Value::Number(number) => {
            others.push(("changed", json!(number.as_i64().unwrap_or(0) + 1)));
        }
        Value::String(text) => {
            let other = match text.as_str() {
                "string" => "integer".to_owned(),
                "integer" => "number".to_owned(),
                "boolean" => "string".to_owned(),
                "path" | "query" => "header".to_owned(),
                "header" => "query".to_owned(),
                other => format!("{other}x"),
            };
            others.push(("changed", json!(other)));
        }
        Value::Array(items) => {
            let doubled = items.iter().chain(items.first()).cloned().collect();
            others.push(("doubled", Value::Array(doubled)));
        }
        _ => {}
    }
    let of_parameter = node.get("in").is_some();
    let of_text = node.get("type").is_some_and(|kind| kind == "string");
    for (applies, keyword, value) in [
        (of_parameter, "required", json!(true)),
        (of_text, "readOnly", json!(true)),
        (of_text, "nullable", json!(true)),
        (of_text, "deprecated", json!(true)),
        (of_text, "default", json!("other")),
        (of_text, "enum", json!(["one", "two"])),
        (of_text, "format", json!("uuid")),
        (of_text, "example", json!("another")),
    ] {
        let mut other = node.clone();
        if applies {
            other[keyword] = value;
            others.push((keyword, other));
        }
    }
    let mut other = node.clone();
    if let Some(properties) = other.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("added".to_owned(), json!({ "type": "string" }));
        others.push(("given a property", other));
    }
    let mut other = node.clone();
    if let Some(parameters) = other.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.push(json!({ "name": "added", "in": "query", "schema": { "type": "string" } }));
        others.push(("given a parameter", other));
    }
    others
}

/// The first link that finds the mutant.
fn caught_by(
    mutant: &Value,
    committed: &str,
    compiled: &Compiled,
    root: &Path,
) -> Option<&'static str> {
    let spec = Spec::of_value(mutant.clone());
    if !document::check(&spec).0.is_empty() {
        return Some("spec");
    }
    let mut recorded = page::record::load(root).expect("a record").expect("a record");
    if record::check(&spec, &Around::default(), &mut recorded).0.is_some() {
        return Some("page");
    }
    let links: [(&str, &dyn Fn() -> bool); 4] = [
        ("schemas", &|| !schemas::check(&spec, compiled).0.is_empty()),
        ("wire", &|| !wire::check(&spec, compiled).0.is_empty()),
        ("table", &|| !generated::compiled(&spec, compiled).0.is_empty()),
        ("generated", &|| !generated::check(&spec, committed).0.is_empty()),
    ];
    links.iter().find(|(_, finds)| finds()).map(|(link, _)| *link)
}

#[test]
fn every_mutant_of_the_spec_is_caught() {
    let root = files::root();
    let spec = Spec::load(&root).expect("the spec");
    let committed = files::read(&root, files::GENERATED).expect("the generated code");
    let compiled = workspace::compiled(&root).expect("it compiles");
    assert_eq!(caught_by(spec.value(), &committed, &compiled, &root), None);

    let mutants: Vec<(String, Value)> = mutants(spec.value()).into_iter().collect();
    let check = |half: &[(String, Value)]| -> Vec<_> {
        half.iter().map(|(_, mutant)| caught_by(mutant, &committed, &compiled, &root)).collect()
    };
    let (one, other) = mutants.split_at(mutants.len() / 2);
    let caught = std::thread::scope(|scope| {
        let one = scope.spawn(|| check(one));
        let other = check(other);
        [one.join().expect("no panic"), other].concat()
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut survivors = Vec::new();
    let mut blind = BTreeSet::new();
    for ((name, _), caught) in mutants.iter().zip(caught) {
        let spot = BLIND_SPOTS.iter().find(|(spot, _)| name.contains(spot));
        match (caught, spot) {
            (Some(link), _) => *counts.entry(link).or_default() += 1,
            (None, Some((spot, _))) => drop(blind.insert(spot)),
            (None, None) => survivors.push(name),
        }
    }
    crate::note(format_args!("{} mutants: {counts:?}", mutants.len()));
    assert!(survivors.is_empty(), "{} survive: {survivors:#?}", survivors.len());
    for (spot, _) in &BLIND_SPOTS {
        let occurs = mutants.iter().any(|(name, _)| name.contains(spot));
        assert!(blind.contains(spot) || !occurs, "{spot} is no longer a blind spot");
    }
    assert!(mutants.len() > 1_000, "only {} mutants were made", mutants.len());
}
