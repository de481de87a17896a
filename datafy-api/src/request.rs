//! Builds the requests of the generated client.
#![allow(dead_code, reason = "a spec may not need all of it")]
#![allow(clippy::result_large_err, reason = "it is the error of the generated methods")]

use crate::generated::{Client, Error};
use crate::operation::Operation;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Method, Request, Url};
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
    method: &'static str,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// Why the request can't be built, if so.
    problem: Option<String>,
}

impl<'a> Builder<'a> {
    /// Begins a request, with the token.
    pub(crate) fn new(client: &'a Client, operation: &'static Operation) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, client.inner.authorization.clone());
        let (method, path) = (operation.method, operation.path.to_owned());
        Self { client, method, path, query: String::new(), headers, body: None, problem: None }
    }

    /// Sets a path parameter. The empty text, `.` and `..` are errors, since they would address another path.
    pub(crate) fn path(mut self, name: &str, list: impl IntoIterator<Item = impl Display>) -> Self {
        for value in list.into_iter().map(|value| encode(value, IN_PATH)) {
            if matches!(&*value, "" | "." | "..") {
                self.problem = Some(format!("`{name}` in the path can't be {value:?}"));
            }
            self.path = self.path.replace(&format!("{{{name}}}"), &value);
        }
        self
    }

    /// Adds a query parameter for each value.
    pub(crate) fn query(self, name: &str, list: impl IntoIterator<Item = impl Display>) -> Self {
        self.encoded(name, list.into_iter().map(|value| encode(value, RESERVED)))
    }

    fn encoded(mut self, name: &str, values: impl IntoIterator<Item = String>) -> Self {
        for value in values {
            let separator = if self.query.is_empty() { "?" } else { "&" };
            self.query.extend([separator, &encode(name, RESERVED), "=", &value]);
        }
        self
    }

    /// Adds one query parameter with all values, separated by commas, unless there is none.
    pub(crate) fn joined(self, name: &str, list: impl IntoIterator<Item = impl Display>) -> Self {
        let values: Vec<_> = list.into_iter().map(|value| encode(value, RESERVED)).collect();
        let list = (!values.is_empty()).then(|| values.join(","));
        self.encoded(name, list)
    }

    /// Adds a header for each value.
    pub(crate) fn header(
        mut self,
        name: &str,
        list: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        for value in list {
            let name = HeaderName::try_from(name).map_err(http::Error::from);
            let value = HeaderValue::try_from(value.to_string()).map_err(http::Error::from);
            match name.and_then(|name| Ok((name, value?))) {
                Ok((name, value)) => drop(self.headers.append(name, value)),
                Err(error) => self.problem = Some(error.to_string()),
            }
        }
        self
    }

    /// Sets the body, if there is one.
    pub(crate) fn json<T: Serialize>(mut self, body: Option<&T>) -> Result<Self, Error<()>> {
        let Some(body) = body else { return Ok(self) };
        self.body = Some(serde_json::to_vec(body).map_err(invalid)?);
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self)
    }

    /// The request. A POST, PUT or PATCH without a body has `Content-Length: 0`, as RFC 9110 (section 8.6) recommends: some
    /// gateways would otherwise reject it.
    pub(crate) fn build(self) -> Result<Request, Error<()>> {
        if let Some(problem) = self.problem {
            return Err(Error::InvalidRequest(problem));
        }
        let method = Method::try_from(self.method).map_err(invalid)?;
        let url = format!("{}{}{}", self.client.baseurl, self.path, self.query);
        let mut request = Request::new(method, Url::parse(&url).map_err(invalid)?);
        *request.headers_mut() = self.headers;
        *request.body_mut() = self.body.map(Into::into);
        if request.body().is_none()
            && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH)
        {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(request)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn invalid(error: impl Display) -> Error<()> {
    Error::InvalidRequest(error.to_string())
}
