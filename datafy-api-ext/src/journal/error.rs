//! Why a journal can't be used.

use crate::one_line::OneLine;
use crate::with_cause::with_cause;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a journal can't be used, or a step of it can't be settled.
///
/// `{error}` is one line; `{error:#}` adds the cause. All but `Io` and `Changed` leave the file unchanged.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file can't be read or written.
    #[error(fmt = io)]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: Arc<io::Error>,
    },
    /// The file is not a journal.
    #[error("{} is not a journal: its first line is \"{}\"; use another file", path.display(), OneLine(found))]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// Its first line, up to 200 characters of it.
        found: String,
    },
    /// The journal is not one that this run can resume: it has another version of the format, is one of another job,
    /// operation, endpoint, sub-account or account, or is [too old](crate::jobs::Fleet::max_journal_age).
    #[error("the journal {} {problem}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Why not, and what to do.
        problem: String,
    },
    /// A crash does not explain what is wrong with the file. It can be [repaired](crate::journal#a-damaged-line).
    #[error("the journal {} is damaged at line {line}: {problem}; repair it as JOURNAL.md says, and settle the item of that line; a run with another file would repeat what was done", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A run has the file open, or somebody who [settles](super::Journal::settle) steps.
    #[error("the journal {} is in use; wait for the run that uses it", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Somebody removed, replaced or changed the file while a run used it. Nothing is sent any more.
    #[error("the journal {} {change} while it was in use; restore its content before the next run, which would otherwise repeat what was done", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What happened to it.
        change: &'static str,
    },
    /// The journal has no such step, its effect is known, the ID doesn't fit the operation, or another call was made since
    /// somebody looked.
    #[error("{} of {key:?} can't be settled: {}", OneLine(operation), OneLine(problem))]
    NotSettled {
        /// The key.
        key: String,
        /// The operation of the step.
        operation: String,
        /// The reason.
        problem: String,
    },
}

fn io(path: &Path, source: &io::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let path = path.display();
    with_cause(format_args!("the journal {path} can't be read or written"), source, f)
}

impl JournalError {
    pub(super) fn damaged(path: &Path, line: u64, problem: &'static str) -> Self {
        Self::Damaged { path: path.to_owned(), line, problem }
    }

    pub(super) fn foreign(path: &Path, problem: String) -> Self {
        Self::Foreign { path: path.to_owned(), problem }
    }

    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source: Arc::new(source) }
    }
}
