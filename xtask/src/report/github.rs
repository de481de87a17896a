//! Annotations of a GitHub workflow, and the receipt as plain lines.

use super::{Report, clean};
use std::fmt::Write;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        // An annotation has one place, and only a file of the repository can carry it.
        let place = finding
            .spots
            .iter()
            .find(|spot| !report.is_page(&spot.file))
            .map(|spot| {
                let line = spot.line.map(|line| format!(",line={line}")).unwrap_or_default();
                format!("file={}{line},", property(&spot.file))
            })
            .unwrap_or_default();
        let title = property(&format!("{} has drifted", finding.link.word()));
        let message = data(&format!("{}\n{}", finding.title, finding.help));
        let _ = writeln!(text, "::error {place}title={title}::{message}");
    }
    for problem in &report.problems {
        let message = data(&Report::explain(problem));
        let _ = writeln!(text, "::error title=could not check::{message}");
    }
    for line in &report.receipt.compared {
        let _ = writeln!(text, "{}", clean(line));
    }
    text
}

/// Escapes the value of a property, as workflow commands want it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn data(text: &str) -> String {
    let lines: Vec<String> = text.replace('%', "%25").lines().map(clean).collect();
    lines.join("%0A")
}
