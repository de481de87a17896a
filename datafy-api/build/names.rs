//! The names in the generated file: refuses those that are not valid or that collide, with their places in the
//! document.

use super::Refusal;
use super::schemas::Schemas;
use super::yaml::Node;
use std::collections::BTreeSet;
use syn::{File, FnArg, Ident, ImplItem, Item, Pat, Type};

/// A name and its scope: the items of a module, the fields of a type, its methods, or the arguments of one.
type Name = (String, String);

/// Methods of `Client` that are not generated, and constructors that a type with one unnamed field would replace.
const TAKEN: [(&str, &str); 6] = [
    ("impl Client", "new"),
    ("impl Client", "clone"),
    ("types", "Ok"),
    ("types", "Err"),
    ("types", "Some"),
    ("types", "None"),
];

/// The name of what is described at `node`.
pub(crate) fn identifier(node: &Node<'_>, name: &str) -> Result<Ident, Refusal> {
    let remedy = "begin it with a letter, and use no keyword of Rust";
    let text = || format!("`{name}` is not a valid name in Rust; {remedy}");
    syn::parse_str(name).map_err(|_| node.refusal(text()))
}

/// Refuses a name that occurs twice in its scope. `types` are the places of the types.
pub(crate) fn check<'a>(
    document: &Node<'a>,
    types: &Schemas<'a>,
    file: &File,
) -> Result<(), Refusal> {
    let mut all: Vec<Name> = TAKEN.map(|(scope, name)| (scope.into(), name.into())).to_vec();
    add("", &file.items, &mut all);
    let mut seen = BTreeSet::new();
    let Some((scope, name)) = all.iter().find(|name| !seen.insert(*name)) else { return Ok(()) };

    let around = types.0.get(scope).map_or(document, |(node, _)| node);
    let mut found = Vec::new();
    spelled(around, &[plain(name), plain(name.trim_end_matches("_request"))], &mut found);
    let others: Vec<_> = found.iter().skip(1).map(Node::place).collect();
    let problem = match &*others {
        [] => format!("the name `{name}` is taken in `{scope}`"),
        _ => format!("the name `{name}` in `{scope}` is also that of {}", others.join(", ")),
    };
    let place = found.first().unwrap_or(around);
    Err(place.refusal(format!("{problem}; use another name, or leave one out")))
}

/// Adds the places below `node` with one of these names.
fn spelled<'a>(node: &Node<'a>, names: &[String], found: &mut Vec<Node<'a>>) {
    for (key, inner) in node.inside() {
        let is_name = ["name", "operationId"].contains(&&*key);
        let own = if is_name { inner.as_text() } else { &key };
        if names.contains(&plain(own)) && !own.starts_with('/') {
            found.push(inner.clone());
        }
        spelled(&inner, names, found);
    }
}

/// Adds the names of `items`, and those below them.
fn add(scope: &str, items: &[Item], all: &mut Vec<Name>) {
    for item in items {
        let mut name = |scope: &str, name: &Ident| all.push((scope.to_owned(), name.to_string()));
        match item {
            Item::Mod(module) => {
                let inner = module.content.as_ref().map_or(&[][..], |(_, items)| items);
                add(&module.ident.to_string(), inner, all);
            }
            Item::Struct(item) => {
                name(scope, &item.ident);
                let fields = item.fields.iter().filter_map(|field| field.ident.as_ref());
                fields.for_each(|field| name(&item.ident.to_string(), field));
            }
            Item::Enum(item) => name(scope, &item.ident),
            Item::Const(item) if item.ident != "_" => name(scope, &item.ident),
            Item::Impl(item) if item.trait_.is_none() => {
                let Type::Path(of) = &*item.self_ty else { continue };
                let of = of.path.segments.last().map(|last| format!("impl {}", last.ident));
                let of = of.unwrap_or_default();
                for member in &item.items {
                    let ImplItem::Fn(method) = member else { continue };
                    name(&of, &method.sig.ident);
                    for input in &method.sig.inputs {
                        if let FnArg::Typed(input) = input
                            && let Pat::Ident(argument) = &*input.pat
                        {
                            name(&format!("{of}::{}", method.sig.ident), &argument.ident);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// A name without what spellings differ in.
fn plain(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
