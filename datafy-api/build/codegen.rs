//! Turns `openapi.yaml` into the source text of the client. The build script and `cargo xtask generate` both call
//! [`generate`]; for the spec of a dependent the build script calls [`generate_other`].
//!
//! `examine` rejects what the generator can't handle, `prepare` changes the spec and `adapt` the generated code where
//! the generator would deviate from the spec, `client` runs the generator, and `table` adds the operations as data.

use heck::{ToSnakeCase, ToUpperCamelCase};
use openapiv3::OpenAPI;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::{format_ident, quote};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};
use syn::{Attribute, File, Item, parse_quote};

mod base_url;
mod differences;
mod lists;
mod optional_bodies;
mod parameters;
mod prepare;
mod request_methods;
mod syntax;
pub(crate) mod yaml;

use parameters::Parameters;
use yaml::{Document, escape};

pub(crate) const METHODS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Why no code was generated: the place in the spec, the problem, and the remedy.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The line of `openapi.yaml`.
    pub(crate) line: Option<u64>,
    /// A JSON pointer, or `None` if the document can't be parsed.
    pub(crate) pointer: Option<String>,
    pub(crate) problem: String,
    pub(crate) remedy: &'static str,
}

impl Refusal {
    fn at(
        document: &Document,
        pointer: &str,
        problem: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        let pointer = Some(pointer.to_owned());
        let line = pointer.as_deref().and_then(|pointer| document.line(pointer));
        Self { line, pointer, problem: problem.into(), remedy }
    }

    /// One line about the refusal of the spec in `file`.
    pub(crate) fn in_file(&self, file: &str) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let place =
            self.pointer.as_ref().map(|pointer| format!(": #{pointer}")).unwrap_or_default();
        format!("{file}{line}{place}: {}; {}", self.problem, self.remedy)
    }
}

/// The environment variable that names the spec of a dependent.
pub(crate) const VARIABLE: &str = "DATAFY_API_SPEC";

/// Generates the client for the spec in `yaml`, as formatted Rust.
pub(crate) fn generate(yaml: &str) -> Result<String, Refusal> {
    Ok(print("Generated from openapi.yaml by `cargo xtask generate`.", generate_file(yaml)?, None))
}

/// Generates the client for `yaml`, the spec of a dependent. `own` is that of the crate: `datafy-api-ext` doesn't
/// compile with a client that differs in what it uses.
pub(crate) fn generate_other(yaml: &str, own: &str) -> Result<String, Refusal> {
    let file = generate_file(yaml)?;
    let found = differences::between(&generate_file(own)?, &file);
    let error = (!found.is_empty()).then(|| {
        format!(
            "datafy-api is generated from the spec that {VARIABLE} names, which this version of datafy-api-ext doesn't \
             fit:\n- {}\nuse datafy-api alone, or adapt a copy of datafy-api-ext and remove this line",
            found.join("\n- ")
        )
    });
    let begin = format!("Generated from the spec that {VARIABLE} names.");
    Ok(print(&begin, file, error.as_deref()))
}

