//! The specs that the generator refuses, and the code that it generates.

use serde_json::{Value, json};
use xtask::files;
use xtask::generate::{client_of_dependent, subset};

fn generate(yaml: &str) -> Result<String, String> {
    xtask::generate::client(yaml).map_err(|error| error.to_string())
}

const SPEC: &str = include_str!("../fixtures/record/openapi.yaml");
/// A spec with each construct that changes what is sent or read; the tests of the workspace call its client.
const OTHER: &str = include_str!("../../../tests/fixtures/spec.yaml");

/// Checks that `yaml` is refused in one line that begins with the line of `place`, if any, and contains `expected`.
fn refused(yaml: &str, place: &str, expected: &str) {
    let text = generate(yaml).expect_err(expected);
    assert_eq!(text.lines().count(), 1, "{text}");
    let line = yaml.lines().position(|line| !place.is_empty() && line.contains(place));
    assert_eq!(line.is_some(), !place.is_empty(), "{place:?} in {yaml}");
    let begin =
        line.map_or("openapi.yaml".to_owned(), |line| format!("openapi.yaml:{}: #", line + 1));
    assert!(text.starts_with(&begin), "not at {begin}: {text}");
    assert!(text.contains(expected), "no {expected:?}: {text}");
}

/// The spec with `from` replaced once.
fn with(from: &str, to: &str) -> String {
    assert!(SPEC.contains(from), "the spec holds no {from:?}");
    SPEC.replacen(from, to, 1)
}

/// A small spec: `operation` is the content of a POST to `/a`, in flow style, and `schemas` are components.
fn small(operation: &str, schemas: &str) -> String {
    format!(
        "openapi: 3.0.3\ninfo: {{ title: a, version: '1' }}\nservers: [{{ url: https://a.example }}]\npaths:\n  \
         /a:\n    post:\n      operationId: doIt\n      x-idempotent: true\n{operation}\n      responses: \
         {{ '200': {{ description: ok }} }}\ncomponents:\n  schemas:\n{schemas}\n    Other: {{ type: object }}\n"
    )
}

/// A spec that sends `schema`.
fn sending(schema: &str, schemas: &str) -> String {
    let body =
        format!("      requestBody: {{ content: {{ application/json: {{ schema: {schema} }} }} }}");
    small(&body, schemas)
}

/// A spec that answers `schema`.
fn answering(schema: &str, schemas: &str) -> String {
    let content = format!("ok, content: {{ application/json: {{ schema: {schema} }} }} }}");
    small("", schemas).replacen("ok }", &content, 1)
}

/// A spec with these parameters.
fn taking(parameters: &str) -> String {
    small(&format!("      parameters: [ {parameters} ]"), "")
}

#[test]
fn a_syntax_error_and_another_version_are_named_with_their_line() {
    let text = generate(&with("  title: Datafy API", "  title: [Datafy API")).expect_err("no YAML");
    assert!(text.contains("line ") && text.ends_with("fix the YAML at that place"), "{text}");
    refused(&with("  title: Datafy API", "  title: a\n  title: b"), "", "duplicate");
    refused(&with("openapi: 3.0.3", "openapi: 3.1.0"), "openapi: 3.1", "not of OpenAPI 3.0");
    refused(&with("openapi: 3.0.3", "swagger: '2.0'"), "", "not of OpenAPI 3.0");
    refused("", "", "not of OpenAPI 3.0");
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
            let is_value = kind.starts_with('`')
                || ["anything", "text", "texts", "flag", "nothing"].contains(&kind);
            assert!(is_value || rows.iter().any(is_kind), "{kind} in {row:?}");
        }
    }
}

/// The pointers to the objects below `value` whose keywords the table knows.
fn objects(value: &Value, pointer: &str, names: bool, found: &mut Vec<String>) {
    let Value::Object(members) = value else {
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        return items
            .iter()
            .enumerate()
            .for_each(|(at, item)| objects(item, &format!("{pointer}/{at}"), false, found));
    };
    if !names {
        found.push(pointer.to_owned());
    }
    for (key, member) in members {
        let maps = ["paths", "properties", "schemas", "parameters", "securitySchemes"];
        let ignored = ["security", "example", "default", "404"];
        if !ignored.contains(&&**key) || names {
            let inner = format!("{pointer}/{}", key.replace('/', "~1"));
            objects(member, &inner, !names && maps.contains(&&**key) && member.is_object(), found);
        }
    }
}

