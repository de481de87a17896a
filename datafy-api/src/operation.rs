//! The description of an operation.

/// An operation of the API, as `openapi.yaml` describes it. [`operations`](crate::operations) has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId` in snake case: the name of the method of [`Client`](crate::Client).
    pub name: &'static str,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// Whether repeating the operation brings about the same state (`x-idempotent` in `openapi.yaml`). Repeating one
    /// that isn't idempotent creates another object, which is billed.
    pub idempotent: bool,
}
