//! Why there is no token.

use crate::with_cause::with_cause;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no token to send: when a client is built, or when a call needs another one.
///
/// No variant shows the token, unless a provider puts it into its own error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is empty.
    #[error("the token is empty; check where it comes from")]
    Empty,
    /// The text is not a token.
    #[error("the token{} {problem}", place(file.as_deref()))]
    Invalid {
        /// The file that it was read from, if any.
        file: Option<PathBuf>,
        /// What is wrong, and at which character.
        problem: String,
    },
    /// The token file can't be read.
    #[error("the token file {} {}", path.display(), reason(source))]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// Why it can't be read.
        source: io::Error,
    },
    /// The path of the token file is that of a directory, a pipe or a device.
    #[error("the token file {} is not a regular file; give the path of a regular file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// The token file is larger than 64 KiB.
    #[error("the token file {} is larger than 64 KiB; check the path", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The token file is not text.
    #[error("the token file {} is not valid UTF-8; write the token to it as plain text", path.display())]
    FileNotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// The token file is empty, or holds white space only.
    #[error("the token file {} is empty; write the token to it", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// The token provider returned an error.
    #[error(fmt = provider)]
    Provider(#[source] Box<dyn Error + Send + Sync>),
}

fn provider(source: &impl fmt::Display, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    with_cause("the token provider failed", source, f)
}

/// Where the token was read.
fn place(file: Option<&Path>) -> String {
    file.map(|path| format!(" in {}", path.display())).unwrap_or_default()
}

/// What an I/O error means for the token file, and what to do.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist; create it or correct the path".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "may not be read by this process; change its permissions".to_owned()
        }
        kind => format!("can't be read ({kind}); check the path"),
    }
}
