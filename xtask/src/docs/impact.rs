//! What a difference means for those who call the API from Rust, before the code is generated anew: the item of the
//! generated code, the methods that people call, and whether their code breaks.

use super::listed::PublicItems;
use crate::document::{Difference, Facts, Kind, Pointer, Spec, plain};
use crate::report::Breaks;
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

/// The generated item that a difference at `place` concerns, and the methods and fields that people use; `None` for
/// an operation that only the page has.
pub fn of(spec: &Spec, public: &PublicItems, place: &Pointer) -> Option<(String, Vec<String>)> {
    let id = spec.operation_id(&place.root()?)?;
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
    Some((item, methods))
}

const CALL: &str = "calling it fails";
const ARGUMENTS: &str = "the arguments of the generated method change";
const FIELD: &str = "the generated field changes, or is gone";
const RESULT: &str = "the generated method returns something else";
const GONE: &str = "code that reads it finds nothing any more";
const UNREAD: &str = "the service no longer reads it where it is sent";
const UNSENT: &str = "a request without it is rejected";
const UNREADABLE: &str = "the released client can't read all answers";
const REJECTED: &str = "requests that are valid now may be rejected";

/// What breaks for those who use the released crates: calls that are on their way today, and code that is compiled
/// with the next release.
pub fn breaks(spec: &Facts, page: &Facts, difference: &Difference) -> Breaks {
    let place = difference.place();
    let in_answer = place.is_in_answer();
    let of_wire = if in_answer { UNREADABLE } else { REJECTED };
    let is_field = place.kind() == Kind::Schema;
    let code = if is_field { FIELD } else { ARGUMENTS };
    let alternative = matches!(&*place.holder(), "oneOf" | "anyOf" | "allOf");
    let (wire, build) = match difference {
        Difference::Moved { place, .. } if place.is_operation() => (Some(CALL), None),
        Difference::Moved { .. } if in_answer => (Some(GONE), Some(FIELD)),
        Difference::Added { place } if place.is_operation() => (None, None),
        Difference::Added { .. } if alternative => (in_answer.then_some(of_wire), Some(FIELD)),
        Difference::Added { place } if in_answer => {
            (None, (place.kind() == Kind::Media).then_some(RESULT))
        }
        Difference::Added { place } => {
            let required = page.is(place, "required");
            (required.then_some(UNSENT), (required || !is_field).then_some(code))
        }
        Difference::Removed { place } if place.is_operation() => {
            (Some(CALL), Some("the generated method is gone"))
        }
        Difference::Removed { .. } if alternative => ((!in_answer).then_some(of_wire), Some(FIELD)),
        Difference::Removed { .. } if place.kind() == Kind::Header => (None, None),
        Difference::Removed { .. } if in_answer => (Some(GONE), Some(code)),
        Difference::Moved { .. } | Difference::Removed { .. } => (Some(UNREAD), Some(code)),
        Difference::Changed { keyword, spec: old, page: new, .. } => {
            let (old, new) = (old.as_ref(), new.as_ref());
            let (narrower, wider) = direction(keyword, old, new);
            // What a request may hold and what an answer may hold break in opposite directions.
            let breaks = (if in_answer { wider } else { narrower }).then_some(of_wire);
            let appears = old.is_none() != new.is_none();
            match keyword.as_str() {
                "example" | "deprecated" => (None, None),
                "default" => {
                    (Some("leaving it out means something else, and no error says so"), None)
                }
                "servers" => {
                    (narrower.then_some("clients that set no endpoint call the old one"), None)
                }
                "security" => {
                    (narrower.then_some("calls are not authorized as the service demands"), None)
                }
                // It is always sent.
                "required" if place.kind() == Kind::Body => (None, None),
                "required" if !in_answer => (breaks.map(|_| UNSENT), Some(code)),
                "readOnly" | "writeOnly" => {
                    // One of the two no longer holds it.
                    let off = new.is_some() && (keyword == "readOnly") != in_answer;
                    (off.then_some(UNREAD), off.then_some(FIELD))
                }
                "nullable" if !spec.is(place, "required") => (breaks.filter(|_| !in_answer), None),
                "type" | "enum" | "nullable" | "required" => (breaks, Some(code)),
                "content" => (new.map(|_| GONE), Some(RESULT)),
                // Only strings with one of these become separate types.
                "format" | "pattern" | "minLength" | "maxLength" => {
                    (breaks, appears.then_some(FIELD))
                }
                _ => (breaks, None),
            }
        }
    };
    Breaks { callers: wire.is_some() || build.is_some(), wire, build }
}

/// Whether a change allows less than before, and whether it allows more.
fn direction(keyword: &str, old: Option<&Value>, new: Option<&Value>) -> (bool, bool) {
    let items = |value: &Value| -> Option<Vec<String>> {
        match value {
            Value::Array(items) => Some(items.iter().map(plain).collect()),
            Value::String(words) if keyword == "security" => {
                Some(words.split(" or ").map(str::to_owned).collect())
            }
            _ => None,
        }
    };
    let lacks = |one: &[String], other: &[String]| one.iter().any(|item| !other.contains(item));
    let less = || Some(new?.as_f64()? < old?.as_f64()?);
    match (keyword, old, new) {
        ("nullable" | "allowReserved" | "allowEmptyValue", ..) => (new.is_none(), old.is_none()),
        ("required", ..) => (new == Some(&Value::Bool(true)), new != Some(&Value::Bool(true))),
        ("style" | "explode", ..) => (true, true),
        // What isn't stated allows everything.
        (_, None, _) => (true, false),
        (_, _, None) => (false, true),
        ("enum" | "servers" | "security", Some(old), Some(new)) => match (items(old), items(new)) {
            (Some(old), Some(new)) => (lacks(&old, &new), lacks(&new, &old)),
            _ => (true, true),
        },
        // An integer is a number.
        ("type", Some(old), Some(new)) if *old == "integer" && *new == "number" => (false, true),
        ("type", Some(old), Some(new)) if *old == "number" && *new == "integer" => (true, false),
        _ => match less() {
            Some(less) if keyword.starts_with("max") => (less, !less),
            Some(less) if keyword.starts_with("min") => (!less, less),
            _ => (true, true),
        },
    }
}
