//! The specs that the generator refuses, and the code that it generates.

fn generate(yaml: &str) -> Result<String, String> {
    xtask::generate::client(yaml).map_err(|error| error.to_string())
}

const SPEC: &str = include_str!("../../../openapi.yaml");

/// The refusal of the spec with `from` replaced.
fn refusal(from: &str, to: &str) -> String {
    assert!(SPEC.contains(from), "the spec holds no {from:?}");
    let text = generate(&SPEC.replacen(from, to, 1)).expect_err(from);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("openapi.yaml"), "{text}");
    text
}

/// The line on which `text` first stands.
fn line(text: &str) -> usize {
    SPEC.lines().position(|line| line.contains(text)).expect(text) + 1
}

#[test]
fn a_syntax_error_is_named_with_its_line() {
    let text = refusal("  title: Datafy API", "  title: [Datafy API");
    assert!(text.contains(&format!("line {}", line("  title:") + 1)), "{text}");
    assert!(text.ends_with("fix the YAML at that place"), "{text}");
    let text = refusal("  title: Datafy API", "  title: Datafy API\n  title: Twice");
    assert!(text.contains("duplicate"), "{text}");
}

#[test]
fn an_unknown_reference_is_named_with_its_place() {
    let text = refusal("schemas/Snapshot\"", "schemas/Snapshoot\"");
    let place = format!("openapi.yaml:{}: ", line("schemas/Snapshot\""));
    assert!(text.starts_with(&place), "{text}");
    assert!(text.contains("there is nothing at `#/components/schemas/Snapshoot`"), "{text}");
}

#[test]
fn a_repeated_operation_id_is_named_with_the_one_it_repeats() {
    let text = refusal("operationId: attachVolume", "operationId: createVolumeFromSnapshots");
    assert!(text.contains("`createVolumeFromSnapshots` is already taken by #/paths/"), "{text}");
    let text = refusal("operationId: attachVolume", "operationId: create_volume_from_snapshots");
    assert!(text.contains("already taken"), "two spellings of one method: {text}");
    let text = refusal("operationId: attachVolume", "operationId: createSnapshotRequest");
    assert!(text.contains("already taken"), "the method that builds the request: {text}");
}

#[test]
fn a_name_that_is_not_one_in_rust_is_reported() {
    let text = refusal("operationId: attachVolume", "operationId: 2nd");
    assert!(text.contains("`2nd` is not a valid Rust method name"), "{text}");
    let text = refusal("operationId: attachVolume", "operationId: type");
    assert!(text.contains("`type` is not a valid Rust method name"), "{text}");
    let text = refusal("    Snapshot:\n", "    2:\n      type: string\n    Snapshot:\n");
    assert!(text.contains("`2` is not a valid Rust type"), "{text}");
}

#[test]
fn a_type_named_by_the_generator_derives_its_schema() {
    let place = "          description: How far the snapshot is.\n";
    let inline = SPEC.replacen(place, &format!("{place}          enum: [pending]\n"), 1);
    let text = generate(&inline).expect("it is valid");
    let before = &text[..text.find("pub enum SnapshotStatus").expect("the generator's own name")];
    assert!(before.rfind("JsonSchema") > before.rfind("pub struct"), "{before}");
}

#[test]
fn another_version_of_openapi_is_named() {
    let text = refusal("openapi: 3.0.3", "openapi: 3.1.0");
    assert!(
        text.starts_with(&format!("openapi.yaml:{}: #/openapi", line("openapi: 3.0.3"))),
        "{text}"
    );
    assert!(text.contains("\"3.1.0\""), "{text}");
    refusal("openapi: 3.0.3", "swagger: \"2.0\"");
}

#[test]
fn a_default_response_is_named() {
    let to = "default:\n          description: An error.\n        \"200\":";
    let text = refusal("\"200\":", to);
    assert!(text.contains("/responses/default: "), "{text}");
    assert!(text.contains("leave it out"), "{text}");
}

