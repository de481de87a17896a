//! A failed attempt.

use super::evidence::Evidence;
use crate::client::token::NoToken;
use crate::error::{Cause, ErrorKind};
use crate::id::{DatafySnapshotId, VolumeId};
use crate::untrusted::Untrusted;
use bytes::Bytes;
use reqwest::StatusCode;
use std::error::Error as _;

/// A failed attempt: what it proved about its effect, and what happened.
pub(crate) struct Failure {
    pub(crate) evidence: Evidence,
    pub(crate) kind: ErrorKind,
    /// What happened, in a few words.
    pub(crate) text: Untrusted,
    /// Why it happened, if known.
    pub(crate) cause: Option<Cause>,
    pub(crate) answer: Option<Box<Answer>>,
}

/// The answer to a request, as far as it arrived. The token is redacted everywhere.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) message: Option<Untrusted>,
    pub(crate) request_id: Option<Untrusted>,
    /// The IDs in an answer that proves that the service acted.
    pub(crate) snapshot_id: Option<DatafySnapshotId>,
    pub(crate) volume_id: Option<VolumeId>,
    /// The text in the place of the created object's ID, whether or not it is one.
    pub(crate) created_id: Option<Untrusted>,
    pub(crate) body: Bytes,
}

impl Failure {
    /// Nothing was sent.
    pub(crate) fn not_sent(kind: ErrorKind, text: impl AsRef<str>, transient: bool) -> Self {
        Self::without_answer(Evidence::NotSent { transient }, kind, text)
    }

    /// There is no token to send.
    pub(crate) fn no_token(error: &NoToken) -> Self {
        let cause = error.source().and_then(Cause::of);
        Self::not_sent(ErrorKind::Token, &error.problem, error.transient).because(cause)
    }

    /// The request was sent, and no answer came.
    pub(crate) fn ambiguous(kind: ErrorKind, text: impl AsRef<str>) -> Self {
        Self::without_answer(Evidence::Ambiguous { status: None, retry_after: None }, kind, text)
    }

    pub(crate) fn because(mut self, cause: Option<Cause>) -> Self {
        self.cause = cause;
        self
    }

    fn without_answer(evidence: Evidence, kind: ErrorKind, text: impl AsRef<str>) -> Self {
        Self { evidence, kind, text: Untrusted::local(text), cause: None, answer: None }
    }

    /// What happened, with all causes, on one line.
    pub(crate) fn line(&self) -> Untrusted {
        match &self.cause {
            Some(cause) => Untrusted::local(format!("{}: {cause:#}", self.text)),
            None => self.text.clone(),
        }
    }

    /// The status of the answer, as traces record it.
    pub(crate) fn status(&self) -> Option<i64> {
        self.answer.as_ref().map(|answer| i64::from(answer.status.as_u16()))
    }
}
