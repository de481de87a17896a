//! A call that runs to its end even if the caller goes away.

use super::Call;
use super::operation::{Operation, sealed::Answer};
use crate::abandoned::Abandoned;
use crate::client::Datafy;
use crate::error::{Error, ErrorKind, Report};
use crate::outcome::Outcome;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// A call in flight that runs to its end on the runtime, whether or not this is awaited. Created by
/// [`Call::detached`].
///
/// If it is dropped, the call goes on. A result with an effect that nobody receives then is reported as
/// [`Abandoned`](crate::Abandoned). If the runtime is shut down before the call has ended, so is the call, and the result
/// is [`Unknown`](crate::Outcome::Unknown).
#[must_use = "the result of the call is reported as abandoned unless it is awaited"]
pub struct Detached<O: Operation> {
    receiver: oneshot::Receiver<Ended<O>>,
}

/// The result of a detached call.
struct Ended<O: Operation> {
    /// `None` once the caller has received it.
    result: Option<Result<O::Answer, Error>>,
    abandoned: Abandoned,
    datafy: Datafy,
}

impl<O: Operation> Drop for Ended<O> {
    fn drop(&mut self) {
        let Some(result) = &self.result else { return };
        let outcome = result.as_ref().err().map_or(Outcome::Applied, Error::outcome);
        if outcome >= Outcome::Unknown {
            self.abandoned.outcome = outcome;
            self.abandoned.created_id = created_id(result).map(str::to_owned);
            self.datafy.inner().on_abandoned.report(&self.abandoned);
        }
    }
}

/// The ID of the object that a call has created, if it is known.
pub(crate) fn created_id<A: Answer>(result: &Result<A, Error>) -> Option<&str> {
    match result {
        Ok(answer) => answer.created_id(),
        Err(error) => error.created_id(),
    }
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
    pub fn detached(self) -> Detached<O> {
        let (sender, receiver) = oneshot::channel();
        let datafy = self.datafy.clone();
        let abandoned = self.abandoned();
        tokio::spawn(async move {
            let result = Some(self.send().await);
            // Without a receiver, the result is dropped here and reported.
            let _ = sender.send(Ended { result, abandoned, datafy });
        });
        Detached { receiver }
    }
}

impl<O: Operation> Future for Detached<O> {
    type Output = Result<O::Answer, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let received = match Pin::new(&mut self.receiver).poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(mut ended)) => ended.result.take(),
            Poll::Ready(Err(_)) => None,
        };
        Poll::Ready(received.unwrap_or_else(|| {
            Err(Error::new(Report {
                kind: ErrorKind::ConnectionLost,
                text: "the runtime was shut down during the call".to_owned(),
                ..Report::new(O::FACTS.name, Outcome::Unknown)
            }))
        }))
    }
}

impl<O: Operation> fmt::Debug for Detached<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached").field("operation", &O::FACTS.name).finish_non_exhaustive()
    }
}
