//! What can go wrong on purpose.

use serde_json::{Value, json};
use std::time::Duration;

/// What the fake does to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Sends this answer, and applies nothing.
    Answer(Answer),
    /// Applies the request, and sends this answer in place of the right one.
    ApplyThenAnswer(Answer),
    /// Applies the request, and answers after a while.
    Delay(Duration),
    /// Resets the connection when the first byte of the request arrives.
    ResetBeforeReading,
    /// Reads the request, applies nothing, and resets the connection.
    ReadThenReset,
    /// Reads the request, applies nothing, and never answers.
    ReadThenHang,
    /// Applies the request, and resets the connection.
    ApplyThenReset,
    /// Applies the request, and closes the connection in the middle of the answer's headers.
    ApplyThenCutHeaders,
    /// Applies the request, and closes the connection in the middle of the answer's body.
    ApplyThenCutBody,
    /// Applies the request, and stops in the middle of the answer's body, with the connection open.
    ApplyThenStallBody,
    /// Applies the request, and never answers.
    ApplyThenHang,
    /// Applies the request, and answers one byte at a time.
    Drip,
    /// Applies the request, answers, and closes the idle connection without a word.
    CloseIdle,
}

impl Fault {
    /// Answers with this status and a message, and applies nothing.
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer::status(status))
    }

    /// Answers with this status and a `Retry-After`, and applies nothing.
    pub fn retry_after(status: u16, value: &str) -> Self {
        Self::Answer(Answer::status(status).header("retry-after", value))
    }

    /// Applies the request, and answers 200 with a body of so many bytes that never was JSON.
    pub fn oversized(bytes: usize) -> Self {
        Self::ApplyThenAnswer(Answer::json(200, &Value::Null).body("x".repeat(bytes)))
    }

    /// Applies the request, and answers 200 with JSON that breaks off, in a body that doesn't.
    pub fn malformed() -> Self {
        Self::ApplyThenAnswer(Answer::json(200, &Value::Null).body("{\"volumeId\""))
    }

    /// Applies the request, and answers 200 with a page in place of JSON.
    pub fn html() -> Self {
        let page = Answer { status: 200, headers: Vec::new(), body: Vec::new() };
        Self::ApplyThenAnswer(page.header("content-type", "text/html").body("<html>Sign in</html>"))
    }
}

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
