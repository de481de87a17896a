//! Writes the journal of a run. A dedicated thread writes all lines that are queued at a time.

use super::error::JournalError;
use super::file::JournalFile;
use super::line::{Event, Record};
use crate::client::Datafy;
use crate::outcome::Outcome;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// The journal of a run, for writing.
pub(super) struct Log {
    path: PathBuf,
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
    is_intent: bool,
    written: oneshot::Sender<Result<(), JournalError>>,
}

/// Whether a line was written, once it is known.
type Written = oneshot::Receiver<Result<(), JournalError>>;

impl Log {
    /// Starts the writer of a file.
    pub(super) fn start(
        path: &Path,
        file: JournalFile,
        datafy: Datafy,
    ) -> Result<Self, JournalError> {
        let (lines, receiver) = mpsc::unbounded_channel();
        let writer = std::thread::Builder::new()
            .name("datafy-journal".to_owned())
            .spawn(move || write(file, receiver, &datafy))
            .map_err(|error| JournalError::io(path, error))?;
        Ok(Self { path: path.to_owned(), lines: Some(lines), writer: Some(writer) })
    }

    /// Adds a record of what is about to be sent. It is on disk when this returns.
    ///
    /// If the future is dropped before, nothing is sent, and the journal says so.
    pub(super) async fn intend(&self, record: &Record) -> Result<(), JournalError> {
        let number = record.number();
        let end = Record::new(&record.key, record.operation, number, Event::End);
        let outcome = Some(Outcome::NotSent);
        let mut unsent = Unsent(Some((self, Record { outcome, ..end })));
        let written = self.written(self.queue(record, true)).await;
        unsent.0 = None;
        written
    }

    /// Adds a record of what happened. It is on disk when this returns.
    pub(super) async fn write(&self, record: &Record) -> Result<(), JournalError> {
        self.written(self.queue(record, false)).await
    }

    async fn written(&self, written: Written) -> Result<(), JournalError> {
        let stopped = || io::Error::other("the thread that writes it has stopped");
        written.await.unwrap_or_else(|_| Err(JournalError::io(&self.path, stopped())))
    }

    fn queue(&self, record: &Record, is_intent: bool) -> Written {
        let object = record.object();
        let (written, answer) = oneshot::channel();
        // If the writer has stopped, the line is dropped, and `answer` ends with an error.
        let _ = self.lines.as_ref().map(|lines| lines.send(Line { object, is_intent, written }));
        answer
    }
}

/// Records that a request was not sent after all.
struct Unsent<'a>(Option<(&'a Log, Record)>);

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        if let Some((log, record)) = &self.0 {
            // It is written as the intent that it follows.
            drop(log.queue(record, true));
        }
    }
}

/// Writes lines until the journal is dropped. After a failure it writes no more: a line after an incomplete one would
/// damage the journal.
fn write(mut file: JournalFile, mut lines: mpsc::UnboundedReceiver<Line>, datafy: &Datafy) {
    let mut written = Ok(());
    while let Some(first) = lines.blocking_recv() {
        let mut batch = vec![first];
        while let Ok(line) = lines.try_recv() {
            batch.push(line);
        }
        let mut of = |is_intent| -> Vec<String> {
            let lines = batch.iter_mut().filter(|line| line.is_intent == is_intent);
            lines.map(|line| mem::take(&mut line.object)).collect()
        };
        let (results, intents) = (of(false), of(true));
        written =
            written.and_then(|()| file.append(datafy.clock().date().into(), &results, &intents));
        for line in batch {
            // The caller may have been cancelled.
            let _ = line.written.send(written.clone());
        }
    }
}
