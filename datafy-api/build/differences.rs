//! Compares two generated clients: whether code that was written for one sends the same with the other. Whatever else
//! it uses, the compiler finds missing.

use super::Client;
use super::client::argument;
use super::operations::Operation;
use quote::quote;

/// The names of the argument for the sub-account: in the vendor's page of record, and since its revision.
const SUB_ACCOUNT: [&str; 2] = ["x_datafy_sub_account_id", "accounts"];

/// The names and types of arguments, in order. A list is as one optional value, and an optional body as a required one:
/// callers may pass those.
pub(crate) type Arguments = Vec<(String, String)>;

pub(crate) fn arguments(operation: &Operation<'_>) -> Arguments {
    let parameters = operation.parameters.iter().map(|parameter| {
        let (name, kind) = argument(parameter);
        let kind = quote!(#kind).to_string();
        let item =
            kind.strip_prefix("impl IntoIterator < Item = ").and_then(|it| it.strip_suffix(" >"));
        let name = name.to_string();
        let name = if SUB_ACCOUNT.contains(&&*name) { "sub_account".to_owned() } else { name };
        (name, item.map(|item| format!("Option < {item} >")).unwrap_or(kind))
    });
    parameters.chain(operation.body.iter().map(|_| ("body".to_owned(), String::new()))).collect()
}

/// How `other` differs in the operations of `own`, one sentence for each. Calls are positional, so the compiler would
/// accept an argument of another name.
pub(crate) fn between(own: &Client, other: &Client) -> Vec<String> {
    let mut found = Vec::new();
    for (name, (idempotent, arguments)) in &own.operations {
        let Some((others_idempotent, others)) = other.operations.get(name) else {
            found.push(format!("there is no operation `{name}`"));
            continue;
        };
        if others_idempotent != idempotent {
            found.push(format!("`{name}` has `x-idempotent: {others_idempotent}`"));
        }
        let (own, other) = (names(arguments), names(others));
        if own != other {
            found.push(format!("`{name}` takes ({other}) instead of ({own})"));
        } else if arguments.iter().zip(others).any(|((_, own), (_, other))| own != other) {
            found.push(format!("an argument of `{name}` ({own}) has another type"));
        }
    }
    found
}

fn names(arguments: &Arguments) -> String {
    arguments.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(", ")
}
