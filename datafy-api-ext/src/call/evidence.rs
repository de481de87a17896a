//! What a failed attempt proves about its effect.

use crate::client::RetryPolicy;
use crate::error::Report;
use crate::outcome::Outcome;
use std::time::Duration;

/// What a failed attempt proves about its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The request was not sent. `transient`: another attempt may succeed.
    NotSent { transient: bool },
    /// The service answered, and did not act.
    Rejected { status: u16, retry_after: Option<Duration> },
    /// The request was sent, and nothing proves whether the service acted.
    Ambiguous { status: Option<u16>, retry_after: Option<Duration> },
    /// The service acted, but its answer can't be used.
    Applied,
}

impl Evidence {
    /// What the attempt with this report proves.
    pub(crate) fn of(report: &Report) -> Self {
        let Report { transient, status, retry_after, .. } = *report;
        match report.outcome {
            Outcome::NotSent => Self::NotSent { transient },
            Outcome::Refused => Self::Rejected { status: status.unwrap_or_default(), retry_after },
            Outcome::Unknown => Self::Ambiguous { status, retry_after },
            Outcome::Applied => Self::Applied,
        }
    }

    /// Classifies a status by one question: can a gateway send it after forwarding the request?
    ///
    /// - Any 5xx, even with `Retry-After`: yes. Varnish sends such a 503 by default when its backend dies, and so do
    ///   common maintenance pages of nginx. The exceptions are 501 and 505: they reject the form of the request, so no
    ///   backend acted on it.
    /// - 408 and 499: yes. The first is a gateway's timeout; with the second, gateways to gRPC report a call that was
    ///   cancelled in flight.
    /// - 302 and 303: a service also answers a POST that it has processed with these.
    /// - 101 and undefined codes: they prove nothing.
    /// - Every other 3xx and 4xx: no, the service rejected the request.
    pub(crate) fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Applied,
            408 | 499 => Self::Ambiguous { status: Some(status), retry_after },
            300 | 301 | 304 | 305 | 307 | 308 | 400..=498 | 501 | 505 => {
                Self::Rejected { status, retry_after }
            }
            _ => Self::Ambiguous { status: Some(status), retry_after },
        }
    }

    /// The outcome of a call that consists of this attempt.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::NotSent { .. } => Outcome::NotSent,
            Self::Rejected { .. } => Outcome::Refused,
            Self::Ambiguous { .. } => Outcome::Unknown,
            Self::Applied => Outcome::Applied,
        }
    }

    /// Whether a retry can't have a second effect and may succeed, given that this attempt is the only one.
    pub(crate) fn permits_retry(self, idempotent: bool, policy: &RetryPolicy) -> bool {
        match self {
            Self::NotSent { transient } => transient,
            Self::Rejected { status: 429, .. } => idempotent || policy.creates_after_429,
            Self::Rejected { status: 425, .. } => idempotent,
            Self::Ambiguous { status: Some(503), retry_after: Some(_) } => {
                idempotent || policy.creates_after_503
            }
            // A retry would get the same redirect.
            Self::Ambiguous { status, .. } => {
                idempotent && !matches!(status, Some(100..=199 | 300..=399))
            }
            Self::Rejected { .. } | Self::Applied => false,
        }
    }

    /// Whether the service rejected the token.
    pub(crate) fn is_unauthorized(self) -> bool {
        matches!(self, Self::Rejected { status: 401, .. })
    }

    /// The status of the answer, unless there is none or it is a success.
    pub(crate) fn status(self) -> Option<u16> {
        match self {
            Self::Rejected { status, .. } => Some(status),
            Self::Ambiguous { status, .. } => status,
            Self::NotSent { .. } | Self::Applied => None,
        }
    }

    /// How long the service asked the client to wait.
    pub(crate) fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Rejected { retry_after, .. } | Self::Ambiguous { retry_after, .. } => retry_after,
            Self::NotSent { .. } | Self::Applied => None,
        }
    }
}

/// Returns the outcome of a call with these attempts: the highest of theirs.
///
/// A rejected attempt doesn't make an earlier ambiguous one certain.
pub(crate) fn outcome(history: &[Evidence]) -> Outcome {
    history.iter().map(|evidence| evidence.outcome()).max().unwrap_or(Outcome::NotSent)
}
