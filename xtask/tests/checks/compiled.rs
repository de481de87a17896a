use crate::workspace;
use serde_json::{Value, json};
use xtask::check::compiled::{errors, failed};
use xtask::check::fake;
use xtask::document::Spec;

/// A message of cargo about an error.
fn error(file: &str, line: u64, text: &str) -> Value {
    json!({ "reason": "compiler-message", "message": {
        "level": "error", "message": text, "rendered": format!("error: {text}\n --> {file}:{line}:5\n"),
        "spans": [{ "is_primary": true, "file_name": file, "line_start": line }],
    } })
}

#[test]
fn each_error_of_the_compiler_is_a_finding_as_rustc_renders_it() {
    let warning = json!({ "message": { "level": "warning", "message": "unused", "spans": [
        { "is_primary": true, "file_name": "a.rs", "line_start": 1 },
    ] } });
    let follows = error("tests/src/x.rs", 1, "no method `c`");
    let (first, second) =
        (error("datafy-api-ext/src/a.rs", 27, "no field `x`"), error("b.rs", 3, "no `y`"));
    let found = errors(&[warning, follows, second, first.clone(), first], "");
    let spots: Vec<_> =
        found.iter().map(|finding| (&*finding.spots[0].file, finding.spots[0].line)).collect();
    let expected =
        [("b.rs", Some(3)), ("datafy-api-ext/src/a.rs", Some(27)), ("tests/src/x.rs", Some(1))];
    assert_eq!(spots, expected, "each once, and last what follows from others");
    assert_eq!(found[1].title, "the code doesn't compile: no field `x`");
    assert_eq!(found[1].printed, "error: no field `x`\n --> datafy-api-ext/src/a.rs:27:5\n");

    let many: Vec<_> = (1..30).map(|line| error("a.rs", line, "no")).collect();
    let found = errors(&many, "");
    assert_eq!(found.len(), 12);
    assert!(found[0].help.ends_with("; 17 more errors are not shown"), "{}", found[0].help);
    let [other] = &errors(&[], "error: no such package")[..] else { panic!() };
    assert_eq!(other.title, "cargo failed: error: no such package");
}

#[test]
fn a_panic_of_the_program_is_reported_with_its_message() {
    let printed = "\nthread 'main' (7) panicked at tests/src/bin/facts.rs:3:5:\nnothing drives x\nnote: run with `RUST_BACKTRACE=1`\n";
    let finding = failed(printed);
    assert_eq!(finding.title, "the program `facts` failed: nothing drives x");
    assert_eq!(finding.printed, printed);
    assert_eq!(failed("Error: \"it\"").title, "the program `facts` failed: Error: \"it\"");
    assert!(failed("").title.ends_with("nothing was printed"));
}

#[test]
fn an_answer_of_the_fake_with_another_status_is_named() {
    let spec = Spec::load(&workspace::record()).expect("the spec");
    let answer = json!({ "status": 409, "content-type": "application/json", "body": "{}" });
    let compiled = json!({
        "server": "", "operations": [], "schemas": {}, "requests": [],
        "answers": [{ "operation": "attach_volume", "answer": answer, "mapped": null }],
    });
    let found = fake::check(&spec, &serde_json::from_value(compiled).expect("facts")).0;
    let titles: Vec<&str> = found.iter().map(|finding| &*finding.title).collect();
    let attach = "POST /api/v1/volumes/{volumeId}/attach";
    assert!(
        titles.contains(&&*format!("the fake answers {attach} with 409, which isn't documented")),
        "{titles:?}"
    );
    assert!(
        titles.contains(&"the fake doesn't serve POST /api/v1/volumes/create-from-snapshots"),
        "{titles:?}"
    );
}
