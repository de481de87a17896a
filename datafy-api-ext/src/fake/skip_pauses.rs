//! A clock that skips pauses.

use crate::client::Clock;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A [`Clock`] whose pauses end at once.
///
/// Its time advances by each pause as if it had been waited for, and the pauses are recorded. Clones share
/// their time and their record. All calls of a client share one clock, so a pause that one call skips also
/// counts towards the deadlines of the others. A client for many concurrent calls needs a long operation
/// timeout, or the [`SystemClock`](crate::SystemClock).
#[derive(Clone, Debug, Default)]
pub struct SkipPauses(Arc<Mutex<Skipped>>);

#[derive(Debug, Default)]
struct Skipped {
    pauses: Vec<Duration>,
    total: Duration,
}

impl SkipPauses {
    /// All pauses so far.
    pub fn pauses(&self) -> Vec<Duration> {
        self.lock().pauses.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Skipped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SkipPauses {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std() + self.lock().total
    }

    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut skipped = self.lock();
        skipped.pauses.push(pause);
        skipped.total += pause;
        Box::pin(ready(()))
    }
}
