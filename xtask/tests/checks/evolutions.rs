//! Deletes and changes every fact of a page in turn: none of these evolutions may pass for agreement.
//!
//! What counts as a fact is decided here from the form of the page alone, not by the readers under test.

use crate::mutants;
use crate::render::{self, Variations};
use crate::workspace;
use regex::Regex;
use serde_json::{Map, Value};
use std::fs;
use std::ops::Range;
use std::path::Path;
use xtask::docs::{self, Basis};
use xtask::document::Spec;
use xtask::files::{self, RECORD, SPEC, WAIVERS};
use xtask::report::Ending;

/// A page that states one thing less, or another thing.
struct Evolution {
    what: String,
    page: String,
}

/// Asserts that no evolution of a page, whose spec is `spec`, passes for agreement.
///
/// Without a record of the page all are seen but those that `needs_record` accepts.
fn assert_seen(
    name: &str,
    spec: &str,
    page: &str,
    all: &[Evolution],
    needs_record: impl Fn(&str) -> bool,
) {
    let root = workspace::folder(&[(SPEC, spec), (WAIVERS, "[]")]);
    let mut without_record = unseen(root.path(), page, all);
    without_record.retain(|what| !needs_record(what));

    let recorded = docs::compare(root.path(), "page", page.as_bytes(), true);
    assert_eq!(recorded.ending, Ending::Equal, "{:?} {:?}", recorded.findings, recorded.problems);
    assert!(root.path().join(RECORD).exists(), "it is recorded");
    let unseen = unseen(root.path(), page, all);

    let deletions = all.iter().filter(|it| it.what.starts_with("without")).count();
    let changes = all.len() - deletions;
    println!("{name}: {deletions} deletions and {changes} changes, {} unseen", unseen.len());
    assert!(all.len() > 150, "{name}: only {}", all.len());
    assert_eq!(unseen, [""; 0], "{name}");
    assert_eq!(without_record, [""; 0], "{name}, without a record");
}

/// The evolutions of a page, which agrees with the workspace at `root`, that pass for agreement.
fn unseen(root: &Path, page: &str, evolutions: &[Evolution]) -> Vec<String> {
    let agree = |half: &[Evolution]| -> Vec<String> {
        let mut basis = Basis::load(root, false).expect("it can be read");
        let mut agrees = |page: &str| {
            let report = basis.compare("page", page.as_bytes());
            report.is_ok_and(|report| report.ending == Ending::Equal)
        };
        assert!(agrees(page), "{page}");
        let agree = half.iter().filter(|evolution| agrees(&evolution.page));
        agree.map(|evolution| evolution.what.clone()).collect()
    };
    let (first, second) = evolutions.split_at(evolutions.len() / 2);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| agree(first));
        let second = agree(second);
        [first.join().expect("no panic"), second].concat()
    })
}

