//! The file of a journal: opened by one program at a time, repaired after a crash, and watched while it is in use.

use super::error::JournalError;
use super::line::{CALLS, FUNCTIONS, Timed, line};
use super::{Entries, Header};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use same_file::Handle;
use serde_json::Value;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// An open journal. It is locked until it is dropped.
pub(super) struct JournalFile {
    path: PathBuf,
    handle: Handle,
    /// The length that the file has unless somebody else changes it, in bytes.
    length: u64,
    last_time: DateTime<Utc>,
}

/// The content of a journal.
pub(super) struct Content {
    pub(super) header: Header,
    pub(super) entries: Entries,
    /// If a crash has damaged the last write: where the damage begins, and the lines after it that are complete.
    repair: Option<(u64, Vec<u8>)>,
    last_time: DateTime<Utc>,
}

impl JournalFile {
    /// Opens and locks the journal at `path`, and reads it.
    pub(super) fn open(
        path: &Path,
        options: &OpenOptions,
    ) -> Result<(Self, Vec<u8>), JournalError> {
        Self::open_at(path, path, options)
    }

    /// Opens and locks the file at `place`, which is or becomes the journal at `path`, and reads it.
    fn open_at(
        path: &Path,
        place: &Path,
        options: &OpenOptions,
    ) -> Result<(Self, Vec<u8>), JournalError> {
        let io = |error| JournalError::io(path, error);
        let path = std::path::absolute(path).map_err(io)?;
        let mut file = options.open(place).map_err(io)?;
        // Reading a device might never end.
        if !file.metadata().map_err(io)?.is_file() {
            return Err(io(io::Error::other("it is not a regular file")));
        }
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => JournalError::InUse { path: path.clone() },
            TryLockError::Error(source) => {
                let text = format!("it can't be locked: {source}; keep it on a local disk");
                io(io::Error::new(source.kind(), text))
            }
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let length = bytes.len() as u64;
        let handle = Handle::from_file(file).map_err(io)?;
        Ok((Self { path, handle, length, last_time: DateTime::UNIX_EPOCH }, bytes))
    }

    /// Returns options to read and append. On Unix each write goes to the end, even if the file was truncated.
    pub(super) fn writable() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true).append(cfg!(unix));
        options
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Creates the journal at `path`. It appears there with its first line complete, so that an empty one is known to
    /// have been truncated.
    pub(super) fn create(
        path: &Path,
        header: &Header,
        now: DateTime<Utc>,
    ) -> Result<Self, JournalError> {
        let io = |error| JournalError::io(path, error);
        let mut place = path.as_os_str().to_owned();
        place.push(".new");
        let place = Path::new(&place);
        let (mut file, left) = Self::open_at(path, place, Self::writable().create(true))?;
        // Only who has the lock may rename the file, so another run may have done it before this one had the lock.
        let renamed = Handle::from_path(place).map_or(true, |now| now != file.handle);
        if renamed || fs::exists(path).map_err(io)? {
            return Err(JournalError::InUse { path: path.to_owned() });
        }
        if fs::symlink_metadata(path).is_ok() {
            let text = "it is a symbolic link to a file that doesn't exist; make its disk available, or give \
                the path of that file for a new journal";
            return Err(io(io::Error::other(text)));
        }
        // A crash leaves no more than a header there.
        if left.iter().position(|byte| *byte == b'\n').is_some_and(|end| end + 1 < left.len()) {
            let text = format!("{} holds entries; rename or remove it", place.display());
            return Err(io(io::Error::other(text)));
        }
        let header = serde_json::to_string(header).map_err(|error| io(error.into()))?;
        let (text, time) = (line(now, &header), now.trunc_subsecs(6));
        let mut new = file.handle.as_file();
        truncate(new, 0).and_then(|()| new.write_all(text.as_bytes())).map_err(io)?;
        new.sync_all().and_then(|()| fs::rename(place, path)).map_err(io)?;
        (file.length, file.last_time) = (text.len() as u64, time);
        Ok(file)
    }

    /// Writes the entry of the file in its directory to disk, without which the file may not survive a power cut.
    pub(super) fn sync_directory(&self) -> Result<(), JournalError> {
        #[cfg(unix)]
        if let Some(directory) = self.path.parent() {
            self.io(File::open(directory).and_then(|directory| directory.sync_all()))?;
        }
        Ok(())
    }

    /// Removes what a crash has left of the last write, so that lines can be appended.
    pub(super) fn repair(&mut self, content: &mut Content) -> Result<(), JournalError> {
        self.last_time = self.last_time.max(content.last_time);
        let Some((start, lines)) = content.repair.take() else { return Ok(()) };
        let mut file = self.handle.as_file();
        self.io(truncate(file, start))?;
        self.io(file.write_all(&lines).and_then(|()| file.sync_all()))?;
        self.length = start + lines.len() as u64;
        Ok(())
    }

    /// Appends lines for these objects, `results` first. They are on disk when this returns.
    ///
    /// All get the same time, which no other write has: this is how the last write is recognized after a crash.
    pub(super) fn append(
        &mut self,
        now: DateTime<Utc>,
        results: &[String],
        intents: &[String],
    ) -> Result<(), JournalError> {
        self.check()?;
        let now = now.trunc_subsecs(6);
        let time = if now == self.last_time { now + TimeDelta::microseconds(1) } else { now };
        self.last_time = time;
        let mut text: String = results.iter().map(|object| line(time, object)).collect();
        let results_end = self.length + text.len() as u64;
        text.extend(intents.iter().map(|object| line(time, object)));

        let mut file = self.handle.as_file();
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_data()) {
            // No request of these intents is sent, so the next run need not take them for unknown.
            if file.metadata().is_ok_and(|now| now.len() > results_end) {
                let _ = truncate(file, results_end);
            }
            return Err(JournalError::io(&self.path, error));
        }
        self.length += text.len() as u64;
        self.check()
    }

    /// Checks that the file is still the one at its path, and that nobody else has changed its length.
    fn check(&self) -> Result<(), JournalError> {
        let changed = |change| JournalError::Changed { path: self.path.clone(), change };
        match Handle::from_path(&self.path) {
            Ok(now) if now == self.handle => {}
            Ok(_) => return Err(changed("was replaced")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(changed("was removed or renamed"));
            }
            Err(error) => return Err(JournalError::io(&self.path, error)),
        }
        let length = self.io(self.handle.as_file().metadata())?.len();
        match length.cmp(&self.length) {
            std::cmp::Ordering::Less => Err(changed("was truncated")),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(changed("was written to")),
        }
    }

    fn io<T>(&self, result: io::Result<T>) -> Result<T, JournalError> {
        result.map_err(|error| JournalError::io(&self.path, error))
    }
}

