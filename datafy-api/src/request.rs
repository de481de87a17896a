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
use std::fmt::{self, Display, Write};

/// All characters but the unreserved ones (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same but for the colon, which IDs may contain and a segment of a path may too.
const IN_PATH: &AsciiSet = &RESERVED.remove(b':');

/// Enough for the URL of most calls, in bytes.
const URL_CAPACITY: usize = 256;

/// Adds what is written to a URL, percent-encoded.
struct Encoded<'a> {
    url: &'a mut String,
    set: &'static AsciiSet,
}

impl Write for Encoded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.url.extend(utf8_percent_encode(text, self.set));
        Ok(())
    }
}

/// A request in the making. A parameter takes a list of values: none, one or more.
pub(crate) struct Builder<'a> {
    base: &'a Url,
    method: &'static str,
    /// The path and the query as far as they are known.
    url: String,
    /// What follows of the path: it begins with a parameter.
    rest: &'static str,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// Why the request can't be built, if so.
    problem: Option<String>,
}

impl<'a> Builder<'a> {
    /// Begins a request, with the token.
    pub(crate) fn new(client: &'a Client, operation: &'static Operation) -> Self {
        let mut url = String::with_capacity(URL_CAPACITY);
        let base = client.base_url().url();
        url.push_str(base.path().trim_end_matches('/'));
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, client.inner.authorization.clone());
        let (method, rest) = (operation.method, operation.path);
        let mut builder = Self { base, method, url, rest, headers, body: None, problem: None };
        builder.up_to_parameter();
        builder
    }

    /// Adds the path up to the next parameter.
    fn up_to_parameter(&mut self) {
        let (text, rest) = self.rest.split_at(self.rest.find('{').unwrap_or(self.rest.len()));
        self.url.push_str(text);
        self.rest = rest;
    }

    /// Adds a value to the URL, percent-encoded.
    fn push(&mut self, value: impl Display, set: &'static AsciiSet) {
        write!(Encoded { url: &mut self.url, set }, "{value}").expect("a string takes any text");
    }

    /// Adds a path parameter; they come in the order of the path. The empty text, `.` and `..` are errors, since they would
    /// address another path.
    pub(crate) fn path(mut self, name: &str, list: impl IntoIterator<Item = impl Display>) -> Self {
        for value in list {
            let start = self.url.len();
            self.push(value, IN_PATH);
            if let value @ ("" | "." | "..") = &self.url[start..] {
                self.problem = Some(format!("`{name}` in the path can't be {value:?}"));
            }
            self.rest = self.rest.split_once('}').map_or("", |(_, rest)| rest);
            self.up_to_parameter();
        }
        self
    }

    /// Adds a query parameter for each value.
    pub(crate) fn query(
        mut self,
        name: &str,
        list: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        for value in list {
            self = self.joined(name, [value]);
        }
        self
    }

    /// Adds one query parameter with all values, separated by commas, unless there is none.
    pub(crate) fn joined(
        mut self,
        name: &str,
        list: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        let mut separator = if self.url.contains('?') { '&' } else { '?' };
        for value in list {
            self.url.push(separator);
            if separator != ',' {
                self.push(name, RESERVED);
                self.url.push('=');
            }
            self.push(value, RESERVED);
            separator = ',';
        }
        self
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
        // To parse the host again would take 3 % of a call.
        let mut url = self.base.clone();
        let (path, query) = match self.url.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&*self.url, None),
        };
        url.set_path(path);
        url.set_query(query);
        let mut request = Request::new(method, url);
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
