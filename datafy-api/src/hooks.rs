//! What the generated [`Client`] does around each request.
//!
//! The token goes into the `Authorization` header. A request without a body says so, as RFC 9110
//! (section 8.6) asks of a POST: there are gateways that refuse it else. Bodies of answers are read up
//! to a limit.

use crate::generated::Client;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use progenitor_client::{ClientHooks, ClientInfo, Error, OperationInfo};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::{Method, Request, Response, ResponseBuilderExt, StatusCode};
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

/// How much of an answer's body is read unless [`Hooks::with_body_limit`] says otherwise: 1 MiB.
pub const DEFAULT_BODY_LIMIT: usize = 1 << 20;

/// The state of a [`Client`]: its token, the limit on the bodies of answers, and maybe a [`Receipt`].
///
/// ```
/// use datafy_api::{Client, hooks::Hooks};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hooks = Hooks::bearer("a token")?;
/// let client = Client::new_with_client("https://api.datafy.io", reqwest::Client::new(), hooks);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hooks {
    authorization: HeaderValue,
    body_limit: usize,
    receipt: Option<Receipt>,
}

impl Hooks {
    /// Sends `token` as the bearer token of each request.
    pub fn bearer(token: &str) -> Result<Self, InvalidToken> {
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| InvalidToken)?;
        authorization.set_sensitive(true);
        Ok(Self { authorization, body_limit: DEFAULT_BODY_LIMIT, receipt: None })
    }

    /// Reads at most `bytes` of an answer's body; a longer one is an error.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Reads each answer into `receipt`, which leaves nothing of it to the generated method: what that
    /// returns then says only whether an answer came. One receipt serves one call.
    #[must_use]
    pub fn with_receipt(mut self, receipt: Receipt) -> Self {
        self.receipt = Some(receipt);
        self
    }

    /// Holds the body of an answer to the limit, unless it says of itself that it is within.
    fn guard(&self, response: Response) -> Response {
        let length = response.content_length().and_then(|length| usize::try_from(length).ok());
        if length.is_some_and(|length| length <= self.body_limit) {
            return response;
        }
        let url = response.url().clone();
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let body = GuardedBody { body, left: self.body_limit };
        let mut guarded = http::Response::builder()
            .url(url)
            .status(parts.status)
            .version(parts.version)
            .body(reqwest::Body::wrap(body))
            .expect("each part comes from a valid response");
        *guarded.headers_mut() = parts.headers;
        Response::from(guarded)
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("body_limit", &self.body_limit).finish_non_exhaustive()
    }
}

/// The token holds a character that an HTTP header can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidToken;

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the token holds a character that an HTTP header can't, such as a line break")
    }
}

impl std::error::Error for InvalidToken {}

impl ClientHooks<Hooks> for Client {
    async fn pre<E>(&self, request: &mut Request, _: &OperationInfo) -> Result<(), Error<E>> {
        if request.body().is_none() && request.method() == Method::POST {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        request.headers_mut().insert(AUTHORIZATION, self.inner().authorization.clone());
        Ok(())
    }

    async fn exec(&self, request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
        let response = self.client().execute(request).await?;
        Ok(match &self.inner().receipt {
            Some(receipt) => receipt.read(response, self.inner().body_limit).await,
            None => self.inner().guard(response),
        })
    }
}

/// Takes an answer, as far as it comes: also when its body breaks off, or the caller stops waiting.
#[derive(Clone, Debug, Default)]
pub struct Receipt(Arc<Mutex<Received>>);

impl Receipt {
    /// Takes out what has come so far.
    pub fn take(&self) -> Received {
        mem::take(&mut *self.lock())
    }

    /// Reads the answer, and gives back what is left of it: its status.
    async fn read(&self, mut response: Response, limit: usize) -> Response {
        {
            let mut received = self.lock();
            received.status = Some(response.status());
            received.headers = mem::take(response.headers_mut());
            received.end = BodyEnd::Open;
        }
        let mut left = limit;
        loop {
            let chunk = response.chunk().await;
            let mut received = self.lock();
            received.end = match chunk {
                Ok(Some(chunk)) => {
                    let within = chunk.len().min(left);
                    left -= within;
                    received.push(chunk.slice(..within));
                    if within == chunk.len() {
                        continue;
                    }
                    BodyEnd::TooLarge
                }
                Ok(None) => BodyEnd::Whole,
                Err(error) => BodyEnd::Broken(error),
            };
            drop(received);
            return response;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Received> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came back of a call.
#[derive(Default)]
pub struct Received {
    /// The status, once the head of the answer was there.
    pub status: Option<StatusCode>,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The body as far as it was read.
    pub body: Bytes,
    /// How the body ended.
    pub end: BodyEnd,
}

/// How the body of an answer ended.
#[derive(Debug, Default)]
pub enum BodyEnd {
    /// Not yet: more was to come.
    #[default]
    Open,
    /// With all of it there.
    Whole,
    /// Longer than the client reads.
    TooLarge,
    /// With the connection.
    Broken(reqwest::Error),
}

impl Received {
    fn push(&mut self, chunk: Bytes) {
        // Mostly a body is one chunk, and then it isn't copied.
        self.body =
            if self.body.is_empty() { chunk } else { [&self.body[..], &chunk[..]].concat().into() };
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The body of an answer is longer than the client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyTooLarge;

impl fmt::Display for BodyTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of the answer is longer than the client reads")
    }
}

impl std::error::Error for BodyTooLarge {}

struct GuardedBody {
    body: reqwest::Body,
    left: usize,
}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context)).transpose()?;
        let length = frame.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len);
        Poll::Ready(match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                frame.map(Ok)
            }
            None => Some(Err(Box::new(BodyTooLarge))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
