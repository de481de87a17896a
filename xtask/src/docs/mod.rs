//! `cargo xtask docs`: compares a page with openapi.yaml.

mod refused;

use crate::contract::{Spec, normalize};
use crate::drift::{self, listed::PublicItems};
use crate::files::{self, RECORD, SPEC};
use crate::page::{self, Page, record};
use crate::report::{self, Problem, Report, Waivers};
use anyhow::{Context, Result, anyhow};
use std::path::{Path, PathBuf};

const COMMAND: &str = "docs";

/// Compares the page from `source` with the spec below `root`, and records its facts if `record` is set.
pub fn run(root: &Path, source: &str, record: bool) -> Report {
    match page::fetch(source) {
        Ok(bytes) => compare(root, page::name(source), &bytes, record),
        Err(error) => Report::could_not_check(COMMAND, &error),
    }
}

/// Applies the edits of the findings to the spec below `root`.
pub fn apply(root: &Path, report: &mut Report) -> Result<()> {
    let hunks: Vec<_> = report.findings.iter().flat_map(|finding| &finding.edit).collect();
    let text = report::apply(&files::read(root, SPEC)?, hunks)
        .map_err(|hunk| anyhow!("{SPEC}:{}: it has changed meanwhile", hunk.line))?;
    files::write(root, SPEC, &text)?;
    let left = report.findings.iter().filter(|finding| finding.edit.is_empty()).count();
    let by_hand = if left > 0 {
        format!("; {left} findings are to be edited by hand")
    } else {
        String::new()
    };
    report
        .receipt
        .compared
        .push(format!("applied the edits to {SPEC}{by_hand}; run `cargo xtask generate`"));
    Ok(())
}

/// Compares the page in `bytes`, which findings call `name`.
pub fn compare(root: &Path, name: &str, bytes: &[u8], record: bool) -> Report {
    let report = Basis::load(root, record).and_then(|mut basis| {
        let mut report = basis.compare(name, bytes)?;
        report.receipt.compared.extend(refused::withdraw(&basis.spec, &mut report.findings));
        Ok(report)
    });
    report.unwrap_or_else(|error| Report::could_not_check(COMMAND, &error))
}

/// What a page is compared with.
pub struct Basis {
    spec: Spec,
    recorded: Option<record::Recorded>,
    public: PublicItems,
    waivers: Waivers,
    /// The root below which the facts of the page are recorded, if they are.
    record: Option<PathBuf>,
}

impl Basis {
    /// Reads the files below `root`. The facts of a page that is compared are recorded there if `record` is set.
    pub fn load(root: &Path, record: bool) -> Result<Self> {
        let spec = Spec::load(root)?;
        // A record that is about to be replaced need not be readable.
        let mut recorded =
            record::load(root).or_else(|error| if record { Ok(None) } else { Err(error) })?;
        if let Some(recorded) = &mut recorded {
            normalize(&spec.facts, &mut recorded.page);
        }
        let (public, waivers) = (PublicItems::load(root), Waivers::load(root)?);
        Ok(Self { spec, recorded, public, waivers, record: record.then(|| root.to_owned()) })
    }

    /// As [`compare`], but the edits of the findings are not tried out.
    pub fn compare(&mut self, name: &str, bytes: &[u8]) -> Result<Report> {
        let spec = &self.spec;
        let mut page = Page::read(bytes, &spec.facts)
            .map_err(anyhow::Error::msg)
            .with_context(|| name.to_owned())?;
        let unreadable = page.unreadable.iter();
        let problems: Vec<_> =
            unreadable.map(|place| Problem::of_file(name, place.line, &place.problem)).collect();
        // The comparison reorders the page as the spec is ordered.
        let new_record = self.record.as_ref().map(|root| (root, record::Record::new(&page)));
        let before = self.recorded.as_ref().map(|recorded| &recorded.page);
        let (comparison, findings) = drift::findings(spec, &self.public, &mut page, name, before);
        let unreadable = page.unreadable.len();
        let (findings, waived) = self.waivers.sift(findings);
        // The silence of a part of the page is not the vendor's.
        let mut operations = spec.facts.operations();
        let complete =
            problems.is_empty() && operations.all(|place| page.facts.get(place).is_some());
        let mut report = Report::new(COMMAND, findings, problems);
        report.page = Some(name.to_owned());
        report.receipt = drift::receipt(spec, &comparison, unreadable);
        report.receipt.waived = waived;
        report.receipt.not_compared = page.facts.not_compared.iter().cloned().collect();
        if let Some((root, new_record)) = new_record {
            report.receipt.compared.push(if complete {
                files::write(root, RECORD, &new_record.write(&comparison))?;
                format!("recorded in {RECORD}")
            } else {
                format!("not recorded: the page is not whole, or an operation is gone; {RECORD} is unchanged")
            });
        }
        let text = String::from_utf8_lossy(bytes);
        report.show(name, text.strip_prefix('\u{feff}').unwrap_or(&text));
        report.show(SPEC, &spec.text);
        Ok(report)
    }
}
