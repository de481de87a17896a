//! The lines of a journal after the first: records. Each line ends with a checksum of what is before it.

use crate::only_objects::only_objects;
use crate::outcome::Outcome;
use crate::subject::Subject;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;
use std::num::NonZeroU32;

/// What is wrong with a line.
pub(super) type Problem = &'static str;

/// The name of one of [`datafy_api::operations::ALL`]. By another name than `&str`, which serde would borrow.
type Name = &'static str;

/// One event in a step, as a line has it. One struct for all events: it is read in half the time of an enum in it, of which
/// serde keeps a copy.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(remote = "Self")]
pub(crate) struct Record {
    pub(crate) key: SmolStr,
    #[serde(deserialize_with = "operation")]
    pub(crate) operation: Name,
    /// Counts the steps of this operation under the key. Absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<NonZeroU32>,
    pub(crate) event: Event,
    /// Of each begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) marker: Option<String>,
    /// Of each end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Outcome>,
    /// Of each settlement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) applied: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    /// What proves a settlement, if a program found it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<String>,
    /// [`line`] adds these.
    #[serde(skip_serializing)]
    pub(crate) time: DateTime<Utc>,
    /// The number of the first line of the write that wrote this one. `None` in a line of a release without checksums.
    #[serde(skip_serializing)]
    pub(crate) write: Option<u64>,
    #[serde(skip_serializing)]
    pub(crate) crc: Option<IgnoredAny>,
}

only_objects!(Record: Deserialize + Serialize);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// A request is about to be sent.
    #[default]
    Begin,
    /// A result has arrived, or none is expected any more.
    End,
    /// Somebody found out what the request did.
    Settle,
}

impl Record {
    pub(crate) fn new(key: SmolStr, operation: &'static str, number: u32, event: Event) -> Self {
        let number = NonZeroU32::new(number).filter(|number| number.get() > 1);
        Self { key, operation, number, event, ..Self::default() }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number.map_or(1, NonZeroU32::get)
    }

    /// The object of its line.
    pub(super) fn object(&self) -> String {
        serde_json::to_string(self).expect("a record has a form in JSON")
    }

    /// Parses a line.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Problem> {
        let has_checksum = check(line)?;
        let record: Self = serde_json::from_slice(line).map_err(|_| "it is not a record")?;
        if (record.write.is_some(), record.crc.is_some()) != (has_checksum, has_checksum) {
            return Err("it doesn't end with its checksum");
        }
        Ok(record)
    }
}

/// Checks the checksum of a line, and returns whether there is one.
pub(super) fn check(line: &[u8]) -> Result<bool, Problem> {
    let line = line.trim_ascii_end();
    let Some((text, end)) = line.split_last_chunk::<CHECKSUM_LENGTH>() else { return Ok(false) };
    if !(end.starts_with(b",\"crc\":\"") && end.ends_with(b"\"}")) {
        return Ok(false);
    }
    if checksum(text).as_bytes() == end { Ok(true) } else { Err("its checksum is wrong") }
}

/// The last member of a line, and its closing brace.
fn checksum(text: &[u8]) -> String {
    format!(",\"crc\":\"{:08x}\"}}", crc32fast::hash(text))
}

const CHECKSUM_LENGTH: usize = br#","crc":"00000000"}"#.len();

/// Returns the line of an object: with its time as the first member, and the number of the first line of its write, if
/// it has one, and its checksum as the last.
pub(super) fn line(time: DateTime<Utc>, object: &str, write: Option<u64>) -> String {
    let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
    let members = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let write = write.map(|write| format!(",\"write\":{write}")).unwrap_or_default();
    let text = format!("{{\"time\":\"{time}\",{}{write}", members.unwrap_or(object));
    let checksum = checksum(text.as_bytes());
    text + &checksum + "\n"
}

/// Reads the name of an operation that exists.
fn operation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = datafy_api::operations::ALL.iter().find(|known| known.name == name);
    known.map(|known| known.name).ok_or_else(|| D::Error::custom("no such operation"))
}
