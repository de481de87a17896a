//! The time that a call has taken.

use super::clock::Clock;
use std::time::{Duration, Instant};

/// Measures the time since it was started. A pause counts in full, even if the clock skips it.
pub(crate) struct Stopwatch<'a> {
    clock: &'a dyn Clock,
    started: Instant,
    /// The time that had passed at the end of the last pause, at least.
    least: Duration,
}

impl<'a> Stopwatch<'a> {
    pub(crate) fn start(clock: &'a dyn Clock) -> Self {
        Self { clock, started: clock.now(), least: Duration::ZERO }
    }

    pub(crate) fn passed(&self) -> Duration {
        self.clock.now().duration_since(self.started).max(self.least)
    }

    pub(crate) async fn pause(&mut self, pause: Duration) {
        self.least = self.passed().saturating_add(pause);
        self.clock.pause(pause).await;
    }
}
