//! What a difference means for the Rust code: the generated item, the methods that people call, and the
//! lines of hand-written code that name it.
//!
//! The compiler finds the lines that break, once the code is generated. It finds neither an option that is
//! still to be offered, nor a name in a text, nor anything before the edit.

use crate::contract::{Aspect, Difference, Facts, Place, Spec, Step};
use crate::files::{EXT, FAKE, HAND_WRITTEN};
use crate::report::{Breaks, Spot};
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The consequences of a difference in Rust.
#[derive(Default)]
pub struct Impact {
    /// Items of the generated code.
    pub items: BTreeSet<String>,
    /// Methods and types that people use.
    pub methods: BTreeSet<String>,
    /// Lines of hand-written code that may need an edit.
    pub spots: Vec<Spot>,
}

/// The impact of a difference at `place`; empty for an operation that only the page has.
pub fn of(spec: &Spec, sources: &Sources, place: &Place) -> Impact {
    let mut impact = Impact::default();
    let Some(id) = spec.operation_id(&place.root()) else { return impact };
    let method = id.to_snake_case();
    let constant = method.to_uppercase();
    // The method that builds the request is what the ergonomic crate calls.
    let request = format!("{method}_request");
    let calls = || sources.mentions(&[&request], &[]).into_iter().filter(Mention::is_client);
    let (item, mentions) = match place.tail() {
        [] => (format!("Client::{method}"), sources.mentions(&[&method, &request, &constant], &[])),
        [Step::Parameter { name, .. }, ..] => {
            let argument = name.to_snake_case();
            // `x_datafy_sub_account_id` is set with `sub_account`.
            let parts: Vec<&str> = argument.split('_').collect();
            let ends = |at: usize| (at + 1..=parts.len()).map(move |end| (at, end));
            let names = (0..parts.len()).flat_map(ends).map(|(at, end)| parts[at..end].join("_"));
            let names = names.filter(|name| name.len() > 2);
            let setters: Vec<String> = names.map(|name| format!("pub fn {name}")).collect();
            let setters: Vec<&str> = setters.iter().map(String::as_str).collect();
            impact.methods = public(&sources.mentions(&setters, &[]));
            let named = sources.mentions(&[name], &[]);
            (format!("Client::{method}({argument})"), named.into_iter().chain(calls()).collect())
        }
        [owner, ..] => {
            let (kind, field) = generated(spec, place, id, owner);
            let kind = format!("types::{kind}");
            match field {
                None => (kind.clone(), sources.mentions(&[&kind], &[])),
                Some(field) => {
                    let snake = field.to_snake_case();
                    let mut words = vec![snake.as_str(), field];
                    // A field that isn't there yet is missing where the type is made.
                    if spec.facts.get(place).is_none() {
                        words.push(&kind);
                    }
                    (format!("{kind}::{snake}"), sources.mentions(&words, &[&kind]))
                }
            }
        }
    };
    impact.items.insert(item);
    if impact.methods.is_empty() {
        impact.methods = public(&mentions);
    }
    if impact.methods.is_empty() {
        // No method offers it yet. These make the calls that could.
        let files: Vec<String> = calls().map(|mention| mention.spot.file).collect();
        let mut made = sources.mentions(&["-> Call"], &[]);
        made.retain(|made| files.contains(&made.spot.file));
        impact.methods = public(&made);
    }
    impact.spots = mentions.into_iter().map(|mention| mention.spot).collect();
    impact.spots.dedup_by(|one, other| one.label == other.label && one.file == other.file);
    impact
}

/// The items that people use.
fn public(mentions: &[Mention]) -> BTreeSet<String> {
    let public = mentions.iter().filter(|mention| mention.public && mention.is_client());
    public.map(|mention| mention.spot.label.clone()).collect()
}

/// The generated type that a place is in, and the name of its property there.
fn generated<'a>(
    spec: &Spec,
    place: &'a Place,
    id: &str,
    owner: &Step,
) -> (String, Option<&'a String>) {
    let (holder, field) = match place.last() {
        Some(Step::Property(name)) => (place.parent(), Some(name)),
        _ => (place.clone(), None),
    };
    let pointer = spec.facts.get(&holder).map_or("", |subject| &subject.pointer);
    let name = match pointer.strip_prefix("/components/schemas/") {
        Some(name) if !name.contains('/') => name.to_upper_camel_case(),
        // The generator's name for a schema within the operation itself.
        _ if *owner == Step::Body => format!("{}Body", id.to_upper_camel_case()),
        _ => format!("{}Response", id.to_upper_camel_case()),
    };
    (name, field)
}

