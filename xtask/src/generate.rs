//! `cargo xtask generate`: writes the committed client, and the copy of the spec that its crate is built from.

use crate::files::{self, SPEC};
use crate::rendition;
use crate::report::Ending;
use anyhow::Result;
use std::path::Path;

/// Generates from the spec below `root`, and writes the files or compares them with the committed ones.
pub fn run(root: &Path, check: bool) -> Result<Ending> {
    let mut ending = Ending::Equal;
    for (file, text) in rendition::all(&files::read(root, SPEC)?)? {
        let committed = files::read_if_exists(root, file)?.unwrap_or_default();
        if !check {
            files::write(root, file, &text)?;
        } else if let Some(diff) = rendition::diff(file, &committed, &text) {
            print!("{diff}");
            eprintln!("error: {file} is not what {SPEC} describes; run `cargo xtask generate`");
            ending = Ending::Drift;
        }
    }
    Ok(ending)
}
