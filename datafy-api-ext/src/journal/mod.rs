#![doc = include_str!("../../JOURNAL.md")]

mod content;
mod entries;
mod entry;
mod error;
mod file;
mod line;
mod log;

pub(crate) use entries::Entries;
pub(crate) use entry::unattached;
pub use entry::{Entry, Step, StepState};
pub use error::JournalError;
pub(crate) use line::{Event, Header, Record};
pub(crate) use log::{Kind, Log};

use crate::client::Datafy;
use crate::id::VolumeId;
use crate::operations::check_created;
use crate::untrusted::Untrusted;
use chrono::{DateTime, Utc};
use content::Content;
use file::JournalFile;
use line::{CALLS, FUNCTIONS};
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A journal that no run has open: what it says about each item, and a way to settle what is unknown.
///
/// No run can use the journal until this is dropped. The methods block the thread while they read and write the file.
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
    content: Content,
    /// Why the file could not be opened for writing.
    read_only: Option<io::Error>,
}

/// What somebody found out about a step whose effect was unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The service acted. The next run skips the step.
    Applied {
        /// The ID of the snapshot or the volume that was created. `None` for an operation that creates nothing.
        id: Option<String>,
    },
    /// The service did not act. The next run repeats the step.
    NotApplied,
}

/// Why a step can't be settled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// The journal has no such step.
    #[error("the journal has no step {number} of {operation:?} under the key {key:?}")]
    NoStep {
        /// The key.
        key: String,
        /// The operation.
        operation: String,
        /// The number of the step.
        number: u32,
    },
    /// The effect of the step is known.
    #[error("{operation} of {key:?} is not unknown: the journal says `{state}`")]
    Known {
        /// The key.
        key: String,
        /// The operation of the step.
        operation: &'static str,
        /// Its state.
        state: String,
    },
    /// The ID does not fit the operation.
    #[error("{operation} of {key:?} can't be settled with this ID: {problem}")]
    Id {
        /// The key.
        key: String,
        /// The operation of the step.
        operation: &'static str,
        /// Why the ID does not fit.
        problem: String,
    },
    /// The journal can't be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Journal {
    /// Reads the journal at `path`. Fails if a run has it open.
    ///
    /// The file is not changed, and need not be writable unless an entry is settled.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref();
        let (opened, read_only) = match JournalFile::open(path, &JournalFile::writable()) {
            Err(JournalError::Io { source, .. })
                if matches!(
                    source.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                let why = io::Error::new(source.kind(), source);
                (JournalFile::open(path, OpenOptions::new().read(true)), Some(why))
            }
            opened => (opened, None),
        };
        let mut file = opened?;
        let content = file.read()?;
        Ok(Self { file, content, read_only })
    }

    /// Reads what the journal at `path` says, also while a run has it open, for reading only.
    ///
    /// Calls that the run makes meanwhile may be missing. On Windows this fails while the file is open, since nobody can
    /// read a file that is locked there.
    pub fn view(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let mut file = JournalFile::view(path.as_ref())?;
        let content = file.read()?;
        let read_only = Some(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it was opened for reading only; use `Journal::read`",
        ));
        Ok(Self { file, content, read_only })
    }

    /// The path of the file, which is absolute.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whether a run with this client can resume the journal: its endpoint, sub-account and account are those of the
    /// client.
    pub fn is_of(&self, datafy: &Datafy) -> bool {
        let own = Header::of_calls(datafy, "", None);
        let header = &self.content.header;
        (&header.endpoint, &header.sub_account, &header.account)
            == (&own.endpoint, &own.sub_account, &own.account)
    }

    /// The name of the job, if the run had one.
    pub fn job(&self) -> Option<Untrusted> {
        self.content.header.job.as_ref().map(Untrusted::local)
    }

    /// The operation that the run applies to each item, `restore`, or the name of the function or type that does the job.
    pub fn operation(&self) -> Untrusted {
        Untrusted::local(&self.content.header.operation)
    }

    /// The URL of the service.
    pub fn endpoint(&self) -> Untrusted {
        Untrusted::local(&self.content.header.endpoint)
    }

    /// The sub-account of the client, if any.
    pub fn sub_account(&self) -> Option<Untrusted> {
        self.content.header.sub_account.as_ref().map(Untrusted::local)
    }

    /// The account that the client names in the query parameter `accounts`, if any.
    pub fn account(&self) -> Option<Untrusted> {
        self.content.header.account.as_ref()?.as_ref().map(Untrusted::local)
    }

    /// What the journal says about each item, in the order in which the items were begun.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry> {
        self.content.entries.iter()
    }

    /// Returns the entry with this key.
    pub fn entry(&self, key: &str) -> Option<Entry> {
        self.content.entries.get(key)
    }

    /// The volumes that were created and not attached, with their keys. They are billed.
    ///
    /// The API can't delete one: see [how to find and delete it](crate::guide::steps#unattached-volumes).
    pub fn unattached(&self) -> Vec<(String, VolumeId)> {
        self.content.entries.unattached()
    }

    /// Records what was found out about a step, so that the next run repeats or skips it.
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
    ) -> Result<(), SettleError> {
        let record = self.content.entries.settlement(key, operation, number, found, None)?;
        if let Some(error) = &self.read_only {
            let error = io::Error::new(error.kind(), error.to_string());
            return Err(JournalError::io(self.file.path(), error).into());
        }
        let line = serde_json::to_string(&record)
            .map_err(|error| JournalError::io(self.file.path(), error.into()))?;
        self.file.repair(&mut self.content)?;
        let now = SystemTime::now().into();
        self.file.append(now, &[line], &[])?;
        // A settlement can follow any record.
        let _ = self.content.entries.apply(now, record);
        Ok(())
    }
}