/// The hand-written Rust of the workspace, read as text when it is first needed: it need not compile.
pub struct Sources {
    root: PathBuf,
    files: OnceCell<Vec<(String, String)>>,
}

/// A line that names something, in an item whose label is that of the spot.
struct Mention {
    spot: Spot,
    public: bool,
}

impl Mention {
    /// Whether it is in the crate that people use, without its fake.
    fn is_client(&self) -> bool {
        self.spot.file.starts_with(EXT) && !self.spot.file.starts_with(FAKE)
    }
}

impl Sources {
    /// The sources below `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), files: OnceCell::new() }
    }

    fn files(&self) -> &[(String, String)] {
        self.files.get_or_init(|| {
            let mut files = Vec::new();
            let mut folders: Vec<_> =
                HAND_WRITTEN.iter().map(|folder| self.root.join(folder)).collect();
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if path.is_dir() {
                        folders.push(path);
                    } else if path.extension().is_some_and(|extension| extension == "rs")
                        && let Ok(text) = fs::read_to_string(&path)
                    {
                        let name = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy();
                        files.push((name.replace('\\', "/"), text));
                    }
                }
            }
            files.sort();
            files
        })
    }

    /// The lines that say one of `words`, in files that say all of `beside`.
    fn mentions(&self, words: &[&str], beside: &[&str]) -> Vec<Mention> {
        let mut mentions = Vec::new();
        for (file, text) in self.files() {
            let near = beside.iter().all(|word| says(text, word));
            // A test of the wire names no generated type, but properties as they are on the wire.
            let on_the_wire = |word: &str| {
                file.starts_with("tests/") && word.contains(|c: char| c.is_uppercase() || c == '-')
            };
            let words = words.iter().filter(|word| (near || on_the_wire(word)) && says(text, word));
            let words: Vec<_> = words.collect();
            if !words.is_empty() {
                let said = |line: &str| words.iter().any(|word| says(line, word));
                scan(file, text, &said, &mut mentions);
            }
        }
        mentions
    }
}

/// Adds the lines of code that are `wanted`, each with the item around it, as rustfmt lays them out.
fn scan(file: &str, text: &str, wanted: &dyn Fn(&str) -> bool, mentions: &mut Vec<Mention>) {
    let word = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        text[..end].to_owned()
    };
    let (mut owner, mut item) = (String::new(), (String::new(), false));
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.trim_start();
        if ["//", "#[", "use "].iter().any(|start| code.starts_with(start)) {
            continue;
        }
        let public = code.starts_with("pub ");
        let bare = ["pub ", "pub(crate) ", "async "]
            .iter()
            .fold(code, |code, prefix| code.strip_prefix(prefix).unwrap_or(code));
        let kinds = ["const fn ", "fn ", "struct ", "enum ", "const "];
        let named = kinds.iter().find_map(|kind| bare.strip_prefix(kind)).map(word);
        let is_field = public && named.is_none() && code.ends_with(',');
        if line.starts_with("impl") {
            // `impl<O: Operation> Call<O> {`, `impl From<types::Volume> for Volume {`
            line.rsplit(' ').nth(1).unwrap_or(line).clone_into(&mut owner);
            let shown = ["struct", "enum"].map(|kind| says(text, &format!("pub {kind} {owner}")));
            item = (owner.clone(), shown.contains(&true));
        } else if let Some(name) = named {
            let label = if line == code { name.clone() } else { format!("{owner}::{name}") };
            if line == code {
                owner = name;
            }
            item = (label, public);
        }
        if wanted(code) {
            let field = is_field.then(|| (format!("{owner}::{}", word(bare)), true));
            let (label, public) = field.unwrap_or_else(|| item.clone());
            let spot = Spot { file: file.to_owned(), line: Some(number), label, focus: None };
            mentions.push(Mention { spot, public });
        }
    }
}

/// Whether a text holds a word. The names of headers are case-insensitive.
fn says(text: &str, word: &str) -> bool {
    if word.contains('-') {
        return text.to_lowercase().contains(&word.to_lowercase());
    }
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

/// Whether those who call the API with what is released have to change something.
pub fn breaks(page: &Facts, difference: &Difference) -> Breaks {
    let in_answer = difference.place().tail().iter().any(|step| matches!(step, Step::Answer(_)));
    let (callers, why) = match difference {
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
