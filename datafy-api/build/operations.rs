//! The operations of a document that keeps to the subset.

use super::node::Node;
use super::schemas::kept_format;
use super::{METHODS, Refusal};
use heck::ToSnakeCase;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(crate) struct Operation<'a> {
    /// The operation ID in snake case: the name of the method.
    pub(crate) name: String,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// In the order of the arguments.
    pub(crate) parameters: Vec<Parameter<'a>>,
    /// The schema of the request body.
    pub(crate) body: Option<Node<'a>>,
    pub(crate) body_is_required: bool,
    /// The statuses of success.
    pub(crate) statuses: Vec<String>,
    /// The schema of the answer.
    pub(crate) answer: Option<Node<'a>>,
    pub(crate) node: Node<'a>,
}

pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a str,
    /// `path`, `query` or `header`.
    pub(crate) place: &'a str,
    /// The schema of its value, or of an item if it is a list.
    pub(crate) schema: Value,
    /// Whether it is a list, and if so whether each item is a parameter (`explode: true`).
    pub(crate) exploded_list: Option<bool>,
    pub(crate) node: Node<'a>,
}

/// Headers that are no parameters to OpenAPI, or that belong to the connection.
const OWN_HEADERS: &str = "accept authorization connection content-length content-type expect host keep-alive te \
                           trailer transfer-encoding upgrade";

pub(crate) fn read<'a>(document: &Node<'a>) -> Result<Vec<Operation<'a>>, Refusal> {
    server(document)?;
    security(document)?;
    let mut operations = Vec::new();
    for (path, node) in
        document.each("paths").into_iter().filter(|(path, _)| !path.starts_with("x-"))
    {
        let names = template(&node, &path)?;
        for method in METHODS {
            if let Some(own) = node.get(method) {
                security(&own)?;
                operations.push(operation(&node, own, &path, &names, method)?);
            }
        }
    }
    Ok(operations)
}

fn operation<'a>(
    path_node: &Node<'a>,
    node: Node<'a>,
    path: &str,
    names: &BTreeSet<&str>,
    method: &'static str,
) -> Result<Operation<'a>, Refusal> {
    // As progenitor names the method.
    let id = node.get("operationId").unwrap_or_else(|| node.clone());
    let name = id.as_text().to_snake_case();
    if syn::parse_str::<syn::Ident>(&name).is_err() {
        let problem = format!("`{name}` is not a valid name of a method in Rust");
        return id.refuse(problem, "begin it with a letter, and use no keyword of Rust");
    }
    let mut parameters = Vec::new();
    for (_, own) in node.each("parameters") {
        parameters.push(parameter(own.resolved())?);
    }
    for (_, shared) in path_node.each("parameters") {
        let shared = parameter(shared.resolved())?;
        if parameters.iter().all(|own| (own.name, own.place) != (shared.name, shared.place)) {
            parameters.push(shared);
        }
    }
    let in_path = parameters.iter().filter(|it| it.place == "path");
    if in_path.map(|it| it.name).collect::<BTreeSet<_>>() != *names {
        let problem = format!("the path parameters are not those of `{path}`");
        return node.refuse(problem, "describe each `{name}` of the path with `in: path`");
    }
    let in_template = |it: &Parameter<'_>| path.find(&format!("{{{}}}", it.name));
    let rank = |it: &Parameter<'a>| match it.place {
        "path" => (0, in_template(it), it.name),
        "query" => (1, None, it.name),
        _ => (2, None, it.name),
    };
    parameters.sort_by_key(rank);
    let json = |node: &Node<'a>| node.at("/content/application~1json/schema");
    let request = node.get("requestBody").map(Node::resolved);
    let body_is_required = request.as_ref().is_some_and(|request| request.is("required"));
    let body = request.and_then(|request| json(&request));
    let mut successes = node.each("responses");
    successes.retain(|(status, _)| status.starts_with('2'));
    let answers: Vec<_> = successes.iter().map(|(_, it)| json(&it.clone().resolved())).collect();
    let Some(answer) = answers.first().cloned() else {
        return node
            .refuse("no success is described", "describe the status of success, such as `200`");
    };
    let value = |answer: &Option<Node<'a>>| answer.as_ref().map(|answer| answer.value);
    if let Some(at) = answers.iter().position(|other| value(other) != value(&answer)) {
        let problem = format!(
            "this answer differs from {}, and the method returns one type",
            successes[0].1.place()
        );
        return successes[at]
            .1
            .refuse(problem, "leave it out: `Error::UnexpectedResponse` has it whole");
    }
    let statuses = successes.into_iter().map(|(status, _)| status).collect();
    Ok(Operation {
        name,
        method,
        path: path.to_owned(),
        parameters,
        body,
        body_is_required,
        statuses,
        answer,
        node,
    })
}

