//! Every keyword of OpenAPI 3.0 is compared and has an edit, or is listed as not compared.

use crate::edit::apply;
use crate::render::{self, Variations};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use xtask::contract::keywords::{self, Compared, OBJECTS};
use xtask::contract::{Difference, Facts, Spec, compare, openapi};
use xtask::drift::edit::Editor;
use xtask::files;
use xtask::page::{Page, Shape};

/// The keywords of OpenAPI 3.0.3 by the kind of object, as its specification lists them.
const OF_OPENAPI: [(&str, &str); 7] = [
    (
        "operation",
        "tags summary description externalDocs operationId parameters requestBody responses callbacks deprecated \
         security servers",
    ),
    (
        "parameter",
        "name in description required deprecated allowEmptyValue style explode allowReserved schema example examples \
         content",
    ),
    ("request body", "description content required"),
    ("response", "description headers content links"),
    (
        "header",
        "description required deprecated allowEmptyValue style explode allowReserved schema example examples content",
    ),
    ("media type", "schema example examples encoding"),
    (
        "schema",
        "title multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems \
         minItems uniqueItems maxProperties minProperties required enum type allOf oneOf anyOf not items properties \
         additionalProperties description format default nullable discriminator readOnly writeOnly xml externalDocs \
         example deprecated",
    ),
];

const SPEC: &str = r##"openapi: 3.0.3
servers:
  - url: https://a.example
security:
  - bearer: []
paths:
  /a/{id}:
    post:
      operationId: a
      parameters:
        - name: id
          in: path
          required: true
          schema:
            type: string
        - name: filter
          in: query
          description: Which.
          schema:
            type: array
            items:
              type: string
      requestBody:
        description: The body.
        content:
          application/json:
            schema:
              $ref: "#/components/schemas/Body"
      responses:
        "200":
          description: Done.
          content:
            application/json:
              schema:
                type: object
                properties:
                  text:
                    type: string
        "404":
          description: Gone.
          headers:
            X-Reason:
              schema:
                type: string
components:
  securitySchemes:
    bearer:
      type: http
      scheme: bearer
  schemas:
    Body:
      type: object
      properties:
        text:
          type: string
        number:
          type: number
        list:
          type: array
          items:
            type: string
        object:
          type: object
          description: It has one.
          properties:
            inner:
              type: string
        choice:
          oneOf:
            - $ref: "#/components/schemas/One"
            - $ref: "#/components/schemas/Other"
    One:
      type: object
      properties:
        one:
          type: string
    Other:
      type: object
      properties:
        other:
          type: string
"##;

/// A value of each keyword, and the object of [`SPEC`] that gets it. Some keywords have several.
fn samples() -> Vec<(&'static str, String, String, Value)> {
    let operation = "/paths/~1a~1{id}/post";
    let body = format!("{operation}/requestBody");
    let found = format!("{operation}/responses/200");
    let gone = format!("{operation}/responses/404");
    let media = "content/application~1json";
    let mut all = Vec::new();
    let mut add = |object, at: &str, pairs: Value| {
        for (keyword, value) in pairs.as_object().expect("pairs") {
            all.push((object, at.to_owned(), keyword.clone(), value.clone()));
        }
    };
    let schema = json!({ "type": "string" });
    add(
        "operation",
        operation,
        json!({
            "parameters": [{ "name": "id", "in": "path", "required": true, "schema": schema }],
            "requestBody": null, "responses": { "200": { "description": "Done." } },
            "security": [{}, { "bearer": [] }], "deprecated": true, "servers": [], "callbacks": {},
            "operationId": "b", "tags": [], "summary": "x", "description": "x", "externalDocs": {},
        }),
    );
    for (object, at) in [
        ("parameter", format!("{operation}/parameters/1")),
        ("header", format!("{gone}/headers/X-Reason")),
    ] {
        add(
            object,
            &at,
            json!({
                "required": true, "deprecated": true, "explode": object == "header",
                "allowReserved": true, "allowEmptyValue": true, "schema": { "type": "integer" }, "example": "x",
                "examples": { "one": { "value": "x" } }, "description": "x",
                "content": { "application/json": { "schema": schema } },
            }),
        );
    }
    let parameter = format!("{operation}/parameters/1");
    add("parameter", &parameter, json!({ "name": "x", "in": "header", "style": "pipeDelimited" }));
    add("header", &format!("{gone}/headers/X-Reason"), json!({ "style": "label" }));
    let other =
        json!({ "application/json": { "schema": schema }, "text/plain": { "schema": schema } });
    add("request body", &body, json!({ "required": true, "content": other, "description": "x" }));
    add(
        "response",
        &found,
        json!({ "content": other, "headers": { "X-A": { "schema": schema } } }),
    );
    add("response", &found, json!({ "content": {} }));
    add(
        "response",
        &gone,
        json!({ "content": { "application/json": { "schema": { "type": "object" } } } }),
    );
    add("response", &gone, json!({ "headers": {}, "links": {}, "description": "x" }));
    let content = json!({ "example": "x", "examples": {}, "encoding": {}, "schema": { "type": "array", "items": schema } });
    add("media type", &format!("{body}/{media}"), content);
    of_schemas(&mut add);
    all
}

