//! Makes the argument for an optional body optional. The generator treats each body as required.

use super::syntax::{binding, type_of};
use std::mem;
use syn::{Expr, ImplItemFn, Lit, LitStr, Meta, Stmt, parse_quote};

/// Changes the type of the argument from `&T` to `impl Into<Option<&T>>`: callers pass a body, or `None` for a request
/// without one. Returns `None` if the method has an unexpected form.
///
/// Replaces `let mut request = START.json(&body)REST;` by `let mut request = START;`, an `if` that adds the body, and
/// `let mut request = requestREST;`.
pub(crate) fn accept(method: &mut ImplItemFn) -> Option<()> {
    let statements = &mut method.block.stmts;
    let at = statements.iter_mut().position(|statement| with_json(statement).is_some())?;
    let request = binding(&statements[at])?.clone();
    let json = mem::replace(with_json(&mut statements[at])?, parse_quote!(#request));
    let Expr::MethodCall(json) = json else { return None };
    let start = json.receiver;
    let add = parse_quote!(if let Some(body) = body.into() { #request = #request.json(body); });
    statements.splice(at..at, [parse_quote!(let mut #request = #start;), add]);

    let body = type_of(method, "body")?;
    *body = parse_quote!(impl Into<Option<#body>>);
    for attribute in &mut method.attrs {
        if let Meta::NameValue(doc) = &mut attribute.meta
            && let Expr::Lit(text) = &mut doc.value
            && let Lit::Str(text) = &mut text.lit
        {
            let own = text.value();
            let new =
                own.replace("- `body`\n", "- `body`: optional; with `None` no body is sent\n");
            *text = LitStr::new(&new, text.span());
        }
    }
    Some(())
}

/// The expression `START.json(&body)` in the chain of calls that the statement binds.
fn with_json(statement: &mut Stmt) -> Option<&mut Expr> {
    let Stmt::Local(local) = statement else { return None };
    let mut chain = &mut *local.init.as_mut()?.expr;
    while !matches!(chain, Expr::MethodCall(call) if call.method == "json") {
        chain = match chain {
            Expr::Try(it) => &mut it.expr,
            Expr::MethodCall(call) => &mut call.receiver,
            _ => return None,
        };
    }
    Some(chain)
}
