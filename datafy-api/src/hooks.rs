//! What the generated [`Client`] does around each request.
//!
//! The token goes into the `Authorization` header. The `api-version` header that the generator
//! adds is taken out again: the API doesn't document it. A request without a body says so, as RFC 9110
//! (section 8.6) asks of a POST: there are gateways that refuse it else. Bodies of answers are read up
//! to a limit.

use crate::generated::Client;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use progenitor_client::{ClientHooks, ClientInfo, Error, OperationInfo};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, ResponseBuilderExt, StatusCode};
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

const API_VERSION: HeaderName = HeaderName::from_static("api-version");

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

    /// Writes down in `receipt` what comes back. One receipt serves one call.
    #[must_use]
    pub fn with_receipt(mut self, receipt: Receipt) -> Self {
        self.receipt = Some(receipt);
        self
    }

    fn guard(&self, response: Response) -> Response {
        if let Some(receipt) = &self.receipt {
            let mut received = receipt.lock();
            received.status = Some(response.status());
            received.headers = response.headers().clone();
        }
        let url = response.url().clone();
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let body = GuardedBody { body, left: self.body_limit, receipt: self.receipt.clone() };
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
        let headers = request.headers_mut();
        headers.remove(API_VERSION);
        headers.insert(AUTHORIZATION, self.inner().authorization.clone());
        Ok(())
    }

    async fn exec(&self, request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
        let response = self.client().execute(request).await?;
        Ok(self.inner().guard(response))
    }
}

/// Keeps what came back of one call, as far as it came: also when the body broke off, when it made
/// no sense, or when the caller stopped waiting.
#[derive(Clone, Debug, Default)]
pub struct Receipt(Arc<Mutex<Received>>);

impl Receipt {
    /// Takes out what has come back so far.
    pub fn take(&self) -> Received {
        mem::take(&mut *self.lock())
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
    chunks: Vec<Bytes>,
}

impl Received {
    /// The body as far as it was read.
    pub fn into_body(self) -> Bytes {
        match <[Bytes; 1]>::try_from(self.chunks) {
            Ok([chunk]) => chunk,
            Err(chunks) => chunks.concat().into(),
        }
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
    receipt: Option<Receipt>,
}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let frame = frame?;
        let Some(chunk) = frame.data_ref() else { return Poll::Ready(Some(Ok(frame))) };
        let within = chunk.slice(..chunk.len().min(self.left));
        let whole = within.len() == chunk.len();
        self.left -= within.len();
        if let Some(receipt) = &self.receipt {
            receipt.lock().chunks.push(within);
        }
        Poll::Ready(Some(if whole { Ok(frame) } else { Err(Box::new(BodyTooLarge)) }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
