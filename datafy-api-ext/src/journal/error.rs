//! Why a journal can't be used.

use crate::one_line::OneLine;
use crate::with_cause::with_cause;
use chrono::{DateTime, Utc};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Why a journal can't be used.
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
    /// The file is empty. A journal never is: it was truncated, or another program has made the file.
    #[error("the journal {} is empty; if a run has used it, restore its content, otherwise remove it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a journal.
    #[error("{} is not a journal: its first line is \"{}\"; use another file", path.display(), OneLine(found))]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// Its first line, up to 200 characters of it.
        found: String,
    },
    /// The journal has a format that this version of the crate can't read.
    #[error("the journal {} has version {found} of the format, and this crate reads versions 2 and 3 only; finish the job with the release of the crate that began it, or use another file", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// The journal was begun longer ago than [`Fleet::max_journal_age`](crate::jobs::Fleet::max_journal_age) allows.
    #[error("the journal {} was begun at {begun:?}, longer ago than {limit:?}; use a new one for each run of the schedule", path.display())]
    TooOld {
        /// The file.
        path: PathBuf,
        /// When it was begun, by the clock of the client that did so.
        begun: DateTime<Utc>,
        /// The greatest age.
        limit: Duration,
    },
    /// The journal is one of another job, operation, endpoint, sub-account or account.
    #[error("the journal {} belongs to another run: its `{member}` is {}, and that of this run is {}; use another file", path.display(), OneLine(found), OneLine(expected))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The member of the first line that differs.
        member: &'static str,
        /// Its value in the file, as JSON.
        found: String,
        /// Its value in a journal of this run, as JSON.
        expected: String,
    },
    /// A line of the file was changed, or lines are missing, in a way that a crash does not explain. JOURNAL.md says how to
    /// [repair](crate::journal#a-damaged-line) the file.
    #[error("the journal {} is damaged at line {line}: {problem}; repair it as JOURNAL.md says, and settle the item of that line; a run with another file would repeat what was done", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A run, or a [`Journal`](super::Journal), has the file open.
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
}

fn io(path: &Path, source: &io::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let path = path.display();
    with_cause(format_args!("the journal {path} can't be read or written"), source, f)
}

impl JournalError {
    pub(super) fn damaged(path: &Path, line: u64, problem: &'static str) -> Self {
        Self::Damaged { path: path.to_owned(), line, problem }
    }

    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source: Arc::new(source) }
    }
}
