//! The links of the pages lead somewhere, and those of a README work where GitHub and crates.io show it.

use regex::Regex;
use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The pages of the repository, and of the crates.
fn pages() -> Vec<String> {
    let folders =
        [".", "datafy-api", "datafy-api-ext", "datafy-api-ext/guide", "xtask", "tests/benches"];
    let files = folders.iter().flat_map(|folder| {
        let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
        entries
            .map(move |entry| format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()))
    });
    files.filter(|file| file.ends_with(".md")).collect()
}

fn read(page: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(page)).unwrap()
}

/// The anchors of a page's headings, as GitHub and rustdoc make them.
fn anchors(page: &str) -> Vec<String> {
    let headings = read(page);
    let headings = headings
        .lines()
        .filter_map(|line| Some(line.strip_prefix('#')?.trim_start_matches('#').trim()));
    let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
    headings
        .map(|text| text.chars().filter(kept).collect::<String>().to_lowercase().replace(' ', "-"))
        .collect()
}

/// The page that a path of rustdoc shows, if it is one.
fn shown_at(path: &str) -> Option<String> {
    let rest = path.strip_prefix("crate").unwrap_or(path);
    Some(match rest.trim_start_matches("::") {
        "" => "./datafy-api-ext/DOCS.md".to_owned(),
        "journal" => "./datafy-api-ext/JOURNAL.md".to_owned(),
        "reconcile" => "./datafy-api-ext/RECONCILE.md".to_owned(),
        path => format!("./datafy-api-ext/guide/{}.md", path.strip_prefix("guide::")?),
    })
}

#[test]
fn every_link_within_the_repository_leads_to_a_page_and_its_heading() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    for page in pages() {
        let text = read(&page);
        for link in link.captures_iter(&text).map(|found| found.get(1).unwrap().as_str()) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = page.rsplit_once('/').unwrap().0;
            let target = match path {
                _ if link.starts_with("http") => continue,
                "" => page.clone(),
                _ if path.ends_with(".md") => format!("{folder}/{path}"),
                // rustdoc looks at items, and not at headings.
                _ => match shown_at(path) {
                    Some(target) if !anchor.is_empty() => target,
                    _ => continue,
                },
            };
            assert!(Path::new(ROOT).join(&target).exists(), "{page}: {link}");
            let found = anchor.is_empty() || anchors(&target).iter().any(|it| it == anchor);
            assert!(found, "{page}: {link}: {:?}", anchors(&target));
        }
    }
}

#[test]
fn a_readme_needs_no_rustdoc() {
    let hidden = Regex::new(r"(?m)^ *# (use|let|async|fn|mod|pub|Ok|\}|\w+;)").unwrap();
    let items = Regex::new(r"\[`[^]]*`\]([^(]|$)|\]\([A-Za-z_]+(::[A-Za-z_]+)*\)").unwrap();
    for page in pages() {
        let text = read(&page);
        if page.ends_with("/README.md") || page.starts_with("./") {
            assert!(!items.is_match(&text), "{page}: {:?}", items.find(&text));
        }
        if !page.starts_with("datafy-api-ext/") || page.contains("/guide/") {
            assert!(!hidden.is_match(&text), "{page}: {:?}", hidden.find(&text));
        }
    }
}

#[test]
fn the_files_that_contributors_are_sent_to_exist() {
    let file = Regex::new(r"`((?:\.?[\w-]+/)+[\w.-]*|[\w-]+\.(?:rs|yaml))`").unwrap();
    let folders = [
        "",
        "datafy-api-ext/src",
        "datafy-api-ext/src/bin/datafyctl",
        "datafy-api-ext/src/operations",
        "datafy-api/src",
        "datafy-api",
        "xtask/src",
        "tests/src",
        "tests/tests",
    ];
    let mut missing = Vec::new();
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = read(page);
        for name in file.captures_iter(&text).map(|found| found.get(1).unwrap().as_str()) {
            let exists = |folder: &&str| Path::new(ROOT).join(folder).join(name).exists();
            // The operation that the recipe adds doesn't.
            if !name.contains("detach_volume") && !folders.iter().any(exists) {
                missing.push(format!("{page}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
