//! The limits on the time of a call.

use crate::client::InvalidSetting;
use std::time::Duration;

/// The three limits on the time of a call.
///
/// | limit | default | spans |
/// |---|---|---|
/// | connect | 5 s | DNS, TCP and TLS handshake; when it ends the attempt, nothing was sent |
/// | attempt | 60 s | one request, from connecting to the last byte of the answer |
/// | operation | 120 s | the whole call, with its retries and the pauses between them |
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
/// let timeouts = Timeouts::builder().attempt(Duration::from_secs(20)).build()?;
/// assert_eq!(timeouts.operation(), Duration::from_secs(120));
/// assert!(Timeouts::builder().connect(Duration::ZERO).build().is_err());
/// # Ok::<(), datafy_api_ext::InvalidSetting>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias("timeout", "deadline"))]
pub struct Timeouts {
    connect: Duration,
    attempt: Duration,
    operation: Duration,
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

    /// Returns a builder with the defaults.
    pub fn builder() -> TimeoutsBuilder {
        TimeoutsBuilder::default()
    }

    /// Shortens each limit to at most `limit`.
    pub(crate) fn cut_to(self, limit: Duration) -> Self {
        let limit = limit.max(Self::LEAST);
        Self {
            connect: self.connect.min(limit),
            attempt: self.attempt.min(limit),
            operation: self.operation.min(limit),
        }
    }

    /// The limit on connecting. Never longer than the limit on an attempt.
    pub fn connect(&self) -> Duration {
        self.connect
    }

    /// The limit on one request.
    pub fn attempt(&self) -> Duration {
        self.attempt
    }

    /// The limit on the whole call.
    pub fn operation(&self) -> Duration {
        self.operation
    }
}

/// Sets [`Timeouts`]. Each limit lies between a millisecond and a day.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct TimeoutsBuilder {
    connect: Option<Duration>,
    attempt: Option<Duration>,
    operation: Option<Duration>,
}

impl TimeoutsBuilder {
    /// Limits connecting: DNS, TCP and TLS handshake.
    pub fn connect(mut self, limit: Duration) -> Self {
        self.connect = Some(limit);
        self
    }

    /// Limits one request. Be generous: a create that exceeds this limit may have been applied.
    pub fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = Some(limit);
        self
    }

    /// Limits the whole call, with its retries and pauses.
    #[doc(alias("deadline"))]
    pub fn operation(mut self, limit: Duration) -> Self {
        self.operation = Some(limit);
        self
    }

    /// Builds the timeouts. A default is adjusted where it contradicts a limit that was set.
    ///
    /// Fails if a limit is out of range, or if the limit on an attempt is longer than that on the operation.
    pub fn build(self) -> Result<Timeouts, InvalidSetting> {
        let within = |name, limit: Option<Duration>| {
            limit
                .map(|limit| InvalidSetting::within(name, limit, Timeouts::LEAST..=Timeouts::MOST))
                .transpose()
        };
        let default = Timeouts::default();
        let set_attempt = within("attempt timeout", self.attempt)?;
        let operation = within("operation timeout", self.operation)?
            .unwrap_or_else(|| default.operation.max(set_attempt.unwrap_or_default()));
        let attempt = set_attempt.unwrap_or_else(|| default.attempt.min(operation));
        let connect =
            within("connect timeout", self.connect)?.unwrap_or(default.connect).min(attempt);
        if attempt > operation {
            return Err(InvalidSetting::new(
                "attempt timeout",
                format!("is {attempt:?}, longer than the operation timeout of {operation:?}"),
            ));
        }
        Ok(Timeouts { connect, attempt, operation })
    }
}
