//! What an operation brings to a call.

use crate::call::success::{Success, Unusable};
use crate::id::{SubAccountId, VolumeId};
use datafy_api::base_url::BaseUrl;
use datafy_api::{Client, Error};
use reqwest::Request;

/// One of the API's operations, with the arguments of one call. The crate implements it for each; it
/// is sealed.
pub trait Operation: sealed::Operation {
    /// What the call answers.
    type Answer: sealed::Answer + From<<Self as sealed::Operation>::Content> + Send;
}

pub(crate) mod sealed {
    use super::{BaseUrl, Client, Error, Request, Scope, Success, Unusable, VolumeId};

    /// What a call answers.
    pub trait Answer {
        /// The id of what was made, as the service names it.
        fn made(&self) -> Option<&str> {
            None
        }
    }

    impl Answer for () {}

    pub trait Operation: Send + Sync {
        /// What the spec says of the operation.
        const FACTS: datafy_api::operation::Operation;

        /// The content of a successful answer, as generated.
        type Content: Send;

        /// A span named after the operation, for a call to the service at `base`.
        fn span(&self, base: &BaseUrl) -> tracing::Span;

        /// Builds the request with the raw client.
        #[expect(clippy::result_large_err, reason = "the error of the generated methods")]
        fn request(&self, raw: &Client, scope: Scope<'_>) -> Result<Request, Error>;

        /// Reads a 2xx answer, after checking that it is the service's answer to this request.
        fn decode(&self, success: &Success<'_>) -> Result<Self::Content, Unusable>;

        /// The volume that the call is about, if it exists before the call.
        fn volume(&self) -> Option<&VolumeId> {
            None
        }

        /// The short text by which what the call made can be found again.
        fn marker(&self) -> Option<&str> {
            None
        }
    }
}

/// In whose name a request is made, in the form in which the raw client takes it.
#[derive(Clone, Copy)]
pub struct Scope<'a>(Option<&'a SubAccountId>);

impl<'a> Scope<'a> {
    pub(crate) fn new(sub_account: Option<&'a SubAccountId>) -> Self {
        Self(sub_account)
    }

    /// The one place where a sub-account becomes part of a request.
    pub(crate) fn sub_account(self) -> Option<&'a str> {
        self.0.map(SubAccountId::as_str)
    }
}

/// The span of a call. Its numbers are recorded as `i64`, which is what OpenTelemetry knows: others would
/// reach it as text. `tracing` wants the name of a span to be a constant, so this can't be a function.
macro_rules! call_span {
    ($operation:path, $base:expr, $volume:expr) => {
        tracing::info_span!(
            target: "datafy_api_ext",
            $operation.name,
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            http.request.method = $operation.method,
            url.template = $operation.path,
            server.address = $base.host(),
            server.port = i64::from($base.port()),
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
