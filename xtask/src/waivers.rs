//! Differences that are meant to stay, each with the reason why.

use crate::codegen::yaml::Document;
use crate::finding::{Finding, Link};
use chrono::NaiveDate;
use serde::Deserialize;
use std::path::Path;

/// Where they stand.
pub const WAIVERS: &str = "xtask/waivers.yaml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiver {
    /// As a finding prints it.
    fingerprint: String,
    /// Why it may stay.
    reason: String,
    /// The last day on which it holds.
    #[serde(default)]
    expires: Option<NaiveDate>,
    #[serde(skip)]
    line: Option<u64>,
    #[serde(skip)]
    used: bool,
}

/// All waivers.
pub struct Waivers {
    all: Vec<Waiver>,
    today: NaiveDate,
}

impl Waivers {
    /// Reads those below `root`; without the file there are none.
    pub fn load(root: &Path) -> Result<Self, String> {
        let today = chrono::Utc::now().date_naive();
        match std::fs::read_to_string(root.join(WAIVERS)) {
            Ok(text) => Self::parse(&text, today),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { all: Vec::new(), today })
            }
            Err(error) => Err(format!("{WAIVERS}: {error}")),
        }
    }

    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, String> {
        let wrong = |problem: String| {
            format!(
                "{WAIVERS}: {problem}; a waiver has a `fingerprint`, a `reason`, \
                 and may have `expires: YYYY-MM-DD`"
            )
        };
        let document = Document::parse(text).map_err(wrong)?;
        let mut all: Vec<Waiver> = serde_json::from_value(document.value.clone())
            .map_err(|error| wrong(error.to_string()))?;
        for (index, waiver) in all.iter_mut().enumerate() {
            waiver.line = document.line(&format!("/{index}"));
            if waiver.reason.trim().is_empty() {
                return Err(wrong(format!("`{}` has no reason", waiver.fingerprint)));
            }
        }
        Ok(Self { all, today })
    }

    /// The findings that are not waived, and the fingerprints of those that are.
    pub fn sift(&mut self, findings: Vec<Finding>) -> (Vec<Finding>, Vec<String>) {
        let mut waived = Vec::new();
        let rest = findings
            .into_iter()
            .filter(|finding| {
                let waiver =
                    self.all.iter_mut().find(|waiver| waiver.fingerprint == finding.fingerprint);
                let Some(waiver) = waiver else { return true };
                waiver.used = true;
                let holds = waiver.expires.is_none_or(|expires| expires >= self.today);
                if holds {
                    waived.push(finding.fingerprint.clone());
                }
                !holds
            })
            .collect();
        (rest, waived)
    }

    /// What is wrong with the waivers themselves, once all findings were sifted.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for waiver in &self.all {
            let Waiver { fingerprint, expires, line, .. } = waiver;
            if !waiver.used {
                let title = format!("the waiver of `{fingerprint}` matches nothing");
                findings.push(
                    Finding::new(Link::Waivers, format!("unused {fingerprint}"), title)
                        .at(WAIVERS, *line, "no finding has this fingerprint")
                        .help(format!("take it out of {WAIVERS}")),
                );
            } else if let Some(expires) = expires.filter(|expires| *expires < self.today) {
                let title = format!("the waiver of `{fingerprint}` held until {expires}");
                findings.push(
                    Finding::new(Link::Waivers, format!("expired {fingerprint}"), title)
                        .at(WAIVERS, *line, "it has expired")
                        .help("mend what it waives, or give it another date and the reason for it"),
                );
            }
        }
        findings
    }
}
