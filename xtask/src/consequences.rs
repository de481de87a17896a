//! What a difference means for the Rust that people call: the generated item, the methods, the places
//! in hand-written code.

use crate::compare::Difference;
use crate::facts::{Aspect, Facts, Place, Step};
use crate::finding::{Breaks, Spot};
use crate::sources::{Item, Sources};
use crate::spec::Spec;
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;
use std::collections::BTreeSet;

/// The names that a place has in Rust.
#[derive(Default)]
pub struct Consequences {
    /// Items of the generated code.
    pub items: BTreeSet<String>,
    /// Methods and types that people use.
    pub methods: BTreeSet<String>,
    /// Lines of hand-written code that may need an edit.
    pub spots: Vec<Spot>,
}

/// What follows from a difference at `place`.
pub fn of(spec: &Spec, sources: &Sources, place: &Place) -> Consequences {
    let mut all = Consequences::default();
    let Some(operation) = Operation::of(spec, &place.root()) else {
        // An operation that only the page has.
        return all;
    };
    match place.tail() {
        [] => {
            all.items.insert(format!("Client::{}", operation.method));
            all.methods.extend(operation.constructors(sources));
            all.mention(sources, &[&operation.method, &operation.constant], &[]);
        }
        [Step::Parameter { name, .. }, ..] => {
            let argument = name.to_snake_case();
            all.items.insert(format!("Client::{}({argument})", operation.method));
            for word in operation.passed(sources, &argument) {
                let named = sources.ext().filter(|item| item.public && item.name == word);
                all.methods.extend(named.map(Item::label));
            }
            all.mention(sources, &[name], &[]);
            let callers = sources.ext().filter(|item| item.mentions("raw"));
            all.add(callers.filter_map(|item| Some((item, item.line_of(&operation.request)?))));
        }
        [owner, ..] => {
            let (of, field) = generated(spec, place, &operation, owner);
            let Some(field) = field else {
                all.items.insert(format!("types::{of}"));
                all.methods.extend(operation.constructors(sources));
                all.mention(sources, &[&format!("types::{of}")], &[]);
                return all;
            };
            all.items.insert(format!("types::{of}::{}", field.to_snake_case()));
            all.methods.extend(methods(sources, &of, &field.to_snake_case()));
            if all.methods.is_empty() {
                // Nothing takes it yet: this is what would.
                let answers = sources.ext().filter(|item| item.is_from(&of));
                all.methods.extend(answers.filter_map(|item| item.owner.clone()));
            }
            if all.methods.is_empty() {
                all.methods.extend(operation.constructors(sources));
            }
            let kind = format!("types::{of}");
            // A field that isn't there yet is missed where the type is made.
            let missed = [&*kind, &field.to_snake_case(), field];
            let new = spec.facts.get(place).is_none();
            all.mention(sources, if new { &missed } else { &missed[1..] }, &[&kind]);
        }
    }
    all
}

impl Consequences {
    /// Adds the lines of hand-written code that say one of `words`, in files that say all of `beside`.
    fn mention(&mut self, sources: &Sources, words: &[&str], beside: &[&str]) {
        let files: Vec<_> = beside.iter().map(|word| sources.files_with(word)).collect();
        for item in sources.written() {
            // A test of the wire speaks in the wire's words, and names no generated type. A word that
            // is nobody else's is enough there.
            let own = |word: &&&str| word.contains(|c: char| c.is_uppercase() || c == '-');
            let on_the_wire = words.last().filter(own).filter(|_| item.file.starts_with("tests/"));
            let near = files.iter().all(|files| files.contains(item.file.as_str()));
            let line = words
                .iter()
                .filter(|word| near || on_the_wire == Some(word))
                .find_map(|word| item.line_of(word));
            self.add(line.map(|line| (item, line)));
        }
    }

    fn add<'a>(&mut self, lines: impl IntoIterator<Item = (&'a Item, u64)>) {
        for (item, line) in lines {
            let spot = Spot {
                file: item.file.clone(),
                line: Some(line),
                label: item.label(),
                focus: None,
            };
            if !self.spots.contains(&spot) {
                self.spots.push(spot);
            }
        }
    }
}

/// An operation of the spec by its names in Rust.
struct Operation {
    method: String,
    /// The method that builds the request, which the ergonomic crate calls.
    request: String,
    constant: String,
    id: String,
}

impl Operation {
    fn of(spec: &Spec, place: &Place) -> Option<Self> {
        let pointer = &spec.facts.get(place)?.pointer;
        let id = spec.document.value.pointer(pointer)?.get("operationId")?.as_str()?.to_owned();
        let method = id.to_snake_case();
        let request = format!("{method}_request");
        Some(Self { constant: method.to_uppercase(), request, method, id })
    }

