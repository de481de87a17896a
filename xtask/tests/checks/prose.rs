//! The prose that names what changed.

use crate::render::{self, Variations};
use crate::upgrade::{changed, docs};
use crate::workspace;
use std::fs;
use std::path::Path;
use xtask::check;
use xtask::document::Spec;
use xtask::files::{self, SPEC, WAIVERS};
use xtask::report::{Ending, Link};

#[test]
fn prose_that_names_what_changed_or_is_gone_is_listed() {
    let before = files::read(&workspace::record(), SPEC).expect("the spec");
    let root = workspace::folder(&[
        (SPEC, &before),
        (WAIVERS, "[]"),
        ("README.md", "It sends `X-Datafy-Sub-Account-Id`.\n\nA status of the snapshot.\n"),
        ("datafy-api-ext/DOCS.md", "Set\n`autoscaling_only`, which is `autoscalingOnly`.\n"),
        ("datafy-api-ext/guide/a.md", "Read `status`.\nMyautoscalingOnly is another.\n"),
        ("CHANGELOG.md", "`X-Datafy-Sub-Account-Id` is new.\n"),
    ]);
    let root = root.path();
    let spec = Spec::load(root).expect("the spec");
    let before = render::markdown(spec.value(), Variations::default());
    assert_eq!(xtask::docs::compare(root, "page", before.as_bytes(), true).ending, Ending::Equal);
    let page = render::markdown(&changed(&workspace::record()), Variations::default());
    let report = docs(root, &page);
    let prose = |word: &str| {
        let mut found = report.findings.iter().filter(|finding| finding.title.contains(word));
        found.next().expect(word).prose.clone()
    };
    assert_eq!(prose("X-Datafy-Sub-Account-Id"), ["README.md:1"]);
    assert_eq!(prose("autoscalingOnly"), ["datafy-api-ext/DOCS.md:2"]);
    assert_eq!(prose("status"), ["datafy-api-ext/guide/a.md:1"], "a word of English is not a name");
    assert_eq!(prose("detach"), [""; 0]);

    // Once the spec follows the page and that is recorded, the names that are gone are still looked for.
    let after = changed(&workspace::record()).to_string();
    fs::write(root.join(SPEC), after).expect("written");
    assert_eq!(xtask::docs::compare(root, "page", page.as_bytes(), true).ending, Ending::Equal);
    let gone = |root: &Path| {
        let found = check::before_compiling(root).expect("it can be read").1;
        found.into_iter().filter(|finding| finding.link == Link::Prose).collect::<Vec<_>>()
    };
    let [finding] = &gone(root)[..] else { panic!("{:?}", gone(root)) };
    assert_eq!(finding.fingerprint, "prose: X-Datafy-Sub-Account-Id");
    assert_eq!(finding.spots[0].file, "README.md");
    assert_eq!(xtask::docs::compare(root, "page", page.as_bytes(), true).ending, Ending::Equal);
    assert_eq!(gone(root).len(), 1, "the next record keeps them");
}
