//! Builds a client.

use crate::abandoned::{Abandoned, OnAbandoned};
use crate::client::ConfigError;
use crate::client::budget::Budget;
use crate::client::clock::SystemClock;
use crate::client::credential::Tokens;
use crate::client::detached_calls::DetachedCalls;
use crate::client::http::{Custom, Http, HttpSettings};
use crate::client::options::{Options, option_methods};
use crate::client::token::{self, Token};
use crate::client::{Clock, Datafy, Inner, within};
use crate::id::SubAccountId;
use datafy_api::base_url::{BaseUrl, InvalidBaseUrl};
use std::env;
use std::ffi::OsString;
use std::fmt;
#[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The default number of requests in flight.
const DEFAULT_IN_FLIGHT: usize = 256;

/// The default retry budget, in retries.
const DEFAULT_BUDGET: u32 = 100;

/// Sets up a [`Datafy`] client.
///
/// ```
/// use datafy_api_ext::{Datafy, RetryPolicy, SubAccountId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let datafy = Datafy::builder()
///     .token("a-token")
///     .sub_account(SubAccountId::new("1536356a-b26f-4feb-8cd5-56b54b6c51d2")?)
///     .retry(RetryPolicy::none())
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[must_use]
pub struct DatafyBuilder {
    token: Option<Token>,
    endpoint: Option<Result<BaseUrl, InvalidBaseUrl>>,
    allow_plain_http: bool,
    options: Options,
    retry_budget: Option<u32>,
    max_in_flight: Option<usize>,
    reuse_connections: bool,
    root_certificates: Option<Result<Custom, ConfigError>>,
    reqwest: Option<Custom>,
    clock: Option<Box<dyn Clock>>,
    on_abandoned: Option<OnAbandoned>,
}

