//! The rate at which calls are begun.

use crate::client::Clock;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How late a turn may be taken without those after it being put off: timers are late by milliseconds.
const SLACK: Duration = Duration::from_millis(10);

/// Lets one call begin every so often. Nothing else is saved up: after a lull the pace is the same.
pub(super) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(calls_per_second: u32) -> Self {
        Self { interval: Duration::from_secs(1) / calls_per_second, next: Mutex::default() }
    }

    /// Waits for the turn of the caller, unless `go_on` says that there are no more turns.
    pub(super) async fn wait<E>(
        &self,
        clock: &dyn Clock,
        go_on: impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut next = self.next.lock().await;
        go_on()?;
        let now = clock.now();
        let turn = next.filter(|next| *next + SLACK >= now).unwrap_or(now);
        *next = Some(turn + self.interval);
        // The others wait behind this one, so that a turn that is given up is not lost on them.
        let pause = turn.saturating_duration_since(now);
        if !pause.is_zero() {
            clock.pause(pause).await;
        }
        go_on()
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use crate::client::Clock;
    use std::future::{Future, ready};
    use std::pin::Pin;
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    /// A clock whose timers are late.
    #[derive(Debug)]
    struct Late {
        now: Mutex<Instant>,
        by: Duration,
    }

    impl Clock for Late {
        fn now(&self) -> Instant {
            *self.now.lock().expect("no panic")
        }

        fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            *self.now.lock().expect("no panic") += pause + self.by;
            Box::pin(ready(()))
        }
    }

    /// How long so many turns take at a thousand a second.
    async fn turns(number: usize, clock: &Late, pace: &Pace) -> Duration {
        let begun = clock.now();
        for _ in 0..number {
            pace.wait(clock, || Ok::<_, ()>(())).await.expect("it goes on");
        }
        clock.now().duration_since(begun)
    }

    #[tokio::test]
    async fn late_timers_do_not_slow_the_pace_and_a_lull_does_not_quicken_it() {
        let clock = Late { now: Mutex::new(Instant::now()), by: Duration::from_millis(2) };
        let pace = Pace::new(1_000);
        let took = turns(1_001, &clock, &pace).await.as_millis();
        assert!((998..=1_002).contains(&took), "{took} ms");
        *clock.now.lock().expect("no panic") += Duration::from_secs(5);
        let took = turns(1_001, &clock, &pace).await.as_millis();
        assert!((998..=1_002).contains(&took), "{took} ms");
    }
}
