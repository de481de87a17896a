//! The notable dependencies of each feature.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// Crates that a user may want to avoid: TLS libraries, the generator, test tools. Those of the command are added.
const NOTABLE: [&str; 11] = [
    "aws-lc-rs",
    "h2",
    "httpmock",
    "native-tls",
    "openssl",
    "progenitor",
    "regex",
    "ring",
    "rustls",
    "schemars",
    "typify",
];

const GENERATOR: &[&str] =
    &["anstyle", "progenitor", "regex", "schemars", "serde-saphyr", "typify"];

#[cfg(target_os = "linux")]
const NATIVE_TLS: &[&str] = &["native-tls", "openssl"];
#[cfg(not(target_os = "linux"))]
const NATIVE_TLS: &[&str] = &["native-tls"];

/// The features but `cli`, whether `datafy-api` has them too, and what they add.
const FEATURES: [(&str, bool, &[&str]); 8] = [
    ("codegen", true, GENERATOR),
    ("fake", false, &[]),
    ("httpmock", true, &["httpmock", "regex"]),
    ("native-tls", true, NATIVE_TLS),
    ("reconcile", false, &[]),
    ("rustls", true, &["aws-lc-rs", "rustls"]),
    ("rustls-no-provider", true, &["rustls"]),
    ("schemars", true, &["schemars"]),
];

/// What cargo prints with these arguments.
fn cargo(arguments: &str) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments.split_whitespace()).arg("--locked");
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The optional dependencies that the feature `cli` names.
fn of_command() -> Vec<String> {
    let metadata: Value =
        serde_json::from_str(&cargo("metadata --no-deps --format-version 1")).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    let own = packages.iter().find(|package| package["name"] == "datafy-api-ext");
    let features = own.expect("a package")["features"]["cli"].as_array().expect("a list");
    let names = features.iter().filter_map(|feature| feature.as_str()?.strip_prefix("dep:"));
    names.map(str::to_owned).collect()
}

/// The notable crates that a user of `package` compiles with these arguments of cargo.
fn dependencies<'a>(package: &str, arguments: &str, of_command: &'a [String]) -> BTreeSet<&'a str> {
    let tree =
        cargo(&format!("tree --package {package} --edges normal,build --prefix none {arguments}"));
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("reqwest"), "the dependency tree is that of the package");
    let notable = NOTABLE.into_iter().chain(of_command.iter().map(String::as_str));
    notable.filter(|name| names.contains(name)).collect()
}

#[test]
fn each_feature_adds_only_the_dependencies_that_it_needs() {
    let (raw, ext) = ("datafy-api", "datafy-api-ext");
    let of_command = of_command();
    let dependencies = |package, arguments: &str| dependencies(package, arguments, &of_command);
    assert!(dependencies(ext, "--no-default-features").is_empty());
    let mut all = dependencies(ext, "--no-default-features --features cli");
    assert_eq!(all, of_command.iter().map(String::as_str).collect());
    for (feature, is_of_both, expected) in FEATURES {
        for package in [ext, raw].into_iter().take(if is_of_both { 2 } else { 1 }) {
            let found =
                dependencies(package, &format!("--no-default-features --features {feature}"));
            assert_eq!(found, expected.iter().copied().collect(), "{package} with {feature}");
            all.extend(found);
        }
    }
    assert_eq!(dependencies(ext, "--all-features"), all);
    // By default only the raw client compiles the generator.
    let tls = ["aws-lc-rs", "rustls"];
    assert_eq!(dependencies(ext, ""), BTreeSet::from(tls));
    assert_eq!(dependencies(raw, ""), GENERATOR.iter().copied().chain(tls).collect());
}