/// Prints the client, with a macro that expands to `error`, if any.
fn print(begin: &str, mut file: File, error: Option<&str>) -> String {
    let error = error.map(|error| quote! { compile_error!(#error); });
    file.items.push(parse_quote! {
        #[doc(hidden)]
        #[macro_export]
        macro_rules! expect_fitting_spec {
            () => { #error };
        }
    });
    format!("// {begin} Do not edit.\n\n{}", prettyplease::unparse(&file))
}

fn generate_file(yaml: &str) -> Result<File, Refusal> {
    let document = Document::parse(yaml).map_err(|problem| Refusal {
        line: None,
        pointer: None,
        problem,
        remedy: "fix the YAML at that place",
    })?;
    let operations = examine(&document)?;
    let spec = prepare::prepare(&document, &operations);
    let spec: OpenAPI = serde_json::from_value(spec).map_err(|error| {
        Refusal::at(&document, "", error.to_string(), "make it an OpenAPI 3.0 document")
    })?;
    let client = client(&document, &spec)?;
    let table = table(&document, &operations)?;
    let mut file: File = syn::parse2(quote! { #client #table }).map_err(|error| {
        Refusal::at(
            &document,
            "",
            error.to_string(),
            "the generator wrote code that is not Rust; report it to progenitor",
        )
    })?;
    adapt(&mut file, &operations).map_err(|problem| {
        Refusal::at(
            &document,
            "/paths",
            problem,
            "adapt the sources in datafy-api/build to this version of progenitor",
        )
    })?;
    derive_json_schemas(&mut file);
    Ok(file)
}

/// Changes the generated code where it does something else than the spec says, or does more work than is needed.
fn adapt(file: &mut File, operations: &[Operation]) -> Result<(), String> {
    base_url::keep_parsed(file)?;
    for Operation { name, parameters, body_is_optional, .. } in operations {
        parameters.lists.iter().try_for_each(|list| lists::send(&mut file.items, name, list))?;
        if *body_is_optional {
            syntax::method(&mut file.items, "Client", name)
                .and_then(optional_bodies::accept)
                .ok_or_else(|| {
                    format!("the generated `{name}` sends its body in an unexpected way")
                })?;
        }
    }
    request_methods::split(file)
}

/// An operation, as the table of operations lists it, and what the generator doesn't take from the spec.
struct Operation {
    name: String,
    method: String,
    path: String,
    idempotent: bool,
    parameters: Parameters,
    body_is_optional: bool,
    pointer: String,
    /// The JSON pointer to the schema of its request, which exists if it has a body.
    request: String,
}

/// Rejects what the generator can't handle, or would silently generate differently from the spec.
fn examine(document: &Document) -> Result<Vec<Operation>, Refusal> {
    let root = &document.value;
    match root.get("openapi") {
        Some(Value::String(version)) if version.starts_with("3.0.") => {}
        Some(version) => {
            return Err(Refusal::at(
                document,
                "/openapi",
                format!("the generator doesn't read OpenAPI {version}"),
                "write the document in OpenAPI 3.0.3",
            ));
        }
        None => {
            return Err(Refusal::at(
                document,
                "",
                "the document has no `openapi` version",
                "begin the document with `openapi: 3.0.3`",
            ));
        }
    }
    references(document, root, "")?;
    for (name, _) in members(root.pointer("/components/schemas")) {
        if syn::parse_str::<syn::Ident>(&name.to_upper_camel_case()).is_err() {
            return Err(Refusal::at(
                document,
                &format!("/components/schemas/{}", escape(name)),
                format!("the name of the schema `{name}` is not a valid Rust type"),
                "use a name that begins with a letter and is not a keyword of Rust",
            ));
        }
    }

    let mut operations: Vec<Operation> = Vec::new();
    let mut ids = BTreeMap::new();
    for (path, item) in members(root.get("paths")) {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let pointer = format!("/paths/{}/{method}", escape(path));
            let Some(id) = operation.get("operationId").and_then(Value::as_str) else {
                return Err(Refusal::at(
                    document,
                    &pointer,
                    "the operation has no `operationId`",
                    "give it one: it becomes the name of the method",
                ));
            };
            // The name that the generator gives the method.
            let name = id.to_snake_case();
            if syn::parse_str::<syn::Ident>(&name).is_err() {
                return Err(Refusal::at(
                    document,
                    &format!("{pointer}/operationId"),
                    format!("the operationId `{id}` is not a valid Rust method name"),
                    "use a name that begins with a letter and is not a keyword of Rust",
                ));
            }
            for method in [format!("{name}_request"), name.clone()] {
                if let Some(other) = ids.insert(method, pointer.clone()) {
                    return Err(Refusal::at(
                        document,
                        &format!("{pointer}/operationId"),
                        format!("the operationId `{id}` is already taken by #{other}"),
                        "make each ID unique, also with `Request` appended to the others",
                    ));
                }
            }
            let Some(idempotent) = operation.get("x-idempotent").and_then(Value::as_bool) else {
                return Err(Refusal::at(
                    document,
                    &pointer,
                    format!("`{id}` doesn't say whether it is idempotent"),
                    "add `x-idempotent: true` (a retry leads to the same state) or `x-idempotent: false` (a retry creates a second object)",
                ));
            };
            let request = resolve(document, format!("{pointer}/requestBody"));
            let body_is_optional = body(document, operation, &request)?;
            if operation.pointer("/responses/default").is_some() {
                return Err(Refusal::at(
                    document,
                    &format!("{pointer}/responses/default"),
                    "the generator also reads a success as the `default` response, and fails on it",
                    "leave it out: the caller gets undocumented answers unchanged",
                ));
            }
            operations.push(Operation {
                name,
                method: method.to_uppercase(),
                path: path.clone(),
                idempotent,
                parameters: parameters::examine(document, path, &pointer)?,
                body_is_optional,
                request: resolve(document, format!("{request}/content/application~1json/schema")),
                pointer,
            });
        }
    }
    Ok(operations)
}

/// Rejects the body at `pointer` if the generator can't send it. Returns whether the operation has one and it is optional.
fn body(document: &Document, operation: &Value, pointer: &str) -> Result<bool, Refusal> {
    let Some(body) = document.value.pointer(pointer) else { return Ok(false) };
    let content = format!("{pointer}/content");
    if !members(body.get("content")).map(|(media, _)| media).eq(["application/json"]) {
        return Err(Refusal::at(
            document,
            &content,
            "the generator supports one media type per request",
            "keep only `application/json`",
        ));
    }
    let schema = resolve(document, format!("{content}/application~1json/schema"));
    let properties = format!("{schema}/properties");
    for (name, _) in members(document.value.pointer(&properties)) {
        nested(document, format!("{properties}/{}", escape(name)), true, &mut Vec::new())?;
    }
    let reference = format!("\"#{schema}\"");
    if operation.get("responses").is_some_and(|answers| answers.to_string().contains(&reference)) {
        return Err(Refusal::at(
            document,
            &schema,
            "a request and an answer share this schema, but read-only properties are removed from requests",
            "use two schemas",
        ));
    }
    Ok(body.get("required") != Some(&Value::Bool(true)))
}

/// Follows the `$ref` at `pointer`, if any, and returns the pointer to the schema itself.
fn resolve(document: &Document, pointer: String) -> String {
    let target = document.value.pointer(&pointer).and_then(|schema| schema.get("$ref"));
    match target.and_then(Value::as_str).and_then(|target| target.strip_prefix('#')) {
        Some(target) => resolve(document, target.to_owned()),
        None => pointer,
    }
}

/// Whether the `$ref`s from `pointer` on form a circle.
fn leads_back(document: &Document, pointer: &str) -> bool {
    let next =
        |pointer: &&str| document.value.pointer(pointer)?.get("$ref")?.as_str()?.strip_prefix('#');
    let mut seen = BTreeSet::new();
    !std::iter::successors(Some(pointer), next).all(|pointer| seen.insert(pointer))
}

/// Rejects `readOnly` and `default` in nested properties of a request: `prepare` removes them only from the
/// properties of the body itself. `top`: the schema at `pointer` is such a property.
fn nested(
    document: &Document,
    pointer: String,
    top: bool,
    seen: &mut Vec<String>,
) -> Result<(), Refusal> {
    let pointer = resolve(document, pointer);
    if seen.contains(&pointer) {
        return Ok(());
    }
    seen.push(pointer.clone());
    let Some(schema) = document.value.pointer(&pointer) else { return Ok(()) };
    for word in ["readOnly", "default"] {
        if !top && schema.get(word).is_some() {
            return Err(Refusal::at(
                document,
                &format!("{pointer}/{word}"),
                format!("the generator would ignore `{word}` in a nested property of a request"),
                "move the property to the top level of the request, or remove `readOnly` and `default`",
            ));
        }
    }
    for (name, _) in members(schema.get("properties")) {
        nested(document, format!("{pointer}/properties/{}", escape(name)), false, seen)?;
    }
    for list in ["oneOf", "anyOf", "allOf"] {
        let alternatives = schema.get(list).and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..alternatives {
            nested(document, format!("{pointer}/{list}/{index}"), false, seen)?;
        }
    }
    for inner in ["items", "additionalProperties"] {
        if schema.get(inner).is_some_and(Value::is_object) {
            nested(document, format!("{pointer}/{inner}"), false, seen)?;
        }
    }
    Ok(())
}

/// Rejects each `$ref` below `value` that leads to no place in the document.
fn references(document: &Document, value: &Value, pointer: &str) -> Result<(), Refusal> {
    match value {
        Value::Object(object) => {
            for (key, member) in object {
                let inner = format!("{pointer}/{}", escape(key));
                match (key.as_str(), member) {
                    ("$ref", Value::String(target)) => {
                        let problem = match target.strip_prefix('#') {
                            Some(target) if leads_back(document, target) => "leads back to itself",
                            Some(target) if document.value.pointer(target).is_some() => continue,
                            _ => "leads nowhere",
                        };
                        return Err(Refusal::at(
                            document,
                            &inner,
                            format!("the reference `{target}` {problem}"),
                            "name a component of this document",
                        ));
                    }
                    _ => references(document, member, &inner)?,
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            references(document, item, &format!("{pointer}/{index}"))
        }),
        _ => Ok(()),
    }
}

/// Generates the client and the mocks of the service.
fn client(document: &Document, spec: &OpenAPI) -> Result<proc_macro2::TokenStream, Refusal> {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote! { crate::hooks::Hooks });
    let code = || {
        let client = Generator::new(&settings).generate_tokens(spec)?;
        // A second generator, since the first has already defined the types.
        let mocks = Generator::new(&settings).httpmock(spec, "crate::generated")?;
        Ok::<_, progenitor::Error>(quote! {
            #client
            /// Typed mocks of the service, one for each operation.
            #[cfg(feature = "httpmock")]
            pub mod mocks {
                #mocks
            }
        })
    };
    // The generator often panics on what it can't handle.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(code));
    panic::set_hook(hook);
    let problem = match result {
        Ok(Ok(tokens)) => return Ok(tokens),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "the generator panicked".to_owned()),
    };
    Err(Refusal::at(document, "/paths", problem, "write it in a form that progenitor supports"))
}

/// Derives the JSON Schema of each type. [`GenerationSettings::with_patch`] doesn't reach the types whose names the
/// generator chooses.
fn derive_json_schemas(file: &mut File) {
    let derive: Attribute =
        parse_quote!(#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]);
    let types = file.items.iter_mut().filter_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_mut(),
        _ => None,
    });
    for item in types.flat_map(|(_, items)| items) {
        let attributes = match item {
            Item::Struct(item) => &mut item.attrs,
            Item::Enum(item) => &mut item.attrs,
            _ => continue,
        };
        if let Some(at) = attributes.iter().position(|it| it.path().is_ident("derive")) {
            attributes.insert(at, derive.clone());
        }
    }
}

/// Generates the operations as data, for code that lists them without calling them.
fn table(
    document: &Document,
    operations: &[Operation],
) -> Result<proc_macro2::TokenStream, Refusal> {
    let Some(server) = document.value.pointer("/servers/0/url").and_then(Value::as_str) else {
        return Err(Refusal::at(
            document,
            "",
            "the document has no server",
            "set the URL of the service in `servers`",
        ));
    };
    let constants: Vec<_> = operations
        .iter()
        .map(|operation| format_ident!("{}", operation.name.to_uppercase()))
        .collect();
    let entries = operations.iter().zip(&constants).map(|(operation, constant)| {
        let Operation { name, method, path, idempotent, parameters, request, .. } = operation;
        let Parameters { query, headers, .. } = parameters;
        let body = members(document.value.pointer(&format!("{request}/properties")))
            .filter(|(_, property)| property.get("readOnly") != Some(&Value::Bool(true)))
            .map(|(name, _)| name);
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
    let schemas = members(document.value.pointer("/components/schemas")).map(|(name, _)| {
        let name = name.to_upper_camel_case();
        let ident = format_ident!("{name}");
        quote! { (#name, schemars::schema_for!(types::#ident)) }
    });
    let schemas: Vec<_> = schemas.collect();
    let count = schemas.len();
    Ok(quote! {
        /// The JSON Schema of each of the [`types`], by its name.
        #[cfg(feature = "schemars")]
        pub fn json_schemas() -> [(&'static str, schemars::Schema); #count] {
            [#(#schemas),*]
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

/// The members of an object. Empty if the value is not an object.
pub(crate) fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}
