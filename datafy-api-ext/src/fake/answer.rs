//! An answer of the fake.

use crate::id::VolumeId;
use serde_json::{Value, json};

/// An answer of the fake.
#[derive(Clone, Debug, PartialEq, Eq)]
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
