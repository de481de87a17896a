//! Where a client takes time and chance from.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// Where a client takes time and chance from. A test passes its own to see, skip or end the pauses
/// between attempts; every method has the default that a program wants.
///
/// The limits on an attempt are outside of it: they race real sockets, and run on tokio's clock.
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

    /// A number in `0.0..1.0`: where in its range a pause lies.
    fn roll(&self) -> f64 {
        fastrand::f64()
    }
}

/// The clock of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {}
