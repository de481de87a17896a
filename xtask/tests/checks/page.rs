//! Reading the two shapes of a page.

use crate::render::{self, Variations};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use xtask::document::{Difference, Facts, Pointer, Within, flatten};
use xtask::page::{NotAPage, Page, Shape};

fn facts(document: &Value) -> Facts {
    let (facts, unreadable) = flatten(document, &|_, _| None);
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
    let comparison = page.compare(spec);
    assert_eq!(comparison.operations, spec.operations().count(), "{text}");
    comparison.differences
}

/// A page of text with one operation and these lines in it.
fn page_with(lines: &str) -> String {
    format!("Title\n\npost\n\nWords\n\n{lines}\npost\n/a/{{id}}/b\n")
}

fn operation() -> Pointer {
    Pointer::operation("post", "/a/{id}/b")
}

/// The schema of the body on a page that shows no media type.
fn body() -> Pointer {
    operation().then(&["requestBody", "content", "*/*", "schema"])
}

fn answer(media: &str) -> Pointer {
    operation().then(&["responses", "200", "content", media, "schema"])
}

/// The spec of one operation, whose body has this schema.
fn spec_of_body(schema: &Value) -> Facts {
    facts(&json!({ "paths": { "/a/{id}/b": { "post": {
        "requestBody": { "content": { "application/json": { "schema": schema } } },
        "responses": { "200": { "description": "x" } },
    } } } }))
}

/// The spec of one operation, whose body has these properties.
fn spec_with(properties: &Value) -> Facts {
    spec_of_body(&json!({ "type": "object", "properties": properties }))
}

#[test]
fn a_row_is_read_in_each_of_its_forms() {
    // The row, the name, and what is stated of the innermost items, of the property, or of either.
    let rows: &[(&str, &str, Value)] = &[
        (
            "volumeIdstringRequiredExample: vol-1",
            "volumeId",
            json!({ "type": "string", "required": true, "example": "vol-1" }),
        ),
        (
            "startTimestring · date-timeOptional",
            "startTime",
            json!({ "format": "date-time", "required": false }),
        ),
        (
            "useSourcebooleanRead-onlyOptional",
            "useSource",
            json!({ "type": "boolean", "readOnly": true }),
        ),
        ("secretstringWrite-onlyRequired", "secret", json!({ "writeOnly": true })),
        ("oldintegerOptionalDeprecated", "old", json!({ "type": "integer", "deprecated": true })),
        ("sizenumber · min: 1 · max: 20Optional", "size", json!({ "minimum": 1, "maximum": 20 })),
        ("sizenumber · min: 0.01Optional", "size", json!({ "minimum": 0.01 })),
        ("namestring · min: 1Optional", "name", json!({ "minLength": 1 })),
        ("tagsstring[] · max: 9Optional", "tags", json!({ "maxItems": 9 })),
        ("statestring · enum · nullableOptional", "state", json!({ "enum": "", "nullable": true })),
        ("statestring | nullOptional", "state", json!({ "nullable": true })),
        ("statestring\u{a0}·\u{a0}date-timeOptional", "state", json!({ "format": "date-time" })),
        ("statestring | nullablerequired", "state", json!({ "nullable": true, "required": true })),
        (
            "statestring · enumOptionalExample: onPossible values: onoff",
            "state",
            json!({ "example": "on", "enum": "onoff" }),
        ),
        (
            "statestring · enumOptionalPossible values: `on``off`",
            "state",
            json!({ "enum": ["on", "off"] }),
        ),
        ("sizeinteger · enumOptionalPossible values: `1`, `2`", "size", json!({ "enum": [1, 2] })),
        ("tagsstring[]Optional", "tags", json!({ "type": "string[]" })),
        ("rowsobject[][]Required", "rows", json!({ "type": "object[][]" })),
        ("per\\_pagestring\\[]Optional", "per_page", json!({ "type": "string[]" })),
        ("ownerobject · PersonRequired", "owner", json!({ "type": "object", "required": true })),
        ("sourceone ofRequired", "source", json!({ "type": "one of" })),
        ("sourceany of[]Optional", "source", json!({ "type": "any of[]" })),
        ("mixall ofOptional", "mix", json!({ "type": "all of" })),
        ("kindconst: volumeRequired", "kind", json!({ "type": "string", "enum": ["volume"] })),
        ("kindconst: 2Required", "kind", json!({ "type": "integer", "enum": [2] })),
        ("valueanyOptional", "value", json!({ "type": "any" })),
        ("isRequiredbooleanOptional", "isRequired", json!({ "required": false })),
        ("lockedUntilstringOptional", "lockedUntil", json!({})),
        ("X-Some-HeaderstringOptional", "X-Some-Header", json!({})),
        ("Snapshot sizeintegerOptional", "Snapshot size", json!({ "type": "integer" })),
        ("countintegerOptionalDefault: 3", "count", json!({ "default": 3 })),
        ("listinteger[]OptionalExample: [1, 2]", "list", json!({ "example": [1, 2] })),
    ];
    for (row, name, expected) in rows {
        let page = read(&page_with(&format!("Body\n{row}\nResponses\n200\n")));
        assert_eq!(page.unreadable, [], "{row}");
        let place = body().property(name);
        assert!(page.facts.has(&place), "{row}: {:?}", page.facts);
        for (keyword, value) in expected.as_object().expect("an object") {
            assert_eq!(page.facts.value(&place, keyword), Some(value), "{row}: {keyword}");
        }
    }
    for row in ["daysstring · date[]Optional", "daysstring[] · dateOptional"] {
        let page = read(&page_with(&format!("Body\n{row}\nResponses\n200\n")));
        let days = body().property("days");
        assert_eq!(page.facts.kind(&days), Some("string[]"), "{row}");
        assert_eq!(
            page.facts.value(&days.then(&["items"]), "format"),
            Some(&json!("date")),
            "{row}"
        );
    }
}

