//! One attempt: sends the operation's request once, and classifies how it ended.

use super::Call;
use super::content::{Content, MESSAGES, Text};
use super::evidence::Evidence;
use super::operation::Operation;
use super::retry_after;
use super::success::{SNAPSHOT_ID, Unusable, VOLUME_ID};
use super::transport;
use crate::client::Credential;
use crate::client::connector::Connecting;
use crate::error::{Body, Cause, ErrorKind, Report};
use crate::id::SubAccountId;
use crate::outcome::Outcome;
use crate::untrusted::Untrusted;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Request, Response, StatusCode};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The length of the part of a body that is read, in bytes. The service's own answers have a few hundred.
///
/// No timeout limits what comes after the last byte, such as the search for the token, so its amount is limited.
const BODY_LIMIT: usize = 16 * 1024;

/// The headers that may hold a request ID, the most specific first. The vendor's page doesn't name one.
static REQUEST_ID: [HeaderName; 5] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-amzn-requestid"),
    HeaderName::from_static("x-amz-request-id"),
    HeaderName::from_static("apigw-requestid"),
    HeaderName::from_static("x-amzn-trace-id"),
];

/// The part of an answer that has arrived. It is filled as it arrives, so that a timeout doesn't lose it.
#[derive(Default)]
pub(super) struct Received {
    /// The answer without its body, or `None` until its head has arrived.
    pub(super) response: Option<Response>,
    /// The part of the body that was read.
    body: Vec<u8>,
    end: BodyEnd,
}

/// How the body of an answer ended.
#[derive(Default)]
enum BodyEnd {
    /// It has not ended yet.
    #[default]
    Open,
    /// It is complete.
    Whole,
    /// It is longer than the client reads.
    TooLarge,
    /// The connection was lost.
    Broken(reqwest::Error),
}

/// Sends the operation's request once. `remaining` is the time until the deadline of the call. The answer goes to
/// `received`, as far as it arrives.
pub(super) async fn attempt<O: Operation>(
    call: &Call<O>,
    remaining: Duration,
    credential: &Credential,
    received: &mut Received,
) -> Result<O::Answer, Box<Report>> {
    let (http, timeouts) = (&call.datafy.inner().http, call.options.timeouts);
    let limit = timeouts.attempt.min(remaining);
    let started = Instant::now();
    let request = request(call, credential)?;
    let client = http
        .client(timeouts.connect, limit)
        .map_err(|error| transport::not_ready(ErrorKind::Request, &error))?;
    let connecting = Connecting { by: started + timeouts.connect.min(limit), only: false };
    let ended = {
        // Pinned before it is wrapped: the wrappers would move it, and it is large.
        let exchange = pin!(receive(client.execute(request), received));
        timeout_at(started + limit, connecting.scope(exchange)).await
    };
    match (&received.response, ended) {
        (Some(response), _) => {
            let ended = classify(call, credential, limit, response, received);
            if let Err(report) = &ended
                && response.status().is_success()
                && report.outcome == Outcome::Unknown
            {
                // The next answer on this connection may belong to another request, too.
                http.retire();
            }
            ended
        }
        (None, Ok(Err(error))) => Err(transport::failure(&error, &http.route, credential)),
        // No status was received, so there is no answer.
        (None, Ok(Ok(())) | Err(_)) => {
            Err(Report::ambiguous(ErrorKind::Timeout, format!("timed out after {limit:?}")))
        }
    }
}

fn request<O: Operation>(call: &Call<O>, credential: &Credential) -> Result<Request, Box<Report>> {
    let sub_account = call.options.sub_account.as_ref().map(SubAccountId::as_str);
    let mut request = call.operation.request(credential.raw(), sub_account).map_err(|error| {
        Report::not_sent(ErrorKind::Request, "the request can't be built", false)
            .because(Cause::of(&error))
    })?;
    call.options.extend(&mut request);
    Ok(request)
}

