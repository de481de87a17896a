//! Replays a journal: reads it line by line, with what a crash has left of the last write.

use super::entries::Entries;
use super::error::JournalError;
use super::header::FirstLine;
use super::line::{Problem, Record};
use serde::de::IgnoredAny;
use std::io::{self, BufRead};
use std::path::Path;

/// What a crash leaves unwritten is zero from the start of a block, or of the write, to the end of a block, or of the
/// file. Blocks of disks and file systems are multiples of this.
const BLOCK: u64 = 512;

/// What a journal says, and the state of its file.
pub(super) struct Replay {
    pub(super) header: FirstLine,
    pub(super) entries: Entries,
    /// The number of lines, once it is repaired.
    pub(super) lines: u64,
    /// The length of the file in bytes.
    pub(super) length: u64,
    /// What a crash has left of the last write, if it has damaged it.
    pub(super) crash: Option<Crash>,
    /// The number of the write of the last line before a crash. `None` in lines of a release without checksums.
    write: Option<u64>,
    /// Whether the lines so far have checksums. All that follow one that has do, too.
    checked: bool,
}

/// What a crash has left of the last write.
pub(super) struct Crash {
    /// Where the damage begins in the file.
    pub(super) start: u64,
    /// The complete lines that follow.
    pub(super) kept: Vec<u8>,
    /// The number of the first damaged line.
    number: u64,
    /// Whether the write must have begun there: zeros begin there, and not at a block.
    is_begin: bool,
    /// The number of the write of the lines that follow.
    write: Option<u64>,
}

impl Replay {
    /// Reads a journal, line by line: it may be larger than the memory.
    pub(super) fn read(path: &Path, mut file: impl BufRead) -> Result<Self, JournalError> {
        let mut line = Vec::new();
        let mut next = |line: &mut Vec<u8>| -> Result<usize, JournalError> {
            line.clear();
            file.read_until(b'\n', line).map_err(|error: io::Error| JournalError::io(path, error))
        };
        let length = next(&mut line)? as u64;
        let (header, checked) = FirstLine::read(path, &line)?;
        let entries = Entries::default();
        let mut replay =
            Self { header, entries, lines: 1, length, crash: None, write: None, checked };
        for number in 2.. {
            let length = next(&mut line)? as u64;
            if length == 0 {
                break;
            }
            replay.take(&line).map_err(|problem| JournalError::damaged(path, number, problem))?;
            replay.length += length;
        }
        Ok(replay)
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Problem> {
        let Some(zero) = memchr::memchr(0, line) else {
            return match Record::parse(line) {
                // An editor may have removed the end of a line of which nothing else is missing.
                Ok(record) => self.add(record, line),
                Err(_) if is_cut(line) => {
                    self.crash();
                    Ok(())
                }
                Err(problem) => Err(problem),
            };
        };
        let is_begin = check_zeros(line, self.length, self.crash.is_none())?;
        // If nothing but the end of the line is missing, it counts.
        if let Ok(record) = Record::parse(&line[..zero]) {
            return self.add(record, &line[..zero]);
        }
        self.crash().is_begin |= is_begin;
        write_in_tail(line).map_or(Ok(()), |write| self.follow(write))
    }

    /// The crash that has damaged the line at the current position, or an earlier one of the same write.
    fn crash(&mut self) -> &mut Crash {
        self.crash.get_or_insert(Crash {
            start: self.length,
            kept: Vec::new(),
            number: self.lines + 1,
            is_begin: false,
            write: None,
        })
    }

    /// Adds a record, and keeps its line if the file has to be repaired.
    fn add(&mut self, record: Record, line: &[u8]) -> Result<(), Problem> {
        match record.write {
            Some(write) => self.follow(write)?,
            None if self.checked => return Err("it has no checksum, and a line before it has one"),
            None if self.crash.is_some() => return Err("a line before it is damaged"),
            None => {}
        }
        self.checked = record.write.is_some();
        if !line.ends_with(b"\n") {
            self.crash();
        }
        if let Some(crash) = &mut self.crash {
            crash.kept.extend_from_slice(line.trim_ascii_end());
            crash.kept.push(b'\n');
        }
        self.lines += 1;
        self.entries.apply(record)
    }

    /// Checks that a line of the write with this number can follow the lines before.
    ///
    /// After the damage of a crash there are only lines of the last write, and the damage is in it: what was written
    /// earlier was on disk.
    fn follow(&mut self, write: u64) -> Result<(), Problem> {
        let continues = self.write == Some(write);
        let follows = match &mut self.crash {
            None => {
                self.write = Some(write);
                continues || write == self.lines + 1
            }
            Some(crash) => {
                *crash.write.get_or_insert(write) == write
                    && (continues && !crash.is_begin || write == crash.number)
            }
        };
        if follows { Ok(()) } else { Err("lines before it are missing, or are not its own") }
    }
}
/// Whether the end of this line is missing: it is the last, and as JSON it is incomplete.
fn is_cut(line: &[u8]) -> bool {
    line.starts_with(b"{")
        && !line.ends_with(b"\n")
        && serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof())
}

/// Checks that a crash explains the zeros in a line at `offset`, and returns whether a write must have begun there.
fn check_zeros(line: &[u8], offset: u64, can_begin: bool) -> Result<bool, Problem> {
    let mut begins = false;
    let is_block = |at: usize| (offset + at as u64).is_multiple_of(BLOCK);
    let mut at = 0;
    for zeros in line.chunk_by(|one, next| (*one == 0) == (*next == 0)) {
        let end = at + zeros.len();
        if zeros[0] == 0 {
            let is_begin = at == 0 && can_begin && !is_block(at);
            begins |= is_begin;
            if !(is_block(at) || is_begin) || !(is_block(end) || end == line.len()) {
                return Err("bytes of it are zero, and not those of a block");
            }
        }
        at = end;
    }
    Ok(begins)
}

/// The write of a line whose beginning is zero.
fn write_in_tail(line: &[u8]) -> Option<u64> {
    let name = br#","write":"#;
    let tail = &line[memchr::memmem::rfind(line, name)? + name.len()..];
    let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&tail[..digits]).ok()?.parse().ok()
}
