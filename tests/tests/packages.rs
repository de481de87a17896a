//! What depends on the packages, outside the workspace: the programs of the README and of the guide, and a client that is
//! generated from another spec, of which `specs` tests the requests.
#![allow(clippy::unwrap_used)]

use datafy_api_ext::fake::Fake;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CRATES: [&str; 2] = ["datafy-api", "datafy-api-ext"];
const SPEC: &str = include_str!("../../openapi.yaml");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The text with a part of it replaced, which it must contain.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in {text}");
    text.replace(from, to)
}

/// Runs cargo in a directory, with what the workspace has built already.
fn cargo(directory: &Path, arguments: &str) -> Output {
    let mut cargo = Command::new(env!("CARGO"));
    // A variable of the workspace's own build, which a build script would take for its own.
    cargo.env_remove("CARGO_MANIFEST_DIR").env("CARGO_TARGET_DIR", root().join("target"));
    cargo.current_dir(directory).args(arguments.split(' ')).output().unwrap()
}

/// Fails unless cargo succeeds, and returns what it printed.
#[track_caller]
fn succeeds(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}\n{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_package_holds_what_its_users_need() {
    let allowed = regex::Regex::new(
        r"^(\.cargo_vcs_info\.json|Cargo\.(lock|toml|toml\.orig)|LICENSE-(APACHE|MIT)|(README|DOCS|JOURNAL|RECONCILE)\.md|openapi\.yaml|(build|src|examples)/.*\.rs|build/subset\.md|guide/[a-z_]+\.md)$",
    );
    let allowed = allowed.unwrap();
    for name in CRATES {
        let line = format!("package --list --allow-dirty --package {name}");
        let files = succeeds(&cargo(&root(), &line)).replace('\\', "/");
        let others: Vec<_> = files.lines().filter(|file| !allowed.is_match(file)).collect();
        assert!(others.is_empty(), "{name} packs {others:?}");
        for needed in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            assert!(files.lines().any(|file| file == needed), "{name} doesn't pack {needed}");
        }
    }
}

#[test]
fn the_job_that_publishes_compiles_nothing() {
    let workflow = read(".github/workflows/release.yml");
    let cargo: Vec<_> = workflow.lines().filter(|line| line.contains("run: cargo ")).collect();
    let unverified = |line: &&str| line.contains("--no-verify");
    assert!(
        !cargo.is_empty() && cargo.iter().all(unverified),
        "a build script could take the token: {cargo:?}"
    );
}

/// Packs both crates, and unpacks the packages below `work`. Returns the manifest's sections that every dependent needs.
fn pack(work: &Path) -> String {
    let packages = "--package datafy-api --package datafy-api-ext --target-dir";
    let target = work.join("target").display().to_string();
    let line = format!("package --quiet --allow-dirty --no-verify --locked {packages} {target}");
    succeeds(&cargo(&root(), &line));
    for name in CRATES {
        let file = format!("target/package/{name}-{}.crate", env!("CARGO_PKG_VERSION"));
        let unpacked = Command::new("tar").args(["-xzf", &file]).current_dir(work).status();
        assert!(unpacked.unwrap().success());
    }
    // With the profile of the workspace, dependencies are built already.
    let manifest = read("Cargo.toml");
    let (_, profile) = manifest.split_once("[profile.dev]").unwrap();
    let patch =
        format!("[patch.crates-io]\ndatafy-api = {{ path = {:?} }}", package(work, "datafy-api"));
    format!("{patch}\n\n[lints.rust]\nwarnings = \"deny\"\n\n[profile.dev]{profile}")
}

/// Where a package is.
fn package(work: &Path, name: &str) -> String {
    work.join(format!("{name}-{}", env!("CARGO_PKG_VERSION"))).display().to_string()
}

