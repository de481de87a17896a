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

/// The features, whether `datafy-api` has them too, and what they add.
const FEATURES: [(&str, bool, &[&str]); 9] = [
    ("cli", false, &["clap", "serde-saphyr"]),
    ("codegen", true, GENERATOR),
    ("fake", false, &[]),
    ("httpmock", true, &["httpmock", "regex"]),
    ("native-tls", true, NATIVE_TLS),
    ("reconcile", false, &[]),
    ("rustls", true, &["aws-lc-rs", "rustls"]),
    ("rustls-no-provider", true, &["rustls"]),
    ("schemars", true, &["schemars"]),
];

/// The notable crates that a user of `package` compiles with these arguments of cargo.
fn dependencies(package: &str, arguments: &str) -> BTreeSet<&'static str> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--package", package]);
    cargo.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let tree = cargo.args(arguments.split_whitespace()).output().expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("names of crates");
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("reqwest"), "the dependency tree is that of the package");
    NOTABLE.into_iter().filter(|name| names.contains(name)).collect()
}

#[test]
fn each_feature_adds_only_the_dependencies_that_it_needs() {
    let (raw, ext) = ("datafy-api", "datafy-api-ext");
    assert!(dependencies(ext, "--no-default-features").is_empty());
    let mut all = BTreeSet::new();
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