impl Drop for JournalFile {
    /// A child process that another thread is about to start shares the open file until it runs its program. Closing the
    /// file would leave it locked for as long.
    fn drop(&mut self) {
        let _ = self.handle.as_file().unlock();
    }
}

impl Content {
    /// Reads a journal.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, JournalError> {
        if bytes.is_empty() {
            return Err(JournalError::Empty { path: path.to_owned() });
        }
        let is_cut = !bytes.contains(&b'\n');
        let damaged = |index| JournalError::Damaged { path: path.to_owned(), line: index + 1 };
        if is_cut && is_cut_header(bytes) {
            return Err(damaged(0));
        }
        let first = bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let header = header(path, first)?;
        if is_cut {
            return Err(damaged(0));
        }
        let mut content = Self {
            header,
            entries: Entries::default(),
            repair: None,
            last_time: DateTime::UNIX_EPOCH,
        };
        let mut start = 0;
        // Where the damage of the last write begins, and the time of the lines after it.
        let mut damage: Option<(usize, Option<DateTime<Utc>>)> = None;
        let mut kept = Vec::new();
        for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let begins = start;
            start += line.len();
            if index == 0 {
                continue;
            }
            if line.contains(&0) {
                damage.get_or_insert((begins, None));
                continue;
            }
            let is_cut = !line.ends_with(b"\n");
            if is_cut {
                damage.get_or_insert((begins, None));
            }
            let Timed { time, record } = match serde_json::from_slice(line) {
                Ok(timed) => timed,
                Err(_) if is_cut => break,
                Err(_) => return Err(damaged(index)),
            };
            if let Some((_, last)) = &mut damage {
                // Only the last write can be incomplete. No request follows an intent in it.
                if *last.get_or_insert(time) != time {
                    return Err(damaged(index));
                }
                kept.extend_from_slice(line);
                // An editor may have removed the end of a line of which nothing else is missing.
                if is_cut {
                    kept.push(b'\n');
                }
            }
            content.last_time = time;
            content.entries.apply(time, record).map_err(|_| damaged(index))?;
        }
        content.repair = damage.map(|(at, _)| (at as u64, kept));
        Ok(content)
    }
}

/// Cuts a file to `length` bytes. What is written next follows them, also on systems where writes don't go to the end.
fn truncate(mut file: &File, length: u64) -> io::Result<()> {
    file.set_len(length)?;
    file.seek(SeekFrom::Start(length)).map(drop)
}

/// Whether these are the first bytes of a header.
fn is_cut_header(bytes: &[u8]) -> bool {
    let begins = br#"{"time":""#;
    bytes.iter().all(|byte| *byte == 0) || bytes.starts_with(begins) || begins.starts_with(bytes)
}

fn header(path: &Path, line: &[u8]) -> Result<Header, JournalError> {
    let value: Value = serde_json::from_slice(line).unwrap_or_default();
    if let (Some("datafy" | "datafy-fleet"), Some(found)) =
        (value["journal"].as_str(), value["version"].as_u64())
        && !(CALLS..=FUNCTIONS).contains(&found)
    {
        return Err(JournalError::Version { path: path.to_owned(), found, expected: FUNCTIONS });
    }
    serde_json::from_value::<Header>(value)
        .ok()
        .filter(|header| header.journal == "datafy")
        .ok_or_else(|| {
            let found = String::from_utf8_lossy(line.trim_ascii_end()).chars().take(200).collect();
            JournalError::NotAJournal { path: path.to_owned(), found }
        })
}

#[cfg(test)]
mod tests {
    use super::JournalFile;

    #[test]
    fn a_dropped_journal_is_unlocked_even_if_a_child_process_shares_the_file() {
        let path = std::env::temp_dir().join(format!("datafy-shared-{}", std::process::id()));
        std::fs::write(&path, "").expect("written");
        let open = || JournalFile::open(&path, &JournalFile::writable());
        let (first, _) = open().expect("free");
        let shared = first.handle.as_file().try_clone().expect("as a child process has it");
        assert!(open().is_err());
        drop(first);
        assert!(open().is_ok());
        drop(shared);
        std::fs::remove_file(&path).expect("removed");
    }
}