#[test]
fn a_name_that_ends_like_a_type_is_split_after_a_name_in_the_spec() {
    for (name, kind) in [
        ("platform", "string"),
        ("locked", "boolean"),
        ("billofstring", "string"),
        ("kindDiscriminator", "string"),
    ] {
        let text = page_with(&format!("Body\n{name}{kind}Optional\nResponses\n200\nNo content"));
        assert_eq!(
            differences(&spec_with(&json!({ name: { "type": kind } })), &text),
            [],
            "{name}"
        );
    }
}

#[test]
fn the_lines_below_a_row_belong_to_it_and_a_value_ends_where_the_next_is_joined_with_it() {
    let page = read(&page_with(
        "Query parameters\norderstringOptional\n\nHow\n\nDefault: ascPossible values:\n\nascdesc\n\
         statestring · enumOptionalExample: OriginatedPossible values:\n\
         codestringOptional\nExample: `a b`Pattern: `^a`\ncountintegerOptional\n\nExample: 3\n\nDefault: 1\n\
         Responses\n200\nNo content\n",
    ));
    assert_eq!(page.unreadable, []);
    for (name, keyword, value) in [
        ("order", "default", json!("asc")),
        ("order", "enum", json!("")),
        ("state", "example", json!("Originated")),
        ("state", "enum", json!("")),
        ("code", "example", json!("a b")),
        ("code", "pattern", json!("^a")),
        ("count", "example", json!(3)),
        ("count", "default", json!(1)),
    ] {
        let schema = operation().parameter(Within::Query, name).then(&["schema"]);
        assert_eq!(page.facts.value(&schema, keyword), Some(&value), "{name}: {keyword}");
    }
}

#[test]
fn a_stray_space_does_not_make_prose_of_a_row() {
    let spec = spec_with(&json!({
        "size": { "type": "integer", "example": 1 }, "note": { "type": "string", "example": "x" },
    }));
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
    let text = page_with("Query parameters\nsizeintegerOptional\nResponses\n200\nNo content");
    let expected = [
        Difference::Added { place: operation().parameter(Within::Query, "size") },
        Difference::Removed { place: operation().then(&["requestBody"]) },
    ];
    assert_eq!(differences(&spec_with(&json!({ "size": { "type": "integer" } })), &text), expected);
}

#[test]
fn a_body_shows_its_properties_and_folds_those_of_its_alternatives() {
    let object = json!({ "type": "object", "properties": { "size": { "type": "integer" } } });
    let text = page_with("Body\nResponses\n200\nNo content");
    assert_eq!(differences(&spec_of_body(&object), &text).len(), 1, "the properties are gone");
    let text = page_with("Body\none ofRequired\n\nor\nResponses\n200\nNo content");
    let alternatives = json!({ "oneOf": [object, { "type": "string" }] });
    assert_eq!(differences(&spec_of_body(&alternatives), &text), []);
}

