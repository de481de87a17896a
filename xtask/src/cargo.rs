//! Runs cargo.

use std::env;
use std::path::Path;
use std::process::Command;

/// A cargo command in the workspace at `root`, with the configuration there.
pub fn cargo(root: &Path, command: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).arg(command);
    cargo
}
