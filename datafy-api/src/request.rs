//! Builds the requests of the generated client.
#![allow(dead_code, reason = "a spec may not need all of it")]
#![allow(clippy::result_large_err, reason = "it is the error of the generated methods")]

use crate::generated::{Client, Error};
use crate::operation::Operation;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::Serialize;
use std::fmt::{Display, Write};

/// All characters but the unreserved ones (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same but for the colon, which IDs may contain and a segment of a path may too.
const IN_PATH: &AsciiSet = &RESERVED.remove(b':');

fn encode(value: impl Display, set: &'static AsciiSet) -> String {
    utf8_percent_encode(&value.to_string(), set).to_string()
}

/// A request in the making.
pub(crate) struct Builder<'a> {
    client: &'a Client,
    operation: &'static Operation,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl<'a> Builder<'a> {
    /// Begins a request.
    pub(crate) fn new(client: &'a Client, operation: &'static Operation) -> Self {
        let (path, query) = (operation.path.to_owned(), String::new());
        Self { client, operation, path, query, headers: HeaderMap::new(), body: None }
    }

    /// Sets a path parameter. Fails on a value that would address another path: an empty one, `.` and `..`.
    pub(crate) fn path(mut self, name: &str, value: impl Display) -> Result<Self, Error<()>> {
        let value = encode(value, IN_PATH);
        if matches!(&*value, "" | "." | "..") {
            return Err(invalid(format!("`{name}` in the path can't be {value:?}")));
        }
        self.path = self.path.replace(&format!("{{{name}}}"), &value);
        Ok(self)
    }

    /// Adds a query parameter, if there is a value.
    pub(crate) fn query<T: Display>(self, name: &str, value: Option<T>) -> Self {
        self.list(name, true, value)
    }

    /// Adds a list to the query, as `style: form` of OpenAPI: each item as a parameter if `exploded`, otherwise all in
    /// one parameter, separated by commas. An empty list is not sent.
    pub(crate) fn list<T: Display>(
        mut self,
        name: &str,
        exploded: bool,
        items: impl IntoIterator<Item = T>,
    ) -> Self {
        let items: Vec<_> = items.into_iter().map(|item| encode(item, RESERVED)).collect();
        let name = encode(name, RESERVED);
        let values = match exploded {
            _ if items.is_empty() => return self,
            true => items,
            false => vec![items.join(",")],
        };
        for value in values {
            let separator = if self.query.is_empty() { '?' } else { '&' };
            let _ = write!(self.query, "{separator}{name}={value}");
        }
        self
    }

    /// Adds a header, if there is a value.
    pub(crate) fn header<T: Display>(
        mut self,
        name: &str,
        value: Option<T>,
    ) -> Result<Self, Error<()>> {
        if let Some(value) = value {
            let name = HeaderName::try_from(name).map_err(invalid)?;
            self.headers.insert(name, HeaderValue::try_from(value.to_string())?);
        }
        Ok(self)
    }

    /// Asks for JSON.
    pub(crate) fn accept_json(mut self) -> Self {
        self.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        self
    }

    /// Sets the body, if there is one.
    pub(crate) fn json<T: Serialize>(mut self, body: Option<&T>) -> Result<Self, Error<()>> {
        if let Some(body) = body {
            self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            self.body = Some(serde_json::to_vec(body).map_err(invalid)?);
        }
        Ok(self)
    }

    /// The request, with the token.
    pub(crate) fn build(self) -> Result<Request, Error<()>> {
        let method = Method::try_from(self.operation.method).map_err(invalid)?;
        let url = format!("{}{}{}", self.client.baseurl, self.path, self.query);
        let mut request = Request::new(method, Url::parse(&url).map_err(invalid)?);
        *request.headers_mut() = self.headers;
        *request.body_mut() = self.body.map(Into::into);
        self.client.inner.prepare(&mut request);
        Ok(request)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn invalid(error: impl Display) -> Error<()> {
    Error::InvalidRequest(error.to_string())
}
