//! A clock that doesn't wait.

use crate::clock::Clock;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A [`Clock`] whose pauses end at once. Time goes on as if they had been waited, and they are written
/// down. Clones share what is written down.
#[derive(Clone, Debug, Default)]
pub struct SkipPauses(Arc<Mutex<Vec<Duration>>>);

impl SkipPauses {
    /// All pauses so far.
    pub fn pauses(&self) -> Vec<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Clock for SkipPauses {
    fn now(&self) -> Instant {
        let skipped: Duration = self.pauses().iter().sum();
        tokio::time::Instant::now().into_std() + skipped
    }

    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(pause);
        Box::pin(ready(()))
    }
}
