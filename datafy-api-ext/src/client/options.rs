//! The options of a call. A client has them, too: each of its calls starts with a copy.

use crate::client::{RetryPolicy, Timeouts};
use crate::id::SubAccountId;
use datafy_api::operations::ALL;
use reqwest::Request;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::ops::RangeInclusive;

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

/// The options of a call.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) sub_account: Option<SubAccountId>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    /// Why the first option that can't be used can't be.
    problem: Option<String>,
}

/// The methods that set the options of a client, a call or a restore.
macro_rules! option_methods {
    () => {
        /// Sets the sub-account in whose context calls are made; `None` means the account itself.
        #[doc(alias("account", "tenant"))]
        pub fn sub_account(mut self, id: impl Into<Option<$crate::SubAccountId>>) -> Self {
            self.options().sub_account = id.into();
            self
        }

        /// Sets the limits on the time of a call.
        ///
        /// With a limit that is out of range, [`DatafyBuilder::build`](crate::DatafyBuilder::build) fails, and so does a
        /// call: with [`NotSent`](crate::Outcome::NotSent) and [`Request`](crate::ErrorKind::Request).
        #[doc(alias("timeout", "deadline"))]
        pub fn timeouts(mut self, timeouts: $crate::Timeouts) -> Self {
            self.options().set_timeouts(timeouts);
            self
        }

        /// Sets how often, and after which pauses, calls are retried.
        ///
        /// With a value that is out of range, [`DatafyBuilder::build`](crate::DatafyBuilder::build) fails, and so does a
        /// call: with [`NotSent`](crate::Outcome::NotSent) and [`Request`](crate::ErrorKind::Request).
        #[doc(alias("backoff"))]
        pub fn retry(mut self, policy: $crate::RetryPolicy) -> Self {
            self.options().set_retry(policy);
            self
        }

        /// Sends a query parameter, for what this version of the crate doesn't know yet.
        ///
        /// The value is percent-encoded. Setting a parameter again replaces its value; that of a call replaces the client's.
        /// The service may ignore what it doesn't know. `Debug` and traces don't show the value.
        ///
        /// With a parameter that the API documents, [`DatafyBuilder::build`](crate::DatafyBuilder::build) fails, and so
        /// does a call: with [`NotSent`](crate::Outcome::NotSent) and [`Request`](crate::ErrorKind::Request).
        ///
        /// ```
        /// use datafy_api_ext::Datafy;
        ///
        /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// let datafy = Datafy::builder().token("a-token").query("region", "eu-west-1").build()?;
        /// # Ok(())
        /// # }
        /// ```
        #[doc(alias("accounts"))]
        pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.options().set_query(name.into(), value.into());
            self
        }

        /// Sends a header, for what this version of the crate doesn't know yet.
        ///
        /// Setting a header again replaces its value; that of a call replaces the client's. `Debug` and traces don't show
        /// the value.
        ///
        /// With a header that the API documents, that the client controls (such as `Authorization`, `Host`,
        /// `Content-Length` and `Connection`), or whose value no header can hold,
        /// [`DatafyBuilder::build`](crate::DatafyBuilder::build) fails, and so does a call: with
        /// [`NotSent`](crate::Outcome::NotSent) and [`Request`](crate::ErrorKind::Request).
        pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
            self.options().set_header(name.as_ref(), value.as_ref());
            self
        }
    };
}
pub(crate) use option_methods;

impl Options {
    pub(crate) fn set_timeouts(&mut self, timeouts: Timeouts) {
        self.timeouts = timeouts;
        self.note(timeouts.check());
    }

    pub(crate) fn set_retry(&mut self, policy: RetryPolicy) {
        self.retry = policy;
        self.note(policy.check());
    }

    pub(crate) fn set_query(&mut self, name: String, value: String) {
        let documented = ALL.iter().any(|operation| operation.query.contains(&&*name));
        if name.is_empty() {
            self.note(Err("the setting `query` has an empty name".to_owned()));
        } else if documented {
            let problem = format!("the setting `query` can't be `{name}`, which the API documents");
            self.note(Err(problem));
        } else {
            self.query.retain(|(own, _)| *own != name);
            self.query.push((name, value));
        }
    }

    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        match header(name, value) {
            Ok((name, value)) => drop(self.headers.insert(name, value)),
            Err(problem) => self.note(Err(format!("the setting `header` {problem}"))),
        }
    }

    fn note(&mut self, checked: Result<(), String>) {
        self.problem = self.problem.take().or(checked.err());
    }

    /// Fails if an option can't be used.
    pub(crate) fn check(&self) -> Result<(), &str> {
        self.problem.as_deref().map_or(Ok(()), Err)
    }

    /// The value of the query parameter `accounts`, which names the account that an organization token is used for.
    pub(crate) fn account(&self) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == "accounts").map(|(_, value)| value.as_str())
    }

    /// Adds the query parameters and the headers to a request.
    pub(crate) fn extend(&self, request: &mut Request) {
        if !self.query.is_empty() {
            request.url_mut().query_pairs_mut().extend_pairs(&self.query);
        }
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name = HeaderName::try_from(name).map_err(|_| format!("has an invalid name: {name:?}"))?;
    if ALL.iter().any(|operation| operation.headers.contains(&name.as_str())) {
        return Err(format!("can't be `{name}`, which the API documents"));
    }
    if RESERVED.contains(&name.as_str()) {
        return Err(format!("can't be `{name}`, which the client controls"));
    }
    let value = HeaderValue::try_from(value)
        .map_err(|_| format!("`{name}` has a value that no header can hold"))?;
    Ok((name, value))
}

/// Fails if the value of a setting is not in `range`.
pub(crate) fn within<T: PartialOrd + fmt::Debug>(
    name: &str,
    value: &T,
    range: RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(value) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    Err(format!("the setting `{name}` is {value:?}; it must be {least:?} to {most:?}"))
}

/// Shows the names of query parameters and headers only: their values may be secret.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query: Vec<_> = self.query.iter().map(|(name, _)| name).collect();
        let headers: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Options")
            .field("sub_account", &self.sub_account)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .field("query", &query)
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}
