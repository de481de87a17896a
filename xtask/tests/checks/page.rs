//! Reading the two shapes of a page.

use crate::render::{self, Variations};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use xtask::contract::{Aspect, Difference, Facts, Place, Step, Within, compare, openapi};
use xtask::page::{NotAPage, Page, Shape};

fn facts(document: &Value) -> Facts {
    let mut facts = Facts::default();
    let unreadable = openapi::read(document, &|_| None, &mut facts);
    assert_eq!(unreadable, []);
    facts
}

fn read(text: &str) -> Page {
    Page::read(text.as_bytes(), &Facts::default()).expect("a page")
}

/// Differences of a page from a spec.
fn differences(spec: &Facts, text: &str) -> Vec<Difference> {
    let mut page = Page::read(text.as_bytes(), spec).expect("a page");
    assert_eq!(page.unreadable, [], "{text}");
    let comparison = compare(spec, &mut page);
    assert_eq!(comparison.operations, spec.operations().count(), "{text}");
    comparison.differences
}

/// A page of text with one operation and these lines in it.
fn page_with(lines: &str) -> String {
    format!("Title\n\npost\n\nWords\n\n{lines}\npost\n/a/{{id}}/b\n")
}

fn operation() -> Place {
    Place::operation("post", "/a/{id}/b")
}

fn stated(page: &Page, place: &Place, aspect: Aspect) -> Option<Value> {
    page.facts.value(place, aspect).cloned()
}

#[test]
fn a_row_is_read_in_each_of_its_forms() {
    use Aspect as A;
    #[expect(clippy::type_complexity, reason = "a table")]
    let rows: &[(&str, &str, &[(Aspect, Value)])] = &[
        (
            "volumeIdstringRequiredExample: vol-1",
            "volumeId",
            &[(A::Type, json!("string")), (A::Required, json!(true)), (A::Example, json!("vol-1"))],
        ),
        (
            "startTimestring · date-timeOptional",
            "startTime",
            &[
                (A::Type, json!("string")),
                (A::Format, json!("date-time")),
                (A::Required, json!(false)),
            ],
        ),
        (
            "useSourcebooleanRead-onlyOptional",
            "useSource",
            &[(A::Type, json!("boolean")), (A::ReadOnly, json!(true))],
        ),
        ("secretstringWrite-onlyRequired", "secret", &[(A::WriteOnly, json!(true))]),
        (
            "oldintegerOptionalDeprecated",
            "old",
            &[(A::Type, json!("integer")), (A::Deprecated, json!(true))],
        ),
        (
            "sizenumber · min: 1 · max: 20Optional",
            "size",
            &[(A::Minimum, json!("1")), (A::Maximum, json!("20"))],
        ),
        (
            "statestring · enum · nullableOptional",
            "state",
            &[(A::Enum, Value::Null), (A::Nullable, json!(true))],
        ),
        (
            "statestring | nullablerequired",
            "state",
            &[(A::Nullable, json!(true)), (A::Required, json!(true))],
        ),
        (
            "statestring · enumOptionalExample: onPossible values: onoff",
            "state",
            &[(A::Example, json!("on")), (A::Enum, json!("onoff"))],
        ),
        ("tagsstring[]Optional", "tags", &[(A::Type, json!("string[]"))]),
        ("rowsobject[][]Required", "rows", &[(A::Type, json!("object[][]"))]),
        ("per\\_pagestring\\[]Optional", "per_page", &[(A::Type, json!("string[]"))]),
        (
            "ownerobject · PersonRequired",
            "owner",
            &[(A::Type, json!("object")), (A::Required, json!(true))],
        ),
        ("sourceone ofRequired", "source", &[(A::Type, json!("one of"))]),
        ("sourceany of[]Optional", "source", &[(A::Type, json!("any of[]"))]),
        ("mixall ofOptional", "mix", &[(A::Type, json!("all of"))]),
        ("kindconst: volumeRequired", "kind", &[(A::Type, json!("const: volume"))]),
        ("valueanyOptional", "value", &[(A::Type, json!("any"))]),
        ("isRequiredbooleanOptional", "isRequired", &[(A::Required, json!(false))]),
        ("lockedUntilstringOptional", "lockedUntil", &[]),
        ("X-Some-HeaderstringOptional", "X-Some-Header", &[]),
    ];
    for (row, name, expected) in rows {
        let page = read(&page_with(&format!("Body\n{row}\nResponses\n200\n")));
        assert_eq!(page.unreadable, [], "{row}");
        let place = operation().then(Step::Body).property(name);
        assert!(page.facts.get(&place).is_some(), "{row}: {:?}", page.facts);
        for (aspect, value) in *expected {
            assert_eq!(stated(&page, &place, *aspect).as_ref(), Some(value), "{row}: {aspect}");
        }
    }
}

