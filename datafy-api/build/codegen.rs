//! Turns `openapi.yaml` into the source text of the client. The build script and `cargo xtask generate` both call
//! [`generate`]; for the spec of a dependent the build script calls [`generate_other`].
//!
//! `subset` refuses what the generator doesn't take, `operations` and `schemas` read the rest, `client` generates from
//! it, and `names` refuses names that collide in the result.

use quote::quote;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use syn::{File, parse_quote};

mod client;
mod differences;
mod names;
mod node;
mod operations;
mod schemas;
pub(crate) mod subset;
pub(crate) mod yaml;

use node::Node;
use yaml::Document;

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
    let client = Client::of(yaml)?;
    Ok(client.print("Generated from openapi.yaml by `cargo xtask generate`.", None))
}

/// Generates the client for `yaml`, the spec of a dependent. `own` is that of the crate: `datafy-api-ext` doesn't
/// compile with a client that differs in what it sends.
pub(crate) fn generate_other(yaml: &str, own: &str) -> Result<String, Refusal> {
    let client = Client::of(yaml)?;
    let found = differences::between(&Client::of(own)?, &client);
    let error = (!found.is_empty()).then(|| {
        format!(
            "datafy-api is generated from the spec that {VARIABLE} names, which this version of datafy-api-ext doesn't \
             fit:\n- {}\nuse datafy-api alone, or adapt a copy of datafy-api-ext and remove this line",
            found.join("\n- ")
        )
    });
    let begin = format!("Generated from the spec that {VARIABLE} names.");
    Ok(client.print(&begin, error.as_deref()))
}

struct Client {
    /// By name: whether the operation is idempotent, and the arguments of its method.
    operations: BTreeMap<String, (bool, String)>,
    file: File,
}

impl Client {
    fn of(yaml: &str) -> Result<Self, Refusal> {
        let document = Document::parse(yaml).map_err(|problem| Refusal {
            line: None,
            pointer: None,
            problem,
            remedy: "fix the YAML at that place",
        })?;
        let document = Node::root(&document);
        if !document.text("openapi").starts_with("3.0.") {
            let version = document.get("openapi").unwrap_or_else(|| document.clone());
            let remedy = "write it in OpenAPI 3.0, and begin it with `openapi: 3.0.3`";
            return version.refuse("the document is not of OpenAPI 3.0", remedy);
        }
        subset::check(&document)?;
        let operations = operations::read(&document)?;
        let file = client::generate(&document, &operations)?;
        let operations = operations.iter().map(|operation| {
            let idempotent = operation.node.is("x-idempotent");
            (operation.name.clone(), (idempotent, differences::arguments(operation)))
        });
        Ok(Self { operations: operations.collect(), file })
    }

    /// Prints the client, with a macro that expands to `error`, if any.
    fn print(mut self, begin: &str, error: Option<&str>) -> String {
        let error = error.map(|error| quote! { compile_error!(#error); });
        self.file.items.push(parse_quote! {
            #[doc(hidden)]
            #[macro_export]
            macro_rules! expect_fitting_spec {
                () => { #error };
            }
        });
        format!("// {begin} Do not edit.\n\n{}", prettyplease::unparse(&self.file))
    }
}

/// The members of an object. Empty if the value is not an object.
#[allow(dead_code, reason = "for xtask")]
pub(crate) fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}
