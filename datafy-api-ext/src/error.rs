//! Why a call failed, and what became of it.

use crate::call::attempt::Failure;
use crate::call::decision::{Finding, Stop, outcome};
use crate::id::{Answered, DatafySnapshotId, VolumeId};
use crate::outcome::Outcome;
use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// How much of an answer's body an error keeps, in bytes.
const KEPT: usize = 16 * 1024;
/// How much of a text `Display` shows, in characters.
const SHOWN: usize = 300;

/// Why a call failed. [`outcome`](Self::outcome) says what became of it, and so what may be done next.
///
/// `Display` is one line that says all that matters; it and `Debug` never show the token, even if the
/// service sent it back.
pub struct Error(Box<Inner>);

struct Inner {
    operation: &'static str,
    outcome: Outcome,
    /// The attempt that makes the outcome what it is: the last of those that went farthest.
    deciding: Failure,
    /// The end of the last attempt, if that is another one.
    last: Option<String>,
    /// What the last attempt showed.
    last_finding: Option<Finding>,
    stop: Stop,
    attempts: u32,
    elapsed: Duration,
    marker: Option<String>,
    snapshot_id: Option<Answered<DatafySnapshotId>>,
    volume_id: Option<Answered<VolumeId>>,
}

impl Error {
    /// The operation, as [`datafy_api::operations`] names it.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// What became of the call.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// The status of the answer that decided the outcome; none if no answer came.
    pub fn status(&self) -> Option<u16> {
        self.0.deciding.answer.as_ref().map(|answer| answer.status.as_u16())
    }

    /// The attempt that decided the outcome.
    pub(crate) fn deciding(&self) -> &Failure {
        &self.0.deciding
    }

    /// The status of the last answer, unless something else came of the last attempt. It tells what another
    /// attempt would meet.
    pub(crate) fn last_status(&self) -> Option<u16> {
        self.0.last_finding.and_then(Finding::status)
    }

    /// The message of the service, if its answer was JSON with a `message`.
    pub fn message(&self) -> Option<&str> {
        self.0.deciding.answer.as_ref()?.message.as_deref()
    }

    /// By what the service can find the request in its logs.
    pub fn request_id(&self) -> Option<&str> {
        self.0.deciding.answer.as_ref()?.request_id.as_deref()
    }

    /// How long the service asked to wait, in its last answer, before the next attempt. It may be
    /// longer than the client would have waited.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.last_finding.and_then(Finding::retry_after)
    }

    /// How many attempts were made. One that found no token or no free connection counts too.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took, with all its pauses.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// The body of the answer that decided the outcome: as it came, at most 16 KiB of it, with the
    /// token blotted out.
    pub fn body(&self) -> Option<&[u8]> {
        self.0.deciding.answer.as_ref().map(|answer| &answer.body[..])
    }

    /// The `datafySnapshotId` of an answer that was unusable as a whole.
    pub fn snapshot_id(&self) -> Option<&Answered<DatafySnapshotId>> {
        self.0.snapshot_id.as_ref()
    }

    /// The `volumeId` of an answer that was unusable as a whole.
    pub fn volume_id(&self) -> Option<&Answered<VolumeId>> {
        self.0.volume_id.as_ref()
    }

    /// What [`traceable`](crate::Call::traceable) appended to the description. If the snapshot was
    /// made, a snapshot of the volume carries it in its description.
    pub fn marker(&self) -> Option<&str> {
        self.0.marker.as_deref()
    }
}

/// What a call has seen so far.
#[derive(Default)]
pub(crate) struct History {
    findings: Vec<Finding>,
    deciding: Option<Failure>,
    last: Option<String>,
}

impl History {
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub(crate) fn push(&mut self, failure: Failure) {
        self.findings.push(failure.finding);
        match &self.deciding {
            Some(deciding) if failure.finding.outcome() < deciding.finding.outcome() => {
                self.last = Some(failure.text);
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
        let outcome = outcome(&self.findings);
        let mut deciding = self
            .deciding
            .unwrap_or_else(|| Failure::not_sent("request", "no attempt was made", false));
        let (mut snapshot_id, mut volume_id) = (None, None);
        if let Some(answer) = &mut deciding.answer {
            snapshot_id = answer.snapshot_id.take().map(Into::into);
            volume_id = answer.volume_id.take().map(Into::into);
            if answer.body.len() > KEPT {
                answer.body = Bytes::copy_from_slice(&answer.body[..KEPT]);
            }
        }
        Error(Box::new(Inner {
            operation,
            outcome,
            deciding,
            last: self.last,
            last_finding: self.findings.last().copied(),
            stop,
            attempts,
            elapsed,
            marker: marker.map(str::to_owned),
            snapshot_id,
            volume_id,
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let became = match inner.outcome {
            Outcome::NotSent => "was not sent",
            Outcome::Refused => "was refused",
            Outcome::Unknown => "may have been applied",
            Outcome::Applied => "was applied, but its answer can't be used",
        };
        write!(f, "{} {became}: {}", inner.operation, OneLine(&inner.deciding.text))?;
        if let Some(last) = &inner.last {
            write!(f, "; then: {}", OneLine(last))?;
        }
        if let Some(id) = self.snapshot_id() {
            write!(f, "; snapshot {}", OneLine(id.as_str()))?;
        }
        if let Some(id) = self.volume_id() {
            write!(f, "; volume {}", OneLine(id.as_str()))?;
        }
        if let Some(id) = self.request_id() {
            write!(f, "; request id {}", OneLine(id))?;
        }
        if inner.attempts > 1 {
            write!(f, "; {} attempts in {:.1?}", inner.attempts, inner.elapsed)?;
        }
        if inner.stop == Stop::Budget {
            f.write_str("; not repeated: the retry budget is empty")?;
        }
        if let Some(wait) = self.retry_after() {
            write!(f, "; try again in {} s", wait.as_secs_f64().ceil())?;
        }
        match (inner.outcome, self.marker()) {
            (Outcome::Unknown, Some(marker)) => {
                write!(f, "; look for {marker} in the descriptions of the volume's snapshots")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("operation", &self.operation())
            .field("outcome", &self.outcome())
            .field("status", &self.status())
            .field("message", &self.message())
            .field("request_id", &self.request_id())
            .field("retry_after", &self.retry_after())
            .field("attempts", &self.attempts())
            .field("elapsed", &self.elapsed())
            .field("snapshot_id", &self.snapshot_id())
            .field("volume_id", &self.volume_id())
            .field("marker", &self.marker())
            .field("text", &self.0.deciding.text)
            .field("body", &self.body().map(String::from_utf8_lossy))
            .finish()
    }
}

impl std::error::Error for Error {}

/// A text of the service on one line, and not too long a one.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::fmt::Write;
        for (at, letter) in self.0.chars().enumerate() {
            if at == SHOWN {
                return f.write_char('…');
            }
            f.write_char(if letter.is_control() { ' ' } else { letter })?;
        }
        Ok(())
    }
}