#[test]
fn a_name_that_ends_like_a_type_is_split_after_a_name_in_the_spec() {
    let spec = |name: &str, kind: &str| {
        let mut properties = Map::new();
        properties.insert(name.to_owned(), json!({ "type": kind }));
        facts(&json!({ "paths": { "/a/{id}/b": { "post": {
            "requestBody": { "content": { "application/json": { "schema": {
                "type": "object", "properties": properties,
            } } } },
            "responses": { "200": { "description": "x" } },
        } } } }))
    };
    let text = page_with("Body\nplatformstringOptional\nResponses\n200\nNo content");
    assert_eq!(differences(&spec("platform", "string"), &text), []);
    let text = page_with("Body\nlockedbooleanOptional\nResponses\n200\nNo content");
    assert_eq!(differences(&spec("locked", "boolean"), &text), []);
    let text = page_with("Body\nbillofstringstringOptional\nResponses\n200\nNo content");
    assert_eq!(differences(&spec("billofstring", "string"), &text), []);
}

#[test]
fn the_lines_below_a_row_belong_to_it() {
    let page = read(&page_with(
        "Body\ncountintegerOptional\n\nHow many\n\nExample: 3\n\nDefault: 1\n\nPattern: ^\\d+$\n\
         statestring · enumOptional\n\nPossible values: `on``off`\nResponses\n200\n",
    ));
    let body = operation().then(Step::Body);
    let count = body.property("count");
    assert_eq!(stated(&page, &count, Aspect::Example), Some(json!("3")));
    assert_eq!(stated(&page, &count, Aspect::Default), Some(json!("1")));
    assert_eq!(stated(&page, &count, Aspect::Pattern), Some(json!("^\\d+$")));
    assert_eq!(stated(&page, &body.property("state"), Aspect::Enum), Some(json!("`on``off`")));
}

#[test]
fn a_value_ends_where_the_next_fact_is_joined_with_it() {
    let page = read(&page_with(
        "Query parameters\norderstringOptional\n\nDefault: ascPossible values:\n\nascdesc\n\
         statestring · enumOptionalExample: OriginatedPossible values:\n\
         codestringOptional\nExample: `a b`Pattern: `^a`\nResponses\n200\nNo content\n",
    ));
    assert_eq!(page.unreadable, []);
    let query = |name: &str| {
        operation().then(Step::Parameter { within: Within::Query, name: name.to_owned() })
    };
    for (name, aspect, value) in [
        ("order", Aspect::Default, json!("asc")),
        ("order", Aspect::Enum, Value::Null),
        ("state", Aspect::Example, json!("Originated")),
        ("state", Aspect::Enum, Value::Null),
        ("code", Aspect::Example, json!("a b")),
        ("code", Aspect::Pattern, json!("^a")),
    ] {
        assert_eq!(stated(&page, &query(name), aspect), Some(value), "{name}: {aspect}");
    }
}

#[test]
fn a_stray_space_does_not_make_prose_of_a_row() {
    let spec = facts(&json!({ "paths": { "/a/{id}/b": { "post": {
        "requestBody": { "content": { "application/json": { "schema": {
            "type": "object", "properties": {
                "size": { "type": "integer", "example": 1 }, "note": { "type": "string", "example": "x" },
            },
        } } } },
        "responses": { "200": { "description": "x" } },
    } } } }));
    for row in [
        "note stringOptional",
        "notestring Optional",
        "note string Optional",
        "note string optional",
    ] {
        let rows = format!("sizeintegerOptional\n\nExample: 1\n{row}\n\nExample: x\n");
        let text = page_with(&format!("Body\n{rows}Responses\n200\nNo content"));
        assert_eq!(differences(&spec, &text), [], "{row}");
    }
    let rows = "sizeintegerOptional\n\nExample: 1\nSome string required\n\nExample: x\n";
    let page = read(&page_with(&format!("Body\n{rows}Responses\n200\n")));
    assert!(page.unreadable[0].problem.contains("stated twice"), "{:?}", page.unreadable);
    let page = page_with("Body\nsizeintegerOptional\nnote mapOptional\nResponses\n200\n");
    let page = Page::read(page.as_bytes(), &spec).expect("a page");
    assert!(page.unreadable[0].problem.contains("`note mapOptional`"), "{:?}", page.unreadable);
}

