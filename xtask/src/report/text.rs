//! A report for people, in the style of rustc.

use super::{Ending, Report, clean};
use crate::docs::Fragment;
use crate::report::{Finding, Spot};
use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use std::fmt::Write;

/// The most characters that are underlined: a line of Markdown may hold a whole document.
const MOST_UNDERLINED: usize = 120;

pub(super) fn render(report: &Report, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for finding in &report.findings {
        let _ = writeln!(text, "{}\n", renderer.render(&[group(report, finding)]));
        for line in finding.printed.lines() {
            let _ = writeln!(text, "{}", clean(line));
        }
    }
    for problem in &report.problems {
        let title = problem.explain();
        let level = if report.findings.is_empty() { Level::ERROR } else { Level::WARNING };
        let group = level.primary_title(title).elements(Vec::<Element<'_>>::new());
        let _ = writeln!(text, "{}\n", renderer.render(&[group]));
    }
    for line in &report.receipt.compared {
        let _ = writeln!(text, "{}", clean(line));
    }
    if !report.receipt.silent.is_empty() {
        let _ = writeln!(text, "the page is silent on:");
        for place in &report.receipt.silent {
            let _ = writeln!(text, "  {}", clean(place));
        }
    }
    if !report.receipt.not_compared.is_empty() {
        let keywords = report.receipt.not_compared.join(", ");
        let _ = writeln!(text, "not compared, see xtask/README.md: {}", clean(&keywords));
    }
    for fingerprint in &report.receipt.waived {
        let _ = writeln!(text, "waived: {}", clean(fingerprint));
    }
    text + &match (report.ending, report.findings.len()) {
        (Ending::Equal, _) => "all is equal\n".to_owned(),
        (Ending::Drift, 1) => "1 finding\n".to_owned(),
        (Ending::Drift, findings) => format!("{findings} findings\n"),
        (Ending::CouldNotCheck, _) => "could not check\n".to_owned(),
    }
}

fn group<'a>(report: &'a Report, finding: &'a Finding) -> annotate_snippets::Group<'a> {
    let mut elements: Vec<Element<'a>> = Vec::new();
    elements.extend(finding.spots.iter().map(|spot| place(report, spot)));
    let mut note = |word: &'static str, text: String| {
        elements.push(Level::NOTE.with_name(word).message(text).into());
    };
    if finding.operations.len() > 1 {
        note("operations", finding.operations.join("\n"));
    }
    if !finding.items.is_empty() {
        note("generated", finding.items.join(", "));
    }
    if !finding.methods.is_empty() {
        note("methods", finding.methods.join(", "));
    }
    if let Some(breaks) = &finding.breaks {
        let verdict =
            |why: Option<&str>| why.map_or_else(|| "no".to_owned(), |why| format!("yes: {why}"));
        note("breaks requests and answers", verdict(breaks.wire));
        note("breaks the build", verdict(breaks.build));
    }
    if let Some(cause) = finding.cause {
        note("cause", cause.to_string());
    }
    if !finding.prose.is_empty() {
        note("prose", finding.prose.join("\n"));
    }
    note("fingerprint", clean(&finding.fingerprint));
    let help = finding.help.lines().map(clean).collect::<Vec<_>>().join("\n");
    let help = format!("{help}{}", finding.paste.iter().map(paste).collect::<String>());
    elements.push(Level::HELP.message(help).into());
    let level = Level::ERROR.with_name(format!("error[{}]", finding.link));
    level.primary_title(clean(&finding.title)).elements(elements)
}

fn place<'a>(report: &'a Report, spot: &'a Spot) -> Element<'a> {
    let line = spot.line.and_then(|line| usize::try_from(line).ok());
    let text = line.and_then(|line| report.texts.get(&spot.file)?.get(line - 1));
    let (Some(line), Some(text)) = (line, text) else {
        let origin = Origin::path(spot.file.as_str());
        return match line {
            Some(line) => origin.line(line).into(),
            None => origin.into(),
        };
    };
    // The renderer shows the part of a long line around what is underlined.
    let found = spot.focus.as_ref().and_then(|focus| Some((text.find(focus)?, focus.len())));
    let indent = text.len() - text.trim_start().len();
    let start = text.trim().chars().take(MOST_UNDERLINED).map(char::len_utf8);
    let (at, length) = found.unwrap_or_else(|| (indent, start.sum()));
    Snippet::source(text.as_str())
        .line_start(line)
        .path(spot.file.as_str())
        .annotation(AnnotationKind::Primary.span(at..at + length).label(spot.label.as_str()))
        .into()
}

/// YAML to paste, with the line after which it stands.
fn paste(fragment: &Fragment) -> String {
    let lines = fragment.yaml.lines().map(|line| format!("\n{}", clean(line)));
    format!("\n@@ after line {} of openapi.yaml @@{}", fragment.after, lines.collect::<String>())
}
