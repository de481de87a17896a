//! The bearer token: where it comes from, and how it is renewed.

use crate::client::ConfigError;
use datafy_api::Client;
use datafy_api::base_url::BaseUrl;
use datafy_api::hooks::Hooks;
use memchr::memchr;
use memchr::memmem::Finder;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a client takes its token from.
///
/// A token that the service refuses with 401 is renewed once a call, unless it is a fixed one, and
/// the request is sent once more. However many calls are refused at a time, one renews, and the others
/// take what it got; if it got none, the next one asks.
///
/// No form of it is ever shown: not in `Debug`, not in an error, not in a trace. An answer that holds it,
/// if it has 8 bytes or more, comes with `[token]` in its place.
pub struct Token(Source);

enum Source {
    Fixed(SecretString),
    File(PathBuf),
    Provider(Provider),
}

type Fetch =
    Pin<Box<dyn Future<Output = Result<SecretString, Box<dyn StdError + Send + Sync>>> + Send>>;
type Provider = Box<dyn Fn() -> Fetch + Send + Sync>;

impl Token {
    /// A token that stays the same.
    pub fn fixed(token: impl Into<SecretString>) -> Self {
        Self(Source::Fixed(token.into()))
    }

    /// The content of a file, without the white space around it. The file is read again when the
    /// service refuses the token.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// What `provider` gives. It is asked before the first request, and again when the service
    /// refuses the token.
    ///
    /// ```
    /// use datafy_api_ext::Token;
    ///
    /// async fn from_vault() -> Result<String, std::io::Error> {
    ///     Ok("a token".to_owned())
    /// }
    /// let token = Token::provider(from_vault);
    /// ```
    pub fn provider<F, Fut, T, E>(provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<SecretString>,
        E: Into<Box<dyn StdError + Send + Sync>>,
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

/// The shortest token that is looked for in answers, in bytes. A shorter one can't be a secret, and a test's
/// `t` stands in every other word.
const SHORTEST_SECRET: usize = 8;

/// What stands in place of a token that the service has sent back.
const BLOT: &str = "[token]";

/// A token ready to be sent.
pub(crate) struct Credential {
    secret: SecretString,
    /// Looks for the token in answers. Making it anew for each would cost more than the search. None if the
    /// token is no secret.
    finder: Option<Finder<'static>>,
    raw: Client,
}

impl Credential {
    fn new(
        secret: SecretString,
        base: &str,
        http: &reqwest::Client,
    ) -> Result<Arc<Self>, ConfigError> {
        if secret.expose_secret().is_empty() {
            return Err(ConfigError::EmptyToken);
        }
        let hooks =
            Hooks::bearer(secret.expose_secret()).map_err(|_| ConfigError::UnsendableToken)?;
        let text = secret.expose_secret();
        let finder = (text.len() >= SHORTEST_SECRET).then(|| Finder::new(text).into_owned());
        let raw = Client::new_with_client(base, http.clone(), hooks);
        Ok(Arc::new(Self { secret, finder, raw }))
    }

    /// The raw client, with this token.
    pub(crate) fn raw(&self) -> &Client {
        &self.raw
    }

    /// `text` without the token, should the service have sent it back.
    pub(crate) fn redact(&self, text: String) -> String {
        let found = self.finder.as_ref().is_some_and(|it| it.find(text.as_bytes()).is_some());
        if found { text.replace(self.secret.expose_secret(), BLOT) } else { text }
    }

    /// `body` without the token, also where JSON spells it with escapes; none if it isn't in there.
    pub(crate) fn redact_body(&self, body: &[u8]) -> Option<Vec<u8>> {
        let finder = self.finder.as_ref()?;
        let escaped = memchr(b'\\', body).is_some();
        if !escaped && finder.find(body).is_none() {
            return None;
        }
        let (mut redacted, mut rest) = (Vec::new(), body);
        while let Some(at) = finder.find(rest) {
            redacted.extend_from_slice(&rest[..at]);
            redacted.extend_from_slice(BLOT.as_bytes());
            rest = &rest[at + finder.needle().len()..];
        }
        redacted.extend_from_slice(rest);
        if escaped
            && let Ok(mut value) = serde_json::from_slice(&redacted)
            && self.redact_value(&mut value)
        {
            return Some(value.to_string().into_bytes());
        }
        Some(redacted)
    }

    fn redact_value(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let redacted = self.redact(std::mem::take(text));
                let found = redacted.contains(BLOT);
                *text = redacted;
                found
            }
            Value::Array(items) => self.redact_values(items.iter_mut()),
            Value::Object(members) => self.redact_values(members.values_mut()),
            _ => false,
        }
    }

    /// Whether it is in any of them; each is looked at.
    fn redact_values<'v>(&self, values: impl Iterator<Item = &'v mut Value>) -> bool {
        values.fold(false, |found, value| self.redact_value(value) | found)
    }
}

/// The token of a client, and the one way to renew it.
pub(crate) struct Tokens {
    source: Source,
    base: String,
    http: reqwest::Client,
    current: Mutex<Option<Arc<Credential>>>,
    /// Held while the source is asked, so that one call asks and the others wait.
    asking: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// Checks what can be checked now: a fixed token, and that the file can be read.
    pub(crate) fn new(
        token: Token,
        base: &BaseUrl,
        http: &reqwest::Client,
    ) -> Result<Self, ConfigError> {
        let secret = match &token.0 {
            Source::Fixed(secret) => Some(secret.clone()),
            Source::File(path) => Some(from_file(path, std::fs::read_to_string(path))?),
            Source::Provider(_) => None,
        };
        let base = base.as_str();
        let current = secret.map(|secret| Credential::new(secret, base, http)).transpose()?;
        Ok(Self {
            source: token.0,
            base: base.to_owned(),
            http: http.clone(),
            current: Mutex::new(current),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Whether there may be another token than the current one.
    pub(crate) fn renewable(&self) -> bool {
        !matches!(self.source, Source::Fixed(_))
    }

    /// The current token; the source is asked if there is none yet.
    pub(crate) async fn current(&self) -> Result<Arc<Credential>, ConfigError> {
        match self.peek() {
            Some(current) => Ok(current),
            None => self.replace(None).await,
        }
    }

    /// Another token than `stale`, from the source unless another call has just asked it.
    pub(crate) async fn renew(&self, stale: &Arc<Credential>) -> Result<(), ConfigError> {
        self.replace(Some(stale)).await.map(drop)
    }

    async fn replace(
        &self,
        stale: Option<&Arc<Credential>>,
    ) -> Result<Arc<Credential>, ConfigError> {
        let _asking = self.asking.lock().await;
        if let Some(current) = self.peek()
            && stale.is_none_or(|stale| !Arc::ptr_eq(stale, &current))
        {
            return Ok(current);
        }
        let secret = match &self.source {
            Source::Fixed(secret) => secret.clone(),
            Source::File(path) => from_file(path, tokio::fs::read_to_string(path).await)?,
            Source::Provider(provider) => {
                provider().await.map_err(|error| ConfigError::TokenProvider(error.to_string()))?
            }
        };
        let fresh = Credential::new(secret, &self.base, &self.http)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// The current token, if there is one yet.
    pub(crate) fn peek(&self) -> Option<Arc<Credential>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn from_file(path: &Path, text: std::io::Result<String>) -> Result<SecretString, ConfigError> {
    match text {
        Ok(text) => Ok(text.trim().into()),
        Err(source) => Err(ConfigError::TokenFile { path: path.to_owned(), source }),
    }
}