#[test]
fn the_label_of_a_section_wins_over_what_the_spec_expects() {
    let spec = facts(&json!({ "paths": { "/a/{id}/b": { "post": {
        "requestBody": { "content": { "application/json": { "schema": {
            "type": "object", "properties": { "size": { "type": "integer" } },
        } } } },
        "responses": { "200": { "description": "x" } },
    } } } }));
    let text = page_with("Query parameters\nsizeintegerOptional\nResponses\n200\nNo content");
    let query = Step::Parameter { within: Within::Query, name: "size".to_owned() };
    let body = operation().then(Step::Body);
    let expected =
        [Difference::Removed { place: body }, Difference::Added { place: operation().then(query) }];
    assert_eq!(differences(&spec, &text), expected);
}

#[test]
fn a_body_shows_its_properties_and_folds_those_of_its_alternatives() {
    let spec = |schema: Value| {
        facts(&json!({ "paths": { "/a/{id}/b": { "post": {
            "requestBody": { "content": { "application/json": { "schema": schema } } },
            "responses": { "200": { "description": "x" } },
        } } } }))
    };
    let object = json!({ "type": "object", "properties": { "size": { "type": "integer" } } });
    let size = operation().then(Step::Body).property("size");
    let text = page_with("Body\nResponses\n200\nNo content");
    let gone = differences(&spec(object.clone()), &text);
    assert!(gone.contains(&Difference::Removed { place: size }), "{gone:?}");
    let text = page_with("Body\none ofRequired\n\nor\nResponses\n200\nNo content");
    assert_eq!(differences(&spec(json!({ "oneOf": [object, { "type": "string" }] })), &text), []);
}

#[test]
fn a_path_may_stand_only_in_a_sample_of_the_request() {
    let rows = "Query parameters\nqstringOptional\nResponses\n200\nNo content\n";
    let spec = facts(&json!({ "paths": { "/b/{id}": { "get": { "responses": {} } } } }));
    let http = "get\nGET /v1/b/{id}?q=text HTTP/1.1\nHost: api.example\nAccept: */*\n{\n  \"q\": \"text\"\n}\n";
    let joined = "get\n/b/{id}GET /v1/b/{id} HTTP/1.1\nHost: api.example\n";
    let curl = "curl -L \\\n  --request GET \\\n  --url 'https://api.example/v1/b/{id}?q=text' \\\n  --header 'Accept: */*'\n";
    let one_line = "curl https://api.example/v1/b/{id}\n";
    for page in [
        format!("T\nget\n{rows}{http}T\nget\n{rows}{}", http.replace("/b/", "/c/")),
        format!("T\n{rows}{http}T\n{rows}{}", http.replace("/b/", "/c/")),
        format!("T\n{rows}{joined}T\n{rows}{}", joined.replace("/b/", "/c/")),
        format!("T\nget\n{rows}{curl}T\nget\n{rows}{}", curl.replace("/b/", "/c/")),
        format!("T\nget\n{rows}{one_line}T\nget\n{rows}{}", one_line.replace("/b/", "/c/")),
    ] {
        let read = Page::read(page.as_bytes(), &spec).expect("a page");
        assert_eq!(read.unreadable, [], "{page}");
        let operations: Vec<String> = read.facts.operations().map(ToString::to_string).collect();
        // The server's part of the path is known only for a path of the spec.
        let other = if page.contains(joined) { "GET /c/{id}" } else { "GET /v1/c/{id}" };
        assert_eq!(operations, ["GET /b/{id}", other], "{page}");
        let query = Step::Parameter { within: Within::Query, name: "q".to_owned() };
        let query = Place::operation("get", "/b/{id}").then(query);
        assert_eq!(stated(&read, &query, Aspect::Type), Some(json!("string")), "{page}");
    }
    // An older page without labels is not one in another language.
    let unlabelled = "get\nhttps://api.example/v1 /b/ {id}\nid string required\nq string\n\
        curl -L \\\n--url 'https://api.example/v1/b/{id}'\n";
    let page = Page::read(unlabelled.as_bytes(), &spec).expect("a page");
    assert!(page.facts.get(&Place::operation("get", "/b/{id}")).is_some());
    assert!(page.unreadable[0].problem.contains("no section below it"), "{:?}", page.unreadable);
    let page = format!("T\npost\n{rows}post\n/a\nPOST /a HTTP/1.1\nT\nget\n{rows}get\n/b/{{id}}\n");
    assert_eq!(Page::read(page.as_bytes(), &spec).expect("a page").facts.operations().count(), 2);
}

