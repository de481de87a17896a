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

use crate::client::extras::Extras;
use crate::client::{Clock, Datafy, RetryPolicy, Timeouts};
use crate::error::{About, Error};
use crate::id::SubAccountId;
use crate::outcome::Outcome;
use crate::subject::Subject;
use run::Run;
use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
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
    /// `None`: the client's setting. `Some(None)`: the account itself.
    #[expect(clippy::option_option, reason = "both mean something")]
    sub_account: Option<Option<SubAccountId>>,
    // Boxed, since most calls have none of their own.
    timeouts: Option<Box<Timeouts>>,
    retry: Option<Box<RetryPolicy>>,
    extras: Option<Box<Extras>>,
    pub(crate) operation: O,
}

impl<O> Call<O> {
    pub(crate) fn new(datafy: Datafy, operation: O) -> Self {
        Self { datafy, sub_account: None, timeouts: None, retry: None, extras: None, operation }
    }

    /// Returns a call of another operation with the options of this one.
    pub(crate) fn with<P>(&self, operation: P) -> Call<P> {
        Call {
            datafy: self.datafy.clone(),
            sub_account: self.sub_account.clone(),
            timeouts: self.timeouts.clone(),
            retry: self.retry.clone(),
            extras: self.extras.clone(),
            operation,
        }
    }

    /// Shortens the operation timeout of the call to `limit`.
    pub(crate) fn ending_within(mut self, limit: Duration) -> Self {
        self.timeouts = Some(Box::new(self.effective_timeouts().cut_to(limit)));
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

    fn effective_timeouts(&self) -> &Timeouts {
        self.timeouts.as_deref().unwrap_or(&self.datafy.inner().timeouts)
    }

    pub(crate) fn policy(&self) -> &RetryPolicy {
        self.retry.as_deref().unwrap_or(&self.datafy.inner().retry)
    }

    /// Makes the call in the context of a sub-account, or of the account itself with `None`.
    #[doc(alias("tenant"))]
    pub fn sub_account(mut self, id: impl Into<Option<SubAccountId>>) -> Self {
        self.sub_account = Some(id.into());
        self
    }

    /// Sets the timeouts of the call.
    #[doc(alias("timeout", "deadline"))]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(Box::new(timeouts));
        self
    }

    /// Sets how often, and after which pauses, the call is retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(Box::new(policy));
        self
    }

    /// Sends a query parameter with the call, in place of the client's of this name: see
    /// [`DatafyBuilder::query`](crate::DatafyBuilder::query).
    ///
    /// If the parameter can't be set, the call fails with [`NotSent`](crate::Outcome::NotSent) and
    /// [`Request`](crate::ErrorKind::Request).
    #[doc(alias("accounts"))]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extras.get_or_insert_default().query(name.into(), value.into());
        self
    }

    /// Sends a header with the call, in place of the client's of this name: see
    /// [`DatafyBuilder::header`](crate::DatafyBuilder::header).
    ///
    /// If the header can't be set, the call fails with [`NotSent`](crate::Outcome::NotSent) and
    /// [`Request`](crate::ErrorKind::Request).
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.extras.get_or_insert_default().header(name.as_ref(), value.as_ref());
        self
    }
}

impl<O: Operation> Call<O> {
    /// What the call is about.
    pub(crate) fn subject(&self) -> Subject {
        let sub_account = self.sub_account.as_ref().unwrap_or(&self.datafy.inner().sub_account);
        Subject { sub_account: sub_account.clone(), ..self.operation.subject() }
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
