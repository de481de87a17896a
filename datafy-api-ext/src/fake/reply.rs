//! What the fake replies to a request.

use crate::id::VolumeId;
use crate::one_line::OneLine;
use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{StatusCode, http};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// What the fake replies to a request.
///
/// It can be read from a file with serde: an object with the `status`, and optionally `headers` and a `body`. A body
/// that is a string is sent as it is, any other as JSON; its media type is that of JSON unless a header says otherwise.
/// Without a body, the reply is that of [`Reply::status`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Scripted")]
pub struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

impl Reply {
    /// A reply in JSON. Panics unless the status is from 100 to 999.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::of("application/json", status, body.to_string())
    }

    /// A page for a browser, as the sign-in page of a network, or of a gateway whose backend failed.
    pub fn html(status: u16) -> Self {
        Self::of("text/html; charset=utf-8", status, PAGE)
    }

    /// A reply in JSON with a message that names the status.
    pub fn status(status: u16) -> Self {
        Self::json(status, &json!({ "message": format!("scripted {status}"), "fake": true }))
    }

    fn of(content_type: &'static str, status: u16, body: impl Into<Bytes>) -> Self {
        let status = StatusCode::from_u16(status).expect("a status from 100 to 999");
        let content_type = (CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers: vec![content_type], body: body.into() }
    }

    /// Sets a header.
    ///
    /// # Panics
    /// If the name or the value can't be sent.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.try_header(name, value).expect("a valid header")
    }

    fn try_header(mut self, name: &str, value: &str) -> http::Result<Self> {
        let header = (HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        self.headers.retain(|(own, _)| *own != header.0);
        self.headers.push(header);
        Ok(self)
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into().into();
        self
    }

    /// Names this volume in a reply that is a JSON object.
    pub(super) fn naming(mut self, volume: &VolumeId) -> Self {
        if let Ok(Value::Object(mut object)) = serde_json::from_slice(&self.body) {
            object.insert("volumeId".to_owned(), json!(volume.as_str()));
            self.body = Value::Object(object).to_string().into();
        }
        self
    }

    /// The status line and the headers, with `framing` among them.
    pub(super) fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Fake\r\n{framing}\r\n", self.status.as_u16());
        for (name, value) in &self.headers {
            head.extend([name.as_str(), ": ", &String::from_utf8_lossy(value.as_bytes()), "\r\n"]);
        }
        (head + "\r\n").into_bytes()
    }
}

const PAGE: &str = "<!DOCTYPE html>\n<html><body><h1>Sign in, or try later</h1></body></html>\n";

/// The status and the body, on one line, for logs. The body is cut at 300 characters.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), OneLine(&String::from_utf8_lossy(&self.body)))
    }
}

/// A reply in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripted {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

impl TryFrom<Scripted> for Reply {
    type Error = String;

    fn try_from(Scripted { status, headers, body }: Scripted) -> Result<Self, String> {
        if !(100..600).contains(&status) {
            return Err(format!("{status} is not a status; it must be from 100 to 599"));
        }
        let reply = match body {
            None => Self::status(status),
            Some(Value::String(text)) => Self::status(status).body(text),
            Some(json) => Self::json(status, &json),
        };
        headers.iter().try_fold(reply, |reply, (name, value)| {
            reply.try_header(name, value).map_err(|error| format!("the header {name}: {error}"))
        })
    }
}
