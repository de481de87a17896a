//! The specs that the generator refuses, and the code that it generates.

use crate::mutants::nodes;
use serde_json::{Value, json};
use xtask::files;
use xtask::generate::{client_of_dependent, subset};

fn generate(yaml: &str) -> Result<String, String> {
    xtask::generate::client(yaml).map_err(|error| error.to_string())
}

const SPEC: &str = include_str!("../fixtures/record/openapi.yaml");
/// A spec with each construct that changes what is sent or read; the tests of the workspace call its client.
const OTHER: &str = include_str!("../../../tests/fixtures/spec.yaml");
/// Changes of [`SPEC`].
const MISFITS: &str = include_str!("../fixtures/misfits.yaml");
/// Changes of [`SMALL`].
const CASES: &str = include_str!("../fixtures/subset.txt");
const SMALL: &str = include_str!("../fixtures/small.yaml");

/// The small spec with the lines of a case, each at the place that its indentation says.
fn spec(case: &str) -> String {
    let case =
        case.replace('<', "{ content: { application/json: { schema: ").replace('>', " } } }");
    let mut lines: Vec<&str> = SMALL.lines().collect();
    for line in case.lines() {
        let (key, value) = line.split_once(':').expect(line);
        let after = |own: &str| lines.iter().position(|line| *line == own).expect(own) + 1;
        let is_path = key.starts_with("  /") && (value.is_empty() || value.starts_with(" #"));
        let key = if is_path { "  /a" } else { key };
        let place = lines.iter().position(|own| own.split_once(':').is_some_and(|it| it.0 == key));
        match (place, line.len() - line.trim_start().len()) {
            (Some(at), _) if value == " -" => drop(lines.remove(at)),
            (Some(at), _) => lines[at] = line,
            (None, 0) => lines.insert(0, line),
            (None, 2) if key.starts_with("  /") => lines.insert(after("paths:"), line),
            (None, 2) => lines.insert(after("components:"), line),
            (None, 4) => lines.push(line),
            (None, _) => lines.insert(after("    post:"), line),
        }
    }
    lines.join("\n")
}

