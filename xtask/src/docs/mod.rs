//! `cargo xtask docs`: compares a page with openapi.yaml.

pub mod findings;
mod fragment;
pub mod impact;
pub mod listed;
pub mod prose;

pub use fragment::{Fragment, TO_DESCRIBE};

use crate::document::{Spec, align};
use crate::files::{self, RECORD};
use crate::page::{self, Page, record};
use crate::report::{Report, Waivers};
use anyhow::{Context, Result};
use findings::Around;
use std::path::{Path, PathBuf};

const COMMAND: &str = "docs";

/// Compares the page from `source` with the spec below `root`, and records the page if `record` is set.
pub fn run(root: &Path, source: &str, record: bool) -> Report {
    match page::fetch(source) {
        Ok(bytes) => compare(root, page::name(source), &bytes, record),
        Err(error) => Report::could_not_check(COMMAND, &error),
    }
}

/// Compares the page in `bytes`, which findings call `name`.
pub fn compare(root: &Path, name: &str, bytes: &[u8], record: bool) -> Report {
    Basis::load(root, record)
        .and_then(|mut basis| basis.compare(name, bytes))
        .unwrap_or_else(|error| Report::could_not_check(COMMAND, &error))
}

/// What a page is compared with.
pub struct Basis {
    spec: Spec,
    recorded: Option<record::Recorded>,
    around: Around,
    waivers: Waivers,
    /// The root below which the page is recorded, if it is.
    record: Option<PathBuf>,
}

impl Basis {
    /// Reads the files below `root`. A page that is compared is recorded there if `record` is set.
    pub fn load(root: &Path, record: bool) -> Result<Self> {
        let spec = Spec::load(root)?;
        // A record that is about to be replaced need not be readable.
        let mut recorded =
            record::load(root).or_else(|error| if record { Ok(None) } else { Err(error) })?;
        if let Some(recorded) = &mut recorded {
            align(&spec.facts, &mut recorded.page.facts);
        }
        let (around, waivers) = (Around::load(root), Waivers::load(root)?);
        Ok(Self { spec, recorded, around, waivers, record: record.then(|| root.to_owned()) })
    }

    /// Compares the page in `bytes`, which findings call `name`.
    pub fn compare(&mut self, name: &str, bytes: &[u8]) -> Result<Report> {
        let spec = &self.spec;
        let mut page = Page::read(bytes, &spec.facts)
            .map_err(anyhow::Error::msg)
            .with_context(|| name.to_owned())?;
        for problem in &mut page.unreadable {
            problem.file = Some(name.to_owned());
        }
        let problems = page.unreadable.clone();
        // The comparison reorders the page as the spec is ordered.
        let shown = self.record.as_ref().map(|_| page.facts.clone());
        let before = self.recorded.as_ref().map(|recorded| &recorded.page);
        let (comparison, mut findings) =
            findings::findings(spec, &self.around, &mut page, name, before);
        let waived = self.waivers.sift(&mut findings, false);
        // The silence of a part of the page is not the vendor's.
        let whole =
            problems.is_empty() && spec.facts.operations().all(|place| page.facts.has(place));
        let mut report = Report::new(COMMAND, findings, problems);
        report.page = Some(name.to_owned());
        report.receipt = findings::receipt(spec, &comparison, page.unreadable.len());
        report.receipt.waived = waived;
        report.receipt.not_compared = page.facts.not_compared.iter().cloned().collect();
        if let (Some(root), Some(shown)) = (&self.record, shown) {
            report.receipt.compared.push(if whole {
                let text = record::write(&shown, page.shape, spec, &comparison, self.recorded.as_ref());
                files::write(root, RECORD, &text)?;
                format!("recorded in {RECORD}")
            } else {
                format!("not recorded: the page is not whole, or an operation is gone; {RECORD} is unchanged")
            });
        }
        Ok(report)
    }
}
