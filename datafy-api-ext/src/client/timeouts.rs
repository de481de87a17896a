//! The limits on the time of a call.

use crate::client::options::within;
use std::time::Duration;

/// The three limits on the time of a call. Each is a millisecond to a day.
///
/// | limit | default | spans |
/// |---|---|---|
/// | `connect` | 5 s | DNS, TCP and TLS handshake; when it ends the attempt, nothing was sent |
/// | `attempt` | 60 s | one request, from connecting to the last byte of the answer |
/// | `operation` | 120 s | the whole call, with its retries and the pauses between them |
///
/// Whichever limit is reached first applies, so a short limit on the operation also shortens its attempts.
///
/// No request is started in the last tenth of the operation timeout, since it would probably be cut short and end
/// [`Unknown`](crate::Outcome::Unknown).
///
/// A service that sends interim answers (1xx), or a chunk size of endless zeros, faster than the client can parse them may
/// exceed a limit: over plain http up to 50 MB of them are parsed before the timers are checked, over https up to 2 MB.
///
/// If a host has several addresses, each has a share of the time for connecting, so that one that drops packets doesn't
/// hide the others.
///
/// ```
/// use datafy_api_ext::Timeouts;
/// use std::time::Duration;
///
/// let mut timeouts = Timeouts::attempt(Duration::from_secs(20));
/// timeouts.connect = Duration::from_secs(1);
/// assert_eq!(timeouts.operation, Duration::from_secs(120));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias("timeout", "deadline"))]
#[non_exhaustive]
pub struct Timeouts {
    /// The limit on connecting.
    pub connect: Duration,
    /// The limit on one request. Be generous: a create that exceeds it may have been applied.
    pub attempt: Duration,
    /// The limit on the whole call.
    pub operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(60),
            operation: Duration::from_secs(120),
        }
    }
}

impl Timeouts {
    /// The shortest limit.
    pub(crate) const LEAST: Duration = Duration::from_millis(1);

    /// The longest limit.
    const MOST: Duration = Duration::from_secs(24 * 60 * 60);

    /// Returns the defaults with this limit on connecting.
    pub fn connect(limit: Duration) -> Self {
        Self { connect: limit, ..Self::default() }
    }

    /// Returns the defaults with this limit on one request, and with at least as much time for the call.
    pub fn attempt(limit: Duration) -> Self {
        let default = Self::default();
        Self { attempt: limit, operation: default.operation.max(limit), ..default }
    }

    /// Returns the defaults with this limit on the whole call.
    pub fn operation(limit: Duration) -> Self {
        Self { operation: limit, ..Self::default() }
    }

    /// Fails if a limit is out of range.
    pub(crate) fn check(self) -> Result<(), String> {
        let Self { connect, attempt, operation } = self;
        within("connect timeout", &connect, Self::LEAST..=Self::MOST)?;
        within("attempt timeout", &attempt, Self::LEAST..=Self::MOST)?;
        within("operation timeout", &operation, Self::LEAST..=Self::MOST)
    }
}
