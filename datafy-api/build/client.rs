//! The client: progenitor's types and mocks, with our methods.

use super::Refusal;
use super::names;
use super::node::Node;
use super::operations::{Operation, Parameter};
use super::schemas::{self, Schemas, Use};
use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, TypePatch};
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};
use std::panic::{self, AssertUnwindSafe};
use syn::{File, Ident, Item, Type, parse_quote};

/// Generates the client of `operations`.
pub(crate) fn generate(document: &Node<'_>, operations: &[Operation<'_>]) -> Result<File, Refusal> {
    let mut schemas = Schemas::new(document, operations)?;
    let mut paths = Map::new();
    let mut methods = Vec::new();
    for operation in operations {
        let described = describe(operation, &mut schemas)?;
        methods.push(self::methods(operation, &described));
        paths.entry(&operation.path).or_insert_with(|| json!({}))[operation.method] = described;
    }
    let spec = json!({
        "openapi": "3.0.3",
        "info": document.get("info").map(|info| info.copy(&["title", "description", "version"])),
        "paths": paths,
        "components": { "schemas": schemas.components },
    });
    let rest = rest(document, operations);
    let file = progenitor(spec, schemas.types.keys()).and_then(|(code, mocks)| {
        let mut file: File = syn::parse2(code)?;
        // These take any base URL, choose timeouts, and send what the document doesn't say.
        file.items.retain(|item| !matches!(item, Item::Impl(item) if item.trait_.is_none()));
        let own: File = parse_quote! { impl Client { #(#methods)* } #rest #mocks };
        file.items.extend(own.items);
        Ok(file)
    });
    let file = file.map_err(|error| {
        document.refusal(error.to_string(), "progenitor fails on it: leave out what was added last")
    })?;
    names::check(document, operations, &schemas.types, &file)?;
    Ok(file)
}

/// The operation in the form that progenitor gets, with the types of its bodies as references.
fn describe<'a>(operation: &Operation<'a>, schemas: &mut Schemas<'a>) -> Result<Value, Refusal> {
    let Operation { name, parameters, body, statuses, answer, node, .. } = operation;
    let mut body_of = |schema: &Option<Node<'a>>, end, sent| {
        let Some(schema) = schema else { return Ok(json!({})) };
        let name = format!("{name}_{end}").to_upper_camel_case();
        let schema = schemas.named(schema, Use { sent, answered: !sent }, &name)?;
        Ok::<_, Refusal>(json!({ "application/json": { "schema": schema } }))
    };
    let parameters = parameters.iter().map(|it| {
        let mut parameter = it.node.copy(&["name", "in", "required", "description"]);
        parameter["schema"] = it.schema.clone();
        parameter
    });
    let response = json!({ "description": "", "content": body_of(answer, "response", false)? });
    let responses: Map<_, _> = statuses.iter().map(|it| (it.clone(), response.clone())).collect();
    let mut described = node.copy(&["operationId", "summary", "description"]);
    described["parameters"] = parameters.collect();
    described["responses"] = json!(responses);
    if body.is_some() {
        described["requestBody"] = json!({ "content": body_of(body, "body", true)? });
    }
    Ok(described)
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
        Ok((
            client,
            quote! {
                /// Typed mocks of the service, one for each operation.
                #[cfg(feature = "httpmock")]
                pub mod mocks {
                    #mocks
                }
            },
        ))
    };
    panic::catch_unwind(AssertUnwindSafe(generate)).unwrap_or_else(|_| Err("it panicked".into()))
}

