//! The files of the workspace, and how they are read and written.

use anyhow::{Context, Result};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The contract.
pub const SPEC: &str = "openapi.yaml";
/// Its copy in the crate that is built from it: a package can't reach outside of its folder.
pub const SPEC_COPY: &str = "datafy-api/openapi.yaml";
/// The client that is generated from it.
pub const GENERATED: &str = "datafy-api/src/generated.rs";
/// The page of record as an OpenAPI document.
pub const RECORD: &str = "xtask/page.yaml";
/// The differences that are meant to stay.
pub const WAIVERS: &str = "xtask/waivers.yaml";
/// The crates whose types may appear in the public API.
pub const FOREIGN_TYPES: &str = "xtask/api/foreign-types.yaml";
/// The public items of the crate that people use.
pub const LISTING: &str = "xtask/api/datafy-api-ext.txt";
/// The fake's answers.
pub const HANDLER: &str = "datafy-api-ext/src/fake/handler.rs";
/// The program that calls every operation with all its options.
pub const DRIVER: &str = "tests/src/bin/facts.rs";

/// The workspace.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Reads `file` below `root`, if it exists.
pub fn read_if_exists(root: &Path, file: &str) -> Result<Option<String>> {
    match fs::read_to_string(root.join(file)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context(file.to_owned()),
    }
}

/// Reads `file` below `root`.
pub fn read(root: &Path, file: &str) -> Result<String> {
    fs::read_to_string(root.join(file)).with_context(|| file.to_owned())
}

/// Writes `file` below `root`.
pub fn write(root: &Path, file: &str, text: &str) -> Result<()> {
    fs::write(root.join(file), text).with_context(|| file.to_owned())
}
