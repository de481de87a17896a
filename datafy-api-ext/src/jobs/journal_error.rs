//! Why a journal can't be used.

use crate::one_line::OneLine;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a journal can't be used.
///
/// `Foreign`, `Damaged` and `InUse` leave the file unchanged.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file can't be read or written.
    #[error("the journal {} can't be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: Arc<io::Error>,
    },
    /// The file is not a journal of this operation, endpoint and sub-account, or not a journal at all.
    #[error("{} is not a journal of this run: its first line is {} instead of {expected}; use another file", path.display(), OneLine(found))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its first line.
        found: String,
        /// The first line of a journal of this run.
        expected: String,
    },
    /// A complete line of the file is not a valid record. (An incomplete last line, as a crash leaves it, is fine.)
    #[error("the journal {} is damaged at line {line}; check the volume of that line, then repair or remove it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// Another run has the file open.
    #[error("the journal {} is in use by another run; wait for that run or use another file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
}
