//! Compares two generated clients: whether code that was written for one sends the same with the other. Whatever else
//! it uses, the compiler finds missing.

use super::Client;
use super::client::argument;
use super::operations::Operation;
use quote::quote;

/// The names of the argument for the sub-account: in the vendor's page of record, and since its revision.
const SUB_ACCOUNT: [&str; 2] = ["x_datafy_sub_account_id", "accounts"];

/// The arguments of an operation. A list is as one optional value, and an optional body as a required one: callers may
/// pass those.
pub(crate) fn arguments(operation: &Operation<'_>) -> String {
    let parameters = operation.parameters.iter().map(|parameter| {
        let (name, kind) = argument(parameter);
        let name = name.to_string();
        let name = if SUB_ACCOUNT.contains(&&*name) { "sub_account" } else { &name };
        let kind = quote!(#kind).to_string().replace("impl IntoIterator < Item =", "Option <");
        format!("{name}: {}", kind.replace(' ', "").replace("'a", ""))
    });
    let body = operation.body.iter().map(|_| "body".to_owned());
    parameters.chain(body).collect::<Vec<_>>().join(", ")
}

/// How `other` differs in the operations of `own`, one sentence for each. Calls are positional, so the compiler would
/// accept an argument of another name.
pub(crate) fn between(own: &Client, other: &Client) -> Vec<String> {
    let mut found = Vec::new();
    for (name, (idempotent, own)) in &own.operations {
        match other.operations.get(name) {
            None => found.push(format!("there is no operation `{name}`")),
            Some((others, _)) if others != idempotent => {
                found.push(format!("`{name}` has `x-idempotent: {others}`"));
            }
            Some((_, other)) if other != own => {
                found.push(format!("`{name}` takes ({other}) instead of ({own})"));
            }
            Some(_) => {}
        }
    }
    found
}
