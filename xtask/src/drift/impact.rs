//! What a difference means for those who call the API from Rust, before the code is generated anew: the item of the
//! generated code, the methods that people call, and whether their code breaks.
//!
//! The lines of our own code that follow are left to the compiler, `cargo xtask check` and the tests.

use super::listed::PublicItems;
use crate::contract::{Aspect, Difference, Facts, Place, Spec, Step, plain};
use crate::report::Breaks;
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::{Value, json};

/// The generated item that a difference at `place` concerns, and the methods and fields that people use; `None` for
/// an operation that only the page has.
pub fn of(spec: &Spec, public: &PublicItems, place: &Place) -> Option<(String, Vec<String>)> {
    let id = spec.operation_id(&place.root())?;
    let method = id.to_snake_case();
    let (item, mut methods) = match place.tail() {
        [] => (format!("Client::{method}"), Vec::new()),
        [Step::Parameter { name, .. }, ..] => {
            let argument = name.to_snake_case();
            (format!("Client::{method}({argument})"), public.setters(&argument))
        }
        [owner, ..] => {
            let (holder, field) = match place.last() {
                Some(Step::Property(name)) => (place.parent(), Some(name.to_snake_case())),
                _ => (place.clone(), None),
            };
            let pointer = spec.facts.get(&holder).map_or("", |subject| &subject.pointer);
            let kind = match pointer.strip_prefix("/components/schemas/") {
                Some(name) if !name.contains('/') => name.to_upper_camel_case(),
                // The generator's name for a schema within the operation itself.
                _ if *owner == Step::Body => format!("{}Body", id.to_upper_camel_case()),
                _ => format!("{}Response", id.to_upper_camel_case()),
            };
            match field {
                None => (format!("types::{kind}"), Vec::new()),
                Some(name) => {
                    (format!("types::{kind}::{name}"), public.of_operation(&method, &name))
                }
            }
        }
    };
    if methods.is_empty() {
        methods = public.calls(&method);
    }
    Some((item, methods))
}

/// What breaks for those who use the released crates: calls that are on their way today, and code that is compiled
/// with the next release.
pub fn breaks(spec: &Facts, page: &Facts, difference: &Difference) -> Breaks {
    let place = difference.place();
    let in_answer = place.tail().iter().any(|step| matches!(step, Step::Answer(_)));
    let argument = "the arguments of the generated method change";
    let kind = "the type of the generated field changes";
    let gone = "code that reads it finds nothing any more";
    let unread = "the service no longer reads it where it is sent";
    let unsent = "a request without it is rejected";
    let required = |facts: &Facts, place: &Place| facts.is(place, Aspect::Required);
    let (wire, build) = match difference {
        Difference::Moved { place, .. } if place.tail().is_empty() => {
            (Some("calling it fails"), None)
        }
        Difference::Moved { to, .. } => match to.last() {
            Some(Step::Parameter { .. }) => (Some(unread), Some(argument)),
            _ if in_answer => (Some(gone), Some("the generated field has another name")),
            _ => (Some(unread), Some("the generated field has another name")),
        },
        Difference::Added { place } => match place.last() {
            Some(Step::Operation { .. }) => (None, None),
            _ if in_answer => (None, None),
            Some(Step::Parameter { .. } | Step::Body) => {
                (required(page, place).then_some(unsent), Some(argument))
            }
            _ if required(page, place) => (Some(unsent), Some("the generated field must be set")),
            _ => (None, None),
        },
        Difference::Removed { place } => match place.last() {
            Some(Step::Operation { .. }) => {
                (Some("calling it fails"), Some("the generated method is gone"))
            }
            Some(Step::Parameter { .. }) if in_answer => (None, None),
            Some(Step::Parameter { .. } | Step::Body) => {
                (Some("the service ignores or rejects it"), Some(argument))
            }
            _ if in_answer => (Some(gone), Some("the generated field is gone")),
            _ => (Some("the service ignores or rejects it"), Some("the generated field is gone")),
        },
        Difference::Changed { aspect, spec: old, page: new, .. } => {
            let (old, new) = (old.as_ref(), new.as_ref());
            let (narrower, wider) = direction(*aspect, old, new);
            // What a request may hold and what an answer may hold break in opposite directions.
            let breaks = if in_answer { wider } else { narrower };
            let of_wire = if in_answer {
                "the released client can't read all answers"
            } else {
                "requests that are valid now may be rejected"
            };
            let appears = old.is_none() != new.is_none();
            let body = matches!(place.last(), Some(Step::Body));
            match aspect {
                Aspect::Example | Aspect::Deprecated => (None, None),
                Aspect::Default => {
                    (Some("leaving it out means something else, and no error says so"), None)
                }
                Aspect::Servers => {
                    (breaks.then_some("clients that set no endpoint call the old one"), None)
                }
                Aspect::Security => {
                    (narrower.then_some("calls are not authorized as the service demands"), None)
                }
                // It is always sent.
                Aspect::Required if body => (None, None),
                Aspect::Required => {
                    (breaks.then_some(if in_answer { of_wire } else { unsent }), Some(kind))
                }
                Aspect::ReadOnly | Aspect::WriteOnly => {
                    let sent = (*aspect == Aspect::ReadOnly) != in_answer;
                    let off = new.is_some() && sent;
                    (
                        off.then_some("it may no longer be sent, or is no longer answered"),
                        off.then_some("the generated field is gone"),
                    )
                }
                Aspect::Nullable if !required(spec, place) => {
                    ((!in_answer && narrower).then_some(of_wire), None)
                }
                Aspect::Type | Aspect::Enum | Aspect::Alternatives | Aspect::Nullable => {
                    (breaks.then_some(of_wire), Some(kind))
                }
                Aspect::Content => {
                    let none =
                        |value: Option<&Value>| value.is_some_and(|value| *value == json!([]));
                    match (none(old), none(new), in_answer) {
                        (false, false, _) => (breaks.then_some(of_wire), None),
                        (_, _, false) => (Some(of_wire), Some(argument)),
                        // Content that isn't documented is ignored.
                        (.., true) => (
                            none(new).then_some(gone),
                            Some("the generated method returns something else"),
                        ),
                    }
                }
                // Only these become types of their own.
                Aspect::Format | Aspect::Pattern | Aspect::MinLength | Aspect::MaxLength => {
                    (breaks.then_some(of_wire), appears.then_some(kind))
                }
                _ => (breaks.then_some(of_wire), None),
            }
        }
    };
    Breaks { callers: wire.is_some() || build.is_some(), wire, build }
}

