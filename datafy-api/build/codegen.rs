//! Turns `openapi.yaml` into the source text of the client. The build script and `cargo xtask generate` both call
//! [`generate`]; for the spec of a dependent the build script calls [`generate_other`].
//!
//! `subset` refuses what the generator doesn't take and leaves out what has no effect, `operations` and `schemas` read the
//! rest, `client` generates from it, and `names` refuses names that collide in the result.

use quote::quote;
use syn::{File, parse_quote};

mod client;
mod differences;
mod names;
mod operations;
mod schemas;
pub(crate) mod subset;
pub(crate) mod yaml;

use yaml::{Document, Node};

/// Why no code was generated.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The line of `openapi.yaml`.
    pub(crate) line: Option<u64>,
    /// A JSON pointer. Empty if the document can't be parsed.
    pub(crate) pointer: String,
    /// The problem and, after a semicolon, the remedy.
    pub(crate) text: String,
}

impl Refusal {
    /// One line about the refusal of the spec in `file`.
    pub(crate) fn in_file(&self, file: &str) -> String {
        let place = self.line.map(|line| format!(":{line}: #{}", self.pointer));
        format!("{file}{}: {}", place.unwrap_or_default(), self.text)
    }
}

/// Generates the client for the spec in `yaml`, as formatted Rust.
pub(crate) fn generate(yaml: &str) -> Result<String, Refusal> {
    let (file, _) = client::generate(&Node::root(&read(yaml)?))?;
    Ok(print(file, "Generated from openapi.yaml by `cargo xtask generate`.", None))
}

/// Generates the client for `yaml`, the spec of a dependent. `own` is that of the crate: `datafy-api-ext` doesn't
/// compile with a client that differs in what it sends.
pub(crate) fn generate_other(yaml: &str, own: &str) -> Result<String, Refusal> {
    let (file, operations) = client::generate(&Node::root(&read(yaml)?))?;
    let (_, own) = client::generate(&Node::root(&read(own)?))?;
    let found = differences::between(&own, &operations);
    let error = (!found.is_empty()).then(|| {
        format!(
            "datafy-api is generated from the spec that DATAFY_API_SPEC names, which this version of datafy-api-ext \
             doesn't fit:\n- {}\nuse datafy-api alone, or adapt a copy of datafy-api-ext and remove this line",
            found.join("\n- ")
        )
    });
    Ok(print(file, "Generated from the spec that DATAFY_API_SPEC names.", error.as_deref()))
}

/// Reads a document, and reduces it to what the generator takes.
fn read(yaml: &str) -> Result<Document, Refusal> {
    let document = Document::parse(yaml).map_err(|problem| {
        let text = format!("{problem}; fix the YAML at that place");
        Refusal { line: None, pointer: String::new(), text }
    })?;
    let root = Node::root(&document);
    if !root.text("openapi").starts_with("3.0.") {
        let version = root.get("openapi").unwrap_or(root);
        return Err(
            version.refusal("the document is not of OpenAPI 3.0; begin it with `openapi: 3.0.3`")
        );
    }
    subset::reduce(document)
}

/// Prints the client, with a macro that expands to `error`, if any.
fn print(mut file: File, begin: &str, error: Option<&str>) -> String {
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
