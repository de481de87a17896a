//! The lines of a journal: a header, then records. Each ends with a checksum of what is before it.

use crate::outcome::Outcome;
use crate::subject::Subject;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use std::num::NonZeroU32;

/// The version of the format for calls, attaches and restores.
pub(super) const CALLS: u64 = 2;
/// The version of the format for functions, whose steps may have a number.
pub(super) const FUNCTIONS: u64 = 3;

/// The first line.
#[expect(clippy::option_option, reason = "absent and `null` differ")]
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Header {
    pub(super) journal: String,
    pub(super) version: u64,
    pub(super) job: Option<String>,
    pub(super) operation: String,
    pub(super) endpoint: String,
    pub(super) sub_account: Option<String>,
    /// The value of the query parameter `accounts`, if any. Releases before checksums didn't record it.
    #[serde(default, deserialize_with = "recorded")]
    pub(super) account: Option<Option<String>>,
    /// When it was written. It is added then.
    #[serde(default, skip_serializing)]
    pub(super) time: Option<DateTime<Utc>>,
}

/// Any other line, except its time, its write and its checksum, which are added when it is written.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) key: String,
    pub(crate) operation: Name,
    /// Counts the steps of this operation under the key, from 1.
    #[serde(skip_serializing_if = "is_first")]
    pub(crate) number: u32,
    #[serde(flatten)]
    pub(crate) event: Event,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(number: &u32) -> bool {
    *number == 1
}

/// Reads a member that may be `null`. If it is absent, it is not read.
#[expect(clippy::option_option, reason = "absent and `null` differ")]
fn recorded<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The name of one of [`datafy_api::operations::ALL`].
type Name = &'static str;

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// A request is about to be sent.
    Begin {
        subject: Subject,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marker: Option<String>,
    },
    /// A result has arrived, or none is expected any more.
    End {
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
    /// Somebody found out what the request did.
    Settle {
        applied: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_id: Option<String>,
        /// What proves it, if a program found it out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<String>,
    },
}

impl Event {
    /// A result that says nothing but the outcome.
    pub(crate) fn end(outcome: Outcome) -> Self {
        Self::End { outcome, created_id: None, request_id: None }
    }
}

/// A line after the first, as it is read.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) time: DateTime<Utc>,
    /// The number of the first line of the write that wrote this one. `None` in a line of a release without checksums.
    pub(super) write: Option<u64>,
    pub(super) record: Record,
}

/// All members of a line. Those of a record are read side by side: it takes half the time of `flatten`, which keeps a
/// copy of each.
#[derive(Deserialize)]
struct Members {
    time: DateTime<Utc>,
    key: String,
    #[serde(deserialize_with = "operation")]
    operation: Name,
    number: Option<NonZeroU32>,
    event: EventName,
    subject: Option<Subject>,
    marker: Option<String>,
    outcome: Option<Outcome>,
    applied: Option<bool>,
    created_id: Option<String>,
    request_id: Option<String>,
    evidence: Option<String>,
    write: Option<u64>,
    crc: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventName {
    Begin,
    End,
    Settle,
}

impl Line {
    /// Parses a line. Fails with what is wrong.
    pub(super) fn parse(line: &[u8]) -> Result<Self, &'static str> {
        let has_checksum = check(line)?;
        let members: Members = serde_json::from_slice(line).map_err(|_| "it is not a record")?;
        if (members.write.is_some(), members.crc.is_some()) != (has_checksum, has_checksum) {
            return Err("it doesn't end with its checksum");
        }
        let (time, write) = (members.time, members.write);
        let record = members.record().ok_or("it is not a record")?;
        Ok(Self { time, write, record })
    }
}

impl Members {
    /// The record, unless a member is missing.
    fn record(self) -> Option<Record> {
        let Self { key, operation, marker, created_id, request_id, .. } = self;
        let event = match self.event {
            EventName::Begin => Event::Begin { subject: self.subject?, marker },
            EventName::End => Event::End { outcome: self.outcome?, created_id, request_id },
            EventName::Settle => {
                Event::Settle { applied: self.applied?, created_id, evidence: self.evidence }
            }
        };
        let number = self.number.map_or(1, NonZeroU32::get);
        Some(Record { key, operation, number, event })
    }
}

/// Checks the checksum of a line, and returns whether there is one.
pub(super) fn check(line: &[u8]) -> Result<bool, &'static str> {
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
    let mut all = datafy_api::operations::ALL.iter();
    let known = all.find(|known| known.name == name);
    known.map(|known| known.name).ok_or_else(|| D::Error::custom("no such operation"))
}
