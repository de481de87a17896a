//! The lines of a copied text that are about one operation.

use super::label::{Section, label};
use crate::document::{METHODS, Problem};

#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: u64,
    pub(super) text: &'a str,
}

/// The lines about one operation.
pub(super) struct Block<'a> {
    pub(super) method: &'static str,
    pub(super) path: String,
    /// The line of the path.
    pub(super) line: u64,
    pub(super) lines: &'a [Line<'a>],
    /// The lines that may be its title.
    pub(super) title: &'a [Line<'a>],
}

/// A method, and the path joined with it or on the line below.
struct Marker {
    method: &'static str,
    path: Option<String>,
    start: usize,
    end: usize,
}

/// Splits the page into operations. Each begins with its method, sometimes joined with the path, and ends with both.
/// Some pages have only the end.
pub(super) fn blocks<'a>(lines: &'a [Line<'a>], unreadable: &mut Vec<Problem>) -> Vec<Block<'a>> {
    let markers = (0..lines.len()).filter_map(|index| marker(lines, index));
    let mut markers = markers.peekable();
    let answers = |line: &Line<'_>| label(line.text).is_some_and(|it| it.0 == Section::Answers);
    let first_answers = lines.iter().position(answers).unwrap_or(lines.len());
    let ends_only = markers.peek().is_some_and(|first| first_answers < first.start);
    let mut blocks = Vec::new();
    let mut last_end = 0;
    while let Some(Marker { method, path, start, end }) = markers.next() {
        let next = markers.peek().map_or(lines.len(), |next| next.start);
        let (block, title) = if ends_only {
            let block = &lines[last_end..start];
            (block, &block[..block.len().min(3)])
        } else {
            (&lines[end..next], &lines[last_end.max(start.saturating_sub(3))..start])
        };
        let closes = |next: &Marker| {
            next.method == method && next.path.is_some() && (path.is_none() || path == next.path)
        };
        let last = markers.next_if(|next| !ends_only && closes(next));
        let (path, end) = last.map_or((path, end), |last| (last.path, last.end));
        last_end = end;
        // The line of the path, or of the method.
        let line = lines[end - 1].number;
        if let Some(path) = path {
            blocks.push(Block { method, path, line, lines: block, title });
        } else {
            let what = format!("`{method}` is not followed by a path");
            unreadable.push(Problem { line: Some(line), what, file: None });
        }
    }
    blocks
}

fn marker(lines: &[Line<'_>], start: usize) -> Option<Marker> {
    let text = lines[start].text;
    // `Delete` is a title.
    let method = METHODS
        .into_iter()
        .find(|method| text.starts_with(method) || text.starts_with(&method.to_uppercase()))?;
    let rest = text[method.len()..].trim_start();
    let path = |text: &str| is_path(text).then(|| text.to_owned());
    let below = lines.get(start + 1).filter(|_| rest.is_empty());
    let below = below.and_then(|next| path(next.text));
    let (path, end) = match below {
        Some(below) => (Some(below), start + 2),
        None => (path(rest), start + 1),
    };
    (path.is_some() || rest.is_empty()).then_some(Marker { method, path, start, end })
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(char::is_whitespace)
}
