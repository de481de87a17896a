//! Why a client can't be built.

use crate::client::token::NoToken;
use crate::id::InvalidId;
use crate::with_cause::with_cause;
use datafy_api::base_url::InvalidBaseUrl;
use std::error::Error;
use std::fmt;

/// Why a client can't be built from its settings. No variant shows the token.
///
/// `{error}` is one line that says what is wrong; `{error:#}` adds the causes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A required environment variable is not set.
    #[error("the environment variable `{0}` is not set; set it or use `Datafy::builder`")]
    MissingVariable(&'static str),
    /// An environment variable is set, but empty.
    #[error("the environment variable `{0}` is empty; give it a value or unset it")]
    EmptyVariable(&'static str),
    /// The value of an environment variable is not valid Unicode.
    #[error("the environment variable `{0}` is not valid Unicode; correct its value")]
    NotUnicode(&'static str),
    /// The value of an environment variable is not a valid setting.
    #[error(fmt = variable)]
    Variable {
        /// The name of the variable.
        name: &'static str,
        /// The reason.
        source: Box<ConfigError>,
    },
    /// No token was given to the builder.
    #[error("no token is set; call `token` on the builder, or use `from_env` with `DATAFY_TOKEN`")]
    NoToken,
    /// The token can't be used.
    #[error(fmt = token)]
    Token {
        /// What is wrong, and what to do.
        problem: String,
        /// The reason, if there is a further one.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The endpoint is not a valid base URL.
    #[error(fmt = endpoint)]
    Endpoint(#[from] InvalidBaseUrl),
    /// The endpoint is plain `http` to another machine, which would reveal the token.
    #[error(
        "plain `http` to {0}, which is not this machine, would send the token unencrypted; use `https`, or call `allow_plain_http` on the builder"
    )]
    PlainHttp(String),
    /// The sub-account ID is not valid.
    #[error(transparent)]
    SubAccount(#[from] InvalidId),
    /// A setting is out of range, or can't be used. The text names it.
    #[error("{0}")]
    Setting(String),
    /// The endpoint is `https`, and the crate was built without TLS.
    #[error(
        "the endpoint is https and this build has no TLS; turn on one of the features `rustls`, `rustls-no-provider` and `native-tls`"
    )]
    NoTls,
    /// A root certificate can't be used.
    #[error(fmt = root_certificate)]
    RootCertificate {
        /// The certificate, such as `certificate 2 of /etc/ssl/company.pem`.
        which: String,
        /// The reason.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The text doesn't name a proxy that the client can use.
    #[error("{0}; give a URL like `http://proxy.example:3128`, or none")]
    Proxy(String),
    /// The HTTP client can't be set up, usually because of its TLS settings.
    #[error(fmt = http)]
    Http(#[source] Box<dyn Error + Send + Sync>),
}

impl From<NoToken> for ConfigError {
    fn from(NoToken { problem, source, .. }: NoToken) -> Self {
        Self::Token { problem, source }
    }
}

#[expect(clippy::ref_option, reason = "thiserror passes the fields by reference")]
fn token(
    problem: &str,
    source: &Option<super::BoxError>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match source {
        Some(source) => with_cause(problem, source, f),
        None => f.write_str(problem),
    }
}

fn variable(name: &str, source: &ConfigError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    with_cause(format_args!("the environment variable `{name}` can't be used"), source, f)
}

fn endpoint(source: &InvalidBaseUrl, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    with_cause("the endpoint is not valid", source, f)
}

fn root_certificate(
    which: &str,
    source: &impl fmt::Display,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    with_cause(format_args!("the root certificates can't be used: {which}"), source, f)
}

fn http(source: &impl fmt::Display, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    with_cause("the HTTP client can't be set up", source, f)
}
