//! An answer of the fake.

use crate::id::VolumeId;
use crate::one_line::OneLine;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// An answer of the fake.
///
/// It can be read from a file with serde: an object with the `status`, and optionally `headers` and a `body`. A body
/// that is a string is sent as it is, any other as JSON; its media type is that of JSON unless a header says otherwise.
/// Without a body, the answer is that of [`Answer::status`].
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Scripted")]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes() }
            .header("content-type", "application/json")
    }

    /// A page for a browser.
    pub(super) fn html(status: u16, page: &str) -> Self {
        Self { status, headers: Vec::new(), body: page.into() }
            .header("content-type", "text/html; charset=utf-8")
    }

    /// A JSON answer with a message that names the status.
    pub fn status(status: u16) -> Self {
        Self::json(status, &json!({ "message": format!("scripted {status}"), "fake": true }))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Names this volume in an answer that is a JSON object.
    pub(super) fn naming(mut self, volume: &VolumeId) -> Self {
        if let Ok(Value::Object(mut object)) = serde_json::from_slice(&self.body) {
            object.insert("volumeId".to_owned(), json!(volume.as_str()));
            self.body = Value::Object(object).to_string().into_bytes();
        }
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The status line and the headers as sent; `extra` are those that depend on the connection.
    pub(super) fn head(&self, extra: &[(&str, &str)]) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Fake\r\n", self.status);
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(extra.iter().copied()) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Whether an answer with this status can have a body (RFC 9110, section 6.4.1).
    pub(super) fn can_have_body(&self) -> bool {
        !matches!(self.status, 100..=199 | 204 | 304)
    }
}

/// The status and the body, on one line, for logs. The body is cut at 300 characters.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, OneLine(&String::from_utf8_lossy(&self.body)))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &String::from_utf8_lossy(&self.body))
            .finish()
    }
}

/// An answer in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripted {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

impl TryFrom<Scripted> for Answer {
    type Error = String;

    fn try_from(scripted: Scripted) -> Result<Self, String> {
        let Scripted { status, headers, body } = scripted;
        if !(100..600).contains(&status) {
            return Err(format!("{status} is not a status; it must be from 100 to 599"));
        }
        let answer = match body {
            None => Self::status(status),
            Some(Value::String(text)) => Self::json(status, &Value::Null).body(text),
            Some(json) => Self::json(status, &json),
        };
        Ok(headers.iter().fold(answer, |mut answer, (name, value)| {
            answer.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
            answer.header(name, value)
        }))
    }
}
