//! Makes the generated client send the lists in a query as the spec says. The generator ignores `explode`, and its
//! mock of an operation with a list doesn't compile.

use super::parameters::List;
use super::syntax::{binding, method, module, type_of};
use heck::ToUpperCamelCase;
use syn::{
    Expr, ExprLit, GenericArgument, Ident, ImplItemFn, Item, Lit, PathArguments, Stmt, Type,
    parse_quote,
};

/// Replaces the code for `list` in the method `operation` and in its mock; both then take a slice or an option. Fails,
/// with the reason, if the code has an unexpected form.
pub(crate) fn send(items: &mut [Item], operation: &str, list: &List) -> Result<(), String> {
    let mut in_both = || {
        let (name, item) = in_client(method(items, "Client", operation)?, list)?;
        let mocks = module(module(items, "mocks")?, "operations")?;
        let mock = format!("{}When", operation.to_upper_camel_case());
        in_mock(method(mocks, &mock, &name.to_string())?, list, &item);
        Some(())
    };
    in_both().ok_or_else(|| {
        format!("the generated code of `{operation}` sends `{}` in an unexpected way", list.name)
    })
}

/// Changes the method of the client. Returns the name of its argument and the type of an item.
fn in_client(method: &mut ImplItemFn, list: &List) -> Option<(Ident, Type)> {
    let List { name, exploded, .. } = list;
    let statements = &mut method.block.stmts;
    let argument = statements.iter_mut().find_map(|statement| match statement {
        Stmt::Local(local) => take_query(&mut local.init.as_mut()?.expr, name),
        _ => None,
    })?;
    let url = binding(statements.first()?)?.clone();
    let with_list =
        parse_quote!(let #url = crate::query::with_list(#url, #name, #exploded, #argument););
    statements.insert(1, with_list);
    let of_argument = type_of(method, &argument.to_string())?;
    let item = item(of_argument)?;
    *of_argument = parse_quote!(impl Into<crate::query::List<'a, #item>>);
    Some((argument, item))
}

/// Changes the method of the mock that expects the list.
fn in_mock(method: &mut ImplItemFn, list: &List, item: &Type) {
    let List { name, exploded, .. } = list;
    let argument = &method.sig.ident;
    *method = parse_quote! {
        pub fn #argument<'a>(self, value: impl Into<crate::query::List<'a, #item>>) -> Self {
            Self(crate::query::expect_list(self.0, #name, #exploded, value))
        }
    };
}

/// Removes `.query(&progenitor_client::QueryParam::new(name, &argument))` from a chain of calls. Returns the argument.
fn take_query(chain: &mut Expr, name: &str) -> Option<Ident> {
    let call = match chain {
        Expr::Try(it) => return take_query(&mut it.expr, name),
        Expr::MethodCall(call) => call,
        _ => return None,
    };
    let argument = (call.method == "query").then(|| query(call.args.first()?, name)).flatten();
    let Some(argument) = argument else { return take_query(&mut call.receiver, name) };
    let receiver = (*call.receiver).clone();
    *chain = receiver;
    Some(argument)
}

/// The argument in `&progenitor_client::QueryParam::new(name, &argument)`.
fn query(parameter: &Expr, name: &str) -> Option<Ident> {
    let Expr::Reference(parameter) = parameter else { return None };
    let Expr::Call(new) = &*parameter.expr else { return None };
    let Some(Expr::Lit(ExprLit { lit: Lit::Str(own), .. })) = new.args.first() else { return None };
    let Some(Expr::Reference(argument)) = new.args.get(1) else { return None };
    match &*argument.expr {
        Expr::Path(argument) if own.value() == name => argument.path.get_ident().cloned(),
        _ => None,
    }
}

/// The type that a slice holds instead of the `Vec` in `list`: `&'a str` instead of `String`.
fn item(list: &Type) -> Option<Type> {
    let path = match list {
        Type::Reference(reference) => return item(&reference.elem),
        Type::Path(path) => path,
        _ => return None,
    };
    let segment = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    let Some(GenericArgument::Type(inner)) = arguments.args.first() else { return None };
    if segment.ident == "Option" {
        return item(inner);
    }
    let is_string = |inner: &Type| match inner {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "String"),
        _ => false,
    };
    let item = if is_string(inner) { parse_quote!(&'a str) } else { inner.clone() };
    (segment.ident == "Vec").then_some(item)
}
