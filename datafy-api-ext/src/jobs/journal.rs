//! The journal of a fleet: a file of JSON Lines that records each call before it is sent, and its outcome afterwards.

use super::journal_error::JournalError;
use super::not_done::NotDone;
use crate::call::operation::Operation;
use crate::client::Datafy;
use crate::id::VolumeId;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// The first line of a journal: everything that must be the same for a run to resume it.
pub(super) struct Header {
    value: Value,
    idempotent: bool,
}

impl Header {
    /// Compares the values: the order of the members depends on which features of `serde_json` a program turns on.
    fn equals(&self, line: &[u8]) -> bool {
        serde_json::from_slice::<Value>(line).is_ok_and(|value| value == self.value)
    }

    pub(super) fn of<O: Operation>(datafy: &Datafy) -> Self {
        let facts = O::FACTS;
        let value = json!({
            "journal": "datafy-fleet",
            "version": 1,
            "operation": facts.name,
            "endpoint": datafy.endpoint(),
            "sub_account": datafy.sub_account().map(ToString::to_string),
        });
        Self { value, idempotent: facts.idempotent }
    }
}

/// A record: any line after the first.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    /// A call is about to be sent.
    Begin {
        begin: Cow<'a, VolumeId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marker: Option<Cow<'a, str>>,
    },
    /// A call has ended.
    End {
        end: Cow<'a, VolumeId>,
        outcome: Outcome,
        #[serde(rename = "made", default, skip_serializing_if = "Option::is_none")]
        created_id: Option<Cow<'a, str>>,
    },
}

/// An open journal. A dedicated thread writes the lines, all that are queued in one write.
pub(super) struct Journal {
    path: PathBuf,
    earlier: HashMap<VolumeId, NotDone>,
    /// The queue of the writer, and the writer. Both are `Some` until the journal is dropped.
    lines: Option<mpsc::UnboundedSender<Line>>,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Journal {
    /// Waits for the writer, so that the next run finds the file closed. This takes one write to disk at most.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // If the writer panicked, its callers know: their lines were dropped.
            let _ = writer.join();
        }
    }
}

struct Line {
    text: String,
    /// Whether the line must be on disk before the run continues.
    durable: bool,
    written: oneshot::Sender<Result<(), Arc<io::Error>>>,
}

impl Journal {
    /// Opens the journal, or creates it.
    pub(super) async fn open(path: PathBuf, header: Header) -> Result<Self, JournalError> {
        let opening = path.clone();
        let opened = tokio::task::spawn_blocking(move || open(&opening, &header)).await;
        let (file, earlier) = opened.unwrap_or_else(|panic| {
            Err(failure(&path, Arc::new(io::Error::other(panic.to_string()))))
        })?;
        Self::resume(file, path, earlier)
    }

    /// Returns a journal that appends to `file`, given the results of earlier runs.
    pub(super) fn resume(
        file: File,
        path: PathBuf,
        earlier: HashMap<VolumeId, NotDone>,
    ) -> Result<Self, JournalError> {
        let (lines, receiver) = mpsc::unbounded_channel();
        let writer = std::thread::Builder::new()
            .name("datafy-journal".to_owned())
            .spawn(move || write(file, receiver))
            .map_err(|error| failure(&path, Arc::new(error)))?;
        Ok(Self { path, earlier, lines: Some(lines), writer: Some(writer) })
    }

    /// Returns the result of an earlier run for this volume, if it must not be attempted again.
    pub(super) fn earlier(&self, id: &VolumeId) -> Option<NotDone> {
        self.earlier.get(id).cloned()
    }

    /// Records that a call is about to be sent. The record is on disk when this returns.
    pub(super) async fn begin(
        &self,
        id: &VolumeId,
        marker: Option<&str>,
    ) -> Result<(), JournalError> {
        let begin = Cow::Borrowed(id);
        self.write(&Entry::Begin { begin, marker: marker.map(Into::into) }, true).await
    }

    /// Records how a call ended.
    pub(super) async fn end(
        &self,
        id: &VolumeId,
        outcome: Outcome,
        created_id: Option<&str>,
    ) -> Result<(), JournalError> {
        let end = Cow::Borrowed(id);
        let created_id = created_id.map(Into::into);
        self.write(&Entry::End { end, outcome, created_id }, false).await
    }

