//! A token in use, and how it is renewed.

use crate::client::ConfigError;
use crate::client::redact::Redactor;
use crate::client::token::{self, Origin, Token};
use crate::untrusted::Untrusted;
use datafy_api::Client;
use datafy_api::base_url::BaseUrl;
use datafy_api::hooks::Hooks;
use secrecy::SecretString;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::spawn_blocking;

/// A valid token, with the raw client and the redactor that use it.
pub(crate) struct Credential {
    raw: Client,
    /// `None` if the token is too short to be a secret.
    redactor: Option<Redactor>,
}

impl Credential {
    fn new(
        secret: &SecretString,
        source: &Origin,
        base: &BaseUrl,
        http: &reqwest::Client,
    ) -> Result<Arc<Self>, ConfigError> {
        let token = source.token(secret)?;
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

    /// A text that came over the network, and so may hold the token.
    pub(crate) fn received(&self, text: &str) -> Untrusted {
        // The token is ASCII, so no character is cut.
        Untrusted::local(String::from_utf8_lossy(&self.redact(text.as_bytes())))
    }
}

/// The token of a client, and the one way to renew it.
pub(crate) struct Tokens {
    source: Origin,
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
    ) -> Result<Self, ConfigError> {
        let secret = match &token.0 {
            Origin::Fixed(secret) => Some(secret.clone()),
            Origin::File(path) => Some(token::read(path)?),
            Origin::Provider(_) => None,
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
        !matches!(self.source, Origin::Fixed(_))
    }

    /// Returns the current token, from the source if there is none yet.
    pub(crate) async fn current(&self) -> Result<Arc<Credential>, ConfigError> {
        match self.peek() {
            Some(current) => Ok(current),
            None => self.replace(None).await,
        }
    }

    /// Replaces the token `stale`, unless another call has just done so.
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
            Origin::Fixed(secret) => secret.clone(),
            Origin::File(path) => {
                let path = path.clone();
                // The task is cancelled if the runtime shuts down.
                let cancelled =
                    |error| Err(ConfigError::new("the token file was not read").because(error));
                spawn_blocking(move || token::read(&path)).await.unwrap_or_else(cancelled)?
            }
            Origin::Provider(provider) => provider().await.map_err(|error| {
                let mut failed = ConfigError::new("the token provider failed").because(error);
                failed.transient = true;
                failed
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
