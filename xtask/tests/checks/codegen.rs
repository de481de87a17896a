//! The specs that the generator refuses, and the code that it generates.

fn generate(yaml: &str) -> Result<String, String> {
    xtask::generate::client(yaml).map_err(|error| error.to_string())
}

const SPEC: &str = include_str!("../fixtures/record/openapi.yaml");

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
    assert!(text.contains("`#/components/schemas/Snapshoot` leads nowhere"), "{text}");
    let circle = "    A: { $ref: \"#/components/schemas/B\" }\n    B: { $ref: \"#/components/schemas/A\" }\n";
    let text = refusal("    Snapshot:\n", &format!("{circle}    Snapshot:\n"));
    assert!(text.contains("leads back to itself"), "{text}");
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
    for name in ["info", "request", "result", "header_map", "api-version"] {
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

/// The code of the client and that of the mocks, for the spec with `accounts` in the place of the sub-account's header.
/// `style`: further members of the parameter, indented by 6.
fn with_accounts(style: &str) -> (String, String) {
    let parameter = format!("name: accounts\n      in: query\n{style}");
    let spec = SPEC.replace("name: X-Datafy-Sub-Account-Id\n      in: header\n", &parameter);
    let before = "        example: 1536356a-b26f-4feb-8cd5-56b54b6c51d2\n";
    let (spec, rest) = spec.split_once(before).expect("the example");
    let spec = spec.strip_suffix("        type: string\n").expect("the type before");
    let array = "        type: array\n        maxItems: 1\n        items: { type: string, maxLength: 36 }\n";
    let code = generate(&format!("{spec}{array}{rest}")).expect("it is valid");
    let (client, mocks) = code.split_once("pub mod mocks").expect("mocks");
    (client.to_owned(), mocks.to_owned())
}

#[test]
fn a_list_in_the_query_is_sent_as_the_spec_says() {
    let table =
        [("      explode: false\n", "false"), ("", "true"), ("      style: form\n", "true")];
    for (style, exploded) in table {
        let (client, mocks) = with_accounts(style);
        let operations = SPEC.matches(" operationId: ").count();
        let count = |code: &str, part: &str| code.matches(part).count();
        let with_list = format!("crate::query::with_list(url, \"accounts\", {exploded}, accounts)");
        assert_eq!(count(&client, &with_list), operations, "{client}");
        let signatures = count(&client, "accounts: impl Into<crate::query::List<'a, &'a str>>,");
        assert_eq!(signatures, 2 * operations, "building and sending: {client}");
        let expect = format!("expect_list(self.0, \"accounts\", {exploded}, value)");
        assert_eq!(count(&mocks, &expect), operations, "{mocks}");
        assert_eq!(count(&mocks, "value: impl Into<crate::query::List<'a, &'a str>>"), operations);
        assert!(!client.contains("QueryParam") && !mocks.contains("Vec<"), "the generator's own");
    }
}

#[test]
fn a_parameter_that_the_generator_would_send_differently_is_refused() {
    let in_header = "in: header\n      required: false";
    let table = [
        ("style: deepObject\n      in: query", "/style", "would ignore `style: deepObject`"),
        ("style: form\n      in: header", "/style", "would ignore `style: form`"),
        ("in: cookie", "/in", "doesn't support parameters in `cookie`"),
    ];
    for (to, place, expected) in table {
        let text = refusal(in_header, &format!("{to}\n      required: false"));
        assert!(text.contains(&format!("parameters/SubAccountId{place}: ")), "{text}");
        assert!(text.starts_with("openapi.yaml:1"), "the line of the parameter: {text}");
        assert!(text.contains(expected), "{text}");
    }
    let text = refusal("name: X-Datafy-Sub-Account-Id", "name: content-Type");
    assert!(text.contains("SubAccountId/name: OpenAPI ignores the header parameter"), "{text}");
    let text = refusal("name: X-Datafy-Sub-Account-Id", "name: X Datafy");
    assert!(text.contains("SubAccountId/name: a header can't be named \"X Datafy\""), "{text}");
    let text = refusal("in: path\n      required: true", "in: path\n      required: false");
    assert!(text.contains("parameters/VolumeId: a parameter in the path is always sent"), "{text}");
    let schema = "        type: string\n        example: 1536356a-b26f-4feb-8cd5-56b54b6c51d2";
    let table = [
        ("type: array\n        items: { type: string }", "a value of array in a header parameter"),
        ("type: object", "a value of object in a header"),
        ("example: 1", "a value of any type in a header"),
    ];
    for (to, expected) in table {
        let text = refusal(schema, &format!("        {to}"));
        assert!(text.contains("parameters/SubAccountId/schema"), "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn what_needs_further_crates_or_could_not_be_sent_is_a_plain_string() {
    let place = "          description: How far the snapshot is.\n";
    let plain = generate(SPEC).expect("it is valid");
    for word in ["pattern: ^a", "format: uuid"] {
        let spec = SPEC.replacen(place, &format!("{place}          {word}\n"), 1);
        assert_eq!(generate(&spec).expect("it is valid"), plain, "{word}");
    }
    let place = "        example: 1536356a-b26f-4feb-8cd5-56b54b6c51d2\n";
    for word in ["pattern: ^a", "format: uuid", "format: date-time", "nullable: true"] {
        let spec = SPEC.replacen(place, &format!("{place}        {word}\n"), 1);
        assert_eq!(generate(&spec).expect("it is valid"), plain, "{word}");
    }
}

#[test]
fn a_path_can_hold_parameters_of_its_operations() {
    let path = "  /api/v1/volumes/{volumeId}/attach:\n";
    let shared = "    parameters:\n      - { name: a, in: query, schema: { type: array, items: { type: integer } } }\n";
    let code = generate(&SPEC.replacen(path, &format!("{path}{shared}"), 1)).expect("it is valid");
    assert_eq!(code.matches("a: impl Into<crate::query::List<'a, i64>>,").count(), 2, "{code}");
    assert_eq!(code.matches("value: impl Into<crate::query::List<'a, i64>>").count(), 1, "{code}");
}

#[test]
fn an_optional_body_can_be_left_out() {
    let spec = SPEC.replace("        required: true\n        content", "        content");
    let code = generate(&spec).expect("it is valid");
    for (method, body) in [("attach_volume", "Attach"), ("create_snapshot", "CreateSnapshot")] {
        for name in [format!("{method}_request"), method.to_owned()] {
            let (_, method) = code.split_once(&format!(" fn {name}<'a>(")).expect("the method");
            let (method, _) = method.split_once("\n    }\n").expect("its end");
            let optional = format!("impl Into<Option<&'a types::{body}");
            assert!(method.contains(&optional), "{method}");
            assert!(!method.contains(".json(&body)"), "{method}");
            let adds = method.contains("if let Some(body) = body.into() {");
            assert_eq!(adds, name.ends_with("_request"), "{method}");
            // The headers are added to what is built, after the body.
            let order =
                ["request = request.json(body)", "request.build()?", "request.headers_mut()"];
            let places = order.map(|part| method.find(part));
            assert!(places.is_sorted() && places[0].is_some() == adds, "{places:?}: {method}");
        }
    }
    assert_eq!(code.matches("- `body`: optional; with `None` no body is sent").count(), 3);
    assert!(!generate(SPEC).expect("valid").contains("- `body`: optional"));
}

#[test]
fn a_refusal_that_the_page_documents_still_reaches_the_caller_whole() {
    let to = "\"404\":\n          description: No such volume.\n        \"200\":";
    let code = generate(&SPEC.replace("\"200\":", to)).expect("a documented refusal is fine");
    assert_eq!(code, generate(SPEC).expect("the spec is fine"));
}

/// What a client that is generated from the spec with `from` replaced lacks for `datafy-api-ext`.
fn misfits(from: &str, to: &str) -> Vec<String> {
    assert!(SPEC.contains(from), "the spec holds no {from:?}");
    let spec = SPEC.replace(from, to);
    let code = xtask::generate::client_of_dependent(&spec, SPEC).expect("it is valid");
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
fn what_the_client_of_a_dependent_lacks_for_the_other_crate_is_listed() {
    let description = "        description:\n          type: string\n          description: A text kept with the new snapshot.\n";
    let status = "        status:\n          type: string\n          description: How far";
    let table: [(&str, &str, &[&str]); 9] = [
        (
            "operationId: attachVolume",
            "operationId: attachDisk",
            &["there is no operation `attach_volume`"],
        ),
        (
            "name: X-Datafy-Sub-Account-Id",
            "name: Region",
            &[
                "`attach_volume` takes (volume_id, region, body) instead of (volume_id, sub_account, body)",
                "`create_snapshot` takes (volume_id, region, body) instead of (volume_id, sub_account, body)",
                "`create_volume_from_snapshots` takes (region, body) instead of (sub_account, body)",
                "`deactivate_autoscaling` takes (volume_id, region) instead of (volume_id, sub_account)",
            ],
        ),
        (
            status,
            &status.replace("status:", "state:"),
            &["`Snapshot` has no `status`", "`Snapshot` also has `state`"],
        ),
        (
            status,
            &status.replace("string", "integer"),
            &["`status` of `Snapshot` has another type"],
        ),
        (
            "        - instanceId\n",
            "",
            &["`instance_id` of `AttachVolumeRequest` has another type"],
        ),
        // What code for the own spec doesn't notice.
        (description, &format!("        color:\n          type: string\n{description}"), &[]),
        ("description: How far the", "description: Where the", &[]),
        ("        required: true\n        content", "        content", &[]),
        ("url: https://api.datafy.io", "url: https://other.example", &[]),
    ];
    for (from, to, expected) in table {
        assert_eq!(misfits(from, to), expected, "{from:?} -> {to:?}");
    }
    let header = "name: X-Datafy-Sub-Account-Id\n      in: header\n";
    assert_eq!(misfits(header, "name: accounts\n      in: query\n"), [""; 0]);
    assert!(!generate(SPEC).expect("valid").contains("compile_error!"));
}

#[test]
fn generating_twice_gives_the_same() {
    assert_eq!(generate(SPEC).expect("fine"), generate(SPEC).expect("fine"));
}
