//! The bearer token: where it comes from, and how it is renewed.

use crate::client::redact::Redactor;
use crate::client::token_file;
use crate::client::token_text;
use datafy_api::Client;
use datafy_api::base_url::BaseUrl;
use datafy_api::hooks::Hooks;
use secrecy::{ExposeSecret, SecretString};
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::spawn_blocking;

/// The source of a client's token.
///
/// If the service rejects a token with 401, the call gets a new one and sends its request once more; a fixed token
/// can't be renewed. However many calls are rejected at a time, one asks for the new token and the others use it.
///
/// White space around a token is ignored. The rest must be visible ASCII without quotation marks, and without the word
/// `Bearer`, which the client adds.
///
/// # Secrecy
/// The token appears in no `Debug`, error, source of an error, trace or journal, even if the service sends it back.
/// In everything that the service sends, `[token]` replaces the token and each fragment of it of 12 characters or
/// more: verbatim, in base64 (both alphabets, with or without padding, alone or within a longer text
/// such as `Bearer <token>`), percent-encoded, with JSON escapes, or with HTML's numeric references and its names for
/// ASCII characters. That is one layer of encoding; the content of a JSON string may have one more.
///
/// A token of 8 to 11 characters is redacted only as a whole, and a shorter one is not redacted. Errors of a
/// [`provider`](Self::provider) are shown unchanged.
#[doc(alias("bearer", "authentication", "api key"))]
pub struct Token(Source);

enum Source {
    Fixed(SecretString),
    File(PathBuf),
    Provider(Provider),
}

impl Source {
    fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Fixed(_) | Self::Provider(_) => None,
        }
    }

    /// The error of a token that is empty, or white space only.
    fn empty(&self) -> NoToken {
        match self.file() {
            Some(path) => NoToken::of_file(path, "is empty; write the token to it"),
            None => NoToken::new("the token is empty; check where it comes from".to_owned()),
        }
    }

    /// The error of a text that is no token.
    fn invalid(&self, problem: &str) -> NoToken {
        let place = self.file().map(|path| format!(" in {}", path.display()));
        NoToken::new(format!("the token{} {problem}", place.unwrap_or_default()))
    }
}

type BoxError = Box<dyn StdError + Send + Sync>;
type Fetch = Pin<Box<dyn Future<Output = Result<SecretString, BoxError>> + Send>>;
type Provider = Box<dyn Fn() -> Fetch + Send + Sync>;

impl Token {
    /// A token that never changes.
    pub fn fixed(token: impl Into<SecretString>) -> Self {
        Self(Source::Fixed(token.into()))
    }

    /// A token that is read from a file.
    ///
    /// The file must be a regular file of at most 64 KiB of UTF-8. It is read when the client is built, and again when
    /// the service rejects the token.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// A token that a function returns, for example from a vault.
    ///
    /// The provider is called before the first request, and again when the service rejects the token.
    ///
    /// ```
    /// use datafy_api_ext::Token;
    ///
    /// async fn from_vault() -> Result<String, std::io::Error> {
    ///     Ok("a-token".to_owned())
    /// }
    /// let token = Token::provider(from_vault);
    /// ```
    #[doc(alias("vault", "refresh"))]
    pub fn provider<F, Fut, T, E>(provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<SecretString>,
        E: Into<BoxError>,
    {
        Self(Source::Provider(Box::new(move || {
            let token = provider();
            Box::pin(async move { token.await.map(Into::into).map_err(Into::into) })
        })))
    }
}

impl From<SecretString> for Token {
    fn from(token: SecretString) -> Self {
        Self::fixed(token)
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self::fixed(token)
    }
}

impl From<&str> for Token {
    fn from(token: &str) -> Self {
        Self::fixed(token)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Fixed(_) => f.write_str("Token::fixed(..)"),
            Source::File(path) => write!(f, "Token::file({path:?})"),
            Source::Provider(_) => f.write_str("Token::provider(..)"),
        }
    }
}

/// Why there is no token to send. It doesn't show the token, unless a provider puts it into its own error.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct NoToken {
    pub(crate) problem: String,
    pub(crate) source: Option<BoxError>,
    /// Whether the source may have a token another time.
    pub(crate) transient: bool,
}

