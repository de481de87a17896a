//! Builds the requests of the generated client.
#![allow(dead_code, reason = "a spec may not need all of it")]
#![allow(clippy::result_large_err, reason = "it is the error of the generated methods")]

use crate::generated::{Client, Error};
use crate::operation::Operation;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use reqwest::{Method, Request};
use serde::Serialize;
use std::fmt::Display;

/// All characters but the unreserved ones (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same but for the colon, which IDs may contain and a segment of a path may too.
const IN_PATH: &AsciiSet = &RESERVED.remove(b':');

fn encode(value: impl Display, set: &'static AsciiSet) -> String {
    utf8_percent_encode(&value.to_string(), set).to_string()
}

/// A request in the making. A parameter takes a list of values: none, one or more.
pub(crate) struct Builder<'a> {
    client: &'a Client,
    /// Or why the path can't be built.
    path: Result<String, String>,
    query: Vec<String>,
    request: http::request::Builder,
    body: Vec<u8>,
}

impl<'a> Builder<'a> {
    /// Begins a request, with the token.
    pub(crate) fn new(client: &'a Client, operation: &'static Operation) -> Self {
        let token = client.inner.authorization.clone();
        let request =
            http::Request::builder().method(operation.method).header(AUTHORIZATION, token);
        let path = Ok(operation.path.to_owned());
        Self { client, path, query: Vec::new(), request, body: Vec::new() }
    }

    /// Sets a path parameter. The empty text, `.` and `..` are errors, since they would address another path.
    pub(crate) fn path(mut self, name: &str, list: impl IntoIterator<Item = impl Display>) -> Self {
        for value in list.into_iter().map(|value| encode(value, IN_PATH)) {
            self.path = self.path.and_then(|path| match &*value {
                "" | "." | ".." => Err(format!("`{name}` in the path can't be {value:?}")),
                _ => Ok(path.replace(&format!("{{{name}}}"), &value)),
            });
        }
        self
    }

    /// Adds a query parameter for each value.
    pub(crate) fn query(
        mut self,
        name: &str,
        list: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        let values = list.into_iter().map(|value| encode(value, RESERVED));
        self.query.extend(values.map(|value| format!("{}={value}", encode(name, RESERVED))));
        self
    }

    /// Adds one query parameter with all values, separated by commas, unless there is none.
    pub(crate) fn joined(
        mut self,
        name: &str,
        list: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        let values: Vec<_> = list.into_iter().map(|value| encode(value, RESERVED)).collect();
        let value = format!("{}={}", encode(name, RESERVED), values.join(","));
        self.query.extend((!values.is_empty()).then_some(value));
        self
    }

    /// Adds a header for each value.
    pub(crate) fn header(
        mut self,
        name: &str,
        list: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        for value in list {
            self.request = self.request.header(name, value.to_string());
        }
        self
    }

    /// Sets the body, if there is one.
    pub(crate) fn json<T: Serialize>(mut self, body: Option<&T>) -> Result<Self, Error<()>> {
        let Some(body) = body else { return Ok(self) };
        self.body = serde_json::to_vec(body).map_err(invalid)?;
        Ok(self.header("content-type", Some("application/json")))
    }

    /// The request. A POST, PUT or PATCH without a body has `Content-Length: 0`, as RFC 9110 (section 8.6) recommends: some
    /// gateways would otherwise reject it.
    pub(crate) fn build(self) -> Result<Request, Error<()>> {
        let path = self.path.map_err(invalid)?;
        let mark = if self.query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{mark}{}", self.client.baseurl, self.query.join("&"));
        let request = self.request.uri(url).body(self.body).map_err(invalid)?;
        let mut request = Request::try_from(request).map_err(invalid)?;
        let is_empty = request.body().and_then(|body| body.as_bytes()).is_none_or(<[u8]>::is_empty);
        if is_empty && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(request)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn invalid(error: impl Display) -> Error<()> {
    Error::InvalidRequest(error.to_string())
}
