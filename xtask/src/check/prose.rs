//! The contract and the prose: README, DOCS.md and the guide name nothing that the API no longer has.

use super::Checked;
use crate::docs::prose::Prose;
use crate::report::{Finding, Link};
use std::collections::BTreeSet;

/// `gone` are the names that earlier records had.
pub fn check(prose: &Prose, gone: &BTreeSet<String>) -> Checked {
    let findings = gone.iter().filter_map(|name| {
        let places = prose.naming(name);
        let title = format!("the prose names `{name}`, which the vendor's page had once and no longer has");
        let finding = Finding::new(Link::Prose, name, title);
        let finding = places.iter().fold(finding, |finding, (file, line)| finding.at(file, Some(*line), "here"));
        let help = "describe the API as it is now; what is meant to stay, such as a note for those who upgrade, goes into \
                    xtask/waivers.yaml";
        (!places.is_empty()).then(|| finding.help(help))
    });
    (findings.collect(), format!("looked for {} names that are gone in the prose", gone.len()))
}