/// Whether a change allows less than before, and whether it allows more.
fn direction(aspect: Aspect, old: Option<&Value>, new: Option<&Value>) -> (bool, bool) {
    let lacks = |one: &[&str], other: &[&str]| one.iter().any(|item| !other.contains(item));
    match aspect {
        // A list of what is possible.
        Aspect::Enum | Aspect::Content | Aspect::Servers | Aspect::Security => {
            let items = |value: Option<&Value>| -> Option<Vec<String>> {
                match value? {
                    Value::Array(items) => Some(items.iter().map(plain).collect()),
                    Value::String(words) if aspect == Aspect::Security => {
                        Some(words.split(" or ").map(str::to_owned).collect())
                    }
                    _ => None,
                }
            };
            match (items(old), items(new)) {
                (Some(old), Some(new)) => {
                    let (old, new): (Vec<&str>, Vec<&str>) = (
                        old.iter().map(String::as_str).collect(),
                        new.iter().map(String::as_str).collect(),
                    );
                    (lacks(&old, &new), lacks(&new, &old))
                }
                (None, Some(_)) if old.is_none() => (true, false),
                (Some(_), None) if new.is_none() => (false, true),
                _ => (true, true),
            }
        }
        // An integer is a number.
        Aspect::Type => match (old.and_then(Value::as_str), new.and_then(Value::as_str)) {
            (Some("integer"), Some("number")) => (false, true),
            (Some("number"), Some("integer")) => (true, false),
            _ => (true, true),
        },
        Aspect::Nullable | Aspect::AllowReserved | Aspect::AllowEmptyValue => {
            (new.is_none(), old.is_none())
        }
        Aspect::Required => (new == Some(&Value::Bool(true)), new != Some(&Value::Bool(true))),
        Aspect::Style | Aspect::Explode => (true, true),
        _ => match (old, new) {
            (None, _) => (true, false),
            (_, None) => (false, true),
            (Some(old), Some(new)) => {
                let less = old.as_f64().zip(new.as_f64()).map(|(old, new)| new < old);
                match less {
                    Some(less) if aspect.keyword().starts_with("max") => (less, !less),
                    Some(less)
                        if aspect.keyword().starts_with("min")
                            || aspect == Aspect::Alternatives =>
                    {
                        let fewer = aspect == Aspect::Alternatives;
                        (less == fewer, less != fewer)
                    }
                    _ => (true, true),
                }
            }
        },
    }
}
