//! The failed attempts of a call so far.

use super::decision::Stop;
use super::evidence::{Evidence, outcome};
use super::failure::Failure;
use crate::error::{Error, ErrorKind, Report};
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use bytes::Bytes;
use std::time::Duration;

/// The failed attempts of a call: what each proved, and in full the one that decides the outcome.
#[derive(Default)]
pub(crate) struct History {
    evidence: Vec<Evidence>,
    /// The attempt that decides the outcome of the call: the last one with the highest outcome.
    deciding: Option<Failure>,
    /// What happened in the last attempt, if that is another one.
    last: Option<Untrusted>,
}

impl History {
    pub(crate) fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The outcome of the attempts so far.
    pub(crate) fn outcome(&self) -> Outcome {
        outcome(&self.evidence)
    }

    pub(crate) fn push(&mut self, failure: Failure) {
        self.evidence.push(failure.evidence);
        match &self.deciding {
            Some(deciding) if failure.evidence.outcome() < deciding.evidence.outcome() => {
                self.last = Some(failure.line());
            }
            _ => {
                self.last = None;
                self.deciding = Some(failure);
            }
        }
    }

    /// The error that ends the call.
    pub(crate) fn into_error(
        self,
        operation: &'static str,
        stop: Stop,
        attempts: u32,
        elapsed: Duration,
        marker: Option<&str>,
    ) -> Error {
        let outcome = self.outcome();
        let last = self.evidence.last();
        let deciding = self
            .deciding
            .unwrap_or_else(|| Failure::not_sent(ErrorKind::Request, "no attempt was made", false));
        let answer = deciding.answer.map(|answer| *answer);
        let mut report = Report {
            kind: deciding.kind,
            text: deciding.text,
            cause: deciding.cause,
            last: self.last,
            last_status: last.and_then(|evidence| evidence.status()),
            retry_after: last.and_then(|evidence| evidence.retry_after()),
            budget_is_empty: stop == Stop::Budget,
            attempts,
            elapsed,
            marker: marker.map(str::to_owned),
            ..Report::new(operation, outcome)
        };
        if let Some(answer) = answer {
            report.status = Some(answer.status.as_u16());
            report.message = answer.message;
            report.request_id = answer.request_id;
            report.snapshot_id = answer.snapshot_id;
            report.volume_id = answer.volume_id;
            report.created_id = answer.created_id;
            // Copied, since the body is a part of the connection's buffer.
            report.body = Some(Bytes::copy_from_slice(&answer.body));
        }
        Error::new(report)
    }
}
