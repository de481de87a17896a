#![doc = include_str!("../../JOURNAL.md")]

mod entries;
mod entry;
mod error;
mod file;
mod header;
mod line;
mod replay;
mod store;

pub(crate) use entries::Entries;
pub(crate) use entry::unattached;
pub use entry::{Entry, Settled, Step, StepState};
pub use error::JournalError;
pub(crate) use header::{CALLS, FUNCTIONS, Header};
pub(crate) use line::{Event, Record};
pub(crate) use store::{Intent, Store};

use crate::client::Datafy;
use crate::id::VolumeId;
use crate::untrusted::Untrusted;
use file::JournalFile;
use replay::Replay;
use std::fmt;
use std::path::Path;
use std::time::SystemTime;

/// What a journal says about each item, and a way to settle what is unknown. The methods block the thread while they
/// read and write the file.
///
/// ```no_run
/// use datafy_api_ext::journal::{Journal, Settled, StepState};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut journal = Journal::read("nightly-2026-01-01.jsonl")?;
/// for entry in journal.entries() {
///     for step in entry.steps.iter().filter(|step| step.state == StepState::Unknown) {
///         println!("{}: {} at {}, {:?}", entry.key, step.operation, step.begun, step.marker);
///     }
/// }
/// // The snapshot of this volume is not there, so the next run creates it.
/// journal.settle("vol-0b9176567fe16f0bc", "create_snapshot", 1, Settled::NotApplied)?;
/// # Ok(())
/// # }
/// ```
pub struct Journal {
    file: JournalFile,
    replay: Replay,
}

impl Journal {
    /// Reads what the journal at `path` says, also while a run has it open.
    ///
    /// Calls that the run makes meanwhile may be missing. On Windows this fails while the file is open, since nobody can
    /// read a file that is locked there.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let mut file = JournalFile::view(path.as_ref())?;
        Ok(Self { replay: file.read()?, file })
    }

    /// Reads the journal at `path`, and locks it: no run can use it until this is dropped. Fails if a run has it open.
    pub fn lock(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let mut file = JournalFile::open(path.as_ref())?;
        Ok(Self { replay: file.read()?, file })
    }

    /// The path of the file, which is absolute.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whether a run with this client can resume the journal: its endpoint, sub-account and account are those of the
    /// client.
    pub fn is_of(&self, datafy: &Datafy) -> bool {
        self.replay.header.is_of(datafy)
    }

    /// The name of the job, if the run had one.
    pub fn job(&self) -> Option<Untrusted> {
        self.header("job")
    }

    /// The operation that the run applies to each item, `restore`, or the name of the function or type that does the job.
    pub fn operation(&self) -> Untrusted {
        self.header("operation").unwrap_or_default()
    }

    /// The URL of the service.
    pub fn endpoint(&self) -> Untrusted {
        self.header("endpoint").unwrap_or_default()
    }

    /// The sub-account of the client, if any.
    pub fn sub_account(&self) -> Option<Untrusted> {
        self.header("sub_account")
    }

    /// The account that the client names in the query parameter `accounts`, if any.
    pub fn account(&self) -> Option<Untrusted> {
        self.header("account")
    }

    fn header(&self, member: &str) -> Option<Untrusted> {
        self.replay.header.text(member).map(Untrusted::local)
    }

    /// What the journal says about each item, in the order in which the items were begun.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry> {
        self.replay.entries.iter()
    }

    /// Returns the entry with this key.
    pub fn entry(&self, key: &str) -> Option<Entry> {
        self.replay.entries.get(key)
    }

    /// The volumes that were created and not attached, with their keys. They are billed.
    ///
    /// The API can't delete one: see [how to find and delete it](crate::guide::steps#unattached-volumes).
    pub fn unattached(&self) -> Vec<(String, VolumeId)> {
        self.replay.entries.unattached()
    }

    /// Records what was found out about a step, so that the next run repeats or skips it. Locks the journal, as
    /// [`lock`](Self::lock) does, and fails if it was written to since it was read.
    ///
    /// `number` counts the steps of this operation under the key, from 1. It is on disk when this returns. Fails if the
    /// effect of the step is known, or if an ID is missing, is not of the form of the created object, or is given for an
    /// operation that creates nothing.
    pub fn settle(
        &mut self,
        key: &str,
        operation: &str,
        number: u32,
        found: Settled,
    ) -> Result<(), JournalError> {
        if !self.file.is_locked() {
            let locked = Self::lock(self.path())?;
            // What was found out may be about an earlier call.
            if locked.replay.length != self.replay.length {
                let (key, operation) = (key.to_owned(), operation.to_owned());
                let problem = "the journal was written to since it was read; read it again".into();
                return Err(JournalError::NotSettled { key, operation, problem });
            }
            *self = locked;
        }
        let entry = self.entry(key).unwrap_or_else(|| Entry::new(key));
        let time = SystemTime::now().into();
        let record = Record { time, ..entry.settlement((operation, number), None, found)? };
        self.file.repair(&mut self.replay)?;
        self.file.append(time, &[record.object()], &[])?;
        // A settlement can follow any record.
        let _ = self.replay.entries.apply(record);
        Ok(())
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.path()).finish_non_exhaustive()
    }
}
