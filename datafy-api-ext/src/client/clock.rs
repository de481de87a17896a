//! The source of time, and the time that a call has taken.

use super::Datafy;
use chrono::{DateTime, Utc};
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// The source of time for deadlines and pauses.
///
/// A test can implement it to record, skip or end the pauses between attempts; a pause that is skipped still counts
/// towards the deadline of its call. Each method defaults to the system's time. The timeouts of an attempt use tokio's
/// clock instead, since they limit the time of real sockets.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The current time, for deadlines.
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    /// The current date, for a `Retry-After` that is a date.
    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Waits between two attempts.
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(pause))
    }
}

/// The clock of the system.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {}

/// Measures the time since it was started, by the client's clock. A pause counts in full, even if the clock skips it.
pub(crate) struct Stopwatch {
    pub(crate) datafy: Datafy,
    started: Instant,
    date: DateTime<Utc>,
    /// The time that had passed at the end of the last pause, at least.
    least: Duration,
}

impl Stopwatch {
    pub(crate) fn start(datafy: &Datafy) -> Self {
        let (started, date) = (datafy.clock().now(), datafy.clock().date().into());
        Self { datafy: datafy.clone(), started, date, least: Duration::ZERO }
    }

    pub(crate) fn passed(&self) -> Duration {
        self.datafy.clock().now().duration_since(self.started).max(self.least)
    }

    /// The date of the start at the earliest, and that of now at the latest: the stopwatch stands still while the machine is
    /// suspended, and the clock may be set meanwhile.
    pub(crate) fn dates(&self) -> [DateTime<Utc>; 2] {
        let (passed, now) = (self.passed(), DateTime::from(self.datafy.clock().date()));
        [(now - passed).min(self.date), (self.date + passed).max(now)]
    }

    pub(crate) async fn pause(&mut self, pause: Duration) {
        self.least = self.passed().saturating_add(pause);
        self.datafy.clock().pause(pause).await;
    }
}
