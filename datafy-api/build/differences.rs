//! Compares two generated clients: whether code that was written for one fits the other.

use quote::ToTokens;
use std::collections::BTreeMap;
use syn::{Attribute, Fields, File, FnArg, ImplItem, Item, Pat, Type};

/// The names of the argument for the sub-account: in the vendor's page of record, and since its revision.
const SUB_ACCOUNT: [&str; 2] = ["x_datafy_sub_account_id", "accounts"];

/// What code for `own` uses and `other` lacks or has in another form, one sentence for each. Further operations, and
/// further optional properties of a request, are no differences.
pub(crate) fn between(own: &File, other: &File) -> Vec<String> {
    let (own, other) = (Client::of(own), Client::of(other));
    let mut found = Vec::new();
    for (name, arguments) in &own.methods {
        let operation = name.trim_end_matches("_request");
        match other.methods.get(name) {
            None => found.push(format!("there is no operation `{operation}`")),
            Some(others) if others != arguments => {
                let names = |all: &Members| {
                    all.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(", ")
                };
                let (own, other) = (names(arguments), names(others));
                found.push(if own == other {
                    format!("an argument of `{operation}` ({own}) has another type")
                } else {
                    format!("`{operation}` takes ({other}) instead of ({own})")
                });
            }
            Some(_) => {}
        }
    }
    for (name, kind) in &own.types {
        let Some(others) = other.types.get(name) else {
            found.push(format!("there is no type `{name}`"));
            continue;
        };
        for (member, kind) in &kind.members {
            match others.members.iter().find(|(other, _)| other == member) {
                None => found.push(format!("`{name}` has no `{member}`")),
                Some((_, other)) if other != kind => {
                    found.push(format!("`{member}` of `{name}` has another type"));
                }
                Some(_) => {}
            }
        }
        // Code that makes a value of the type names each field, unless the value can begin with the defaults.
        let request = format!("types :: {name}");
        let is_request = own.methods.values().flatten().any(|(_, kind)| kind.ends_with(&request));
        let may_grow = kind.is_enum || is_request && kind.has_default && others.has_default;
        for (member, _) in others.members.iter().filter(|_| !may_grow) {
            if !kind.members.iter().any(|(own, _)| own == member) {
                found.push(format!("`{name}` also has `{member}`"));
            }
        }
    }
    found
}

/// Names and types, in order.
type Members = Vec<(String, String)>;

/// The parts of a generated client that other code names.
struct Client {
    /// The arguments of the methods that build requests.
    methods: BTreeMap<String, Members>,
    types: BTreeMap<String, Kind>,
}

/// A generated type: the fields of a struct, or the variants of an enum.
struct Kind {
    members: Members,
    is_enum: bool,
    has_default: bool,
}

impl Client {
    fn of(file: &File) -> Self {
        let mut client = Self { methods: BTreeMap::new(), types: BTreeMap::new() };
        for item in &file.items {
            match item {
                Item::Impl(item) if is_client(&item.self_ty) => {
                    for member in &item.items {
                        if let ImplItem::Fn(method) = member
                            && let name = method.sig.ident.to_string()
                            && name.ends_with("_request")
                        {
                            let arguments = method.sig.inputs.iter().filter_map(argument).collect();
                            client.methods.insert(name, arguments);
                        }
                    }
                }
                Item::Mod(module) if module.ident == "types" => {
                    let items = module.content.iter().flat_map(|(_, items)| items);
                    client.types.extend(items.filter_map(kind));
                }
                _ => {}
            }
        }
        client
    }
}

fn is_client(of: &Type) -> bool {
    matches!(of, Type::Path(path) if path.path.is_ident("Client"))
}

fn argument(input: &FnArg) -> Option<(String, String)> {
    let FnArg::Typed(typed) = input else { return None };
    let Pat::Ident(name) = &*typed.pat else { return None };
    let kind = text(&typed.ty);
    // An optional body is accepted in the form of a required one, and a list in that of one optional value.
    let inside = |begin, end| kind.strip_prefix(begin)?.strip_suffix(end);
    let body = inside("impl Into < Option < ", " > >").map(str::to_owned);
    let list = inside("impl Into < crate :: query :: List < 'a , ", " > >");
    let kind =
        body.or(list.map(|item| format!("Option < {item} >"))).unwrap_or_else(|| kind.clone());
    let name = name.ident.to_string();
    let name = if SUB_ACCOUNT.contains(&&*name) { "sub_account".to_owned() } else { name };
    Some((name, kind))
}

fn kind(item: &Item) -> Option<(String, Kind)> {
    let (name, attributes, members, is_enum) = match item {
        Item::Struct(item) => (&item.ident, &item.attrs, fields(&item.fields), false),
        Item::Enum(item) => {
            let variants = item.variants.iter();
            let members = variants.map(|it| (it.ident.to_string(), text(&it.fields))).collect();
            (&item.ident, &item.attrs, members, true)
        }
        _ => return None,
    };
    let derives_default = |it: &Attribute| {
        it.path().is_ident("derive") && it.to_token_stream().to_string().contains("Default")
    };
    let has_default = attributes.iter().any(derives_default);
    Some((name.to_string(), Kind { members, is_enum, has_default }))
}

fn fields(fields: &Fields) -> Members {
    let name = |at: usize, field: &syn::Field| {
        field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string)
    };
    fields.iter().enumerate().map(|(at, field)| (name(at, field), text(&field.ty))).collect()
}

fn text(code: &impl ToTokens) -> String {
    code.to_token_stream().to_string()
}
