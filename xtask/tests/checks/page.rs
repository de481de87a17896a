//! Reading the two shapes of a page.

use crate::evolutions::rich;
use crate::render::{self, Variations};
use proptest::prelude::*;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use xtask::docs::findings::words;
use xtask::document::{
    Difference, Fact, Facts, NOT_COMPARED, Pointer, What, document as document_of, flatten, plain,
};
use xtask::page::silence::SILENT;
use xtask::page::{NotAPage, Page, Shape};

/// Rows of a copied text, and what they state.
const ROWS: &str = include_str!("../fixtures/rows.txt");
/// Copied texts, and what is expected of them.
const PAGES: &str = include_str!("../fixtures/pages.txt");
/// Schemas and members of an operation that mean the same, and what differs from them.
const SAME: &str = include_str!("../fixtures/same.yaml");

pub(crate) fn facts(document: &Value) -> Facts {
    let (facts, unreadable) = flatten(document, &|_| None);
    assert_eq!(unreadable, []);
    facts
}

fn read(text: &str) -> Page {
    Page::read(text.as_bytes(), &Facts::default()).expect("a page")
}

/// What a page states, such as `body.size: minimum=1`, and its places.
fn stated(page: &Page) -> BTreeSet<String> {
    let facts = page.facts.map.iter().flat_map(|(place, fact)| {
        let value = fact.value.as_ref().map(|value| format!("={}", plain(value)));
        let value = value.unwrap_or_default();
        [format!("{}{value}", place.within_operation()), format!("{place}{value}")]
    });
    facts.collect()
}

/// Asserts that a page was read whole, and states all of this.
fn assert_states<'e>(text: &str, expected: impl IntoIterator<Item = &'e str>) {
    let page = read(text);
    assert_eq!(page.unreadable, [], "{text}");
    let stated = stated(&page);
    for fact in expected {
        let (is_stated, fact) =
            fact.strip_prefix("not ").map_or((true, fact), |fact| (false, fact));
        assert!(stated.contains(fact) == is_stated, "{fact}: {stated:#?}\n{text}");
    }
}

/// Differences of a page from a spec.
fn differences(spec: &Facts, text: &str) -> Vec<Difference> {
    let mut page = Page::read(text.as_bytes(), spec).expect("a page");
    assert_eq!(page.unreadable, [], "{text}");
    let comparison = page.compare(spec);
    assert_eq!(comparison.counts.operations, spec.operations().count(), "{text}");
    comparison.differences
}

/// A copied text with one operation, of which this is shown.
fn page_with(part: &str, lines: &str) -> String {
    let lines = match part {
        "body" => format!("Body\n{lines}\nResponses\n200\nNo content\n"),
        "answer" => format!("Responses\n200\napplication/json\n{lines}\n"),
        _ => lines.to_owned(),
    };
    format!("Title\n\npost\n\nWords\n\n{lines}\npost\n/a/{{id}}/b\n")
}

fn content(schema: &Value) -> Value {
    json!({ "content": { "application/json": { "schema": schema } } })
}

/// The document of one operation, with the schemas of its `body` and its `answer` among its members.
fn operation(members: &Value) -> Value {
    let mut operation = json!({ "security": [], "responses": { "200": {} } });
    let (mut path, mut item) = ("/a/{id}/b", json!({}));
    for (key, value) in members.as_object().expect("members") {
        match key.as_str() {
            "path" => path = value.as_str().expect("a path"),
            "of_path" => item = value.clone(),
            "body" => operation["requestBody"] = content(value),
            "answer" => operation["responses"]["200"] = content(value),
            _ => operation[key] = value.clone(),
        }
    }
    item["post"] = operation;
    json!({
        "components": { "securitySchemes": { "own": { "type": "http", "scheme": "bearer" } } },
        "paths": { path: item },
    })
}

#[test]
fn a_row_is_read_in_each_of_its_forms() {
    let facts = Regex::new(r" (\w+=)").expect("a regular expression");
    for line in ROWS.lines().skip(1) {
        let [row, name, expected] =
            line.split(" => ").collect::<Vec<_>>().try_into().expect("three");
        let expected = facts.replace_all(expected, "\n$1");
        let expected: Vec<String> =
            expected.lines().map(|fact| format!("body.{name}: {fact}")).collect();
        assert_states(&page_with("body", row), expected.iter().map(String::as_str));
    }
}