#[test]
fn a_keyword_that_nobody_has_thought_of_is_refused_wherever_it_stands() {
    for spec in [SPEC, OTHER] {
        let options = serde_saphyr::options! { strict_booleans: true };
        let document: Value = serde_saphyr::from_str_with_options(spec, options).expect("YAML");
        let mut found = Vec::new();
        objects(&document, "", false, &mut found);
        assert!(found.len() > 60, "{found:?}");
        for pointer in found {
            let mut changed = document.clone();
            changed.pointer_mut(&pointer).expect("it")["unheardOf"] = json!({ "a": 1 });
            let text = generate(&changed.to_string()).expect_err(&pointer);
            let place = format!(": #{pointer}/unheardOf: ");
            assert!(text.contains(&place) && text.contains("; leave it out"), "{pointer}: {text}");
        }
    }
}

#[test]
fn what_is_not_in_the_table_is_refused_with_its_line_and_the_remedy() {
    let server = |url: &str| with("url: https://api.datafy.io", &format!("url: '{url}'"));
    let path = |path: &str| small("", "").replace("  /a:", &format!("  '{path}':"));
    let answer = |content: &str| small("", "").replace("ok }", content);
    let json = "content: { application/json: { schema: { type: object } } }";
    let table: [(String, &str, &str); 24] = [
        (small("", "").replace("      operationId: doIt\n", ""), "    post:", "no `operationId`"),
        (with("operationId: attachVolume", "operationId: 2"), "operationId: 2", "must be: text"),
        (
            with("operationId: attachVolume", "operationId: 2nd"),
            "2nd",
            "`2nd` is not a valid name of a method",
        ),
        (with("x-idempotent: true", "x-idempotent: maybe"), "maybe", "must be: flag"),
        (with("servers:\n", "x-servers:\n"), "", "no `servers`"),
        (server("https://{region}.example"), "servers:", "URL without variables"),
        (server("/v1"), "servers:", "URL without variables"),
        (with("scheme: bearer", "scheme: basic"), "basic", "must be: `bearer`"),
        (with("security:\n  - bearer: []", "security: []"), "security", "sends a bearer token"),
        (small("      security: []", ""), "security", "sends a bearer token"),
        (
            small("      servers: [{ url: https://b.example }]", ""),
            "https://b",
            "`servers` is not supported",
        ),
        (path("/a?action=list"), "/a?", "would not be sent as it is written"),
        (path("/a/../b"), "/a/..", "would not be sent as it is written"),
        (path("/a/{id}"), "post:", "the path parameters are not those of"),
        (small("", "").replace("post:", "options:"), "options", "`options` is not supported"),
        (
            sending("{ type: object }", "").replace("post:", "get:"),
            "requestBody",
            "`requestBody` is not supported",
        ),
        (
            sending("{ type: object }", "").replace("application/json", "text/csv"),
            "text/csv",
            "`text/csv` is not supported",
        ),
        (sending("{ type: number }", ""), "number", "this is none of"),
        (answering("{ type: number }", ""), "number", "this is none of"),
        (
            answer(&format!("ok, {json} }}, '202': {{ description: ok }}")),
            "'202'",
            "this answer differs from",
        ),
        (
            answer(&format!("ok }}, '204': {{ {json} }}")),
            "'204'",
            "`content` is not supported here: empty answer",
        ),
        (answer("ok, content: { application/json: {} } }"), "content:", "no `schema`"),
        (small("", "").replace("'200'", "default"), "post:", "no success is described"),
        (small("", "").replace("'200'", "2XX"), "2XX", "`2XX` is not supported"),
    ];
    for (yaml, place, expected) in table {
        refused(&yaml, place, expected);
    }
}

