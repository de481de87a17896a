//! Reads a token from a file.

use crate::client::token::NoToken;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// The size of the largest file that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Returns the content of a regular file.
pub(crate) fn read(path: &Path) -> Result<SecretString, NoToken> {
    let unusable = |problem: &str| NoToken::of_file(path, problem);
    let unreadable = |error: io::Error| {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => "does not exist; create it or correct the path".to_owned(),
            io::ErrorKind::PermissionDenied => {
                "may not be read by this process; change its permissions".to_owned()
            }
            kind => format!("can't be read ({kind}); check the path"),
        };
        unusable(&problem).because(error)
    };
    let check = |metadata: &Metadata| {
        let other = || unusable("is not a regular file; give the path of a regular file");
        metadata.is_file().then_some(()).ok_or_else(other)
    };
    // Opening a pipe waits for a writer, so this comes first. The file may be replaced before it is open.
    check(&fs::metadata(path).map_err(unreadable)?)?;
    let file = File::open(path).map_err(unreadable)?;
    check(&file.metadata().map_err(unreadable)?)?;
    // Allocated at its largest size: a buffer that grows leaves copies in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LARGEST {
        return Err(unusable("is larger than 64 KiB; check the path"));
    }
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err(unusable("is not valid UTF-8; write the token to it as plain text")),
    }
}
