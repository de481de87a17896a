//! Withdraws the edits that `cargo xtask generate` or `check` would refuse: they lead nowhere.

use crate::check::document;
use crate::codegen;
use crate::contract::Spec;
use crate::drift::edit::TO_DESCRIBE;
use crate::files::SPEC;
use crate::report::{Finding, Hunk, apply};

/// The most findings whose edits are tried: each takes a few milliseconds.
const MOST: usize = 50;

/// Withdraws the edits. Returns the problem if it can't be attributed to one of them.
pub(super) fn withdraw(spec: &Spec, findings: &mut [Finding]) -> Option<String> {
    if findings.len() > MOST {
        return Some("the edits were not tried, since there are many: `cargo xtask generate` reports what it refuses".to_owned());
    }
    let all: Vec<&Hunk> = findings.iter().flat_map(|finding| &finding.edit).collect();
    if all.is_empty() || problem(&spec.text).is_some() {
        return None;
    }
    let together = problem(&apply(&spec.text, all).ok()?)?;
    let mut withdrawn = false;
    for finding in findings.iter_mut().filter(|finding| !finding.edit.is_empty()) {
        let Ok(text) = apply(&spec.text, &finding.edit) else { continue };
        if let Some(problem) = problem(&text) {
            finding.edit.clear();
            finding.help = format!(
                "there is no edit of {SPEC} that the next commands accept: {problem}. Change it so that the client \
                 still sends and reads what the page says, or waive this finding"
            );
            withdrawn = true;
        }
    }
    (!withdrawn).then(|| format!("the edits together are refused by the next commands: {together}"))
}

/// Why the next commands refuse a spec. A description that is still to be written is no reason.
fn problem(text: &str) -> Option<String> {
    let spec = match Spec::parse(text.to_owned()) {
        Ok(spec) => spec,
        Err(error) => return Some(error.to_string()),
    };
    if let Err(refusal) = codegen::generate(text) {
        return Some(format!("{}; {}", refusal.problem, refusal.remedy));
    }
    let described = text.replace(TO_DESCRIBE, "described");
    let spec = if described == text { spec } else { Spec::parse(described).ok()? };
    let (findings, _) = document::check(&spec);
    findings.first().map(|finding| finding.title.clone())
}
