//! The one path of every call: request, attempts, evidence, decision, result.

mod attempt;
mod connect;
mod content;
mod decision;
mod detached;
mod evidence;
mod exchange;
mod failure;
mod history;
pub(crate) mod operation;
mod retry_after;
mod run;
pub(crate) mod success;
mod transport;
mod unreceived;

pub(crate) use content::Content;
pub use detached::Detached;
pub use operation::Operation;
pub(crate) use unreceived::{Effect, Unreceived};

use crate::client::options::{Options, option_methods};
use crate::client::{Clock, Datafy, RetryPolicy, Timeouts};
use crate::error::{About, Error};
use crate::outcome::Outcome;
use crate::subject::Subject;
use run::Run;
use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::Instrument;

/// A call that is ready to be sent. Await it, or [`send`](Self::send) it; nothing is sent before.
///
/// A *call* is one use of an operation. It makes one or more *attempts*, each of which is one HTTP request. What the
/// service does in answer to them, such as creating a snapshot, is the *effect* of the call. Options that are set here
/// apply to this call; all others are those of the client.
///
/// Dropping the future cancels the call. If a request was begun by then, it may still have an effect, and the call is
/// reported as [`Abandoned`](crate::Abandoned). A call that must not be cancelled can be [`detached`](Self::detached).
///
/// A call must be awaited in a Tokio runtime with the I/O and time drivers enabled (`enable_all`). It panics
/// elsewhere.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until the call is awaited"]
#[doc(alias("request", "retry"))]
pub struct Call<O> {
    datafy: Datafy,
    options: Arc<Options>,
    pub(crate) operation: O,
}

impl<O> Call<O> {
    pub(crate) fn new(datafy: Datafy, operation: O) -> Self {
        let options = Arc::clone(&datafy.inner().options);
        Self { datafy, options, operation }
    }

    /// Returns a call of another operation with the options of this one.
    pub(crate) fn with<P>(&self, operation: P) -> Call<P> {
        Call { datafy: self.datafy.clone(), options: Arc::clone(&self.options), operation }
    }

    option_methods!();

    /// The options of this call alone.
    pub(crate) fn options(&mut self) -> &mut Options {
        Arc::make_mut(&mut self.options)
    }

    /// Shortens the operation timeout of the call to `limit`.
    pub(crate) fn ending_within(mut self, limit: Duration) -> Self {
        let operation = &mut self.options().timeouts.operation;
        *operation = limit.min(*operation).max(Timeouts::LEAST);
        self
    }

    pub(crate) fn datafy(&self) -> &Datafy {
        &self.datafy
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.datafy.clock()
    }

    pub(crate) fn jitter(&self) -> f64 {
        self.datafy.inner().jitter.next()
    }

    pub(crate) fn policy(&self) -> &RetryPolicy {
        &self.options.retry
    }
}

impl<O: Operation> Call<O> {
    /// What the call is about.
    pub(crate) fn subject(&self) -> Subject {
        Subject { sub_account: self.options.sub_account.clone(), ..self.operation.subject() }
    }

    /// The call as an error names it.
    pub(crate) fn about(&self) -> About {
        let subject = self.subject();
        let mut object = self.operation.object();
        if let Some(id) = &subject.sub_account {
            object = format!("{object} in sub-account {id}");
        }
        About { object, endpoint: self.datafy.endpoint().to_owned(), subject }
    }

    pub(crate) fn marker(&self) -> Option<&str> {
        self.operation.marker()
    }

    /// Sends the request, and retries it while the policy allows it and a retry can't have a second effect.
    ///
    /// # Panics
    /// If the future is polled outside a Tokio runtime.
    pub fn send(self) -> impl Future<Output = Result<O::Answer, Error>> + Send {
        self.send_after(Outcome::NotSent)
    }

    /// As [`send`](Self::send), after calls of the same step with this outcome, below which that of the error doesn't fall.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` stores its arguments twice")]
    pub(crate) fn send_after(
        self,
        earlier: Outcome,
    ) -> impl Future<Output = Result<O::Answer, Error>> + Send {
        async move {
            assert!(
                Handle::try_current().is_ok(),
                "a call must be awaited in a Tokio runtime: use `#[tokio::main]`, or `block_on` of a \
                 `tokio::runtime::Runtime` with `enable_all`"
            );
            let span = self.operation.span(&self.datafy.inner().base);
            let mut run = Run::new(&self, &span, earlier);
            // Pinned before it is wrapped: the wrapper would move it, and it is large.
            pin!(run.finish()).instrument(span.clone()).await
        }
    }
}

impl<O: Operation + 'static> IntoFuture for Call<O> {
    type Output = Result<O::Answer, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
