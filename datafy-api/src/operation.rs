//! The description of an operation.

/// An operation of the API, as `openapi.yaml` describes it. [`operations`](crate::operations) lists all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId` in snake case: the name of the method of [`Client`](crate::Client).
    pub name: &'static str,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// Whether the operation is idempotent (`x-idempotent` in `openapi.yaml`). Retrying one that isn't may create a
    /// second object, which is billed.
    pub idempotent: bool,
    /// The names of its query parameters.
    pub query: &'static [&'static str],
    /// The names of its header parameters, in lower case.
    pub headers: &'static [&'static str],
    /// The names of the properties of its body that a request can set. Empty without a body.
    pub body: &'static [&'static str],
}
