//! Deletes every fact of a page in turn: none of the deletions may pass for agreement.
//!
//! What counts as a fact is decided here from the form of the page alone, not by the readers under test.

use crate::render::{self, Variations};
use regex::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;
use xtask::contract::Spec;
use xtask::docs;
use xtask::files::{self, RECORD, SPEC, WAIVERS};
use xtask::report::Ending;

/// A page without one of its facts.
struct Deletion {
    what: String,
    page: String,
}

/// The unseen ones of the deletions from a page that agrees with the workspace at `root`.
fn unseen(root: &Path, name: &str, page: &str, deletions: &[Deletion]) -> Vec<String> {
    let ending = |page: &str| docs::compare(root, "page", page.as_bytes(), false).ending;
    assert_eq!(ending(page), Ending::Equal, "{name}");
    let agree = deletions.iter().filter(|deletion| ending(&deletion.page) == Ending::Equal);
    let unseen: Vec<_> = agree.map(|deletion| deletion.what.clone()).collect();
    println!("{name}: {} deletions, {} unseen", deletions.len(), unseen.len());
    unseen
}

/// Lines that open a section.
const LABELS: [&str; 7] = [
    "Authorizations",
    "Path parameters",
    "Query parameters",
    "Header parameters",
    "cookie",
    "Body",
    "Responses",
];

/// Deletions from a copied text.
fn from_text(page: &str) -> Vec<Deletion> {
    let lines: Vec<&str> = page.lines().collect();
    let mut deletions = Vec::new();
    let mut replace = |what: String, range: Range<usize>, by: &str| {
        let kept = lines[..range.start].iter().chain((!by.is_empty()).then_some(&by));
        let kept: Vec<&str> = kept.chain(&lines[range.end..]).copied().collect();
        deletions.push(Deletion { what, page: kept.join("\n") });
    };
    let row = Regex::new(
        "^(?<name>[^ ]*?)(?<type>string|integer|number|boolean|object|one of)(?<list>\\[\\])?(?<format> · [a-z-]+)?\
         (?<mark>Read-only)?(?<label>Required|Optional)(?<example>Example: .*)?$",
    );
    let row = row.expect("a regular expression");
    let fact = Regex::new(
        "^(post|/.*|[1-5]\\d\\d|[a-z]+/[a-z]+|No content|or|(Example|Default|Pattern|Possible values): .*|Bearer .*)$",
    );
    let fact = fact.expect("a regular expression");
    let is_label = |line: &str| LABELS.contains(&line);
    let is_path = |line: &str| line.starts_with('/');
    let first = lines.iter().position(|line| *line == "post").expect("an operation");
    for (at, line) in lines.iter().enumerate().skip(first) {
        let here = at + 1;
        // Below the path the page repeats that there is no content.
        let repeats = *line == "No content"
            && lines[..at]
                .iter()
                .rev()
                .find(|line| !line.is_empty())
                .is_some_and(|line| is_path(line));
        if fact.is_match(line) && !repeats || is_label(line) || row.is_match(line) {
            replace(format!("line {here}: {line}"), at..at + 1, "");
        }
        if is_label(line) {
            let length =
                lines[here..].iter().take_while(|line| !is_label(line) && **line != "post");
            replace(format!("section {here}: {line}"), at..here + length.count(), "");
        }
        if let Some(parts) = row.captures(line) {
            for part in ["name", "type", "list", "format", "mark", "label", "example"] {
                let Some(part) = parts.name(part) else { continue };
                let rest = format!("{}{}", &line[..part.start()], &line[part.end()..]);
                replace(format!("{} in line {here}: {line}", part.as_str()), at..at + 1, &rest);
            }
            let is_below =
                |line: &&&str| !row.is_match(line) && !is_label(line) && **line != "post";
            let below = lines[here..].iter().take_while(is_below).count();
            replace(format!("row {here}: {line}"), at..here + below, "");
        }
        if is_path(line) {
            let start = lines[..at - 1].iter().rposition(|line| *line == "post").expect("a start");
            replace(format!("operation {line}"), start..here, "");
        }
        // A copy that ends too early.
        if lines[here..].iter().any(|line| is_path(line)) {
            replace(format!("all from line {here}"), at..lines.len(), "");
        }
    }
    deletions
}

#[test]
fn every_deletion_from_a_copied_text_is_seen() {
    let root = files::root();
    let spec = Spec::load(&root).expect("the spec");
    let rendered = render::text(&spec.facts, Variations::default());
    let inline = Variations { inline: true, icons: true, ..Variations::default() };
    let inline = render::text(&spec.facts, inline);
    let mut pages = vec![("rendered", rendered), ("rendered inline", inline)];
    let vendors = fs::read_to_string(root.join("../shared/docs/datafy-api.txt")).ok();
    pages.extend(vendors.map(|page| ("page of record", page)));
    for (name, page) in pages {
        let deletions = from_text(&page);
        assert!(deletions.len() > 150, "{name}: only {}", deletions.len());
        let unseen = unseen(&root, name, &page, &deletions);
        assert!(unseen.is_empty(), "{name}: {unseen:#?}");
    }
}

#[test]
fn a_deletion_that_changes_nothing_is_counted_as_unseen() {
    let root = files::root();
    let page = render::text(&Spec::load(&root).expect("the spec").facts, Variations::default());
    let without = page.replace("It went well.", "");
    let prose = [Deletion { what: "prose".to_owned(), page: without }];
    assert_eq!(unseen(&root, "prose", &page, &prose), ["prose"]);
}

