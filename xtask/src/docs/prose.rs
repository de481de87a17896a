//! The prose that names what changed: the compiler doesn't read it.

use crate::document::{Difference, Spec};
use heck::ToSnakeCase;
use std::fs;
use std::path::Path;

/// Folders of prose.
const FOLDERS: [&str; 4] = ["", "datafy-api", "datafy-api-ext", "datafy-api-ext/guide"];

/// What was true then.
const HISTORY: &str = "CHANGELOG.md";

/// The lines of the prose of a workspace.
#[derive(Default)]
pub struct Prose(Vec<Line>);

struct Line {
    file: String,
    number: u64,
    text: String,
}

impl Prose {
    /// Reads the prose below `root`. What can't be read holds none.
    pub fn load(root: &Path) -> Self {
        let mut lines = Vec::new();
        for folder in FOLDERS {
            let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
            let mut names: Vec<String> =
                entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
            names.sort();
            for name in names.iter().filter(|name| {
                Path::new(name).extension() == Some("md".as_ref()) && *name != HISTORY
            }) {
                let file = Path::new(folder).join(name).display().to_string();
                let text = fs::read_to_string(root.join(&file)).unwrap_or_default();
                lines.extend(text.lines().zip(1..).map(|(text, number)| Line {
                    file: file.clone(),
                    number,
                    text: text.to_owned(),
                }));
            }
        }
        Self(lines)
    }

    /// The files and lines that hold `name`, as the API or as Rust spells it.
    pub fn naming(&self, name: &str) -> Vec<(&str, u64)> {
        let snake = name.to_snake_case();
        let lines =
            self.0.iter().filter(|line| names(&line.text, name) || names(&line.text, &snake));
        lines.map(|line| (line.file.as_str(), line.number)).collect()
    }

    /// The places that name what a difference is about, as `FILE:LINE`.
    pub fn about(&self, spec: &Spec, difference: &Difference) -> Vec<String> {
        if matches!(difference, Difference::Added { .. }) {
            return Vec::new();
        }
        let place = difference.place();
        let operation = spec.operation_id(place).map(str::to_owned);
        let found = place.name().or(operation).into_iter().flat_map(|name| {
            self.naming(&name)
                .into_iter()
                .map(|(file, line)| format!("{file}:{line}"))
                .collect::<Vec<_>>()
        });
        found.collect()
    }
}

/// Whether a text holds a name. One that may be a word of English must look like code.
fn names(text: &str, name: &str) -> bool {
    let is_word = name.chars().all(|c| c.is_ascii_lowercase());
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(name).any(|(at, _)| {
        let (before, after) =
            (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        let apart = !before.is_some_and(part) && !after.is_some_and(part);
        apart && (!is_word || before.is_some_and(|c| "`\".?&".contains(c)))
    })
}
