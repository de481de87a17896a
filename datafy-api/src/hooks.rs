//! What each request of a [`Client`] carries, and how its answer is limited.

use crate::base_url::BaseUrl;
use crate::generated::Client;
use http_body_util::Limited;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use reqwest::{Body, Method, Request, Response, ResponseBuilderExt};

/// The default limit on the body of an answer, in bytes: 1 MiB. See [`Hooks::with_body_limit`].
pub const DEFAULT_BODY_LIMIT: usize = 1 << 20;

impl Client {
    /// Creates a client of the service at `base_url` that sends its requests with `http`.
    ///
    /// Timeouts, redirects and TLS are those of `http`.
    ///
    /// ```
    /// use datafy_api::{Client, hooks::Hooks};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let http = reqwest::Client::new();
    /// let client = Client::new("https://api.datafy.io".parse()?, http, Hooks::bearer("a-token")?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(base_url: BaseUrl, http: reqwest::Client, hooks: Hooks) -> Self {
        Self { baseurl: base_url.to_string(), client: http, inner: hooks }
    }
}

/// The state of a [`Client`]: its token and the limit on the bodies of answers.
#[derive(Clone, Debug)]
pub struct Hooks {
    /// Is sensitive, so that `Debug` doesn't show it.
    authorization: HeaderValue,
    body_limit: usize,
}

impl Hooks {
    /// Sends `token` as the bearer token of each request. Fails if a header can't hold it.
    pub fn bearer(token: &str) -> Result<Self, InvalidToken> {
        let authorization = HeaderValue::try_from(format!("Bearer {token}"));
        let mut authorization = authorization.map_err(|_| InvalidToken)?;
        authorization.set_sensitive(true);
        Ok(Self { authorization, body_limit: DEFAULT_BODY_LIMIT })
    }

    /// Limits the body of an answer to `bytes`; a longer one is an error. Defaults to [`DEFAULT_BODY_LIMIT`].
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Adds the token. A POST, PUT or PATCH without a body gets `Content-Length: 0`, as RFC 9110 (section 8.6) recommends:
    /// some gateways would otherwise reject it.
    pub(crate) fn prepare(&self, request: &mut Request) {
        let may_have_body = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
        if may_have_body && request.body().is_none() {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
    }

    /// Sends a request, and limits the body of the answer.
    pub(crate) async fn send(
        &self,
        http: &reqwest::Client,
        request: Request,
    ) -> reqwest::Result<Response> {
        let response = http.execute(request).await?;
        // A conversion would lose the URL.
        let url = http::Response::builder().url(response.url().clone()).body(());
        let extensions = url.map(|url| url.into_parts().0.extensions).unwrap_or_default();
        let mut limited = http::Response::<Body>::from(response)
            .map(|body| Body::wrap(Limited::new(body, self.body_limit)));
        limited.extensions_mut().extend(extensions);
        Ok(limited.into())
    }
}

/// The token contains a character that an HTTP header can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token contains a character that an HTTP header can't, such as a line break")]
pub struct InvalidToken;
