//! The allowances of a look-up.

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The allowances of a look-up. A verdict is right as long as they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How far the clocks of the caller, of EC2, and of the machine that sent the call are apart at most. 1 minute by
    /// default.
    pub clock_skew: Duration,
    /// How long after the end of a call the service may still act, including the time until EC2 shows the objects.
    /// 15 minutes by default.
    pub settling_time: Duration,
    /// How long a call takes at most whose end was not recorded, since its process died. 10 minutes by default: that is
    /// enough for the default [operation timeout](crate::Timeouts::operation). Raise it if yours is longer.
    pub longest_call: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock_skew: Duration::from_secs(60),
            settling_time: Duration::from_secs(15 * 60),
            longest_call: Duration::from_secs(10 * 60),
        }
    }
}

impl Settings {
    /// The times between which the objects of a call may have been created. The second one is also when EC2 shows all.
    pub(super) fn window(
        &self,
        begun: DateTime<Utc>,
        ended: Option<DateTime<Utc>>,
    ) -> (DateTime<Utc>, DateTime<Utc>) {
        let ended = ended.unwrap_or_else(|| later(begun, self.longest_call));
        // A clock that was set back during the call makes the end the earlier one.
        let (first, last) = (begun.min(ended), begun.max(ended));
        let end = later(later(last, self.settling_time), self.clock_skew);
        (earlier(first, self.clock_skew), end)
    }
}

pub(super) fn later(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
    time.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn earlier(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
    time.checked_sub_signed(by).unwrap_or(DateTime::<Utc>::MIN_UTC)
}
