//! Reads a token from a file.

use crate::client::token_error::TokenError;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::path::Path;

/// The size of the largest file that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Returns the content of a regular file.
pub(crate) fn read(path: &Path) -> Result<SecretString, TokenError> {
    let unreadable = |source| TokenError::UnreadableFile { path: path.to_owned(), source };
    let check = |metadata: &Metadata| {
        let other = || TokenError::NotAFile { path: path.to_owned() };
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
        return Err(TokenError::FileTooLarge { path: path.to_owned() });
    }
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err(TokenError::FileNotUtf8 { path: path.to_owned() }),
    }
}
