//! The commands as a maintainer uses them, on copies of the workspace.

use crate::page::facts;
use crate::render::{self, Variations};
use crate::workspace::{self, change, copy};
use cpu_time::ThreadTime;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use xtask::check;
use xtask::docs;
use xtask::docs::findings::Around;
use xtask::document::{Pointer, Spec, members};
use xtask::files::{RECORD, SPEC};
use xtask::page::record;
use xtask::report::{Ending, Format, Report};
use xtask::yaml;

/// The document of the spec with the changes of the fixture: those of the vendor's revision, and others.
pub(crate) fn changed(root: &Path) -> Value {
    let mut document = Spec::load(root).expect("the spec").value().clone();
    let changes = include_str!("../fixtures/changed.yaml");
    let changes: BTreeMap<String, Value> = serde_saphyr::from_str(changes).expect("YAML");
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let parent = document.pointer_mut(parent).and_then(Value::as_object_mut).expect("a place");
        match value {
            Value::Null => drop(parent.remove(key)),
            value => drop(parent.insert(key.replace("~1", "/"), value)),
        }
    }
    document
}

/// The findings of a page on the workspace at `root`.
pub(crate) fn docs(root: &Path, page: &str) -> Report {
    docs::compare(root, "page", page.as_bytes(), false)
}

fn fingerprints(report: &Report) -> BTreeSet<&str> {
    // The text of a page runs the values of an `enum` together.
    let whole = report.findings.iter().map(|finding| finding.fingerprint.as_str());
    whole.map(|text| text.find(" enum ").map_or(text, |at| &text[..at + 5])).collect()
}

/// The findings about the changed page: those that only Markdown shows, or those that both shapes show.
fn shown_by(shape: &str) -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../fixtures/changed.txt").lines().skip(1);
    lines.filter_map(move |line| line.strip_prefix(shape))
}

#[test]
fn each_change_of_the_page_is_one_finding_and_a_folded_one_is_none() {
    let root = workspace::record();
    let changed = changed(&root);
    let text = docs(&root, &render::text(&facts(&changed), Variations::default()));
    assert_eq!(fingerprints(&text), shown_by("both: ").collect());
    let hidden = "POST /api/v1/volumes/create-from-snapshots body.source|2: not";
    assert!(text.receipt.silent.iter().any(|silent| silent == hidden), "{:?}", text.receipt.silent);

    let markdown = docs(&root, &render::markdown(&changed, Variations::default()));
    let all = shown_by("both: ").chain(shown_by("markdown: "));
    assert_eq!(fingerprints(&markdown), all.collect());
    let pasted = markdown.findings.iter().flat_map(|finding| &finding.paste);
    let reused = "parameters/SubAccountId";
    assert!({ pasted }.any(|it| it.yaml.contains(reused)), "it will be what has moved");
    for report in [text, markdown] {
        assert_eq!(report.ending, Ending::Drift);
        for finding in &report.findings {
            let files: Vec<_> = finding.spots.iter().map(|spot| (&*spot.file, spot.line)).collect();
            assert!(matches!(files[..], [("page", Some(_)), (SPEC, Some(_)), ..]), "{finding:?}");
            assert!(finding.breaks.is_some() && !finding.help.is_empty(), "{finding:?}");
            let new = finding.fingerprint.ends_with("detach added");
            assert_eq!(finding.items.is_empty(), new, "{finding:?}");
            assert_eq!(finding.methods.is_empty(), new, "{finding:?}");
        }
    }
}

#[test]
fn a_page_of_the_spec_is_equal_and_every_fact_is_counted() {
    let root = xtask::files::root();
    let spec = Spec::load(&root).expect("the spec");
    let markdown = docs(&root, &render::markdown(spec.value(), Variations::default()));
    assert_eq!(markdown.ending, Ending::Equal, "{:?}", markdown.findings);
    let facts = spec.facts.map.values().filter(|fact| fact.value.is_some()).count();
    assert_eq!(markdown.receipt.facts.agreeing, facts);
    assert_eq!(markdown.receipt.silent, [""; 0]);

    let text = docs(&root, &render::text(&spec.facts, Variations::default()));
    assert_eq!(text.ending, Ending::Equal, "{:?}", text.findings);
    let counts = text.receipt.facts;
    assert_eq!(counts.agreeing + counts.silent, facts);
}

