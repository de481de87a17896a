//! One attempt: a request, and what its end shows.

use crate::call::decision::Finding;
use crate::call::exchange::{BodyEnd, Received, receive};
use crate::call::operation::{Scope, sealed::Operation};
use crate::call::partial_json;
use crate::call::retry_after;
use crate::call::success::{self, Unusable};
use crate::call::transport;
use crate::client::ConfigError;
use crate::client::Inner;
use crate::client::Timeouts;
use crate::client::connect;
use crate::client::token::Credential;
use crate::outcome::Outcome;
use bytes::Bytes;
use datafy_api::hooks::DEFAULT_BODY_LIMIT;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The headers in which services name a request, the most particular first. The page names none.
const REQUEST_ID: [&str; 5] =
    ["x-request-id", "x-amzn-requestid", "x-amz-request-id", "apigw-requestid", "x-amzn-trace-id"];

/// An attempt that didn't succeed.
pub(crate) struct Failure {
    pub(crate) finding: Finding,
    /// What happened, in a few words.
    pub(crate) text: String,
    /// The same for machines: a status, or a kind of fault (OpenTelemetry's `error.type`).
    pub(crate) kind: String,
    pub(crate) answer: Option<Box<Answer>>,
}

/// The answer to a request, as far as it came.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    /// The ids in an answer that says that it was done.
    pub(crate) snapshot_id: Option<String>,
    pub(crate) volume_id: Option<String>,
    pub(crate) body: Bytes,
}

impl Failure {
    /// The status of the answer, as traces have it.
    pub(crate) fn status(&self) -> Option<i64> {
        self.answer.as_ref().map(|answer| i64::from(answer.status.as_u16()))
    }

    /// Nothing was sent.
    pub(crate) fn not_sent(kind: &str, text: impl Into<String>, passing: bool) -> Self {
        Self {
            finding: Finding::NotSent { passing },
            text: text.into(),
            kind: kind.to_owned(),
            answer: None,
        }
    }

    /// There is no token to send.
    pub(crate) fn no_token(error: &ConfigError) -> Self {
        let passing = matches!(error, ConfigError::TokenProvider(_));
        Self::not_sent("token", error.to_string(), passing)
    }

    pub(crate) fn unknown(kind: &str, text: String) -> Self {
        Self {
            finding: Finding::Unknown { status: None, retry_after: None },
            text,
            kind: kind.to_owned(),
            answer: None,
        }
    }
}

/// A success: its content, and what the answer said beside it.
pub(crate) struct Success<T> {
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<String>,
    pub(crate) content: T,
}

/// Sends the operation's request once. `remaining` is the time until the deadline of the call.
pub(crate) async fn attempt<O: Operation>(
    client: &Inner,
    operation: &O,
    scope: Scope<'_>,
    timeouts: &Timeouts,
    remaining: Duration,
    credential: &Credential,
) -> Result<Success<O::Content>, Failure> {
    let limit = timeouts.attempt().min(remaining);
    let begun = Instant::now();
    let request = operation
        .request(credential.raw(), scope)
        .map_err(|error| Failure::not_sent("request", error.to_string(), false))?;
    let (http, own_limit) = client
        .http
        .client(timeouts.connect())
        .map_err(|error| Failure::not_sent("request", error.to_string(), false))?;
    let connect_limit = own_limit.map(|connect| begun + connect.min(limit));
    let mut received = Received::default();
    client.http.settle().await;
    let exchange = receive(http.execute(request), DEFAULT_BODY_LIMIT, &mut received);
    let result = timeout_at(begun + limit, connect::limited(connect_limit, exchange)).await;
    match (received.status, result) {
        (Some(status), _) => {
            let ended = answered(operation, status, received, limit, client, credential);
            if let Err(failure) = &ended
                && status.is_success()
                && failure.finding.outcome() == Outcome::Unknown
            {
                // The next answer on that connection may be another request's, too.
                client.http.retire();
            }
            ended
        }
        (None, Ok(Err(error))) => Err(transport::failure(&error)),
        // Without a status there is no answer.
        (None, Ok(Ok(())) | Err(_)) => {
            Err(Failure::unknown("timeout", format!("timed out after {limit:?}")))
        }
    }
}

/// What an answer shows, as far as it came within `limit`.
fn answered<O: Operation>(
    operation: &O,
    status: StatusCode,
    received: Received,
    limit: Duration,
    client: &Inner,
    credential: &Credential,
) -> Result<Success<O::Content>, Failure> {
    let Received { headers, body, end, .. } = received;
    // A token that the service sends back is not handed on.
    let body = credential.redact_body(&body).unwrap_or(body);
    let problem = match end {
        BodyEnd::Whole => None,
        BodyEnd::Open => Some(format!("timed out after {limit:?}")),
        BodyEnd::TooLarge => Some("the body is longer than the client reads".to_owned()),
        BodyEnd::Broken(error) => Some(transport::root_cause(&error)),
    };
    let request_id = request_id(&headers, credential);
    let (finding, kind, problem) = if status.is_success() {
        let success = success::Success {
            media_type: media_type(&headers),
            body: &body,
            whole: problem.is_none(),
        };
        let (finding, text) = match operation.decode(&success) {
            Ok(content) => return Ok(Success { status, request_id, content }),
            Err(Unusable::Foreign(text)) => {
                let status = Some(status.as_u16());
                (Finding::Unknown { status, retry_after: None }, text)
            }
            Err(Unusable::Unreadable(text)) => (Finding::Applied, problem.unwrap_or(text)),
        };
        (finding, "answer".to_owned(), Some(text))
    } else {
        let retry_after = retry_after::read(&headers, || client.clock.date());
        let finding = Finding::of_status(status.as_u16(), retry_after);
        (finding, status.as_u16().to_string(), problem)
    };
    let message = message(&body);
    let text = match message.as_ref().or(problem.as_ref()) {
        Some(text) => credential.redact(format!("{status}: {text}")),
        None => status.to_string(),
    };
    let salvaged = |key| match finding {
        Finding::Applied => {
            partial_json::string(&body, key).map(|id| credential.redact(id.into_owned()))
        }
        _ => None,
    };
    let (snapshot_id, volume_id) = (salvaged("datafySnapshotId"), salvaged("volumeId"));
    let answer = Answer { status, message, request_id, snapshot_id, volume_id, body: body.into() };
    Err(Failure { finding, text, kind, answer: Some(Box::new(answer)) })
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

fn request_id(headers: &HeaderMap, credential: &Credential) -> Option<String> {
    let value = REQUEST_ID.iter().find_map(|name| headers.get(*name))?;
    Some(credential.redact(value.to_str().ok()?.to_owned()))
}

/// The message of a refusal: `{"message": ".."}`, as the vendor's public Terraform providers read it.
fn message(body: &[u8]) -> Option<String> {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(body) else { return None };
    match object.remove("message") {
        Some(Value::String(message)) if !message.is_empty() => Some(message),
        _ => None,
    }
}