#[test]
fn names_of_icons_are_not_part_of_the_text_after_them() {
    let page = read(
        "brackets-curlyAPI\nTitle\n\npost\n\nlockAuthorizations\nAuthorizationstringRequired\nBearer <token>\n\
         hashtagPath parameters\nlockidstringRequired\nplus\nBodyapplication/json\ncircle-info\n\
         astringOptional\nchevron-downResponses\nchevron-right200\nNo content\nchevron-right\n404\npost\n/a/{id}/b\n",
    );
    let operation = operation();
    assert_eq!(stated(&page, &operation, Aspect::Security), Some(json!("bearer")));
    let id = Step::Parameter { within: Within::Path, name: "lockid".to_owned() };
    assert!(page.facts.get(&operation.then(id)).is_some(), "{:?}", page.facts);
    let body = operation.then(Step::Body);
    assert_eq!(stated(&page, &body, Aspect::Content), Some(json!(["application/json"])));
    assert!(page.facts.get(&body.property("a")).is_some());
    let answer = |status: &str| operation.then(Step::Answer(status.to_owned()));
    assert_eq!(stated(&page, &answer("200"), Aspect::Content), Some(json!([])));
    assert_eq!(stated(&page, &answer("404"), Aspect::Content), None, "it is folded");
}

#[test]
fn a_row_without_the_label_of_its_section_is_placed_by_path_and_spec() {
    let spec = facts(&json!({ "security": [{ "own": [] }], "components": {
        "securitySchemes": { "own": { "type": "http", "scheme": "bearer" } },
    }, "paths": { "/a/{id}/b": { "post": {
        "parameters": [
            { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } },
            { "name": "X-Sub", "in": "header", "schema": { "type": "string" } },
        ],
        "requestBody": { "content": { "application/json": { "schema": {
            "type": "object", "properties": { "size": { "type": "integer" } },
        } } } },
        "responses": { "200": { "description": "x" } },
    } } } }));
    let rows = "idstringRequired\nX-SubstringOptional\nsizeintegerOptional\n";
    for (before, after) in [("", ""), ("Authorizations\n", ""), ("", "Path parameters\n")] {
        let scheme = "AuthorizationstringRequired\nBearer\n";
        let rows = format!("{before}{scheme}{after}{rows}");
        let text = page_with(&format!("{rows}Responses\n200\nNo content"));
        assert_eq!(differences(&spec, &text), [], "{text}");
    }
    let text = page_with(&format!("{rows}unknownstringOptional\nResponses\n200\nNo content"));
    let page = Page::read(text.replace(rows, "").as_bytes(), &spec).expect("a page");
    assert!(page.unreadable[0].problem.contains("`unknown` is in no section"));
}