/// A document with every kind of fact that a page can show.
pub(crate) fn rich() -> Spec {
    Spec::parse("rich.yaml", include_str!("../fixtures/rich.yaml").to_owned()).expect("YAML")
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

/// Evolutions of a copied text.
fn of_text(page: &str) -> Vec<Evolution> {
    let lines: Vec<&str> = page.lines().collect();
    let mut evolutions = Vec::new();
    let mut replace = |what: String, range: Range<usize>, by: Option<&str>| {
        let kept = lines[..range.start].iter().copied().chain(by);
        let kept: Vec<&str> = kept.chain(lines[range.end..].iter().copied()).collect();
        evolutions.push(Evolution { what, page: kept.join("\n") });
    };
    let row = Regex::new(
        r"(?x)^(?<name>Other\ properties|[^\ ]*?)
        (?<type>string|integer|number|boolean|object|any|one\ of)(?<list>\[\])?
        (?<first>\ ·\ [^·A-Z]+?)?(?<second>\ ·\ [^·A-Z]+?)?(?<third>\ ·\ [^·A-Z]+?)?
        (?<mark>Read-only|Write-only)?(?<label>Required|Optional)(?<late>Deprecated)?
        (?<example>Example:.*?)?(?<values>Possible\ values:.*)?$",
    );
    let row = row.expect("a regular expression");
    let tail = Regex::new("^(Example|Default|Pattern|Possible values): .*$").expect("one");
    let fact = Regex::new("^(post|/.*|[1-5]\\d\\d|[a-z]+/[a-z]+|No content|or|Bearer .*)$");
    let fact = fact.expect("a regular expression");
    let is_label = |line: &str| LABELS.contains(&line);
    let is_path = |line: &str| line.starts_with('/');
    let first = lines.iter().position(|line| *line == "post").expect("an operation");
    for (at, line) in lines.iter().enumerate().skip(first) {
        let (here, whole) = (at + 1, at..at + 1);
        // Below the path the page repeats that there is no content.
        let above = lines[..at].iter().rev().find(|line| !line.is_empty());
        let repeats = *line == "No content" && above.is_some_and(|line| is_path(line));
        let is_row = row.is_match(line);
        if !repeats && (fact.is_match(line) || is_label(line) || is_row || tail.is_match(line)) {
            replace(format!("without line {here}: {line}"), whole.clone(), None);
            let other = match *line {
                "post" => "put".to_owned(),
                "or" => "or\nor".to_owned(),
                "No content" => "application/json".to_owned(),
                "application/json" => "text/plain".to_owned(),
                status if status.len() == 3 && status.starts_with(char::is_numeric) => {
                    "201".to_owned()
                }
                scheme if scheme.starts_with("Bearer ") => scheme.replace("Bearer", "Basic"),
                label if is_label(label) => {
                    let other = LABELS.iter().position(|other| *other == label).expect("it");
                    LABELS[(other + 1) % LABELS.len()].to_owned()
                }
                other => format!("{other}x"),
            };
            replace(format!("another line {here}: {line} -> {other}"), whole.clone(), Some(&other));
        }
        if is_label(line) {
            let rest = lines[here..].iter().take_while(|line| !is_label(line) && **line != "post");
            let end = here + rest.count();
            replace(format!("without section {here}: {line}"), at..end, None);
            replace(format!("without the content of section {here}: {line}"), here..end, None);
        }
        if let Some(parts) = row.captures(line) {
            for name in row.capture_names().flatten() {
                let Some(part) = parts.name(name) else { continue };
                // The values below show it too; and nobody must send what has no name.
                if part.as_str() == " · enum" || (name == "label" && line.starts_with("Other ")) {
                    continue;
                }
                let other = match part.as_str() {
                    "Required" => "Optional".to_owned(),
                    "Optional" => "Required".to_owned(),
                    "Read-only" => "Write-only".to_owned(),
                    "Write-only" => "Read-only".to_owned(),
                    "[]" => "[][]".to_owned(),
                    "Deprecated" | "Other properties" => String::new(),
                    "string" => "integer".to_owned(),
                    _ if name == "type" => "string".to_owned(),
                    other => format!("{other}x"),
                };
                for (kind, by) in [("without", ""), ("another", &*other)] {
                    let changed = format!("{}{by}{}", &line[..part.start()], &line[part.end()..]);
                    let what = format!("{kind} {name} `{}` in line {here}: {line}", part.as_str());
                    replace(what, whole.clone(), Some(&changed));
                }
            }
            let is_below =
                |line: &&&str| !row.is_match(line) && !is_label(line) && **line != "post";
            let below = lines[here..].iter().take_while(is_below).count();
            replace(format!("without row {here}: {line}"), at..here + below, None);
        }
        if is_path(line) {
            let start = lines[..at - 1].iter().rposition(|line| *line == "post").expect("a start");
            replace(format!("without operation {line}"), start..here, None);
        }
        // A copy that ends too early.
        if lines[here..].iter().any(|line| is_path(line)) {
            replace(format!("without all from line {here}"), at..lines.len(), None);
        }
    }
    evolutions
}

#[test]
fn every_evolution_of_a_copied_text_is_seen() {
    let spec = files::read(&workspace::record(), SPEC).expect("the spec");
    let inline = Variations { inline: true, icons: true, ..Variations::default() };
    let mut pages = Vec::new();
    for (name, spec, variations) in [
        ("rich", rich().text, Variations::default()),
        ("rich, inline", rich().text, inline),
        ("contract", spec.clone(), Variations::default()),
    ] {
        let facts = Spec::parse(SPEC, spec.clone()).expect("a spec").facts;
        pages.push((name.to_owned(), spec, render::text(&facts, variations)));
    }
    pages.extend(vendors("datafy-api.txt").map(|page| ("page of record".to_owned(), spec, page)));
    let revision = |shape: &str| vendors(&format!("revision/page.{shape}"));
    if let (Some(text), Some(markdown)) = (revision("txt"), revision("md")) {
        pages.push(("revision/page.txt".to_owned(), whole(&markdown).to_string(), text));
    }
    for (name, spec, page) in pages {
        // Rows stand where they belong without a label too, and values may be hidden.
        let needs_record = |what: &str| {
            let lost = LABELS.iter().any(|label| what.ends_with(&format!(": {label}")));
            let other = [": Authorizations -> Path parameters", ": Responses -> Authorizations"];
            (lost && what.starts_with("without line"))
                || other.iter().any(|other| what.ends_with(other))
                || what.contains("Possible values:")
                // One of two answers may be folded.
                || (name.starts_with("rich") && what.ends_with(": No content"))
        };
        assert_seen(&name, &spec, &page, &of_text(&page), needs_record);
    }
}

#[test]
fn an_evolution_that_changes_nothing_is_counted_as_unseen() {
    let root = workspace::record();
    let page = render::text(&Spec::load(&root).expect("the spec").facts, Variations::default());
    let without = page.replace("It went well.", "");
    let prose = [Evolution { what: "without prose".to_owned(), page: without }];
    assert_eq!(unseen(&root, &page, &prose), ["without prose"]);
}

/// Pages are kept beside the checkout, since their sentences aren't ours.
fn vendors(file: &str) -> Option<String> {
    fs::read_to_string(files::root().join("../shared/docs").join(file)).ok()
}

/// The documents of a page of Markdown, and where they are.
fn documents(page: &str) -> impl Iterator<Item = (Range<usize>, Value)> {
    page.match_indices("{\"").filter_map(|(start, _)| {
        let line = page[start..].lines().next()?;
        let document = serde_json::from_str(line).ok()?;
        Some((start..start + line.len(), document))
    })
}

/// The documents as one.
fn whole(page: &str) -> Value {
    let mut whole = Map::new();
    for (_, document) in documents(page) {
        let Value::Object(document) = document else { continue };
        merge(&mut whole, document);
    }
    whole.into()
}

pub(crate) fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// Evolutions of the documents of a page of Markdown.
fn of_markdown(page: &str) -> Vec<Evolution> {
    let mut evolutions = Vec::new();
    for (range, document) in documents(page) {
        let (path, _) = document["paths"].as_object().expect("paths").iter().next().expect("one");
        let operation = document["paths"].to_string();
        for (name, changed) in mutants::mutants(&document) {
            let (pointer, change) = name.split_once(' ').expect("a pointer and what changes");
            // What no operation refers to states nothing.
            let is_whole = pointer.starts_with("/components/") && pointer.matches('/').count() < 4;
            let is_used =
                pointer.contains("security") || operation.contains(&format!("#{pointer}"));
            let kind = match change {
                "removed" if is_whole && !is_used => continue,
                "removed" if !follows(&document, pointer) => "without",
                "changed" => "another",
                _ => continue,
            };
            if !is_prose(pointer) {
                let what = format!("{kind} {pointer} of {path}");
                let page = format!("{}{changed}{}", &page[..range.start], &page[range.end..]);
                evolutions.push(Evolution { what, page });
            }
        }
    }
    evolutions
}

/// Whether a key is a name, and not a keyword.
fn is_name(pointer: &str) -> bool {
    let (owner, _) = pointer.rsplit_once('/').expect("a node below the root");
    let names = ["/properties", "/schemas", "/components/parameters", "/securitySchemes", "/paths"];
    names.iter().any(|names| owner.ends_with(names))
}

/// Whether the node is prose or a name that is ours, or what no page shows or each fence may lack.
fn is_prose(pointer: &str) -> bool {
    let mut above = pointer.to_owned();
    while let Some((owner, key)) = above.rsplit_once('/') {
        let prose = ["description", "summary", "operationId", "tags", "info", "openapi", "servers"];
        let ours = key == "bearerFormat" || key.starts_with("x-");
        if !is_name(&above) && (prose.contains(&key) || ours) {
            return true;
        }
        above = owner.to_owned();
    }
    false
}

/// Whether what the node states also follows from what is beside it, or is the default.
fn follows(document: &Value, pointer: &str) -> bool {
    let (owner, key) = pointer.rsplit_once('/').expect("a node below the root");
    let (owner, value) = (document.pointer(owner), document.pointer(pointer).expect("it"));
    let beside = |key: &str| owner.is_some_and(|owner| owner.get(key).is_some());
    !is_name(pointer)
        && ((key == "required" && *value == Value::Bool(false))
            || (key == "style" && *value == "form")
            || (key == "type" && ["properties", "items", "enum"].into_iter().any(beside)))
}

#[test]
fn every_evolution_of_the_markdown_is_seen() {
    let spec = Spec::load(&workspace::record()).expect("the spec");
    let rendered = |document: &Value| render::markdown(document, Variations::default());
    let mut pages = vec![
        ("contract".to_owned(), rendered(spec.value())),
        ("rich".to_owned(), rendered(rich().value())),
    ];
    for file in ["next/page.md", "revision/page.md"] {
        pages.extend(vendors(file).map(|page| (file.to_owned(), page)));
    }
    for (name, page) in pages {
        // Another document may state an example, and `true` is the default.
        let needs_record = |what: &str| {
            let pointer = what.strip_prefix("without ").and_then(|what| what.split(' ').next());
            let node = pointer.and_then(|pointer| pointer.rsplit('/').next());
            node.is_some_and(|node| ["example", "additionalProperties"].contains(&node))
        };
        // JSON is YAML.
        let spec = whole(&page).to_string();
        assert_seen(&name, &spec, &page, &of_markdown(&page), needs_record);
    }
}
