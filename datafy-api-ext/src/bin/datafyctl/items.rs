//! The volumes that a command is about: from its arguments, or from a list.

use crate::exit::Result;
use clap::Args;
use datafy_api_ext::VolumeId;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Volumes {
    /// The volumes
    #[arg(value_name = "VOLUME")]
    volumes: Vec<VolumeId>,
    /// A file with a volume on each line; `-` is standard input. Empty lines, and what follows a `#`, are ignored
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

impl Volumes {
    /// Reads the whole list, before anything is sent.
    pub(crate) fn read(self) -> Result<Vec<VolumeId>> {
        let Some(path) = self.from else { return Ok(self.volumes) };
        let mut text = String::new();
        open(&path)?.read_to_string(&mut text).map_err(|error| named(&path, error))?;
        let mut volumes = Vec::new();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let id = line.split('#').next().unwrap_or_default().trim();
            if !id.is_empty() {
                let at = |error| format!("{}: line {number}: {error}", path.display());
                volumes.push(VolumeId::new(id).map_err(at)?);
            }
        }
        if volumes.is_empty() {
            return Err(named(&path, "there is no volume in it").into());
        }
        Ok(volumes)
    }
}

/// Opens a list; `-` is standard input.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path).map_err(|error| named(path, error))?))
}

/// An error about a file.
pub(crate) fn named(path: &Path, error: impl Display) -> String {
    format!("{}: {error}", path.display())
}
