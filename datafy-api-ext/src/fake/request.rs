//! A request as the fake received it, and what became of it.

use super::fault::Fault;
use super::reply::Reply;
use crate::id::VolumeId;
use crate::one_line::OneLine;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::fmt;

/// A request that the fake has read, and what became of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method, in capitals.
    pub method: String,
    /// The path and the query, if any. The whole URL if the request came through a proxy.
    pub target: String,
    /// All headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without the framing of a chunked transfer.
    pub body: Vec<u8>,
    /// The number of the connection that it came on, from 1.
    pub connection: usize,
    /// The operation that it is for, as [`datafy_api::operations`] names it, if any.
    pub operation: Option<&'static str>,
    /// Whether it had its effect.
    pub applied: bool,
    /// The volume of the request, or the volume that was created.
    pub volume: Option<VolumeId>,
    /// The fault, if any.
    pub fault: Option<Fault>,
    /// The reply, unless the fault keeps the fake from making one.
    pub reply: Option<Reply>,
}

impl RecordedRequest {
    /// Reads the request. Fails if the client doesn't send all of it.
    pub(super) async fn read(
        request: hyper::Request<Incoming>,
        connection: usize,
    ) -> hyper::Result<Self> {
        let (head, body) = request.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Ok(Self {
            method: head.method.to_string(),
            target: head.uri.to_string(),
            headers: headers.collect(),
            body: body.collect().await?.to_bytes().into(),
            connection,
            operation: None,
            applied: false,
            volume: None,
            fault: None,
            reply: None,
        })
    }

    /// The value of the first header with this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The value of the first query parameter with this name, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let url = reqwest::Url::parse(&format!("http://fake/?{query}")).ok()?;
        url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }
}

/// The method, the target, the body, the reply and the fault, on one line, for logs. Each text is cut at 300 characters.
impl fmt::Display for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, OneLine(&self.target))?;
        if !self.body.is_empty() {
            write!(f, " {}", OneLine(&String::from_utf8_lossy(&self.body)))?;
        }
        match &self.reply {
            Some(reply) => write!(f, " -> {reply}")?,
            None => f.write_str(" -> no answer")?,
        }
        match &self.fault {
            Some(fault) => write!(f, ", with the fault {}", OneLine(&format!("{fault:?}"))),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, value)| {
            (name, if name == "authorization" { "[redacted]" } else { value.as_str() })
        });
        write!(f, "{self} ")?;
        f.debug_map().entries(headers).finish()
    }
}