/// The blocks of `toml` on a page.
fn manifests(page: &str) -> String {
    let blocks = page.split("\n```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds dependents; .ci/run runs it"]
async fn the_programs_of_the_readme_and_the_guide_build_as_they_stand() {
    let work = tempfile::tempdir().unwrap();
    let shared = pack(work.path());
    let project = work.path().join("first");

    // The README's dependencies, with the path of the package, and those of the guide's pages for their programs.
    let own = format!("path = {:?}", package(work.path(), "datafy-api-ext"));
    let dependencies =
        replaced(&manifests(&read("README.md")), "path = \"../datafy/datafy-api-ext\"", &own);
    let pages = fs::read_dir(root().join("datafy-api-ext/guide")).unwrap();
    let pages: String = pages.map(|page| manifests(&read(page.unwrap().path()))).collect();
    // Of those of the same name, the one with the most features.
    let mut guide = BTreeMap::new();
    for line in pages.lines().filter(|line| line.contains(" = ")) {
        let name = line.split(' ').next().unwrap();
        let is_longer = guide.get(name).is_none_or(|other: &&str| line.len() > other.len());
        if is_longer && name != "datafy-api-ext" {
            guide.insert(name, line);
        }
    }
    let guide = guide.into_values().collect::<Vec<_>>().join("\n");
    let features = r#"features = ["fake", "httpmock", "reconcile", "schemars"]"#;
    let manifest = format!(
        "[package]\nname = \"first\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n{dependencies}\n[dev-dependencies]\n\
         datafy-api-ext = {{ {own}, {features} }}\n{guide}\n\n{shared}"
    );
    write(&project.join("Cargo.toml"), &manifest);
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    for program in fs::read_dir(env!("OUT_DIR")).unwrap() {
        let path = program.unwrap().path();
        let (name, mut text) = (path.file_name().unwrap().to_str().unwrap(), read(&path));
        let folder = match name {
            "other_spec.rs" => continue,
            "README_1.rs" => "src/bin",
            _ if text.contains("#[tokio::test]") => "tests",
            _ => "examples",
        };
        // One without `main` is a part of a program.
        if folder == "examples" && !text.contains("fn main") {
            text = format!("#![allow(dead_code)]\n{text}\nfn main() {{}}\n");
        }
        write(&project.join(folder).join(name), &text);
    }
    // With the dependencies that the README names, and no others.
    succeeds(&cargo(&project, "check --quiet"));
    succeeds(&cargo(&project, "test --quiet"));

    let fake = Fake::start().await.unwrap();
    fake.add_volume("vol-0b9176567fe16f0bc".parse().unwrap(), 100);
    let mut first = Command::new(root().join("target/debug/README_1"));
    first.env("DATAFY_TOKEN", Fake::TOKEN).env("DATAFY_ENDPOINT", fake.endpoint());
    let output = tokio::task::spawn_blocking(move || first.output().unwrap()).await.unwrap();
    let id = &fake.snapshots()[0].id;
    assert_eq!(succeeds(&output), format!("created {id}\n"));
    assert_eq!(fake.snapshots().len(), 1);
}

/// openapi.yaml as a dependent may change it: the sub-account as the query parameter of the vendor's current page, a
/// property of a request, and an operation.
fn other_spec() -> String {
    let parameter = "name: X-Datafy-Sub-Account-Id\n      in: header";
    let spec = replaced(SPEC, parameter, "name: accounts\n      in: query\n      explode: false");
    let (before, parameter) = spec.split_once("name: accounts").unwrap();
    let list = "type: array\n        items:\n          type: string\n";
    let end = parameter.find("  # Ours: the names of the schemas").unwrap();
    let begin = parameter.find("type: string").unwrap();
    let spec = format!("{before}name: accounts{}{list}{}", &parameter[..begin], &parameter[end..]);
    let property = "autoscalingOnly:\n          type: boolean";
    let spec =
        replaced(&spec, property, &format!("extra:\n          type: string\n        {property}"));
    let operation = "  /api/v1/extra:
    get:
      operationId: getExtra
      x-idempotent: true
      responses:
        \"200\":
          description: It exists.
";
    replaced(&spec, "paths:\n", &format!("paths:\n{operation}"))
}

/// What a dependent does with it.
const USES_IT: &str = r#"
use datafy_api_ext::datafy_api::{self, operations::GET_EXTRA, types::CreateSnapshotRequest};
use datafy_api_ext::{SubAccountId, fake::Fake};

#[tokio::test]
async fn the_sub_account_is_sent_where_the_spec_says() {
    let fake = Fake::start().await.unwrap();
    let sub_account = SubAccountId::new("sub-1").unwrap();
    fake.sub_account(&sub_account).add_volume("vol-1".parse().unwrap(), 100);
    let datafy = fake.client().sub_account(sub_account).build().unwrap();
    datafy.volume("vol-1".parse().unwrap()).create_snapshot().await.unwrap();
    let requests = fake.requests();
    assert_eq!(requests[0].target, "/api/v1/volumes/vol-1/create-snapshot?accounts=sub-1");
    assert_eq!(requests[0].header("x-datafy-sub-account-id"), None);
}

#[test]
fn what_the_spec_has_beyond_the_crates_can_be_used() {
    assert!(datafy_api::SOURCE.contains("accounts"));
    assert_eq!(CreateSnapshotRequest::default().extra, None);
    assert_eq!(GET_EXTRA.method, "GET");
}
"#;

#[test]
#[ignore = "builds dependents; .ci/run runs it"]
fn a_dependent_generates_the_client_from_a_spec_of_its_own() {
    let work = tempfile::tempdir().unwrap();
    let shared = pack(work.path());
    let project = work.path().join("other");
    let manifest = format!(
        "[package]\nname = \"other\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         datafy-api = {{ path = {:?}, default-features = false, features = [\"httpmock\", \"schemars\"] }}\n\
         datafy-api-ext = {{ path = {:?}, features = [\"codegen\", \"fake\"] }}\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n\n{shared}",
        package(work.path(), "datafy-api"),
        package(work.path(), "datafy-api-ext"),
    );
    let config = "[env]\nDATAFY_API_SPEC = { value = \"openapi.yaml\", relative = true }\n";
    let spec = other_spec();
    let set = |file: &str, text: &str| write(&project.join(file), text);
    set("Cargo.toml", &manifest);
    set(".cargo/config.toml", config);
    set("openapi.yaml", &spec);
    set("src/lib.rs", "");
    set("tests/uses_it.rs", USES_IT);
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    succeeds(&cargo(&project, "test --quiet"));

    let fails_with = |expected: &str| {
        let output = cargo(&project, "build");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(expected), "no {expected:?} in {error}");
    };
    // What the crate uses and the spec lacks is listed.
    set("openapi.yaml", &replaced(&spec, "operationId: attachVolume", "operationId: attachDisk"));
    fails_with("there is no operation `attach_volume`");
    fails_with("use datafy-api alone, or adapt a copy of datafy-api-ext");
    // A changed spec, and another value of the variable, take effect in the next build.
    set("openapi.yaml", &replaced(&spec, "in: query", "in: cookie"));
    let line = spec.lines().position(|line| line == "    SubAccountId:").unwrap() + 1;
    let place = format!("openapi.yaml:{line}: #/components/parameters/SubAccountId");
    fails_with(&format!("{place}: this is none of: parameter: path"));
    let absent = replaced(config, "openapi.yaml", "none.yaml");
    set(".cargo/config.toml", &absent);
    fails_with("none.yaml: No such file");
    set(".cargo/config.toml", &replaced(&absent, ", relative = true", ""));
    fails_with("DATAFY_API_SPEC is \"none.yaml\"; it must be an absolute path");
    set("Cargo.toml", &replaced(&manifest, "\"codegen\", ", ""));
    fails_with("DATAFY_API_SPEC is set, which needs the feature `codegen`");
}
