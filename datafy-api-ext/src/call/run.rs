//! Runs a call: makes attempts until there is a result or a reason to stop.

use super::Call;
use super::attempt::{attempt, request_id};
use super::decision::{Next, Situation, Stop, decide};
use super::exchange::Received;
use super::failure::Failure;
use super::history::History;
use super::operation::{Operation, sealed};
use super::unreceived::Unreceived;
use crate::client::token::{Credential, NoToken};
use crate::client::{Inner, Stopwatch};
use crate::error::{Error, ErrorKind};
use crate::outcome::Outcome;
use chrono::{DateTime, Utc};
use reqwest::Response;
use std::borrow::Cow;
use std::future::Future;
use std::mem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{Span, debug};

/// A call in flight.
pub(super) struct Run<'a, O: Operation> {
    call: &'a Call<O>,
    span: &'a Span,
    time: Stopwatch<'a>,
    attempts: u32,
    /// The outcome of earlier calls of the same step.
    earlier: Outcome,
    effect: Unreceived<&'a Call<O>, O>,
    /// `None` until an attempt has failed, so that most calls allocate nothing for it.
    history: Option<Box<History>>,
}

impl<'a, O: Operation> Run<'a, O> {
    pub(super) fn new(call: &'a Call<O>, span: &'a Span, earlier: Outcome) -> Self {
        let mut effect = Unreceived::new(call);
        effect.set_outcome(earlier);
        let client = call.datafy.inner();
        Self {
            call,
            span,
            time: Stopwatch::start(&*client.clock),
            attempts: 0,
            earlier,
            effect,
            history: None,
        }
    }

    pub(super) async fn finish(&mut self) -> Result<O::Answer, Error> {
        let result = self.attempts().await;
        self.effect.set_outcome(Outcome::NotSent);
        result
    }

    async fn attempts(&mut self) -> Result<O::Answer, Error> {
        loop {
            self.attempts += 1;
            let (ended, credential) = self.attempt().await;
            match ended {
                Ok(content) => return Ok(content),
                // Boxed: it is needed rarely, and would otherwise enlarge the future of every call.
                Err(failure) => Box::pin(self.failed(failure, credential)).await?,
            }
        }
    }

    /// Makes one attempt. Also returns the token that it used.
    async fn attempt(&mut self) -> (Result<O::Answer, Failure>, Option<Arc<Credential>>) {
        if let Err(problem) = self.call.options.check() {
            return (Err(Failure::not_sent(ErrorKind::Request, problem, false)), None);
        }
        let client = self.client();
        let (credential, _slot) = match ready(client, || self.left()).await {
            Ok(ready) => ready,
            Err(failure) => return (Err(failure), None),
        };
        let left = self.left();
        if left < self.reserve() {
            let text = "no time was left for a request; raise the operation timeout";
            return (Err(Failure::not_sent(ErrorKind::Timeout, text, true)), None);
        }
        let before = self.effect.outcome();
        self.effect.set_outcome(before.max(Outcome::Unknown));
        let mut received = Received::default();
        let ended = attempt(self.call, left, &credential, &mut received).await;
        let outcome = ended.as_ref().map_or_else(|it| it.evidence.outcome(), |_| Outcome::Applied);
        self.effect.set_outcome(before.max(outcome));
        if let (Ok(_), Some(response)) = (&ended, &received.response) {
            self.succeeded(response, &credential);
        }
        (ended, Some(credential))
    }

    fn succeeded(&self, response: &Response, credential: &Credential) {
        self.client().budget.credit();
        let status = i64::from(response.status().as_u16());
        debug!(
            datafy.attempt = i64::from(self.attempts),
            datafy.outcome = "ok",
            http.response.status_code = status,
            "succeeded"
        );
        if !self.span.is_disabled() {
            self.span.record("http.response.status_code", status);
            self.span.record("http.request.resend_count", i64::from(self.attempts - 1));
            let request_id = request_id(response.headers(), credential);
            self.span.record("datafy.request_id", request_id.map(|id| id.to_string()));
            self.span.record("datafy.outcome", "ok");
        }
    }

