//! Annotations of a GitHub workflow, followed by what was compared.

use super::{Report, clean};
use std::fmt::Write;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        // An annotation has one place, which must be a file of the repository.
        let own = finding.spots.iter().find(|spot| report.page.as_ref() != Some(&spot.file));
        let place = own.map(|spot| {
            let line = spot.line.map(|line| format!(",line={line}")).unwrap_or_default();
            format!("file={}{line},", property(&spot.file))
        });
        let place = place.unwrap_or_default();
        let title = property(&format!("{} has drifted", finding.link));
        let message = data(&format!("{}\n{}", finding.title, finding.help));
        let _ = writeln!(text, "::error {place}title={title}::{message}");
    }
    for problem in &report.problems {
        let message = data(&problem.explain());
        let _ = writeln!(text, "::error title=could not check::{message}");
    }
    for line in &report.receipt.compared {
        let _ = writeln!(text, "{}", clean(line));
    }
    text
}

/// Escapes the value of a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn data(text: &str) -> String {
    let lines: Vec<String> = text.replace('%', "%25").lines().map(clean).collect();
    lines.join("%0A")
}
