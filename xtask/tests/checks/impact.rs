//! What a difference breaks.

use regex::Regex;
use serde_json::{Value, json};
use xtask::docs::impact::breaks;
use xtask::document::{Difference, Facts, Pointer, What, Within, flatten};
use xtask::generate::client;

const TABLE: &str = include_str!("../fixtures/impact.txt");

/// The spec of one operation with a parameter, and with a property in the body and in the answer.
fn spec() -> Value {
    serde_saphyr::from_str(include_str!("../fixtures/impact.yaml")).expect("YAML")
}

/// The types that are generated for the spec with this value of a keyword of a property, without comments; `None` if the
/// generator refuses it.
fn types(property: &Pointer, keyword: &str, value: Option<&Value>) -> Option<String> {
    let mut spec = spec();
    let own = match keyword {
        "minimum" => json!({ "type": "integer" }),
        "maxItems" => json!({ "type": "array", "items": { "type": "string" } }),
        _ => json!({ "type": "string" }),
    };
    let place = spec.pointer_mut(&property.0)?;
    *place = own;
    if let Some(value) = value.filter(|_| keyword != "required") {
        place[keyword] = value.clone();
    }
    if keyword == "required" && value == Some(&json!(true)) {
        spec.pointer_mut(&property.parent().0)?["required"] = json!(["x"]);
    }
    let code = client(&spec.to_string()).ok()?;
    let (types, _) = code.split_once("pub mod error").expect("types");
    let comments = Regex::new(r"(?s)/\*\*.*?\*/|//[^\n]*|\s").expect("a regular expression");
    Some(comments.replace_all(types, "").into_owned())
}

#[test]
fn a_change_breaks_the_wire_or_the_build_or_both_or_neither() {
    let operation = Pointer::operation("post", "/a");
    let (body, answer) = (operation.then(&["requestBody"]), operation.then(&["responses", "200"]));
    let content = |owner: &Pointer| owner.then(&["content", "application/json"]);
    let property = |owner: &Pointer| content(owner).then(&["schema"]).property("x");
    let (page, _) = flatten(&spec(), &|_| None);
    let mut generated = 0;
    for row in TABLE.lines().skip(2) {
        let [place, keyword, spec, new, broken] =
            row.split(' ').collect::<Vec<_>>().try_into().expect("five columns");
        let place = match place {
            "document" => Pointer::default(),
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
        if let What::Changed { keyword, spec, page } = &what
            && let (true, Some(spec), Some(page)) = (
                place.is_property(),
                types(&place, keyword, spec.as_ref()),
                types(&place, keyword, page.as_ref()),
            )
        {
            assert_eq!(spec != page, broken.contains("build"), "{row}");
            generated += 1;
        }
        let found = breaks(&Facts::default(), &page, &Difference { place, what });
        let both = [found.wire.map(|_| "wire"), found.build.map(|_| "build")];
        let both = both.into_iter().flatten().collect::<Vec<_>>().join(",");
        assert_eq!(both, broken.trim_matches('-'), "{row}: {found:?}");
        assert_eq!(found.callers, !both.is_empty());
    }
    assert!(generated > 15, "{generated}");
}