/// Waits for the answer, and reads up to [`BODY_LIMIT`] bytes of its body. Fails only if no answer arrives.
async fn receive(
    answer: impl Future<Output = reqwest::Result<Response>>,
    received: &mut Received,
) -> reqwest::Result<()> {
    let response = received.response.insert(answer.await?);
    received.end = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = BODY_LIMIT - received.body.len();
                received.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    break BodyEnd::TooLarge;
                }
            }
            Ok(None) => break BodyEnd::Whole,
            Err(error) => break BodyEnd::Broken(error),
        }
    };
    Ok(())
}

/// Classifies an answer, as far as it arrived within `limit`.
fn classify<O: Operation>(
    call: &Call<O>,
    credential: &Credential,
    limit: Duration,
    response: &Response,
    received: &Received,
) -> Result<O::Answer, Box<Report>> {
    let (status, headers) = (response.status(), response.headers());
    // The service may send the token back.
    let body = credential.redact(&received.body);
    let is_whole = matches!(received.end, BodyEnd::Whole);
    let content = Content::read(media_type(headers), &body, is_whole);
    let mut cause = match &received.end {
        BodyEnd::Whole => None,
        BodyEnd::Open => Some(Cause::new(format!("timed out after {limit:?}"))),
        BodyEnd::TooLarge => Some(Cause::new("the body is longer than the client reads")),
        BodyEnd::Broken(error) => transport::cause(error, credential),
    };
    let mut problem = status.to_string();
    let mut retry_after = None;
    let (outcome, kind) = if status.is_success() {
        match call.operation.decode(&content) {
            Ok(answer) => return Ok(answer),
            Err(Unusable::Foreign(reason)) => {
                problem = format!("{problem}: {reason}");
                (Outcome::Unknown, ErrorKind::Body)
            }
            Err(Unusable::Unreadable(reason)) => {
                cause = cause.or_else(|| Some(Cause::new(credential.received(&reason).as_str())));
                (Outcome::Applied, ErrorKind::Body)
            }
        }
    } else {
        retry_after = retry_after::read(headers, || call.clock().date());
        match Evidence::of_status(status.as_u16(), None).outcome() {
            Outcome::Refused if status == StatusCode::TOO_MANY_REQUESTS => {
                (Outcome::Refused, ErrorKind::Throttled)
            }
            Outcome::Refused => (Outcome::Refused, ErrorKind::Rejected),
            outcome => (outcome, ErrorKind::Server),
        }
    };
    let message = message(&content, credential);
    for detail in [location(status, headers), message.as_deref()].into_iter().flatten() {
        problem.extend([": ", detail]);
    }
    if let Some(encoding) = content.foreign_encoding().filter(|_| !status.is_success()) {
        problem.extend([": the body is in ", encoding]);
    }
    let mut report = Report::new(outcome, kind, credential.received(&problem));
    report.cause = cause;
    report.status = Some(status.as_u16());
    report.retry_after = retry_after;
    report.message = message;
    report.request_id = request_id(headers, credential);
    if outcome == Outcome::Applied {
        let found = |name| match content.object.as_ref()?.text(name) {
            Text::Is(id) => Some(id),
            _ => None,
        };
        report.snapshot_id = found(SNAPSHOT_ID).and_then(|id| id.parse().ok());
        report.volume_id = found(VOLUME_ID).and_then(|id| id.parse().ok());
        report.created_id = O::CREATES.and_then(found).map(|id| credential.received(&id));
    }
    report.body = Some(Body(body.to_vec()));
    Err(report)
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
    Some(credential.received(value.to_str().ok()?))
}

/// What an answer says that went wrong: in JSON under one of the usual names, or a text that is no page for a browser.
fn message(content: &Content<'_>, credential: &Credential) -> Option<Untrusted> {
    let text = match &content.object {
        Some(object) => object.statement(MESSAGES)?,
        None => content.plain_text()?.into(),
    };
    Some(credential.received(text.trim()))
}
