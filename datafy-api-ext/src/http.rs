//! The HTTP client below a Datafy client.

use crate::config_error::ConfigError;
use crate::connect::LimitConnect;
use crate::timeouts::Timeouts;
use datafy_api::base_url::BaseUrl;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

const USER_AGENT: &str = concat!("datafy-api-ext/", env!("CARGO_PKG_VERSION"));

/// How long a connection may lie idle before it is closed. Shorter than what load balancers allow
/// (60 s with AWS), so that seldom a request meets a connection that the other side is closing: what
/// became of such a request nobody can tell.
const IDLE: Duration = Duration::from_secs(20);

/// A reqwest client for the calls with the client's connect timeout, and one for those that have their
/// own. The latter costs a dozen allocations a request, and is made when it is first needed.
pub(crate) struct Http {
    common: reqwest::Client,
    particular: OnceLock<reqwest::Client>,
    connect: Duration,
    root_certificates: Vec<Vec<u8>>,
    custom: Option<Custom>,
}

/// What the caller has to say of the client.
pub(crate) struct Custom(
    pub(crate) Box<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>,
);

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Http {
    pub(crate) fn new(
        base: &BaseUrl,
        root_certificates: Vec<Vec<u8>>,
        connect: Duration,
        custom: Option<Custom>,
    ) -> Result<Self, ConfigError> {
        let settings = settings(base, &root_certificates, custom.as_ref())?;
        let common = settings.connect_timeout(connect).build();
        let common = common.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            ConfigError::Http(cause.unwrap_or_else(|| error.to_string()))
        })?;
        Ok(Self { common, particular: OnceLock::new(), connect, root_certificates, custom })
    }

    /// The client for most calls.
    pub(crate) fn common(&self) -> &reqwest::Client {
        &self.common
    }

    /// The client for a call with this connect timeout, and the timeout if the call has to bring it
    /// [along](crate::connect::limited).
    pub(crate) fn client(
        &self,
        base: &BaseUrl,
        connect: Duration,
    ) -> (&reqwest::Client, Option<Duration>) {
        if connect == self.connect {
            return (&self.common, None);
        }
        let particular = self.particular.get_or_init(|| {
            let settings = settings(base, &self.root_certificates, self.custom.as_ref()).ok();
            // The limit of the call takes the place of any other.
            let client = settings.and_then(|it| {
                it.connect_timeout(Timeouts::MOST).connector_layer(LimitConnect).build().ok()
            });
            // Settings like these have made a client before.
            client.unwrap_or_else(|| self.common.clone())
        });
        (particular, Some(connect))
    }
}

/// What the caller may change, what the caller says, and what the promises rest on: one request a
/// connection at a time (HTTP/1.1), so that a connection that dies leaves one call in doubt and not all of
/// them; no redirects and no retries of its own: a call is what we send.
#[cfg_attr(
    not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")),
    expect(clippy::unnecessary_wraps, reason = "without TLS there are no certificates to fail")
)]
fn settings(
    base: &BaseUrl,
    root_certificates: &[Vec<u8>],
    custom: Option<&Custom>,
) -> Result<reqwest::ClientBuilder, ConfigError> {
    let mut builder = reqwest::Client::builder().user_agent(USER_AGENT).pool_idle_timeout(IDLE);
    if base.is_loopback() {
        builder = builder.no_proxy();
    }
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    if base.is_loopback() && !base.is_https() {
        // TLS is never spoken then, and loading the platform's certificates takes milliseconds.
        builder = builder.tls_certs_only([]);
    } else {
        builder = builder.tls_certs_merge(certificates(root_certificates)?);
    }
    #[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
    let _ = root_certificates;
    if let Some(Custom(custom)) = custom {
        builder = custom(builder);
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