#[test]
fn the_page_of_record_agrees_where_it_does_not_fold_and_the_changed_one_gives_its_changes() {
    // Pages are kept beside the checkout, since their sentences aren't ours.
    let compare = |file: &str| {
        let page = fs::read(xtask::files::root().join("../shared/docs").join(file)).ok();
        if page.is_none() {
            crate::note(format_args!("skipped: {file} is not here"));
        }
        Some(docs::compare(&workspace::record(), "page", &page?, false))
    };
    if let Some(report) = compare("datafy-api.txt") {
        assert_eq!(report.ending, Ending::Equal, "{:?}", report.findings);
        assert_eq!((report.receipt.facts.unreadable, report.receipt.silent.len()), (0, 8));
        let hidden = "POST /api/v1/volumes/create-from-snapshots body.source|1.datafySnapshotId";
        assert_eq!(report.receipt.silent[0], hidden);
    }
    if let Some(report) = compare("next/page.txt") {
        assert_eq!(fingerprints(&report), shown_by("both: ").collect());
    }
    if let Some(report) = compare("next/page.md") {
        let all = shown_by("both: ").chain(shown_by("markdown: "));
        assert_eq!(fingerprints(&report), all.collect());
    }
}

#[test]
fn the_record_shows_whether_the_page_changed_or_the_transcription_was_wrong() {
    let copy = copy("0.1.99");
    let root = copy.path();
    let page = render::text(&Spec::load(root).expect("the spec").facts, Variations::default());
    let report = docs::compare(root, "page", page.as_bytes(), true);
    assert_eq!(report.ending, Ending::Equal);
    let wrong = [("          default: true", "          default: false")];
    change(root, SPEC, &wrong);
    let cause = |page: &str| {
        let report = docs(root, page);
        let [finding] = report.findings.as_slice() else { panic!("{:?}", report.findings) };
        finding.cause.expect("there is a record").to_string()
    };
    assert!(cause(&page).contains("the transcription is wrong"));
    change(root, SPEC, &[(wrong[0].1, wrong[0].0)]);
    let of_autoscaling = page.replacen("Default: true", "Default: false", 1);
    assert!(cause(&of_autoscaling).contains("the page changed"));
    change(root, SPEC, &[("          default: true", "          default: other")]);
    assert!(cause(&of_autoscaling).contains("agrees with neither"));
}

#[test]
fn an_unreadable_page_neither_agrees_nor_is_recorded() {
    let copy = copy("0.1.99");
    let root = copy.path();
    let record = root.join(RECORD);
    fs::write(&record, "kept").expect("written");
    let page = render::text(&Spec::load(root).expect("the spec").facts, Variations::default());
    let half = &page[..page.rfind("Do something").expect("several operations")];
    let damaged = page.replacen("descriptionstringOptional", "descriptionmapOptional", 1);
    for (page, ending, record_is_kept) in [
        (damaged.as_str(), Ending::CouldNotCheck, true),
        ("# Page Not Found", Ending::CouldNotCheck, true),
        (half, Ending::Drift, true),
        (&damaged.replacen("Default: true", "Default: false", 1), Ending::Drift, true),
        (&page, Ending::Equal, false),
    ] {
        let report = docs::compare(root, "page", page.as_bytes(), true);
        assert_eq!(report.ending, ending, "{:?}", report.problems);
        let after = fs::read_to_string(&record).expect("the record");
        assert_eq!(after == "kept", record_is_kept);
    }
    // A page of Markdown was recorded, and the fences of the next copy are damaged.
    let spec = Spec::load(root).expect("the spec");
    let page = render::markdown(spec.value(), Variations::default());
    assert_eq!(docs::compare(root, "page", page.as_bytes(), true).ending, Ending::Equal);
    for damaged in [
        page.replace("```json\n", ""),
        page.replace("\"paths\"", "paths"),
        page.replace("}\n```", "}"),
    ] {
        let report = docs(root, &damaged);
        assert_eq!(report.ending, Ending::CouldNotCheck, "{:?}", report.findings);
    }
    let away = docs::run(root, "http://127.0.0.1:9/page", false);
    assert_eq!(away.ending, Ending::CouldNotCheck);
    assert!(away.problems[0].what.starts_with("http://127.0.0.1:9/page: "), "{:?}", away.problems);
    assert_eq!(docs::run(root, "no/such/file", false).ending, Ending::CouldNotCheck);
}

