//! What a difference breaks.

use serde_json::{Value, json};
use xtask::docs::impact::breaks;
use xtask::document::{Difference, Facts, Pointer, What, Within, flatten};

const TABLE: &str = include_str!("../fixtures/impact.txt");

#[test]
fn a_change_breaks_the_wire_or_the_build_or_both_or_neither() {
    let operation = Pointer::operation("post", "/a");
    let (body, answer) = (operation.then(&["requestBody"]), operation.then(&["responses", "200"]));
    let content = |owner: &Pointer| owner.then(&["content", "application/json"]);
    let property = |owner: &Pointer| content(owner).then(&["schema"]).property("x");
    let query = json!([{ "name": "q", "in": "query", "required": true }]);
    let document = json!({ "paths": { "/a": { "post": { "parameters": query } } } });
    let (page, _) = flatten(&document, &|_| None);
    for row in TABLE.lines().skip(2) {
        let [place, keyword, spec, new, broken] =
            row.split(' ').collect::<Vec<_>>().try_into().expect("five columns");
        let place = match place {
            "operation" => operation.clone(),
            "query" => operation.parameter(Within::Query, "q"),
            "body" => body.clone(),
            "answer" => answer.clone(),
            "content" => content(&body),
            "got_content" => content(&answer),
            "set" => property(&body),
            "choice" => property(&body).then(&["oneOf", "2"]),
            _ => property(&answer),
        };
        let value = |text: &str| {
            let value = serde_json::from_str(&text.replace('_', " ")).expect("JSON");
            Some(value).filter(|value: &Value| !value.is_null())
        };
        let what = match keyword {
            "added" => What::Added,
            "removed" => What::Removed,
            _ => What::Changed { keyword: keyword.into(), spec: value(spec), page: value(new) },
        };
        let found = breaks(&Facts::default(), &page, &Difference { place, what });
        let both = [found.wire.map(|_| "wire"), found.build.map(|_| "build")];
        let both = both.into_iter().flatten().collect::<Vec<_>>().join(",");
        assert_eq!(both, broken.trim_matches('-'), "{row}: {found:?}");
        assert_eq!(found.callers, !both.is_empty());
    }
}
