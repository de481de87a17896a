//! What a difference means for those who call the API from Rust, before the code is generated anew: the item of the
//! generated code, the methods that people call, and whether their code breaks.

use super::listed::PublicItems;
use crate::document::{Difference, Facts, Kind, Pointer, Spec, What, plain};
use crate::generate::subset;
use crate::report::Breaks;
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

/// The generated item that a difference at `place` concerns, and the methods and fields that people use; none of
/// an operation that only the page has.
pub fn of(spec: &Spec, public: &PublicItems, place: &Pointer) -> (Option<String>, Vec<String>) {
    let root = place.root();
    let Some(id) = root.and_then(|root| spec.operation_id(&root)) else {
        return Default::default();
    };
    let method = id.to_snake_case();
    let parameter = place.around().find(|around| around.kind() == Kind::Parameter);
    let (item, mut methods) = if place.is_operation() {
        (format!("Client::{method}"), Vec::new())
    } else if let Some(name) = parameter.and_then(|parameter| parameter.name()) {
        let argument = name.to_snake_case();
        (format!("Client::{method}({argument})"), public.setters(&argument))
    } else {
        let field = place.name().filter(|_| place.is_property()).map(|name| name.to_snake_case());
        let holder = if field.is_some() { place.parent() } else { place.clone() };
        let origin = spec.facts.get(&holder).map_or("", |fact| &fact.origin);
        let kind = match origin.strip_prefix("/components/schemas/") {
            Some(name) if !name.contains('/') => name.to_upper_camel_case(),
            // The generator's name for a schema within the operation itself.
            _ if place.is_in_answer() => format!("{}Response", id.to_upper_camel_case()),
            _ => format!("{}Body", id.to_upper_camel_case()),
        };
        match field {
            None => (format!("types::{kind}"), Vec::new()),
            Some(name) => (format!("types::{kind}::{name}"), public.of_operation(&method, &name)),
        }
    };
    if methods.is_empty() {
        methods = public.calls(&method);
    }
    (Some(item), methods)
}

const CALL: &str = "calls of released clients fail";
const SENT: &str = "requests of released clients are rejected, or mean something else";
const READ: &str = "released clients can't read all answers, or find less in them";
const CODE: &str = "the fields, the arguments or the result of the generated code change";

/// What breaks for those who use the released crates: calls that are on their way today, and code that is compiled
/// with the next release.
pub fn breaks(spec: &Facts, page: &Facts, difference: &Difference) -> Breaks {
    let place = &difference.place;
    let (is_operation, in_answer) = (place.is_operation(), place.is_in_answer());
    let is_field = place.kind() == Kind::Schema;
    let is_alternative = place.alternative().is_some();
    let (wire, build) = match &difference.what {
        What::Moved { .. } => (true, !is_operation),
        What::Added if is_operation => (false, false),
        What::Added if is_alternative => (in_answer, true),
        What::Added if in_answer => (false, place.kind() == Kind::Media),
        What::Added => {
            let required = page.is(place, "required");
            (required, required || !is_field)
        }
        What::Removed if is_alternative => (!in_answer, true),
        What::Removed => (place.kind() != Kind::Header, place.kind() != Kind::Header),
        What::Hidden { .. } => (false, false),
        What::Changed { keyword, spec: old, page: new } => {
            let (old, new) = (old.as_ref(), new.as_ref());
            let (narrower, wider) = direction(keyword, old, new);
            let is_generated = [old, new].into_iter().flatten().any(|it| is_generated(keyword, it));
            // What a request may hold and what an answer may hold break in opposite directions. The client doesn't check
            // answers for what it ignores.
            let breaks = if in_answer { wider && is_generated } else { narrower };
            match keyword.as_str() {
                "example" | "deprecated" => (false, false),
                "default" => (true, false),
                "servers" | "security" => (narrower, false),
                // A body is always sent.
                "required" if place.kind() == Kind::Body => (false, false),
                // One of the two directions no longer holds it.
                "readOnly" | "writeOnly" => {
                    let gone = new.is_some() && (keyword == "readOnly") != in_answer;
                    (gone, gone)
                }
                "nullable" if !spec.is(place, "required") => (breaks && !in_answer, false),
                "content" => (new.is_some(), true),
                // The argument stays the same.
                "style" | "explode" => (breaks, false),
                _ => (breaks, is_generated),
            }
        }
    };
    let why = if is_operation && !matches!(difference.what, What::Changed { .. }) {
        CALL
    } else if in_answer {
        READ
    } else {
        SENT
    };
    Breaks { callers: wire || build, wire: wire.then_some(why), build: build.then_some(CODE) }
}

/// Whether the generated code depends on this value of a keyword, by the generator's table. Values that it names are used
/// even if it ignores the others.
fn is_generated(keyword: &str, value: &Value) -> bool {
    let quoted = format!("`{}`", plain(value));
    let cells = subset().lines().map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let rows =
        cells.filter(|row| row[2].split(' ').any(|own| own.trim_end_matches('!') == keyword));
    let ignores = |row: &Vec<&str>| {
        row[3] == "anything" || row[4] == "ignored" || row[4].starts_with("not checked")
    };
    let (ignoring, using): (Vec<_>, Vec<_>) = rows.partition(ignores);
    using.iter().any(|row| row[3].split(", ").any(|own| own == quoted))
        || ignoring.is_empty() && !using.is_empty()
}

/// Whether a change allows less than before, and whether it allows more.
fn direction(keyword: &str, old: Option<&Value>, new: Option<&Value>) -> (bool, bool) {
    // A set of values, of which some are gone or new.
    let set = |value: &Value| -> Option<Vec<String>> {
        match value {
            Value::Array(items) => Some(items.iter().map(plain).collect()),
            Value::String(words) if keyword == "security" => {
                Some(words.split(" or ").map(str::to_owned).collect())
            }
            _ => None,
        }
    };
    let lacks = |one: &[String], other: &[String]| one.iter().any(|item| !other.contains(item));
    match (keyword, old, new) {
        ("nullable" | "allowReserved" | "allowEmptyValue", ..) => (new.is_none(), old.is_none()),
        ("required", _, new) => (new == Some(&true.into()), new != Some(&true.into())),
        ("style" | "explode", ..) => (true, true),
        // What isn't stated allows everything.
        (_, None, _) => (true, false),
        (_, _, None) => (false, true),
        // An integer is a number.
        ("type", Some(old), Some(new)) if *old == "integer" && *new == "number" => (false, true),
        ("type", Some(old), Some(new)) if *old == "number" && *new == "integer" => (true, false),
        (_, Some(old), Some(new)) => match (set(old).zip(set(new)), old.as_f64().zip(new.as_f64()))
        {
            (Some((old, new)), _) => (lacks(&old, &new), lacks(&new, &old)),
            (_, Some((old, new))) if keyword.starts_with("max") => (new < old, new > old),
            (_, Some((old, new))) if keyword.starts_with("min") => (new > old, new < old),
            _ => (true, true),
        },
    }
}
