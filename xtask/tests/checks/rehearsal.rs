//! The upgrade to the vendor's revised page, in the order of CONTRIBUTING.md, on a copy of the workspace.

use crate::workspace::copy;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask::cargo::cargo;
use xtask::report::{Ending, Link};
use xtask::{check, docs, files, generate};

/// The lines and files that are edited by hand. A change of the workspace may lower the numbers, and not raise them.
const MOST_LINES: usize = 16;
const MOST_FILES: usize = 4;

fn fixture(file: &str) -> PathBuf {
    files::root().join("xtask/tests/fixtures/revision").join(file)
}

#[test]
#[ignore = "builds a copy of the workspace; .ci/run runs it"]
fn an_upgrade_takes_the_documented_commands_and_few_lines_by_hand() {
    let page = std::fs::read(fixture("page.md")).expect("the page");
    let copy = copy("0.1.97");
    let root = copy.path();
    let docs = |record| docs::compare(root, "page", &page, record);

    // `cargo xtask docs PAGE --apply`
    let mut report = docs(false);
    if report.ending == Ending::Equal {
        println!(
            "the contract follows the page already: replace the page by the vendor's next one"
        );
        return;
    }
    for finding in &report.findings {
        assert!(!finding.edit.is_empty(), "it has no edit: {finding:?}");
    }
    docs::apply(root, &mut report).expect("applied");

    // `cargo xtask generate`
    assert_eq!(generate::run(root, false).expect("generated"), Ending::Equal);

    // `cargo xtask check` says that the record predates the page, and what to run.
    let early = check::run(root);
    let of_record = early.findings.iter().filter(|finding| finding.link == Link::Page);
    let [of_record] = of_record.collect::<Vec<_>>()[..] else { panic!("{:?}", early.findings) };
    assert!(of_record.help.contains("run `cargo xtask docs PAGE --record`"), "{of_record:?}");
    assert_eq!(of_record.edit, [], "an edit would undo the change");

    // `cargo xtask docs PAGE --record`
    let recorded = docs(true);
    assert_eq!(recorded.ending, Ending::Equal, "{:?}", recorded.findings);

    // `cargo xtask check` names what is left. The patch is what a maintainer writes.
    let patch = std::fs::read_to_string(fixture("hand.patch")).expect("the patch");
    let by_hand: BTreeSet<&str> =
        patch.lines().filter_map(|line| line.strip_prefix("+++ b/")).collect();
    let broken = check::run(root);
    let spots: Vec<_> = broken.findings.iter().flat_map(|finding| &finding.spots).collect();
    assert!(!spots.is_empty(), "the types of the contract changed");
    for spot in spots {
        assert!(by_hand.contains(&*spot.file), "{spot:?} is not in the patch");
    }
    apply(root, &fixture("hand.patch"));
    assert_eq!(generate::run(root, false).expect("generated"), Ending::Equal);
    let checked = check::run(root);
    assert_eq!(checked.ending, Ending::Equal, "{:#?}", checked.findings);

    // `cargo test --workspace`, of which these tests are about the contract. With the packages that `check` builds, the
    // dependencies are compiled already.
    let suites = ["extras::", "fake::", "json::", "mocks::", "wire::"];
    let mut tests = cargo(root, "test");
    tests
        .args(["--quiet", "--workspace", "--exclude", "datafy-api", "--test", "suite", "--"])
        .args(suites);
    let tests = tests.output().expect("cargo");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(tests.status.success(), "{}\n{}", text(&tests.stdout), text(&tests.stderr));

    let is_written = |line: &&str| line.starts_with('+') && !line.starts_with("+++ ");
    let (lines, files) = (patch.lines().filter(is_written).count(), by_hand.len());
    println!("the upgrade: 5 commands, and {lines} lines by hand in {files} files");
    assert!(lines <= MOST_LINES && files <= MOST_FILES, "more is written by hand than before");
    assert!(
        lines == MOST_LINES && files == MOST_FILES,
        "lower the numbers: less is written by hand"
    );
}

fn apply(root: &Path, patch: &Path) {
    let applied = Command::new("git").arg("apply").arg(patch).current_dir(root).output();
    let applied = applied.expect("git");
    let message = String::from_utf8_lossy(&applied.stderr);
    assert!(applied.status.success(), "make the patch anew: {message}");
}
