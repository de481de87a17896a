//! What a difference breaks.

use serde_json::{Value, json};
use xtask::contract::{Aspect, Difference, Facts, Place, Step, Within};
use xtask::drift::impact::breaks;

#[test]
fn a_change_breaks_the_wire_or_the_build_or_both_or_neither() {
    let operation = Place::operation("post", "/a");
    let body = operation.then(Step::Body);
    let answer = operation.then(Step::Answer("200".to_owned()));
    let query = operation.then(Step::Parameter { within: Within::Query, name: "q".to_owned() });
    let (set, got) = (body.property("x"), answer.property("x"));
    let none = Value::Null;
    let json_and_text = json!(["application/json", "text/plain"]);
    let only_json = json!(["application/json"]);
    // The place, the aspect, its value in the spec and on the page, and what breaks: on the wire, in the build.
    let table = [
        (&body, Aspect::Content, &only_json, &json_and_text, false, false),
        (&body, Aspect::Content, &json_and_text, &only_json, true, false),
        (&answer, Aspect::Content, &only_json, &json_and_text, true, false),
        (&answer, Aspect::Content, &json!([]), &only_json, false, true),
        (&answer, Aspect::Content, &only_json, &json!([]), true, true),
        (&operation, Aspect::Security, &json!("bearer"), &json!("bearer or none"), false, false),
        (&operation, Aspect::Security, &json!("bearer or none"), &json!("bearer"), true, false),
        (&operation, Aspect::Security, &json!("bearer"), &json!("basic"), true, false),
        (&operation, Aspect::Deprecated, &none, &json!(true), false, false),
        (&got, Aspect::Minimum, &none, &json!(1), false, false),
        (&set, Aspect::Minimum, &none, &json!(1), true, false),
        (&set, Aspect::Minimum, &json!(1), &json!(0), false, false),
        (&set, Aspect::MaxItems, &json!(5), &json!(6), false, false),
        (&set, Aspect::MaxItems, &json!(5), &json!(4), true, false),
        (&got, Aspect::Format, &none, &json!("date-time"), false, true),
        (&got, Aspect::Format, &json!("date-time"), &none, true, true),
        (&set, Aspect::Format, &none, &json!("date-time"), true, true),
        (&set, Aspect::MaxLength, &json!(5), &json!(9), false, false),
        (&got, Aspect::Enum, &json!(["a"]), &json!(["a", "b"]), true, true),
        (&set, Aspect::Enum, &json!(["a"]), &json!(["a", "b"]), false, true),
        (&set, Aspect::Required, &json!(false), &json!(true), true, true),
        (&set, Aspect::Required, &json!(true), &json!(false), false, true),
        (&got, Aspect::Required, &json!(false), &json!(true), false, true),
        (&got, Aspect::Required, &json!(true), &json!(false), true, true),
        (&body, Aspect::Required, &json!(true), &json!(false), false, false),
        (&got, Aspect::Type, &json!("integer"), &json!("number"), true, true),
        (&set, Aspect::Type, &json!("integer"), &json!("number"), false, true),
        (&set, Aspect::Default, &json!(1), &json!(2), true, false),
        (&set, Aspect::ReadOnly, &none, &json!(true), true, true),
        (&got, Aspect::ReadOnly, &none, &json!(true), false, false),
        (&set, Aspect::AdditionalProperties, &none, &json!(false), true, false),
        (&set, Aspect::Alternatives, &json!(2), &json!(3), false, true),
        (&query, Aspect::Explode, &none, &json!(false), true, false),
        (&set, Aspect::Example, &none, &json!("x"), false, false),
    ];
    let facts = Facts::default();
    for (place, aspect, old, new, wire, build) in table {
        let stated = |value: &Value| Some(value.clone()).filter(|value| !value.is_null());
        let (place, spec, page) = (place.clone(), stated(old), stated(new));
        let difference = Difference::Changed { place, aspect, spec, page };
        let found = breaks(&facts, &facts, &difference);
        let both = (found.wire.is_some(), found.build.is_some());
        assert_eq!(both, (wire, build), "{difference:?}: {found:?}");
        assert_eq!(found.callers, wire || build);
    }

    let mut page = Facts::default();
    page.subject(&query).state(Aspect::Required, true, None);
    for (difference, wire, build) in [
        (Difference::Added { place: query.clone() }, true, true),
        (Difference::Added { place: set.clone() }, false, false),
        (Difference::Added { place: got.clone() }, false, false),
        (Difference::Removed { place: set }, true, true),
        (Difference::Removed { place: got }, true, true),
        (Difference::Added { place: operation.clone() }, false, false),
        (Difference::Removed { place: operation }, true, true),
    ] {
        let found = breaks(&facts, &page, &difference);
        let both = (found.wire.is_some(), found.build.is_some());
        assert_eq!(both, (wire, build), "{difference:?}: {found:?}");
    }
}
