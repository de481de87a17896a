//! `cargo xtask check`: compares all links of the chain, without a network.

pub mod compiled;
pub mod document;
pub mod generated;
pub mod record;
mod schema;
pub mod schemas;
pub mod wire;

use crate::docs::findings::{self, Around};
use crate::document::Spec;
use crate::files::{self, GENERATED, RECORD, SPEC_COPY};
use crate::generate;
use crate::page;
use crate::report::{Finding, Receipt, Report, Waivers};
use anyhow::{Result, bail};
use compiled::Compiled;
use std::path::Path;

/// The findings about a link, and a sentence that says what was compared.
pub type Checked = (Vec<Finding>, String);

/// Checks the workspace at `root`.
pub fn run(root: &Path) -> Result<Report> {
    let (spec, mut findings, mut receipt) = before_compiling(root)?;
    let compiled = Compiled::load(root)?;
    let compiles = compiled.is_ok();
    match compiled {
        Ok(compiled) => {
            for (found, compared) in after_compiling(&spec, &compiled) {
                findings.extend(found);
                receipt.compared.push(compared);
            }
            findings.extend(compiled::everything(root)?.map(|failure| *failure));
        }
        Err(failure) => findings.push(*failure),
    }
    // A waiver may concern a link that could not be compiled.
    receipt.waived = Waivers::load(root)?.sift(&mut findings, compiles);
    let mut report = Report::new("check", findings, Vec::new());
    report.receipt = receipt;
    Ok(report)
}

/// Checks the links that need no compiled code.
pub fn before_compiling(root: &Path) -> Result<(Spec, Vec<Finding>, Receipt)> {
    let spec = Spec::load(root)?;
    let Some(mut recorded) = page::record::load(root)? else {
        bail!("{RECORD} is missing; write it with `cargo xtask docs PAGE --record`");
    };
    let (mut findings, document) = document::check(&spec);
    let around = Around::load(root);
    let (found, comparison) = record::check(&spec, &around, &mut recorded);
    findings.extend(found);
    let (found, prose) = record::prose(&around.prose, &recorded.gone);
    findings.extend(found);
    let committed = |file| files::read_if_exists(root, file).map(Option::unwrap_or_default);
    let (found, generated) = generated::check(&spec, &committed(GENERATED)?);
    findings.extend(found);
    let copy = generate::copy(&spec.text);
    findings.extend(generate::stale(SPEC_COPY, &committed(SPEC_COPY)?, &copy));
    let mut receipt = findings::receipt(&spec, &comparison, 0);
    receipt.compared.insert(0, document);
    receipt.compared.extend([generated, prose]);
    Ok((spec, findings, receipt))
}

/// Checks the links that need compiled code.
pub fn after_compiling(spec: &Spec, compiled: &Compiled) -> [Checked; 3] {
    [
        generated::compiled(spec, compiled),
        schemas::check(spec, compiled),
        wire::check(spec, compiled),
    ]
}
