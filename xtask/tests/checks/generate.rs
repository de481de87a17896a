use crate::workspace::change;
use std::fs;
use xtask::check::before_compiling;
use xtask::files::{GENERATED, RECORD, SPEC, SPEC_COPY};
use xtask::generate::run;

#[test]
fn generate_writes_both_files_and_check_finds_a_missing_and_a_changed_one() {
    let folder = tempfile::tempdir().expect("a directory");
    let root = folder.path();
    for file in [SPEC, RECORD] {
        fs::create_dir_all(root.join("datafy-api/src")).expect("a directory");
        fs::create_dir_all(root.join("xtask")).expect("a directory");
        fs::copy(xtask::files::root().join(file), root.join(file)).expect("copied");
    }
    let found = || before_compiling(root).expect("it can be read").1;
    let committed = |file| fs::read_to_string(root.join(file)).ok();
    assert_eq!(found().len(), 2, "both are missing");
    run(root).expect("generated");
    assert_eq!(found().len(), 0, "{:?}", found());
    for file in [GENERATED, SPEC_COPY] {
        let text = committed(file);
        change(root, file, &[("datafySnapshotId", "snapshotId")]);
        let [stale] = &found()[..] else { panic!("{:?}", found()) };
        assert!(stale.printed.contains("snapshotId"), "{stale:?}");
        run(root).expect("generated");
        assert_eq!(committed(file), text);
    }
    // A run that fails leaves the old files.
    let old = committed(GENERATED);
    fs::write(root.join(SPEC), "openapi: [").expect("written");
    assert!(run(root).is_err());
    assert!(old.is_some() && committed(GENERATED) == old);
}
