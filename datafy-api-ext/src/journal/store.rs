//! The journal of a run: what is known of each key, and the thread that writes the file.

use super::entries::Entries;
use super::entry::{Entry, Settled, Step};
use super::error::JournalError;
use super::file::JournalFile;
use super::header::Header;
use super::line::{Event, Record};
use crate::client::Datafy;
use crate::outcome::Outcome;
use smol_str::SmolStr;
use std::collections::{HashMap, HashSet};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};
use tokio::task::spawn_blocking;

/// The journal of a run.
pub(crate) struct Store {
    path: PathBuf,
    entries: Mutex<Entries>,
    /// Whether what is known of a key is still needed once its job has begun.
    keeps: bool,
    /// Who works on a key.
    turns: Mutex<HashMap<SmolStr, Weak<tokio::sync::Mutex<()>>>>,
    /// The queue of the writer, and the writer. `None` in a plan, which writes nothing.
    lines: Option<mpsc::UnboundedSender<Line>>,
    writer: Option<JoinHandle<()>>,
}

/// A line that is to be written.
struct Line {
    key: SmolStr,
    object: String,
    is_intent: bool,
    written: oneshot::Sender<Result<(), JournalError>>,
}

impl Store {
    fn new(path: &Path, entries: Entries, keeps: bool) -> Self {
        let (path, entries, turns) = (path.to_owned(), entries.into(), Mutex::default());
        Self { path, entries, keeps, turns, lines: None, writer: None }
    }

    /// Opens the journal at `path`, or creates it, and starts its writer. `keeps`: what is known of a key is kept after its
    /// job, to look it up, or for another job with the key.
    pub(crate) async fn open(
        path: PathBuf,
        header: Header,
        keeps: bool,
        datafy: Datafy,
    ) -> Result<Self, JournalError> {
        blocking(path, move |path| {
            let (file, entries) = match JournalFile::open(path) {
                Err(error) if is_absent(&error) => {
                    let now = datafy.clock().date().into();
                    (JournalFile::create(path, &header, now)?, Entries::default())
                }
                opened => {
                    let mut file = opened?;
                    let mut replay = file.read()?;
                    replay.header.expect(&header, path)?;
                    file.repair(&mut replay)?;
                    (file, replay.entries)
                }
            };
            file.sync_directory()?;
            let (lines, queue) = mpsc::unbounded_channel();
            let writer = std::thread::Builder::new()
                .name("datafy-journal".to_owned())
                .spawn(move || write(file, queue, &datafy))
                .map_err(|error| JournalError::io(path, error))?;
            let mut store = Self::new(path, entries, keeps);
            (store.lines, store.writer) = (Some(lines), Some(writer));
            Ok(store)
        })
        .await
    }

    /// Reads what the journal at `path` says, if there is one, and changes nothing.
    pub(crate) async fn read(path: PathBuf, header: Header) -> Result<Self, JournalError> {
        blocking(path, move |path| {
            let entries = match JournalFile::view(path) {
                Err(error) if is_absent(&error) && !path.is_symlink() => Entries::default(),
                opened => {
                    let replay = opened?.read()?;
                    replay.header.expect(&header, path)?;
                    replay.entries
                }
            };
            Ok(Self::new(path, entries, false))
        })
        .await
    }

