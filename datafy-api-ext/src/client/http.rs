//! The HTTP client below a Datafy client.

use crate::client::ConfigError;
use crate::client::Timeouts;
use crate::client::connect::LimitConnect;
use datafy_api::base_url::BaseUrl;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const USER_AGENT: &str = concat!("datafy-api-ext/", env!("CARGO_PKG_VERSION"));

/// How long a connection may lie idle before it is closed. Shorter than what load balancers allow
/// (60 s with AWS), so that a request seldom meets a connection that the other side is closing: nobody can
/// tell what became of such a request.
const IDLE: Duration = Duration::from_secs(20);

/// The reqwest clients of a Datafy client: one for the calls with the client's connect timeout, and one for
/// those that have their own. The latter costs a dozen allocations a request, so it is built when it is first
/// needed.
pub(crate) struct Http {
    settings: Settings,
    connect: Duration,
    clients: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    common: Option<reqwest::Client>,
    with_own_limit: Option<reqwest::Client>,
}

/// What the HTTP clients are built from.
pub(crate) struct Settings {
    pub(crate) base: BaseUrl,
    pub(crate) root_certificates: Vec<Vec<u8>>,
    pub(crate) fresh_connections: bool,
    pub(crate) custom: Option<Custom>,
}

/// The caller's changes of the reqwest settings.
pub(crate) struct Custom(
    pub(crate) Box<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>,
);

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Http {
    pub(crate) fn new(settings: Settings, connect: Duration) -> Result<Self, ConfigError> {
        let http = Self { settings, connect, clients: Mutex::default() };
        http.client(connect)?;
        Ok(http)
    }

    /// The client for a call with this connect timeout, and the timeout if the call has to
    /// [set](crate::client::connect::limited) it by itself.
    pub(crate) fn client(
        &self,
        connect: Duration,
    ) -> Result<(reqwest::Client, Option<Duration>), ConfigError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let own_limit = (connect != self.connect).then_some(connect);
        let client = match own_limit {
            None => &mut clients.common,
            Some(_) => &mut clients.with_own_limit,
        };
        if let Some(client) = client {
            return Ok((client.clone(), own_limit));
        }
        let builder = self.settings.builder()?;
        let builder = match own_limit {
            None => builder.connect_timeout(connect),
            // The limit of the call takes the place of any other.
            Some(_) => builder.connect_timeout(Timeouts::MOST).connector_layer(LimitConnect),
        };
        Ok((client.insert(builder.build().map_err(|error| unusable(&error))?).clone(), own_limit))
    }

    /// Never uses the connections that are open now for another call.
    pub(crate) fn retire(&self) {
        *self.clients.lock().unwrap_or_else(PoisonError::into_inner) = Clients::default();
    }
}

fn unusable(error: &reqwest::Error) -> ConfigError {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    ConfigError::Http(cause.unwrap_or_else(|| error.to_string()))
}

impl Settings {
    /// What the caller may change, what the caller changes, and what the promises rest on: one request a
    /// connection at a time (HTTP/1.1), so that a connection that dies makes one call ambiguous and not all of
    /// them; no redirects and no retries by reqwest: a call is what we send.
    fn builder(&self) -> Result<reqwest::ClientBuilder, ConfigError> {
        let mut builder = reqwest::Client::builder().user_agent(USER_AGENT).pool_idle_timeout(IDLE);
        if self.base.is_loopback() {
            builder = builder.no_proxy();
        }
        builder = self.trust(builder)?;
        if let Some(Custom(custom)) = &self.custom {
            builder = custom(builder);
        }
        if self.fresh_connections {
            builder = builder.pool_max_idle_per_host(0);
        }
        Ok(builder
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // It would log what is written, and with it the token.
            .connection_verbose(false)
            // Nothing goes out that isn't documented, whatever features other crates turn on.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate())
    }

    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    fn trust(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, ConfigError> {
        if self.base.is_loopback() && !self.base.is_https() {
            // TLS is never spoken then, and loading the platform's certificates takes milliseconds.
            return Ok(builder.tls_certs_only([]));
        }
        Ok(builder.tls_certs_merge(certificates(&self.root_certificates)?))
    }

    #[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
    fn trust(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, ConfigError> {
        if self.base.is_https() || !self.root_certificates.is_empty() {
            return Err(ConfigError::NoTls);
        }
        Ok(builder)
    }
}

#[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
fn certificates(pems: &[Vec<u8>]) -> Result<Vec<reqwest::Certificate>, ConfigError> {
    let mut all = Vec::new();
    for pem in pems {
        let certificates = reqwest::Certificate::from_pem_bundle(pem)
            .map_err(|error| ConfigError::RootCertificate(error.to_string()))?;
        if certificates.is_empty() {
            return Err(ConfigError::RootCertificate("there is none in the PEM text".to_owned()));
        }
        all.extend(certificates);
    }
    Ok(all)
}
