//! Mutation tests: every node of openapi.yaml is changed in turn, and `check` must find each change.

use crate::workspace;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use xtask::check::compiled::Compiled;
use xtask::check::{document, generated, record, schemas, wire};
use xtask::docs::findings::Around;
use xtask::document::Spec;
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

/// A change of the spec.
struct Mutant {
    pointer: String,
    what: &'static str,
    spec: Value,
}

/// All mutants of the spec.
fn mutants(spec: &Value) -> Vec<Mutant> {
    let mut nodes = Vec::new();
    walk(spec, "", &mut nodes);
    let mut mutants = Vec::new();
    for pointer in nodes {
        // What isn't stated to be required is optional.
        let says_nothing =
            pointer.ends_with("/required") && spec.pointer(&pointer) == Some(&json!(false));
        let mut add = |what: &'static str, change: &dyn Fn(&mut Value) -> bool| {
            if says_nothing && ["removed", "renamed", "moved up"].contains(&what) {
                return;
            }
            let mut mutant = spec.clone();
            if change(&mut mutant) && mutant != *spec {
                mutants.push(Mutant { pointer: pointer.clone(), what, spec: mutant });
            }
        };
        let (parent, key) = pointer.rsplit_once('/').expect("a node below the root");
        let key = key.replace("~1", "/").replace("~0", "~");
        add("removed", &|spec| remove(spec.pointer_mut(parent), &key).is_some());
        add("renamed", &|spec| {
            let Some(Value::Object(owner)) = spec.pointer_mut(parent) else { return false };
            let Some(value) = owner.remove(&key) else { return false };
            owner.insert(format!("{key}X"), value);
            true
        });
        add("moved up", &|spec| {
            let Some((above, _)) = parent.rsplit_once('/') else { return false };
            let Some(value) = remove(spec.pointer_mut(parent), &key) else { return false };
            let Some(Value::Object(owner)) = spec.pointer_mut(above) else { return false };
            owner.insert(key.clone(), value).is_none()
        });
        for (what, other) in [
            ("made null", Value::Null),
            ("made a text", json!("other")),
            ("made a number", json!(7)),
            ("made true", json!(true)),
            ("made a list", json!([])),
            ("made an object", json!({})),
        ] {
            add(what, &|spec| {
                let node = spec.pointer_mut(&pointer).expect("a node of the spec");
                *node = other.clone();
                true
            });
        }
        add("changed", &|spec| {
            let node = spec.pointer_mut(&pointer).expect("a node of the spec");
            *node = match node {
                Value::Bool(value) => json!(!*value),
                Value::Number(number) => json!(number.as_i64().unwrap_or(0) + 1),
                Value::String(text) => match text.as_str() {
                    "string" => json!("integer"),
                    "integer" => json!("number"),
                    "boolean" => json!("string"),
                    "path" | "query" => json!("header"),
                    "header" => json!("query"),
                    other => json!(format!("{other}x")),
                },
                _ => return false,
            };
            true
        });
        add("doubled", &|spec| {
            let Some(Value::Array(items)) = spec.pointer_mut(&pointer) else { return false };
            let Some(first) = items.first().cloned() else { return false };
            items.push(first);
            true
        });
        add("given a property", &|spec| {
            let Some(Value::Object(node)) = spec.pointer_mut(&pointer) else { return false };
            let properties = node.get_mut("properties").and_then(Value::as_object_mut);
            let added = json!({ "type": "string" });
            properties
                .is_some_and(|properties| properties.insert("added".to_owned(), added).is_none())
        });
        add("given a parameter", &|spec| {
            let Some(Value::Object(node)) = spec.pointer_mut(&pointer) else { return false };
            let added = json!({ "name": "added", "in": "query", "schema": { "type": "string" } });
            let parameters = node.get_mut("parameters").and_then(Value::as_array_mut);
            parameters.map(|parameters| parameters.push(added)).is_some()
        });
        for (keyword, value) in [
            ("required", json!(true)),
            ("readOnly", json!(true)),
            ("nullable", json!(true)),
            ("deprecated", json!(true)),
            ("default", json!("other")),
            ("enum", json!(["one", "two"])),
            ("format", json!("uuid")),
            ("example", json!("another")),
        ] {
            add(keyword, &|spec| {
                let Some(Value::Object(node)) = spec.pointer_mut(&pointer) else { return false };
                let of_parameter = node.contains_key("in");
                let of_schema = node.get("type").is_some_and(|kind| kind == "string");
                let fits = if keyword == "required" { of_parameter } else { of_schema };
                fits && node.insert(keyword.to_owned(), value.clone()) != Some(value.clone())
            });
        }
    }
    mutants
}

fn walk(value: &Value, pointer: &str, nodes: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, member)| (key.replace('~', "~0").replace('/', "~1"), member))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (key, member) in members {
        let inner = format!("{pointer}/{key}");
        nodes.push(inner.clone());
        walk(member, &inner, nodes);
    }
}

fn remove(owner: Option<&mut Value>, key: &str) -> Option<Value> {
    match owner? {
        Value::Object(owner) => owner.remove(key),
        Value::Array(items) => {
            let index = key.parse::<usize>().ok()?;
            Some(items.remove(index))
        }
        _ => None,
    }
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
    if !record::check(&spec, &Around::default(), &mut recorded).0.is_empty() {
        return Some("page");
    }
    let links: [(&str, &dyn Fn() -> bool); 5] = [
        ("schemas", &|| !schemas::check(&spec, compiled).0.is_empty()),
        ("wire", &|| !wire::requests(&spec, compiled).0.is_empty()),
        ("fake", &|| !wire::answers(&spec, compiled).0.is_empty()),
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

    let mutants = mutants(spec.value());
    let halves: Vec<_> = mutants.chunks(mutants.len().div_ceil(2)).collect();
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = halves
            .into_iter()
            .map(|half| {
                scope.spawn(|| {
                    let caught = half
                        .iter()
                        .map(|mutant| caught_by(&mutant.spec, &committed, &compiled, &root));
                    caught.collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut survivors = Vec::new();
    let mut blind = vec![false; BLIND_SPOTS.len()];
    for (mutant, caught) in mutants.iter().zip(results) {
        let name = format!("{} {}", mutant.pointer, mutant.what);
        let spot = BLIND_SPOTS.iter().position(|(spot, _)| name.contains(spot));
        match (caught, spot) {
            (Some(link), _) => *counts.entry(link).or_default() += 1,
            (None, Some(spot)) => {
                blind[spot] = true;
                *counts.entry("blind spot").or_default() += 1;
            }
            (None, None) => survivors.push(name),
        }
    }
    crate::note(format_args!("{} mutants: {counts:?}", mutants.len()));
    assert!(survivors.is_empty(), "{} survive:\n{}", survivors.len(), survivors.join("\n"));
    for ((spot, _), needed) in BLIND_SPOTS.iter().zip(blind) {
        let occurs = mutants.iter().any(|it| format!("{} {}", it.pointer, it.what).contains(spot));
        assert!(needed || !occurs, "{spot} is no longer a blind spot");
    }
    assert!(mutants.len() > 1_000, "only {} mutants were made", mutants.len());
}