#[test]
fn a_spec_that_the_generator_would_misread_is_refused() {
    let table = [
        ("      operationId: attachVolume\n", "", "no `operationId`"),
        ("x-idempotent: true", "x-idempotent: maybe", "whether it is idempotent"),
        (
            "        required: true\n        content",
            "        content",
            "always send an optional body",
        ),
        (
            "          application/json:\n            schema",
            "          text/plain: {}\n          application/json:\n            schema",
            "one media type",
        ),
        (
            "    OtherSource:\n      type: object\n",
            "    OtherSource:\n      type: object\n      properties: {a: {type: string, readOnly: true}}\n",
            "would ignore `readOnly` in a nested property of a request",
        ),
        ("schemas/Snapshot\"", "schemas/CreateSnapshotRequest\"", "a request and an answer share"),
        ("servers:\n", "x-servers:\n", "no server"),
        ("type: integer", "type: [integer]", "OpenAPI 3.0 document"),
    ];
    for (from, to, expected) in table {
        let text = refusal(from, to);
        assert!(text.contains(expected), "{text}");
    }
    let text = generate("").expect_err("nothing");
    assert!(text.starts_with("openapi.yaml"), "{text}");
}

#[test]
fn a_read_only_property_never_gets_into_a_request_and_a_default_is_not_sent() {
    let code = generate(SPEC).expect("the spec is fine");
    assert!(SPEC.contains("useSourceVolume"));
    assert!(!code.contains("useSourceVolume") && !code.contains("use_source_volume"));
    assert!(code.contains("pub autoscaling_only: ::std::option::Option<bool>"));
}

#[test]
fn every_type_derives_its_json_schema_with_the_feature() {
    let code = generate(SPEC).expect("the spec is fine");
    let schemas = SPEC.split_once("\n  schemas:").expect("schemas").1;
    let names: Vec<_> = schemas
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(':'))
        .filter(|name| name.starts_with(|first: char| first.is_ascii_uppercase()))
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let at = code
            .find(&format!("pub struct {name} {{"))
            .or_else(|| code.find(&format!("pub struct {name}(")))
            .or_else(|| code.find(&format!("pub enum {name} {{")))
            .unwrap_or_else(|| panic!("no type {name}"));
        let attributes = code[..at].rsplit("///").next().expect("a text before");
        assert!(attributes.contains("derive(schemars::JsonSchema)"), "{name}: {attributes}");
    }
}

#[test]
fn each_operation_has_a_method_that_builds_its_request_and_one_that_sends_it() {
    // Names that the generated code uses itself.
    let parameter = |name: &str| {
        format!("- {{ name: {name}, in: header, schema: {{ type: string }} }}\n        - $ref")
    };
    for name in ["info", "request", "result", "api-version"] {
        let spec = SPEC.replacen("- $ref", &parameter(name), 1);
        let code = generate(&spec).expect("it is valid");
        let build = |it: &str| it.contains(".build()?;") && it.contains("self.inner.prepare(&mut ");
        let send = |it: &str| it.contains("_request(") && it.contains(".exec(");
        let methods: Vec<_> = code.split("\n    pub ").filter(|it| build(it) || send(it)).collect();
        let operations = SPEC.matches(" operationId: ").count();
        assert_eq!(methods.len(), 2 * operations, "{name}: {code}");
        for pair in methods.chunks(2) {
            assert!(build(pair[0]) && !send(pair[0]) && !pair[0].contains("async"), "{}", pair[0]);
            assert!(send(pair[1]) && !build(pair[1]) && !pair[1].contains(".pre("), "{}", pair[1]);
        }
        assert!(!code.contains("Self::api_version()"), "{code}");
        assert_eq!(code.contains("\"api-version\""), name == "api-version", "{code}");
    }
}

#[test]
fn a_refusal_that_the_page_documents_still_reaches_the_caller_whole() {
    let to = "\"404\":\n          description: No such volume.\n        \"200\":";
    let code = generate(&SPEC.replace("\"200\":", to)).expect("a documented refusal is fine");
    assert_eq!(code, generate(SPEC).expect("the spec is fine"));
}

#[test]
fn generating_twice_gives_the_same() {
    assert_eq!(generate(SPEC).expect("fine"), generate(SPEC).expect("fine"));
}
