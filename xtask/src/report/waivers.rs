//! Differences that are meant to stay, each with the reason.

use super::finding::{Finding, Link};
use crate::files::{self, WAIVERS};
use crate::yaml::Document;
use anyhow::{Result, anyhow};
use chrono::NaiveDate;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiver {
    /// As a finding prints it.
    fingerprint: String,
    /// Why it may stay.
    reason: String,
    /// The last day on which it holds.
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
    /// Reads the waivers below `root`. The file is optional.
    pub fn load(root: &Path) -> Result<Self> {
        let text = files::read_if_exists(root, WAIVERS)?;
        Self::parse(text.as_deref().unwrap_or("[]"), chrono::Utc::now().date_naive())
    }

    pub fn parse(text: &str, today: NaiveDate) -> Result<Self> {
        let wrong = |problem: String| {
            anyhow!(
                "{WAIVERS}: {problem}; a waiver has a `fingerprint`, a `reason`, and optionally \
                 `expires: YYYY-MM-DD`"
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
    pub fn sift(&mut self, mut findings: Vec<Finding>) -> (Vec<Finding>, Vec<String>) {
        let mut waived = Vec::new();
        findings.retain(|finding| {
            let mut all = self.all.iter_mut();
            let Some(waiver) = all.find(|waiver| waiver.fingerprint == finding.fingerprint) else {
                return true;
            };
            waiver.used = true;
            let expired = waiver.expires.is_some_and(|expires| expires < self.today);
            if !expired {
                waived.push(finding.fingerprint.clone());
            }
            expired
        });
        (findings, waived)
    }

    /// The findings about waivers themselves, once all other findings were sifted.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for Waiver { fingerprint, expires, line, used, .. } in &self.all {
            let (what, title, label, help) = match expires {
                _ if !used => (
                    "unused",
                    format!("the waiver of `{fingerprint}` matches nothing"),
                    "no finding has this fingerprint",
                    format!("remove it from {WAIVERS}"),
                ),
                Some(expires) if *expires < self.today => (
                    "expired",
                    format!("the waiver of `{fingerprint}` expired after {expires}"),
                    "it has expired",
                    "fix the difference, or set a later date and give the reason".to_owned(),
                ),
                _ => continue,
            };
            let finding = Finding::new(Link::Waivers, format!("{what} {fingerprint}"), title);
            findings.push(finding.at(WAIVERS, *line, label).help(help));
        }
        findings
    }
}
