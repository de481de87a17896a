//! The notable dependencies of each feature.

use std::collections::BTreeSet;
use std::process::Command;

/// Crates that a user may want to avoid: TLS libraries, the generator, test tools.
const NOTABLE: [&str; 13] = [
    "aws-lc-rs",
    "clap",
    "h2",
    "httpmock",
    "native-tls",
    "openssl",
    "progenitor",
    "regex",
    "ring",
    "rustls",
    "schemars",
    "serde-saphyr",
    "typify",
];

const GENERATOR: &[&str] = &["progenitor", "regex", "schemars", "serde-saphyr", "typify"];

#[cfg(target_os = "linux")]
const NATIVE_TLS: &[&str] = &["native-tls", "openssl"];
#[cfg(not(target_os = "linux"))]
const NATIVE_TLS: &[&str] = &["native-tls"];

/// Features of `datafy-api-ext` alone.
const ERGONOMIC: [&str; 3] = ["cli", "fake", "reconcile"];

const FEATURES: [(&str, &[&str]); 9] = [
    ("cli", &["clap", "serde-saphyr"]),
    ("codegen", GENERATOR),
    ("fake", &[]),
    ("httpmock", &["httpmock", "regex"]),
    ("native-tls", NATIVE_TLS),
    ("reconcile", &[]),
    ("rustls", &["aws-lc-rs", "rustls"]),
    ("rustls-no-provider", &["rustls"]),
    ("schemars", &["schemars"]),
];

/// The notable crates that a user of `package` compiles with these features.
fn dependencies(package: &str, features: &[&str]) -> BTreeSet<&'static str> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--package", package]);
    cargo.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let tree = cargo.args(features).output().expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("names of crates");
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("reqwest"), "the dependency tree is that of the package");
    NOTABLE.into_iter().filter(|name| names.contains(name)).collect()
}

fn set(names: &[&'static str]) -> BTreeSet<&'static str> {
    names.iter().copied().collect()
}

#[test]
fn each_feature_adds_only_the_dependencies_that_it_needs() {
    assert_eq!(dependencies("datafy-api-ext", &["--no-default-features"]), set(&[]));
    let mut all = BTreeSet::new();
    for (feature, expected) in FEATURES {
        for package in ["datafy-api", "datafy-api-ext"] {
            if package == "datafy-api" && ERGONOMIC.contains(&feature) {
                continue;
            }
            let found = dependencies(package, &["--no-default-features", "--features", feature]);
            assert_eq!(found, set(expected), "{package} with {feature}");
            all.extend(found);
        }
    }
    assert_eq!(dependencies("datafy-api-ext", &["--all-features"]), all);
}

#[test]
fn by_default_only_the_raw_client_compiles_the_generator() {
    assert_eq!(dependencies("datafy-api-ext", &[]), set(&["aws-lc-rs", "rustls"]));
    let raw = [GENERATOR, &["aws-lc-rs", "rustls"]].concat();
    assert_eq!(dependencies("datafy-api", &[]), set(&raw));
}