    async fn write(&self, entry: &Entry<'_>, durable: bool) -> Result<(), JournalError> {
        let (written, answer) = oneshot::channel();
        let stopped = || Arc::new(io::Error::other("the thread that writes it has stopped"));
        let text = serde_json::to_string(entry)
            .map_err(|error| failure(&self.path, Arc::new(error.into())))?;
        let line = Line { text: text + "\n", durable, written };
        // If the writer has stopped, the line is dropped, and `answer` ends with an error.
        let _ = self.lines.as_ref().map(|lines| lines.send(line));
        let result = answer.await.unwrap_or_else(|_| Err(stopped()));
        result.map_err(|error| failure(&self.path, error))
    }
}

/// Writes lines until the journal is dropped. After a failure it writes no more: a line after an incomplete one would
/// damage the journal.
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
            // The caller may have been cancelled.
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
    // Reading a device might never end.
    if !file.metadata().map_err(io)?.is_file() {
        return Err(io(io::Error::other("it is not a regular file")));
    }
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::InUse { path: path.to_owned() },
        TryLockError::Error(source) => io(source),
    })?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(io)?;
    let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let torn_header = complete == 0 && header.value.to_string().as_bytes().starts_with(&bytes);
    if complete == 0 && !torn_header {
        return Err(foreign(path, &bytes, header));
    }
    let earlier = read(path, &bytes[..complete], header)?;
    file.set_len(complete as u64).map_err(io)?;
    file.seek(SeekFrom::End(0)).map_err(io)?;
    if complete == 0 {
        file.write_all(format!("{}\n", header.value).as_bytes()).map_err(io)?;
    }
    file.sync_all().map_err(io)?;
    // A new file survives a crash only once its directory is on disk, too.
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(io)?;
    }
    Ok((file, earlier))
}

/// Reads the complete lines of a journal: the volumes that must not be attempted again, and why.
fn read(
    path: &Path,
    bytes: &[u8],
    header: &Header,
) -> Result<HashMap<VolumeId, NotDone>, JournalError> {
    let mut records: HashMap<VolumeId, Record> = HashMap::new();
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    if let Some((_, first)) = lines.next()
        && !header.equals(first)
    {
        return Err(foreign(path, first, header));
    }
    for (index, line) in lines {
        let damaged = || JournalError::Damaged { path: path.to_owned(), line: index + 1 };
        match serde_json::from_slice(line).map_err(|_| damaged())? {
            Entry::Begin { begin, marker } => {
                let record = records.entry(begin.into_owned()).or_default();
                record.open += 1;
                record.marker = marker.map(Cow::into_owned);
            }
            Entry::End { end, outcome, created_id } => {
                let record = records.entry(end.into_owned()).or_default();
                record.open = record.open.saturating_sub(1);
                match outcome {
                    Outcome::Applied => {
                        record.applied = true;
                        record.created_id = created_id.map(Cow::into_owned);
                    }
                    Outcome::Unknown => record.unknown = true,
                    Outcome::Refused | Outcome::NotSent => {}
                }
            }
        }
    }
    let earlier = records.into_iter().filter_map(|(id, record)| {
        let Record { open, applied, unknown, created_id, marker } = record;
        // An idempotent operation can be retried safely.
        if !header.idempotent && (unknown || open > 0) {
            Some((id, NotDone::UnknownBefore { marker }))
        } else {
            applied.then_some((id, NotDone::AppliedBefore { created_id }))
        }
    });
    Ok(earlier.collect())
}

/// What a journal says about a volume, which may have had several calls.
#[derive(Default)]
struct Record {
    /// The number of calls without an end.
    open: u32,
    applied: bool,
    unknown: bool,
    created_id: Option<String>,
    marker: Option<String>,
}

fn foreign(path: &Path, line: &[u8], header: &Header) -> JournalError {
    let found = String::from_utf8_lossy(line.trim_ascii_end()).chars().take(200).collect();
    JournalError::Foreign { path: path.to_owned(), found, expected: header.value.to_string() }
}

fn failure(path: &Path, source: Arc<io::Error>) -> JournalError {
    JournalError::Io { path: path.to_owned(), source }
}
