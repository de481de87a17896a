//! The JSON of rustdoc, which is unstable: a stable rustdoc writes it with `RUSTC_BOOTSTRAP` set.
//!
//! If cargo had it set too, build scripts would see it and all dependencies would be built again. So cargo
//! runs this program in the place of rustdoc, and this program sets it for rustdoc alone.

use crate::cargo::cargo;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::env;
use std::fs;
use std::path::{self, Path, PathBuf};
use std::process::{Command, ExitCode};

/// The variable that holds the path of rustdoc for this program in its place.
const RUSTDOC: &str = "DATAFY_XTASK_RUSTDOC";

/// The version of the JSON that the crate `public-api` reads, and the Rust that writes it.
const FORMAT: u32 = 57;
const RUST: &str = "1.95";

/// Runs rustdoc, if cargo runs this program in its place.
pub fn stand_in() -> Option<ExitCode> {
    let rustdoc = env::var_os(RUSTDOC)?;
    let arguments = env::args_os().skip(1);
    let status = Command::new(&rustdoc).args(arguments).env("RUSTC_BOOTSTRAP", "1").status();
    let status = status.inspect_err(|error| eprintln!("error: {}: {error}", rustdoc.display()));
    let success = status.is_ok_and(|status| status.success());
    Some(if success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs rustdoc on the workspace at `root`, with all features, and returns the folder of its output.
///
/// On one crate alone, or without an example, cargo would compile dependencies with other features than those that
/// `cargo clippy --all-targets` has compiled already.
pub fn document(root: &Path) -> Result<PathBuf> {
    let this = env::current_exe().and_then(path::absolute).context("the path of xtask")?;
    // This program is in `debug` of the target directory, which rustdoc shares.
    let target = this.ancestors().nth(2).map(Path::to_owned);
    let rustdoc = env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    let status = cargo(root, "doc")
        .args(["--locked", "--quiet", "--workspace", "--all-features", "--no-deps"])
        .args(["--lib", "--example", "lifecycle"])
        .env("RUSTDOC", this)
        .env(RUSTDOC, rustdoc)
        .env("RUSTDOCFLAGS", "-Zunstable-options --output-format json")
        .status()
        .context("cargo")?;
    ensure!(status.success(), "rustdoc failed; fix its errors and run this again");
    Ok(target.context("the target directory of xtask")?.join("doc"))
}

/// The output of rustdoc for the crate `name` in the folder that [`document`] returns.
pub fn json(folder: &Path, name: &str) -> Result<PathBuf> {
    let json = folder.join(name.replace('-', "_")).with_extension("json");
    fs::read(&json)
        .map_err(anyhow::Error::from)
        .and_then(|text| readable(&text))
        .with_context(|| json.display().to_string())?;
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