impl DatafyBuilder {
    /// Reads `DATAFY_TOKEN` or `DATAFY_TOKEN_FILE`, `DATAFY_ENDPOINT` and `DATAFY_SUB_ACCOUNT_ID`:
    /// [the guide](crate::guide::environment) says what they mean.
    ///
    /// Fails if one of them is empty or can't be used: an empty token usually is a secret that was not found. None is
    /// required here; methods of the builder replace what they set.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var_os(name))
    }

    /// As [`from_env`](Self::from_env), with the values that `look_up` returns for the names of the variables.
    ///
    /// A program with options that override variables returns `None` for those that are overridden: then their values
    /// don't matter, even if they can't be used.
    pub fn from_variables(look_up: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let variable = |name: &'static str| match look_up(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(text)) if text.trim().is_empty() => {
                let problem = format!("the environment variable `{name}` is empty");
                Err(ConfigError::new(problem + "; give it a value or unset it"))
            }
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(ConfigError::of_variable(name, "it is not valid Unicode")),
        };
        let mut builder = Self::default();
        if let Some(token) = variable("DATAFY_TOKEN")? {
            token::check(token.trim()).map_err(|problem| {
                ConfigError::of_variable("DATAFY_TOKEN", format!("the token {problem}"))
            })?;
            builder = builder.token(token);
        } else if let Some(path) = variable("DATAFY_TOKEN_FILE")? {
            builder = builder.token(Token::file(path));
        }
        if let Some(url) = variable("DATAFY_ENDPOINT")? {
            let url = url.parse().map_err(ConfigError::from);
            let url = url.map_err(|error| ConfigError::of_variable("DATAFY_ENDPOINT", error))?;
            builder.endpoint = Some(Ok(url));
        }
        if let Some(id) = variable("DATAFY_SUB_ACCOUNT_ID")? {
            let id = SubAccountId::new(id);
            let id =
                id.map_err(|error| ConfigError::of_variable("DATAFY_SUB_ACCOUNT_ID", error))?;
            builder = builder.sub_account(id);
        }
        Ok(builder)
    }

    /// Sets the token: a fixed text, or any other [`Token`].
    pub fn token(mut self, token: impl Into<Token>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Sets the URL of the service, or of a gateway, which may have a path. Defaults to `https://api.datafy.io`. The client
    /// adds `/api/v1`.
    pub fn endpoint(mut self, url: impl AsRef<str>) -> Self {
        self.endpoint = Some(url.as_ref().parse());
        self
    }

    /// Allows `http` for a host that is not this machine. Everyone between can then read the token.
    pub fn allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    option_methods!();

    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    /// Sets the retry budget that all calls of the client share: up to 10,000 retries. Defaults to 100.
    ///
    /// Ten successful calls put one retry back. While the service is down, the budget soon is empty, and retries no
    /// longer add to its load.
    #[doc(alias("circuit breaker"))]
    pub fn retry_budget(mut self, retries: u32) -> Self {
        self.retry_budget = Some(retries);
        self
    }

    /// Sets how many requests the client and its clones have in flight at a time: 1 to 10,000. Defaults to 256.
    ///
    /// Each request takes a connection. Further calls wait for a free slot, within their operation timeout.
    #[doc(alias("concurrency", "limit"))]
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = Some(requests);
        self
    }

    /// Whether to open a new connection for each attempt. Defaults to `true`.
    ///
    /// A new connection costs 1.9 times the CPU time of a reused one (4.9 times over TLS, half a millisecond), one or two
    /// round trips, and a local port until a minute after it is closed: for more than about 400 calls per second, use
    /// `false`. Then an idle connection is kept for 1 s, less than the default of every common server.
    ///
    /// Reusing is less safe: the service may close the connection while the next request is in flight, so that the call
    /// ends [`Unknown`](crate::Outcome::Unknown). Measured with common servers and gateways: when one of them reloads, up to
    /// 60 of 64 calls in flight do; in a burst behind Apache, which sheds idle connections, one in a thousand. Of 200,000
    /// calls on new connections, none did. A late answer to the previous request is noticed if it names another volume or
    /// is not JSON, or arrives between two calls; the connection is then discarded.
    #[doc(alias("keep-alive", "pool"))]
    pub fn fresh_connections(mut self, fresh: bool) -> Self {
        self.reuse_connections = !fresh;
        self
    }

    /// Trusts the certificate authorities in the file, in addition to those of the platform.
    ///
    /// The file holds one or more certificates in PEM format, and is read immediately. [`build`](Self::build) fails if one
    /// of them can't be used, also if the endpoint is plain `http`, and names it. A later call replaces an earlier one.
    ///
    /// # Panics
    /// As [`build`](Self::build).
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    #[doc(alias("ca", "tls"))]
    pub fn root_certificates_file(mut self, path: impl AsRef<Path>) -> Self {
        self.root_certificates = Some(super::root_certificates::read(path.as_ref()));
        self
    }

    /// Changes the settings of the HTTP client, for example to add a proxy, a resolver or a client certificate.
    ///
    /// The settings that the safety of retries depends on are applied after `configure`: no redirects, no retries by
    /// `reqwest`, HTTP/1.1, the connect timeout. A TLS configuration of yours must not offer `h2`. `configure` is
    /// called more than once, and must make the same changes each time. A timeout of `reqwest` that it sets ends an attempt
    /// in addition to those of [`timeouts`](Self::timeouts); the error says so.
    ///
    /// `HTTPS_PROXY` and the other variables of proxies are ignored if `configure` sets a proxy or `no_proxy`.
    ///
    /// `reqwest` is exported as `datafy_api_ext::datafy_api::reqwest`. It is part of the public API only here and in
    /// `datafy_api`: a new major version of it is a new major version of these crates. [The guide](crate::guide::network)
    /// has an example.
    #[doc(alias("proxy", "user-agent"))]
    pub fn configure_reqwest(
        mut self,
        configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.reqwest = Some(Box::new(configure));
        self
    }

    /// Sets the source of time, for tests. Defaults to the clock of the system.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// Reports each call whose future was dropped after a request was begun, for example by a timeout or `select!`.
    ///
    /// Such a call may have had an effect, and nobody else receives its result. `function`, such as
    /// `|call| eprintln!("{call}")`, is called while a future is dropped or polled: it must neither block nor panic. The
    /// same facts are a `WARN` event of `tracing`. A process that ends without dropping the future, as after `kill -9`,
    /// reports nothing: a [journal](crate::journal) does.
    #[doc(alias("cancel"))]
    pub fn on_abandoned(mut self, function: impl Fn(&Abandoned) + Send + Sync + 'static) -> Self {
        self.on_abandoned = Some(Box::new(function));
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// Fails if a setting is missing, invalid or out of range, if a file can't be read, or if an environment variable
    /// that would be used names no proxy.
    ///
    /// # Panics
    /// With the feature `rustls-no-provider`, if the program has installed no crypto provider.
    pub fn build(self) -> Result<Datafy, ConfigError> {
        let base = self.endpoint.unwrap_or_else(|| datafy_api::SERVER_URL.parse())?;
        if !base.is_https() && !base.is_loopback() && !self.allow_plain_http {
            let host = base.url().host_str().unwrap_or_default();
            let problem = format!("plain `http` to {host} would send the token unencrypted");
            return Err(ConfigError::new(problem + "; use `https`"));
        }
        let problem = "there is no token; set `DATAFY_TOKEN` and use `from_env`, or call `token` on the builder";
        let token = self.token.ok_or_else(|| ConfigError::new(problem))?;
        let budget = self.retry_budget.unwrap_or(DEFAULT_BUDGET);
        within("retry budget", &budget, 0..=10_000).map_err(ConfigError::new)?;
        let in_flight = self.max_in_flight.unwrap_or(DEFAULT_IN_FLIGHT);
        within("max in flight", &in_flight, 1..=10_000).map_err(ConfigError::new)?;
        self.options.check().map_err(ConfigError::new)?;
        let connect = self.options.timeouts.connect;
        let settings = HttpSettings {
            base: base.clone(),
            fresh_connections: !self.reuse_connections,
            root_certificates: self.root_certificates.transpose()?,
            custom: self.reqwest,
        };
        let http = Http::new(settings, connect)?;
        Ok(Datafy::new(Inner {
            tokens: Tokens::new(token, &base, &http.client(connect, Duration::MAX)?)?,
            http,
            base,
            options: Arc::new(self.options),
            budget: Budget::new(budget),
            in_flight,
            slots: Semaphore::new(in_flight),
            clock: self.clock.unwrap_or_else(|| Box::new(SystemClock)),
            on_abandoned: self.on_abandoned,
            detached: DetachedCalls::default(),
        }))
    }
}

