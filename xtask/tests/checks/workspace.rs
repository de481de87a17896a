//! Copies of the workspace, and what is built of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use xtask::check::compiled::Compiled;
use xtask::report::Finding;

/// Each build puts its program in the same place.
static TURN: Mutex<()> = Mutex::new(());

/// A folder with the contract of the page of record. Tests of particular places use it, so that they hold for whatever
/// contract the workspace has.
pub(crate) fn record() -> PathBuf {
    xtask::files::root().join("xtask/tests/fixtures/record")
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(path, text).expect("written");
    }
    folder
}

/// What the compiled code of the workspace at `root` knows, or why it can't be compiled.
pub(crate) fn compiled(root: &Path) -> Result<Compiled, Box<Finding>> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Compiled::load(root).expect("cargo")
}

/// A copy of the workspace, which builds into the same target directory as this one.
///
/// Cargo distinguishes its packages from those of this workspace by their version. Copies that are built at the same
/// time need different ones, or one uses the packages of the other.
pub(crate) fn copy(version: &str) -> TempDir {
    let root = xtask::files::root();
    let copy = tempfile::tempdir().expect("a directory");
    let listed = Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard"])
        .current_dir(&root)
        .output()
        .expect("git");
    for file in String::from_utf8(listed.stdout).expect("UTF-8").lines() {
        let (from, to) = (root.join(file), copy.path().join(file));
        fs::create_dir_all(to.parent().expect("a folder")).expect("created");
        // Symlinks become the files that they point to.
        if from.is_file() {
            fs::copy(from, to).expect("copied");
        }
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let version = format!("version = \"{version}\"");
    change(copy.path(), "Cargo.toml", &[("version = \"0.1.0\"", &version)]);
    let config = format!("[build]\ntarget-dir = {:?}\n", target.display().to_string());
    let path = copy.path().join(".cargo/config.toml");
    let own = fs::read_to_string(&path).expect("the configuration");
    fs::write(path, own + "\n" + &config).expect("written");
    copy
}

pub(crate) fn change(root: &Path, file: &str, pairs: &[(&str, &str)]) {
    let path = root.join(file);
    let mut text = fs::read_to_string(&path).expect(file);
    for (from, to) in pairs {
        assert!(text.contains(from), "{file} holds no {from:?}");
        text = text.replacen(from, to, 1);
    }
    fs::write(path, text).expect("written");
}
