//! Limits how many calls start per second.

use crate::client::Clock;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How late a call may start without delaying the next ones: timers fire some milliseconds late.
const SLACK: Duration = Duration::from_millis(10);

/// Lets one call start per interval. Unused intervals are not saved up: there is no burst after a lull.
pub(super) struct Pace {
    interval: Duration,
    /// The last turn.
    last: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(calls_per_second: u32) -> Self {
        Self { interval: Duration::from_secs(1) / calls_per_second, last: Mutex::default() }
    }

    /// Waits for the caller's turn. Fails if `check` fails, before or after the wait.
    pub(super) async fn wait<E>(
        &self,
        clock: &dyn Clock,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut last = self.last.lock().await;
        check()?;
        // The last turn has come, even if the clock skipped the pause before it.
        let now = last.map_or_else(|| clock.now(), |last| last.max(clock.now()));
        let next = last.map(|last| last + self.interval);
        let turn = next.filter(|next| *next + SLACK >= now).unwrap_or(now);
        *last = Some(turn);
        // The lock is held during the pause, so that later callers have reserved no turn yet: after a stop they fail
        // without a wait.
        let pause = turn.saturating_duration_since(now);
        if !pause.is_zero() {
            clock.pause(pause).await;
        }
        check()
    }
}
