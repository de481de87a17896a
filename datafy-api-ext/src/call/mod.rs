//! The one path of every call: request, attempts, evidence, decision, result.

mod attempt;
mod attempts;
mod connect;
mod content;
mod decision;
mod detached;
mod evidence;
pub(crate) mod operation;
mod retry_after;
pub(crate) mod success;
mod transport;
mod unreceived;

pub(crate) use content::Content;
pub use detached::Detached;
pub use operation::Operation;
pub(crate) use unreceived::{Ended, Unreceived};

use crate::abandoned::Abandoned;
use crate::client::options::{Options, option_methods};
use crate::client::{Clock, Datafy, RetryPolicy, Timeouts};
use crate::error::{Error, Report};
use crate::outcome::Outcome;
use crate::subject::Subject;
use attempts::Attempts;
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

    /// The operation timeout of the call.
    pub(crate) fn limit(&self) -> Duration {
        self.options.timeouts.operation
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

    /// What the call makes or does, as an error names it.
    pub(crate) fn object(&self) -> String {
        match &self.options.sub_account {
            Some(id) => format!("{} in sub-account {id}", self.operation.object()),
            None => self.operation.object(),
        }
    }

    /// The call, started now, as one whose result nobody has received.
    fn abandoned(&self, outcome: Outcome) -> Abandoned {
        Abandoned {
            operation: O::FACTS.name,
            subject: self.subject(),
            outcome,
            created_id: None,
            marker: self.operation.marker().map(str::to_owned),
            started: self.clock().date().into(),
        }
    }

    /// Completes the report of a failed attempt with what is known of the call.
    pub(crate) fn failed(&self, mut report: Box<Report>) -> Box<Report> {
        report.operation = O::FACTS.name;
        report.object = self.object();
        report.subject = self.subject();
        report.endpoint = self.datafy.endpoint().into();
        report.marker = self.operation.marker().map(str::to_owned);
        report
    }

    /// Sends the request, and retries it while the policy allows it and a retry can't have a second effect.
    ///
    /// # Panics
    /// If the future is polled outside a Tokio runtime.
    pub async fn send(self) -> Result<O::Answer, Error> {
        self.send_after(Outcome::NotSent).await.received()
    }

    /// As [`send`](Self::send), after calls of the same step with this outcome, below which that of the error doesn't fall.
    pub(crate) async fn send_after(self, earlier: Outcome) -> Ended<O::Answer> {
        assert!(
            Handle::try_current().is_ok(),
            "a call must be awaited in a Tokio runtime: use `#[tokio::main]`, or `block_on` of a \
             `tokio::runtime::Runtime` with `enable_all`"
        );
        let span = self.operation.span(&self.datafy.inner().base);
        // Pinned before it is wrapped: the wrapper would move it, and it is large.
        pin!(Attempts::new(self, span.clone(), earlier).finish()).instrument(span).await
    }
}

impl<O: Operation + 'static> IntoFuture for Call<O> {
    type Output = Result<O::Answer, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