/// Shows an endpoint only if it is valid: otherwise it may contain a password.
impl fmt::Debug for DatafyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoint.as_ref().and_then(|url| url.as_ref().ok());
        f.debug_struct("DatafyBuilder")
            .field("token", &self.token)
            .field("endpoint", &endpoint.map(BaseUrl::as_str))
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::DatafyBuilder;
    use crate::{ConfigError, Datafy};
    use std::ffi::OsString;

    fn from(variables: &[(&str, &str)]) -> Result<Datafy, ConfigError> {
        DatafyBuilder::from_variables(|name| {
            variables.iter().find(|(own, _)| *own == name).map(|(_, value)| OsString::from(value))
        })?
        .build()
    }

    #[test]
    fn a_client_is_built_from_the_variables_and_one_that_is_missing_or_unusable_is_named() {
        let table: &[(&[(&str, &str)], &str)] = &[
            (&[], "there is no token; set `DATAFY_TOKEN`"),
            (&[("DATAFY_TOKEN", "")], "`DATAFY_TOKEN` is empty"),
            (&[("DATAFY_TOKEN", "\n")], "`DATAFY_TOKEN` is empty"),
            (&[("DATAFY_TOKEN", "Bearer t")], "`DATAFY_TOKEN` can't be used: the token begins"),
            (&[("DATAFY_TOKEN_FILE", "")], "`DATAFY_TOKEN_FILE` is empty"),
            (&[("DATAFY_TOKEN_FILE", "/nowhere/token")], "token file /nowhere/token"),
            (&[("DATAFY_TOKEN", "t"), ("DATAFY_ENDPOINT", "")], "`DATAFY_ENDPOINT` is empty"),
            (
                &[("DATAFY_TOKEN", "t"), ("DATAFY_ENDPOINT", "x")],
                "`DATAFY_ENDPOINT` can't be used: the endpoint is not valid: not a base URL",
            ),
            (
                &[("DATAFY_TOKEN", "t"), ("DATAFY_SUB_ACCOUNT_ID", "a/b")],
                "`DATAFY_SUB_ACCOUNT_ID` can't be used: \"a/b\" is not a sub-account ID",
            ),
        ];
        for (variables, expected) in table {
            let error = format!("{:#}", from(variables).expect_err(expected));
            assert!(error.contains(expected), "{error}");
        }
        let datafy = from(&[
            ("DATAFY_TOKEN", "t\n"),
            ("DATAFY_ENDPOINT", "http://127.0.0.1:1/base/"),
            ("DATAFY_SUB_ACCOUNT_ID", "sub-1"),
        ]);
        let datafy = datafy.expect("valid settings");
        assert_eq!(datafy.endpoint(), "http://127.0.0.1:1/base");
        assert_eq!(datafy.sub_account().map(AsRef::as_ref), Some("sub-1"));
        let datafy = from(&[("DATAFY_TOKEN", "t")]).expect("valid settings");
        assert_eq!(datafy.endpoint(), "https://api.datafy.io");
    }
}