#[test]
fn a_page_is_read_from_a_url_and_a_missing_one_is_not_equal() {
    let root = xtask::files::root();
    let spec = Spec::load(&root).expect("the spec");
    let page = render::markdown(spec.value(), Variations::default());
    for (status, body, more, ending, word) in [
        ("200 OK", &*page, 0, Ending::Equal, ""),
        ("200 OK", "# Page Not Found\n", 0, Ending::CouldNotCheck, "`Page Not Found`"),
        ("200 OK", "<!doctype html><p>", 0, Ending::CouldNotCheck, "append `.md`"),
        ("404 Not Found", &page, 0, Ending::CouldNotCheck, "404 Not Found"),
        // It is cut off.
        ("200 OK", &page, 1, Ending::CouldNotCheck, ""),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/api.md", listener.local_addr().expect("an address"));
        let length = body.len() + more;
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close");
        let (report, asked) = std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut request = [0; 4_096];
                let length = stream.read(&mut request).expect("a request");
                write!(stream, "{head}\r\n\r\n{body}").expect("answered");
                String::from_utf8_lossy(&request[..length]).to_lowercase()
            });
            (docs::run(&root, &url, false), asked.join().expect("it was asked"))
        });
        assert_eq!(report.ending, ending, "{:?}", report.problems);
        if let [problem] = report.problems.as_slice() {
            assert!(problem.what.starts_with(&url) && problem.what.contains(word), "{problem:?}");
        }
        assert!(asked.contains("accept: text/markdown,"), "{asked}");
    }
}

#[test]
fn a_finding_prints_in_each_format_and_a_page_does_not_steer_the_terminal() {
    let root = xtask::files::root();
    let page = render::text(&Spec::load(&root).expect("the spec").facts, Variations::default());
    let example = "Example: Snapshot of volume vol-0b9176567fe16f0bc";
    let line = page.lines().position(|line| line == example).expect("it is shown") + 1;
    let report = docs(&root, &page.replacen(example, "Example: \u{1b}[31mfalse%", 1));
    let text = report.render(Format::Text);
    for part in [
        "error[page]: `body.description`: `example` is",
        &format!("--> page:{line}: the page"),
        "--> openapi.yaml:",
        "= generated: types::CreateSnapshotRequest::description",
        "= methods: Call<CreateSnapshot>::description",
        "= breaks the build: no",
        "compared 4 of 4 operations",
        "1 finding\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text:?}");

    let json: Value = serde_json::from_str(&report.render(Format::Json)).expect("JSON");
    assert_eq!((&json["version"], &json["ending"]), (&json!(1), &json!("drift")));
    assert_eq!(json["findings"][0]["breaks"]["callers"], json!(false));
    assert_eq!(json["receipt"]["facts"]["differing"], json!(1));

    let github = report.render(Format::Github);
    let annotation = github.lines().next().expect("a line");
    assert!(annotation.starts_with("::error file=openapi.yaml,line="), "{annotation}");
    assert!(annotation.contains("false%25") && annotation.contains("%0A"), "{annotation}");
}

#[test]
fn a_spec_that_differs_from_the_record_is_one_finding_that_says_what_to_run() {
    let root = workspace::record();
    let text = fs::read_to_string(root.join(SPEC)).expect("the spec");
    let cases: Vec<[String; 3]> =
        serde_saphyr::from_str(include_str!("../fixtures/ours.yaml")).expect("YAML");
    for [from, to, label] in &cases {
        assert!(text.contains(from), "{from}");
        let spec = Spec::parse(SPEC, text.replace(from, to)).expect("a spec");
        let mut recorded = record::load(&root).expect("readable").expect("a record");
        let found = check::record::check(&spec, &Around::default(), &mut recorded).0;
        assert_eq!(found.is_none(), from == to, "{from}");
        let Some(found) = found else { continue };
        assert!(found.help.contains("`cargo xtask docs PAGE --record`"), "{found:?}");
        assert!(
            found.paste.is_empty() && found.spots.iter().all(|spot| spot.label.contains(label)),
            "{found:?}"
        );
    }
}

