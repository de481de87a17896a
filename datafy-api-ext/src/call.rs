//! The one place through which every call goes.

use crate::attempt::{Failure, attempt};
use crate::client::{Datafy, Inner};
use crate::clock::Clock;
use crate::config_error::ConfigError;
use crate::decision::{Next, Situation, Stop, decide};
use crate::error::{Error, History};
use crate::id::SubAccountId;
use crate::operation::{Operation, Scope, sealed};
use crate::retry_policy::RetryPolicy;
use crate::timeouts::Timeouts;
use crate::token::Credential;
use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{Instrument, Span, debug};

/// A call that is ready to be sent: await it, or [`send`](Self::send) it. Nothing happens before.
///
/// The options set here hold for this call; the others are those of the client. Dropping the future
/// cancels the call. The request may have been sent by then: of a create that was dropped nothing
/// is known.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before the call is awaited"]
pub struct Call<O> {
    datafy: Datafy,
    /// Inside: the sub-account or none. Outside: whether the call says so, or leaves it to the client.
    #[expect(clippy::option_option, reason = "both mean something")]
    sub_account: Option<Option<SubAccountId>>,
    timeouts: Option<Timeouts>,
    retry: Option<RetryPolicy>,
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
            timeouts: self.timeouts,
            retry: self.retry,
            operation,
        }
    }

    /// The call with its operation timeout cut to `limit`.
    pub(crate) fn ending_within(mut self, limit: Duration) -> Self {
        let timeouts = self.timeouts.unwrap_or(self.datafy.inner().timeouts);
        self.timeouts = Some(timeouts.cut_to(limit));
        self
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.datafy.clock()
    }

    pub(crate) fn policy(&self) -> &RetryPolicy {
        self.retry.as_ref().unwrap_or(&self.datafy.inner().retry)
    }

    /// Makes the call in the context of a sub-account, or with `None` in that of the account itself.
    pub fn sub_account(mut self, id: impl Into<Option<SubAccountId>>) -> Self {
        self.sub_account = Some(id.into());
        self
    }

    /// Limits the time of the call.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Says how often, and how soon, the call may be repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }
}

impl<O: Operation> Call<O> {
    /// Sends the request, and repeats it as long as that can't have a second effect and the policy
    /// allows it.
    pub async fn send(self) -> Result<O::Answer, Error> {
        let span = O::span();
        // Pinned before it is wrapped: what is wrapped by value is moved, and this is kilobytes.
        let run = pin!(self.run(&span));
        Ok(run.instrument(span.clone()).await?.into())
    }

    async fn run(&self, span: &Span) -> Result<<O as sealed::Operation>::Content, Error> {
        let client = self.datafy.inner();
        let clock = self.clock();
        let timeouts = self.timeouts.as_ref().unwrap_or(&client.timeouts);
        let policy = self.policy();
        let sub_account = self.sub_account.as_ref().unwrap_or(&client.sub_account);
        let scope = Scope::new(sub_account.as_ref());
        span.record("server.address", client.base.host());
        span.record("server.port", client.base.port());

        let begun = clock.now();
        let remaining = || timeouts.operation().saturating_sub(clock.now().duration_since(begun));
        // No request is begun in the last tenth of the time.
        let reserve = timeouts.operation() / 10;
        let mut attempts = 0;
        let mut history = History::default();
        loop {
            attempts += 1;
            let (ended, credential) = match ready(client, remaining()).await {
                Ok((credential, slot)) => {
                    let left = remaining();
                    if left < reserve {
                        let text = "no time was left for a request";
                        (Err(Failure::not_sent("timeout", text, true)), None)
                    } else {
                        let operation = &self.operation;
                        let ended =
                            attempt(client, operation, scope, timeouts, left, &credential).await;
                        drop(slot);
                        (ended, Some(credential))
                    }
                }
                Err(failure) => (Err(failure), None),
            };
            let failure = match ended {
                Ok((status, content)) => {
                    client.budget.credit();
                    debug!(attempt = attempts, outcome = "ok", "succeeded");
                    span.record("http.response.status_code", status.as_u16());
                    span.record("http.request.resend_count", attempts - 1);
                    span.record("datafy.outcome", "ok");
                    return Ok(content);
                }
                Err(failure) => failure,
            };
            let status = failure.answer.as_ref().map(|answer| answer.status.as_u16());
            let kind = failure.kind.clone();
            // What the service said stays out of it: an answer's body may hold anything.
            debug!(
                attempt = attempts,
                outcome = failure.finding.outcome().as_str(),
                http.response.status_code = status,
                error.r#type = kind,
                "failed"
            );
            history.push(failure);

            let situation = Situation {
                remaining: remaining().saturating_sub(reserve),
                renewable: client.tokens.renewable(),
                roll: clock.roll(),
            };
            let take = || client.budget.take();
            let next = decide(O::FACTS.effect, history.findings(), policy, situation, take);
            let stop = match (next, credential) {
                (Next::Repeat(pause), _) => {
                    clock.pause(pause).await;
                    continue;
                }
                (Next::Renew, Some(stale)) => {
                    let renewed = client.tokens.renew(&stale);
                    match token_within(remaining(), renewed).await {
                        Ok(()) => continue,
                        Err(failure) => history.push(failure),
                    }
                    Stop::Final
                }
                (Next::Renew, None) => Stop::Final,
                (Next::Stop(stop), _) => stop,
            };
            let elapsed = clock.now().duration_since(begun);
            let marker = sealed::Operation::marker(&self.operation);
            let error = history.into_error(O::FACTS.name, stop, attempts, elapsed, marker);
            span.record("datafy.outcome", error.outcome().as_str());
            span.record("error.type", kind);
            span.record("http.response.status_code", status);
            span.record("http.request.resend_count", attempts - 1);
            return Err(error);
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

/// Waits for a token and for a free slot: all that an attempt needs before it touches the network.
async fn ready(
    client: &Inner,
    limit: Duration,
) -> Result<(Arc<Credential>, Option<SemaphorePermit<'_>>), Failure> {
    // Mostly both are there, and then no timer is set.
    if let (Ok(slot), Some(credential)) = (client.slots.try_acquire(), client.tokens.peek()) {
        return Ok((credential, Some(slot)));
    }
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
