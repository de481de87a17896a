use crate::workspace::{change, folder};
use std::fs;
use xtask::check::before_compiling;
use xtask::files::{self, GENERATED, RECORD, SPEC, SPEC_COPY};
use xtask::generate::run;

#[test]
fn generate_writes_both_files_and_check_finds_one_that_is_missing_or_changed() {
    let own = [SPEC, RECORD].map(|file| files::read(&files::root(), file).expect("readable"));
    let folder = folder(&[(SPEC, &own[0]), (RECORD, &own[1]), (GENERATED, ""), (SPEC_COPY, "")]);
    let root = folder.path();
    let found = || before_compiling(root).expect("it can be read").1;
    let committed = |file| fs::read_to_string(root.join(file)).ok();
    assert_eq!(found().len(), 2, "both are empty");
    run(root).expect("generated");
    assert_eq!(found().len(), 0, "{:?}", found());
    for file in [GENERATED, SPEC_COPY] {
        let text = committed(file);
        change(root, file, &[("datafySnapshotId", "snapshotId")]);
        let [stale] = &found()[..] else { panic!("{:?}", found()) };
        assert!(stale.printed.contains("snapshotId"), "{stale:?}");
        fs::remove_file(root.join(file)).expect("removed");
        assert_eq!(found().len(), 1, "it is missing");
        run(root).expect("generated");
        assert_eq!(committed(file), text);
    }
    // A run that fails leaves the old files.
    let old = committed(GENERATED);
    fs::write(root.join(SPEC), "openapi: [").expect("written");
    assert!(run(root).is_err());
    assert!(old.is_some() && committed(GENERATED) == old);
}