fn of_schemas(add: &mut impl FnMut(&'static str, &str, Value)) {
    let property = |name: &str| format!("/components/schemas/Body/properties/{name}");
    let schema = json!({ "type": "string" });
    add(
        "schema",
        &property("text"),
        json!({
            "type": "integer", "format": "date", "enum": ["a", "b"], "pattern": "^a: #b$", "minLength": 1,
            "maxLength": 255, "default": "x", "nullable": true, "readOnly": true, "writeOnly": true,
            "deprecated": true, "not": { "enum": ["x"] }, "example": "x", "title": "x", "description": "x",
            "externalDocs": {}, "xml": {}, "allOf": [{ "minLength": 1 }, { "maxLength": 2 }],
        }),
    );
    add("schema", &property("text"), json!({ "enum": ["a", null], "default": null }));
    add(
        "schema",
        &property("number"),
        json!({
            "minimum": 1, "exclusiveMinimum": true, "maximum": 2.5, "exclusiveMaximum": true, "multipleOf": 2,
            "default": 0, "type": "array",
        }),
    );
    add(
        "schema",
        &property("list"),
        json!({ "minItems": 1, "maxItems": 2, "uniqueItems": true, "default": [], "items": { "type": "integer" } }),
    );
    for items in [
        json!({ "minLength": 1, "enum": ["a"] }),
        json!({ "nullable": true, "default": "x" }),
        json!({ "type": "object" }),
    ] {
        add("schema", &format!("{}/items", property("list")), items);
    }
    add(
        "schema",
        &property("object"),
        json!({
            "minProperties": 1, "maxProperties": 2, "required": ["inner"], "additionalProperties": false,
            "properties": { "inner": schema, "new": { "type": "array", "minItems": 1, "items": { "type": "string",
                "maxLength": 9, "pattern": "x" } } },
        }),
    );
    add("schema", &property("object"), json!({ "additionalProperties": schema, "properties": {} }));
    let third = json!({ "type": "object", "properties": { "third": schema } });
    let one = json!({ "$ref": "#/components/schemas/One" });
    add(
        "schema",
        &property("choice"),
        json!({
            "oneOf": [one, { "$ref": "#/components/schemas/Other" }, third], "anyOf": [one, third],
            "discriminator": { "propertyName": "kind" },
        }),
    );
    add("schema", &property("choice"), json!({ "oneOf": [one] }));
}

/// The page that states what the document does.
fn page(document: &Value) -> Page {
    let mut facts = Facts::default();
    assert_eq!(openapi::read(document, &|_| None, &mut facts), [], "{document}");
    Page { shape: Shape::Markdown, facts, unreadable: Vec::new() }
}

/// The differences of `document` from the spec in `text`, and the text with their edits.
fn follow(text: &str, document: &Value) -> (Vec<Difference>, String) {
    let spec = Spec::parse(text.to_owned()).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    let mut page = page(document);
    let differences = compare(&spec.facts, &mut page).differences;
    let editor = Editor::new(&spec, &page.facts, &differences);
    let hunks = differences.iter().flat_map(|difference| {
        editor.hunks(difference).unwrap_or_else(|| panic!("no edit: {difference:?}"))
    });
    let edited = apply(text, &hunks.collect::<Vec<_>>());
    (differences, edited)
}

#[test]
fn every_keyword_is_compared_and_edited_or_listed_as_not_compared() {
    let base = Spec::parse(SPEC.to_owned()).expect("a spec").value().clone();
    let mut covered = BTreeSet::new();
    for (object, at, keyword, value) in samples() {
        let mut document = base.clone();
        let owner = document.pointer_mut(&at).and_then(Value::as_object_mut).expect(&at);
        // A schema has one of these, and so has a parameter.
        let groups = [["oneOf", "anyOf"], ["schema", "content"]];
        for other in groups.iter().filter(|group| group.contains(&&*keyword)).flatten() {
            owner.remove(*other);
        }
        if value.is_null() && keyword == "requestBody" {
            owner.remove(&*keyword);
        } else {
            owner.insert(keyword.clone(), value.clone());
        }
        let name = format!("{keyword} of {object}: {value}");
        let keywords = OBJECTS.iter().find(|(other, _)| *other == object).expect("an object").1;
        let how = keywords::compared(keywords, &keyword).expect(&name);
        covered.insert((object, keyword.clone()));
        let (differences, edited) = follow(SPEC, &document);
        if let Compared::Not(_) = how {
            assert_eq!(differences, [], "{name}");
            assert!(page(&document).facts.not_compared.contains(&keyword), "{name}");
            continue;
        }
        assert!(!differences.is_empty(), "{name} is not compared");
        if let Compared::Value(aspect) | Compared::OfScalar(aspect) | Compared::Flag(aspect) = how {
            assert_eq!(aspect.keyword(), keyword);
            let states_it = |difference: &Difference| match difference {
                Difference::Changed { aspect: other, .. } => *other == aspect,
                // The items of an array get a place of their own.
                _ => at.ends_with("/items"),
            };
            assert!(differences.iter().all(states_it), "{name}: {differences:?}");
        }
        let (left, _) = follow(&edited, &document);
        assert_eq!(left, [], "{name}\n{edited}");
        // And back.
        let (_, back) = follow(&edited, &base);
        let (left, _) = follow(&back, &base);
        assert_eq!(left, [], "{name}, undone\n{back}");
        // Descriptions stay.
        for (part, description) in
            [("/parameters/1", "Which."), ("/properties/object", "It has one.")]
        {
            assert!(!at.ends_with(part) || edited.contains(description), "{name}\n{edited}");
        }
    }
    for ((object, keywords), (named, listed)) in OBJECTS.iter().zip(OF_OPENAPI) {
        assert_eq!(*object, named);
        let listed: BTreeSet<&str> = listed.split_whitespace().collect();
        let own: BTreeSet<&str> = keywords
            .iter()
            .filter(|(_, how)| !matches!(how, Compared::As(how) if how.starts_with("OpenAPI 3.1")))
            .map(|(keyword, _)| *keyword)
            .collect();
        assert_eq!(own, listed, "the keywords of a {object}");
        for keyword in listed {
            assert!(
                covered.contains(&(object, keyword.to_owned())),
                "no sample: {keyword} of {object}"
            );
        }
    }
}

#[test]
fn the_table_of_keywords_is_in_the_readme() {
    let readme = files::read(&files::root(), "xtask/README.md").expect("the README");
    assert!(
        readme.contains(&keywords::table()),
        "put this into xtask/README.md:\n{}",
        keywords::table()
    );
}

#[test]
fn a_keyword_of_a_later_version_is_listed_as_not_compared() {
    let mut document = Spec::parse(SPEC.to_owned()).expect("a spec").value().clone();
    let text = document.pointer_mut("/components/schemas/Body/properties/text").expect("it");
    text["contentEncoding"] = json!("base64");
    assert!(page(&document).facts.not_compared.contains("contentEncoding"));
}

#[test]
fn a_limit_in_a_copied_text_gets_the_keyword_of_its_type() {
    let spec = Spec::parse(SPEC.to_owned()).expect("a spec");
    let mut document = spec.value().clone();
    let properties = document.pointer_mut("/components/schemas/Body/properties").expect("it");
    properties["text"]["maxLength"] = json!(255);
    properties["number"]["maximum"] = json!(10);
    properties["list"]["minItems"] = json!(1);
    let text = render::text(&page(&document).facts, Variations::default());
    let mut page = Page::read(text.as_bytes(), &spec.facts).expect("a page");
    let differences = compare(&spec.facts, &mut page).differences;
    let editor = Editor::new(&spec, &page.facts, &differences);
    let hunks: Vec<_> =
        differences.iter().flat_map(|it| editor.hunks(it).expect("an edit")).collect();
    let edited = apply(SPEC, &hunks);
    for line in ["          maxLength: 255\n", "          maximum: 10\n", "          minItems: 1\n"]
    {
        assert!(edited.contains(line), "{line}: {edited}");
    }
    assert_eq!(differences.len(), 3, "{differences:?}");
}
