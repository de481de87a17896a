//! The operations of a reduced document, and the code of each.

use super::Refusal;
use super::names::identifier;
use super::schemas::{Schemas, properties, reference};
use super::yaml::Node;
use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use syn::Ident;

pub(crate) struct Operation {
    /// The operation ID in snake case, as progenitor names its methods.
    pub(crate) name: Ident,
    pub(crate) is_idempotent: bool,
    pub(crate) arguments: Vec<Argument>,
    /// What progenitor gets.
    pub(crate) described: Value,
    /// The two methods: one that builds the request, and one that sends it and reads the answer.
    pub(crate) methods: TokenStream,
    /// Its entry in the table of operations.
    pub(crate) entry: TokenStream,
}

/// An argument of the two methods.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) kind: String,
    /// The call that adds its value to the request.
    step: TokenStream,
    doc: String,
}

pub(crate) fn constant(name: &Ident) -> Ident {
    format_ident!("{}", name.to_string().to_uppercase())
}

/// Reads the operation that `path` and `method` describe.
pub(crate) fn read<'a>(
    (path, around): &(String, Node<'a>),
    (method, node): &(String, Node<'a>),
    schemas: &mut Schemas<'a>,
) -> Result<Operation, Refusal> {
    let id = node.get("operationId").unwrap_or_else(|| node.clone());
    let name = identifier(&id, &id.as_text().to_snake_case())?;
    let parameters = parameters(path, around, node)?;
    let (mut arguments, mut described) = (Vec::new(), Vec::new());
    for parameter in &parameters {
        let (argument, parameter) = self::argument(parameter)?;
        arguments.push(argument);
        described.push(parameter);
    }
    let request = node.get("requestBody").map(Node::resolved);
    let body = request.as_ref().and_then(schema);
    let settable = body.as_ref().map(properties).transpose()?.unwrap_or_default();
    let body = schemas.of_body(body.as_ref(), &name, "body")?;
    arguments.extend(body.iter().zip(&request).map(body_argument));
    let (statuses, answer) = answer(node)?;
    let answer = schemas.of_body(answer.as_ref(), &name, "response")?;

    let content = |of: &Ident| json!({ "application/json": { "schema": reference(of) } });
    let response = answer.as_ref().map_or(json!({}), content);
    let response = json!({ "description": "", "content": response });
    let responses = statuses.iter().map(|it| (it.to_string(), response.clone()));
    let described = json!({
        "operationId": id.value,
        "parameters": described,
        "requestBody": body.as_ref().map(|of| json!({ "content": content(of) })),
        "responses": responses.collect::<Map<_, _>>(),
    });

    let method = method.to_uppercase();
    let constant = constant(&name);
    let methods = methods(
        &name,
        &arguments,
        &statuses,
        answer.as_ref(),
        [node.text("summary"), node.text("description"), &format!("Sends `{method} {path}`.")],
    );
    let is_idempotent = node.value["x-idempotent"] == true;
    let names = |place: &str| {
        let all = parameters.iter().filter(|it| it.text("in") == place);
        all.map(|it| it.text("name").to_owned()).collect::<Vec<_>>()
    };
    let (query, headers) = (names("query"), names("header"));
    let headers = headers.iter().map(|name| name.to_ascii_lowercase());
    let settable = settable.keys();
    let (doc, text) = (format!("`{method} {path}`"), name.to_string());
    let entry = quote! {
        #[doc = #doc]
        pub const #constant: Operation = Operation {
            name: #text,
            method: #method,
            path: #path,
            idempotent: #is_idempotent,
            query: &[#(#query),*],
            headers: &[#(#headers),*],
            body: &[#(#settable),*],
        };
    };
    Ok(Operation { name, is_idempotent, arguments, described, methods, entry })
}

/// The parameters of an operation, in the order of the arguments.
fn parameters<'a>(
    path: &str,
    around: &Node<'a>,
    node: &Node<'a>,
) -> Result<Vec<Node<'a>>, Refusal> {
    let read = |node: &Node<'a>| {
        node.each("parameters").into_iter().map(|(_, it)| it.resolved()).collect::<Vec<_>>()
    };
    let key = |it: &Node<'a>| (it.text("in"), it.text("name"));
    let (mut all, mut shared) = (read(node), read(around));
    shared.retain(|it| all.iter().all(|own| key(own) != key(it)));
    all.extend(shared);

    let names = path.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
    let names: BTreeSet<_> = names.collect();
    let mut plain = path.to_owned();
    for name in &names {
        plain = plain.replacen(&format!("{{{name}}}"), "name", 1);
    }
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~/:@!&',;=".contains(&it);
    let has_dots = plain.split('/').any(|segment| matches!(segment, "." | ".."));
    if !plain.starts_with('/') || !plain.bytes().all(is_plain) || plain.contains("//") || has_dots {
        let remedy =
            "begin with `/`, use letters, digits and -._~:@!&',;= only, and each `{name}` once";
        let text = format!("the path `{path}` would not be sent as it is written; {remedy}");
        return Err(around.refusal(text));
    }
    let described = all.iter().map(key).filter(|(place, _)| *place == "path");
    if described.map(|(_, name)| name).collect::<BTreeSet<_>>() != names {
        let remedy = "describe each `{name}` of the path with `in: path`";
        return Err(
            node.refusal(format!("the path parameters are not those of `{path}`; {remedy}"))
        );
    }
    all.sort_by_key(|it| match key(it) {
        ("path", name) => (0, path.find(&format!("{{{name}}}")), name),
        ("query", name) => (1, None, name),
        (_, name) => (2, None, name),
    });
    Ok(all)
}