#[test]
fn a_parameter_or_schema_that_is_not_in_the_table_is_refused() {
    let table: [(String, &str, &str); 18] = [
        (
            taking("{ name: a, in: cookie, schema: { type: string } }"),
            "cookie",
            "this is none of: parameter: path",
        ),
        (
            taking("{ name: a, in: query, allowReserved: true, schema: { type: string } }"),
            "allowReserved",
            "must be: `false`",
        ),
        (
            taking("{ name: a, in: query, style: deepObject, schema: { type: string } }"),
            "deepObject",
            "must be: `form`",
        ),
        (
            taking("{ name: a, in: query, schema: { type: object } }"),
            "in: query",
            "this is none of: value: string",
        ),
        (
            taking("{ name: a, in: header, schema: { type: array, items: { type: string } } }"),
            "header",
            "this is none of",
        ),
        (
            taking("{ name: Content-type, in: header, schema: { type: string } }"),
            "header",
            "can't send the header",
        ),
        (
            taking("{ name: X A, in: header, schema: { type: string } }"),
            "header",
            "can't send the header",
        ),
        (taking("{ name: _, in: query, schema: { type: string } }"), "query", "has no letters"),
        (sending("{ type: file }", ""), "file", "this is none of"),
        (sending("{ type: [string, 'null'] }", ""), "null", "this is none of"),
        (sending("{ anyOf: [] }", ""), "anyOf", "`anyOf` is not supported"),
        (
            sending("{ oneOf: [], discriminator: { propertyName: a } }", ""),
            "oneOf",
            "`discriminator` is not supported",
        ),
        (answering("{ oneOf: [{ type: object }] }", ""), "oneOf", "doesn't say which alternative"),
        (
            sending("{ type: object, nullable: true }", ""),
            "nullable",
            "`nullable` is not supported",
        ),
        (
            sending("{ type: array, items: { type: string, readOnly: true } }", ""),
            "readOnly",
            "`readOnly` is not supported",
        ),
        (sending("{ type: object, required: [a] }", ""), "required", "there is no property `a`"),
        (sending("{ allOf: [{ type: string }] }", ""), "string", "this is none of: part"),
        (
            sending(
                "{ type: object, properties: { a: { $ref: '#/components/schemas/Other', readOnly: true } } }",
                "",
            ),
            "readOnly",
            "`readOnly` is not supported here: reference",
        ),
    ];
    for (yaml, place, expected) in table {
        refused(&yaml, place, expected);
    }
}

#[test]
fn a_reference_that_leads_nowhere_or_back_is_refused() {
    let reference = |to: &str| format!("{{ $ref: '{to}' }}");
    for to in [
        "#/components/schemas/None",
        "other.yaml#/A",
        "#/paths/~1a/post",
        "#/components/schemas/Other/type",
    ] {
        refused(&sending(&reference(to), ""), to, "leads nowhere");
    }
    let circles = [
        "    A: { $ref: '#/components/schemas/A' }",
        "    A: { allOf: [{ $ref: '#/components/schemas/B' }] }\n    B: { allOf: [{ $ref: '#/components/schemas/A' }] }",
        "    A: { oneOf: [{ $ref: '#/components/schemas/A' }, { type: string }] }",
    ];
    for schemas in circles {
        refused(
            &sending(&reference("#/components/schemas/A"), schemas),
            "    A:",
            "leads back to itself",
        );
    }
    let list = "    A: { type: object, properties: { a: { type: array, items: { $ref: '#/components/schemas/A' } } } }";
    generate(&sending(&reference("#/components/schemas/A"), list)).expect("a tree");
}

