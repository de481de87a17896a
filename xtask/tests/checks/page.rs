//! Reading the two shapes of a page.

use crate::render::{self, Variations};
use proptest::prelude::*;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use xtask::document::{Difference, Facts, Pointer, flatten, plain};
use xtask::page::{NotAPage, Page, Shape};

fn facts(document: &Value) -> Facts {
    let (facts, unreadable) = flatten(document, &|_, _| None);
    assert_eq!(unreadable, []);
    facts
}

fn read(text: &str) -> Page {
    Page::read(text.as_bytes(), &Facts::default()).expect("a page")
}

/// The first problem of a page that can't be read whole.
fn problem(text: &str, spec: &Facts) -> (u64, String) {
    let page = Page::read(text.as_bytes(), spec).expect("a page");
    let first = page.unreadable.first().unwrap_or_else(|| panic!("it was read: {text}"));
    (first.line.expect("a line"), first.problem.clone())
}

/// What a page states, such as `body.size: minimum=1`.
fn stated(page: &Page) -> BTreeSet<String> {
    let facts = page.facts.map.iter().filter_map(|(place, fact)| {
        Some(format!("{}={}", place.within_operation(), plain(fact.value.as_ref()?)))
    });
    facts.collect()
}

/// Asserts that a page was read whole, and states all of this.
fn assert_states(text: &str, expected: &[&str]) {
    let page = read(text);
    assert_eq!(page.unreadable, [], "{text}");
    let stated = stated(&page);
    for fact in expected {
        assert!(stated.contains(*fact), "{fact}: {stated:#?}\n{text}");
    }
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

/// A page whose body has these rows.
fn body(rows: &str) -> String {
    page_with(&format!("Body\n{rows}\nResponses\n200\nNo content\n"))
}

/// A page with this answer.
fn answer(lines: &str) -> String {
    page_with(&format!("Responses\n200\napplication/json\n{lines}\n"))
}

fn operation(members: &Value) -> Facts {
    facts(&json!({ "security": [{ "own": [] }], "components": {
        "securitySchemes": { "own": { "type": "http", "scheme": "bearer" } },
    }, "paths": { "/a/{id}/b": { "post": members } } }))
}

fn content(schema: &Value) -> Value {
    json!({ "content": { "application/json": { "schema": schema } } })
}

/// The spec of one operation, whose body has this schema.
fn spec_of_body(schema: &Value) -> Facts {
    operation(
        &json!({ "security": [], "requestBody": content(schema), "responses": { "200": {} } }),
    )
}

/// The spec of one operation, whose body has these properties.
fn spec_with(properties: &Value) -> Facts {
    spec_of_body(&json!({ "type": "object", "properties": properties }))
}

/// The spec of one operation, whose answer has this schema.
fn spec_of_answer(schema: &Value) -> Facts {
    operation(&json!({ "security": [], "responses": { "200": content(schema) } }))
}

fn object() -> Value {
    json!({ "type": "object", "properties": { "size": { "type": "integer" } }, "required": ["size"] })
}

#[test]
fn a_row_is_read_in_each_of_its_forms() {
    // The row, its name, and what it states.
    let table = "
        volumeIdstringRequiredExample: vol-1 => volumeId => type=string required=true example=vol-1
        startTimestring · date-timeOptional => startTime => format=date-time required=false
        useSourcebooleanRead-onlyOptional => useSource => type=boolean readOnly=true
        secretstringWrite-onlyRequired => secret => writeOnly=true
        oldintegerOptionalDeprecated => old => type=integer deprecated=true
        sizenumber · min: 1 · max: 20Optional => size => minimum=1 maximum=20
        sizenumber · min: 0.01Optional => size => minimum=0.01
        namestring · min: 1Optional => name => minLength=1
        tagsstring[] · max: 9Optional => tags => maxItems=9
        statestring · enum · nullableOptional => state => enum= nullable=true
        statestring | nullOptional => state => nullable=true
        statestring\u{a0}·\u{a0}date-timeOptional => state => format=date-time
        statestring | nullablerequired => state => nullable=true required=true
        statestring · enumOptionalExample: onPossible values: onoff => state => example=on enum=onoff
        sizeinteger · enumOptionalPossible values: `1`, `2` => size => enum=12
        tagsstring[]Optional => tags => type=string[]
        rowsobject[][]Required => rows => type=object[][]
        per\\_pagestring\\[]Optional => per_page => type=string[]
        ownerobject · PersonRequired => owner => type=object required=true
        sourceone ofRequired => source => type=one of
        sourceany of[]Optional => source => type=any of[]
        mixall ofOptional => mix => type=all of
        kindconst: volumeRequired => kind => type=string enum=volume
        kindconst: 2Required => kind => type=integer enum=2
        valueanyOptional => value => type=any
        isRequiredbooleanOptional => isRequired => required=false
        lockedUntilstringOptional => lockedUntil => type=string
        X-Some-HeaderstringOptional => X-Some-Header => type=string
        Snapshot sizeintegerOptional => Snapshot size => type=integer
        countintegerOptionalDefault: 3 => count => default=3
        listinteger[]OptionalExample: [1, 2] => list => example=12
        daysstring · date[]Optional => days => type=string[]
        daysstring[] · dateOptional => days[] => format=date";
    let facts = Regex::new(r" (\w+=)").expect("a regular expression");
    for line in table.lines().skip(1) {
        let [row, name, expected] = line
            .trim_start_matches(' ')
            .split(" => ")
            .collect::<Vec<_>>()
            .try_into()
            .expect("three");
        let expected = facts.replace_all(expected, "\n$1");
        let expected = expected.lines().map(|fact| format!("body.{name}: {fact}"));
        let expected: Vec<String> = expected.collect();
        assert_states(&body(row), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn a_copied_text_is_read_whatever_its_form() {
    for (text, expected) in [
        // The lines below a row belong to it, and a value ends where the next is joined with it.
        (
            page_with(
                "Query parameters\norderstringOptional\n\nHow\n\nDefault: ascPossible values:\n\nascdesc\n\
                 statestring · enumOptionalExample: OriginatedPossible values:\n\
                 codestringOptional\nExample: `a b`Pattern: `^a`\ncountintegerOptional\n\nExample: 3\n\nDefault: 1\n\
                 Responses\n200\nNo content\n",
            ),
            &[
                "query order: default=asc", "query order: enum=", "query state: example=Originated",
                "query state: enum=", "query code: example=a b", "query code: pattern=^a",
                "query count: example=3", "query count: default=1",
            ][..],
        ),
        // Names of icons are not part of the text after them.
        (
            "brackets-curlyAPI\nTitle\n\npost\n\nlockAuthorizations\nAuthorizationstringRequired\nBearer <token>\n\
             hashtagPath parameters\nlockidstringRequired\nplus\nBodyapplication/json\ncircle-info\n\
             astringOptional\nchevron-downResponses\nchevron-right200\nNo content\nchevron-right\n404\npost\n/a/{id}/b\n"
                .to_owned(),
            &["security=bearer", "path lockid: type=string", "body.a: type=string", "answer 200: content={}"],
        ),
        // A body may be a list, and properties may have no name.
        (
            body("[]\naidstringRequired\nOther propertiesstringOptional").replace("Body\n", "Body"),
            &["body: type=object[]", "body[].aid: type=string", "body[]{}: type=string"],
        ),
        (body("object[]application/json\naidstringRequired").replace("Body\n", "Body"), &["body[].aid: type=string"]),
        (answer("string[]Optional"), &["answer 200: type=string[]"]),
        // Alternatives are counted, and read if they are not folded.
        (
            body("sourceone ofRequired\n\nWords\n\nor\n\nor\nnamestringOptional"),
            &["body.source: type=one of", "body.name: type=string"],
        ),
        (
            body("sourceone ofRequired\naidstringRequired\nor\nbidstringRequired"),
            &["body.source|1.aid: required=true", "body.source|2.bid: required=true"],
        ),
        (body("one ofRequired\naidstringRequired\nor\nbidstringRequired"), &["body|2.bid: type=string"]),
    ] {
        assert_states(&text, expected);
    }
    let source = read(&body("sourceone ofRequired\n\nor\n\nor\nnamestringOptional"));
    let alternatives = source.facts.map.keys().filter(|place| place.holder() == "oneOf").count();
    assert_eq!(alternatives, 3);
}

#[test]
fn a_copied_text_agrees_with_a_spec_that_resolves_what_is_ambiguous() {
    let string = || json!({ "type": "string" });
    let examples = json!({
        "size": { "type": "integer", "example": 1 }, "note": { "type": "string", "example": "x" },
    });
    let mut agreeing = vec![];
    // A name that ends like a type is split after a name in the spec.
    for (name, kind) in
        [("platform", "string"), ("locked", "boolean"), ("kindDiscriminator", "string")]
    {
        let spec = spec_with(&json!({ name: { "type": kind } }));
        agreeing.push((spec, body(&format!("{name}{kind}Optional"))));
    }
    // A stray space does not make prose of a row.
    for row in [
        "note stringOptional",
        "notestring Optional",
        "note string Optional",
        "note string optional",
    ] {
        let rows = format!("sizeintegerOptional\n\nExample: 1\n{row}\n\nExample: x");
        agreeing.push((spec_with(&examples), body(&rows)));
    }
    // What is folded is silent and not removed.
    let alternatives = json!({ "oneOf": [object(), string()] });
    agreeing.push((spec_of_body(&alternatives), body("one ofRequired\n\nor")));
    for (shown, schema) in [
        ("plusHeadersobject\nplusResponseobject", object()),
        ("Responseobject\nShow propertiesplus", object()),
        ("plus\nResponseobject[]", json!({ "type": "array", "items": object() })),
        ("Responseone of\nor", json!({ "oneOf": [object(), { "type": "object" }] })),
        (
            "sizeobjectOptional\nShow properties",
            json!({ "type": "object", "properties": { "size": object() } }),
        ),
    ] {
        agreeing.push((spec_of_answer(&schema), answer(shown)));
        assert!(
            !differences(&spec_of_answer(&string()), &answer(shown)).is_empty(),
            "the type is shown"
        );
    }
    // Folded headers of an answer do not hide rows of its body.
    for headers in ["Headers", "plusHeadersobject\nBody"] {
        agreeing
            .push((spec_of_answer(&object()), answer(&format!("{headers}\nsizeintegerRequired"))));
    }
    // A badge is no part of what it is glued to.
    let kinds = json!({ "source": { "oneOf": [
        { "type": "object", "properties": { "kind": string(), "id": string() } },
        { "type": "object", "properties": { "kind": string() } },
    ], "discriminator": { "propertyName": "kind" } } });
    let rows = "sourceone ofOptional\nkindDiscriminatorstringOptional\nidstringOptional\nor\nkindDiscriminatorstringOptional";
    agreeing.push((spec_with(&kinds), body(rows)));
    // A row without the label of its section is placed by path and spec.
    let unlabelled = operation(&json!({
        "parameters": [
            { "name": "id", "in": "path", "required": true, "schema": string() },
            { "name": "X-Sub", "in": "header", "schema": string() },
        ],
        "requestBody": content(&json!({ "type": "object", "properties": { "size": { "type": "integer" } } })),
        "responses": { "200": {} },
    }));
    for (before, after) in [("", ""), ("Authorizations\n", ""), ("", "Path parameters\n")] {
        let rows = "idstringRequired\nX-SubstringOptional\nsizeintegerOptional\n";
        let rows = format!("{before}AuthorizationstringRequired\nBearer\n{after}{rows}");
        agreeing
            .push((unlabelled.clone(), page_with(&format!("{rows}Responses\n200\nNo content"))));
    }
    for (spec, text) in agreeing {
        assert_eq!(differences(&spec, &text), [], "{text}");
    }
}

#[test]
fn a_copied_text_that_shows_something_else_differs() {
    // The label of a section wins over what the spec expects.
    let text = page_with("Query parameters\nsizeintegerOptional\nResponses\n200\nNo content");
    let place = Pointer::operation("post", "/a/{id}/b");
    let expected = [
        Difference::Added { place: place.then(&["parameters", "query size"]) },
        Difference::Removed { place: place.then(&["requestBody"]) },
    ];
    assert_eq!(differences(&spec_with(&json!({ "size": { "type": "integer" } })), &text), expected);
    assert_eq!(
        differences(&spec_of_body(&object()), &body("")).len(),
        1,
        "its properties are gone"
    );
    let empty = page_with("Responses\n200\nNo content");
    assert_eq!(differences(&spec_of_answer(&object()), &empty).len(), 1, "all content is gone");
    // Of several renamed properties of one type, those with similar names are the same.
    let spec =
        spec_with(&json!({ "deviceName": { "type": "string" }, "id": { "type": "string" } }));
    let renamed = differences(&spec, &body("instanceIdstringOptional\ndevicestringOptional"));
    let renamed = renamed.iter().map(|it| match it {
        Difference::Moved { place, to } => (place.name(), to.name()),
        other => panic!("{other:?}"),
    });
    let pairs = [("deviceName", "device"), ("id", "instanceId")];
    let pairs = pairs.map(|(name, new)| (Some(name.to_owned()), Some(new.to_owned())));
    assert_eq!(renamed.collect::<Vec<_>>(), pairs);
    // What follows the title is shown.
    let shown = answer("chevron-downResponseobject\nnamestringOptional");
    assert_eq!(differences(&spec_of_answer(&object()), &shown).len(), 2, "one is gone, one is new");
    assert_eq!(
        differences(&spec_of_answer(&object()), &answer("Headers\nsizestringRequired")).len(),
        1
    );
    for badge in [
        "Deprecated",
        "Deprecated\nThis operation is deprecated and will be sunset on 2026-01-01.",
        "lockDeprecated",
    ] {
        let first = "post\nResponses\n200\nNo content\npost\n/first\n";
        let page = read(&format!("{first}{badge}\n{}", page_with("Responses\n200\nNo content")));
        let deprecated = |place: &Pointer| page.facts.is(place, "deprecated");
        assert!(
            deprecated(&place) && !deprecated(&Pointer::operation("post", "/first")),
            "{badge}"
        );
    }
}

#[test]
fn method_and_path_may_be_joined_and_stand_first_or_last() {
    let body = "Body\nastringOptional\nResponses\n200\nNo content\n";
    for text in [
        format!("T\npost\n{body}post\n/a\nT\nget\nResponses\n200\nget\n/b\n"),
        format!("T\npost/a\n{body}T\nget/b\nResponses\n200\n"),
        format!("T\nPOST /a\n{body}post\n/a\nT\nGET /b\nResponses\n200\nget\n/b\n"),
    ] {
        let page = read(&text);
        let operations: Vec<String> = page.facts.operations().map(ToString::to_string).collect();
        assert_eq!(operations, ["POST /a", "GET /b"]);
        assert_states(&text, &["body.a: type=string"]);
    }
}

#[test]
fn what_can_not_be_read_is_reported_with_its_line() {
    let spec = spec_with(&json!({ "size": { "type": "integer" }, "start": { "type": "string" } }));
    for (lines, line, expected) in [
        ("Body\nfoomapOptional\nResponses\n200\n", 8, "`foomapOptional` looks like a row"),
        ("strayobjectOptional\nBody\nResponses\n200\n", 7, "`stray` is in no section"),
        ("Responses\n200\nHeaders\nunknownstringOptional\n", 10, "`unknown` is in no section"),
        ("Body\nsizeinteger\nResponses\n200\n", 8, "`size` is neither `Required` nor `Optional`"),
        ("nothing at all", 9, "there is no section below it"),
        (
            "Body\nsizeintegerOptional\nExample: 1\nSome string required\nExample: x\n",
            11,
            "stated twice",
        ),
        ("Body\nstartintegerOptional\nstartstringOptional\n", 9, "start` is stated twice"),
        (
            "Body\nsizeintegerOptional\nstart mapOptional\n",
            9,
            "`start mapOptional` looks like a row",
        ),
    ] {
        let text = format!("{}\nget\nResponses\nget\n/b\n", page_with(lines));
        let (at, found) = problem(&text, &spec);
        assert!(at == line && found.contains(expected), "{lines}: {at} {found}");
    }
    // A line with the form of a row is not prose.
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
        let text = body(&format!("{row}\nDefault: 1"));
        let page = Page::read(text.as_bytes(), &spec).expect("a page");
        assert_eq!(page.unreadable.len(), 1, "{row}: {:?}", page.unreadable);
    }
    for prose in ["It is required", "A string, optional", "start", "string", "unrequired work"] {
        assert_eq!(read(&body(prose)).unreadable, [], "{prose}");
    }
    let page = read("get\nBody\npost\nResponses\n200\npost\n/a\npost\nResponses\n201\npost\n/a\n");
    let problems: Vec<_> = page.unreadable.iter().map(|place| &*place.problem).collect();
    assert_eq!(
        problems,
        ["`get` is not followed by a path", "POST /a is described twice, in different ways"]
    );
}

/// A page of Markdown with this fence.
fn fenced(fence: &str) -> String {
    format!("# API\n\n## Title\n\n> Words\n\n```json\n{fence}\n```\n")
}

const FENCE: &str = r##"{"paths":{"/a":{"get":{"parameters":[{"$ref":"#/components/parameters/P"}],"responses":{"200":{"description":"x"}}}}},"components":{"parameters":{"P":{"name":"p","in":"query","schema":{"$ref":"#/components/schemas/S","nullable":true}}},"schemas":{"S":{"type":"string"}}}}"##;

fn block(method: &str, path: &str) -> String {
    format!(
        "\n{{% openapi-operation spec=\"x\" path=\"{path}\" method=\"{method}\" %}}\n[x](https://x)\n{{% endopenapi-operation %}}\n"
    )
}

#[test]
fn a_fence_is_read_whatever_surrounds_it() {
    for text in [
        fenced(FENCE),
        format!("````json\n{FENCE}\n````\n"),
        format!("~~~\n{FENCE}\n~~~\n"),
        format!(
            "> lone\n>\n\n```rust\nfn main() {{}}\n```\n```json\n{{\"a\":1}}\n```\n```json\n{{ \"compilerOptions\": {{ \"paths\": {{}}, ... }} }}\n```\n{}",
            fenced(FENCE)
        ),
        fenced(&FENCE.replace("\":", "\":\n").replace(",\"", ",\n\"")),
        format!("\u{feff}{}", fenced(FENCE).replace('\n', "\r\n")),
        fenced(&format!("{{\"openapi\":\"3.1.0\",{}", &FENCE[1..])),
        // Its document is in a fence.
        fenced(FENCE) + &block("GET", "/a"),
    ] {
        assert_states(
            &text,
            &["query p: type=string", "query p: nullable=true", "query p: required=false"],
        );
        assert_eq!(read(&text).shape, Shape::Markdown);
    }
    let place = Pointer::operation("get", "/a").then(&["parameters", "query p"]);
    assert_eq!(read(&fenced(FENCE)).facts.get(&place).expect("it").line, Some(8));
}

#[test]
fn what_means_the_same_agrees_and_what_nobody_has_thought_of_is_compared() {
    let document = |schema: &Value, members: &Value| {
        let mut operation = json!({ "requestBody": content(schema), "responses": { "200": {} } });
        operation
            .as_object_mut()
            .expect("one")
            .extend(members.as_object().expect("members").clone());
        json!({ "paths": { "/a": { "post": operation } } })
    };
    let string = json!({ "type": "string" });
    let query = |more: Value| {
        let mut query =
            json!({ "name": "q", "in": "query", "schema": { "type": "string", "example": "a" } });
        query.as_object_mut().expect("one").extend(more.as_object().expect("members").clone());
        json!({ "parameters": [query] })
    };
    let none = json!({});
    for (spec, page) in [
        (json!({ "type": "string", "nullable": true }), json!({ "type": ["string", "null"] })),
        (
            json!({ "type": "string", "nullable": true }),
            json!({ "anyOf": [string, { "type": "null" }] }),
        ),
        (json!({ "type": "string", "enum": ["a"] }), json!({ "const": "a" })),
        (
            json!({ "enum": ["a", "b"] }),
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
        (string.clone(), json!({ "allOf": [string], "description": "x", "deprecated": false })),
        (json!({ "type": "object" }), json!({ "type": "object", "additionalProperties": true })),
        (
            json!({ "items": string }),
            json!({ "type": "array", "items": string, "uniqueItems": false }),
        ),
        (
            json!({ "type": "array", "example": ["a"], "items": string }),
            json!({ "type": "array", "items": { "type": "string", "example": "a" } }),
        ),
        (
            json!({ "oneOf": [object(), { "type": "object", "properties": { "a": string } }] }),
            json!({ "oneOf": [{ "type": "object", "properties": { "a": string } }, object()] }),
        ),
    ] {
        let text = fenced(&document(&page, &none).to_string());
        assert_eq!(differences(&facts(&document(&spec, &none)), &text), [], "{page}");
    }
    for more in [
        json!({ "style": "form", "explode": true }),
        json!({ "required": false, "example": "a" }),
        json!({ "deprecated": false }),
    ] {
        let text = fenced(&document(&string, &query(more.clone())).to_string());
        assert_eq!(differences(&facts(&document(&string, &query(json!({})))), &text), [], "{more}");
    }
    let spec = facts(&document(&string, &none));
    for (schema, operation) in [
        (json!({ "type": "string", "contentEncoding": "base64" }), none.clone()),
        (json!({ "type": "string", "if": { "minLength": 1 } }), none.clone()),
        (string.clone(), json!({ "callbacks": { "done": {} } })),
        (string.clone(), json!({ "servers": [{ "url": "https://b.example" }] })),
        (string.clone(), json!({ "deprecated": true })),
        (string.clone(), json!({ "future": 1 })),
    ] {
        let text = fenced(&document(&schema, &operation).to_string());
        assert_eq!(differences(&spec, &text).len(), 1, "{schema} {operation}");
    }
    // Names of headers and of parameters in paths may be spelled differently.
    let named = |path: &str, header: &str| {
        let typed = |name: &str, kind: &str| json!({ "name": name, "in": "header", "schema": { "type": kind } });
        let parameters = [typed("X-Other", "string"), typed(header, "integer")];
        let answer = json!({ "headers": { header: { "schema": { "type": "integer" } } } });
        json!({ "paths": { path: { "post": { "parameters": parameters, "responses": { "200": answer } } } } })
    };
    let page = fenced(&named("/a/{thing}", "x-sub-account").to_string());
    assert_eq!(differences(&facts(&named("/a/{id}", "X-Sub-Account")), &page), []);
}

#[test]
fn nothing_is_removed_from_a_page_that_could_not_be_read_whole() {
    let spec = facts(&serde_json::from_str(FENCE).expect("JSON"));
    let fence = fenced(FENCE);
    let other = FENCE.replace("/a", "/b").replace("\"type\":\"string\"", "\"type\":\"integer\"");
    let cycle = FENCE.replace("{\"type\":\"string\"}", "{\"$ref\":\"#/components/schemas/S\"}");
    for (text, expected) in [
        (fenced(&FENCE.replace("\"S\":{", "\"T\":{")), "refers to `#/components/schemas/S`"),
        (fenced(&cycle), "refers to itself"),
        (fence.clone() + &fenced(&FENCE[..100]), "not JSON"),
        (fence.clone() + &fenced(&FENCE.replace("\"200\"", "\"201\"")), "described twice"),
        (fence.clone() + &fenced(&other), "the component `S` is described twice"),
        (fence.clone() + FENCE, "outside of a fence"),
        (fenced(&FENCE[..60]), "not JSON"),
        (
            fenced(&FENCE.replace("[{\"$ref\":\"#/components/parameters/P\"}]", "{}")),
            "of another kind",
        ),
        (
            fenced(&FENCE.replace("parameters/P\"}", "parameters/Q\"}")),
            "refers to `#/components/parameters/Q`",
        ),
        (fenced("{\"paths\":[]}"), "of another kind"),
        (fenced("{\"paths\":{\"/a\":{\"$ref\":\"#/b\"}}}"), "refers to `#/b`"),
        (fence.replace("```json\n", "") + &fence.replace("/a", "/b"), "outside of a fence"),
        (fence.replace("\n```\n", "\n") + &fence, "not JSON"),
        (fence.replace("/a", "/b") + &block("get", "/a"), "GET /a stands in a block"),
        (block("get", "/a").replace("openapi-operation", "openapi"), "GET /a stands in a block"),
        (block("get", "").replace("path=\"\"", ""), "without `path` and `method`"),
    ] {
        let (_, found) = problem(&text, &spec);
        assert!(found.contains(expected), "{expected}: {found}");
        let mut page = Page::read(text.as_bytes(), &spec).expect("a page");
        let mut differences = page.compare(&spec).differences;
        differences.retain(|difference| matches!(difference, Difference::Removed { .. }));
        assert_eq!(differences, [], "{text}");
    }
    // The page has an operation that stands only in a block, and shows nothing of it.
    let page = (fence + &block("POST", "/b/{c}")).into_bytes();
    let place = Pointer::operation("post", "/b/{c}");
    let differences = Page::read(&page, &spec).expect("a page").compare(&spec).differences;
    assert_eq!(differences, [Difference::Added { place }]);
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
    assert!(doubled.unreadable.iter().any(|it| it.problem.contains(problem)));
    assert!(doubled.facts.map.len() < 30_000, "{}", doubled.facts.map.len());
    for page in [
        fenced(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))),
        body(&"200\n".repeat(20_000)),
        body(&format!("sone ofRequired\n{}", "aanyOptional\n".repeat(20_000))),
        body(&"oobjectOptional\n".repeat(20_000)),
        page_with(&"astringRequiredExample:".repeat(20_000)),
    ] {
        let _ = Page::read(page.as_bytes(), &Facts::default());
    }
}

#[test]
fn a_byte_that_is_not_utf8_is_named_and_the_rest_is_read() {
    for (page, line, at) in [(body("astringOptional"), 1, 3), (fenced(FENCE), 5, 17)] {
        let mut bytes = page.clone().into_bytes();
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
        let plain = |facts: &Facts| {
            let mut map = facts.map.clone();
            for fact in map.values_mut() {
                (fact.line, fact.origin) = (None, String::new());
            }
            map
        };
        assert_eq!(plain(&facts(&page.document)), plain(&page.facts));
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
    let names = "platform substring company isRequired isOptional lockId plusOne typeobject oneofany Deprecated Example per_page";
    let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
    prop_oneof!["[a-z][a-zA-Z0-9_]{0,9}", proptest::sample::select(names)]
}

fn scalar() -> impl Strategy<Value = Value> {
    use proptest::option::of;
    let string = (
        of(proptest::sample::select(vec!["date-time", "uuid", "byte"])),
        of("[a-zA-Z0-9-]{1,8}"),
        of(proptest::collection::btree_set("[a-z]{1,5}", 1..4)),
    );
    let string = string.prop_map(|(format, example, values)| {
        json!({ "type": "string", "format": format, "example": example, "enum": values })
    });
    let number =
        (any::<bool>(), of(0..100_i32), of(0..9_i32)).prop_map(|(integer, default, minimum)| {
            let kind = if integer { "integer" } else { "number" };
            json!({ "type": kind, "default": default, "minimum": minimum })
        });
    let flag = any::<bool>().prop_map(|default| json!({ "type": "boolean", "default": default }));
    (prop_oneof![string, number, flag], any::<[bool; 3]>()).prop_map(|(mut schema, flags)| {
        for (word, set) in ["readOnly", "nullable", "deprecated"].into_iter().zip(flags) {
            schema[word] = set.then_some(true).into();
        }
        schema.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
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
