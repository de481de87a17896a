//! The lines of a copied text that are about one operation.

use super::text::{Section, label};
use crate::document::{Facts, METHODS, Unreadable, without_names};
use regex::Regex;
use std::sync::LazyLock;

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
/// Some pages have only the end, and some show the path only in a sample of the request.
pub(super) fn blocks<'a>(
    lines: &'a [Line<'a>],
    spec: &Facts,
    unreadable: &mut Vec<Unreadable>,
) -> Vec<Block<'a>> {
    let markers = (0..lines.len()).filter_map(|index| marker(lines, index, spec));
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
        let mut sampled =
            lines[end..next.max(end)].iter().filter_map(|line| sample(line.text, method, spec));
        // The line of the path, or of the method.
        let line = lines[end - 1].number;
        if let Some(path) = path.or_else(|| sampled.next()) {
            blocks.push(Block { method, path, line, lines: block, title });
        } else {
            let problem = format!("`{method}` is not followed by a path");
            unreadable.push(Unreadable { line: Some(line), problem });
        }
    }
    blocks
}

fn marker(lines: &[Line<'_>], start: usize, spec: &Facts) -> Option<Marker> {
    let text = lines[start].text;
    // `Delete` is a title.
    let method = METHODS
        .into_iter()
        .find(|method| text.starts_with(method) || text.starts_with(&method.to_uppercase()))?;
    let rest = text[method.len()..].trim_start();
    let path = |text: &str| is_path(text).then(|| text.to_owned());
    let below = lines.get(start + 1).filter(|_| rest.is_empty());
    let below =
        below.and_then(|next| path(next.text).or_else(|| request_line(next.text, method, spec)));
    let (path, end) = match below {
        Some(below) => (Some(below), start + 2),
        None => (path(rest), start + 1),
    };
    (path.is_some() || rest.is_empty()).then_some(Marker { method, path, start, end })
}

/// The path in a request line, `GET /a HTTP/1.1`, with which a documented path may be joined.
fn request_line(text: &str, method: &str, spec: &Facts) -> Option<String> {
    let (before, target) = text.split_once(" HTTP/")?.0.split_once(' ')?;
    let documented = before.strip_suffix(&method.to_uppercase())?;
    match documented {
        "" => is_path(target).then(|| of_spec(target, method, spec)),
        documented => is_path(documented).then(|| documented.to_owned()),
    }
}

/// The path in a sample of the request: a request line, or the URL of a curl command.
fn sample(text: &str, method: &str, spec: &Facts) -> Option<String> {
    static URL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:\bcurl\b|--url ).*?https?://[^/\s'"]+(/[^\s'"\\]*)"#)
            .expect("a regular expression")
    });
    let url = || Some(of_spec(URL.captures(text)?.get(1)?.as_str(), method, spec));
    request_line(text, method, spec).or_else(url)
}

/// The path of a sample without its query, and without what the spec's path doesn't begin with: the server's part.
fn of_spec(target: &str, method: &str, spec: &Facts) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let known = spec.operations().filter_map(|place| {
        let (own, path) = place.method_and_path()?;
        own.eq_ignore_ascii_case(method).then_some(path)
    });
    let longest = known.filter(|known| without_names(path).ends_with(&without_names(known)));
    longest.max_by_key(String::len).unwrap_or_else(|| path.to_owned())
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(char::is_whitespace)
}
