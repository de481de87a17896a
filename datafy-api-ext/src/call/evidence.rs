//! What an attempt proved about its effect.

use crate::client::RetryPolicy;
use crate::outcome::Outcome;
use std::time::Duration;

/// What an attempt that did not end with a result proved about its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The request never reached the service. `transient`: another attempt may succeed.
    NotSent { transient: bool },
    /// The service answered without acting.
    Rejected { status: u16, retry_after: Option<Duration> },
    /// The request was sent, and nothing proves what became of it.
    Ambiguous { status: Option<u16>, retry_after: Option<Duration> },
    /// The service answered that it acted, but the answer can't be used.
    Applied,
}

impl Evidence {
    /// Classifies a status by one question: can a gateway send it after forwarding the request?
    ///
    /// A gateway can send any 5xx, even one with `Retry-After`: Varnish does so by default when its backend
    /// dies, and so do common maintenance pages of nginx. 501 and 505 are about the request itself, so no
    /// backend has acted on it. 408 is a gateway's timeout; 499 is how gateways to gRPC report a call that was
    /// cancelled underway. A 303, and by custom a 302, is also how a service answers a POST that it has
    /// processed. A 101 hands the connection over to whatever answered, and codes that nobody has defined
    /// prove nothing.
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

    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::NotSent { .. } => Outcome::NotSent,
            Self::Rejected { .. } => Outcome::Refused,
            Self::Ambiguous { .. } => Outcome::Unknown,
            Self::Applied => Outcome::Applied,
        }
    }

    /// Whether the same request may be sent again, given that this is all that is known about the last one.
    pub(crate) fn permits_retry(self, idempotent: bool, policy: &RetryPolicy) -> bool {
        match self {
            Self::NotSent { transient } => transient,
            Self::Rejected { status: 429, .. } => idempotent || policy.creates_after_429(),
            Self::Rejected { status: 425, .. } => idempotent,
            Self::Ambiguous { status: Some(503), retry_after: Some(_) } => {
                idempotent || policy.creates_after_503()
            }
            // A redirect would lead to the same place again.
            Self::Ambiguous { status, .. } => {
                idempotent && !matches!(status, Some(100..=199 | 300..=399))
            }
            Self::Rejected { .. } | Self::Applied => false,
        }
    }

    pub(crate) fn is_unauthorized(self) -> bool {
        matches!(self, Self::Rejected { status: 401, .. })
    }

    /// The status of the answer, unless it was a success.
    pub(crate) fn status(self) -> Option<u16> {
        match self {
            Self::Rejected { status, .. } => Some(status),
            Self::Ambiguous { status, .. } => status,
            Self::NotSent { .. } | Self::Applied => None,
        }
    }

    pub(crate) fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Rejected { retry_after, .. } | Self::Ambiguous { retry_after, .. } => retry_after,
            Self::NotSent { .. } | Self::Applied => None,
        }
    }
}

/// The outcome of a call whose attempts proved this: that of the one that may have gone farthest. A later refusal
/// doesn't make an earlier ambiguous attempt certain.
pub(crate) fn outcome(history: &[Evidence]) -> Outcome {
    history.iter().map(|evidence| evidence.outcome()).max().unwrap_or(Outcome::NotSent)
}