#[test]
fn the_generator_takes_and_refuses_what_the_table_says() {
    let text = CASES.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let cases: Vec<_> = text.split("\n\n").filter(|case| !case.trim().is_empty()).collect();
    assert!(cases.len() > 80, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let yaml = spec(case.trim_matches('\n'));
        let mark =
            yaml.lines().zip(1..).find_map(|(line, at)| Some((at, line.split_once(" # ")?.1)));
        let generated = generate(&yaml);
        let is_expected = match (&generated, mark) {
            (Ok(_), None) => generated == generate(&yaml),
            (Err(refusal), Some((line, expected))) => {
                let begin = format!("openapi.yaml:{line}: #");
                refusal.starts_with(&begin)
                    && refusal.contains(expected)
                    && refusal.lines().count() == 1
            }
            _ => false,
        };
        if !is_expected {
            wrong.push(format!("{case}\n{}", generated.err().unwrap_or_default()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    for yaml in [SPEC, OTHER] {
        let code = generate(yaml).expect("it is valid");
        assert_eq!(generate(yaml), Ok(code));
    }
}

#[test]
fn a_syntax_error_and_another_version_are_refused() {
    let with = |to: &str| SPEC.replacen("openapi: 3.0.3\ninfo:\n  title: Datafy API", to, 1);
    let no_openapi = ("not of OpenAPI 3.0", "begin it with `openapi: 3.0.3`");
    let no_yaml = ("line ", "fix the YAML at that place");
    for (yaml, (problem, remedy)) in [
        (with("openapi: 3.0.3\ninfo:\n  title: [Datafy API"), no_yaml),
        (with("openapi: 3.0.3\ninfo:\n  title: a\n  title: b"), ("duplicate", no_yaml.1)),
        (with("openapi: 3.1.0\ninfo:\n  title: a"), no_openapi),
        (with("swagger: '2.0'\ninfo:\n  title: a"), no_openapi),
        (String::new(), no_openapi),
    ] {
        let text = generate(&yaml).expect_err(problem);
        assert!(text.contains(problem) && text.ends_with(remedy), "{text}");
    }
}

#[test]
fn the_readme_shows_the_table_that_is_walked() {
    let readme = files::read(&files::root(), "datafy-api/README.md").expect("the README");
    assert!(readme.contains(subset()), "put datafy-api/build/subset.md into datafy-api/README.md");
    let rows: Vec<Vec<&str>> =
        subset().lines().skip(2).map(|row| row.split('|').collect()).collect();
    for row in &rows {
        assert_eq!(row.len(), 6, "{row:?}");
        let value = row[3].trim().trim_start_matches("list of ").trim_start_matches("map of ");
        for kind in value.split(", ").flat_map(|value| value.split(" with ")) {
            let is_kind = |row: &Vec<&str>| {
                row[1].trim() == kind || row[1].trim().starts_with(&format!("{kind}:"))
            };
            let values = "anything,text,texts,flag,nothing,base URL,header name,bearer token";
            let is_value = kind.starts_with('`') || values.split(',').any(|value| value == kind);
            assert!(is_value || rows.iter().any(is_kind), "{kind} in {row:?}");
        }
    }
}

/// Whether the table knows the keywords of what is at a pointer: it is no map of names, and no example.
fn has_keywords(pointer: &str) -> bool {
    let maps = ["paths", "properties", "schemas", "parameters", "securitySchemes"];
    let mut keys = pointer.split('/').rev();
    let is_map = keys.next().is_some_and(|key| maps.contains(&key));
    let is_name = keys.next().is_some_and(|key| maps.contains(&key));
    let mut values = ["security", "example", "default", "404"].iter();
    !(is_map && !is_name || values.any(|value| pointer.split('/').any(|key| key == *value)))
}

#[test]
fn a_keyword_that_nobody_has_thought_of_is_refused_wherever_it_stands() {
    for spec in [SPEC, OTHER] {
        let options = serde_saphyr::options! { strict_booleans: true };
        let document: Value = serde_saphyr::from_str_with_options(spec, options).expect("YAML");
        let found = nodes(&document, "").into_iter().filter(|(_, node)| node.is_object());
        let found: Vec<String> = found.map(|(pointer, _)| pointer).collect();
        assert!(found.len() > 60, "{found:?}");
        for pointer in found.into_iter().filter(|pointer| has_keywords(pointer)) {
            let mut changed = document.clone();
            changed.pointer_mut(&pointer).expect("it")["unheardOf"] = json!({ "a": 1 });
            let text = generate(&changed.to_string()).expect_err(&pointer);
            let place = format!(": #{pointer}/unheardOf: ");
            assert!(text.contains(&place) && text.contains("; leave it out"), "{pointer}: {text}");
        }
    }
}

#[test]
fn the_known_values_of_an_enum_are_documented() {
    let code = generate(&spec(
        "    A: { type: object, properties: { a: { type: string, description: A., enum: [b, ''] } } }",
    ));
    assert!(code.expect("valid").contains("/**A.\n\nKnown values: `b`, ``.*/"));
}

#[test]
fn every_type_derives_its_json_schema_with_the_feature() {
    let a = "    A: { type: object, properties: { a: { type: object, properties: { b: { type: object, properties: { c: {} } } } } } }";
    for (spec, least) in [(OTHER.to_owned(), 12), (spec(a), 4)] {
        let code = generate(&spec).expect("valid");
        let (types, _) = code.split_once("pub mod error").expect("types");
        let count = |word: &str| types.matches(word).count();
        let derives = count("derive(schemars::JsonSchema)");
        assert_eq!(derives, count("    pub struct ") + count("    pub enum "), "{types}");
        assert!(derives >= least, "{types}");
    }
}

/// What a client that is generated from the spec with `from` replaced lacks for `datafy-api-ext`.
fn misfits(from: &str, to: &str) -> Vec<String> {
    assert!(SPEC.contains(from), "the spec holds no {from:?}");
    let code = client_of_dependent(&SPEC.replace(from, to), SPEC).expect("it is valid");
    let (code, expansion) = code.split_once("macro_rules! expect_fitting_spec").expect("the macro");
    assert!(code.starts_with("// Generated from the spec that DATAFY_API_SPEC names."), "{code}");
    assert_eq!(expansion.contains("compile_error!"), expansion.contains("doesn't fit"));
    let mut parts = expansion.split("\\n- ").skip(1).map(str::to_owned).collect::<Vec<_>>();
    if let Some(last) = parts.last_mut() {
        last.truncate(last.find("\\nuse datafy-api alone").expect("the remedy"));
    }
    parts
}

#[test]
fn what_the_client_of_a_dependent_sends_otherwise_is_listed() {
    let cases: Vec<Value> = serde_saphyr::from_str(MISFITS).expect("YAML");
    for case in &cases {
        let text = |key: &str| case[key].as_str().expect("a text");
        let found = misfits(text("from"), text("to"));
        assert_eq!(Value::from(found), case["misfits"], "{case}");
    }
    assert!(!generate(SPEC).expect("valid").contains("compile_error!"));
}
