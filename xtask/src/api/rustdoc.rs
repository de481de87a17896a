//! The JSON of rustdoc, which is unstable.

use crate::cargo::cargo;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The version of the JSON that the crate `public-api` reads, and the Rust that writes it.
const FORMAT: u32 = 57;
const RUST: &str = "1.95";

/// Runs rustdoc on the workspace at `root`, with all features, and returns the folder of its output.
///
/// On one crate alone, or without an example, cargo would compile dependencies with other features than those that
/// `cargo clippy --all-targets` has compiled already.
pub fn document(root: &Path) -> Result<PathBuf> {
    let status = cargo(root, "doc")
        .args(["--locked", "--quiet", "--workspace", "--all-features", "--no-deps"])
        .args(["--lib", "--example", "lifecycle"])
        .env("RUSTDOC", root.join("xtask/src/api/rustdoc.sh"))
        .env("RUSTDOCFLAGS", "-Zunstable-options --output-format json")
        .status()
        .context("cargo")?;
    ensure!(status.success(), "rustdoc failed; fix its errors and run this again");
    // This program is in `debug` of the target directory, which rustdoc shares.
    let this = env::current_exe().context("the path of xtask")?;
    Ok(this.ancestors().nth(2).context("the target directory of xtask")?.join("doc"))
}

/// The output of rustdoc for the crate `name` in the folder that [`document`] returns.
pub fn json(folder: &Path, name: &str) -> Result<PathBuf> {
    let json = folder.join(name.replace('-', "_")).with_extension("json");
    let text = fs::read(&json).map_err(anyhow::Error::from);
    text.and_then(|text| readable(&text)).with_context(|| json.display().to_string())?;
    Ok(json)
}

/// Refuses the JSON of another version, which could pass for a smaller API.
pub fn readable(json: &[u8]) -> Result<()> {
    #[derive(Deserialize)]
    struct Head {
        format_version: u32,
    }
    let Head { format_version } = serde_json::from_slice(json)?;
    ensure!(
        format_version == FORMAT,
        "rustdoc wrote version {format_version} of its JSON, and version {FORMAT} can be read; run \
         `cargo +{RUST} xtask api`, or move `public-api` in Cargo.toml and xtask/src/api/rustdoc.rs to \
         this Rust and run `cargo xtask api --write`"
    );
    Ok(())
}
