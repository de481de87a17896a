//! Finds parts of the generated code.

use syn::{FnArg, Ident, ImplItem, ImplItemFn, Item, Pat, Stmt, Type};

/// The items of the module `name`.
pub(crate) fn module<'a>(items: &'a mut [Item], name: &str) -> Option<&'a mut [Item]> {
    items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => Some(&mut *module.content.as_mut()?.1),
        _ => None,
    })
}

/// The method `name` of the type `of`.
pub(crate) fn method<'a>(
    items: &'a mut [Item],
    of: &str,
    name: &str,
) -> Option<&'a mut ImplItemFn> {
    let members = items.iter_mut().filter_map(|item| match item {
        Item::Impl(item) => match &*item.self_ty {
            Type::Path(own) if own.path.is_ident(of) => Some(&mut item.items),
            _ => None,
        },
        _ => None,
    });
    members.flatten().find_map(|member| match member {
        ImplItem::Fn(method) if method.sig.ident == name => Some(method),
        _ => None,
    })
}

/// The name of an argument other than `self`.
pub(crate) fn argument(input: &FnArg) -> Option<Ident> {
    match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(pattern) => Some(pattern.ident.clone()),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

/// The type of the argument `name` of a method.
pub(crate) fn type_of<'a>(method: &'a mut ImplItemFn, name: &str) -> Option<&'a mut Type> {
    method.sig.inputs.iter_mut().find_map(|input| {
        let is_it = argument(input)? == name;
        match input {
            FnArg::Typed(typed) if is_it => Some(&mut *typed.ty),
            _ => None,
        }
    })
}

/// The name that a `let` statement binds.
pub(crate) fn binding(statement: &Stmt) -> Option<&Ident> {
    match statement {
        Stmt::Local(local) => match &local.pat {
            Pat::Ident(pattern) => Some(&pattern.ident),
            _ => None,
        },
        _ => None,
    }
}
