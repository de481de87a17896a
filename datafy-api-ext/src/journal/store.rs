//! What is known of each key, and the journal in which it is recorded, if there is one.

use super::entries::Entries;
use super::entry::{Entry, Settled};
use super::error::JournalError;
use super::file::JournalFile;
use super::header::Header;
use super::line::Record;
use super::log::Log;
use crate::client::Datafy;
use chrono::DateTime;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// What is known of each key: from the journal, if there is one, and from the jobs of this run.
#[derive(Default)]
pub(crate) struct Store {
    entries: Mutex<Entries>,
    log: Option<Log>,
}

impl Store {
    /// Opens the journal at `path`, or creates it.
    pub(crate) async fn open(
        path: PathBuf,
        header: Header,
        max_age: Option<Duration>,
        datafy: Datafy,
    ) -> Result<Self, JournalError> {
        blocking(path, move |path| {
            let now = datafy.clock().date().into();
            let (file, entries) = match JournalFile::open(path) {
                Err(error) if is_absent(&error) => {
                    (JournalFile::create(path, &header, now)?, Entries::default())
                }
                opened => {
                    let mut file = opened?;
                    let mut content = file.read()?;
                    content.header.expect(&header, max_age, now, path)?;
                    file.repair(&mut content)?;
                    (file, content.entries)
                }
            };
            file.sync_directory()?;
            Ok(Self { entries: entries.into(), log: Some(Log::start(path, file, datafy)?) })
        })
        .await
    }

    /// Reads what the journal at `path` says, if there is one, and changes nothing.
    pub(crate) async fn read(path: PathBuf, header: Header) -> Result<Self, JournalError> {
        blocking(path, move |path| {
            let mut file = match JournalFile::view(path) {
                Err(error) if is_absent(&error) && !path.is_symlink() => return Ok(Self::default()),
                opened => opened?,
            };
            let content = file.read()?;
            content.header.expect(&header, None, DateTime::default(), path)?;
            Ok(Self { entries: content.entries.into(), log: None })
        })
        .await
    }

    pub(crate) fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a key.
    pub(crate) fn entry(&self, key: &str) -> Entry {
        self.entries().get(key).unwrap_or_else(|| Entry::new(key))
    }

    /// Records that a call is about to be sent. It is on disk when this returns.
    pub(crate) async fn intend(&self, record: Record) -> Result<(), JournalError> {
        if let Some(log) = &self.log {
            log.intend(&record).await?;
        }
        self.apply(record);
        Ok(())
    }

    /// Records what happened. It is on disk when this returns. If it can't be recorded, the journal accepts no further
    /// intent, and the next run takes the step for unknown.
    pub(crate) async fn conclude(&self, record: Record) -> Result<(), JournalError> {
        let Some(log) = &self.log else {
            self.apply(record);
            return Ok(());
        };
        self.apply(record.clone());
        log.write(&record).await
    }

    fn apply(&self, record: Record) {
        // Its intent comes before a result, and a settlement can follow any record.
        let _ = self.entries().apply(record);
    }

    /// Records what was found out about a step. `evidence` is what proves it, if a program found it out.
    pub(crate) async fn settle(
        &self,
        datafy: &Datafy,
        (key, operation, number): (&str, &str, u32),
        found: Settled,
        evidence: Option<String>,
    ) -> Result<(), JournalError> {
        let record = self.entry(key).settlement(operation, number, found)?;
        let record = Record { evidence, time: datafy.clock().date().into(), ..record };
        if let Some(log) = &self.log {
            log.write(&record).await?;
        }
        self.apply(record);
        Ok(())
    }
}

/// Runs what blocks, in a thread for that.
async fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    let of = path.clone();
    let done = spawn_blocking(move || work(&of)).await;
    done.unwrap_or_else(|panic| Err(JournalError::io(&path, io::Error::other(panic))))
}

/// Whether there is no such file.
fn is_absent(error: &JournalError) -> bool {
    matches!(error, JournalError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}
