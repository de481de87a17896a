//! Mends the generated code: what the generator adds that the spec doesn't say is taken out, and what it
//! leaves out is added.

use quote::quote;
use syn::parse::Parser;
use syn::visit_mut::{VisitMut, visit_expr_mut};
use syn::{
    Attribute, Expr, ExprLit, File, ImplItem, ImplItemFn, Item, Lit, Stmt, TraitItem, parse_quote,
};

pub(crate) fn touch_up(file: &mut File) {
    for item in &mut file.items {
        match item {
            Item::Impl(item) => methods(&mut item.items).for_each(touch_up_method),
            Item::Mod(module) if module.ident == "types" => {
                module.content.iter_mut().flat_map(|(_, items)| items).for_each(touch_up_type);
            }
            Item::Mod(module) if module.ident == "mocks" => {
                module.content.iter_mut().for_each(|(_, items)| document_mocks(items));
            }
            _ => {}
        }
    }
}

/// Takes out the `api-version` header that the generator adds: the API doesn't document it. The others go
/// into the request itself: a map of their own would be a hundredth of what a call costs.
fn touch_up_method(method: &mut ImplItemFn) {
    let holds = |statement: &Stmt, code: &str| quote! { #statement }.to_string().contains(code);
    let statements = &mut method.block.stmts;
    statements
        .retain(|it| !holds(it, "Self :: api_version ()") && !holds(it, "let mut header_map"));
    for statement in statements.iter_mut() {
        HeadersOfRequest.visit_stmt_mut(statement);
    }
    let headers: Vec<Stmt> =
        statements.extract_if(.., |it| holds(it, "request . headers_mut ()")).collect();
    if let Some(made) = statements.iter().position(|it| holds(it, "let mut request")) {
        statements.splice(made + 1..=made, headers);
    }
}

/// Puts the headers of the request in place of `header_map`.
struct HeadersOfRequest;

impl VisitMut for HeadersOfRequest {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_expr_mut(self, expression);
        let Expr::MethodCall(call) = expression else { return };
        if call.method == "headers" {
            *expression = *call.receiver.clone();
        } else if matches!(&*call.receiver, Expr::Path(it) if it.path.is_ident("header_map")) {
            *call.receiver = parse_quote!(request.headers_mut());
            call.method = parse_quote!(insert);
            if let Some(Expr::Lit(ExprLit { lit: Lit::Str(name), .. })) = call.args.first() {
                let lower = name.value().to_ascii_lowercase();
                call.args[0] =
                    parse_quote!(const { ::reqwest::header::HeaderName::from_static(#lower) });
            }
        }
    }
}

/// Has a type derive its JSON Schema, also if the generator names it by itself, and names what of it the
/// spec says nothing about.
fn touch_up_type(item: &mut Item) {
    let attributes = match item {
        Item::Struct(item) => {
            for field in &mut item.fields {
                if let Some(name) = &field.ident {
                    document(
                        &mut field.attrs,
                        &format!("`{name}`, of which the spec says no more."),
                    );
                }
            }
            &mut item.attrs
        }
        Item::Enum(item) => {
            for variant in &mut item.variants {
                let name = variant.ident.to_string();
                document(&mut variant.attrs, &format!("The alternative `{name}`."));
            }
            &mut item.attrs
        }
        _ => return,
    };
    if let Some(at) = attributes.iter().position(|attribute| attribute.path().is_ident("derive")) {
        let derive = quote! { #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))] };
        attributes.splice(at..at, attribute(derive));
    }
}

fn document_mocks(items: &mut [Item]) {
    for item in items {
        match item {
            Item::Mod(module) => {
                document(&mut module.attrs, "What a mock answers, and to which requests.");
                module.content.iter_mut().for_each(|(_, items)| document_mocks(items));
            }
            Item::Struct(item) => {
                let when = item.ident.to_string().ends_with("When");
                let text = if when { "Which requests are answered." } else { "What is answered." };
                document(&mut item.attrs, text);
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let name = &item.self_ty;
                let when = quote! { #name }.to_string().ends_with("When");
                for method in methods(&mut item.items) {
                    let text = match method.sig.ident.to_string().as_str() {
                        "new" => "Wraps the httpmock value.".to_owned(),
                        "into_inner" => {
                            "The httpmock value, for what the spec doesn't say.".to_owned()
                        }
                        name if when => format!("Only requests with this `{name}` are answered."),
                        name => format!("Answers `{name}`, in the form of the spec."),
                    };
                    document(&mut method.attrs, &text);
                }
            }
            Item::Trait(item) => {
                for item in &mut item.items {
                    if let TraitItem::Fn(method) = item {
                        let text = format!("Mocks `{}`.", method.sig.ident);
                        document(&mut method.attrs, &text);
                    }
                }
            }
            _ => {}
        }
    }
}

fn methods(items: &mut [ImplItem]) -> impl Iterator<Item = &mut ImplItemFn> {
    items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    })
}

/// Says what an item is if nothing does.
fn document(attributes: &mut Vec<Attribute>, text: &str) {
    if !attributes.iter().any(|attribute| attribute.path().is_ident("doc")) {
        attributes.extend(attribute(quote! { #[doc = #text] }));
    }
}

fn attribute(tokens: proc_macro2::TokenStream) -> Vec<Attribute> {
    Attribute::parse_outer.parse2(tokens).unwrap_or_default()
}