/// The name and the type of an argument, before `body`.
pub(crate) fn argument(parameter: &Parameter<'_>) -> (Ident, Type) {
    let name = parameter.name.to_snake_case();
    let all = [name.clone(), format!("{name}_"), format!("_{name}")];
    let name = all.iter().find_map(|name| syn::parse_str(name).ok());
    let text = |key: &str| parameter.schema[key].as_str().unwrap_or_default();
    let value: Type = match (text("type"), text("format")) {
        ("string", "date") => parse_quote!(::chrono::naive::NaiveDate),
        ("integer", "int32") => parse_quote!(i32),
        ("integer", _) => parse_quote!(i64),
        ("number", "float") => parse_quote!(f32),
        ("number", _) => parse_quote!(f64),
        ("boolean", _) => parse_quote!(bool),
        _ => parse_quote!(&'a str),
    };
    let kind = match parameter.exploded_list {
        Some(_) => parse_quote!(impl IntoIterator<Item = #value>),
        None if parameter.node.is("required") => value,
        None => parse_quote!(Option<#value>),
    };
    (name.unwrap_or_else(|| format_ident!("_")), kind)
}

/// The two methods of an operation: one that builds its request, and one that sends it and reads the answer.
fn methods(operation: &Operation<'_>, described: &Value) -> TokenStream {
    let call = format_ident!("{}", operation.name);
    let build = format_ident!("{call}_request");
    let constant = constant(operation);
    let type_of = |content: Option<&Value>| {
        let reference = content?.pointer("/application~1json/schema/$ref")?.as_str()?;
        let name = reference.rsplit('/').next()?.to_upper_camel_case();
        Some(format_ident!("{name}"))
    };

    let mut steps = Vec::new();
    let (mut names, mut arguments) = (Vec::new(), Vec::new());
    let sends = format!("Sends `{} {}`.", operation.method.to_uppercase(), operation.path);
    let mut docs = vec![
        operation.node.text("summary").to_owned(),
        operation.node.text("description").to_owned(),
        sends,
    ];
    if operation.answer.is_some() {
        steps.push(quote! { .accept_json() });
    }
    for parameter in &operation.parameters {
        let Parameter { name, place, exploded_list, node, .. } = parameter;
        let (own, kind) = argument(parameter);
        let value = if node.is("required") {
            quote! { Some(#own) }
        } else {
            quote! { #own }
        };
        steps.push(match (*place, exploded_list) {
            ("path", _) => quote! { .path(#name, #own)? },
            ("header", _) => {
                let name = name.to_ascii_lowercase();
                quote! { .header(#name, #value)? }
            }
            (_, None) => quote! { .query(#name, #value) },
            (_, Some(exploded)) => quote! { .list(#name, #exploded, #own) },
        });
        docs.push(format!("- `{own}`: {}", node.text("description")));
        arguments.push(quote! { #own: #kind });
        names.push(own);
    }
    if let Some(body) = type_of(described.pointer("/requestBody/content")) {
        names.push(format_ident!("body"));
        if operation.body_is_required {
            steps.push(quote! { .json(Some(body))? });
            arguments.push(quote! { body: &'a types::#body });
        } else {
            steps.push(quote! { .json(body.into())? });
            arguments.push(quote! { body: impl Into<Option<&'a types::#body>> });
            docs.push("- `body`: with `None` no body is sent".to_owned());
        }
    }

    let statuses = operation.statuses.iter().filter_map(|status| status.parse::<u16>().ok());
    let answer =
        type_of(described.pointer(&format!("/responses/{}/content", operation.statuses[0])));
    let read = match answer {
        Some(_) => quote! { ResponseValue::from_response(response).await },
        None => quote! { Ok(ResponseValue::empty(response)) },
    };
    let answer = answer.map_or_else(|| quote! { () }, |answer| quote! { types::#answer });
    docs.retain(|text| !text.is_empty());
    let docs = docs.join("\n\n");
    let about = format!(
        "Builds the request that [`{call}`](Self::{call}) sends, with the token in its headers."
    );
    quote! {
        #[doc = #about]
        pub fn #build<'a>(&'a self, #(#arguments),*) -> Result<reqwest::Request, Error<()>> {
            crate::request::Builder::new(self, &operations::#constant) #(#steps)* .build()
        }
        #[doc = #docs]
        pub async fn #call<'a>(&'a self, #(#arguments),*) -> Result<ResponseValue<#answer>, Error<()>> {
            let request = self.#build(#(#names),*)?;
            let response = self.inner.send(&self.client, request).await?;
            match response.status().as_u16() {
                #(#statuses)|* => #read,
                _ => Err(Error::UnexpectedResponse(response)),
            }
        }
    }
}

/// The name of the operation's constant in the table of operations.
fn constant(operation: &Operation<'_>) -> Ident {
    format_ident!("{}", operation.name.to_uppercase())
}

/// The operations as data, and what else progenitor doesn't generate.
fn rest(document: &Node<'_>, operations: &[Operation<'_>]) -> TokenStream {
    let server = document.at("/servers/0/url").map(|url| url.as_text());
    let constants: Vec<_> = operations.iter().map(constant).collect();
    let entries = operations.iter().zip(&constants).map(|(operation, constant)| {
        let Operation { name, path, parameters, body, node, .. } = operation;
        let method = operation.method.to_uppercase();
        let idempotent = node.is("x-idempotent");
        let query = parameters.iter().filter(|it| it.place == "query").map(|it| it.name);
        let headers = parameters.iter().filter(|it| it.place == "header");
        let headers = headers.map(|it| it.name.to_ascii_lowercase());
        let body = body.as_ref().map(schemas::settable).unwrap_or_default();
        let doc = format!("`{method} {path}`");
        quote! {
            #[doc = #doc]
            pub const #constant: Operation = Operation {
                name: #name,
                method: #method,
                path: #path,
                idempotent: #idempotent,
                query: &[#(#query),*],
                headers: &[#(#headers),*],
                body: &[#(#body),*],
            };
        }
    });
    let components = document.get("components").map(|it| it.each("schemas")).unwrap_or_default();
    let names: Vec<_> = components.iter().map(|(name, _)| name.to_upper_camel_case()).collect();
    let types = names.iter().map(|name| format_ident!("{name}"));
    let count = names.len();
    quote! {
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
    }
}