    pub(crate) fn entries(&self) -> MutexGuard<'_, Entries> {
        lock(&self.entries)
    }

    /// Waits for whoever works on a key.
    pub(crate) async fn turn(&self, key: &str) -> OwnedMutexGuard<()> {
        self.turn_of(key).lock_owned().await
    }

    /// The turn to work on a key, unless somebody does.
    #[cfg(feature = "reconcile")]
    pub(crate) fn turn_now(&self, key: &str) -> Option<OwnedMutexGuard<()>> {
        self.turn_of(key).try_lock_owned().ok()
    }

    fn turn_of(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = lock(&self.turns);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = turns.get(key).and_then(Weak::upgrade).unwrap_or_default();
        turns.insert(key.into(), Arc::downgrade(&turn));
        turn
    }

    /// Whether somebody works on a key.
    #[cfg(feature = "reconcile")]
    pub(crate) fn is_busy(&self) -> bool {
        lock(&self.turns).values().any(|turn| turn.strong_count() > 0)
    }

    /// What is known of a key, for its job.
    pub(crate) fn entry(&self, key: &str) -> Entry {
        let mut entries = self.entries();
        let entry = if self.keeps { entries.get(key) } else { entries.take(key) };
        entry.unwrap_or_else(|| Entry::new(key))
    }

    /// Records that a call is about to be sent, once the intent is [written](Intent::written).
    pub(crate) fn intend(self: &Arc<Self>, record: &Record) -> Intent {
        let end = Record::new(record.key.clone(), record.operation, record.number(), Event::End);
        self.keep(record);
        Intent {
            store: Arc::clone(self),
            unsent: Some(Record { outcome: Some(Outcome::NotSent), ..end }),
            written: self.queue(record, true),
        }
    }

    /// Records what happened, or was found out. It is on disk when this returns. If it can't be recorded, the journal
    /// accepts no further intent, and the next run takes the step for unknown.
    pub(crate) fn conclude<'a>(
        &'a self,
        record: &Record,
    ) -> impl Future<Output = Result<(), JournalError>> + use<'a> {
        self.keep(record);
        self.written(self.queue(record, false))
    }

    /// Records what was found out about a step. If a program found it out: `read` is the step as it was then, and `evidence`
    /// what proves it.
    pub(crate) async fn settle(
        &self,
        datafy: &Datafy,
        (key, operation, number): (&str, &str, u32),
        read: Option<&Step>,
        found: Settled,
        evidence: Option<String>,
    ) -> Result<(), JournalError> {
        let entry = self.entries().get(key).unwrap_or_else(|| Entry::new(key));
        let record = entry.settlement((operation, number), read, found)?;
        let record = Record { evidence, time: datafy.clock().date().into(), ..record };
        self.written(self.queue(&record, false)).await?;
        self.keep(&record);
        Ok(())
    }

    fn keep(&self, record: &Record) {
        if self.keeps {
            // Its intent comes before a result, and a settlement can follow any record.
            let _ = self.entries().apply(record.clone());
        }
    }

    fn queue(&self, record: &Record, is_intent: bool) -> Written {
        let (written, answer) = oneshot::channel();
        let line = Line { key: record.key.clone(), object: record.object(), is_intent, written };
        // If the writer has stopped, the line is dropped, and `answer` ends with an error.
        let _ = self.lines.as_ref().map(|lines| lines.send(line));
        answer
    }

    async fn written(
        &self,
        written: impl Future<Output = <Written as Future>::Output>,
    ) -> Result<(), JournalError> {
        let stopped = || io::Error::other("the thread that writes it has stopped");
        written.await.unwrap_or_else(|_| Err(JournalError::io(&self.path, stopped())))
    }
}

/// Whether a line was written, once it is known.
type Written = oneshot::Receiver<Result<(), JournalError>>;

/// The intent to send a call. If it is dropped before it is written, nothing is sent, and the journal says so.
pub(crate) struct Intent {
    store: Arc<Store>,
    /// The result, until the call may be sent.
    unsent: Option<Record>,
    written: Written,
}

impl Intent {
    /// The intent is on disk when this returns.
    pub(crate) async fn written(mut self) -> Result<(), JournalError> {
        self.store.written(&mut self.written).await?;
        self.unsent = None;
        Ok(())
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        if let Some(record) = &self.unsent {
            self.store.keep(record);
            // It is written as the intent that it follows.
            drop(self.store.queue(record, true));
        }
    }
}

impl Drop for Store {
    /// Waits for the writer, so that the next run finds the file closed. This takes two writes to disk at most.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // If the writer panicked, its callers know: their lines were dropped.
            let _ = writer.join();
        }
    }
}

/// Writes lines until the journal is dropped, all that are queued at a time. After a failure it writes no more: a line
/// after an incomplete one would damage the journal.
///
/// A write has results before intents. So a result that was queued after an intent of its key is left to the next write:
/// otherwise the second of two creates at a time would seem to be made in place of the first.
fn write(mut file: JournalFile, mut lines: mpsc::UnboundedReceiver<Line>, datafy: &Datafy) {
    let mut written = Ok(());
    let mut next = None;
    while let Some(first) = next.take().or_else(|| lines.blocking_recv()) {
        let mut begun = HashSet::new();
        begun.extend(first.is_intent.then(|| first.key.clone()));
        let mut batch = vec![first];
        while let Ok(line) = lines.try_recv() {
            if !line.is_intent && begun.contains(&line.key) {
                next = Some(line);
                break;
            }
            begun.extend(line.is_intent.then(|| line.key.clone()));
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
