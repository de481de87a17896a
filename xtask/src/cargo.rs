//! How cargo is called.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// A command of cargo in the workspace at `root`, with the settings of cargo that lie there.
pub fn cargo(root: &Path, command: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(root).arg(command);
    cargo
}
