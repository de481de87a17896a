//! The first line of a journal: what it is about.

use super::error::JournalError;
use super::line::{Problem, check};
use crate::client::Datafy;
use crate::one_line::OneLine;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// The version of the format for calls, attaches and restores.
pub(crate) const CALLS: u64 = 2;
/// The version of the format for functions, whose steps may have a number.
pub(crate) const FUNCTIONS: u64 = 3;

/// The members by which a run and a journal are compared, those of the client first.
const MEMBERS: [&str; 6] = ["endpoint", "sub_account", "account", "job", "operation", "version"];

/// What a run writes as the first line, and expects there.
#[derive(Serialize)]
pub(crate) struct Header {
    journal: &'static str,
    version: u64,
    job: Option<String>,
    operation: String,
    endpoint: String,
    sub_account: Option<String>,
    /// The value of the query parameter `accounts`, if any.
    account: Option<String>,
    /// How long ago a journal that is resumed may have been begun.
    #[serde(skip)]
    pub(crate) max_age: Option<Duration>,
    #[serde(skip)]
    now: DateTime<Utc>,
}

impl Header {
    /// The header of a run with this client.
    pub(crate) fn new(datafy: &Datafy, version: u64, operation: &str, job: Option<String>) -> Self {
        Self {
            journal: "datafy",
            version,
            job,
            operation: operation.to_owned(),
            endpoint: datafy.endpoint().to_owned(),
            sub_account: datafy.sub_account().map(ToString::to_string),
            account: datafy.account().map(ToOwned::to_owned),
            max_age: None,
            now: datafy.clock().date().into(),
        }
    }
}

/// The first line of a journal, as it is read. It has members that are not compared, such as the time.
pub(super) struct FirstLine(Value);

impl FirstLine {
    /// Reads the first line. Also returns whether it has a checksum.
    pub(super) fn read(path: &Path, line: &[u8]) -> Result<(Self, bool), JournalError> {
        let damaged = |problem: Problem| JournalError::damaged(path, 1, problem);
        if let Some(problem) = unreadable(line) {
            return Err(damaged(problem));
        }
        let checked = check(line).map_err(damaged)?;
        let value: Value = serde_json::from_slice(line).unwrap_or_default();
        if value.is_null() && begins_header(line) || value.get("crc").is_some() != checked {
            return Err(damaged("it is not a header"));
        }
        match (value["journal"].as_str(), value["version"].as_u64()) {
            (Some("datafy"), Some(CALLS..=FUNCTIONS)) => {}
            (Some("datafy" | "datafy-fleet"), Some(version)) => {
                let problem = format!(
                    "has version {version} of the format, and this crate reads versions 2 and 3 only; finish the job \
                     with the release of the crate that began it, or use another file"
                );
                return Err(JournalError::foreign(path, problem));
            }
            _ => {
                let text = String::from_utf8_lossy(line.trim_ascii_end());
                let found = text.chars().take(200).collect();
                return Err(JournalError::NotAJournal { path: path.to_owned(), found });
            }
        }
        if !line.ends_with(b"\n") {
            return Err(damaged("its end is missing"));
        }
        Ok((Self(value), checked))
    }

    /// A member that is a text.
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.0[member].as_str()
    }

    /// Fails unless the journal at `path` is one of the run with this header.
    pub(super) fn expect(&self, own: &Header, path: &Path) -> Result<(), JournalError> {
        match self.difference(own, &MEMBERS).or_else(|| self.is_too_old(own)) {
            None => Ok(()),
            Some(problem) => Err(JournalError::foreign(path, problem)),
        }
    }

    fn is_too_old(&self, own: &Header) -> Option<String> {
        let (limit, time) = (own.max_age?, self.text("time")?.parse::<DateTime<Utc>>().ok()?);
        let age = (own.now - time).to_std().ok()?;
        (age > limit).then(|| {
            format!("was begun at {time}, longer ago than {limit:?}; use a new one for each run of the schedule")
        })
    }

    /// Whether the client is the one of a run that can resume the journal.
    pub(super) fn is_of(&self, datafy: &Datafy) -> bool {
        self.difference(&Header::new(datafy, CALLS, "", None), &MEMBERS[..3]).is_none()
    }

    /// The first of these members that differs from what a run expects.
    fn difference(&self, own: &Header, members: &[&str]) -> Option<String> {
        let own = serde_json::to_value(own).unwrap_or_default();
        // Releases before checksums didn't record the account.
        let is_compared = |name: &&&str| **name != "account" || self.0.get(**name).is_some();
        let mut members = members.iter().filter(is_compared);
        let name = members.find(|name| self.0[**name] != own[**name])?;
        let found = self.0[*name].to_string();
        Some(format!(
            "belongs to another run: its `{name}` is {}, and that of this run is {}; use another file",
            OneLine(&found),
            own[name]
        ))
    }
}

/// Why a first line can't be read at all.
fn unreadable(line: &[u8]) -> Option<Problem> {
    match line {
        [] => Some("it is empty, so it was truncated, or another program made it"),
        [0xEF, 0xBB, 0xBF, ..] => {
            Some("an editor has put a byte order mark before it, which must be removed")
        }
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            Some("an editor has saved it as UTF-16, and it must be UTF-8")
        }
        _ => None,
    }
}

/// Whether this is a part of a header, or zeros.
fn begins_header(line: &[u8]) -> bool {
    let begins = br#"{"time":""#;
    line.iter().all(|byte| *byte == 0) || line.starts_with(begins) || begins.starts_with(line)
}
