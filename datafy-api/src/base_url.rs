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
pub struct BaseUrl {
    text: String,
    url: Url,
}

impl BaseUrl {
    /// Returns the URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Returns the host; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Returns the port; it defaults to that of the scheme.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Returns the host and, unless it is the default of the scheme, the port, as the header `Host` holds them.
    ///
    /// ```
    /// use datafy_api::base_url::BaseUrl;
    ///
    /// for (url, authority) in [
    ///     ("https://api.datafy.io:443/v1", "api.datafy.io"),
    ///     ("http://[::1]:8080", "[::1]:8080"),
    /// ] {
    ///     assert_eq!(url.parse::<BaseUrl>()?.authority(), authority);
    /// }
    /// # Ok::<(), datafy_api::base_url::InvalidBaseUrl>(())
    /// ```
    pub fn authority(&self) -> &str {
        self.url.authority()
    }

    /// Whether requests are encrypted.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the host is this machine: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        // The error doesn't contain the text, which might hold a password.
        let url = Url::parse(text).map_err(|error| InvalidBaseUrl(error.to_string()))?;
        let problem = if !matches!(url.scheme(), "http" | "https") {
            "the scheme is neither `https` nor `http`"
        } else if !url.username().is_empty() || url.password().is_some() {
            "it contains a user name or a password"
        } else if url.query().is_some() || url.fragment().is_some() {
            "it contains a query or a fragment"
        } else if let Some(repeated) = repeated(url.path()) {
            let problem =
                format!("it ends in `{repeated}`, which each request adds; leave that out");
            return Err(InvalidBaseUrl(problem));
        } else {
            let text = url.as_str().trim_end_matches('/').to_owned();
            return Ok(Self { text, url });
        };
        Err(InvalidBaseUrl(problem.to_owned()))
    }
}

/// The end of `path` that is the beginning of the path of an operation, such as `/api/v1`. A single part, such as `/api`,
/// may be the prefix of a gateway.
fn repeated(path: &str) -> Option<&'static str> {
    let path = path.trim_end_matches('/');
    operations::ALL.iter().find_map(|operation| {
        let ends = operation.path.match_indices('/').map(|(end, _)| end).skip(2);
        let mut beginnings = ends.chain([operation.path.len()]).map(|end| &operation.path[..end]);
        beginnings.find(|beginning| path.ends_with(beginning))
    })
}

/// Why a text is not a [`BaseUrl`].
#[derive(Debug)]
pub struct InvalidBaseUrl(String);

impl fmt::Display for InvalidBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a base URL like `https://api.datafy.io`: {}", self.0)
    }
}

impl std::error::Error for InvalidBaseUrl {}