impl NoToken {
    fn new(problem: String) -> Self {
        Self { problem, source: None, transient: false }
    }

    pub(super) fn of_file(path: &Path, problem: &str) -> Self {
        Self::new(format!("the token file {} {problem}", path.display()))
    }

    pub(super) fn because(self, source: impl Into<BoxError>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}

/// A valid token, with the raw client and the redactor that use it.
pub(crate) struct Credential {
    raw: Client,
    /// `None` if the token is too short to be a secret.
    redactor: Option<Redactor>,
}

impl Credential {
    fn new(
        secret: &SecretString,
        source: &Source,
        base: &BaseUrl,
        http: &reqwest::Client,
    ) -> Result<Arc<Self>, NoToken> {
        let token = secret.expose_secret().trim();
        if token.is_empty() {
            return Err(source.empty());
        }
        token_text::check(token).map_err(|problem| source.invalid(&problem))?;
        let hooks = Hooks::bearer(token).expect("a header can hold visible ASCII");
        let raw = Client::new(base.clone(), http.clone(), hooks);
        Ok(Arc::new(Self { raw, redactor: Redactor::new(token) }))
    }

    /// The raw client, with this token.
    pub(crate) fn raw(&self) -> &Client {
        &self.raw
    }

    /// Returns `text` without the token, in case the service has sent it back.
    pub(crate) fn redact<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let redacted = self.redactor.as_ref().and_then(|redactor| redactor.redact(text));
        redacted.map_or(Cow::Borrowed(text), Cow::Owned)
    }
}

/// The token of a client, and the one way to renew it.
pub(crate) struct Tokens {
    source: Source,
    base: BaseUrl,
    http: reqwest::Client,
    current: Mutex<Option<Arc<Credential>>>,
    /// Held while the source is asked, so that one call asks and the others wait.
    asking: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// Fails if a fixed token can't be sent, or the token file can't be read.
    pub(crate) fn new(
        token: Token,
        base: &BaseUrl,
        http: &reqwest::Client,
    ) -> Result<Self, NoToken> {
        let secret = match &token.0 {
            Source::Fixed(secret) => Some(secret.clone()),
            Source::File(path) => Some(token_file::read(path)?),
            Source::Provider(_) => None,
        };
        let current =
            secret.map(|secret| Credential::new(&secret, &token.0, base, http)).transpose()?;
        Ok(Self {
            source: token.0,
            base: base.clone(),
            http: http.clone(),
            current: Mutex::new(current),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Whether there may be another token than the current one.
    pub(crate) fn renewable(&self) -> bool {
        !matches!(self.source, Source::Fixed(_))
    }

    /// Returns the current token, from the source if there is none yet.
    pub(crate) async fn current(&self) -> Result<Arc<Credential>, NoToken> {
        match self.peek() {
            Some(current) => Ok(current),
            None => self.replace(None).await,
        }
    }

    /// Replaces the token `stale`, unless another call has just done so.
    pub(crate) async fn renew(&self, stale: &Arc<Credential>) -> Result<(), NoToken> {
        self.replace(Some(stale)).await.map(drop)
    }

    async fn replace(&self, stale: Option<&Arc<Credential>>) -> Result<Arc<Credential>, NoToken> {
        let _asking = self.asking.lock().await;
        if let Some(current) = self.peek()
            && stale.is_none_or(|stale| !Arc::ptr_eq(stale, &current))
        {
            return Ok(current);
        }
        let secret = match &self.source {
            Source::Fixed(secret) => secret.clone(),
            Source::File(path) => {
                let path = path.clone();
                let reading = spawn_blocking({
                    let path = path.clone();
                    move || token_file::read(&path)
                });
                // The task is cancelled if the runtime shuts down.
                let cancelled =
                    |error| Err(NoToken::of_file(&path, "can't be read any more").because(error));
                reading.await.unwrap_or_else(cancelled)?
            }
            Source::Provider(provider) => provider().await.map_err(|error| {
                let failed = NoToken::new("the token provider failed".to_owned());
                NoToken { transient: true, ..failed.because(error) }
            })?,
        };
        let fresh = Credential::new(&secret, &self.source, &self.base, &self.http)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// The current token, if there is one yet.
    pub(crate) fn peek(&self) -> Option<Arc<Credential>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
