//! A call in flight: makes attempts until there is a result or a reason to stop.

use super::Call;
use super::attempt::{Received, attempt, request_id};
use super::decision::{Next, Situation, Stop, decide};
use super::evidence::Evidence;
use super::operation::Operation;
use super::transport;
use super::unreceived::{Ended, Unreceived};
use crate::client::{ConfigError, Credential, Inner};
use crate::error::{Error, ErrorKind, Report};
use crate::outcome::Outcome;
use reqwest::Response;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tracing::{Span, debug};

/// A call in flight.
pub(super) struct Attempts<O> {
    call: Call<O>,
    effect: Unreceived,
    count: u32,
    /// The outcome of earlier calls of the same step.
    earlier: Outcome,
    /// The token of the last attempt.
    credential: Option<Arc<Credential>>,
    /// What the failed attempts proved.
    history: Vec<Evidence>,
    /// The failed attempt that decides the outcome of the call: the last one with the highest outcome.
    deciding: Option<Box<Report>>,
}

impl<O: Operation> Attempts<O> {
    pub(super) fn new(call: Call<O>, span: Span, earlier: Outcome) -> Self {
        let effect = Unreceived::new(&call, span, earlier);
        let (credential, history, deciding) = (None, Vec::new(), None);
        Self { call, effect, count: 0, earlier, credential, history, deciding }
    }

    pub(super) async fn finish(mut self) -> Ended<O::Answer> {
        let result = loop {
            self.count += 1;
            match self.attempt().await {
                Ok(answer) => break Ok(answer),
                Err(report) => self.push(report),
            }
            // Boxed: it is needed rarely, and would otherwise enlarge the future of every call.
            if let Some(stop) = Box::pin(self.prepare_another()).await {
                break Err(self.error(stop));
            }
        };
        Ended::new(result, self.effect)
    }

    async fn attempt(&mut self) -> Result<O::Answer, Box<Report>> {
        let refuse = |kind, problem| Report::not_sent(kind, problem, true);
        if let Err(problem) = self.call.options.check() {
            return Err(Report::not_sent(ErrorKind::Request, problem, false));
        }
        let datafy = self.call.datafy.clone();
        let limit = self.left();
        let Ok(_slot) = timeout(limit, datafy.inner().slots.acquire()).await else {
            let text = format!(
                "all connections were in use for {limit:?}; raise `max_in_flight` or the operation timeout"
            );
            return Err(refuse(ErrorKind::Timeout, text));
        };
        let credential = token_within(self.left(), datafy.inner().tokens.current()).await?;
        self.credential = Some(Arc::clone(&credential));
        let left = self.left();
        if left < self.reserve() {
            let text = "no time was left for a request; raise the operation timeout";
            return Err(refuse(ErrorKind::Timeout, text.to_owned()));
        }
        let before = self.effect.call.outcome;
        self.effect.call.outcome = before.max(Outcome::Unknown);
        let mut received = Received::default();
        let ended = attempt(&self.call, left, &credential, &mut received).await;
        let outcome = ended.as_ref().map_or_else(|report| report.outcome, |_| Outcome::Applied);
        self.effect.call.outcome = before.max(outcome);
        if let (Ok(_), Some(response)) = (&ended, &received.response) {
            self.succeeded(response, &credential);
        }
        ended
    }

    fn succeeded(&self, response: &Response, credential: &Credential) {
        self.client().budget.credit();
        let status = i64::from(response.status().as_u16());
        debug!(
            datafy.attempt = i64::from(self.count),
            datafy.outcome = "ok",
            http.response.status_code = status,
            "succeeded"
        );
        let span = &self.effect.span;
        if !span.is_disabled() {
            span.record("http.response.status_code", status);
            span.record("http.request.resend_count", i64::from(self.count - 1));
            let request_id = request_id(response.headers(), credential);
            span.record("datafy.request_id", request_id.map(|id| id.to_string()));
            span.record("datafy.outcome", "ok");
        }
    }

    /// Adds a failed attempt.
    fn push(&mut self, report: Box<Report>) {
        // The message of the service is left out: it may contain anything.
        debug!(
            datafy.attempt = i64::from(self.count),
            datafy.outcome = report.outcome.as_str(),
            http.response.status_code = report.status.map(i64::from),
            error.r#type = report.error_type(),
            "failed"
        );
        self.history.push(Evidence::of(&report));
        match &mut self.deciding {
            Some(deciding) if report.outcome < deciding.outcome => {
                deciding.last = Some(report.line());
            }
            deciding => *deciding = Some(report),
        }
    }

    /// Decides on another attempt, and waits for its time or renews its token. Returns why there is none, if so.
    async fn prepare_another(&mut self) -> Option<Stop> {
        let datafy = self.call.datafy.clone();
        let client = datafy.inner();
        let situation = Situation {
            remaining: self.left().saturating_sub(self.reserve()),
            renewable: client.tokens.renewable(),
            jitter: fastrand::f64(),
        };
        let take = || client.budget.take();
        let policy = self.call.policy();
        match decide(O::FACTS.idempotent, &self.history, policy, situation, take) {
            Next::Stop(stop) => Some(stop),
            Next::Retry(pause) => {
                self.effect.time.pause(pause).await;
                None
            }
            Next::Renew => {
                let Some(stale) = self.credential.clone() else { return Some(Stop::Final) };
                match token_within(self.left(), client.tokens.renew(&stale)).await {
                    Ok(()) => None,
                    Err(report) => {
                        self.push(report);
                        Some(Stop::Final)
                    }
                }
            }
        }
    }

    /// The error that ends the call.
    fn error(&mut self, stop: Stop) -> Error {
        let report = self.deciding.take();
        let report = report
            .unwrap_or_else(|| Report::not_sent(ErrorKind::Request, "no attempt was made", false));
        let mut report = self.call.failed(report);
        let last = self.history.last();
        report.last_status = last.and_then(|evidence| evidence.status());
        report.retry_after = last.and_then(|evidence| evidence.retry_after());
        report.outcome = report.outcome.max(self.earlier);
        report.budget_is_empty = stop == Stop::Budget;
        report.attempts = self.count;
        report.elapsed = self.effect.time.passed();
        let [started, ended] = self.effect.time.dates();
        (report.started, report.ended) = (started, Some(ended));
        let span = &self.effect.span;
        // Like the error, these describe the attempt that decided the outcome.
        span.record("datafy.outcome", report.outcome.as_str());
        span.record("error.type", report.error_type());
        span.record("http.response.status_code", report.status.map(i64::from));
        let request_id = report.request_id.as_ref().map(ToString::to_string);
        span.record("datafy.request_id", request_id);
        span.record("http.request.resend_count", i64::from(self.count - 1));
        span.record("otel.status_code", "ERROR");
        Error(report)
    }

    fn client(&self) -> &Inner {
        self.call.datafy.inner()
    }

    /// The time until the deadline of the call.
    fn left(&self) -> Duration {
        self.call.options.timeouts.operation.saturating_sub(self.effect.time.passed())
    }

    /// The last tenth of the time, in which no request is started.
    fn reserve(&self) -> Duration {
        self.call.options.timeouts.operation / 10
    }
}

async fn token_within<T>(
    limit: Duration,
    token: impl Future<Output = Result<T, ConfigError>>,
) -> Result<T, Box<Report>> {
    match timeout(limit, token).await {
        Ok(token) => token.map_err(|error| transport::not_ready(ErrorKind::Token, &error)),
        Err(_) => {
            let text = format!("no token was available within {limit:?}");
            Err(Report::not_sent(ErrorKind::Timeout, text, true))
        }
    }
}
