//! What each request of a [`Client`] carries, and how its answer is limited.

use crate::base_url::BaseUrl;
use crate::generated::Client;
use http_body_util::Limited;
use reqwest::header::HeaderValue;
use reqwest::{Body, Request, Response, ResponseBuilderExt};

/// The default limit on the body of an answer, in bytes: 1 MiB. See [`Hooks::with_body_limit`].
pub const DEFAULT_BODY_LIMIT: usize = 1 << 20;

impl Client {
    /// Creates a client of the service at `base_url` that sends its requests with `http`.
    ///
    /// Timeouts, redirects and TLS are those of `http`.
    #[allow(clippy::needless_pass_by_value, reason = "callers pass `text.parse()?`")]
    pub fn new(base_url: BaseUrl, http: reqwest::Client, hooks: Hooks) -> Self {
        let hooks = Hooks { base_url: Some(base_url.clone()), ..hooks };
        Self { baseurl: base_url.to_string(), client: http, inner: hooks }
    }

    pub(crate) fn base_url(&self) -> &BaseUrl {
        self.inner.base_url.as_ref().expect("`new` sets it")
    }
}

/// The state of a [`Client`]: its token and the limit on the bodies of answers.
#[derive(Clone, Debug)]
pub struct Hooks {
    /// Is sensitive, so that `Debug` doesn't show it.
    pub(crate) authorization: HeaderValue,
    body_limit: usize,
    /// That of the client that has these hooks.
    pub(crate) base_url: Option<BaseUrl>,
}

impl Hooks {
    /// Sends `token` as the bearer token of each request. Fails if a header can't hold it.
    pub fn bearer(token: &str) -> Result<Self, InvalidToken> {
        let authorization = HeaderValue::try_from(format!("Bearer {token}"));
        let mut authorization = authorization.map_err(|_| InvalidToken)?;
        authorization.set_sensitive(true);
        Ok(Self { authorization, body_limit: DEFAULT_BODY_LIMIT, base_url: None })
    }

    /// Limits the body of an answer to `bytes`; a longer one is an error. Defaults to [`DEFAULT_BODY_LIMIT`].
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sends a request, and limits the body of the answer.
    pub(crate) async fn send(
        &self,
        http: &reqwest::Client,
        request: Request,
    ) -> reqwest::Result<Response> {
        let response = http.execute(request).await?;
        if response.content_length().is_some_and(|length| length <= self.body_limit as u64) {
            return Ok(response);
        }
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
