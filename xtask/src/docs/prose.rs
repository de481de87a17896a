//! The prose that names what changed: the compiler doesn't read it.

use crate::document::{Difference, Spec, What};
use heck::ToSnakeCase;
use std::fs;
use std::path::Path;

/// Folders of prose.
const FOLDERS: [&str; 4] = ["", "datafy-api", "datafy-api-ext", "datafy-api-ext/guide"];

/// What was true then.
const HISTORY: &str = "CHANGELOG.md";

/// The files of prose of a workspace: their names and texts.
#[derive(Default)]
pub struct Prose(Vec<(String, String)>);

impl Prose {
    /// Reads the prose below `root`. What can't be read holds none.
    pub fn load(root: &Path) -> Self {
        let mut files = Vec::new();
        for folder in FOLDERS {
            let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
            for file in entries.map(|entry| Path::new(folder).join(entry.file_name())) {
                if file.extension() == Some("md".as_ref()) && !file.ends_with(HISTORY) {
                    let text = fs::read_to_string(root.join(&file)).unwrap_or_default();
                    files.push((file.display().to_string(), text));
                }
            }
        }
        files.sort();
        Self(files)
    }

    /// The files and lines that hold `name`, as the API or as Rust spells it.
    pub fn naming(&self, name: &str) -> Vec<(&str, u64)> {
        let snake = name.to_snake_case();
        let lines = self.0.iter().flat_map(|(file, text)| {
            text.lines().zip(1..).map(move |(line, number)| (file.as_str(), number, line))
        });
        let lines = lines.filter(|(.., line)| names(line, name) || names(line, &snake));
        lines.map(|(file, number, _)| (file, number)).collect()
    }

    /// The places that name what a difference is about, as `FILE:LINE`.
    pub fn about(&self, spec: &Spec, difference: &Difference) -> Vec<String> {
        let place = &difference.place;
        if difference.what == What::Added {
            return Vec::new();
        }
        let name = place.name().or_else(|| spec.operation_id(place).map(str::to_owned));
        let found = name.iter().flat_map(|name| self.naming(name));
        found.map(|(file, line)| format!("{file}:{line}")).collect()
    }
}

/// Whether a text holds a name. One that may be a word of English must look like code.
fn names(text: &str, name: &str) -> bool {
    let is_word = name.chars().all(|c| c.is_ascii_lowercase());
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let apart = !before.is_some_and(part) && !text[at + name.len()..].starts_with(part);
        apart && (!is_word || before.is_some_and(|c| "`\".?&".contains(c)))
    })
}
