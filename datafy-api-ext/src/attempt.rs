//! One attempt: a request, and what its end shows.

use crate::client::Inner;
use crate::config_error::ConfigError;
use crate::connect;
use crate::decision::Finding;
use crate::exchange::{BodyEnd, Received, receive};
use crate::operation::{Scope, sealed::Operation};
use crate::retry_after;
use crate::salvage;
use crate::timeouts::Timeouts;
use crate::token::Credential;
use bytes::Bytes;
use datafy_api::draft;
use datafy_api::hooks::DEFAULT_BODY_LIMIT;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::error::Error as StdError;
use std::pin::pin;
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

    fn unknown(kind: &str, text: String) -> Self {
        Self {
            finding: Finding::Unknown { status: None, retry_after: None },
            text,
            kind: kind.to_owned(),
            answer: None,
        }
    }
}

/// A success: its status and its content.
pub(crate) type Success<T> = (StatusCode, T);

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
    // What the raw client would send is what is sent.
    // Pinned here: it is not small, and would be moved.
    let request = draft(pin!(operation.request(credential.raw(), scope)))
        .map_err(|error| Failure::not_sent("request", error.to_string(), false))?;
    let (http, own_limit) = client.http.client(&client.base, timeouts.connect());
    let connect_limit = own_limit.map(|connect| begun + connect.min(limit));
    let mut received = Received::default();
    let exchange = receive(http.execute(request), DEFAULT_BODY_LIMIT, &mut received);
    let result = timeout_at(begun + limit, connect::limited(connect_limit, exchange)).await;
    match (received.status, result) {
        (Some(status), _) => answered::<O>(status, received, limit, client, credential),
        (None, Ok(Err(error))) => Err(transport(&error)),
        // Without a status there is no answer.
        (None, Ok(Ok(())) | Err(_)) => {
            Err(Failure::unknown("timeout", format!("timed out after {limit:?}")))
        }
    }
}

/// What an answer shows, as far as it came within `limit`.
fn answered<O: Operation>(
    status: StatusCode,
    received: Received,
    limit: Duration,
    client: &Inner,
    credential: &Credential,
) -> Result<Success<O::Content>, Failure> {
    let retry_after = if status.is_success() {
        None
    } else {
        retry_after::read(&received.headers, || client.clock.date())
    };
    let finding = Finding::of_status(status.as_u16(), retry_after);
    // A token that the service sends back is not handed on.
    let body = credential.redact_body(&received.body).map_or(received.body, Bytes::from);
    let problem = match received.end {
        BodyEnd::Whole => None,
        BodyEnd::Open => Some(format!("timed out after {limit:?}")),
        BodyEnd::TooLarge => Some("the body is longer than the client reads".to_owned()),
        BodyEnd::Broken(error) => Some(root_cause(&error)),
    };
    let (kind, problem) = if finding == Finding::Applied {
        // A body that didn't come whole counts as none: enough where none is needed.
        match O::decode(if problem.is_none() { &body } else { &[] }) {
            Ok(content) => return Ok((status, content)),
            Err(error) => ("answer".to_owned(), problem.or_else(|| Some(error.to_string()))),
        }
    } else {
        (status.as_u16().to_string(), problem)
    };
    let request_id = request_id(&received.headers, credential);
    let message = message(&body);
    let text = match message.as_ref().or(problem.as_ref()) {
        Some(text) => credential.redact(format!("{status}: {text}")),
        None => status.to_string(),
    };
    let salvaged = |key| match finding {
        Finding::Applied => salvage::string(&body, key).map(|id| credential.redact(id)),
        _ => None,
    };
    let (snapshot_id, volume_id) = (salvaged("datafySnapshotId"), salvaged("volumeId"));
    let answer = Answer { status, message, request_id, snapshot_id, volume_id, body };
    Err(Failure { finding, text, kind, answer: Some(Box::new(answer)) })
}

/// What it shows that no answer came.
fn transport(error: &reqwest::Error) -> Failure {
    let text = root_cause(error);
    if error.is_connect() {
        Failure::not_sent("connect", text, true)
    } else if error.is_builder() {
        Failure::not_sent("request", text, false)
    } else if never_written(error) {
        Failure::not_sent("connection_closed", text, true)
    } else {
        Failure::unknown("connection_lost", text)
    }
}

/// Whether the connection was gone before any of the request was written. Those are the only meanings
/// that a cancellation and a closed channel have while the call itself is still waiting.
fn never_written(error: &reqwest::Error) -> bool {
    sources(error)
        .filter_map(|source| source.downcast_ref::<hyper::Error>())
        .any(|error| error.is_canceled() || error.is_closed())
}

/// What an error comes down to, without the URL and without the layers that only pass it on.
fn root_cause(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = sources(error)
        .map(ToString::to_string)
        .filter(|text| !text.starts_with("client error ("))
        .collect();
    texts.dedup();
    if texts.is_empty() { "the request failed".to_owned() } else { texts.join(": ") }
}

fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |source| (**source).source())
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
