//! The parameters of an operation: rejects those that the generator can't send as the spec says, and finds the lists.

use super::yaml::{Document, escape};
use super::{Refusal, resolve};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The parameters of an operation.
#[derive(Default)]
pub(crate) struct Parameters {
    /// The names of those in the query.
    pub(crate) query: Vec<String>,
    /// The names of those in headers, in lower case.
    pub(crate) headers: Vec<String>,
    /// The lists in the query.
    pub(crate) lists: Vec<List>,
    /// The JSON pointers to all of them.
    pub(crate) pointers: Vec<String>,
}

/// A query parameter that is a list. The generator's code for it is replaced: see `lists`.
pub(crate) struct List {
    /// The name in the query.
    pub(crate) name: String,
    /// Whether each item is sent as a parameter (`explode: true`), or all in one, separated by commas.
    pub(crate) exploded: bool,
}

const SUPPORTED: &str = "only `form` in a query and `simple` in a path or a header are supported; extend datafy-api/build/parameters.rs";

/// The headers that OpenAPI 3.0 describes elsewhere; it ignores parameters of these names.
const NOT_PARAMETERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// Returns the parameters of the operation at `pointer`, with those that all operations of `path` share. Rejects those
/// that the generator can't send.
pub(crate) fn examine(
    document: &Document,
    path: &str,
    pointer: &str,
) -> Result<Parameters, Refusal> {
    let mut all = BTreeMap::new();
    for owner in [&format!("/paths/{}", escape(path)), pointer] {
        let own = document.value.pointer(&format!("{owner}/parameters")).and_then(Value::as_array);
        for index in 0..own.map_or(0, Vec::len) {
            let pointer = resolve(document, format!("{owner}/parameters/{index}"));
            let text = |key| text(document, &pointer, key).unwrap_or_default().to_owned();
            all.insert((text("in"), text("name")), pointer);
        }
    }
    let mut found = Parameters::default();
    for ((place, name), pointer) in all {
        let exploded = form(document, &pointer, &place)?;
        match &*place {
            "query" => found.query.push(name.clone()),
            "header" => found.headers.push(name.to_ascii_lowercase()),
            _ => {}
        }
        found.lists.extend(exploded.map(|exploded| List { name, exploded }));
        found.pointers.push(pointer);
    }
    Ok(found)
}

/// Rejects a parameter that the generator can't send. Returns whether it is a list and, if so, whether it is exploded.
fn form(document: &Document, pointer: &str, place: &str) -> Result<Option<bool>, Refusal> {
    let refuse = |at: &str, problem: String, remedy| {
        Err(Refusal::at(document, &format!("{pointer}{at}"), problem, remedy))
    };
    let style = match place {
        "query" => "form",
        "path" | "header" => "simple",
        other => {
            let problem = format!("the generator doesn't support parameters in `{other}`");
            return refuse("/in", problem, SUPPORTED);
        }
    };
    let name = text(document, pointer, "name").unwrap_or_default();
    if place == "header" && NOT_PARAMETERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        let problem = format!("OpenAPI ignores the header parameter `{name}`");
        return refuse("/name", problem, "leave it out: the client sets this header");
    }
    if place == "header" && (name.is_empty() || !name.bytes().all(is_token)) {
        let problem = format!("a header can't be named {name:?}");
        return refuse("/name", problem, "use letters, digits and hyphens");
    }
    let parameter = |key: &str| document.value.pointer(&format!("{pointer}/{key}"));
    if let Some(given) = text(document, pointer, "style").filter(|given| *given != style) {
        return refuse("/style", format!("the generator would ignore `style: {given}`"), SUPPORTED);
    }
    if place == "path" && parameter("required") != Some(&Value::Bool(true)) {
        let problem = "a parameter in the path is always sent".to_owned();
        return refuse("", problem, "write `required: true`");
    }
    if parameter("schema").is_none() {
        let problem = "the generator needs the `schema` of a parameter".to_owned();
        return refuse("", problem, "describe its value with `schema`");
    }
    let mut schema = resolve(document, format!("{pointer}/schema"));
    let is_list = place == "query" && text(document, &schema, "type") == Some("array");
    if is_list {
        schema = resolve(document, format!("{schema}/items"));
    }
    let kind = text(document, &schema, "type").unwrap_or("any type");
    if !matches!(kind, "boolean" | "integer" | "number" | "string") {
        let problem = format!("the generator can't write a value of {kind} in a {place} parameter");
        let remedy = "use `boolean`, `integer`, `number` or `string`, or in a query an `array` of one of them";
        return Err(Refusal::at(document, &schema, problem, remedy));
    }
    let exploded = parameter("explode") != Some(&Value::Bool(false));
    Ok(is_list.then_some(exploded))
}

/// Whether the name of a header can contain `byte` (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The text of a member of the object at `pointer`.
fn text<'a>(document: &'a Document, pointer: &str, key: &str) -> Option<&'a str> {
    document.value.pointer(&format!("{pointer}/{}", escape(key)))?.as_str()
}

/// Removes from the schema of the parameter at `pointer` what the generator's code can't send: null, and dates with a
/// time, which it wouldn't write as RFC 3339 says, so that callers pass a text. A list keeps what decides on the type
/// of an item.
pub(crate) fn prepare(document: &Document, spec: &mut Value, pointer: &str) {
    let at = |pointer: String| document.value.pointer(&resolve(document, pointer)).cloned();
    let schema = format!("{pointer}/schema");
    let Some(mut own) = at(schema.clone()) else { return };
    if own.get("type").is_some_and(|kind| kind == "array") {
        let items = at(format!("{}/items", resolve(document, schema.clone()))).unwrap_or_default();
        let mut kept = json!({});
        for key in ["type", "format", "enum"] {
            if let Some(value) = items.get(key) {
                kept[key] = value.clone();
            }
        }
        own = json!({ "type": "array", "items": sendable(kept) });
    } else if own != sendable(own.clone()) {
        own = sendable(own);
    } else {
        return;
    }
    if let Some(schema) = spec.pointer_mut(&schema) {
        *schema = own;
    }
}

/// The schema without null, and without the format of a date with a time.
fn sendable(mut schema: Value) -> Value {
    if let Value::Object(schema) = &mut schema {
        schema.remove("nullable");
        if schema.get("format").is_some_and(|format| format == "date-time") {
            schema.remove("format");
        }
    }
    schema
}
