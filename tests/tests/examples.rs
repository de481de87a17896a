//! Runs the examples of `datafy-api-ext` on the fake.

use datafy_tests::note;
use std::path::Path;
use std::process::Command;

/// The examples are built by `cargo test --workspace`, not for this package alone.
#[test]
fn each_example_ends_well() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datafy-api-ext/examples");
    let program = std::env::current_exe().expect("this program has a path");
    let built = program.ancestors().nth(2).expect("target/debug").join("examples");
    for source in std::fs::read_dir(sources).expect("a directory") {
        let source = source.expect("an entry").path();
        let name = source.file_stem().expect("a name");
        let example = built.join(name).with_extension(std::env::consts::EXE_EXTENSION);
        if !example.exists() {
            assert!(std::env::var_os("CI").is_none(), "{} is missing", example.display());
            note(format!("skipped: {} is only built with --workspace", example.display()));
            continue;
        }
        let output = Command::new(&example).output().expect("it can be run");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {}\n{error}", example.display(), output.status);
    }
}