    /// The functions from which a call of the operation comes.
    fn constructors(&self, sources: &Sources) -> BTreeSet<String> {
        let facts =
            sources.ext().find(|item| item.name == "FACTS" && item.mentions(&self.constant));
        let Some(owner) = facts.and_then(|item| item.owner.as_deref()) else {
            return BTreeSet::new();
        };
        let call = format!("Call<{owner}>");
        let made = sources.ext().filter(|item| item.public && item.returns.contains(&call));
        made.map(Item::label).collect()
    }

    /// The names that are passed for an argument of the generated method.
    fn passed(&self, sources: &Sources, argument: &str) -> BTreeSet<String> {
        let generated = sources.generated().any(|item| {
            item.owner.as_deref() == Some("Client")
                && item.name == self.method
                && item.mentions(argument)
        });
        let callers = sources.ext().filter(|item| generated && item.mentions(&self.request));
        // `x_datafy_sub_account_id` is passed as `scope.sub_account()`, `volume_id` as `volume`.
        callers
            .flat_map(Item::words)
            .filter(|word| argument.contains(*word) && word.len() > 2)
            .map(str::to_owned)
            .collect()
    }
}

/// The generated type that a place is in, and the name of its property there.
fn generated<'a>(
    spec: &Spec,
    place: &'a Place,
    operation: &Operation,
    owner: &Step,
) -> (String, Option<&'a String>) {
    let (holder, field) = match place.last() {
        Some(Step::Property(name)) => (place.parent(), Some(name)),
        _ => (place.clone(), None),
    };
    let pointer = spec.facts.get(&holder).map(|subject| subject.pointer.as_str());
    let name = match pointer.and_then(|pointer| pointer.strip_prefix("/components/schemas/")) {
        Some(name) if !name.contains('/') => name.to_upper_camel_case(),
        // So the generator names what stands in the operation itself.
        _ => {
            let part = if matches!(owner, Step::Body) { "Body" } else { "Response" };
            format!("{}{part}", operation.id.to_upper_camel_case())
        }
    };
    (name, field)
}

/// The methods that set a field of a request, or the field of an answer that takes it over.
fn methods(sources: &Sources, of: &str, field: &str) -> BTreeSet<String> {
    let near = sources.files_with(&format!("types::{of}"));
    let direct: Vec<&Item> = sources
        .ext()
        .filter(|item| near.contains(item.file.as_str()) && item.mentions(field))
        .collect();
    let mut methods = BTreeSet::new();
    for item in &direct {
        let Some(owner) = &item.owner else { continue };
        if item.is_from(of) {
            let holds = direct.iter().any(|other| other.owner.is_none() && other.name == *owner);
            methods.insert(if holds { format!("{owner}::{field}") } else { owner.clone() });
        } else if item.public {
            methods.insert(item.label());
        } else if item.of_trait.is_none() {
            // It is private: whoever calls it is concerned.
            let callers = sources.ext().filter(|caller| {
                caller.public && caller.mentions(owner) && caller.mentions(&item.name)
            });
            methods.extend(callers.map(Item::label));
        }
    }
    methods
}

/// Whether those who call the API with what is released have to change something.
pub fn breaks(page: &Facts, difference: &Difference) -> Breaks {
    let in_answer = difference.place().tail().iter().any(|step| matches!(step, Step::Answer(_)));
    let (callers, why) = match difference {
        Difference::Moved { .. } => (true, "it is sent where the service no longer looks for it"),
        Difference::Added { place } => match place.last() {
            Some(Step::Operation { .. }) => (false, "nobody calls it yet"),
            _ if in_answer => (false, "what is answered beyond the spec is passed over"),
            _ if page.is(place, Aspect::Required) => (true, "a request without it is refused"),
            _ => (false, "it may be left out"),
        },
        Difference::Removed { place } => match place.last() {
            Some(Step::Operation { .. }) => (true, "calling it fails"),
            _ if in_answer => (true, "who reads it finds nothing any more"),
            _ => (true, "who sets it is not heard, or is refused"),
        },
        Difference::Changed { aspect, page, .. } => match aspect {
            Aspect::Example => (false, "it is an example"),
            Aspect::Deprecated => (false, "it works until it is removed"),
            Aspect::Default => (true, "who leaves it out gets another behaviour, and no error"),
            Aspect::Required if in_answer => (true, "the type of the generated field changes"),
            Aspect::Required if page == &Some(Value::Bool(true)) => {
                (true, "a request without it is refused")
            }
            Aspect::Required => {
                (true, "on the wire nothing breaks; the type of the generated field changes")
            }
            Aspect::Enum if in_answer => {
                (true, "on the wire nothing breaks; the type of the generated field changes")
            }
            Aspect::Servers => (true, "clients without an endpoint of their own call the old one"),
            Aspect::Security => (true, "calls are not authorized as the service wants"),
            Aspect::ReadOnly => (true, "whether it may be sent changes"),
            _ if in_answer => (true, "answers may no longer be read"),
            _ => (true, "requests may be refused"),
        },
    };
    Breaks { callers, why }
}