#[test]
fn what_is_folded_is_silent_and_not_removed() {
    let spec = |schema: Value| {
        facts(&json!({ "paths": { "/a/{id}/b": { "post": {
        "responses": { "200": { "description": "x", "content": { "application/json": { "schema": schema } } } },
    } } } }))
    };
    let object = json!({ "type": "object", "properties": { "size": { "type": "integer" } }, "required": ["size"] });
    for (shown, schema) in [
        ("plusHeadersobject\nplusResponseobject\n", object.clone()),
        ("Responseobject\nShow propertiesplus\n", object.clone()),
        ("plus\nResponseobject[]\n", json!({ "type": "array", "items": object })),
        ("Responseone of\nor\n", json!({ "oneOf": [object, { "type": "object" }] })),
        (
            "sizeobjectOptional\nShow properties\n",
            json!({ "type": "object", "properties": { "size": object } }),
        ),
    ] {
        let text = page_with(&format!("Responses\n200\napplication/json\n{shown}"));
        assert_eq!(differences(&spec(schema.clone()), &text), [], "{shown}");
        assert!(
            !differences(&spec(json!({ "type": "string" })), &text).is_empty(),
            "{shown}: the type is shown"
        );
    }
    // What follows the title is shown.
    let text = page_with(
        "Responses\n200\napplication/json\nchevron-downResponseobject\nnamestringOptional\n",
    );
    assert_eq!(differences(&spec(object), &text).len(), 2, "one is gone, one is new");
}

#[test]
fn a_badge_is_no_part_of_what_it_is_glued_to() {
    let spec = spec_with(&json!({ "source": { "oneOf": [
        { "type": "object", "properties": { "kind": { "type": "string" }, "id": { "type": "string" } } },
        { "type": "object", "properties": { "kind": { "type": "string" } } },
    ], "discriminator": { "propertyName": "kind" } } }));
    let rows = "sourceone ofOptional\nkindDiscriminatorstringOptional\nidstringOptional\nor\nkindDiscriminatorstringOptional\n";
    let text = page_with(&format!("Body\n{rows}Responses\n200\nNo content"));
    assert_eq!(differences(&spec, &text), []);
    let plain = page_with("Responses\n200\nNo content");
    for badge in [
        "Deprecated",
        "Deprecated\nThis operation is deprecated and will be sunset on 2026-01-01.",
        "lockDeprecated",
    ] {
        let page =
            read(&format!("post\nResponses\n200\nNo content\npost\n/first\n{badge}\n{plain}"));
        assert!(page.facts.is(&operation(), "deprecated"), "{badge}");
        assert!(!page.facts.is(&Pointer::operation("post", "/first"), "deprecated"), "{badge}");
    }
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
        let query = Pointer::operation("get", "/b/{id}").parameter(Within::Query, "q");
        assert_eq!(read.facts.kind(&query), Some("string"), "{page}");
    }
    // An older page without labels is not one in another language.
    let unlabelled = "get\nhttps://api.example/v1 /b/ {id}\nid string required\nq string\n\
        curl -L \\\n--url 'https://api.example/v1/b/{id}'\n";
    let page = Page::read(unlabelled.as_bytes(), &spec).expect("a page");
    assert!(page.facts.has(&Pointer::operation("get", "/b/{id}")));
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
    assert_eq!(page.facts.value(&operation, "security"), Some(&json!("bearer")));
    assert!(page.facts.has(&operation.parameter(Within::Path, "lockid")), "{:?}", page.facts);
    let body = operation.then(&["requestBody", "content", "application/json", "schema"]);
    assert!(page.facts.has(&body.property("a")));
    let none = page.facts.value(&operation.then(&["responses", "200"]), "content");
    assert_eq!(none, Some(&json!({})));
    assert!(page.facts.is_folded(&operation.then(&["responses", "404"])));
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
    let source = body().property("source");
    let page = read(&page_with(
        "Body\nsourceone ofRequired\n\nWords\n\nor\n\nor\nnamestringOptional\nResponses\n200\n",
    ));
    assert!(
        page.facts.has(&source.then(&["oneOf", "2"]))
            && !page.facts.has(&source.then(&["oneOf", "3"]))
    );
    assert!(page.facts.has(&body().property("name")), "the alternatives are folded");

    let page = read(&page_with(
        "Body\nsourceone ofRequired\naidstringRequired\nor\nbidstringRequired\nResponses\n200\n",
    ));
    for (number, name) in [("0", "aid"), ("1", "bid")] {
        let place = source.then(&["oneOf", number]).property(name);
        assert!(page.facts.is(&place, "required"), "{name}");
    }
    let page = read(&page_with(
        "Body\none ofRequired\naidstringRequired\nor\nbidstringRequired\nResponses\n200\n",
    ));
    assert!(page.facts.has(&body().then(&["oneOf", "1"]).property("bid")));
}