    /// Prepares the next attempt, or returns the error that ends the call.
    async fn failed(
        &mut self,
        failure: Failure,
        credential: Option<Arc<Credential>>,
    ) -> Result<(), Error> {
        let client = self.client();
        let kind = kind(failure.kind, failure.status());
        // The message of the service is left out: it may contain anything.
        debug!(
            datafy.attempt = i64::from(self.attempts),
            datafy.outcome = failure.evidence.outcome().as_str(),
            http.response.status_code = failure.status(),
            error.r#type = &*kind,
            "failed"
        );
        self.history().push(failure);

        let situation = Situation {
            remaining: self.left().saturating_sub(self.reserve()),
            renewable: client.tokens.renewable(),
            jitter: client.jitter.next(),
        };
        let take = || client.budget.take();
        let policy = self.call.policy();
        let evidence = self.history().evidence();
        let stop = match decide(O::FACTS.idempotent, evidence, policy, situation, take) {
            Next::Retry(pause) => {
                self.time.pause(pause).await;
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
        let elapsed = self.time.passed();
        let marker = sealed::Operation::marker(&self.call.operation);
        let history = mem::take(self.history());
        let error = history.into_error(O::FACTS.name, stop, self.attempts, elapsed, marker);
        let error = error.of_call(self.call.about(), self.dates(elapsed)).at_least(self.earlier);
        // Like the error, these describe the attempt that decided the outcome.
        let status = error.status().map(i64::from);
        self.span.record("datafy.outcome", error.outcome().as_str());
        self.span.record("error.type", &*self::kind(error.kind(), status));
        self.span.record("http.response.status_code", status);
        self.span.record("datafy.request_id", error.shown_request_id());
        self.span.record("http.request.resend_count", i64::from(self.attempts - 1));
        self.span.record("otel.status_code", "ERROR");
        Err(error)
    }

    /// When the call was started and ended, at the earliest and the latest: the stopwatch stands still while the machine
    /// is suspended, and the clock may be set meanwhile.
    fn dates(&self, elapsed: Duration) -> [DateTime<Utc>; 2] {
        let (started, ended) = (self.effect.started, DateTime::from(self.client().clock.date()));
        [(ended - elapsed).min(started), (started + elapsed).max(ended)]
    }

    fn history(&mut self) -> &mut History {
        self.history.get_or_insert_default()
    }

    fn client(&self) -> &'a Inner {
        self.call.datafy.inner()
    }

    /// The time until the deadline of the call.
    fn left(&self) -> Duration {
        self.call.options.timeouts.operation.saturating_sub(self.time.passed())
    }

    /// The last tenth of the time, in which no request is started.
    fn reserve(&self) -> Duration {
        self.call.options.timeouts.operation / 10
    }
}

impl<O: Operation> Drop for Run<'_, O> {
    /// Reports the call if it was dropped, and has or may have had an effect.
    fn drop(&mut self) {
        let outcome = self.effect.outcome();
        if outcome >= Outcome::Unknown {
            [self.effect.started, _] = self.dates(self.time.passed());
            self.span.record("datafy.outcome", outcome.as_str());
            self.span.in_scope(|| self.effect.report());
        }
    }
}

/// OpenTelemetry's `error.type` of a failure: the status of the answer unless it is a success, otherwise the kind.
fn kind(kind: ErrorKind, status: Option<i64>) -> Cow<'static, str> {
    match status.filter(|status| !(200..300).contains(status)) {
        Some(status) => status.to_string().into(),
        None => kind.as_str().into(),
    }
}

/// What an attempt needs before it uses the network: a token and a free slot.
type Ready<'a> = (Arc<Credential>, Option<SemaphorePermit<'a>>);

/// Waits for a token and for a free slot.
async fn ready(client: &Inner, limit: impl FnOnce() -> Duration) -> Result<Ready<'_>, Failure> {
    // Most calls find both immediately, and need no timer.
    if let (Ok(slot), Some(credential)) = (client.slots.try_acquire(), client.tokens.peek()) {
        return Ok((credential, Some(slot)));
    }
    Box::pin(wait(client, limit())).await
}

async fn wait(client: &Inner, limit: Duration) -> Result<Ready<'_>, Failure> {
    let started = Instant::now();
    let Ok(slot) = timeout_at(started + limit, client.slots.acquire()).await else {
        let text = format!(
            "all connections were in use for {limit:?}; raise `max_in_flight` or the operation timeout"
        );
        return Err(Failure::not_sent(ErrorKind::Timeout, text, true));
    };
    let credential =
        token_within(limit.saturating_sub(started.elapsed()), client.tokens.current()).await?;
    // The semaphore is never closed, so there always is a slot.
    Ok((credential, slot.ok()))
}

async fn token_within<T>(
    limit: Duration,
    token: impl Future<Output = Result<T, NoToken>>,
) -> Result<T, Failure> {
    match timeout(limit, token).await {
        Ok(Ok(token)) => Ok(token),
        Ok(Err(error)) => Err(Failure::no_token(&error)),
        Err(_) => {
            let text = format!("no token was available within {limit:?}");
            Err(Failure::not_sent(ErrorKind::Timeout, text, true))
        }
    }
}
