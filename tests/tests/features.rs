//! What each feature costs: which of the crates that matter it pulls in, and no others.

use std::collections::BTreeSet;
use std::process::Command;

/// Crates that somebody may have reasons to keep out: TLS libraries, the generator, tools for tests.
const MATTER: [&str; 13] = [
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

const FEATURES: [(&str, &[&str]); 7] = [
    ("codegen", GENERATOR),
    ("fake", &[]),
    ("httpmock", &["httpmock", "regex"]),
    ("native-tls", NATIVE_TLS),
    ("rustls", &["aws-lc-rs", "rustls"]),
    ("rustls-no-provider", &["rustls"]),
    ("schemars", &["schemars"]),
];

/// The crates that matter among those that a user of `package` compiles.
fn pulled(package: &str, features: &[&str]) -> BTreeSet<&'static str> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--package", package]);
    cargo.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let tree = cargo.args(features).output().expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("names of crates");
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("reqwest"), "the test looks at what it means to");
    MATTER.into_iter().filter(|name| names.contains(name)).collect()
}

fn set(names: &[&'static str]) -> BTreeSet<&'static str> {
    names.iter().copied().collect()
}

#[test]
fn each_feature_pulls_what_it_is_for_and_nothing_else() {
    assert_eq!(pulled("datafy-api-ext", &["--no-default-features"]), set(&[]));
    let mut all = BTreeSet::new();
    for (feature, expected) in FEATURES {
        for package in ["datafy-api", "datafy-api-ext"] {
            if (package, feature) == ("datafy-api", "fake") {
                continue;
            }
            let pulled = pulled(package, &["--no-default-features", "--features", feature]);
            assert_eq!(pulled, set(expected), "{package} with {feature}");
            all.extend(pulled);
        }
    }
    assert_eq!(pulled("datafy-api-ext", &["--all-features"]), all);
}

#[test]
fn by_default_no_generator_is_compiled_but_for_the_raw_client() {
    assert_eq!(pulled("datafy-api-ext", &[]), set(&["aws-lc-rs", "rustls"]));
    let raw = [GENERATOR, &["aws-lc-rs", "rustls"]].concat();
    assert_eq!(pulled("datafy-api", &[]), set(&raw));
}
