//! The one path of every call: request, attempts, evidence, decision, result.

pub(crate) mod attempt;
pub(crate) mod decision;
mod exchange;
pub(crate) mod operation;
mod partial_json;
mod retry_after;
pub(crate) mod success;
mod transport;

pub use operation::Operation;

use crate::call::attempt::{Failure, Success, attempt};
use crate::call::decision::{Next, Situation, Stop, decide};
use crate::call::operation::{Scope, sealed};
use crate::client::Clock;
use crate::client::ConfigError;
use crate::client::RetryPolicy;
use crate::client::Timeouts;
use crate::client::token::Credential;
use crate::client::{Datafy, Inner};
use crate::error::{Error, History};
use crate::id::SubAccountId;
use std::future::{Future, IntoFuture};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{Instrument, Span, debug};

/// A call that is ready to be sent: await it, or [`send`](Self::send) it. Nothing happens before.
///
/// The options set here hold for this call; the others are those of the client. Dropping the future
/// cancels the call. The request may have been sent by then: of a create that was dropped nothing
/// is known.
///
/// A call must be awaited in a Tokio runtime with its I/O and time drivers on (`enable_all`); it panics
/// elsewhere.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before the call is awaited"]
pub struct Call<O> {
    datafy: Datafy,
    /// Inside: the sub-account or none. Outside: whether the call says so, or leaves it to the client.
    #[expect(clippy::option_option, reason = "both mean something")]
    sub_account: Option<Option<SubAccountId>>,
    /// Boxed, as the next one: seldom set, and else a part of every call.
    timeouts: Option<Box<Timeouts>>,
    retry: Option<Box<RetryPolicy>>,
    pub(crate) operation: O,
}

impl<O> Call<O> {
    pub(crate) fn new(datafy: Datafy, operation: O) -> Self {
        Self { datafy, sub_account: None, timeouts: None, retry: None, operation }
    }

    /// Another operation with the options of this call.
    pub(crate) fn with<P>(&self, operation: P) -> Call<P> {
        Call {
            datafy: self.datafy.clone(),
            sub_account: self.sub_account.clone(),
            timeouts: self.timeouts.clone(),
            retry: self.retry.clone(),
            operation,
        }
    }

    /// The call with its operation timeout cut to `limit`.
    pub(crate) fn ending_within(mut self, limit: Duration) -> Self {
        let timeouts = self.timeouts.as_deref().unwrap_or(&self.datafy.inner().timeouts);
        self.timeouts = Some(Box::new(timeouts.cut_to(limit)));
        self
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.datafy.clock()
    }

    pub(crate) fn policy(&self) -> &RetryPolicy {
        self.retry.as_deref().unwrap_or(&self.datafy.inner().retry)
    }

    /// Makes the call in the context of a sub-account, or with `None` in that of the account itself.
    pub fn sub_account(mut self, id: impl Into<Option<SubAccountId>>) -> Self {
        self.sub_account = Some(id.into());
        self
    }

    /// Limits the time of the call.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(Box::new(timeouts));
        self
    }

    /// Says how often, and how soon, the call may be repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(Box::new(policy));
        self
    }
}

impl<O: Operation> Call<O> {
    /// Sends the request, and retries it as long as that can't have a second effect and the policy
    /// allows it.
    ///
    /// # Panics
    /// If it is polled outside a Tokio runtime.
    #[expect(clippy::manual_async_fn, reason = "an async fn keeps its arguments twice")]
    pub fn send(self) -> impl Future<Output = Result<O::Answer, Error>> + Send {
        async move {
            assert!(
                Handle::try_current().is_ok(),
                "a call must be awaited in a Tokio runtime: use `#[tokio::main]`, or `block_on` of a \
                 `tokio::runtime::Runtime` with `enable_all`"
            );
            let span = self.operation.span(&self.datafy.inner().base);
            // Pinned before it is wrapped: what is wrapped by value is moved, and this is large.
            let mut run = Run::new(&self, &span);
            let end = pin!(run.finish());
            // Nobody listens to most calls, and those needn't pay for it.
            let content =
                if span.is_disabled() { end.await } else { end.instrument(span.clone()).await };
            Ok(content?.into())
        }
    }
}

/// A call that is under way.
struct Run<'a, O> {
    call: &'a Call<O>,
    span: &'a Span,
    timeouts: &'a Timeouts,
    begun: std::time::Instant,
    attempts: u32,
    /// None before an attempt has failed: mostly none does.
    history: Option<Box<History>>,
}

impl<'a, O: Operation> Run<'a, O> {
    fn new(call: &'a Call<O>, span: &'a Span) -> Self {
        let client = call.datafy.inner();
        Self {
            call,
            span,
            timeouts: call.timeouts.as_deref().unwrap_or(&client.timeouts),
            begun: client.clock.now(),
            attempts: 0,
            history: None,
        }
    }

    async fn finish(&mut self) -> Result<<O as sealed::Operation>::Content, Error> {
        loop {
            self.attempts += 1;
            let (ended, credential) = self.attempt().await;
            match ended {
                Ok(success) => {
                    self.succeeded(&success);
                    return Ok(success.content);
                }
                // Boxed: seldom needed, and else a part of every call.
                Err(failure) => Box::pin(self.failed(failure, credential)).await?,
            }
        }
    }

