//! The time that a call has taken.

use super::Datafy;
use std::time::{Duration, Instant};

/// Measures the time since it was started, by the client's clock. A pause counts in full, even if the clock skips it.
pub(crate) struct Stopwatch {
    datafy: Datafy,
    started: Instant,
    /// The time that had passed at the end of the last pause, at least.
    least: Duration,
}

impl Stopwatch {
    pub(crate) fn start(datafy: &Datafy) -> Self {
        Self { datafy: datafy.clone(), started: datafy.clock().now(), least: Duration::ZERO }
    }

    pub(crate) fn passed(&self) -> Duration {
        self.datafy.clock().now().duration_since(self.started).max(self.least)
    }

    pub(crate) async fn pause(&mut self, pause: Duration) {
        self.least = self.passed().saturating_add(pause);
        self.datafy.clock().pause(pause).await;
    }
}
