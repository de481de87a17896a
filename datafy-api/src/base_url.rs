//! The base URL of the service.

use crate::operations;
use reqwest::Url;
use std::fmt;
use std::net::IpAddr;

/// The URL that the paths of the operations are appended to.
///
/// It consists of `http` or `https`, a host, optionally a port, and optionally a path. A slash at the end is removed. The
/// path must not end as those of the operations begin: with `/api/v1`.
///
/// ```
/// use datafy_api::base_url::BaseUrl;
///
/// let url: BaseUrl = "https://api.datafy.io/".parse()?;
/// assert_eq!(url.as_str(), "https://api.datafy.io");
/// assert!("api.datafy.io".parse::<BaseUrl>().is_err());
/// # Ok::<(), datafy_api::base_url::InvalidBaseUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Returns the text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Returns the parsed URL, which has a host.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether requests are encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether the host is this machine: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        // The error doesn't contain the text, which might hold a password.
        let url = Url::parse(text.trim_end_matches('/'));
        let url = url.map_err(|error| InvalidBaseUrl(error.to_string()))?;
        let problem = if !matches!(url.scheme(), "http" | "https") {
            "the scheme is neither `https` nor `http`".to_owned()
        } else if !url.username().is_empty() || url.password().is_some() {
            "it contains a user name or a password".to_owned()
        } else if url.query().is_some() || url.fragment().is_some() {
            "it contains a query or a fragment".to_owned()
        } else if let Some(repeated) = repeated(url.path()) {
            format!("it ends in `{repeated}`, which each request adds; leave that out")
        } else {
            return Ok(Self(url));
        };
        Err(InvalidBaseUrl(problem))
    }
}

/// The end of `path` that is the beginning of the path of an operation, such as `/api/v1`. A single part, such as `/api`,
/// may be the prefix of a gateway.
fn repeated(path: &str) -> Option<&'static str> {
    operations::ALL.iter().find_map(|operation| {
        let ends = operation.path.match_indices('/').map(|(end, _)| end).skip(2);
        let mut beginnings = ends.chain([operation.path.len()]).map(|end| &operation.path[..end]);
        beginnings.find(|beginning| path.ends_with(beginning))
    })
}

/// Why a text is not a [`BaseUrl`].
#[derive(Debug, thiserror::Error)]
#[error("not a base URL like `https://api.datafy.io`: {0}")]
pub struct InvalidBaseUrl(String);
