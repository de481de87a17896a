//! The hooks of the generated [`Client`], which run around each request.
//!
//! The token goes into the `Authorization` header. A POST without a body carries `Content-Length: 0`, as RFC 9110
//! (section 8.6) recommends: some gateways would otherwise reject it. Response bodies are read up to a limit.

use crate::generated::Client;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use reqwest::{Method, Request, Response, ResponseBuilderExt};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The default limit on the body of an answer, in bytes: 1 MiB. See [`Hooks::with_body_limit`].
pub const DEFAULT_BODY_LIMIT: usize = 1 << 20;

/// The state of a [`Client`]: its token and the limit on the bodies of answers.
///
/// ```
/// use datafy_api::{Client, hooks::Hooks};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hooks = Hooks::bearer("a-token")?;
/// let client = Client::new("https://api.datafy.io".parse()?, reqwest::Client::new(), hooks);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hooks {
    authorization: HeaderValue,
    body_limit: usize,
}

impl Hooks {
    /// Sends `token` as the bearer token of each request. Fails if a header can't hold it.
    pub fn bearer(token: &str) -> Result<Self, InvalidToken> {
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| InvalidToken)?;
        authorization.set_sensitive(true);
        Ok(Self { authorization, body_limit: DEFAULT_BODY_LIMIT })
    }

    /// Limits the body of an answer to `bytes`; a longer one is an error. Defaults to [`DEFAULT_BODY_LIMIT`].
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Adds the headers that a generated method leaves out.
    pub(crate) fn prepare(&self, request: &mut Request) {
        if request.body().is_none() && request.method() == Method::POST {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
    }

    /// Limits the body of an answer, unless its `Content-Length` is within the limit.
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

/// The token contains a character that an HTTP header can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidToken;

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the token contains a character that an HTTP header can't, such as a line break",
        )
    }
}

impl std::error::Error for InvalidToken {}

impl ClientHooks<Hooks> for Client {
    async fn exec(&self, request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
        Ok(self.inner().guard(self.client().execute(request).await?))
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
