//! Query parameters and headers that the contract doesn't have.

use crate::client::InvalidSetting;
use datafy_api::operations::ALL;
use reqwest::Request;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;

/// The headers that a caller can't set: the token, those of the body, the framing and hop-by-hop headers (RFC 9110 and
/// 9112), and those that ask for an answer that the client can't read.
const RESERVED: [&str; 19] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Query parameters and headers that a caller adds to requests. They may be secret, so `Debug` shows the names only.
#[derive(Clone, Default)]
pub(crate) struct Extras {
    query: Vec<(String, String)>,
    headers: HeaderMap,
    /// The first setting that can't be sent.
    problem: Option<InvalidSetting>,
}

impl Extras {
    /// Sets a query parameter.
    pub(crate) fn query(&mut self, name: String, value: String) {
        let documented = ALL.iter().any(|operation| operation.query.contains(&&*name));
        if name.is_empty() {
            self.refuse("query", "has an empty name".to_owned());
        } else if documented {
            self.refuse("query", format!("can't be `{name}`, which the API documents"));
        } else {
            self.query.retain(|(own, _)| *own != name);
            self.query.push((name, value));
        }
    }

    /// The value of a query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Sets a header.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        let Ok(name) = HeaderName::try_from(name) else {
            return self.refuse("header", format!("has an invalid name: {name:?}"));
        };
        let documented = ALL.iter().any(|operation| operation.headers.contains(&name.as_str()));
        if documented {
            return self.refuse("header", format!("can't be `{name}`, which the API documents"));
        }
        if RESERVED.contains(&name.as_str()) {
            return self.refuse("header", format!("can't be `{name}`, which the client controls"));
        }
        let Ok(mut value) = HeaderValue::try_from(value) else {
            return self.refuse("header", format!("`{name}` has a value that no header can hold"));
        };
        value.set_sensitive(true);
        self.headers.insert(name, value);
    }

    fn refuse(&mut self, setting: &'static str, problem: String) {
        self.problem.get_or_insert_with(|| InvalidSetting::new(setting, problem));
    }

    /// Returns these, or `None` if there are none. Fails if one can't be sent.
    pub(crate) fn checked(self) -> Result<Option<Self>, InvalidSetting> {
        match self.problem {
            Some(problem) => Err(problem),
            None if self.query.is_empty() && self.headers.is_empty() => Ok(None),
            None => Ok(Some(self)),
        }
    }
}

/// Adds the extras of a client and of a call to a request. The latter replace those with the same name. Fails if one
/// of the call can't be sent.
pub(crate) fn apply(
    client: Option<&Extras>,
    call: Option<&Extras>,
    request: &mut Request,
) -> Result<(), InvalidSetting> {
    if client.is_none() && call.is_none() {
        return Ok(());
    }
    if let Some(problem) = call.and_then(|call| call.problem.clone()) {
        return Err(problem);
    }
    let replaced =
        |name: &str| call.is_some_and(|call| call.query.iter().any(|(own, _)| own == name));
    for (name, value) in client.iter().flat_map(|client| &client.query) {
        if !replaced(name) {
            request.url_mut().query_pairs_mut().append_pair(name, value);
        }
    }
    for (name, value) in call.iter().flat_map(|call| &call.query) {
        request.url_mut().query_pairs_mut().append_pair(name, value);
    }
    for extras in client.into_iter().chain(call) {
        for (name, value) in &extras.headers {
            request.headers_mut().insert(name, value.clone());
        }
    }
    Ok(())
}

impl fmt::Debug for Extras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query: Vec<_> = self.query.iter().map(|(name, _)| name).collect();
        let headers: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Extras")
            .field("query", &query)
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}