/// The document of the spec with this many operations, below paths that begin like this.
fn many(spec: &Value, operations: usize, begin: &str) -> Value {
    let paths = spec["paths"].as_object().expect("paths");
    let numbered = |number| {
        let path = move |path: &String| path.replace("/api/v1/", &format!("{begin}{number}/"));
        paths.iter().map(move |(own, item)| (path(own), item.clone()))
    };
    let mut many = spec.clone();
    many["paths"] = (0..operations / paths.len()).flat_map(numbered).collect();
    many
}

#[test]
fn the_time_of_a_comparison_grows_with_the_page_and_no_faster() {
    let spec = Spec::load(&workspace::record()).expect("the spec").value().clone();
    for (what, own, shown) in [
        ("equal", Some("/api/v"), "/api/v"),
        ("new", None, "/api/v"),
        ("gone and new", Some("/api/v"), "/api/w"),
        ("moved", Some("/api/v"), "/new/api/v"),
    ] {
        let time = |operations| {
            let own = own.map_or_else(|| spec.clone(), |begin| many(&spec, operations, begin));
            let root = workspace::folder(&[(SPEC, &yaml::write(&own))]);
            let page = render::markdown(&many(&spec, operations, shown), Variations::default());
            let times = (0..2).map(|_| {
                let started = ThreadTime::now();
                let report = docs(root.path(), &page);
                assert_eq!(report.findings.is_empty(), what == "equal", "{:?}", report.problems);
                started.elapsed()
            });
            times.min().expect("it ran")
        };
        let (few, many) = (time(60), time(240));
        crate::note(format_args!("240 operations, {what}: {many:?}, 60: {few:?}"));
        assert!(many < few * 6, "{what}: the time grows faster than the page");
    }
}

#[test]
fn each_change_of_the_code_is_caught() {
    let copy = copy("0.1.98");
    let root = copy.path();
    let spec = Spec::load(root).expect("the spec");
    let create = Pointer::operation("post", "/api/v1/volumes/create-from-snapshots");
    let parameter = spec.facts.parameters(&create).next().expect("the sub-account");
    let name = parameter.name().expect("a name").to_lowercase();
    let code = include_str!("../fixtures/code.yaml").replace("{name}", &name);
    let code = code.replace("{parameter}", &parameter.within_operation().to_lowercase());
    let code: Value = serde_saphyr::from_str(&code).expect("YAML");
    for (file, changes) in members(Some(&code["changes"])) {
        for (from, to) in members(Some(changes)) {
            change(root, file, &[(from, to.as_str().expect("a text"))]);
        }
    }
    let early = check::before_compiling(root).expect("it can be read").1;
    // If the generator itself made such code, the wire and the types would show it.
    let compiled = workspace::compiled(root).expect("it compiles");
    let late = check::after_compiling(&spec, &compiled).map(|(found, _)| found).concat();
    let found = early.iter().chain(&late).map(|finding| finding.fingerprint.to_lowercase());
    let found: Vec<_> = found.collect();
    for expected in code["found"].as_array().expect("a list") {
        let expected = expected.as_str().expect("a text").to_lowercase();
        assert!(found.iter().any(|it| it.starts_with(&expected)), "{expected}: {found:#?}");
    }
    // An option that is gone doesn't compile, and that is a finding too.
    let ext = "datafy-api-ext/src/operations/create_snapshot.rs";
    change(root, ext, &[("pub fn autoscaling_only(", "pub fn managed(")]);
    let error = workspace::compiled(root).expect_err("the option is gone");
    assert!(error.spots[0].label.contains("no method named `autoscaling_only`"), "{error:?}");
    assert!(error.printed.contains("-->") && error.printed.contains("facts.rs"), "{error:?}");
}
