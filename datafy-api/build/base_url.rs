//! Makes the generated client store its base URL parsed. The generator would parse it for each request.

use syn::punctuated::Punctuated;
use syn::{
    Expr, ExprLit, ExprMacro, File, ImplItem, ImplItemFn, Item, ItemStruct, Lit, LitStr, Stmt,
    Token, parse_quote,
};

/// Changes the type of the field `baseurl` and the methods that append a path to it. Removes the constructors, which
/// take the base URL as text. Fails, with the reason, if the code has an unexpected form.
pub(crate) fn keep_parsed(file: &mut File) -> Result<(), String> {
    let field = file.items.iter_mut().find_map(|item| match item {
        Item::Struct(item) if item.ident == "Client" => base_url(item),
        _ => None,
    });
    *field.ok_or("the generated client has no field `baseurl`")? =
        parse_quote!(crate::base_url::BaseUrl);

    file.items.retain(|item| !constructs(item));
    for item in &mut file.items {
        let Item::Impl(item) = item else { continue };
        for member in &mut item.items {
            if let ImplItem::Fn(method) = member
                && method.sig.asyncness.is_some()
            {
                append_path(method).ok_or_else(|| {
                    format!(
                        "the generated method `{}` builds its URL in an unexpected way",
                        method.sig.ident
                    )
                })?;
            }
        }
    }
    Ok(())
}

/// The type of the field `baseurl`.
fn base_url(client: &mut ItemStruct) -> Option<&mut syn::Type> {
    let mut fields = client.fields.iter_mut();
    let field = fields.find(|field| field.ident.as_ref().is_some_and(|name| name == "baseurl"))?;
    Some(&mut field.ty)
}

/// Whether `item` holds the constructors.
fn constructs(item: &Item) -> bool {
    match item {
        Item::Impl(item) => item.items.iter().any(|member| {
            matches!(member, ImplItem::Fn(method) if method.sig.ident == "new_with_client")
        }),
        _ => false,
    }
}

/// Changes the first statement from `let url = format!("{}/path/{}", self.baseurl, value);` to
/// `let url = self.baseurl.with_path(format_args!("/path/{}", value));`.
fn append_path(method: &mut ImplItemFn) -> Option<()> {
    let Some(Stmt::Local(local)) = method.block.stmts.first_mut() else { return None };
    let url = &mut *local.init.as_mut()?.expr;
    let Expr::Macro(ExprMacro { mac: format, .. }) = &*url else { return None };
    let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
    let mut arguments = format.parse_body_with(arguments).ok()?.into_iter();
    let Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) = arguments.next() else {
        return None;
    };
    let path = LitStr::new(text.value().strip_prefix("{}")?, text.span());
    arguments.next()?; // the base URL
    *url = parse_quote!(self.baseurl.with_path(format_args!(#path, #(#arguments),*)));
    Some(())
}
