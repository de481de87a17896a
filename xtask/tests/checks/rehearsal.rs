//! The upgrade to a changed page, in the order of CONTRIBUTING.md, on a copy of the workspace.

use crate::fragments::paste;
use crate::workspace::copy;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use xtask::cargo::cargo;
use xtask::files::{self, SPEC};
use xtask::report::{Ending, Link};
use xtask::{check, docs, generate};

#[test]
#[ignore = "builds a copy of the workspace; .ci/run runs it"]
fn an_upgrade_to_the_revised_page_takes_the_documented_commands_and_few_lines_by_hand() {
    rehearse("revision", "0.1.97", 19, 5, "tests/tests/traces.rs");
}

#[test]
#[ignore = "builds a copy of the workspace; .ci/run runs it"]
fn an_upgrade_to_an_operation_a_field_and_a_parameter_takes_few_lines_by_hand() {
    rehearse("addition", "0.1.96", 127, 9, "datafy-api-ext/examples/token_provider.rs");
}

/// Upgrades to the page of a fixture. `most_lines` and `most_files` are what is written by hand: code, prose, and the
/// spec apart from what is pasted. A change of the workspace may lower the numbers, and not raise them. `unused` is a test
/// or an example, which no other code needs.
fn rehearse(name: &str, version: &str, most_lines: usize, most_files: usize, unused: &str) {
    let fixture = files::root().join("xtask/tests/fixtures").join(name);
    let page = fs::read(fixture.join("page.md")).expect("the page");
    let copy = copy(version);
    let root = copy.path();

    // `cargo xtask docs PAGE`, of whose findings the YAML is pasted.
    let report = docs::compare(root, "page", &page, false);
    if report.ending == Ending::Equal {
        println!(
            "the contract follows the page already: replace the page by the vendor's next one"
        );
        return;
    }
    let pasted: Vec<_> = report.findings.iter().flat_map(|finding| &finding.paste).collect();
    let spec = fs::read_to_string(root.join(SPEC)).expect("the spec");
    fs::write(root.join(SPEC), paste(&spec, &pasted)).expect("written");

    // The patch is what a maintainer writes; of it, the spec first.
    let patch = fs::read_to_string(fixture.join("hand.patch")).expect("the patch");
    let by_hand: BTreeSet<&str> =
        patch.lines().filter_map(|line| line.strip_prefix("+++ b/")).collect();
    apply(root, &fixture, "--include");

    // `cargo xtask generate`
    assert_eq!(generate::run(root).expect("generated").ending, Ending::Equal);

    // `cargo xtask check` says that the record predates the page, and names what is left: code, tests and prose.
    let early = check::run(root).expect("it can be read");
    let of_record = early.findings.iter().filter(|finding| finding.link == Link::Page);
    let [of_record] = of_record.collect::<Vec<_>>()[..] else { panic!("{:?}", early.findings) };
    assert!(of_record.help.contains("run `cargo xtask docs PAGE --record`"), "{of_record:?}");
    let others = early.findings.iter().filter(|finding| finding.link != Link::Page);
    let spots: Vec<_> = others.flat_map(|finding| &finding.spots).collect();
    assert!(!spots.is_empty(), "the contract changed");
    for spot in spots {
        let named = by_hand.contains(&*spot.file) || spot.file == files::HANDLER;
        assert!(named || spot.file == files::DRIVER, "{spot:?} is not in the patch");
    }

    // `cargo xtask docs PAGE --record`
    let recorded = docs::compare(root, "page", &page, true);
    assert_eq!(recorded.ending, Ending::Equal, "{:?}", recorded.findings);
    let prose = check::before_compiling(root).expect("it can be read").1;
    let prose = prose.iter().filter(|finding| finding.link == Link::Prose);
    let named: BTreeSet<&str> =
        prose.flat_map(|finding| &finding.spots).map(|spot| &*spot.file).collect();
    let written: BTreeSet<&str> = by_hand
        .iter()
        .copied()
        .filter(|file| Path::new(file).extension() == Some("md".as_ref()))
        .collect();
    assert_eq!(named, written, "the prose that `check` names is what is written");
    apply(root, &fixture, "--exclude");
    let checked = check::run(root).expect("it can be read");
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

    // A test or an example that doesn't compile is a finding too.
    fs::write(root.join(unused), "fn main() -> u8 {}").expect("written");
    let broken = check::run(root).expect("it can be read").findings;
    assert!(broken.len() == 1 && broken[0].spots[0].file == unused, "{broken:#?}");

    let is_written = |line: &&str| line.starts_with('+') && !line.starts_with("+++ ");
    let (lines, files) = (patch.lines().filter(is_written).count(), by_hand.len());
    println!("{name}: 5 commands, and {lines} lines by hand in {files} files");
    assert!(lines <= most_lines && files <= most_files, "more is written by hand than before");
    assert!(lines == most_lines && files == most_files, "lower the numbers: less is written");
}

/// Applies the part of the patch that is about the spec, or the rest.
fn apply(root: &Path, fixture: &Path, spec: &str) {
    let applied = Command::new("git")
        .args(["apply", &format!("{spec}={SPEC}")])
        .arg(fixture.join("hand.patch"))
        .current_dir(root)
        .output();
    let applied = applied.expect("git");
    let message = String::from_utf8_lossy(&applied.stderr);
    assert!(applied.status.success(), "make the patch anew: {message}");
}
