//! The JSON of rustdoc, which is not stable yet: rustdoc writes it, on a stable toolchain, when told to
//! bootstrap. Were cargo told so too, build scripts would see it and all dependencies be built anew.
//! So cargo gets this program in rustdoc's place, which tells rustdoc alone.

use crate::cargo::cargo;
use serde::Deserialize;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{self, Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Where this program, in rustdoc's place, finds rustdoc.
const RUSTDOC: &str = "DATAFY_XTASK_RUSTDOC";

/// The version of the JSON that the crate `public-api` reads, and the Rust of which the listings are made.
const FORMAT: u32 = 57;
const RUST: &str = "1.95";

/// Runs rustdoc, if cargo called this program in its place.
pub fn stand_in() -> Option<ExitCode> {
    let rustdoc = env::var_os(RUSTDOC)?;
    let arguments = env::args_os().skip(1);
    let status = Command::new(&rustdoc).args(arguments).env("RUSTC_BOOTSTRAP", "1").status();
    let code = match status {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()),
        Err(error) => {
            eprintln!("error: {}: {error}", rustdoc.display());
            None
        }
    };
    Some(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Has rustdoc describe the crate `name` of the workspace at `root`, with all features, and tells where.
pub fn json(root: &Path, name: &str) -> Result<PathBuf, String> {
    let this = env::current_exe()
        .and_then(path::absolute)
        .map_err(|error| format!("the path of xtask: {error}"))?;
    let rustdoc = env::var_os("RUSTDOC").unwrap_or_else(|| OsString::from("rustdoc"));
    let status = cargo(root, "rustdoc")
        .args(["--locked", "--quiet", "--package", name, "--lib", "--all-features"])
        .args(["--", "-Zunstable-options", "--output-format", "json"])
        .env("RUSTDOC", this)
        .env(RUSTDOC, rustdoc)
        // They may ask for what is private, too.
        .env_remove("RUSTDOCFLAGS")
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err(format!(
            "rustdoc can't describe {name}; mend what it names, and run this again"
        ));
    }
    let json = target(root)?.join("doc").join(name.replace('-', "_")).with_extension("json");
    let text = fs::read(&json).map_err(|error| format!("{}: {error}", json.display()))?;
    readable(&text).map_err(|problem| format!("{}: {problem}", json.display()))?;
    Ok(json)
}

/// The target directory of the workspace at `root`.
fn target(root: &Path) -> Result<PathBuf, String> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let output = cargo(root, "metadata")
        .args(["--locked", "--no-deps", "--format-version", "1"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    serde_json::from_slice(&output.stdout)
        .map(|metadata: Metadata| metadata.target_directory)
        .map_err(|error| format!("cargo metadata: {error}"))
}

/// Says why the JSON can't be read, if it can't: another version may pass for a smaller API.
pub fn readable(json: &[u8]) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Head {
        format_version: u32,
    }
    let Head { format_version } =
        serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if format_version == FORMAT {
        return Ok(());
    }
    Err(format!(
        "rustdoc wrote version {format_version} of its JSON, and version {FORMAT} can be read; run \
         `cargo +{RUST} xtask api`, since the listings are made with Rust {RUST}, or move `public-api` in \
         Cargo.toml and xtask/src/api/rustdoc.rs to this Rust, and run `cargo xtask api --write`"
    ))
}
