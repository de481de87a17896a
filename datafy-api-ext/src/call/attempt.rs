//! One attempt: sends the operation's request once, and classifies how it ended.

use super::Call;
use super::content::{Content, MESSAGES, Text};
use super::evidence::Evidence;
use super::exchange::{BodyEnd, Received, receive};
use super::failure::{Answer, Failure};
use super::operation::Operation;
use super::retry_after;
use super::success::{SNAPSHOT_ID, Unusable, VOLUME_ID};
use super::transport;
use crate::client::connect;
use crate::client::token::Credential;
use crate::error::{Cause, ErrorKind};
use crate::id::SubAccountId;
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Request, Response, StatusCode};
use std::error::Error as _;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The headers that may hold a request ID, the most specific first. The vendor's page doesn't name one.
static REQUEST_ID: [HeaderName; 5] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-amzn-requestid"),
    HeaderName::from_static("x-amz-request-id"),
    HeaderName::from_static("apigw-requestid"),
    HeaderName::from_static("x-amzn-trace-id"),
];

/// Sends the operation's request once. `remaining` is the time until the deadline of the call. The answer goes to
/// `received`, as far as it arrives.
pub(super) async fn attempt<O: Operation>(
    call: &Call<O>,
    remaining: Duration,
    credential: &Credential,
    received: &mut Received,
) -> Result<O::Answer, Failure> {
    let (client, timeouts) = (call.datafy.inner(), call.options.timeouts);
    let limit = timeouts.attempt.min(remaining);
    let started = Instant::now();
    let request = request(call, credential)?;
    let (http, own_limit) = client.http.client(timeouts.connect, limit).map_err(|error| {
        Failure::not_sent(ErrorKind::Request, error.to_string(), false)
            .because(error.source().and_then(Cause::of))
    })?;
    let connect_limit = own_limit.map(move |connect| started + connect);
    let exchange = receive(http.execute(request), received);
    let ended = timeout_at(started + limit, connect::limited(connect_limit, exchange)).await;
    match (&received.response, ended) {
        (Some(response), _) => {
            let ended = classify(call, credential, limit, response, received);
            if let Err(failure) = &ended
                && response.status().is_success()
                && failure.evidence.outcome() == Outcome::Unknown
            {
                // The next answer on this connection may belong to another request, too.
                client.http.retire();
            }
            ended
        }
        (None, Ok(Err(error))) => Err(transport::failure(&error, &client.http.route, credential)),
        // No status was received, so there is no answer.
        (None, Ok(Ok(())) | Err(_)) => {
            Err(Failure::ambiguous(ErrorKind::Timeout, format!("timed out after {limit:?}")))
        }
    }
}

/// Builds the request. Not a part of [`attempt`], whose future would keep it to the end.
fn request<O: Operation>(call: &Call<O>, credential: &Credential) -> Result<Request, Failure> {
    let sub_account = call.options.sub_account.as_ref().map(SubAccountId::as_str);
    let mut request = call.operation.request(credential.raw(), sub_account).map_err(|error| {
        Failure::not_sent(ErrorKind::Request, "the request can't be built", false)
            .because(Cause::of(&error))
    })?;
    call.options.extend(&mut request);
    Ok(request)
}

/// Classifies an answer, as far as it arrived within `limit`.
fn classify<O: Operation>(
    call: &Call<O>,
    credential: &Credential,
    limit: Duration,
    response: &Response,
    received: &Received,
) -> Result<O::Answer, Failure> {
    let (status, headers) = (response.status(), response.headers());
    // The service may send the token back.
    let redacted = credential.redact_body(&received.body);
    let body = redacted.as_deref().unwrap_or(&received.body);
    let is_whole = matches!(received.end, BodyEnd::Whole);
    let content = Content::read(media_type(headers), body, is_whole);
    let decoded = if status.is_success() {
        match call.operation.decode(&content) {
            Ok(answer) => return Ok(answer),
            Err(unusable) => Some(unusable),
        }
    } else {
        None
    };
    let mut cause = match &received.end {
        BodyEnd::Whole => None,
        BodyEnd::Open => Some(Cause::new(format!("timed out after {limit:?}"))),
        BodyEnd::TooLarge => Some(Cause::new("the body is longer than the client reads")),
        BodyEnd::Broken(error) => transport::cause(error, credential),
    };
    let message = message(&content, credential);
    let mut text = status.to_string();
    let (evidence, kind) = match decoded {
        Some(Unusable::Foreign(problem)) => {
            text = format!("{text}: {problem}");
            let status = Some(status.as_u16());
            (Evidence::Ambiguous { status, retry_after: None }, ErrorKind::Body)
        }
        Some(Unusable::Unreadable(problem)) => {
            cause = cause.or_else(|| Some(Cause::received(&problem, credential)));
            (Evidence::Applied, ErrorKind::Body)
        }
        None => {
            let retry_after = retry_after::read(headers, || call.clock().date());
            let evidence = Evidence::of_status(status.as_u16(), retry_after);
            let kind = match evidence {
                Evidence::Rejected { status: 429, .. } => ErrorKind::Throttled,
                Evidence::Rejected { .. } => ErrorKind::Rejected,
                _ => ErrorKind::Server,
            };
            (evidence, kind)
        }
    };
    for detail in [location(status, headers), message.as_deref()].into_iter().flatten() {
        text.extend([": ", detail]);
    }
    if let Some(encoding) = content.foreign_encoding().filter(|_| !status.is_success()) {
        text.extend([": the body is in ", encoding]);
    }
    let found = |name| match (&content.object, evidence) {
        (Some(object), Evidence::Applied) => match object.text(name) {
            Text::Is(id) => Some(id),
            _ => None,
        },
        _ => None,
    };
    let answer = Answer {
        status,
        message,
        request_id: request_id(headers, credential),
        snapshot_id: found(SNAPSHOT_ID).and_then(|id| id.parse().ok()),
        volume_id: found(VOLUME_ID).and_then(|id| id.parse().ok()),
        created_id: O::CREATES.and_then(found).map(|id| Untrusted::received(&id, credential)),
        body: redacted.as_ref().map_or_else(|| received.body.clone(), |it| it.clone().into()),
    };
    let text = Untrusted::received(&text, credential);
    Err(Failure { evidence, kind, text, cause, answer: Some(Box::new(answer)) })
}

/// The `Content-Type` without its parameters.
fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim_ascii)
}

/// Where a redirect points to.
fn location(status: StatusCode, headers: &HeaderMap) -> Option<&str> {
    headers.get(LOCATION).filter(|_| status.is_redirection())?.to_str().ok()
}

/// The request ID of an answer with these headers.
pub(super) fn request_id(headers: &HeaderMap, credential: &Credential) -> Option<Untrusted> {
    let value = REQUEST_ID.iter().find_map(|name| headers.get(name))?;
    Some(Untrusted::received(value.to_str().ok()?, credential))
}

/// What an answer says that went wrong: in JSON under one of the usual names, or a text that is no page for a browser.
fn message(content: &Content<'_>, credential: &Credential) -> Option<Untrusted> {
    let text = match &content.object {
        Some(object) => object.statement(MESSAGES)?,
        None => content.plain_text()?.into(),
    };
    Some(Untrusted::received(text.trim(), credential))
}
