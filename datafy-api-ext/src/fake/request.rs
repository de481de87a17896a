//! A request as the fake received it.

use crate::one_line::OneLine;
use std::fmt;

/// A request that the fake has read.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    pub(super) method: String,
    pub(super) target: String,
    /// The version is HTTP/1.`minor_version`.
    pub(super) minor_version: u8,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl RecordedRequest {
    /// The method, in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path and the query, if any. The whole URL if the request came through a proxy.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// All headers in the order in which they were sent, with names in lower case.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The value of the first header with this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// The body, without the framing of a chunked transfer.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The value of the first query parameter with this name, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let url = reqwest::Url::parse(&format!("http://fake/?{query}")).ok()?;
        url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }

    /// The values of all headers with this name.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The members of a header whose value is a comma-separated list. It may be sent in several lines.
    pub(super) fn members(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name).flat_map(|value| value.split(',')).map(str::trim)
    }

    /// Whether the client may send another request on the same connection.
    pub(super) fn keeps_alive(&self) -> bool {
        let close = self.members("connection").any(|option| option.eq_ignore_ascii_case("close"));
        self.minor_version > 0 && !close
    }
}

/// The method, the target and the body, on one line, for logs. Each is cut at 300 characters.
impl fmt::Display for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, OneLine(&self.target))?;
        if self.body.is_empty() {
            return Ok(());
        }
        write!(f, " {}", OneLine(&String::from_utf8_lossy(&self.body)))
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, value)| {
            (name, if name == "authorization" { "[redacted]" } else { value.as_str() })
        });
        write!(f, "{} {} ", self.method, self.target)?;
        f.debug_map().entries(headers).finish()?;
        write!(f, " {}", String::from_utf8_lossy(&self.body))
    }
}
