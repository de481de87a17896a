//! How a report is printed for people, and as annotations of a GitHub workflow.

use super::{Breaks, Ending, Finding, Report, clean};
use crate::document::Problem;

pub(super) fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    for finding in &report.findings {
        lines.push(format!("error[{}]: {}", finding.link, finding.title));
        for spot in &finding.spots {
            let line = spot.line.map(|line| format!(":{line}")).unwrap_or_default();
            lines.push(format!("  --> {}{line}: {}", spot.file, spot.label));
        }
        for (word, note) in notes(finding) {
            for (index, line) in note.lines().enumerate() {
                let head = if index == 0 { format!("= {word}:") } else { String::from(" ") };
                lines.push(format!("   {head} {line}"));
            }
        }
        for fragment in &finding.paste {
            lines.push(format!("@@ after line {} of openapi.yaml @@", fragment.after));
            lines.extend(fragment.yaml.lines().map(str::to_owned));
        }
        lines.extend(finding.printed.lines().map(str::to_owned));
        lines.push(String::new());
    }
    let receipt = &report.receipt;
    lines.extend(report.problems.iter().map(|problem| format!("error: {}", explain(problem))));
    lines.extend(receipt.compared.iter().cloned());
    for (title, all) in [
        ("the page is silent on", &receipt.silent),
        ("not compared, see xtask/README.md", &receipt.not_compared),
        ("waived", &receipt.waived),
    ] {
        lines.extend(all.iter().map(|one| format!("{title}: {one}")));
    }
    lines.push(match (report.ending, report.findings.len()) {
        (Ending::Equal, _) => "all is equal".to_owned(),
        (Ending::Drift, 1) => "1 finding".to_owned(),
        (Ending::Drift, findings) => format!("{findings} findings"),
        (Ending::CouldNotCheck, _) => "could not check".to_owned(),
    });
    lines.iter().map(|line| clean(line) + "\n").collect()
}

/// The problem with its place, in one line.
fn explain(Problem { file, line, what }: &Problem) -> String {
    let file = file.as_ref().map(|file| format!("{file}:")).unwrap_or_default();
    let line = line.map(|line| format!("{line}:")).unwrap_or_default();
    format!("{file}{line} {what}").trim_start().to_owned()
}

/// What is said of a finding.
fn notes(finding: &Finding) -> [(&'static str, String); 9] {
    let breaks = |why: fn(&Breaks) -> Option<&'static str>| match &finding.breaks {
        Some(breaks) => why(breaks).map_or_else(|| "no".to_owned(), |why| format!("yes: {why}")),
        None => String::new(),
    };
    [
        ("operations", finding.operations.join("\n")),
        ("generated", finding.items.join(", ")),
        ("methods", finding.methods.join(", ")),
        ("breaks requests and answers", breaks(|breaks| breaks.wire)),
        ("breaks the build", breaks(|breaks| breaks.build)),
        ("cause", finding.cause.map(|cause| cause.to_string()).unwrap_or_default()),
        ("prose", finding.prose.join("\n")),
        ("fingerprint", finding.fingerprint.clone()),
        ("help", finding.help.clone()),
    ]
}

/// Annotations of a GitHub workflow, followed by what was compared.
pub(super) fn github(report: &Report) -> String {
    let escape = |text: &str| {
        let lines: Vec<String> = text.replace('%', "%25").lines().map(clean).collect();
        lines.join("%0A")
    };
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    let findings = report.findings.iter().map(|finding| {
        // An annotation has one place, which must be a file of the repository.
        let own = finding.spots.iter().find(|spot| report.page.as_ref() != Some(&spot.file));
        let place = own.map_or_else(String::new, |spot| {
            let line = spot.line.map(|line| format!(",line={line}")).unwrap_or_default();
            format!("file={}{line},", property(&spot.file))
        });
        let message = escape(&format!("{}\n{}", finding.title, finding.help));
        format!("::error {place}title={} has drifted::{message}\n", finding.link)
    });
    let problems = report
        .problems
        .iter()
        .map(|problem| format!("::error title=could not check::{}\n", escape(&explain(problem))));
    let compared = report.receipt.compared.iter().map(|line| clean(line) + "\n");
    findings.chain(problems).chain(compared).collect()
}
