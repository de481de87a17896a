//! Writes files whole or not at all, and reads them again.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// Writes beside the file and renames, so that a failed run leaves the old one.
pub fn atomically(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(path);
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    }
    file.persist(path)?;
    Ok(())
}

/// What was written to `file` below `root`. A missing file is one that differs in every line.
pub fn written(root: &Path, file: &str) -> Result<String, String> {
    match fs::read_to_string(root.join(file)) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(format!("{file}: {error}")),
    }
}
