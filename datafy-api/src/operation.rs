//! What is known of an operation without calling it.

/// An operation of the API, as `openapi.yaml` has it. All of them stand in
/// [`operations`](crate::operations).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId` in snake case: the name of the method of [`Client`](crate::Client).
    pub name: &'static str,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// What repeating the operation does.
    pub effect: Effect,
}

/// What repeating an operation does (`x-effect` in `openapi.yaml`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It makes another object, and another object costs money.
    Create,
    /// It brings about the same state again.
    Converge,
}