#[test]
fn names_that_collide_in_the_client_are_refused_with_their_places() {
    let id = |id: &str| small("", "").replace("doIt", id);
    let two_ids = |one: &str, other: &str| {
        let other = format!(
            "  /b: {{ get: {{ operationId: {other}, x-idempotent: true, responses: {{ '200': {{}} }} }} }}\n"
        );
        id(one).replacen("components:", &format!("{other}components:"), 1)
    };
    let disk = |properties: &str| {
        answering(
            "{ $ref: '#/components/schemas/Disk' }",
            &format!("    Disk: {{ type: object, properties: {{ {properties} }} }}"),
        )
    };
    let string = "schema: { type: string }";
    let table: [(String, &str, &str); 15] = [
        (id("all"), "operationId", "`ALL` in `operations`"),
        (id("new"), "operationId", "`new` in `impl Client`"),
        (
            two_ids("getDisk", "get_disk"),
            "getDisk",
            "`get_disk_request` in `impl Client`: also #/paths/~1b/get/operationId (line 11)",
        ),
        (two_ids("getDisk", "getDiskRequest"), "", "`get_disk_request` in `impl Client`"),
        (
            disk("sizeGb: { type: integer }, sizeGB: { type: integer }"),
            "sizeGb",
            "`size_gb` in `Disk`: also #/components/schemas/Disk/properties/sizeGb (line",
        ),
        (
            small("", "    Disk: { type: object }\n    disk: { type: object }"),
            "    disk:",
            "`Disk`: also #/components/schemas/Disk (line 13)",
        ),
        (small("", "    Ok: { type: string }"), "    Ok:", "`Ok` in `types`"),
        (small("", "    2: { type: string }"), "    2:", "not a valid Rust type"),
        (
            sending(
                "{ type: object, properties: { a: { type: string } } }",
                "    DoItBody: { type: object }",
            ),
            "requestBody",
            "`DoItBody`: also #/components/schemas/DoItBody",
        ),
        (
            disk(
                "state: { type: object, properties: { a: {} } } } }\n    DiskState: { type: object, properties: { b: {}",
            ),
            "    Disk:",
            "`DiskState`: also #/components/schemas/DiskState",
        ),
        (
            disk(
                "a: { type: object, properties: { bC: { type: object, properties: { x: {} } } } }, aB: { type: object, properties: { c: { type: object, properties: { y: {} } } } }",
            ),
            "    Disk:",
            "`DiskAbc`: also",
        ),
        (
            taking(&format!(
                "{{ name: a, in: query, {string} }}, {{ name: a, in: header, {string} }}"
            )),
            "parameters",
            "two `a` in",
        ),
        (
            taking(&format!(
                "{{ name: a, in: query, {string} }}, {{ name: a, in: query, {string} }}"
            )),
            "parameters",
            "two `a` in",
        ),
        (
            taking(&format!(
                "{{ name: X-A, in: header, {string} }}, {{ name: x_a, in: query, {string} }}"
            )),
            "parameters",
            "two `x_a` in",
        ),
        (
            sending("{ type: object }", "").replace(
                "      requestBody",
                &format!(
                    "      parameters: [{{ name: body, in: query, {string} }}]\n      requestBody"
                ),
            ),
            "",
            "two `body` in",
        ),
    ];
    for (yaml, place, expected) in table {
        refused(&yaml, place, expected);
    }
}

#[test]
fn a_schema_that_is_sent_and_answered_has_no_read_only_property() {
    let both = |property: &str| {
        let schemas = format!(
            "    Disk: {{ type: object, properties: {{ a: {{ type: string }}, b: {{ {property} }} }} }}"
        );
        let disk = "{ $ref: '#/components/schemas/Disk' }";
        let other = answering(disk, "").replacen("ok, content", "'', content", 1);
        let responses =
            other.lines().find(|line| line.contains("responses")).expect("it").to_owned();
        let other = format!(
            "  /b:\n    get:\n      operationId: other\n      x-idempotent: true\n{responses}\ncomponents:"
        );
        sending(disk, &schemas).replacen("components:", &other, 1)
    };
    generate(&both("type: string, default: a")).expect("the same in both directions");
    for keyword in ["readOnly", "writeOnly"] {
        refused(
            &both(&format!("type: string, {keyword}: true")),
            keyword,
            "both sent and answered",
        );
    }
}

