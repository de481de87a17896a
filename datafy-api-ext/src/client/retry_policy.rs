//! How often, and how soon, a call may be repeated.

use crate::client::InvalidSetting;
use std::time::Duration;

const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// How often, and how soon, a call may be repeated. *Whether* it may is not a setting: that follows
/// from what the operation does and from what became of the attempt (see [`Outcome`](crate::Outcome)).
///
/// The pause before the repetition `n` is drawn from zero to `base * 2^(n - 1)`, at most `cap`. Where
/// the service names a time to wait (`Retry-After`), that time, at most `retry_after_cap`, is waited
/// first. A pause that would end past the operation's deadline is not begun.
///
/// ```
/// use datafy_api_ext::RetryPolicy;
/// use std::time::Duration;
///
/// let patient = RetryPolicy::builder().attempts(8).cap(Duration::from_secs(30)).build()?;
/// assert_eq!(patient.attempts(), 8);
/// assert_eq!(RetryPolicy::none().attempts(), 1);
/// # Ok::<(), datafy_api_ext::InvalidSetting>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    base: Duration,
    cap: Duration,
    retry_after_cap: Duration,
    creates_after_429: bool,
    creates_after_503: bool,
}

impl Default for RetryPolicy {
    /// 4 attempts, `base` 200 ms, `cap` 10 s, `retry_after_cap` 60 s; creates are retried after a 429 and not
    /// after a 503.
    fn default() -> Self {
        Self {
            attempts: 4,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(10),
            retry_after_cap: Duration::from_secs(60),
            creates_after_429: true,
            creates_after_503: false,
        }
    }
}

impl RetryPolicy {
    /// Never repeats. (A renewed token after a 401 is still tried once: see [`Token`](crate::Token).)
    pub fn none() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// Begins with the defaults.
    pub fn builder() -> RetryPolicyBuilder {
        RetryPolicyBuilder(Self::default())
    }

    /// How many requests a call may send, the first included.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The longest pause before the first repetition.
    pub fn base(&self) -> Duration {
        self.base
    }

    /// The longest pause that is drawn.
    pub fn cap(&self) -> Duration {
        self.cap
    }

    /// The longest that a `Retry-After` is heeded.
    pub fn retry_after_cap(&self) -> Duration {
        self.retry_after_cap
    }

    /// Whether a create is retried after a 429.
    pub fn creates_after_429(&self) -> bool {
        self.creates_after_429
    }

    /// Whether a create is retried after a 503 with `Retry-After`.
    pub fn creates_after_503(&self) -> bool {
        self.creates_after_503
    }

    /// The pause before a retry, counted from 1. `jitter` lies in `0.0..1.0`.
    pub(crate) fn pause(
        &self,
        retry: usize,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Duration {
        // It may come from the caller, and `mul_f64` panics unless the factor is finite and positive.
        let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
        let doublings = u32::try_from(retry.saturating_sub(1)).unwrap_or(u32::MAX);
        let ceiling = self.base.saturating_mul(2_u32.saturating_pow(doublings)).min(self.cap);
        retry_after.unwrap_or_default().min(self.retry_after_cap) + ceiling.mul_f64(jitter)
    }
}

/// Sets a [`RetryPolicy`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct RetryPolicyBuilder(RetryPolicy);

impl RetryPolicyBuilder {
    /// How many requests a call may send, the first included: 1 to 10.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// The longest pause before the first repetition: 1 ms to `cap`.
    pub fn base(mut self, base: Duration) -> Self {
        self.0.base = base;
        self
    }

    /// The longest pause that is drawn: `base` to an hour.
    pub fn cap(mut self, cap: Duration) -> Self {
        self.0.cap = cap;
        self
    }

    /// The longest that a `Retry-After` is heeded: up to an hour.
    pub fn retry_after_cap(mut self, cap: Duration) -> Self {
        self.0.retry_after_cap = cap;
        self
    }

    /// Whether a create is retried after a 429. Defaults to `true`.
    ///
    /// The risk: a gateway that answers 429 after it has forwarded the request makes the client create, and you
    /// pay for, a second object. Gateways normally count requests before they forward them.
    pub fn creates_after_429(mut self, retry: bool) -> Self {
        self.0.creates_after_429 = retry;
        self
    }

    /// Whether a create is retried after a 503 with `Retry-After`. Defaults to `false`.
    ///
    /// The risk: a gateway that sends such an answer after its backend has acted makes the client create, and you
    /// pay for, a second object. Varnish does that by default, and so do common maintenance pages of nginx; say
    /// `true` only if you know every gateway on the way.
    pub fn creates_after_503(mut self, retry: bool) -> Self {
        self.0.creates_after_503 = retry;
        self
    }

    /// The policy, where each setting is in its range.
    pub fn build(self) -> Result<RetryPolicy, InvalidSetting> {
        let RetryPolicy { attempts, base, cap, retry_after_cap, .. } = self.0;
        InvalidSetting::within("attempts", attempts, 1..=10)?;
        InvalidSetting::within("cap", cap, Duration::from_millis(1)..=LONGEST_PAUSE)?;
        InvalidSetting::within("base", base, Duration::from_millis(1)..=cap)?;
        InvalidSetting::within("retry_after_cap", retry_after_cap, Duration::ZERO..=LONGEST_PAUSE)?;
        Ok(self.0)
    }
}
