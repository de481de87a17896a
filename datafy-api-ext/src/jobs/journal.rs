//! The journal of a fleet: what was begun, and what became of it, one JSON text a line.

use super::fleet::NotDone;
use crate::call::operation::Operation;
use crate::client::Datafy;
use crate::id::VolumeId;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Why a journal can't be used. The file is left as it is.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file can't be read or written.
    #[error("the journal {} can't be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: Arc<io::Error>,
    },
    /// The file is of something else: another operation, endpoint or sub-account, or no journal at all.
    #[error("{} is not the journal of this run: it begins with {found}, and not with {wanted}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its first line.
        found: String,
        /// The first line of a journal of this run.
        wanted: String,
    },
    /// A line of the file makes no sense, and it isn't the last one, which a crash may have torn.
    #[error("the journal {} is damaged at line {line}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// Another run is writing it.
    #[error("the journal {} is in use by another run", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
}

/// What a journal begins with: all that must be the same for a run to go on.
pub(super) struct Header {
    line: String,
    idempotent: bool,
}

impl Header {
    pub(super) fn of<O: Operation>(datafy: &Datafy) -> Self {
        let facts = O::FACTS;
        let line = json!({
            "journal": "datafy-fleet",
            "version": 1,
            "operation": facts.name,
            "endpoint": datafy.endpoint(),
            "sub_account": datafy.sub_account().map(ToString::to_string),
        });
        Self { line: line.to_string(), idempotent: facts.idempotent }
    }
}

/// A line behind the first.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    /// A call is about to be made.
    Begin {
        begin: Cow<'a, VolumeId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marker: Option<Cow<'a, str>>,
    },
    /// What became of it.
    End {
        end: Cow<'a, VolumeId>,
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<Cow<'a, str>>,
    },
}

/// An open journal. Lines are written by a thread of its own, as many at a time as have come together.
pub(super) struct Journal {
    path: PathBuf,
    before: HashMap<VolumeId, NotDone>,
    /// The writer's queue, and the writer. Both are there until the journal is dropped.
    lines: Option<mpsc::UnboundedSender<Line>>,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Journal {
    /// Waits for the writer, so that the next run finds the file closed: for one write to disk at most.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has told its callers by dropping their lines.
            let _ = writer.join();
        }
    }
}

struct Line {
    text: String,
    /// Whether it must be on disk before the run goes on.
    durable: bool,
    written: oneshot::Sender<Result<(), Arc<io::Error>>>,
}

impl Journal {
    /// Opens the journal, and makes it if it isn't there.
    pub(super) async fn open(path: PathBuf, header: Header) -> Result<Self, JournalError> {
        let opening = path.clone();
        let opened = tokio::task::spawn_blocking(move || open(&opening, &header)).await;
        let (file, before) = opened.unwrap_or_else(|panic| {
            Err(failure(&path, Arc::new(io::Error::other(panic.to_string()))))
        })?;
        Self::over(file, path, before)
    }

    /// A journal that goes on in this file.
    pub(super) fn over(
        file: File,
        path: PathBuf,
        before: HashMap<VolumeId, NotDone>,
    ) -> Result<Self, JournalError> {
        let (lines, receiver) = mpsc::unbounded_channel();
        let writer = std::thread::Builder::new()
            .name("datafy-journal".to_owned())
            .spawn(move || write(file, receiver))
            .map_err(|error| failure(&path, Arc::new(error)))?;
        Ok(Self { path, before, lines: Some(lines), writer: Some(writer) })
    }

    /// The result of an earlier run for this volume, if it must not be attempted again.
    pub(super) fn before(&self, id: &VolumeId) -> Option<NotDone> {
        self.before.get(id).cloned()
    }

    /// Writes down that the effect is about to be asked for. It is on disk when this returns.
    pub(super) async fn begin(
        &self,
        id: &VolumeId,
        marker: Option<&str>,
    ) -> Result<(), JournalError> {
        let begin = Cow::Borrowed(id);
        self.write(&Entry::Begin { begin, marker: marker.map(Into::into) }, true).await
    }

    /// Writes down what became of it.
    pub(super) async fn end(
        &self,
        id: &VolumeId,
        outcome: Outcome,
        made: Option<&str>,
    ) -> Result<(), JournalError> {
        let end = Cow::Borrowed(id);
        self.write(&Entry::End { end, outcome, made: made.map(Into::into) }, false).await
    }

