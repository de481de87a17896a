//! How often, and after which pauses, a call is retried.

use crate::client::options::within;
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
/// let mut patient = RetryPolicy::default();
/// patient.attempts = 8;
/// patient.cap = Duration::from_secs(30);
/// assert_eq!(RetryPolicy::none().attempts, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias("retry", "backoff", "jitter"))]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The number of attempts of a call, including the first: 1 to 10. Defaults to 4.
    pub attempts: u32,
    /// The longest pause before the first retry: 1 ms to `cap`. Defaults to 200 ms.
    pub base: Duration,
    /// The longest pause before any retry, without `Retry-After`: 1 ms to an hour. Defaults to 10 s.
    pub cap: Duration,
    /// The longest time that the client waits for a `Retry-After`: up to an hour. Defaults to 60 s.
    pub retry_after_cap: Duration,
    /// Whether a create is retried after a 429. Defaults to `true`.
    ///
    /// The risk: a gateway that answers 429 after it has forwarded the request makes the client create, and you
    /// pay for, a second object. Gateways normally count requests before they forward them.
    #[doc(alias("throttled"))]
    pub creates_after_429: bool,
    /// Whether a create is retried after a 503 with `Retry-After`. Defaults to `false`.
    ///
    /// The risk: a gateway that sends such an answer after its backend has acted makes the client create, and you
    /// pay for, a second object. Varnish does that by default, and so do common maintenance pages of nginx. Use `true`
    /// only if you know every gateway between the client and the service.
    pub creates_after_503: bool,
}

impl Default for RetryPolicy {
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

    /// Fails if a value is out of range.
    pub(crate) fn check(self) -> Result<(), String> {
        let Self { attempts, base, cap, retry_after_cap, .. } = self;
        let least = Duration::from_millis(1);
        within("attempts", &attempts, 1..=10)?;
        within("cap", &cap, least..=LONGEST_PAUSE)?;
        within("base", &base, least..=cap)?;
        within("retry_after_cap", &retry_after_cap, Duration::ZERO..=LONGEST_PAUSE)
    }

    /// Returns the pause before a retry, counted from 1. `jitter` is in `0.0..1.0`.
    pub(crate) fn pause(
        &self,
        retry: usize,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Duration {
        let doublings = u32::try_from(retry.saturating_sub(1)).unwrap_or(u32::MAX);
        let ceiling = self.base.saturating_mul(2_u32.saturating_pow(doublings)).min(self.cap);
        retry_after.unwrap_or_default().min(self.retry_after_cap) + ceiling.mul_f64(jitter)
    }
}