#[test]
fn alternatives_are_counted_and_read_if_they_are_not_folded() {
    let body = operation().then(Step::Body);
    let source = body.property("source");
    let page = read(&page_with(
        "Body\nsourceone ofRequired\n\nWords\n\nor\n\nor\nnamestringOptional\nResponses\n200\n",
    ));
    assert_eq!(stated(&page, &source, Aspect::Alternatives), Some(json!(3)));
    assert!(page.facts.get(&body.property("name")).is_some(), "the alternatives are folded");

    let page = read(&page_with(
        "Body\nsourceone ofRequired\naidstringRequired\nor\nbidstringRequired\nResponses\n200\n",
    ));
    for (number, name) in [(1, "aid"), (2, "bid")] {
        let place = source.then(Step::Alternative(number)).property(name);
        assert_eq!(stated(&page, &place, Aspect::Required), Some(json!(true)), "{name}");
    }
    let page = read(&page_with(
        "Body\none ofRequired\naidstringRequired\nor\nbidstringRequired\nResponses\n200\n",
    ));
    assert!(page.facts.get(&body.then(Step::Alternative(2)).property("bid")).is_some());
}

#[test]
fn a_body_may_be_a_list_and_properties_may_have_no_name() {
    let page = read(&page_with(
        "Body[]\naidstringRequired\nOther propertiesstringOptional\nResponses\n200\napplication/json\nstring[]Optional\n",
    ));
    let body = operation().then(Step::Body);
    assert_eq!(stated(&page, &body, Aspect::Type), Some(json!("object[]")));
    let items = body.then(Step::Items);
    assert!(page.facts.get(&items.property("aid")).is_some());
    assert_eq!(stated(&page, &items.then(Step::Values), Aspect::Type), Some(json!("string")));
    let answer = operation().then(Step::Answer("200".to_owned()));
    assert_eq!(stated(&page, &answer, Aspect::Type), Some(json!("string[]")));
}

#[test]
fn method_and_path_may_be_joined_and_stand_first_or_last() {
    let body = "Body\nastringOptional\nResponses\n200\nNo content\n";
    for page in [
        format!("T\npost\n{body}post\n/a\nT\nget\nResponses\n200\nget\n/b\n"),
        format!("T\npost/a\n{body}T\nget/b\nResponses\n200\n"),
        format!("T\nPOST /a\n{body}post\n/a\nT\nGET /b\nResponses\n200\nget\n/b\n"),
    ] {
        let page = read(&page);
        let operations: Vec<String> = page.facts.operations().map(ToString::to_string).collect();
        assert_eq!(operations, ["POST /a", "GET /b"]);
        let a = Place::operation("post", "/a").then(Step::Body).property("a");
        assert!(page.facts.get(&a).is_some());
        assert_eq!(page.unreadable, []);
    }
}

#[test]
fn an_unreadable_line_is_reported() {
    for (lines, line, problem) in [
        ("Body\nfoomapOptional\nResponses\n200\n", 8, "`foomapOptional` looks like a row"),
        ("strayobjectOptional\nBody\nResponses\n200\n", 7, "`stray` is in no section"),
        ("nothing at all", 9, "there is no section below it"),
    ] {
        let text = format!("{}\nget\nResponses\nget\n/b\n", page_with(lines));
        let page = read(&text);
        let [unreadable] = page.unreadable.as_slice() else { panic!("{:?}", page.unreadable) };
        assert_eq!(unreadable.line, Some(line), "{lines}");
        assert!(unreadable.problem.contains(problem), "{}", unreadable.problem);
    }
    let page = read("get\nBody\npost\nResponses\n200\npost\n/a\npost\nResponses\n201\npost\n/a\n");
    let problems: Vec<_> = page.unreadable.iter().map(|place| &*place.problem).collect();
    assert_eq!(
        problems,
        ["`get` is not followed by a path", "POST /a is described twice, in different ways"]
    );
}

#[test]
fn a_line_with_the_form_of_a_row_is_not_prose() {
    let spec = facts(&json!({ "paths": { "/a/{id}/b": { "post": {
        "requestBody": { "content": { "application/json": { "schema": {
            "type": "object", "properties": { "start": { "type": "string" } },
        } } } },
        "responses": { "200": { "description": "x" } },
    } } } }));
    for row in [
        "starttimestamp · date-timeOptional",
        "startstring or integerRequired",
        "startenumRequiredExample: pending",
        "startenumRequiredDeprecated",
        "starttimestamprequired",
        "startstringErforderlich",
        "startstring · date-timeオプション",
        &format!("startstringOptionalExample: {}", "x".repeat(5_000)),
    ] {
        let text = page_with(&format!("Body\n{row}\nDefault: 1\nResponses\n200\nNo content"));
        let page = Page::read(text.as_bytes(), &spec).expect("a page");
        assert_eq!(page.unreadable.len(), 1, "{row}: {:?}", page.unreadable);
    }
    for prose in ["It is required", "A string, optional", "start", "string", "unrequired work"] {
        let text = page_with(&format!("Body\n{prose}\nResponses\n200\nNo content"));
        assert_eq!(read(&text).unreadable, [], "{prose}");
    }
    let twice = "Body\nstartintegerOptional\nstartstringOptional\nResponses\n200\nNo content";
    let problem = &read(&page_with(twice)).unreadable[0].problem;
    assert!(problem.contains("`start` is described twice"), "{problem}");
}

