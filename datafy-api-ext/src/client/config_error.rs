//! Why a client can't be built.

use crate::client::{InvalidSetting, TokenError};
use crate::id::InvalidId;
use datafy_api::base_url::InvalidBaseUrl;

/// Why a client can't be built from its settings. No variant shows the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// An environment variable is needed and not set.
    #[error("the environment variable `{0}` is not set")]
    MissingVariable(&'static str),
    /// An environment variable is set, but to nothing.
    #[error("the environment variable `{0}` is empty")]
    EmptyVariable(&'static str),
    /// An environment variable doesn't hold Unicode.
    #[error("the environment variable `{0}` is not valid Unicode")]
    NotUnicode(&'static str),
    /// An environment variable holds what can't be used.
    #[error("the environment variable `{name}` can't be used: {source}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong with its value.
        source: Box<ConfigError>,
    },
    /// No token was given to the builder.
    #[error("no token is set: call `token` on the builder, or set `DATAFY_TOKEN`")]
    NoToken,
    /// The token can't be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The endpoint is no URL of a service.
    #[error("the endpoint is {0}")]
    Endpoint(#[from] InvalidBaseUrl),
    /// The endpoint would show the token to everyone on the way.
    #[error(
        "the endpoint's host {0} is not this machine, and plain `http` would show it the token unencrypted: use `https`, or call `allow_plain_http` on the builder"
    )]
    PlainHttp(String),
    /// The sub-account id is none.
    #[error(transparent)]
    SubAccount(#[from] InvalidId),
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// The endpoint is `https`, and the crate was built without TLS.
    #[error(
        "the endpoint is https and this build has no TLS; turn on one of the features `rustls`, `rustls-no-provider` and `native-tls`"
    )]
    NoTls,
    /// A root certificate can't be used.
    #[error("the root certificates can't be used: {0}")]
    RootCertificate(String),
    /// The HTTP client can't be set up: mostly a matter of TLS.
    #[error("the HTTP client can't be set up: {0}")]
    Http(String),
}