/// The Markdown of a case of the fixture.
fn markdown(lines: &str) -> String {
    let lines = lines.lines().map(|line| match line.strip_prefix("FENCE") {
        None => line.replace("JSON", FENCE),
        Some(changes) => {
            let changes = changes.split("; ").filter_map(|change| change.trim().split_once(" => "));
            fenced(&changes.fold(FENCE.to_owned(), |text, (from, to)| text.replace(from, to)))
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_page_is_read_whatever_its_form_and_nothing_is_removed_from_one_that_is_damaged() {
    let cases: Vec<&str> = PAGES.trim().split("\n\n").skip(1).collect();
    assert!(cases.len() > 70, "{}", cases.len());
    for case in cases {
        let (head, lines) = case.split_once('\n').expect(case);
        let (part, what) = head.split_once(": ").expect(head);
        let (lines, expected) =
            lines.split_once("=>\n").unwrap_or((lines.trim_end_matches("=>"), ""));
        let (spec, lines) = match lines.strip_prefix("spec: ") {
            Some(rest) => {
                rest.split_once('\n').map(|(spec, lines)| (Some(spec), lines)).expect(head)
            }
            None => (None, lines),
        };
        let text = match part {
            "whole" => lines.to_owned(),
            "markdown" => markdown(lines),
            part => page_with(part, lines),
        };
        let expected: Vec<&str> = expected.lines().collect();
        let spec = spec.map(|spec| facts(&operation(&serde_saphyr::from_str(spec).expect("YAML"))));
        let known = match part {
            "markdown" => facts(&serde_json::from_str(FENCE).expect("JSON")),
            _ => spec.clone().unwrap_or_default(),
        };
        let mut page = Page::read(text.as_bytes(), &known).expect("a page");
        let (expected_problems, expected): (Vec<&str>, Vec<&str>) =
            expected.iter().partition(|line| line.starts_with("! "));
        let problems = &page.unreadable;
        assert_eq!(problems.is_empty(), expected_problems.is_empty(), "{what}: {problems:?}");
        let text_at = |line: Option<u64>| {
            let line = usize::try_from(line.expect("a line")).expect("a number");
            text.lines().nth(line - 1).expect("the line")
        };
        for (problem, expected) in problems.iter().zip(expected_problems) {
            let found = format!("{}: {}", text_at(problem.line), problem.what);
            assert!(found.contains(&expected[2..]), "{what}: {found}");
        }
        // Each fact has the line on which its document, or its block, begins.
        let mut lines = page.facts.map.values().map(|fact| text_at(fact.line));
        assert!(part != "markdown" || lines.all(|line| line.starts_with('{')), "{what}");
        if problems.is_empty() && spec.is_none() {
            assert_states(&text, expected);
            continue;
        }
        let found = page.compare(&known).differences;
        let is_damaged = !page.unreadable.is_empty();
        assert!(!is_damaged || found.iter().all(|it| it.what != What::Removed), "{what}");
        if spec.is_some() || part == "markdown" {
            let found = found.iter().map(|it| words(&page.facts, it).0.trim().to_owned());
            assert_eq!(found.collect::<Vec<_>>(), expected, "{what}");
        }
    }
}

/// A page of Markdown with this fence.
fn fenced(fence: &str) -> String {
    format!("# API\n\n## Title\n\n> Words\n\n```json\n{fence}\n```\n")
}

const FENCE: &str = r##"{"paths":{"/a":{"get":{"parameters":[{"$ref":"#/components/parameters/P"}],"responses":{"200":{"description":"x"}}}}},"components":{"parameters":{"P":{"name":"p","in":"query","schema":{"$ref":"#/components/schemas/S","nullable":true}}},"schemas":{"S":{"type":"string"}}}}"##;

#[test]
fn what_means_the_same_agrees_and_what_nobody_has_thought_of_is_compared() {
    let cases: Vec<Value> = serde_saphyr::from_str(SAME).expect("YAML");
    for case in &cases {
        let spec = facts(&operation(&case["spec"]));
        for (key, expected) in [("same", 0), ("differ", 1)] {
            for page in case[key].as_array().into_iter().flatten() {
                let text = fenced(&operation(page).to_string());
                assert_eq!(differences(&spec, &text).len(), expected, "{page}");
            }
        }
    }
}

#[test]
fn hostile_pages_end() {
    let array = r##"{"paths":{"/a":{"get":{"parameters":[{"name":"p","in":"query","schema":{"$ref":"#/components/schemas/S"}}],"responses":{}}}},"components":{"schemas":{"S":{"type":"array","items":{"$ref":"#/components/schemas/S"}}}}}"##;
    let place = Pointer::operation("get", "/a").then(&["parameters", "query p", "schema", "items"]);
    assert!(
        read(&fenced(array)).facts.get(&place).expect("it").folded,
        "a schema that contains itself"
    );
    let schemas: Map<String, Value> = (0..1_000)
        .map(|number| {
            let next = json!({ "$ref": format!("#/components/schemas/S{}", number + 1) });
            let both = json!({ "type": "object", "properties": { "a": next, "b": next } });
            (format!("S{number}"), both)
        })
        .collect();
    let doubling = array.replace("schemas/S\"}", "schemas/S0\"}").replace(
        "{\"S\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/S0\"}}}",
        &Value::Object(schemas).to_string(),
    );
    let doubled = read(&fenced(&doubling));
    let problem = "more schemas within schemas than can be followed";
    assert!(doubled.unreadable.iter().any(|it| it.what.contains(problem)));
    assert!(doubled.facts.map.len() < 30_000, "{}", doubled.facts.map.len());
    for page in [
        fenced(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))),
        page_with("body", &"200\n".repeat(20_000)),
        page_with("body", &format!("sone ofRequired\n{}", "aanyOptional\n".repeat(20_000))),
        page_with("body", &"oobjectOptional\n".repeat(20_000)),
        page_with("page", &"astringRequiredExample:".repeat(20_000)),
    ] {
        let _ = Page::read(page.as_bytes(), &Facts::default());
    }
}

#[test]
fn the_document_of_a_page_has_its_facts() {
    let text = page_with(
        "page",
        "Authorizations\nAuthorizationstringOptional\nBearer\nX-KeystringRequired\nPath parameters\nidstringRequired\n\
         Query parameters\nqstring[] · enumOptionalDeprecated\nPossible values: ab\n\
         Body\nsourceone ofRequired\nor\nownerobjectOptional\nOther propertiesinteger · min: 1Optional\n\
         Responses\n200\napplication/json\nResponseobject[]\n404\n",
    );
    let rich = render::markdown(rich().value(), Variations::default());
    for page in [read(&text), read(&fenced(FENCE)), read(&rich)] {
        let plain = |facts: &Facts| {
            let facts = facts.map.iter();
            let facts = facts.map(|(place, fact)| {
                let Fact { value, folded, unlabelled, recorded, .. } = fact;
                format!("{place:?} {value:?} {folded} {unlabelled} {recorded:?}")
            });
            facts.collect::<BTreeSet<String>>()
        };
        let (written, shown) = (plain(&facts(&document_of(&page.facts))), plain(&page.facts));
        assert_eq!(written.symmetric_difference(&shown).collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn an_input_that_is_not_a_page_is_refused_with_the_reason() {
    let html = "<!DOCTYPE html>\n<html><body>post</body></html>";
    let german =
        "Titel\n\npost\n\nPfadparameter\nidstringErforderlich\nAntworten\n200\npost\n/a/{id}\n";
    let large = "prose\n".repeat(2_000_000);
    let inputs: &[(&[u8], NotAPage)] = &[
        (b"", NotAPage::Empty),
        (b" \r\n\t", NotAPage::Empty),
        ("\u{feff}".as_bytes(), NotAPage::Empty),
        (b"\xff\xfe\x00p", NotAPage::NotText { line: 1 }),
        (b"\x89PNG\r\n\x1a\n", NotAPage::NotText { line: 1 }),
        (b"# Page Not Found\n\nThe URL does not exist.", NotAPage::NotFound),
        (html.as_bytes(), NotAPage::Html),
        (german.as_bytes(), NotAPage::Language),
        (b"# A page\n\nProse.\n\n```json\n{\"a\":1}\n```\n", NotAPage::NoOperation),
        (b"```json\n{\"components\":{}}\n```\n", NotAPage::NoOperation),
        (large.as_bytes(), NotAPage::NoOperation),
    ];
    for (bytes, why) in inputs {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(30)]).into_owned();
        assert_eq!(Page::read(bytes, &Facts::default()).map(|_| ()), Err(*why), "{start}");
    }
}

#[test]
fn the_readme_lists_what_is_not_compared_and_what_a_page_can_not_show() {
    let readme = include_str!("../../README.md");
    for (keyword, why) in NOT_COMPARED {
        assert!(readme.contains(&format!("| `{keyword}` | {why} |\n")), "{keyword}");
    }
    for (what, shapes, _) in SILENT {
        let shown = |shape| if shapes.contains(&shape) { "silent" } else { "shown" };
        let row = format!("| {what} | {} | {} |\n", shown(Shape::Text), shown(Shape::Markdown));
        assert!(readme.contains(&row), "{row}");
    }
}

/// Names, some of which end like a type or begin like an icon.
fn name() -> impl Strategy<Value = String> {
    let names = "platform substring company isRequired isOptional lockId plusOne typeobject oneofany Deprecated Example per_page";
    let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
    prop_oneof!["[a-z][a-zA-Z0-9_]{0,9}", proptest::sample::select(names)]
}

fn scalar() -> impl Strategy<Value = Value> {
    let all: Vec<Value> =
        serde_saphyr::from_str(include_str!("../fixtures/scalars.yaml")).expect("YAML");
    (proptest::sample::select(all), any::<[bool; 3]>()).prop_map(|(mut schema, flags)| {
        for (word, _) in
            ["readOnly", "nullable", "deprecated"].into_iter().zip(flags).filter(|it| it.1)
        {
            schema[word] = true.into();
        }
        schema
    })
}

fn schema() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
            object_of(inner.clone()),
            proptest::collection::vec(object_of(inner), 2..4)
                .prop_map(|all| json!({ "oneOf": all })),
        ]
    })
}

