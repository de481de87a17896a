//! How often, and after which pauses, a call is retried.

use crate::client::InvalidSetting;
use std::time::Duration;

const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// How often, and after which pauses, a call is retried.
///
/// *Whether* a retry is safe is not a setting: it follows from the operation and from the outcome of the attempts (see
/// [`Outcome`](crate::Outcome)).
///
/// The pause before retry `n` is random, between zero and `base * 2^(n - 1)`, at most `cap`. If the service sends a
/// `Retry-After`, that time, at most `retry_after_cap`, is added. If the pause would end after the operation
/// timeout, the call ends without it.
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
#[doc(alias("retry", "backoff", "jitter"))]
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
    /// Never retries, except once with a renewed token after a 401: see [`Token`](crate::Token).
    pub fn none() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// Returns a builder with the defaults.
    pub fn builder() -> RetryPolicyBuilder {
        RetryPolicyBuilder(Self::default())
    }

    /// The number of attempts of a call, including the first.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The longest pause before the first retry.
    pub fn base(&self) -> Duration {
        self.base
    }

    /// The longest pause before any retry, without `Retry-After`.
    pub fn cap(&self) -> Duration {
        self.cap
    }

    /// The longest time that the client waits for a `Retry-After`.
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

    /// Returns the pause before a retry, counted from 1. `jitter` is in `0.0..1.0`.
    pub(crate) fn pause(
        &self,
        retry: usize,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Duration {
        // The caller may supply it, and `mul_f64` panics unless the factor is finite and not negative.
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
    /// Sets the number of attempts of a call, including the first: 1 to 10. Defaults to 4.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Sets the longest pause before the first retry: 1 ms to `cap`. Defaults to 200 ms.
    pub fn base(mut self, base: Duration) -> Self {
        self.0.base = base;
        self
    }

    /// Sets the longest pause before any retry, without `Retry-After`: `base` to an hour. Defaults to 10 s.
    pub fn cap(mut self, cap: Duration) -> Self {
        self.0.cap = cap;
        self
    }

    /// Sets the longest time that the client waits for a `Retry-After`: up to an hour. Defaults to 60 s.
    pub fn retry_after_cap(mut self, cap: Duration) -> Self {
        self.0.retry_after_cap = cap;
        self
    }

    /// Whether a create is retried after a 429. Defaults to `true`.
    ///
    /// The risk: a gateway that answers 429 after it has forwarded the request makes the client create, and you
    /// pay for, a second object. Gateways normally count requests before they forward them.
    #[doc(alias("throttled"))]
    pub fn creates_after_429(mut self, retry: bool) -> Self {
        self.0.creates_after_429 = retry;
        self
    }

    /// Whether a create is retried after a 503 with `Retry-After`. Defaults to `false`.
    ///
    /// The risk: a gateway that sends such an answer after its backend has acted makes the client create, and you
    /// pay for, a second object. Varnish does that by default, and so do common maintenance pages of nginx. Use `true`
    /// only if you know every gateway between the client and the service.
    pub fn creates_after_503(mut self, retry: bool) -> Self {
        self.0.creates_after_503 = retry;
        self
    }

    /// Builds the policy. Fails if a setting is out of range.
    pub fn build(self) -> Result<RetryPolicy, InvalidSetting> {
        let RetryPolicy { attempts, base, cap, retry_after_cap, .. } = self.0;
        InvalidSetting::within("attempts", attempts, 1..=10)?;
        InvalidSetting::within("cap", cap, Duration::from_millis(1)..=LONGEST_PAUSE)?;
        InvalidSetting::within("base", base, Duration::from_millis(1)..=cap)?;
        InvalidSetting::within("retry_after_cap", retry_after_cap, Duration::ZERO..=LONGEST_PAUSE)?;
        Ok(self.0)
    }
}