#[test]
fn folded_headers_of_an_answer_do_not_hide_rows_of_its_body() {
    let spec = facts(&json!({ "paths": { "/a/{id}/b": { "post": {
        "responses": { "200": { "description": "x", "content": { "application/json": { "schema": {
            "type": "object", "properties": { "size": { "type": "integer" } },
        } } } } },
    } } } }));
    let text = |row: &str| page_with(&format!("Responses\n200\napplication/json\nHeaders\n{row}"));
    assert_eq!(differences(&spec, &text("sizeintegerOptional")), []);
    assert_eq!(differences(&spec, &text("Body\nsizeintegerOptional")), []);
    assert_eq!(differences(&spec, &text("sizestringOptional")).len(), 1);
    let page = Page::read(text("unknownstringOptional").as_bytes(), &spec).expect("a page");
    assert!(page.unreadable[0].problem.contains("`unknown`"), "{:?}", page.unreadable);
}

#[test]
fn nothing_is_removed_from_a_page_that_could_not_be_read_whole() {
    let spec = facts(&serde_json::from_str(FENCE).expect("JSON"));
    for page in [
        fenced(&FENCE[..60]),
        fenced(&FENCE.replace("[{\"$ref\":\"#/components/parameters/P\"}]", "{}")),
        fenced(&FENCE.replace("parameters/P\"}", "parameters/Q\"}")),
        fenced("{\"paths\":[]}"),
        fenced("{\"paths\":{\"/a\":{\"$ref\":\"#/b\"}}}"),
    ] {
        let mut page = Page::read(page.as_bytes(), &spec).expect("a page");
        assert!(!page.unreadable.is_empty(), "{page:?}");
        assert_eq!(compare(&spec, &mut page).differences, []);
    }
}

#[test]
fn hostile_pages_end() {
    let array = r##"{"paths":{"/a":{"get":{"parameters":[{"name":"p","in":"query","schema":{"$ref":"#/components/schemas/S"}}],"responses":{}}}},"components":{"schemas":{"S":{"type":"array","items":{"$ref":"#/components/schemas/S"}}}}}"##;
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
    assert!(doubled.unreadable.iter().any(|it| it.problem.contains(problem)));
    assert!(doubled.facts.subjects.len() < 4_000, "{}", doubled.facts.subjects.len());
    for page in [
        fenced(array),
        fenced(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))),
        page_with(&format!("Body\n{}Responses\n200\n", "200\n".repeat(20_000))),
        page_with(&format!(
            "Body\nsone ofRequired\n{}Responses\n200\n",
            "aanyOptional\n".repeat(20_000)
        )),
        page_with(&format!("Body\n{}Responses\n200\n", "oobjectOptional\n".repeat(20_000))),
        page_with(&"astringRequiredExample:".repeat(20_000)),
    ] {
        let _ = Page::read(page.as_bytes(), &Facts::default());
    }
}

/// A page of Markdown with this fence.
fn fenced(fence: &str) -> String {
    format!("# API\n\n## Title\n\n> Words\n\n```json\n{fence}\n```\n")
}

const FENCE: &str = r##"{"paths":{"/a":{"get":{"parameters":[{"$ref":"#/components/parameters/P"}],"responses":{"200":{"description":"x"}}}}},"components":{"parameters":{"P":{"name":"p","in":"query","schema":{"$ref":"#/components/schemas/S","nullable":true}}},"schemas":{"S":{"type":"string"}}}}"##;

