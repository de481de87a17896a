//! The HTTP client below a Datafy client.

use super::BoxError;
use crate::client::ConfigError;
use crate::client::Timeouts;
use crate::client::connector::connected;
use crate::client::proxy::Route;
use crate::error::Cause;
use datafy_api::base_url::BaseUrl;
use reqwest::header::{HOST, HeaderMap, HeaderValue};
use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tower::util::MapFutureLayer;

const USER_AGENT: &str = concat!("datafy-api-ext/", env!("CARGO_PKG_VERSION"));

/// How long a connection may be idle before it is closed. Shorter than the limits of servers (2 s at gunicorn, 5 s at
/// Node, Apache and uvicorn): the effect of a request that meets the closing of its connection is unknown.
const IDLE: Duration = Duration::from_secs(1);

/// The reqwest clients of a Datafy client.
pub(crate) struct Http {
    settings: HttpSettings,
    /// The connect timeout of most attempts.
    connect: Duration,
    /// The way to the endpoint.
    pub(crate) route: Route,
    /// The client of most attempts has no key. The others heed the limit of their attempt, for a dozen allocations per
    /// request, and are kept by their connect timeouts, which are those of [`step`].
    clients: Mutex<BTreeMap<Option<Duration>, reqwest::Client>>,
}

/// The settings that the HTTP clients are built from.
pub(crate) struct HttpSettings {
    pub(crate) base: BaseUrl,
    pub(crate) fresh_connections: bool,
    pub(crate) root_certificates: Option<Custom>,
    pub(crate) custom: Option<Custom>,
}

/// A change of the reqwest settings.
pub(crate) type Custom =
    Box<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>;

impl Http {
    pub(crate) fn new(settings: HttpSettings, connect: Duration) -> Result<Self, ConfigError> {
        let builder = settings.builder()?.connect_timeout(connect);
        let configured = has_proxy(&builder);
        let client = built(builder)?;
        let route = match (configured, has_proxy(&client)) {
            (true, _) => Route::Configured,
            (false, true) => Route::from_variables(&settings.base, |name| env::var_os(name))?,
            (false, false) => Route::Direct,
        };
        let clients = Mutex::new(BTreeMap::from([(None, client)]));
        Ok(Self { settings, connect, route, clients })
    }

    /// Returns the client for an attempt with this connect timeout and this limit, which runs in the
    /// [scope](crate::client::connector::Connecting::scope) of the shorter one.
    ///
    /// The client's own timeout serves only if it is shorter than the limit. Otherwise the limit might end the attempt
    /// first, and nothing would prove that there was no connection yet.
    pub(crate) fn client(
        &self,
        connect: Duration,
        limit: Duration,
    ) -> Result<reqwest::Client, ConfigError> {
        let is_common = connect == self.connect && connect < limit;
        let own = (!is_common).then(|| step(connect.min(limit)));
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&own) {
            return Ok(client.clone());
        }
        let builder = self.settings.builder()?.connect_timeout(own.unwrap_or(connect));
        let client = built(match own {
            None => builder,
            Some(_) => builder.connector_layer(MapFutureLayer::new(connected)),
        })?;
        clients.insert(own, client.clone());
        Ok(client)
    }

    /// Stops using the connections that are open now.
    pub(crate) fn retire(&self) {
        if !self.settings.fresh_connections {
            self.clients.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

/// Returns the connect timeout of the HTTP client for attempts with this limit on connecting, which they set themselves.
///
/// hyper divides a client's connect timeout by the number of the host's addresses, to try each. So it must be little
/// longer than the limit: by less than a quarter, the second address has three eighths of the time at least. Steps keep
/// the number of clients small.
fn step(limit: Duration) -> Duration {
    let mut step = Timeouts::LEAST;
    while step < limit {
        step += step / 4;
    }
    step
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ConfigError> {
    builder
        .build()
        .map_err(|error| ConfigError::new("the HTTP client can't be set up").because(cause(error)))
}

/// Whether a reqwest client or its builder has a proxy. A client also has those of the environment variables, unless
/// others are configured or it is to have none. Only `Debug` tells.
fn has_proxy(shown: &impl fmt::Debug) -> bool {
    format!("{shown:?}").contains("proxies: ")
}

/// The causes of an error of reqwest, which itself says only that a builder failed.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(super) fn cause(error: reqwest::Error) -> BoxError {
    match error.source().and_then(Cause::of) {
        Some(cause) => Box::new(cause),
        None => error.to_string().into(),
    }
}

impl HttpSettings {
    /// Applies the defaults, then the caller's changes, then the settings that the safety of retries depends on.
    ///
    /// With HTTP/1.1 a connection carries one request at a time, so a connection that is lost makes one call ambiguous
    /// and not all of them. Without redirects and retries by reqwest, an attempt is exactly one request.
    fn builder(&self) -> Result<reqwest::ClientBuilder, ConfigError> {
        // hyper would otherwise format the value for each request.
        let host =
            HeaderValue::from_str(self.base.url().authority()).expect("a host in a URL is ASCII");
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host);
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .pool_idle_timeout(IDLE);
        if self.base.is_loopback() {
            builder = builder.no_proxy();
        }
        builder = self.trust(builder)?;
        for custom in self.root_certificates.iter().chain(&self.custom) {
            builder = custom(builder);
        }
        if self.fresh_connections {
            builder = builder.pool_max_idle_per_host(0);
        }
        Ok(builder
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            // Otherwise each request would be copied, although none is retried.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .referer(false)
            // It would log the bytes that are written, and with them the token.
            .connection_verbose(false)
            // Other crates may turn on these features of reqwest, which would add an undocumented header.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate())
    }

    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    #[expect(clippy::unnecessary_wraps, reason = "fails without TLS")]
    fn trust(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, ConfigError> {
        if self.base.is_loopback() && !self.base.is_https() {
            // TLS is not used, and loading the platform's certificates takes milliseconds.
            return Ok(builder.tls_certs_only([]));
        }
        Ok(builder)
    }

    #[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
    fn trust(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, ConfigError> {
        if self.base.is_https() {
            return Err(ConfigError::new(
                "the endpoint is https and this build has no TLS; turn on one of the features `rustls`, \
                 `rustls-no-provider` and `native-tls`",
            ));
        }
        Ok(builder)
    }
}