/// Refuses an address that is not the beginning of an absolute URL.
fn server(document: &Node<'_>) -> Result<(), Refusal> {
    let url = document.at("/servers/0/url").map(|url| url.as_text()).unwrap_or_default();
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if host.is_some_and(|host| !host.is_empty() && !host.contains(['{', '}', '?', '#', ' ', '@'])) {
        return Ok(());
    }
    let servers = document.get("servers").unwrap_or_else(|| document.clone());
    servers.refuse(
        "there is no `http` or `https` URL without variables",
        "begin with `- url: https://..`",
    )
}

/// Refuses requirements that the client doesn't fulfil, which sends a bearer token with each request.
fn security(node: &Node<'_>) -> Result<(), Refusal> {
    let Some(security) = node.get("security") else { return Ok(()) };
    let schemes: Vec<_> = security.inside().iter().map(|(_, it)| it.inside().len()).collect();
    if schemes.contains(&1) && schemes.iter().all(|schemes| *schemes < 2) {
        return Ok(());
    }
    let problem = "the client sends a bearer token with each request, and this states otherwise";
    security.refuse(problem, "require one of `components/securitySchemes`, or leave it out")
}

/// Refuses a path that would not be sent as it is written. Returns the names of its parameters.
fn template<'p>(node: &Node<'_>, path: &'p str) -> Result<BTreeSet<&'p str>, Refusal> {
    let is_plain = |text: &str| {
        text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._~/:@!&',;=".contains(&it))
    };
    let mut names = BTreeSet::new();
    let mut parts = path.split('{');
    let begins = parts.next().is_some_and(|begin| begin.starts_with('/') && is_plain(begin));
    let all = parts.all(|part| {
        part.split_once('}')
            .is_some_and(|(name, rest)| is_plain(rest) && !name.contains('/') && names.insert(name))
    });
    let has_dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
    if begins && all && !has_dots && !path.contains("//") {
        return Ok(names);
    }
    let remedy =
        "begin with `/`, use letters, digits and -._~:@!&',;= only, and each `{name}` once";
    node.refuse(format!("the path `{path}` would not be sent as it is written"), remedy)
}

fn parameter(node: Node<'_>) -> Result<Parameter<'_>, Refusal> {
    let (name, place) = (node.text("name"), node.text("in"));
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let lower = name.to_ascii_lowercase();
    if !name.contains(char::is_alphabetic) {
        return node.refuse(format!("the name {name:?} has no letters"), "leave the parameter out");
    }
    if place == "header"
        && (!name.bytes().all(is_token) || OWN_HEADERS.split(' ').any(|own| own == lower))
    {
        return node.refuse(format!("the client can't send the header {name:?}"), "leave it out");
    }
    let schema = node.get("schema").unwrap_or_else(|| node.clone()).resolved();
    let items = schema.get("items").map(Node::resolved);
    let exploded_list =
        items.is_some().then(|| node.value.get("explode") != Some(&Value::Bool(false)));
    let value = items.unwrap_or(schema);
    let mut schema = json!({ "type": value.text("type") });
    // progenitor's code wouldn't write a date with a time as RFC 3339 says.
    if let Some(format) = kept_format(&value).filter(|format| *format != "date-time") {
        schema["format"] = json!(format);
    }
    Ok(Parameter { name, place, schema, exploded_list, node })
}