    async fn write(&self, entry: &Entry<'_>, durable: bool) -> Result<(), JournalError> {
        let (written, answer) = oneshot::channel();
        let gone = || Arc::new(io::Error::other("the writer is gone"));
        let text = serde_json::to_string(entry)
            .map_err(|error| failure(&self.path, Arc::new(error.into())))?;
        let line = Line { text: text + "\n", durable, written };
        // A line that isn't taken is dropped, and its answer with it.
        let _ = self.lines.as_ref().map(|lines| lines.send(line));
        let result = answer.await.unwrap_or_else(|_| Err(gone()));
        result.map_err(|error| failure(&self.path, error))
    }
}

/// Writes what comes until the journal is dropped. After a failure nothing more is written: a line
/// behind a torn one would make a damaged journal.
fn write(mut file: File, mut lines: mpsc::UnboundedReceiver<Line>) {
    let mut failed: Option<Arc<io::Error>> = None;
    while let Some(first) = lines.blocking_recv() {
        let mut batch = vec![first];
        while let Ok(line) = lines.try_recv() {
            batch.push(line);
        }
        if failed.is_none() {
            let text: String = batch.iter().map(|line| line.text.as_str()).collect();
            let written = file.write_all(text.as_bytes()).and_then(|()| {
                if batch.iter().any(|line| line.durable) { file.sync_data() } else { Ok(()) }
            });
            failed = written.err().map(Arc::new);
        }
        for line in batch {
            // The caller may be gone by now.
            let _ = line.written.send(failed.clone().map_or(Ok(()), Err));
        }
    }
}

fn open(path: &Path, header: &Header) -> Result<(File, HashMap<VolumeId, NotDone>), JournalError> {
    let io = |source| failure(path, Arc::new(source));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(io)?;
    // A device may have no end.
    if !file.metadata().map_err(io)?.is_file() {
        return Err(io(io::Error::other("it is not a regular file")));
    }
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::InUse { path: path.to_owned() },
        TryLockError::Error(source) => io(source),
    })?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(io)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let torn_header = whole == 0 && header.line.as_bytes().starts_with(&bytes);
    if whole == 0 && !torn_header {
        return Err(foreign(path, &bytes, header));
    }
    let before = read(path, &bytes[..whole], header)?;
    file.set_len(whole as u64).map_err(io)?;
    file.seek(SeekFrom::End(0)).map_err(io)?;
    if whole == 0 {
        file.write_all(format!("{}\n", header.line).as_bytes()).map_err(io)?;
    }
    file.sync_all().map_err(io)?;
    // A new file is on disk once the directory that names it is.
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(io)?;
    }
    Ok((file, before))
}

/// What the whole lines of a journal come to.
fn read(
    path: &Path,
    bytes: &[u8],
    header: &Header,
) -> Result<HashMap<VolumeId, NotDone>, JournalError> {
    let mut known: HashMap<VolumeId, Known> = HashMap::new();
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    if let Some((_, first)) = lines.next()
        && first.trim_ascii_end() != header.line.as_bytes()
    {
        return Err(foreign(path, first, header));
    }
    for (index, line) in lines {
        let damaged = || JournalError::Damaged { path: path.to_owned(), line: index + 1 };
        match serde_json::from_slice(line).map_err(|_| damaged())? {
            Entry::Begin { begin, marker } => {
                let known = known.entry(begin.into_owned()).or_default();
                known.open += 1;
                known.marker = marker.map(Cow::into_owned);
            }
            Entry::End { end, outcome, made } => {
                let known = known.entry(end.into_owned()).or_default();
                known.open = known.open.saturating_sub(1);
                match outcome {
                    Outcome::Applied => {
                        known.applied = true;
                        known.made = made.map(Cow::into_owned);
                    }
                    Outcome::Unknown => known.unknown = true,
                    Outcome::Refused | Outcome::NotSent => {}
                }
            }
        }
    }
    let before = known.into_iter().filter_map(|(id, known)| {
        let Known { open, applied, unknown, made, marker } = known;
        // Repeating an idempotent operation is safe.
        if !header.idempotent && (unknown || open > 0) {
            Some((id, NotDone::UnknownBefore { marker }))
        } else {
            applied.then_some((id, NotDone::AppliedBefore { made }))
        }
    });
    Ok(before.collect())
}

/// What the lines so far say of a volume. It may have been begun more than once.
#[derive(Default)]
struct Known {
    open: u32,
    applied: bool,
    unknown: bool,
    made: Option<String>,
    marker: Option<String>,
}

fn foreign(path: &Path, line: &[u8], header: &Header) -> JournalError {
    let found = String::from_utf8_lossy(line.trim_ascii_end()).chars().take(200).collect();
    JournalError::Foreign { path: path.to_owned(), found, wanted: header.line.clone() }
}

fn failure(path: &Path, source: Arc<io::Error>) -> JournalError {
    JournalError::Io { path: path.to_owned(), source }
}
