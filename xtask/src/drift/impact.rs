//! What a difference means for those who call the API from Rust, before the code is generated anew: the item of the
//! generated code, the methods that people call, and whether their code breaks.
//!
//! The lines of our own code that follow are left to the compiler, `cargo xtask check` and the tests.

use super::listed::PublicItems;
use crate::contract::{Aspect, Difference, Facts, Place, Spec, Step};
use crate::report::Breaks;
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

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

/// Whether those who call the API with what is released have to change something.
pub fn breaks(page: &Facts, difference: &Difference) -> Breaks {
    let in_answer = difference.place().tail().iter().any(|step| matches!(step, Step::Answer(_)));
    let (callers, why) = match difference {
        Difference::Moved { place, .. } if place.tail().is_empty() => (true, "calling it fails"),
        Difference::Moved { .. } if in_answer => {
            (true, "code that reads it finds nothing any more")
        }
        Difference::Moved { .. } => (true, "the service no longer reads it where it is sent"),
        Difference::Added { place } => match place.last() {
            Some(Step::Operation { .. }) => (false, "nobody calls it yet"),
            _ if in_answer => (false, "undocumented properties of an answer are ignored"),
            _ if page.is(place, Aspect::Required) => (true, "a request without it is rejected"),
            _ => (false, "it is optional"),
        },
        Difference::Removed { place } => match place.last() {
            Some(Step::Operation { .. }) => (true, "calling it fails"),
            _ if in_answer => (true, "code that reads it finds nothing any more"),
            _ => (true, "setting it has no effect, or the request is rejected"),
        },
        Difference::Changed { aspect, page, .. } => match aspect {
            Aspect::Example => (false, "it is an example"),
            Aspect::Deprecated => (false, "it works until it is removed"),
            Aspect::Default => (true, "a request without it has another effect, and no error"),
            Aspect::Required if !in_answer && page == &Some(Value::Bool(true)) => {
                (true, "a request without it is rejected")
            }
            Aspect::Required => (true, "the type of the generated field changes"),
            Aspect::Enum if in_answer => (true, "the type of the generated field changes"),
            Aspect::Servers => (true, "clients that set no endpoint call the old one"),
            Aspect::Security => (true, "calls are not authorized as the service demands"),
            Aspect::ReadOnly => (true, "whether it may be sent changes"),
            _ if in_answer => (true, "answers may no longer be read"),
            _ => (true, "requests may be rejected"),
        },
    };
    Breaks { callers, why }
}
