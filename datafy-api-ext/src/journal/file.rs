//! The file of a journal: written by one program at a time, repaired after a crash, and watched while it is in use.

use super::error::JournalError;
use super::header::Header;
use super::line::line;
use super::replay::{Crash, Replay};
use chrono::{DateTime, Utc};
use same_file::Handle;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The file of a journal.
pub(super) struct JournalFile {
    path: PathBuf,
    handle: Handle,
    /// Whether it is locked and can be written, until it is dropped.
    is_locked: bool,
    /// The length that the file has unless somebody else changes it, in bytes.
    length: u64,
    /// The number of its lines.
    lines: u64,
}

impl JournalFile {
    /// Opens and locks the journal at `path`. On Unix each write goes to the end, even if the file was truncated.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        Self::open_with(path, OpenOptions::new().read(true).write(true).append(cfg!(unix)), true)
    }

    /// Opens the journal at `path` for reading only. Another program may write it meanwhile.
    pub(super) fn view(path: &Path) -> Result<Self, JournalError> {
        Self::open_with(path, OpenOptions::new().read(true), false)
    }

    fn open_with(
        path: &Path,
        options: &OpenOptions,
        is_locked: bool,
    ) -> Result<Self, JournalError> {
        let io = |error| JournalError::io(path, error);
        let path = &std::path::absolute(path).map_err(io)?;
        let file = options.open(path).map_err(io)?;
        // Reading a device might never end.
        if !file.metadata().map_err(io)?.is_file() {
            return Err(io(io::Error::other("it is not a regular file")));
        }
        if is_locked {
            lock(&file, path)?;
        }
        let handle = Handle::from_file(file).map_err(io)?;
        Ok(Self { path: path.clone(), handle, is_locked, length: 0, lines: 0 })
    }

    /// Reads the journal, and changes nothing.
    pub(super) fn read(&mut self) -> Result<Replay, JournalError> {
        let replay = Replay::read(&self.path, BufReader::new(self.handle.as_file()))?;
        (self.length, self.lines) = (replay.length, replay.lines);
        Ok(replay)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Creates the journal at `path`. Fails if another program does so at the same time.
    ///
    /// It is made under a random name, so that no link leads elsewhere, and appears at `path` locked and with its first
    /// line complete, so that an empty one is known to have been truncated.
    pub(super) fn create(
        path: &Path,
        header: &Header,
        now: DateTime<Utc>,
    ) -> Result<Self, JournalError> {
        let io = |error| JournalError::io(path, error);
        let path = &std::path::absolute(path).map_err(io)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".datafy-journal-").append(cfg!(unix));
        // As for any other new file; the default is one that only its owner can read.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut new = builder.tempfile_in(path.parent().unwrap_or(path)).map_err(io)?;
        lock(new.as_file(), path)?;
        let header = serde_json::to_string(header).map_err(|error| io(error.into()))?;
        let text = line(now, &header, None);
        new.write_all(text.as_bytes()).and_then(|()| new.as_file().sync_all()).map_err(io)?;
        match new.persist_noclobber(path) {
            Ok(file) => {
                let handle = Handle::from_file(file).map_err(io)?;
                let length = text.len() as u64;
                Ok(Self { path: path.clone(), handle, is_locked: true, length, lines: 1 })
            }
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => {
                Err(io(error.error))
            }
            Err(_) if path.is_symlink() && !path.exists() => {
                let text = "it is a symbolic link to a file that doesn't exist; make its disk available, or give \
                    the path of that file for a new journal";
                Err(io(io::Error::other(text)))
            }
            Err(_) => Err(JournalError::InUse { path: path.clone() }),
        }
    }

    /// Writes the entry of the file in its directory to disk, without which the file may not survive a power cut.
    pub(super) fn sync_directory(&self) -> Result<(), JournalError> {
        #[cfg(unix)]
        if let Some(directory) = self.path.parent() {
            let synced = File::open(directory).and_then(|directory| directory.sync_all());
            self.io(synced.map_err(|source| {
                let text =
                    format!("its directory can't be synced: {source}; keep it on a local disk");
                io::Error::new(source.kind(), text)
            }))?;
        }
        Ok(())
    }

    /// Removes what a crash has left of the last write, so that lines can be appended.
    pub(super) fn repair(&mut self, replay: &mut Replay) -> Result<(), JournalError> {
        let Some(Crash { start, kept, .. }) = replay.crash.take() else { return Ok(()) };
        let mut file = self.handle.as_file();
        self.io(truncate(file, start))?;
        self.io(file.write_all(&kept).and_then(|()| file.sync_all()))?;
        self.length = start + kept.len() as u64;
        Ok(())
    }

    /// Appends lines for these objects, `results` first. They are on disk when this returns.
    ///
    /// All have the number of the first, and so show after a crash which lines were written together.
    pub(super) fn append(
        &mut self,
        now: DateTime<Utc>,
        results: &[String],
        intents: &[String],
    ) -> Result<(), JournalError> {
        self.check()?;
        let first = self.lines + 1;
        let lines = |objects: &[String]| -> String {
            objects.iter().map(|object| line(now, object, Some(first))).collect()
        };
        let mut text = lines(results);
        let results_end = self.length + text.len() as u64;
        text += &lines(intents);

        let mut file = self.handle.as_file();
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_data()) {
            // No request of these intents is sent, so the next run need not take them for unknown.
            if file.metadata().is_ok_and(|now| now.len() > results_end) {
                let _ = truncate(file, results_end);
            }
            return Err(JournalError::io(&self.path, error));
        }
        self.length += text.len() as u64;
        self.lines += (results.len() + intents.len()) as u64;
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
    /// Unlocks the file. To close it would not be enough: a child process that another thread is starting has it open, too,
    /// until it runs its program.
    fn drop(&mut self) {
        let _ = self.handle.as_file().unlock();
    }
}

fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::InUse { path: path.to_owned() },
        TryLockError::Error(source) => {
            let text = format!("it can't be locked: {source}; keep it on a local disk");
            JournalError::io(path, io::Error::new(source.kind(), text))
        }
    })
}

/// Cuts a file to `length` bytes. What is written next follows them, also on systems where writes don't go to the end.
fn truncate(mut file: &File, length: u64) -> io::Result<()> {
    file.set_len(length)?;
    file.seek(SeekFrom::Start(length)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::JournalFile;

    #[test]
    fn a_dropped_journal_is_unlocked_even_if_a_child_process_shares_the_file() {
        let path = std::env::temp_dir().join(format!("datafy-shared-{}", std::process::id()));
        std::fs::write(&path, "").expect("written");
        let open = || JournalFile::open(&path);
        let first = open().expect("free");
        let shared = first.handle.as_file().try_clone().expect("as a child process has it");
        assert!(open().is_err());
        drop(first);
        assert!(open().is_ok());
        drop(shared);
        std::fs::remove_file(&path).expect("removed");
    }
}