#[test]
fn what_the_generator_is_known_to_handle_is_generated() {
    let object = |property: &str| format!("{{ type: object, properties: {{ a: {property} }} }}");
    for property in [
        "{}",
        "{ nullable: true }",
        "{ type: string, enum: [y, n, on, off] }",
        "{ type: string, format: uuid, pattern: ^a, maxLength: 1 }",
        "{ type: integer, enum: [1], minimum: 1, format: uint64 }",
        "{ type: array, uniqueItems: true, minItems: 2, maxItems: 2, items: { nullable: true, type: string } }",
        "{ type: object, additionalProperties: false, properties: { type: { type: string } } }",
        "{ type: object, additionalProperties: { type: integer }, properties: { a: { type: string } } }",
        "{ nullable: true, allOf: [{ $ref: '#/components/schemas/Other' }] }",
        "{ type: object, properties: { a: {}, b: {} }, not: { required: [a, b] } }",
    ] {
        for yaml in [sending(&object(property), ""), answering(&object(property), "")] {
            generate(&yaml).unwrap_or_else(|error| panic!("{property}: {error}"));
        }
    }
    for yaml in [SPEC, OTHER] {
        let code = generate(yaml).expect("it is valid");
        assert_eq!(generate(yaml), Ok(code));
    }
}

#[test]
fn the_known_values_of_an_enum_are_documented() {
    let code = generate(&answering(
        "{ type: object, properties: { a: { type: string, description: A., enum: [b, ''] } } }",
        "",
    ));
    assert!(code.expect("valid").contains("/**A.\n\nKnown values: `b`, ``.*/"));
}

#[test]
fn every_type_derives_its_json_schema_with_the_feature() {
    let a = "{ type: object, properties: { a: { type: object, properties: { b: { type: object, properties: { c: {} } } } } } }";
    for (spec, least) in [(OTHER.to_owned(), 12), (answering(a, ""), 4)] {
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
    let property = "        description:\n          type: string\n          description: A text kept with the new snapshot.\n";
    let table: [(&str, &str, &[&str]); 8] = [
        (
            "operationId: attachVolume",
            "operationId: attachDisk",
            &["there is no operation `attach_volume`"],
        ),
        (
            "name: X-Datafy-Sub-Account-Id",
            "name: Region",
            &[
                "`attach_volume` takes (volume_id: &str, region: Option<&str>, body) instead of \
                 (volume_id: &str, sub_account: Option<&str>, body)",
                "`create_snapshot` takes (volume_id: &str, region: Option<&str>, body) instead of \
                 (volume_id: &str, sub_account: Option<&str>, body)",
                "`create_volume_from_snapshots` takes (region: Option<&str>, body) instead of \
                 (sub_account: Option<&str>, body)",
                "`deactivate_autoscaling` takes (volume_id: &str, region: Option<&str>) instead of \
                 (volume_id: &str, sub_account: Option<&str>)",
            ],
        ),
        (
            "operationId: createSnapshot\n      x-idempotent: false",
            "operationId: createSnapshot\n      x-idempotent: true",
            &["`create_snapshot` has `x-idempotent: true`"],
        ),
        (
            "      required: true\n      description: The volume ID.\n      schema:\n        type: string\n        example: vol-0b9176567fe16f0bc",
            "      required: true\n      schema:\n        type: integer",
            &[
                "`attach_volume` takes (volume_id: i64, sub_account: Option<&str>, body) instead of \
                 (volume_id: &str, sub_account: Option<&str>, body)",
                "`create_snapshot` takes (volume_id: i64, sub_account: Option<&str>, body) instead of \
                 (volume_id: &str, sub_account: Option<&str>, body)",
                "`deactivate_autoscaling` takes (volume_id: i64, sub_account: Option<&str>) instead of \
                 (volume_id: &str, sub_account: Option<&str>)",
            ],
        ),
        // What code for the own spec doesn't notice, or the compiler reports.
        (property, "", &[]),
        ("        required: true\n        content", "        content", &[]),
        ("url: https://api.datafy.io", "url: https://other.example", &[]),
        (
            "name: X-Datafy-Sub-Account-Id\n      in: header\n      required: false\n      description: The sub-account in whose context the call is made.\n      schema:\n        type: string\n        example: 1536356a-b26f-4feb-8cd5-56b54b6c51d2\n",
            "name: accounts\n      in: query\n      schema:\n        type: array\n        items: { type: string }\n",
            &[],
        ),
    ];
    for (from, to, expected) in table {
        assert_eq!(misfits(from, to), expected, "{from:?} -> {to:?}");
    }
    assert!(!generate(SPEC).expect("valid").contains("compile_error!"));
}
