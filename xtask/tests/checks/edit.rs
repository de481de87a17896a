//! The edits of openapi.yaml, applied.

use serde_json::{Value, json};
use xtask::contract::{Facts, Spec, compare, openapi};
use xtask::drift::edit::Editor;
use xtask::page::{Page, Shape};
use xtask::report::{self, Hunk};

/// The text with all hunks applied.
pub(crate) fn apply(text: &str, hunks: &[Hunk]) -> String {
    report::apply(text, hunks).expect("a hunk shows what it removes")
}

const SPEC: &str = r##"openapi: 3.0.3
paths:
  /a/{id}:
    post:
      operationId: a
      parameters:
        - name: id
          in: path
          required: true
          description: >
            Which one.
          schema:
            type: string
        - name: first
          in: query
          description: |
            A text.

            - of several paragraphs
          schema:
            type: string
      requestBody:
        required: true
        content:
          application/json:
            schema:
              $ref: "#/components/schemas/Body"
      responses:
        "200":
          description: >
            Done.
components:
  schemas:
    Empty:
      type: object
      description: |
        Nothing yet.
    Body:
      type: object
      properties:
        gone:
          type: string
          description: >-
            Folded, with a
              deeper line and

            # no comment.
        empty:
          $ref: "#/components/schemas/Empty"
        kept:
          type: string
          default: one
          description: >
            The last
            property.
"##;

/// The text of [`SPEC`] with the edits that make it say what `change` makes of its document.
pub(crate) fn edited(change: impl Fn(&mut Value)) -> String {
    let spec = Spec::parse(SPEC.to_owned()).expect("a spec");
    let mut document = spec.value().clone();
    change(&mut document);
    let read = || {
        let mut facts = Facts::default();
        assert_eq!(openapi::read(&document, &|_| None, &mut facts), []);
        Page { shape: Shape::Markdown, facts, unreadable: Vec::new() }
    };
    let mut page = read();
    let differences = compare(&spec.facts, &mut page).differences;
    assert!(!differences.is_empty());
    let editor = Editor::new(&spec, &page.facts, &differences);
    let hunks = differences.iter().flat_map(|it| editor.hunks(it).expect("an edit"));
    let text = apply(SPEC, &hunks.collect::<Vec<_>>());
    let spec = Spec::parse(text.clone()).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(compare(&spec.facts, &mut read()).differences, [], "{text}");
    text
}

const BODY: &str = "/components/schemas/Body";

#[test]
fn an_edit_below_a_text_of_several_lines_stays_out_of_the_text() {
    let text = edited(|document| {
        document["components"]["schemas"]["Empty"]["properties"] = json!({
            "one": { "type": "string" }, "two": { "type": "string" },
        });
        document["components"]["schemas"]["Empty"]["required"] = json!(["one", "two"]);
        let body = document.pointer_mut(BODY).expect("the body");
        body["properties"]["new"] = json!({ "type": "array", "items": { "type": "string" } });
        body["required"] = json!(["kept", "new"]);
        document["paths"]["/a/{id}"]["post"]["parameters"]
            .as_array_mut()
            .expect("a list")
            .push(json!({ "name": "second", "in": "query", "schema": { "type": "integer" } }));
        document["paths"]["/b"] =
            json!({ "get": { "responses": { "200": { "description": "x" } } } });
    });
    let document = Spec::parse(text).expect("YAML").value().clone();
    let at = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).expect("a text");
    assert_eq!(at(&format!("{BODY}/properties/kept/description")), "The last property.\n");
    assert_eq!(at("/paths/~1a~1{id}/post/responses/200/description"), "Done.\n");
    let paragraphs = "A text.\n\n- of several paragraphs\n";
    assert_eq!(at("/paths/~1a~1{id}/post/parameters/1/description"), paragraphs);
}

#[test]
fn a_text_of_several_lines_is_removed_whole() {
    let text = edited(|document| {
        let body = document.pointer_mut(BODY).expect("the body");
        body["properties"].as_object_mut().expect("properties").remove("gone");
        body["properties"]["kept"]["default"] = json!("two");
        document["paths"]["/a/{id}"]["post"]["parameters"]
            .as_array_mut()
            .expect("a list")
            .remove(1);
    });
    assert!(!text.contains("comment") && !text.contains("paragraphs"), "{text}");
    assert!(
        text.contains("default: two\n          description: >\n            The last\n"),
        "{text}"
    );
}

#[test]
fn a_parameter_that_moves_keeps_its_description_and_takes_its_name_along_in_the_path() {
    let text = edited(|document| {
        let paths = document["paths"].as_object_mut().expect("paths");
        let mut path = paths.remove("/a/{id}").expect("the path");
        path["post"]["parameters"][0]["name"] = json!("thing");
        path["post"]["parameters"][1]["in"] = json!("header");
        paths.insert("/a/{thing}".to_owned(), path);
    });
    assert!(text.contains("  /a/{thing}:\n    post:\n"), "{text}");
    assert!(text.contains("name: thing\n          in: path\n"), "{text}");
    let description =
        "required: false\n          description: \"A text.\\n\\n- of several paragraphs\\n\"\n";
    assert!(text.contains(description), "{text}");
}

#[test]
fn all_members_of_a_mapping_are_removed_or_replaced_together() {
    let all_but = |names: Value| {
        edited(|document| {
            document.pointer_mut(BODY).expect("the body")["properties"] = names.clone();
        })
    };
    let none = all_but(json!({}));
    assert!(none.ends_with("    Body:\n      type: object\n"), "{none}");
    let other = all_but(json!({ "one": { "type": "boolean" }, "two": { "type": "number" } }));
    assert!(other.contains("        one:\n          type: boolean\n"), "{other}");
}