fn object_of(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    proptest::collection::btree_map(name(), (inner, any::<bool>()), 1..5).prop_map(|all| {
        let required: Vec<&String> =
            all.iter().filter(|(_, (_, required))| *required).map(|(name, _)| name).collect();
        let properties = all.iter().map(|(name, (schema, _))| (name.clone(), schema.clone()));
        let properties: Map<String, Value> = properties.collect();
        json!({ "type": "object", "required": required, "properties": properties })
    })
}

/// A document with some operations.
fn document() -> impl Strategy<Value = Value> {
    let parameters =
        proptest::collection::btree_map(name(), (scalar(), any::<bool>(), any::<bool>()), 0..4);
    let part = || proptest::option::of(object_of(schema()));
    let operation = (part(), part(), parameters).prop_map(|(body, answer, parameters)| {
        let others = parameters.into_iter().filter(|(name, _)| name != "id").map(
            |(name, (schema, required, header))| {
                let within = if header { "header" } else { "query" };
                json!({ "name": name, "in": within, "required": required, "schema": schema })
            },
        );
        let id =
            json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
        let parameters: Vec<Value> = [id].into_iter().chain(others).collect();
        let answer = answer.map_or_else(|| json!({}), |schema| content(&schema));
        let mut operation = json!({ "parameters": parameters, "responses": { "200": answer } });
        if let Some(body) = body {
            operation["requestBody"] = content(&body);
            operation["requestBody"]["required"] = true.into();
        }
        operation
    });
    proptest::collection::vec(operation, 1..4).prop_map(|operations| {
        let paths = operations.into_iter().enumerate().map(|(index, operation)| {
            let method = ["post", "get", "put"][index % 3];
            (format!("/v1/things{index}/{{id}}"), json!({ method: operation }))
        });
        json!({
            "openapi": "3.0.0",
            "security": [{ "own": [] }],
            "components": { "securitySchemes": { "own": { "type": "http", "scheme": "bearer" } } },
            "paths": paths.collect::<Map<_, _>>(),
        })
    })
}