    /// One attempt, and the token that it was made with.
    async fn attempt(
        &self,
    ) -> (Result<Success<<O as sealed::Operation>::Content>, Failure>, Option<Arc<Credential>>)
    {
        let client = self.client();
        let (credential, _slot) = match ready(client, || self.left()).await {
            Ok(ready) => ready,
            Err(failure) => return (Err(failure), None),
        };
        let left = self.left();
        if left < self.reserve() {
            let text = "no time was left for a request";
            return (Err(Failure::not_sent("timeout", text, true)), None);
        }
        let sub_account = self.call.sub_account.as_ref().unwrap_or(&client.sub_account);
        let scope = Scope::new(sub_account.as_ref());
        let operation = &self.call.operation;
        let ended = attempt(client, operation, scope, self.timeouts, left, &credential).await;
        (ended, Some(credential))
    }

    fn succeeded<T>(&self, success: &Success<T>) {
        self.client().budget.credit();
        let status = i64::from(success.status.as_u16());
        debug!(
            datafy.attempt = i64::from(self.attempts),
            datafy.outcome = "ok",
            http.response.status_code = status,
            "succeeded"
        );
        if !self.span.is_disabled() {
            self.span.record("http.response.status_code", status);
            self.span.record("http.request.resend_count", i64::from(self.attempts - 1));
            self.span.record("datafy.request_id", success.request_id.as_deref());
            self.span.record("datafy.outcome", "ok");
        }
    }

    /// Does what is to be done before the next attempt. An error is that there will be none.
    async fn failed(
        &mut self,
        failure: Failure,
        credential: Option<Arc<Credential>>,
    ) -> Result<(), Error> {
        let client = self.client();
        // What the service said stays out of it: an answer's body may hold anything.
        debug!(
            datafy.attempt = i64::from(self.attempts),
            datafy.outcome = failure.finding.outcome().as_str(),
            http.response.status_code = failure.status(),
            error.r#type = failure.kind,
            "failed"
        );
        self.history().push(failure);

        let situation = Situation {
            remaining: self.left().saturating_sub(self.reserve()),
            renewable: client.tokens.renewable(),
            roll: client.clock.roll(),
        };
        let take = || client.budget.take();
        let policy = self.call.policy();
        let findings = self.history().findings();
        let stop = match decide(O::FACTS.effect, findings, policy, situation, take) {
            Next::Repeat(pause) => {
                client.clock.pause(pause).await;
                return Ok(());
            }
            Next::Renew => {
                if let Some(stale) = credential {
                    match token_within(self.left(), client.tokens.renew(&stale)).await {
                        Ok(()) => return Ok(()),
                        Err(failure) => self.history().push(failure),
                    }
                }
                Stop::Final
            }
            Next::Stop(stop) => stop,
        };
        let elapsed = client.clock.now().duration_since(self.begun);
        let marker = sealed::Operation::marker(&self.call.operation);
        let history = mem::take(self.history());
        let error = history.into_error(O::FACTS.name, stop, self.attempts, elapsed, marker);
        // All of them are of the attempt that decided the outcome, as in the error.
        self.span.record("datafy.outcome", error.outcome().as_str());
        self.span.record("error.type", error.deciding().kind.as_str());
        self.span.record("http.response.status_code", error.deciding().status());
        self.span.record("datafy.request_id", error.request_id());
        self.span.record("http.request.resend_count", i64::from(self.attempts - 1));
        self.span.record("otel.status_code", "ERROR");
        Err(error)
    }

    fn history(&mut self) -> &mut History {
        self.history.get_or_insert_default()
    }

    fn client(&self) -> &'a Inner {
        self.call.datafy.inner()
    }

    /// The time until the deadline of the call.
    fn left(&self) -> Duration {
        let passed = self.client().clock.now().duration_since(self.begun);
        self.timeouts.operation().saturating_sub(passed)
    }

    /// The last tenth of the time, in which no request is begun.
    fn reserve(&self) -> Duration {
        self.timeouts.operation() / 10
    }
}

impl<O: Operation + 'static> IntoFuture for Call<O> {
    type Output = Result<O::Answer, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// All that an attempt needs before it touches the network: a token and a free slot.
type Ready<'a> = (Arc<Credential>, Option<SemaphorePermit<'a>>);

/// Waits for a token and for a free slot.
async fn ready(client: &Inner, limit: impl FnOnce() -> Duration) -> Result<Ready<'_>, Failure> {
    // Mostly both are there, and then no timer is set.
    if let (Ok(slot), Some(credential)) = (client.slots.try_acquire(), client.tokens.peek()) {
        return Ok((credential, Some(slot)));
    }
    Box::pin(wait(client, limit())).await
}

async fn wait(client: &Inner, limit: Duration) -> Result<Ready<'_>, Failure> {
    let begun = Instant::now();
    let Ok(slot) = timeout_at(begun + limit, client.slots.acquire()).await else {
        let text = format!("all connections were in use for {limit:?}");
        return Err(Failure::not_sent("timeout", text, true));
    };
    let credential =
        token_within(limit.saturating_sub(begun.elapsed()), client.tokens.current()).await?;
    // The semaphore is never closed; without a slot the call would go on all the same.
    Ok((credential, slot.ok()))
}

async fn token_within<T>(
    limit: Duration,
    token: impl Future<Output = Result<T, ConfigError>>,
) -> Result<T, Failure> {
    match timeout(limit, token).await {
        Ok(Ok(token)) => Ok(token),
        Ok(Err(error)) => Err(Failure::no_token(&error)),
        Err(_) => Err(Failure::not_sent("timeout", format!("no token within {limit:?}"), true)),
    }
}
