//! The rate at which calls are begun.

use crate::clock::Clock;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Lets one call begin every so often. Nothing is saved up: after a lull the pace is the same.
pub(super) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(calls_per_second: u32) -> Self {
        Self { interval: Duration::from_secs(1) / calls_per_second, next: Mutex::default() }
    }

    /// Waits for the turn of the caller.
    pub(super) async fn wait(&self, clock: &dyn Clock) {
        let mut next = self.next.lock().await;
        let now = clock.now();
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.interval);
        // The others wait behind this one, so that a turn that is given up is not lost on them.
        let pause = turn.duration_since(now);
        if !pause.is_zero() {
            clock.pause(pause).await;
        }
    }
}