#[test]
fn a_fence_is_read_whatever_surrounds_it() {
    let place = Place::operation("get", "/a")
        .then(Step::Parameter { within: Within::Query, name: "p".to_owned() });
    for text in [
        fenced(FENCE),
        format!("````json\n{FENCE}\n````\n"),
        format!("~~~\n{FENCE}\n~~~\n"),
        format!(
            "> lone\n>\n\n```rust\nfn main() {{}}\n```\n```json\n{{\"a\":1}}\n```\n{}",
            fenced(FENCE)
        ),
        fenced(
            &serde_json::to_string_pretty(&serde_json::from_str::<Value>(FENCE).expect("JSON"))
                .expect("JSON"),
        ),
        format!("\u{feff}{}", fenced(FENCE).replace('\n', "\r\n")),
        fenced(&format!("{{\"openapi\":\"3.1.0\",{}", &FENCE[1..])),
    ] {
        let page = read(&text);
        assert_eq!((page.shape, page.unreadable.as_slice()), (Shape::Markdown, [].as_slice()));
        assert_eq!(stated(&page, &place, Aspect::Type), Some(json!("string")), "{text}");
        assert_eq!(
            stated(&page, &place, Aspect::Nullable),
            Some(json!(true)),
            "beside a reference"
        );
    }
    assert_eq!(read(&fenced(FENCE)).facts.get(&place).expect("it").line, Some(8));
}

#[test]
fn names_of_headers_and_of_parameters_in_paths_may_be_spelled_differently() {
    let document = |path: &str, header: &str| {
        json!({ "paths": { path: { "post": {
            "parameters": [
                { "name": "X-Other", "in": "header", "schema": { "type": "string" } },
                { "name": header, "in": "header", "schema": { "type": "integer" } },
            ],
            "responses": { "200": { "description": "x" } },
        } } } })
    };
    let spec = facts(&document("/a/{id}", "X-Sub-Account"));
    let page = fenced(&document("/a/{thing}", "x-sub-account").to_string());
    assert_eq!(differences(&spec, &page), []);
}

#[test]
fn a_damaged_fence_is_reported() {
    let dangling = FENCE.replace("\"S\":{", "\"T\":{");
    let cycle = FENCE.replace("{\"type\":\"string\"}", "{\"$ref\":\"#/components/schemas/S\"}");
    for (text, problem) in [
        (fenced(&dangling), "refers to `#/components/schemas/S`"),
        (fenced(&cycle), "refers to itself"),
        (fenced(FENCE) + &fenced(&FENCE[..100]), "not JSON"),
        (fenced(FENCE) + &fenced(&FENCE.replace("\"200\"", "\"201\"")), "described twice"),
    ] {
        let page = read(&text);
        let found = page.unreadable.iter().any(|place| place.problem.contains(problem));
        assert!(found && page.unreadable[0].line.is_some(), "{problem}: {:?}", page.unreadable);
    }
}

#[test]
fn a_schema_that_contains_itself_ends() {
    let nested = r##"{"paths":{"/a":{"get":{"responses":{"200":{"description":"x","content":{"application/json":{"schema":{"$ref":"#/components/schemas/S"}}}}}}}},"components":{"schemas":{"S":{"type":"object","properties":{"s":{"$ref":"#/components/schemas/S"}}}}}}"##;
    let page = read(&fenced(nested));
    let inner = Place::operation("get", "/a").then(Step::Answer("200".to_owned())).property("s");
    assert!(page.facts.get(&inner).expect("it").opaque);
}

