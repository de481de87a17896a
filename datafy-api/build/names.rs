//! Refuses names that collide in the generated file, with their places in the document.

use super::Refusal;
use super::node::Node;
use super::operations::Operation;
use super::schemas;
use std::collections::{BTreeMap, BTreeSet};
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

/// Refuses a name that occurs twice in its scope. `types`: the types by name, with their places.
pub(crate) fn check(
    document: &Node<'_>,
    operations: &[Operation<'_>],
    types: &BTreeMap<String, Node<'_>>,
    file: &File,
) -> Result<(), Refusal> {
    let mut all: Vec<Name> = TAKEN.map(|(scope, name)| (scope.into(), name.into())).to_vec();
    add("", &file.items, &mut all);
    let mut seen = BTreeSet::new();
    let Some((scope, name)) = all.iter().find(|name| !seen.insert(*name)) else { return Ok(()) };

    // What it may come from, each with its place.
    let owner = plain(scope.rsplit([':', ' ']).next().unwrap_or_default());
    let mut found: Vec<(String, Node<'_>)> = Vec::new();
    for (own, schema) in types {
        if plain(own) == owner {
            found.extend(schemas::properties(schema)?);
        } else if scope == "types" {
            found.push((own.clone(), schema.clone()));
        }
    }
    for Operation { name: own, parameters, node, .. } in operations {
        if ["", "request", "when"].iter().any(|end| format!("{}{end}", plain(own)) == owner) {
            found.extend(node.get("requestBody").map(|body| ("body".to_owned(), body)));
            found.extend(parameters.iter().map(|it| (it.name.to_owned(), it.node.clone())));
        }
        let id = node.get("operationId").unwrap_or_else(|| node.clone());
        found.extend([own.clone(), format!("{own}_request")].map(|own| (own, id.clone())));
    }
    found.retain(|(own, _)| plain(own) == plain(name));
    let others: Vec<_> = found.iter().skip(1).map(|(_, other)| other.place()).collect();
    let others = if others.is_empty() { "one of its own".to_owned() } else { others.join(", ") };
    let problem = format!("the client would have two `{name}` in `{scope}`: also {others}");
    let place = found.first().map_or(document, |(_, node)| node);
    place.refuse(problem, "use another name, or leave one out")
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
