//! Compares the operations of two specs: whether code that was written for one sends the same with the other. Calls are
//! positional, so the compiler would accept an argument of another name. Whatever else the code uses, it finds missing.

use super::operations::{Argument, Operation};

/// The names of the argument for the sub-account: in the vendor's page of record, and since its revision.
const SUB_ACCOUNT: [&str; 2] = ["x_datafy_sub_account_id", "accounts"];

/// How `other` differs in the operations of `own`, one sentence for each.
pub(crate) fn between(own: &[Operation], other: &[Operation]) -> Vec<String> {
    let differs = |own: &Operation| {
        let Operation { name, is_idempotent, .. } = own;
        let Some(other) = other.iter().find(|other| other.name == *name) else {
            return Some(format!("there is no operation `{name}`"));
        };
        if other.is_idempotent != *is_idempotent {
            return Some(format!("`{name}` has `x-idempotent: {}`", other.is_idempotent));
        }
        let (takes, instead) = (arguments(other), arguments(own));
        (takes != instead).then(|| format!("`{name}` takes ({takes}) instead of ({instead})"))
    };
    own.iter().filter_map(differs).collect()
}

/// The arguments of an operation. A list is as one optional value, and an optional body as a required one: callers may
/// pass those.
fn arguments(operation: &Operation) -> String {
    let all = operation.arguments.iter().map(|Argument { name, kind, .. }| {
        if kind.contains("types::") {
            return name.to_string();
        }
        let name = name.to_string();
        let name = if SUB_ACCOUNT.contains(&&*name) { "sub_account" } else { &name };
        let kind = kind.replace("impl IntoIterator<Item = ", "Option<").replace("'a ", "");
        format!("{name}: {kind}")
    });
    all.collect::<Vec<_>>().join(", ")
}
