//! `cargo xtask docs`: what a page says otherwise than openapi.yaml.

use crate::compare::Comparison;
use crate::drift;
use crate::facts::Place;
use crate::page::{self, Page, record};
use crate::report::{Counts, Problem, Receipt, Report};
use crate::spec::{SPEC, Spec};
use crate::waivers::Waivers;
use crate::write;
use std::path::Path;

const COMMAND: &str = "docs";

/// Compares the page from `source` with the spec below `root`.
pub fn run(root: &Path, source: &str, store: bool) -> Report {
    match page::fetch(source) {
        Ok(bytes) => compare(root, page::name(source), &bytes, store),
        Err(problem) => Report::could_not(COMMAND, problem),
    }
}

/// Compares the page in `bytes`, which findings call `name`.
pub fn compare(root: &Path, name: &str, bytes: &[u8], store: bool) -> Report {
    let inputs = Spec::load(root).and_then(|spec| {
        // A record that is about to be written anew need not be readable.
        let record =
            record::load(root).or_else(|problem| if store { Ok(None) } else { Err(problem) });
        Ok((spec, record?, Waivers::load(root)?))
    });
    let (spec, record, mut waivers) = match inputs {
        Ok(inputs) => inputs,
        Err(problem) => return Report::could_not(COMMAND, problem),
    };
    let mut page = match Page::read(bytes, &spec.facts) {
        Ok(page) => page,
        Err(why) => return Report::could_not(COMMAND, format!("{name}: {}", why.explain())),
    };
    let mut problems: Vec<_> = page
        .unreadable
        .iter()
        .map(|unreadable| Problem {
            file: Some(name.to_owned()),
            line: unreadable.line,
            what: unreadable.problem.clone(),
        })
        .collect();
    // The comparison brings the page into the order of the spec.
    let as_it_came = store.then(|| record::Entries::of(&page));
    let sources = drift::sources(root);
    let before = record.as_ref().map(|record| &record.page);
    let (comparison, findings) = drift::findings(&spec, &sources, &mut page, name, before);
    // A copy of a part of the page would pass for the whole of it.
    let missing = spec.facts.operations().filter(|operation| page.facts.get(operation).is_none());
    if !page.shape.denies_places() {
        problems.extend(missing.map(|operation| Problem {
            file: Some(name.to_owned()),
            line: None,
            what: format!("{operation} isn't there; copy the whole page, or take its Markdown"),
        }));
    }
    // A record of half a page would make its silence look like the vendor's.
    let to_store = as_it_came.filter(|_| problems.is_empty());
    let to_store = to_store.map(|entries| entries.write(&comparison));
    let (findings, waived) = waivers.sift(findings);
    let unreadable = page.unreadable.len();
    let mut report = Report::new(COMMAND, findings, problems);
    report.page = Some(name.to_owned());
    report.receipt = receipt(&spec, &comparison, unreadable);
    report.receipt.waived = waived;
    match to_store.map(|text| write::atomically(&root.join(record::RECORD), &text)) {
        Some(Ok(())) => report.receipt.compared.push(format!("recorded in {}", record::RECORD)),
        Some(Err(error)) => {
            return Report::could_not(COMMAND, format!("{}: {error}", record::RECORD));
        }
        None if store => report.receipt.compared.push(format!(
            "not recorded: the page could not be read whole; {} is as it was",
            record::RECORD
        )),
        None => {}
    }
    let text = String::from_utf8_lossy(bytes);
    report.show(name, text.strip_prefix('\u{feff}').unwrap_or(&text));
    report.show(SPEC, &spec.text);
    report
}

/// What was compared, in numbers and by name.
pub fn receipt(spec: &Spec, comparison: &Comparison, unreadable: usize) -> Receipt {
    let silent = comparison.silent.len();
    let facts = Counts {
        operations: comparison.operations,
        agreeing: comparison.agreeing,
        differing: comparison.differing,
        silent,
        unreadable,
    };
    let compared = vec![format!(
        "compared {} of {} operations and {} facts: {} agree, {} differ, of {silent} the page is silent; \
         {unreadable} places could not be read",
        comparison.operations,
        spec.facts.operations().count(),
        comparison.agreeing + comparison.differing + silent,
        comparison.agreeing,
        comparison.differing,
    )];
    let mut told: Vec<String> = comparison
        .silent
        .iter()
        .map(|silent| silent.hidden.as_ref().map_or_else(|| silent.to_string(), Place::to_string))
        .collect();
    told.dedup();
    Receipt { compared, facts, silent: told, waived: Vec::new() }
}
