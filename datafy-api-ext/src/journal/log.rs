//! Writes the journal of a run. A dedicated thread writes all lines that are queued at a time.

use super::error::JournalError;
use super::file::JournalFile;
use super::line::Record;
use super::{Entries, Header};
use crate::client::Datafy;
use chrono::{DateTime, Utc};
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The journal of a run, for writing.
pub(crate) struct Log {
    path: PathBuf,
    /// Why the journal can't be written any more.
    failure: Arc<OnceLock<JournalError>>,
    /// The queue of the writer, and the writer. Both are `Some` until the journal is dropped.
    lines: Option<mpsc::UnboundedSender<Line>>,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Log {
    /// Waits for the writer, so that the next run finds the file closed. This takes two writes to disk at most.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // If the writer panicked, its callers know: their lines were dropped.
            let _ = writer.join();
        }
    }
}

struct Line {
    object: String,
    kind: Kind,
    written: oneshot::Sender<Result<(), JournalError>>,
}

/// Whether a line was written, once it is known.
type Written = oneshot::Receiver<Result<(), JournalError>>;

/// Whether a line records what is about to be sent, or what happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Intent,
    Result,
}

impl Log {
    /// Opens the journal, or creates it. Also returns what earlier runs have recorded.
    pub(crate) async fn open(
        path: PathBuf,
        header: Header,
        max_age: Option<Duration>,
        datafy: Datafy,
    ) -> Result<(Self, Entries), JournalError> {
        let opening = path.clone();
        let opened =
            tokio::task::spawn_blocking(move || open(&opening, &header, max_age, datafy)).await;
        opened.unwrap_or_else(|panic| Err(JournalError::io(&path, io::Error::other(panic))))
    }

    /// Reads what earlier runs have recorded, and changes nothing.
    pub(crate) async fn read(path: PathBuf, header: Header) -> Result<Entries, JournalError> {
        let reading = path.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut file = JournalFile::open(&reading, OpenOptions::new().read(true))?;
            let content = file.read()?;
            content.header.expect(&header, &reading)?;
            Ok(content.entries)
        });
        read.await.unwrap_or_else(|panic| Err(JournalError::io(&path, io::Error::other(panic))))
    }

    /// Why the journal can't be written any more.
    pub(crate) fn failure(&self) -> Option<&JournalError> {
        self.failure.get()
    }

    /// Adds a record. It is on disk when this returns.
    pub(crate) async fn write(&self, record: &Record, kind: Kind) -> Result<(), JournalError> {
        let stopped = |_| Err(self.io(io::Error::other("the thread that writes it has stopped")));
        self.queue(record, kind)?.await.unwrap_or_else(stopped)
    }

    /// Adds a record to those that are about to be written. The value that is returned says when it is on disk.
    pub(crate) fn queue(&self, record: &Record, kind: Kind) -> Result<Written, JournalError> {
        let object = serde_json::to_string(record).map_err(|error| self.io(error.into()))?;
        let (written, answer) = oneshot::channel();
        // If the writer has stopped, the line is dropped, and `answer` ends with an error.
        let _ = self.lines.as_ref().map(|lines| lines.send(Line { object, kind, written }));
        Ok(answer)
    }

    fn io(&self, error: io::Error) -> JournalError {
        JournalError::io(&self.path, error)
    }
}

fn open(
    path: &Path,
    header: &Header,
    max_age: Option<Duration>,
    datafy: Datafy,
) -> Result<(Log, Entries), JournalError> {
    let (file, entries) = open_or_create(path, header, max_age, datafy.clock().date().into())?;
    file.sync_directory()?;
    let (lines, receiver) = mpsc::unbounded_channel();
    let failure = Arc::default();
    let failed = Arc::clone(&failure);
    let writer = std::thread::Builder::new()
        .name("datafy-journal".to_owned())
        .spawn(move || write(file, receiver, &failed, &datafy))
        .map_err(|error| JournalError::io(path, error))?;
    Ok((Log { path: path.to_owned(), failure, lines: Some(lines), writer: Some(writer) }, entries))
}

fn open_or_create(
    path: &Path,
    header: &Header,
    max_age: Option<Duration>,
    now: DateTime<Utc>,
) -> Result<(JournalFile, Entries), JournalError> {
    let mut file = match JournalFile::open(path, &JournalFile::writable()) {
        Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok((JournalFile::create(path, header, now)?, Entries::default()));
        }
        opened => opened?,
    };
    let mut content = file.read()?;
    content.header.expect(header, path)?;
    content.header.expect_age(max_age, now, path)?;
    file.repair(&mut content)?;
    Ok((file, content.entries))
}

/// Writes lines until the journal is dropped. After a failure it writes no more: a line after an incomplete one would
/// damage the journal.
fn write(
    mut file: JournalFile,
    mut lines: mpsc::UnboundedReceiver<Line>,
    failure: &OnceLock<JournalError>,
    datafy: &Datafy,
) {
    while let Some(first) = lines.blocking_recv() {
        let mut batch = vec![first];
        while let Ok(line) = lines.try_recv() {
            batch.push(line);
        }
        let mut of = |kind| -> Vec<String> {
            let lines = batch.iter_mut().filter(|line| line.kind == kind);
            lines.map(|line| std::mem::take(&mut line.object)).collect()
        };
        let (results, intents) = (of(Kind::Result), of(Kind::Intent));
        let written = match failure.get() {
            Some(failure) => Err(failure.clone()),
            None => file.append(datafy.clock().date().into(), &results, &intents),
        };
        if let Err(error) = &written {
            failure.get_or_init(|| error.clone());
        }
        for line in batch {
            // The caller may have been cancelled.
            let _ = line.written.send(written.clone());
        }
    }
}
