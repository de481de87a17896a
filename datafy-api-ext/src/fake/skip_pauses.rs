//! A clock that doesn't wait.

use crate::client::Clock;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A [`Clock`] whose pauses end at once. Time goes on as if they had been waited, and they are written
/// down. Clones share what is written down.
///
/// There is one time for all calls of a client: a pause that one skips goes by for the others too, and
/// counts towards their deadlines. Give a client that makes many calls at once a long operation timeout,
/// or the [`SystemClock`](crate::SystemClock).
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
