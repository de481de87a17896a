//! Splits each generated method in two: `NAME_request` builds a request, and `NAME` builds, sends and decodes.

use super::syntax::{argument, binding};
use quote::format_ident;
use std::mem;
use syn::{
    Expr, ExprLit, ExprMethodCall, File, Ident, ImplItem, ImplItemFn, Item, Lit, Stmt, parse_quote,
};

/// Splits the methods of the client in `file`. Fails, with the name, if a method can't be split.
pub(crate) fn split(file: &mut File) -> Result<(), String> {
    for item in &mut file.items {
        let Item::Impl(item) = item else { continue };
        for member in mem::take(&mut item.items) {
            match member {
                ImplItem::Fn(method) if method.sig.asyncness.is_some() => {
                    let name = method.sig.ident.to_string();
                    let both = split_method(method).ok_or_else(|| {
                        format!("the generated method `{name}` has an unexpected form")
                    })?;
                    item.items.extend(both.map(ImplItem::Fn));
                }
                other => item.items.push(other),
            }
        }
    }
    Ok(())
}

/// Splits a method that builds the request, binds `info`, awaits the hook `pre`, sends and decodes, in this order.
/// Returns `None` if it has another form.
///
/// `Hooks::prepare` replaces `pre`, which is async. Removes the header `api-version`, which the generator adds and
/// the API doesn't document.
fn split_method(mut method: ImplItemFn) -> Option<[ImplItemFn; 2]> {
    let statements = &mut method.block.stmts;
    let info = statements.iter().position(|it| binding(it).is_some_and(|name| name == "info"))?;
    let mut send = statements.split_off(info);
    let mut build = mem::take(statements);
    let request = binding(build.last()?)?.clone();
    remove_one(&mut send, |call| call.method == "pre")?;
    remove_one(&mut build, |call| call.method == "append" && names_api_version(call))?;
    set_headers_last(&mut build, &request)?;
    build.iter_mut().for_each(name_header_early);

    let call = &method.sig.ident;
    let name = format_ident!("{call}_request");
    let doc = format!(
        "Builds the request that [`{call}`](Self::{call}) sends, with the token in its headers."
    );
    let mut sig = method.sig.clone();
    sig.asyncness = None;
    sig.output = parse_quote!(-> Result<reqwest::Request, Error<()>>);
    let arguments: Option<Vec<Ident>> = sig.inputs.iter().skip(1).map(argument).collect();
    let arguments = arguments?;
    send.insert(0, parse_quote!(let #request = self.#name(#(#arguments),*)?;));
    build.push(parse_quote!(self.inner.prepare(&mut #request);));
    build.push(Stmt::Expr(parse_quote!(Ok(#request)), None));

    sig.ident = name;
    let mut builder = method.clone();
    builder.attrs = vec![parse_quote!(#[doc = #doc])];
    builder.sig = sig;
    builder.block.stmts = build;
    method.block.stmts = send;
    Some([builder, method])
}

/// Makes the statements that collect headers add them to the request, which the last statement builds. The generator
/// collects them in a map of their own.
fn set_headers_last(build: &mut Vec<Stmt>, request: &Ident) -> Option<()> {
    let mut last = build.pop()?;
    let Stmt::Local(local) = &mut last else { return None };
    let map = take_headers(&mut local.init.as_mut()?.expr)?;
    let begin = build.iter().position(|it| binding(it) == Some(&map))?;
    // An optional body makes several statements of the request.
    let next = build.iter().skip(begin + 1).position(|it| matches!(it, Stmt::Local(_)));
    let end = next.map_or(build.len(), |next| begin + 1 + next);
    let mut headers: Vec<Stmt> = build.drain(begin..end).collect();
    headers[0] = parse_quote!(let #map = #request.headers_mut(););
    build.push(last);
    if headers.len() > 1 {
        build.append(&mut headers);
    }
    Some(())
}

/// Makes a constant of the name of the header that the statement appends, if any. The generator parses it for each
/// request.
fn name_header_early(statement: &mut Stmt) {
    let append = match statement {
        // An optional header.
        Stmt::Expr(Expr::If(it), _) => it.then_branch.stmts.first_mut(),
        other => Some(other),
    };
    if let Some(Stmt::Expr(Expr::MethodCall(call), _)) = append
        && call.method == "append"
        && let Some(name) = call.args.first_mut()
        && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = name
    {
        let lower = text.value().to_ascii_lowercase();
        *name = parse_quote!(const { ::reqwest::header::HeaderName::from_static(#lower) });
    }
}

/// Removes `.headers(map)` from a chain of calls. Returns the map.
fn take_headers(chain: &mut Expr) -> Option<Ident> {
    let call = match chain {
        Expr::Try(it) => return take_headers(&mut it.expr),
        Expr::MethodCall(call) if call.method == "headers" => call,
        Expr::MethodCall(call) => return take_headers(&mut call.receiver),
        _ => return None,
    };
    let Some(Expr::Path(map)) = call.args.first() else { return None };
    let map = map.path.get_ident()?.clone();
    *chain = (*call.receiver).clone();
    Some(map)
}

/// Removes the statement whose method call satisfies `matches`. Returns `None` unless there is exactly one.
fn remove_one(
    statements: &mut Vec<Stmt>,
    matches: impl Fn(&ExprMethodCall) -> bool,
) -> Option<Stmt> {
    let is_it = |statement: &Stmt| method_call(statement).is_some_and(&matches);
    let at = statements.iter().position(is_it)?;
    let removed = statements.remove(at);
    (!statements.iter().any(is_it)).then_some(removed)
}

/// The method call that the statement consists of, also if followed by `.await` and `?`.
fn method_call(statement: &Stmt) -> Option<&ExprMethodCall> {
    let Stmt::Expr(expression, _) = statement else { return None };
    let mut expression = expression;
    loop {
        match expression {
            Expr::Try(it) => expression = &it.expr,
            Expr::Await(it) => expression = &it.base,
            Expr::MethodCall(call) => return Some(call),
            _ => return None,
        }
    }
}

/// Whether the first argument of `call` is `HeaderName::from_static("api-version")`. A documented header of this name
/// would be a plain string.
fn names_api_version(call: &ExprMethodCall) -> bool {
    match call.args.first() {
        Some(Expr::Call(name)) => matches!(
            name.args.first(),
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if text.value() == "api-version"
        ),
        _ => false,
    }
}