/// The argument for a parameter, and what progenitor gets: a parameter for an item if it is a list.
fn argument(node: &Node<'_>) -> Result<(Argument, Value), Refusal> {
    let name = node.text("name");
    let snake = name.to_snake_case();
    let valid = [snake.clone(), format!("{snake}_"), format!("_{snake}")];
    let argument = valid.iter().find_map(|name| syn::parse_str(name).ok());
    let argument: Ident = argument.map_or_else(|| identifier(node, name), Ok)?;

    let schema = node.get("schema").unwrap_or_else(|| node.clone()).resolved();
    let items = schema.get("items").map(Node::resolved);
    let is_list = items.is_some();
    let schema = items.unwrap_or(schema);
    let value = match (schema.text("type"), schema.text("format")) {
        ("string", "date") => "::chrono::naive::NaiveDate",
        ("integer", "int32") => "i32",
        ("integer", _) => "i64",
        ("number", "float") => "f32",
        ("number", _) => "f64",
        ("boolean", _) => "bool",
        _ => "&'a str",
    };
    let is_required = node.value["required"] == true;
    let (kind, value) = match is_required {
        _ if is_list => (format!("impl IntoIterator<Item = {value}>"), quote! { #argument }),
        true => (value.to_owned(), quote! { Some(#argument) }),
        false => (format!("Option<{value}>"), quote! { #argument }),
    };
    let (add, sent) = match node.text("in") {
        "query" if is_list && node.value["explode"] == false => ("joined", name.to_owned()),
        "header" => ("header", name.to_ascii_lowercase()),
        place => (place, name.to_owned()),
    };
    let add = format_ident!("{add}");
    let step = quote! { .#add(#sent, #value) };
    let doc = format!("- `{argument}`: {}", node.text("description"));
    // progenitor's mocks don't write a date with a time as RFC 3339 says.
    let format = schema.value.get("format").filter(|format| *format != "date-time");
    let described = json!({
        "name": name,
        "in": node.value["in"],
        "required": is_required,
        "schema": { "type": schema.value["type"], "format": format },
    });
    Ok((Argument { name: argument, kind, step, doc }, described))
}

fn body_argument((of, request): (&Ident, &Node<'_>)) -> Argument {
    let (kind, value, doc) = if request.value["required"] == true {
        (format!("&'a types::{of}"), quote! { Some(body) }, "")
    } else {
        let kind = format!("impl Into<Option<&'a types::{of}>>");
        (kind, quote! { body.into() }, "- `body`: with `None` no body is sent")
    };
    let step = quote! { .json(#value)? };
    Argument { name: format_ident!("body"), kind, step, doc: doc.to_owned() }
}

/// The schema of a body.
fn schema<'a>(node: &Node<'a>) -> Option<Node<'a>> {
    node.at("/content/application~1json/schema")
}

/// The statuses of success, and the schema of their answer.
fn answer<'a>(node: &Node<'a>) -> Result<(Vec<u16>, Option<Node<'a>>), Refusal> {
    let mut statuses = Vec::new();
    let mut first = None;
    for (status, node) in node.each("responses") {
        let answer = schema(&node.clone().resolved());
        let first = first.get_or_insert_with(|| answer.clone());
        if first.as_ref().map(|it| it.value) != answer.map(|it| it.value) {
            return Err(node.refusal(
                "this answer differs from another success, and the method returns one type; leave it \
                 out: `Error::UnexpectedResponse` has it whole",
            ));
        }
        statuses.extend(status.parse::<u16>());
    }
    let text = "no success is described; describe its status, such as `200`";
    let answer = first.ok_or_else(|| node.refusal(text))?;
    Ok((statuses, answer))
}

fn methods(
    name: &Ident,
    arguments: &[Argument],
    statuses: &[u16],
    answer: Option<&Ident>,
    docs: [&str; 3],
) -> TokenStream {
    let constant = constant(name);
    let request = format_ident!("{name}_request");
    let about = format!(
        "Builds the request that [`{name}`](Self::{name}) sends, with the token in its headers."
    );
    let docs = docs.into_iter().chain(arguments.iter().map(|it| &*it.doc));
    let docs = docs.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
    let names = arguments.iter().map(|it| &it.name);
    let declared = arguments.iter().map(|Argument { name, kind, .. }| {
        let kind: TokenStream = kind.parse().unwrap_or_default();
        quote! { #name: #kind }
    });
    let declared = quote! { #(#declared),* };
    let accept = answer.map(|_| quote! { .header("accept", Some("application/json")) });
    let steps = accept.iter().chain(arguments.iter().map(|it| &it.step));
    let (answer, read) = match answer {
        Some(of) => {
            (quote! { types::#of }, quote! { ResponseValue::from_response(response).await })
        }
        None => (quote! { () }, quote! { Ok(ResponseValue::empty(response)) }),
    };
    quote! {
        #[doc = #about]
        pub fn #request<'a>(&'a self, #declared) -> Result<reqwest::Request, Error<()>> {
            crate::request::Builder::new(self, &operations::#constant) #(#steps)* .build()
        }
        #[doc = #docs]
        pub async fn #name<'a>(&'a self, #declared) -> Result<ResponseValue<#answer>, Error<()>> {
            let request = self.#request(#(#names),*)?;
            let response = self.inner.send(&self.client, request).await?;
            match response.status().as_u16() {
                #(#statuses)|* => #read,
                _ => Err(Error::UnexpectedResponse(response)),
            }
        }
    }
}
