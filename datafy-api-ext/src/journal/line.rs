//! The lines of a journal: a header, then records.

use crate::outcome::Outcome;
use crate::subject::Subject;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// The version of the format for calls, attaches and restores.
pub(super) const CALLS: u64 = 2;
/// The version of the format for functions, whose steps may have a number.
pub(super) const FUNCTIONS: u64 = 3;

/// The first line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Header {
    pub(super) journal: String,
    pub(super) version: u64,
    pub(super) job: Option<String>,
    pub(super) operation: String,
    pub(super) endpoint: String,
    pub(super) sub_account: Option<String>,
}

/// Any other line, except its time, which is added when it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Record {
    pub(crate) key: String,
    pub(crate) operation: String,
    /// Counts the steps of this operation under the key, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub(crate) number: u32,
    #[serde(flatten)]
    pub(crate) event: Event,
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(number: &u32) -> bool {
    *number == 1
}

#[derive(Clone, Debug, Deserialize, Serialize)]
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

/// A record as it is read.
#[derive(Debug, Deserialize)]
pub(super) struct Timed {
    pub(super) time: DateTime<Utc>,
    #[serde(flatten)]
    pub(super) record: Record,
}

/// The line of a record, or of the header, with its time as the first member.
pub(super) fn line(time: DateTime<Utc>, object: &str) -> String {
    let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
    format!("{{\"time\":\"{time}\",{}\n", object.trim_start_matches('{'))
}
