use crate::workspace;
use serde_json::{Value, json};
use xtask::check::compiled::failure;
use xtask::check::wire;
use xtask::document::Spec;

/// A message of cargo about an error.
fn error(file: &str, line: u64, text: &str) -> Value {
    json!({ "reason": "compiler-message", "message": {
        "level": "error", "message": text, "rendered": format!("error: {text}\n --> {file}:{line}:5\n"),
        "spans": [{ "is_primary": true, "file_name": file, "line_start": line }],
    } })
}

#[test]
fn each_error_of_the_compiler_is_named_once_as_rustc_renders_it() {
    let warning = json!({ "message": { "level": "warning", "message": "unused", "spans": [
        { "is_primary": true, "file_name": "a.rs", "line_start": 1 },
    ] } });
    let (first, second) = (error("a.rs", 27, "no field `x`"), error("b.rs", 3, "no `y`"));
    let found = failure("cargo", &[warning, first.clone(), second, first], b"more");
    let spots: Vec<_> = found.spots.iter().map(|it| (&*it.file, it.line, &*it.label)).collect();
    assert_eq!(spots, [("a.rs", Some(27), "no field `x`"), ("b.rs", Some(3), "no `y`")]);
    let printed = "error: no field `x`\n --> a.rs:27:5\nerror: no `y`\n --> b.rs:3:5\n";
    assert_eq!(found.printed, printed);
    // A program that panicked.
    let failed = failure("it", &[], b"thread 'main' panicked:\nnothing drives x\n");
    assert_eq!((&*failed.title, failed.spots.len()), ("it failed", 0));
    assert!(failed.printed.contains("nothing drives x"));
}

#[test]
fn an_answer_of_the_fake_with_another_status_is_named() {
    let spec = Spec::load(&workspace::record()).expect("the spec");
    let compiled = json!({
        "server": "", "operations": [], "schemas": {}, "exchanges": [{
            "made": "attach_volume",
            "request": { "line": "POST /api/v1/volumes/vol-1/attach HTTP/1.1", "headers": {}, "body": "" },
            "answer": { "status": 409, "content-type": "application/json", "body": "{}" },
            "mapped": null,
        }],
    });
    let found = wire::answers(&spec, &serde_json::from_value(compiled).expect("facts")).0;
    let titles: Vec<&str> = found.iter().map(|finding| &*finding.title).collect();
    let attach = "POST /api/v1/volumes/{volumeId}/attach";
    assert!(
        titles.contains(&&*format!(
            "`answer 409 as application/json` is sent with {attach}, and isn't documented"
        )),
        "{titles:?}"
    );
    assert!(
        titles.contains(
            &"nothing that is sent, and fits, has `POST /api/v1/volumes/create-from-snapshots`"
        ),
        "{titles:?}"
    );
}
