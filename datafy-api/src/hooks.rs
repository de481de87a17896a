//! What each request of a [`Client`](crate::Client) carries, and how its answer is limited.
//!
//! The token goes into the `Authorization` header. A POST, PUT or PATCH without a body carries
//! `Content-Length: 0`, as RFC 9110
//! (section 8.6) recommends: some gateways would otherwise reject it. Response bodies are read up to a limit.

use http_body_util::Limited;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use reqwest::{Client, Method, Request, Response, ResponseBuilderExt};
use std::fmt;

/// The default limit on the body of an answer, in bytes: 1 MiB. See [`Hooks::with_body_limit`].
pub const DEFAULT_BODY_LIMIT: usize = 1 << 20;

/// The state of a [`Client`](crate::Client): its token and the limit on the bodies of answers.
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
        if request.body().is_none()
            && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH)
        {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
    }

    /// Sends a request, and limits the body of the answer.
    pub(crate) async fn send(&self, http: &Client, request: Request) -> reqwest::Result<Response> {
        Ok(self.guard(http.execute(request).await?))
    }

    /// Limits the body of an answer, unless its `Content-Length` is within the limit.
    fn guard(&self, response: Response) -> Response {
        let length = response.content_length().and_then(|length| usize::try_from(length).ok());
        if length.is_some_and(|length| length <= self.body_limit) {
            return response;
        }
        let url = response.url().clone();
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let body = Limited::new(body, self.body_limit);
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
