//! A call that runs to its end even if the caller goes away.

use super::operation::Operation;
use super::{Call, Ended};
use crate::client::detached_calls::Registered;
use crate::error::{Error, ErrorKind, Report};
use crate::outcome::Outcome;
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// A call in flight that runs to its end on the runtime, whether or not this is awaited. Created by
/// [`Call::detached`].
///
/// If it is dropped, the call goes on. A result with an effect that nobody receives then is reported as
/// [`Abandoned`](crate::Abandoned). If the runtime is shut down before the call has ended, so is the call, and the result
/// is [`Unknown`](crate::Outcome::Unknown).
#[must_use = "the result of the call is reported as abandoned unless it is awaited"]
pub struct Detached<O: Operation> {
    task: JoinHandle<Ended<O::Answer>>,
    /// The error if the runtime is shut down during the call.
    lost: Error,
}

impl<O: Operation + 'static> Call<O> {
    /// Starts the call on the current Tokio runtime, where it runs to its end even if the caller goes away.
    ///
    /// ```no_run
    /// # async fn example(volume: datafy_api_ext::Volume) -> Result<(), datafy_api_ext::Error> {
    /// let call = volume.create_snapshot().detached();
    /// let snapshot = call.await?; // if this future is dropped here, the call goes on
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[doc(alias("spawn", "cancel"))]
    pub fn detached(self) -> Detached<O> {
        let in_flight = self.abandoned(Outcome::Unknown);
        let problem = "the runtime was shut down during the call";
        let mut lost = self.failed(Report::ambiguous(ErrorKind::ConnectionLost, problem));
        lost.started = in_flight.started;
        let lost = Error(lost);
        let registered = Registered::new(self.datafy.clone(), in_flight);
        let task = tokio::spawn(async move {
            let _registered = registered;
            self.send_after(Outcome::NotSent).await.kept()
        });
        Detached { task, lost }
    }
}

impl<O: Operation> Future for Detached<O> {
    type Output = Result<O::Answer, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.task).poll(context)) {
            Ok(ended) => ended.received(),
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => Err(self.lost.clone()),
        })
    }
}

impl<O: Operation> fmt::Debug for Detached<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached").field("operation", &O::FACTS.name).finish_non_exhaustive()
    }
}
