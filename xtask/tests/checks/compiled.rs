use serde_json::{Value, json};
use xtask::check::compiled::failure;

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
