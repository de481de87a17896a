use std::fs;
use std::path::Path;
use tempfile::TempDir;
use xtask::files::{GENERATED, SPEC_COPY};
use xtask::generate::run;
use xtask::report::Ending;

/// A workspace with the spec of this one and no generated code.
fn workspace() -> TempDir {
    let root = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(root.path().join("datafy-api/src")).expect("a directory");
    fs::write(root.path().join("openapi.yaml"), include_str!("../../../openapi.yaml"))
        .expect("written");
    root
}

fn committed(root: &Path, file: &str) -> Option<String> {
    fs::read_to_string(root.join(file)).ok()
}

#[test]
fn check_finds_a_missing_and_a_changed_file_and_generate_writes_both() {
    let root = workspace();
    let root = root.path();
    assert!(matches!(run(root, false), Ok(Ending::Equal)));
    for file in [GENERATED, SPEC_COPY] {
        assert!(matches!(run(root, true), Ok(Ending::Equal)));
        let text = committed(root, file).expect("written");

        fs::remove_file(root.join(file)).expect("removed");
        assert!(matches!(run(root, true), Ok(Ending::Drift)));
        assert_eq!(committed(root, file), None, "a check writes nothing");
        assert!(matches!(run(root, false), Ok(Ending::Equal)));
        assert_eq!(committed(root, file).as_ref(), Some(&text));

        let changed = text.replace("datafySnapshotId", "snapshotId");
        assert_ne!(changed, text);
        fs::write(root.join(file), &changed).expect("written");
        assert!(matches!(run(root, true), Ok(Ending::Drift)));
        assert_eq!(committed(root, file), Some(changed));
        assert!(matches!(run(root, false), Ok(Ending::Equal)));
    }
    assert!(matches!(run(root, true), Ok(Ending::Equal)));
}

#[test]
fn a_failed_run_leaves_the_old_file() {
    let root = workspace();
    let root = root.path();
    assert!(matches!(run(root, false), Ok(Ending::Equal)));
    let old = committed(root, GENERATED);
    fs::write(root.join("openapi.yaml"), "openapi: [").expect("written");
    assert!(run(root, false).is_err());
    assert!(run(root, true).is_err());
    fs::remove_file(root.join("openapi.yaml")).expect("removed");
    assert!(run(root, false).is_err());
    assert!(old.is_some() && committed(root, GENERATED) == old);
}
