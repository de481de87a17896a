//! One attempt: sends the operation's request once, and classifies how it ended.

use super::Call;
use super::evidence::Evidence;
use super::exchange::{BodyEnd, Received, receive};
use super::failure::{Answer, Failure};
use super::operation::{Operation, Scope, sealed};
use super::partial_json;
use super::retry_after;
use super::success::{Success, Unusable};
use super::transport;
use crate::client::connect;
use crate::client::extras;
use crate::client::token::Credential;
use crate::error::{Cause, ErrorKind};
use crate::outcome::Outcome;
use bytes::Bytes;
use datafy_api::hooks::DEFAULT_BODY_LIMIT;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::{Request, Response};
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
) -> Result<<O as sealed::Operation>::Content, Failure> {
    let (client, timeouts) = (call.datafy.inner(), call.effective_timeouts());
    let limit = timeouts.attempt().min(remaining);
    let started = Instant::now();
    let request = request(call, credential)?;
    let (http, own_limit) = client.http.client(timeouts.connect(), limit).map_err(|error| {
        Failure::not_sent(ErrorKind::Request, error.to_string(), false)
            .because(error.source().and_then(Cause::of))
    })?;
    let connect_limit = own_limit.map(move |connect| started + connect);
    let exchange = receive(http.execute(request), DEFAULT_BODY_LIMIT, received);
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
        (None, Ok(Err(error))) => Err(transport::failure(&error)),
        // No status was received, so there is no answer.
        (None, Ok(Ok(())) | Err(_)) => {
            Err(Failure::ambiguous(ErrorKind::Timeout, format!("timed out after {limit:?}")))
        }
    }
}

/// Builds the request. Not a part of [`attempt`], whose future would keep it to the end.
fn request<O: Operation>(call: &Call<O>, credential: &Credential) -> Result<Request, Failure> {
    let client = call.datafy.inner();
    let sub_account = call.sub_account.as_ref().unwrap_or(&client.sub_account);
    let scope = Scope::new(sub_account.as_ref());
    let mut request = call.operation.request(credential.raw(), scope).map_err(|error| {
        Failure::not_sent(ErrorKind::Request, "the request can't be built", false)
            .because(Cause::of(&error))
    })?;
    extras::apply(client.extras.as_ref(), call.extras.as_deref(), &mut request)
        .map_err(|error| Failure::not_sent(ErrorKind::Request, error.to_string(), false))?;
    Ok(request)
}

/// Classifies an answer, as far as it arrived within `limit`.
fn classify<O: Operation>(
    call: &Call<O>,
    credential: &Credential,
    limit: Duration,
    response: &Response,
    received: &Received,
) -> Result<<O as sealed::Operation>::Content, Failure> {
    let (status, headers) = (response.status(), response.headers());
    // The service may send the token back.
    let redacted = credential.redact_body(&received.body);
    let body = redacted.as_deref().unwrap_or(&received.body);
    let cut = match &received.end {
        BodyEnd::Whole => None,
        BodyEnd::Open => Some(Cause::new(format!("timed out after {limit:?}"))),
        BodyEnd::TooLarge => Some(Cause::new("the body is longer than the client reads")),
        BodyEnd::Broken(error) => transport::cause(error),
    };
    let mut foreign = None;
    let (evidence, kind, cause) = if status.is_success() {
        let media_type = media_type(headers);
        let success = Success { media_type, body, whole: cut.is_none() };
        match call.operation.decode(&success) {
            Ok(content) => return Ok(content),
            Err(Unusable::Foreign(problem)) => {
                foreign = Some(problem);
                let status = Some(status.as_u16());
                (Evidence::Ambiguous { status, retry_after: None }, ErrorKind::Body, cut)
            }
            Err(Unusable::Unreadable(problem)) => {
                let unreadable = || Cause::new(credential.redact(problem));
                (Evidence::Applied, ErrorKind::Body, cut.or_else(|| Some(unreadable())))
            }
        }
    } else {
        let retry_after = retry_after::read(headers, || call.clock().date());
        let evidence = Evidence::of_status(status.as_u16(), retry_after);
        let kind = match evidence {
            Evidence::Rejected { status: 429, .. } => ErrorKind::Throttled,
            Evidence::Rejected { .. } => ErrorKind::Rejected,
            _ => ErrorKind::Server,
        };
        (evidence, kind, cut)
    };
    let message = message(body);
    let text = match foreign.as_ref().or(message.as_ref()) {
        Some(text) => credential.redact(format!("{status}: {text}")),
        None => status.to_string(),
    };
    let found = |key| match evidence {
        Evidence::Applied => {
            partial_json::string(body, key).map(|id| credential.redact(id.into_owned()))
        }
        _ => None,
    };
    let (snapshot_id, volume_id) = (found("datafySnapshotId"), found("volumeId"));
    let request_id = request_id(headers, credential);
    let body = redacted.map_or_else(|| received.body.clone(), Bytes::from);
    let answer = Answer { status, message, request_id, snapshot_id, volume_id, body };
    Err(Failure { evidence, kind, text, cause, answer: Some(Box::new(answer)) })
}

/// The `Content-Type` without its parameters.
fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim_ascii)
}

/// The request ID of an answer with these headers.
pub(super) fn request_id(headers: &HeaderMap, credential: &Credential) -> Option<String> {
    let value = REQUEST_ID.iter().find_map(|name| headers.get(name))?;
    Some(credential.redact(value.to_str().ok()?.to_owned()))
}

/// The message of the service: `{"message": ".."}`, as the vendor's public Terraform providers read it.
fn message(body: &[u8]) -> Option<String> {
    let message = partial_json::string(body, "message").filter(|message| !message.is_empty())?;
    Some(message.into_owned())
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn the_message_of_an_answer_is_found_even_if_the_rest_is_cut_off() {
        for (body, expected) in [
            (r#"{"code":7,"message":"too many"}"#, Some("too many")),
            (r#"{"message":"no","cut": "of"#, Some("no")),
            (r#"{"message":"cut of"#, None),
            (r#"{"message":""}"#, None),
            (r#"{"message":{"text":"no"}}"#, None),
        ] {
            assert_eq!(message(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