impl Entries {
    /// Returns the record that settles a step, if it is one that can be settled so.
    pub(crate) fn settlement(
        &self,
        key: &str,
        operation: &str,
        number: u32,
        found: Settled,
        evidence: Option<String>,
    ) -> Result<Record, SettleError> {
        let key = key.to_owned();
        let entry = self.get(&key);
        let Some(step) = entry.as_ref().and_then(|entry| entry.step(operation, number)) else {
            return Err(SettleError::NoStep { key, operation: operation.to_owned(), number });
        };
        let operation = step.operation;
        if !step.is_unsettled(&found) {
            let state = serde_json::to_value(step.state).unwrap_or_default();
            let state = state.as_str().unwrap_or_default();
            let state = if step.lacks_id() { "applied" } else { state }.to_owned();
            return Err(SettleError::Known { key, operation, state });
        }
        let (applied, created_id) = match found {
            Settled::Applied { id } => (true, id),
            Settled::NotApplied => (false, None),
        };
        if applied && let Err(problem) = check_created(operation, created_id.as_deref()) {
            return Err(SettleError::Id { key, operation, problem });
        }
        Ok(Record {
            key,
            operation,
            number,
            event: Event::Settle { applied, created_id, evidence },
        })
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("path", &self.file.path())
            .field("entries", &self.entries().len())
            .finish_non_exhaustive()
    }
}

impl Step {
    /// Whether `found` adds to what is known: the effect is unknown, or only the ID of the created object.
    fn is_unsettled(&self, found: &Settled) -> bool {
        self.state == StepState::Unknown && !(self.lacks_id() && *found == Settled::NotApplied)
    }
}

impl Header {
    /// The header of a run of calls of `operation`, of attaches or of restores with this client.
    pub(crate) fn of_calls(datafy: &Datafy, operation: &str, job: Option<String>) -> Self {
        Self {
            journal: "datafy".to_owned(),
            version: CALLS,
            job,
            operation: operation.to_owned(),
            endpoint: datafy.endpoint().to_owned(),
            sub_account: datafy.sub_account().map(ToString::to_string),
            account: Some(datafy.account().map(ToOwned::to_owned)),
            time: None,
        }
    }

    /// Fails if the journal was begun longer ago than `limit`.
    pub(super) fn expect_age(
        &self,
        limit: Option<Duration>,
        now: DateTime<Utc>,
        path: &Path,
    ) -> Result<(), JournalError> {
        let (Some(limit), Some(begun)) = (limit, self.time) else { return Ok(()) };
        match (now - begun).to_std() {
            Ok(age) if age > limit => {
                Err(JournalError::TooOld { path: path.to_owned(), begun, limit })
            }
            _ => Ok(()),
        }
    }

    /// The header of a run of a function with this client.
    pub(crate) fn of_function(datafy: &Datafy, name: &str, job: Option<String>) -> Self {
        Self { version: FUNCTIONS, ..Self::of_calls(datafy, name, job) }
    }

    /// The header of a journal for jobs of any kind.
    pub(crate) fn of_service(datafy: &Datafy) -> Self {
        Self::of_function(datafy, "any", None)
    }

    /// Checks that the journal at `path`, whose header this is, is one of the run with the header `own`.
    pub(super) fn expect(&self, own: &Self, path: &Path) -> Result<(), JournalError> {
        let json = |text: &Option<String>| serde_json::json!(text).to_string();
        let same = |text: &str| Some(text.to_owned());
        let members = [
            ("job", self.job.clone(), own.job.clone()),
            ("operation", same(&self.operation), same(&own.operation)),
            ("version", same(&self.version.to_string()), same(&own.version.to_string())),
            ("endpoint", same(&self.endpoint), same(&own.endpoint)),
            ("sub_account", self.sub_account.clone(), own.sub_account.clone()),
        ];
        let account = (self.account.clone().zip(own.account.clone()))
            .map(|(found, expected)| ("account", found, expected));
        let mut members = members.into_iter().chain(account);
        match members.find(|(_, found, expected)| found != expected) {
            None => Ok(()),
            Some((member, found, expected)) => Err(JournalError::Foreign {
                path: path.to_owned(),
                member,
                found: json(&found),
                expected: json(&expected),
            }),
        }
    }
}
