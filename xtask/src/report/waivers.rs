//! Differences that are meant to stay, each with the reason.

use super::finding::{Finding, Link};
use crate::files::{self, WAIVERS};
use anyhow::{Result, anyhow};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_saphyr::Spanned;
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
}

/// All waivers.
pub struct Waivers {
    all: Vec<Spanned<Waiver>>,
    today: NaiveDate,
}

impl Waivers {
    /// Reads the waivers below `root`. The file is optional.
    pub fn load(root: &Path) -> Result<Self> {
        let text = files::read_if_exists(root, WAIVERS)?;
        Self::parse(text.as_deref().unwrap_or("[]"), chrono::Utc::now().date_naive())
    }

    pub fn parse(text: &str, today: NaiveDate) -> Result<Self> {
        let wrong = |problem: &str| {
            anyhow!(
                "{WAIVERS}: {problem}; a waiver has a `fingerprint`, a `reason`, and optionally `expires: YYYY-MM-DD`"
            )
        };
        let all: Vec<Spanned<Waiver>> = serde_saphyr::from_str(text)
            .map_err(|error| wrong(&error.without_snippet().to_string().replace('\n', " ")))?;
        match all.iter().find(|waiver| waiver.value.reason.trim().is_empty()) {
            Some(waiver) => Err(wrong(&format!("`{}` has no reason", waiver.value.fingerprint))),
            None => Ok(Self { all, today }),
        }
    }

    /// Removes the findings that are waived, and returns their fingerprints. If they are `all` findings, adds those about
    /// waivers that have expired or match none.
    pub fn sift(&self, findings: &mut Vec<Finding>, all: bool) -> Vec<String> {
        let mut waived = Vec::new();
        for Spanned { value: Waiver { fingerprint, expires, .. }, referenced, .. } in &self.all {
            let matches = |finding: &Finding| finding.fingerprint == *fingerprint;
            let last_day = expires.filter(|last_day| *last_day < self.today);
            let (what, why, help) = match last_day {
                _ if !findings.iter().any(matches) => {
                    ("unused", "matches nothing".to_owned(), "remove it")
                }
                Some(last_day) => {
                    let help = "fix the difference, or set a later date and give the reason";
                    ("expired", format!("expired after {last_day}"), help)
                }
                None => {
                    findings.retain(|finding| !matches(finding));
                    waived.push(fingerprint.clone());
                    continue;
                }
            };
            if all {
                let title = format!("the waiver of `{fingerprint}` {why}");
                let finding = Finding::new(Link::Waivers, format!("{what} {fingerprint}"), title);
                findings.push(finding.at(WAIVERS, Some(referenced.line()), "here").help(help));
            }
        }
        waived
    }
}