fn variations() -> impl Strategy<Value = Variations> {
    any::<[bool; 6]>().prop_map(|[icons, old, joined, inline, crlf, byte_order_mark]| Variations {
        icons,
        old,
        joined,
        inline,
        crlf,
        byte_order_mark,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_page_of_the_spec_agrees_in_either_shape(
        document in document(),
        variations in variations(),
    ) {
        let spec = facts(&document);
        let markdown = render::markdown(&document, variations);
        prop_assert_eq!(differences(&spec, &markdown), []);
        let text = render::text(&spec, variations);
        prop_assert_eq!(differences(&spec, &text), [], "{}", text);
    }

    #[test]
    fn no_input_makes_the_readers_panic(
        document in document(),
        variations in variations(),
        cuts in proptest::collection::vec((0..2_000_usize, 0..60_usize, "\\PC{0,6}"), 0..6),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let spec = facts(&document);
        for page in [render::text(&spec, variations), render::markdown(&document, variations)] {
            let mut characters: Vec<char> = page.chars().collect();
            for (at, length, put) in &cuts {
                let at = at % characters.len().max(1);
                let end = (at + length).min(characters.len());
                characters.splice(at..end, put.chars());
            }
            let cut: String = characters.into_iter().collect();
            if let Ok(mut page) = Page::read(cut.as_bytes(), &spec) {
                let _ = page.compare(&spec);
            }
        }
        let _ = Page::read(&noise, &spec);
    }
}
