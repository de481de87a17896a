//! The detached calls that are in flight.

use super::Datafy;
use crate::abandoned::Abandoned;
use slab::Slab;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// The [detached](crate::Call::detached) calls of a client that are in flight.
#[derive(Default)]
pub(crate) struct DetachedCalls {
    calls: Mutex<Slab<Abandoned>>,
    ended: Notify,
}

impl Datafy {
    /// Waits until no [detached](crate::Call::detached) call of this client is in flight, for at most `limit`. Returns
    /// those that still are.
    ///
    /// Before a service shuts down its runtime, which ends the calls in flight: what they do then is unknown.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(datafy: datafy_api_ext::Datafy) {
    /// for call in datafy.drain(Duration::from_secs(20)).await {
    ///     eprintln!("{call}");
    /// }
    /// # }
    /// ```
    #[doc(alias("shutdown", "graceful"))]
    pub async fn drain(&self, limit: Duration) -> Vec<Abandoned> {
        let detached = &self.inner().detached;
        let drained = async {
            loop {
                // Before the check, so that an end after it is not missed.
                let ended = detached.ended.notified();
                if detached.lock().is_empty() {
                    break;
                }
                ended.await;
            }
        };
        let _ = timeout(limit, drained).await;
        detached.lock().iter().map(|(_, call)| call.clone()).collect()
    }
}

impl DetachedCalls {
    fn lock(&self) -> MutexGuard<'_, Slab<Abandoned>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in flight, until this is dropped.
pub(crate) struct Registered {
    datafy: Datafy,
    at: usize,
}

impl Registered {
    pub(crate) fn new(datafy: Datafy, call: Abandoned) -> Self {
        let at = datafy.inner().detached.lock().insert(call);
        Self { datafy, at }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let detached = &self.datafy.inner().detached;
        detached.lock().remove(self.at);
        detached.ended.notify_waiters();
    }
}
