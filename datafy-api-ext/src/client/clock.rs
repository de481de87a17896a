//! The source of time for deadlines and pauses.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// The source of time for deadlines and pauses. A test passes its own to record, skip or end the pauses between
/// attempts; each method defaults to the system's time.
///
/// The timeouts of an attempt are not part of it: they race real sockets, and run on tokio's clock.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time that deadlines are counted in.
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    /// The date that a `Retry-After` is compared with.
    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Waits between two attempts.
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(pause))
    }
}

/// The clock of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {}
