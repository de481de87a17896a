//! Errors for unit tests that need no service.

use crate::error::{Error, ErrorKind, Report};
use crate::id::{DatafySnapshotId, VolumeId};
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use datafy_api::operation::Operation;
use std::time::Duration;

/// Builds an [`Error`] for a unit test of code that handles errors, without a call.
///
/// ```
/// use datafy_api_ext::datafy_api::operations::CREATE_SNAPSHOT;
/// use datafy_api_ext::fake::ErrorBuilder;
/// use datafy_api_ext::{ErrorKind, Outcome};
///
/// let error = ErrorBuilder::new(CREATE_SNAPSHOT, Outcome::Unknown, ErrorKind::Server)
///     .status(503)
///     .message("backend fetch failed")
///     .build();
/// assert_eq!(error.to_string(), "create_snapshot may have been applied: backend fetch failed");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ErrorBuilder(Box<Report>);

impl ErrorBuilder {
    /// Starts an error of one attempt. Its parts need not fit together as those of a real call do.
    pub fn new(operation: Operation, outcome: Outcome, kind: ErrorKind) -> Self {
        let problem = format!("a {kind} error for a test");
        let mut report = Report::not_sent(kind, problem, false);
        (report.operation, report.outcome) = (operation.name, outcome);
        Self(report)
    }

    /// Sets the status of the answer.
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self.0.last_status = Some(status);
        self
    }

    /// Sets the message of the service, which is also the text of the error.
    pub fn message(mut self, message: &str) -> Self {
        self.0.message = Some(Untrusted::local(message));
        self.0.problem = Untrusted::local(message);
        self
    }

    /// Sets the request ID.
    pub fn request_id(mut self, id: &str) -> Self {
        self.0.request_id = Some(Untrusted::local(id));
        self
    }

    /// Sets how long the service asked to wait.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Sets the number of attempts. Defaults to 1.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Sets the marker of a [traceable](crate::Call::traceable) call.
    pub fn marker(mut self, marker: &str) -> Self {
        self.0.marker = Some(marker.to_owned());
        self
    }

    /// Sets the snapshot that the unusable answer named.
    pub fn snapshot_id(mut self, id: DatafySnapshotId) -> Self {
        self.0.snapshot_id = Some(id);
        self
    }

    /// Sets the volume that the unusable answer named.
    pub fn volume_id(mut self, id: VolumeId) -> Self {
        self.0.volume_id = Some(id);
        self
    }

    /// Builds the error.
    pub fn build(self) -> Error {
        Error(self.0)
    }
}
