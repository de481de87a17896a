//! The interface between an operation and the code that makes its calls.

use super::content::Content;
use super::success::Unusable;
use crate::subject::Subject;
use datafy_api::base_url::BaseUrl;
use datafy_api::{Client, Error};
use reqwest::Request;

/// An operation of the API, with the arguments of one call.
///
/// Only this crate implements it.
pub trait Operation: Clone + Send + Sync {
    /// The result of the call.
    type Answer: Recorded + Send + 'static;

    /// What the spec says about the operation.
    #[doc(hidden)]
    const FACTS: datafy_api::operation::Operation;

    /// The member of the answer with the ID of the object that the operation creates, if it creates one.
    #[doc(hidden)]
    const CREATES: Option<&'static str> = None;

    /// Creates the span of a call to the service at `base`, named after the operation.
    #[doc(hidden)]
    fn span(&self, base: &BaseUrl) -> tracing::Span;

    /// Builds the request with the raw client, in the context of this sub-account.
    #[doc(hidden)]
    #[expect(clippy::result_large_err, reason = "the error of the generated methods")]
    fn request(&self, raw: &Client, sub_account: Option<&str>) -> Result<Request, Error>;

    /// Reads a 2xx answer, after checking that it is the service's answer to this request.
    #[doc(hidden)]
    fn decode(&self, content: &Content<'_>) -> Result<Self::Answer, Unusable>;

    /// What the call is about, except its sub-account.
    #[doc(hidden)]
    fn subject(&self) -> Subject;

    /// What the call makes or does, as an error names it: `snapshot of vol-0b9`.
    #[doc(hidden)]
    fn object(&self) -> String;

    /// The marker by which the created object can be found.
    #[doc(hidden)]
    fn marker(&self) -> Option<&str> {
        None
    }
}

/// The part of an answer that a journal records: the ID of the created object.
pub trait Recorded: Sized {
    /// The ID of the object that the call created.
    fn created_id(&self) -> Option<&str> {
        None
    }

    /// Returns the answer as far as it was recorded.
    fn from_record(created_id: Option<&str>) -> Option<Self>;
}

impl Recorded for () {
    fn from_record(_: Option<&str>) -> Option<Self> {
        Some(())
    }
}

/// Creates the span of a call. A macro, since `tracing` needs the name of a span at compile time.
///
/// Numbers are recorded as `i64`, the integer type of OpenTelemetry; others would arrive there as text.
macro_rules! call_span {
    ($operation:path, $base:expr, $volume:expr) => {
        tracing::info_span!(
            target: "datafy_api_ext",
            $operation.name,
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            http.request.method = $operation.method,
            url.template = $operation.path,
            server.address = $base.url().host_str(),
            server.port = $base.url().port_or_known_default().map(i64::from),
            datafy.volume.id = $volume,
            datafy.request_id = tracing::field::Empty,
            http.response.status_code = tracing::field::Empty,
            http.request.resend_count = tracing::field::Empty,
            error.r#type = tracing::field::Empty,
            datafy.outcome = tracing::field::Empty,
        )
    };
}
pub(crate) use call_span;
