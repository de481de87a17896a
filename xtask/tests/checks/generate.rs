use crate::workspace::change;
use std::fs;
use xtask::files::{GENERATED, SPEC, SPEC_COPY};
use xtask::generate::run;
use xtask::report::Ending;

#[test]
fn generate_writes_both_files_and_check_finds_a_missing_and_a_changed_one_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("a directory");
    let root = folder.path();
    fs::create_dir_all(root.join("datafy-api/src")).expect("a directory");
    fs::copy(xtask::files::root().join(SPEC), root.join(SPEC)).expect("copied");
    let ending = |check| run(root, check).expect("generated").ending;
    let committed = |file| fs::read_to_string(root.join(file)).ok();
    assert_eq!(ending(false), Ending::Equal);
    for file in [GENERATED, SPEC_COPY] {
        assert_eq!(ending(true), Ending::Equal);
        let text = committed(file).expect("written");
        fs::remove_file(root.join(file)).expect("removed");
        assert_eq!((ending(true), committed(file)), (Ending::Drift, None));
        assert_eq!((ending(false), committed(file).as_ref()), (Ending::Equal, Some(&text)));
        change(root, file, &[("datafySnapshotId", "snapshotId")]);
        let found = run(root, true).expect("generated").findings;
        assert!(found[0].printed.contains("snapshotId") && found.len() == 1, "{found:?}");
        assert_ne!(committed(file).as_ref(), Some(&text));
        assert_eq!((ending(false), committed(file).as_ref()), (Ending::Equal, Some(&text)));
    }
    // A run that fails leaves the old files.
    let old = committed(GENERATED);
    fs::write(root.join(SPEC), "openapi: [").expect("written");
    assert!(run(root, false).is_err() && run(root, true).is_err());
    fs::remove_file(root.join(SPEC)).expect("removed");
    assert!(run(root, false).is_err());
    assert!(old.is_some() && committed(GENERATED) == old);
}
