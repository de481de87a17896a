//! The client: progenitor's types and mocks, with our methods.

use super::Refusal;
use super::names;
use super::operations::{self, Operation, constant};
use super::schemas::Schemas;
use super::yaml::Node;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, TypePatch};
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};
use std::panic::{self, AssertUnwindSafe};
use syn::{File, Item};

/// Generates the client of a reduced document. Returns it with the operations.
pub(crate) fn generate(document: &Node<'_>) -> Result<(File, Vec<Operation>), Refusal> {
    let mut schemas = Schemas::new(document)?;
    let mut operations = Vec::new();
    let mut paths = Map::new();
    for path in document.each("paths") {
        for method in path.1.inside().into_iter().filter(|(key, _)| key != "parameters") {
            let operation = operations::read(&path, &method, &mut schemas)?;
            paths.entry(&path.0).or_insert(json!({}))[method.0] = operation.described.clone();
            operations.push(operation);
        }
    }
    let types = schemas.0.iter().map(|(name, (_, schema))| (name.clone(), schema.clone()));
    let spec = json!({
        "openapi": "3.0.3",
        "info": document.value["info"],
        "paths": paths,
        "components": { "schemas": types.collect::<Map<_, _>>() },
    });
    let own = own(document, &operations, &schemas)?;
    let file = progenitor(spec, schemas.0.keys()).and_then(|(code, mocks)| {
        let mut file: File = syn::parse2(code)?;
        // These take any base URL, choose timeouts, and send what the document doesn't say.
        file.items.retain(|item| !matches!(item, Item::Impl(item) if item.trait_.is_none()));
        file.items.extend(syn::parse2::<File>(quote! { #own #mocks })?.items);
        Ok(file)
    });
    let file = file.map_err(|error| {
        document.refusal(format!("{error}; progenitor fails on it: leave out what was added last"))
    })?;
    names::check(document, &schemas, &file)?;
    Ok((file, operations))
}

/// Runs progenitor, for the client and for the mocks.
fn progenitor<'n>(
    spec: Value,
    types: impl Iterator<Item = &'n String>,
) -> Result<(TokenStream, TokenStream), Box<dyn std::error::Error>> {
    let spec = serde_json::from_value(spec)?;
    let mut settings = GenerationSettings::new();
    settings.with_inner_type(quote! { crate::hooks::Hooks });
    let mut derive = TypePatch::default();
    derive.with_attr("#[cfg_attr(feature = \"schemars\", derive(schemars::JsonSchema))]");
    for name in types {
        settings.with_patch(name, &derive);
    }
    let generate = || {
        let client = Generator::new(&settings).generate_tokens(&spec)?;
        // A second generator, since the first has already defined the types.
        let mocks = Generator::new(&settings).httpmock(&spec, "crate::generated")?;
        let mocks = quote! {
            /// Typed mocks of the service, one for each operation.
            #[cfg(feature = "httpmock")]
            pub mod mocks {
                #mocks
            }
        };
        Ok((client, mocks))
    };
    panic::catch_unwind(AssertUnwindSafe(generate)).unwrap_or_else(|_| Err("it panicked".into()))
}

/// What progenitor doesn't generate: the methods, and the operations as data.
fn own(
    document: &Node<'_>,
    operations: &[Operation],
    schemas: &Schemas<'_>,
) -> Result<TokenStream, Refusal> {
    let Some(server) = document.at("/servers/0/url").map(|url| url.as_text()) else {
        return Err(document.refusal("there is no server; begin with `- url: https://..`"));
    };
    let methods = operations.iter().map(|it| &it.methods);
    let entries = operations.iter().map(|it| &it.entry);
    let constants = operations.iter().map(|it| constant(&it.name));
    let names = schemas.0.keys();
    let types = schemas.0.keys().map(|name| format_ident!("{name}"));
    let count = names.len();
    Ok(quote! {
        impl Client {
            #(#methods)*
        }
        /// The JSON Schema of each of the [`types`], by its name.
        #[cfg(feature = "schemars")]
        pub fn json_schemas() -> [(&'static str, schemars::Schema); #count] {
            [#((#names, schemars::schema_for!(types::#types))),*]
        }
        /// The URL of the service: the first of the spec's servers.
        pub const SERVER_URL: &str = #server;
        /// The operations of the API as data.
        pub mod operations {
            use crate::operation::Operation;
            #(#entries)*
            /// All operations.
            pub const ALL: &[Operation] = &[#(#constants),*];
        }
    })
}
