//! What a difference breaks.

use serde_json::{Value, json};
use xtask::docs::impact::breaks;
use xtask::document::{Difference, Facts, Pointer, Within, flatten};

#[test]
fn a_change_breaks_the_wire_or_the_build_or_both_or_neither() {
    let operation = Pointer::operation("post", "/a");
    let body = operation.then(&["requestBody"]);
    let answer = operation.then(&["responses", "200"]);
    let query = operation.parameter(Within::Query, "q");
    let content = |owner: &Pointer| owner.then(&["content", "application/json"]);
    let property = |owner: &Pointer| content(owner).then(&["schema"]).property("x");
    let (set, got) = (property(&body), property(&answer));
    let alternative = set.then(&["oneOf", "2"]);
    let none = Value::Null;
    // The place, the aspect, its value in the spec and on the page, and what breaks: on the wire, in the build.
    let table = [
        (&answer, "content", &json!({}), &none, false, true),
        (&answer, "content", &none, &json!({}), true, true),
        (&operation, "security", &json!("bearer"), &json!("bearer or none"), false, false),
        (&operation, "security", &json!("bearer or none"), &json!("bearer"), true, false),
        (&operation, "security", &json!("bearer"), &json!("basic"), true, false),
        (&operation, "deprecated", &none, &json!(true), false, false),
        (&got, "minimum", &none, &json!(1), false, false),
        (&set, "minimum", &none, &json!(1), true, false),
        (&set, "minimum", &json!(1), &json!(0), false, false),
        (&set, "maxItems", &json!(5), &json!(6), false, false),
        (&set, "maxItems", &json!(5), &json!(4), true, false),
        (&got, "format", &none, &json!("date-time"), false, true),
        (&got, "format", &json!("date-time"), &none, true, true),
        (&set, "format", &none, &json!("date-time"), true, true),
        (&set, "maxLength", &json!(5), &json!(9), false, false),
        (&got, "enum", &json!(["a"]), &json!(["a", "b"]), true, true),
        (&set, "enum", &json!(["a"]), &json!(["a", "b"]), false, true),
        (&set, "required", &json!(false), &json!(true), true, true),
        (&set, "required", &json!(true), &json!(false), false, true),
        (&got, "required", &json!(false), &json!(true), false, true),
        (&got, "required", &json!(true), &json!(false), true, true),
        (&body, "required", &json!(true), &json!(false), false, false),
        (&got, "type", &json!("integer"), &json!("number"), true, true),
        (&set, "type", &json!("integer"), &json!("number"), false, true),
        (&set, "default", &json!(1), &json!(2), true, false),
        (&set, "readOnly", &none, &json!(true), true, true),
        (&got, "readOnly", &none, &json!(true), false, false),
        (&set, "noAdditionalProperties", &none, &json!(true), true, false),
        (&got, "enum", &none, &json!("runtogether"), false, true),
        (&query, "explode", &none, &json!(false), true, false),
        (&set, "example", &none, &json!("x"), false, false),
    ];
    let facts = Facts::default();
    for (place, keyword, old, new, wire, build) in table {
        let stated = |value: &Value| Some(value.clone()).filter(|value| !value.is_null());
        let (place, spec, page) = (place.clone(), stated(old), stated(new));
        let difference = Difference::Changed { place, keyword: keyword.to_owned(), spec, page };
        let found = breaks(&facts, &facts, &difference);
        let both = (found.wire.is_some(), found.build.is_some());
        assert_eq!(both, (wire, build), "{difference:?}: {found:?}");
        assert_eq!(found.callers, wire || build);
    }

    let parameters = json!([{ "name": "q", "in": "query", "required": true }]);
    let document = json!({ "paths": { "/a": { "post": { "parameters": parameters } } } });
    let (page, _) = flatten(&document, &|_, _| None);
    for (difference, wire, build) in [
        (Difference::Added { place: query.clone() }, true, true),
        (Difference::Added { place: set.clone() }, false, false),
        (Difference::Added { place: got.clone() }, false, false),
        (Difference::Removed { place: set }, true, true),
        (Difference::Removed { place: got }, true, true),
        (Difference::Added { place: alternative }, false, true),
        (Difference::Added { place: content(&body) }, false, true),
        (Difference::Removed { place: content(&body) }, true, true),
        (Difference::Added { place: content(&answer) }, false, true),
        (Difference::Added { place: operation.clone() }, false, false),
        (Difference::Removed { place: operation }, true, true),
    ] {
        let found = breaks(&facts, &page, &difference);
        let both = (found.wire.is_some(), found.build.is_some());
        assert_eq!(both, (wire, build), "{difference:?}: {found:?}");
    }
}