#[test]
fn a_body_may_be_a_list_and_properties_may_have_no_name() {
    for label in ["Body[]", "Bodyobject[]", "Bodyobject[]application/json"] {
        let page = read(&page_with(&format!(
            "{label}\naidstringRequired\nOther propertiesstringOptional\nResponses\n200\napplication/json\nstring[]Optional\n",
        )));
        assert_eq!(page.unreadable, [], "{label}");
        let media = if label.ends_with("json") { "application/json" } else { "*/*" };
        let body = operation().then(&["requestBody", "content", media, "schema"]);
        assert_eq!(page.facts.kind(&body), Some("object[]"), "{label}");
        let items = body.then(&["items"]);
        assert!(page.facts.has(&items.property("aid")), "{label}: {:?}", page.facts);
        assert_eq!(page.facts.kind(&items.then(&["additionalProperties"])), Some("string"));
        assert_eq!(page.facts.kind(&answer("application/json")), Some("string[]"));
    }
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
        let a = Pointer::operation("post", "/a").then(&["requestBody", "content", "*/*", "schema"]);
        assert!(page.facts.has(&a.property("a")));
        assert_eq!(page.unreadable, []);
    }
}

#[test]
fn an_unreadable_line_is_reported() {
    for (lines, line, problem) in [
        ("Body\nfoomapOptional\nResponses\n200\n", 8, "`foomapOptional` looks like a row"),
        ("strayobjectOptional\nBody\nResponses\n200\n", 7, "`stray` is in no section"),
        ("Body\nsizeinteger\nResponses\n200\n", 8, "`size` is neither `Required` nor `Optional`"),
        ("nothing at all", 9, "there is no section below it"),
    ] {
        let text = format!("{}\nget\nResponses\nget\n/b\n", page_with(lines));
        let spec = spec_with(&json!({ "size": { "type": "integer" } }));
        let page = Page::read(text.as_bytes(), &spec).expect("a page");
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
    let spec = spec_with(&json!({ "start": { "type": "string" } }));
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
    assert!(problem.contains("start` is stated twice"), "{problem}");
}

#[test]
fn folded_headers_of_an_answer_do_not_hide_rows_of_its_body() {
    let spec = facts(&json!({ "paths": { "/a/{id}/b": { "post": {
        "responses": { "200": { "description": "x", "content": { "application/json": { "schema": {
            "type": "object", "properties": { "size": { "type": "integer" } },
        } } } } },
    } } } }));
    for headers in ["Headers", "plusHeadersobject"] {
        let text =
            |row: &str| page_with(&format!("Responses\n200\napplication/json\n{headers}\n{row}"));
        assert_eq!(differences(&spec, &text("sizeintegerOptional")), []);
        assert_eq!(differences(&spec, &text("Body\nsizeintegerOptional")), []);
        assert_eq!(differences(&spec, &text("sizestringOptional")).len(), 1);
        let page = Page::read(text("unknownstringOptional").as_bytes(), &spec).expect("a page");
        assert!(page.unreadable[0].problem.contains("`unknown`"), "{:?}", page.unreadable);
    }
}

#[test]
fn nothing_is_removed_from_a_page_that_could_not_be_read_whole() {
    let spec = facts(&serde_json::from_str(FENCE).expect("JSON"));
    let outside = fenced(FENCE).replace("```json\n", "") + &fenced(FENCE).replace("/a", "/b");
    for page in [
        fenced(&FENCE[..60]),
        fenced(&FENCE.replace("[{\"$ref\":\"#/components/parameters/P\"}]", "{}")),
        fenced(&FENCE.replace("parameters/P\"}", "parameters/Q\"}")),
        fenced("{\"paths\":[]}"),
        fenced("{\"paths\":{\"/a\":{\"$ref\":\"#/b\"}}}"),
        outside,
        fenced(FENCE).replace("\n```\n", "\n") + &fenced(FENCE),
        format!(
            "{}{{% openapi-operation path=\"/a\" method=\"get\" %}}",
            fenced(&FENCE.replace("/a", "/b"))
        ),
        "{% openapi-operation spec=\"x\" path=\"/a\" method=\"get\" %}\n{% endopenapi-operation %}"
            .to_owned(),
    ] {
        let mut page = Page::read(page.as_bytes(), &spec).expect("a page");
        assert!(!page.unreadable.is_empty(), "{page:?}");
        let mut differences = page.compare(&spec).differences;
        differences.retain(|difference| !matches!(difference, Difference::Added { .. }));
        assert_eq!(differences, []);
    }
}

#[test]
fn an_operation_that_stands_only_in_an_unresolved_block_is_new() {
    let spec = facts(&serde_json::from_str(FENCE).expect("JSON"));
    let block = "\n{% openapi-operation spec=\"x\" path=\"/b/{c}\" method=\"POST\" %}\n[x](https://x)\n{% endopenapi-operation %}\n";
    let mut page = Page::read((fenced(FENCE) + block).as_bytes(), &spec).expect("a page");
    let place = Pointer::operation("post", "/b/{c}");
    assert_eq!(page.compare(&spec).differences, [Difference::Added { place }]);
    assert!(
        page.unreadable[0].problem.contains("POST /b/{c} stands in a block"),
        "{:?}",
        page.unreadable
    );
    let older = block.replace("openapi-operation", "openapi");
    assert!(read(&(fenced(FENCE) + &older)).facts.has(&Pointer::operation("post", "/b/{c}")));
    let again = block.replace("/b/{c}", "/a").replace("POST", "get");
    assert_eq!(read(&(fenced(FENCE) + &again)).unreadable, [], "its document is in a fence");
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
    assert!(doubled.facts.map.len() < 30_000, "{}", doubled.facts.map.len());
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
    let place = Pointer::operation("get", "/a").parameter(Within::Query, "p");
    for text in [
        fenced(FENCE),
        format!("````json\n{FENCE}\n````\n"),
        format!("~~~\n{FENCE}\n~~~\n"),
        format!(
            "> lone\n>\n\n```rust\nfn main() {{}}\n```\n```json\n{{\"a\":1}}\n```\n```json\n{{ \"compilerOptions\": {{ \"paths\": {{}}, ... }} }}\n```\n{}",
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
        assert_eq!(
            (page.shape, page.unreadable.as_slice()),
            (Shape::Markdown, [].as_slice()),
            "{text}"
        );
        assert_eq!(page.facts.kind(&place), Some("string"), "{text}");
        assert!(page.facts.is(&place.then(&["schema"]), "nullable"), "beside a reference");
    }
    assert_eq!(read(&fenced(FENCE)).facts.get(&place).expect("it").line, Some(8));
}

#[test]
fn what_means_the_same_agrees_and_what_nobody_has_thought_of_is_compared() {
    let document = |schema: Value, operation: Value| {
        let mut document = json!({ "paths": { "/a": { "post": {
            "requestBody": { "required": true, "content": { "application/json": { "schema": schema } } },
            "responses": { "200": { "description": "x" } },
        } } } });
        for (key, value) in operation.as_object().expect("members") {
            document["paths"]["/a"]["post"][key] = value.clone();
        }
        document
    };
    let string = || json!({ "type": "string" });
    let query = |more: Value| {
        let mut query =
            json!({ "name": "q", "in": "query", "schema": { "type": "string", "example": "a" } });
        for (key, value) in more.as_object().expect("members") {
            query[key] = value.clone();
        }
        json!({ "parameters": [query] })
    };
    let none = || json!({});
    for (spec, page) in [
        (json!({ "type": "string", "nullable": true }), json!({ "type": ["string", "null"] })),
        (
            json!({ "type": "string", "nullable": true }),
            json!({ "anyOf": [string(), { "type": "null" }] }),
        ),
        (json!({ "type": "string", "enum": ["a"] }), json!({ "const": "a" })),
        (
            json!({ "type": "string", "enum": ["a", "b"] }),
            json!({ "type": "string", "enum": ["b", "a"], "title": "T" }),
        ),
        (
            json!({ "type": "string", "example": "a" }),
            json!({ "type": "string", "examples": ["a", "b"] }),
        ),
        (
            json!({ "type": "number", "minimum": 1, "exclusiveMinimum": true }),
            json!({ "type": "number", "exclusiveMinimum": 1.0 }),
        ),
        (string(), json!({ "allOf": [string()], "description": "x", "deprecated": false })),
        (json!({ "type": "object" }), json!({ "type": "object", "additionalProperties": true })),
        (
            json!({ "type": "array", "items": string() }),
            json!({ "type": "array", "items": string(), "uniqueItems": false }),
        ),
        (
            json!({ "type": "array", "example": ["a"], "items": string() }),
            json!({ "type": "array", "items": { "type": "string", "example": "a" } }),
        ),
    ] {
        let text = fenced(&document(page.clone(), none()).to_string());
        assert_eq!(differences(&facts(&document(spec, none())), &text), [], "{page}");
    }
    for more in [
        json!({ "style": "form", "explode": true }),
        json!({ "required": false, "example": "a" }),
        json!({ "deprecated": false }),
    ] {
        let text = fenced(&document(string(), query(more.clone())).to_string());
        assert_eq!(differences(&facts(&document(string(), query(none()))), &text), [], "{more}");
    }
    let spec = facts(&document(string(), none()));
    for (schema, operation) in [
        (json!({ "type": "string", "contentEncoding": "base64" }), none()),
        (json!({ "type": "string", "if": { "minLength": 1 } }), none()),
        (string(), json!({ "callbacks": { "done": {} } })),
        (string(), json!({ "servers": [{ "url": "https://b.example" }] })),
        (string(), json!({ "deprecated": true })),
        (string(), json!({ "future": 1 })),
    ] {
        let text = fenced(&document(schema.clone(), operation.clone()).to_string());
        assert_eq!(differences(&spec, &text).len(), 1, "{schema} {operation}");
    }
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
    let other = FENCE.replace("/a", "/b").replace("\"type\":\"string\"", "\"type\":\"integer\"");
    for (text, problem) in [
        (fenced(&dangling), "refers to `#/components/schemas/S`"),
        (fenced(&cycle), "refers to itself"),
        (fenced(FENCE) + &fenced(&FENCE[..100]), "not JSON"),
        (fenced(FENCE) + &fenced(&FENCE.replace("\"200\"", "\"201\"")), "described twice"),
        (fenced(FENCE) + &fenced(&other), "the component `S` is described twice"),
        (fenced(FENCE) + FENCE, "outside of a fence"),
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
    let answer = Pointer::operation("get", "/a").then(&[
        "responses",
        "200",
        "content",
        "application/json",
        "schema",
    ]);
    assert!(page.facts.get(&answer.property("s")).expect("it").folded);
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
        assert_eq!(damaged.facts.map, read(&page).facts.map);
    }
}

#[test]
fn the_document_of_a_page_has_its_facts() {
    let text = page_with(
        "Authorizations\nAuthorizationstringOptional\nBearer\nX-KeystringRequired\nPath parameters\nidstringRequired\n\
         Query parameters\nqstring[] · enumOptionalDeprecated\nPossible values: ab\n\
         Body\nsourceone ofRequired\nor\nownerobjectOptional\nOther propertiesinteger · min: 1Optional\n\
         Responses\n200\napplication/json\nResponseobject[]\n404\n",
    );
    for page in [read(&text), read(&fenced(FENCE))] {
        let mut again = facts(&page.document);
        let plain = |facts: &mut Facts| {
            facts
                .map
                .values_mut()
                .for_each(|fact| (fact.line, fact.origin) = (None, String::new()));
            facts.map.clone()
        };
        let mut own = page.facts.clone();
        assert_eq!(plain(&mut again), plain(&mut own));
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
                let _ = page.compare(&spec);
            }
        }
        let _ = Page::read(&noise, &spec);
    }
}
