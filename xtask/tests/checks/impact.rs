//! What a difference breaks.

use serde_json::{Value, json};
use xtask::docs::impact::breaks;
use xtask::document::{Difference, Facts, Pointer, Within, flatten};

#[test]
fn a_change_breaks_the_wire_or_the_build_or_both_or_neither() {
    let operation = Pointer::operation("post", "/a");
    let (body, answer) = (operation.then(&["requestBody"]), operation.then(&["responses", "200"]));
    let query = operation.parameter(Within::Query, "q");
    let content = |owner: &Pointer| owner.then(&["content", "application/json"]);
    let property = |owner: &Pointer| content(owner).then(&["schema"]).property("x");
    let (set, got) = (property(&body), property(&answer));
    // The place, the keyword, its value in the spec and on the page, and what breaks.
    let table = r#"
        answer content {} null build
        answer content null {} wire,build
        operation security "bearer" "bearer_or_none" -
        operation security "bearer" "basic" wire
        operation deprecated null true -
        got minimum null 1 -
        set minimum null 1 wire
        set minimum 1 0 -
        set maxItems 5 6 -
        set maxItems 5 4 wire
        got format null "date-time" build
        got format "date-time" null wire,build
        set format null "date-time" wire,build
        set maxLength 5 9 -
        got enum ["a"] ["a","b"] wire,build
        set enum ["a"] ["a","b"] build
        set required false true wire,build
        set required true false build
        got required false true build
        got required true false wire,build
        body required true false -
        got type "integer" "number" wire,build
        set type "integer" "number" build
        set default 1 2 wire
        set readOnly null true wire,build
        got readOnly null true -
        set noAdditionalProperties null true wire
        got enum null "runtogether" build
        query explode null false wire
        set example null "x" -"#;
    let (facts, mut rows) = (Facts::default(), Vec::new());
    for row in table.lines().skip(1) {
        let [place, keyword, spec, page, broken] =
            row.split_whitespace().collect::<Vec<_>>().try_into().expect("five columns");
        let names = ["answer", "operation", "got", "set", "body", "query"];
        let at = names.iter().position(|name| *name == place).expect("a place");
        let place = [&answer, &operation, &got, &set, &body, &query][at].clone();
        let value = |text: &str| serde_json::from_str(&text.replace('_', " ")).expect("JSON");
        let stated = |text: &str| Some(value(text)).filter(|value: &Value| !value.is_null());
        let (keyword, spec, page) = (keyword.to_owned(), stated(spec), stated(page));
        rows.push((Difference::Changed { place, keyword, spec, page }, broken));
    }
    rows.extend([
        (Difference::Added { place: query }, "wire,build"),
        (Difference::Added { place: set.then(&["oneOf", "2"]) }, "build"),
        (Difference::Added { place: set.clone() }, "-"),
        (Difference::Added { place: got.clone() }, "-"),
        (Difference::Removed { place: set }, "wire,build"),
        (Difference::Removed { place: got }, "wire,build"),
        (Difference::Added { place: content(&body) }, "build"),
        (Difference::Removed { place: content(&body) }, "wire,build"),
        (Difference::Added { place: content(&answer) }, "build"),
        (Difference::Added { place: operation.clone() }, "-"),
        (Difference::Removed { place: operation }, "wire,build"),
    ]);
    let parameters = json!([{ "name": "q", "in": "query", "required": true }]);
    let document = json!({ "paths": { "/a": { "post": { "parameters": parameters } } } });
    let (page, _) = flatten(&document, &|_, _| None);
    for (difference, broken) in rows {
        let found = breaks(&facts, &page, &difference);
        let both = [found.wire.map(|_| "wire"), found.build.map(|_| "build")];
        let both = both.into_iter().flatten().collect::<Vec<_>>().join(",");
        assert_eq!(both, broken.trim_matches('-'), "{difference:?}: {found:?}");
        assert_eq!(found.callers, !both.is_empty());
    }
}