/// Deletions from the documents of a page of Markdown.
fn from_markdown(page: &str) -> Vec<Deletion> {
    let mut deletions = Vec::new();
    for (start, _) in page.match_indices("{\"") {
        let Some(length) = page[start..].find('\n') else { continue };
        let Ok(document) = serde_json::from_str::<Value>(&page[start..start + length]) else {
            continue;
        };
        let mut nodes = Vec::new();
        walk(&document, "", &mut nodes);
        let used = used(&document);
        let is_used = |pointer: &String| {
            let parts: Vec<_> = pointer.splitn(5, '/').collect();
            let component =
                (parts[1] == "components").then(|| parts[..parts.len().min(4)].join("/"));
            component.is_none_or(|component| used.iter().any(|used| used.starts_with(&component)))
        };
        nodes.retain(is_used);
        for pointer in nodes.into_iter().filter(|pointer| is_fact(&document, pointer)) {
            let mut without = document.clone();
            let (owner, key) = pointer.rsplit_once('/').expect("a node below the root");
            let key = key.replace("~1", "/").replace("~0", "~");
            match without.pointer_mut(owner).expect("it") {
                Value::Object(members) => drop(members.remove(&key)),
                Value::Array(items) => drop(items.remove(key.parse().expect("a number"))),
                _ => unreachable!("only these have members"),
            }
            let what = format!(
                "{pointer} of {}",
                document["paths"].as_object().expect("paths").keys().next().expect("a path")
            );
            let page = format!("{}{without}{}", &page[..start], &page[start + length..]);
            deletions.push(Deletion { what, page });
        }
    }
    deletions
}

fn walk(value: &Value, pointer: &str, nodes: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.replace('~', "~0").replace('/', "~1"), member))
            .collect(),
        Value::Array(items) => (0..).map(|index: usize| index.to_string()).zip(items).collect(),
        _ => Vec::new(),
    };
    for (key, member) in members {
        let inner = format!("{pointer}/{key}");
        nodes.push(inner.clone());
        walk(member, &inner, nodes);
    }
}

/// The components that the operations of a document refer to.
fn used(document: &Value) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut open = vec![document["paths"].to_string(), document["security"].to_string()];
    let name =
        Regex::new("\"#(/components/[^\"]+)\"|^\\[\\{\"([^\"]+)\"").expect("a regular expression");
    while let Some(text) = open.pop() {
        for found in name.captures_iter(&text) {
            let scheme = found
                .get(2)
                .map(|scheme| format!("/components/securitySchemes/{}", scheme.as_str()));
            let pointer = scheme.unwrap_or_else(|| found[1].to_owned());
            open.extend(document.pointer(&pointer).map(Value::to_string));
            used.insert(pointer);
        }
    }
    used
}

/// Whether the node states something about the API that would not hold without it.
fn is_fact(document: &Value, pointer: &str) -> bool {
    let (owner, key) = pointer.rsplit_once('/').expect("a node below the root");
    let (owner, value) = (document.pointer(owner), document.pointer(pointer).expect("it"));
    let beside = |key: &str| owner.is_some_and(|owner| owner.get(key).is_some());
    // Names of properties may be the same words as keywords.
    let names = ["/properties", "/schemas", "/parameters", "/securitySchemes"];
    if names.iter().any(|names| pointer[..pointer.len() - key.len() - 1].ends_with(names)) {
        return true;
    }
    // Each fence may lack these.
    let top = pointer[1..].split('/').next().expect("a key");
    !(["openapi", "info", "tags", "servers"].contains(&top)
        // Prose and names.
        || ["description", "summary", "operationId", "tags", "bearerFormat"].contains(&key)
        || pointer.contains("/tags/")
        // A constraint that no page shows.
        || pointer.contains("/not/")
        || key == "not"
        || key.starts_with("x-")
        // The defaults of a parameter and of a body.
        || (key == "required" && *value == Value::Bool(false))
        || (key == "style" && *value == "form")
        // It follows from what is beside it.
        || (key == "type" && ["properties", "items", "enum"].into_iter().any(beside)))
}

/// A workspace whose spec is what the page says.
fn workspace_of(page: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    let mut whole = Map::new();
    for (start, _) in page.match_indices("{\"") {
        let document = page[start..].lines().next().expect("a line");
        let Ok(Value::Object(document)) = serde_json::from_str(document) else { continue };
        merge(&mut whole, document);
    }
    fs::create_dir(root.path().join("xtask")).expect("created");
    // JSON is YAML.
    fs::write(root.path().join(SPEC), Value::Object(whole).to_string()).expect("written");
    fs::write(root.path().join(WAIVERS), "[]").expect("written");
    let recorded = docs::compare(root.path(), "page", page.as_bytes(), true);
    assert_eq!(recorded.ending, Ending::Equal, "{:?} {:?}", recorded.findings, recorded.problems);
    assert!(root.path().join(RECORD).exists(), "it is recorded");
    root
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

#[test]
fn every_deletion_from_the_markdown_is_seen() {
    let spec = Spec::load(&files::root()).expect("the spec");
    let mut pages =
        vec![("rendered".to_owned(), render::markdown(spec.value(), Variations::default()))];
    for file in ["next/page.md", "revision/page.md"] {
        let page = fs::read_to_string(files::root().join("../shared/docs").join(file)).ok();
        pages.extend(page.map(|page| (file.to_owned(), page)));
    }
    for (name, page) in pages {
        let root = workspace_of(&page);
        let deletions = from_markdown(&page);
        let operations: BTreeSet<_> =
            deletions.iter().filter_map(|it| it.what.rsplit(' ').next()).collect();
        assert!(operations.len() > 3 && deletions.len() > 150, "{name}: only {}", deletions.len());
        let unseen = unseen(root.path(), &name, &page, &deletions);
        assert!(unseen.is_empty(), "{name}: {unseen:#?}");
    }
}