#[test]
fn a_byte_that_is_not_utf8_is_named_and_the_rest_is_read() {
    let text = page_with("Body\nastringOptional\nResponses\n200\nNo content");
    for page in [text, fenced(FENCE)] {
        let mut bytes = page.clone().into_bytes();
        let (line, at) = if page.starts_with('#') { (5, 17) } else { (1, 3) };
        bytes[at] = 0xe9;
        let damaged = Page::read(&bytes, &Facts::default()).expect("a page");
        let [problem] = damaged.unreadable.as_slice() else { panic!("{:?}", damaged.unreadable) };
        assert_eq!(problem.line, Some(line));
        assert!(problem.problem.contains("0xe9, is not UTF-8"), "{}", problem.problem);
        let places = |page: &Page| page.facts.subjects.keys().cloned().collect::<Vec<_>>();
        assert_eq!(places(&damaged), places(&read(&page)));
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
        (b"\xff\xfe\x00p", NotAPage::NotText),
        (b"post\0", NotAPage::NotText),
        (b"\x89PNG\r\n\x1a\n", NotAPage::NotText),
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

/// Names, some of which end like a type or begin like an icon.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-zA-Z0-9_]{0,9}",
        proptest::sample::select(vec![
            "platform",
            "substring",
            "company",
            "isRequired",
            "isOptional",
            "lockId",
            "plusOne",
            "typeobject",
            "oneofany",
            "Deprecated",
            "Example",
            "per_page",
        ])
        .prop_map(str::to_owned),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let string = (
        proptest::option::of(proptest::sample::select(vec!["date-time", "uuid", "byte"])),
        proptest::option::of("[a-zA-Z0-9-]{1,8}"),
        proptest::option::of(proptest::collection::btree_set("[a-z]{1,5}", 1..4)),
        flags,
    )
        .prop_map(|(format, example, values, flags)| {
            let mut schema = Map::from_iter([("type".to_owned(), json!("string"))]);
            schema.extend(format.map(|format| ("format".to_owned(), json!(format))));
            schema.extend(example.map(|example| ("example".to_owned(), json!(example))));
            schema.extend(values.map(|values| ("enum".to_owned(), json!(values))));
            flagged(schema, flags)
        });
    let number =
        (any::<bool>(), proptest::option::of(0..100_i32), proptest::option::of(0..9_i32), flags)
            .prop_map(|(integer, default, minimum, flags)| {
                let kind = if integer { "integer" } else { "number" };
                let mut schema = Map::from_iter([("type".to_owned(), json!(kind))]);
                schema.extend(default.map(|default| ("default".to_owned(), json!(default))));
                schema.extend(minimum.map(|minimum| ("minimum".to_owned(), json!(minimum))));
                flagged(schema, flags)
            });
    prop_oneof![
        string,
        number,
        any::<bool>().prop_map(|default| json!({ "type": "boolean", "default": default })),
    ]
}

fn flagged(mut schema: Map<String, Value>, flags: (bool, bool, bool)) -> Value {
    for (word, set) in [("readOnly", flags.0), ("nullable", flags.1), ("deprecated", flags.2)] {
        if set {
            schema.insert(word.to_owned(), json!(true));
        }
    }
    Value::Object(schema)
}

fn schema() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
            object(inner.clone()),
            proptest::collection::vec(object(inner), 2..4).prop_map(|all| json!({ "oneOf": all })),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    proptest::collection::btree_map(name(), (inner, any::<bool>()), 1..5).prop_map(|properties| {
        let required: Vec<&String> = properties
            .iter()
            .filter(|(_, (_, required))| *required)
            .map(|(name, _)| name)
            .collect();
        let mut object = json!({ "type": "object" });
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        object["properties"] =
            properties.iter().map(|(name, (schema, _))| (name.clone(), schema.clone())).collect();
        object
    })
}

/// A document with some operations.
fn document() -> impl Strategy<Value = Value> {
    let operation = (
        proptest::option::of(object(schema())),
        proptest::option::of(object(schema())),
        proptest::collection::btree_map(name(), (scalar(), any::<bool>(), any::<bool>()), 0..4),
    )
        .prop_map(|(body, answer, parameters)| {
            let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
            let others = parameters.into_iter().filter(|(name, _)| name != "id").map(
                |(name, (schema, required, header))| {
                    let within = if header { "header" } else { "query" };
                    json!({ "name": name, "in": within, "required": required, "schema": schema })
                },
            );
            let content = |schema: Value| json!({ "application/json": { "schema": schema } });
            let parameters: Vec<Value> = [id].into_iter().chain(others).collect();
            let mut operation = json!({
                "parameters": parameters,
                "responses": { "200": { "description": "x" } },
            });
            if let Some(body) = body {
                operation["requestBody"] = json!({ "required": true, "content": content(body) });
            }
            if let Some(answer) = answer {
                operation["responses"]["200"]["content"] = content(answer);
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
                let _ = compare(&spec, &mut page);
            }
        }
        let _ = Page::read(&noise, &spec);
    }
}
