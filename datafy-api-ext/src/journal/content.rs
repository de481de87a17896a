//! The content of a journal: read line by line, with what a crash has left of the last write.

use super::Header;
use super::entries::Entries;
use super::error::JournalError;
use super::line::{CALLS, FUNCTIONS, Line, check};
use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::io::{self, BufRead};
use std::path::Path;

/// What a crash leaves unwritten is zero from the start of a block, or of the write, to the end of a block, or of the
/// file. Blocks of disks and file systems are multiples of this.
const BLOCK: u64 = 512;

/// The content of a journal.
pub(super) struct Content {
    pub(super) header: Header,
    pub(super) entries: Entries,
    /// The number of lines, once it is repaired.
    pub(super) lines: u64,
    /// The length of the file in bytes.
    pub(super) length: u64,
    /// What a crash has left of the last write, if it has damaged it.
    pub(super) crash: Option<Crash>,
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
    /// The write of the lines that follow: its number, or the time of all its lines.
    write: Option<Write>,
}

/// What the lines of one write have in common: the number of the first, or the time before there were numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Write {
    Number(u64),
    Time(DateTime<Utc>),
}

/// Why a line is damaged.
type Problem = &'static str;

impl Content {
    /// Reads a journal, line by line: it may be larger than the memory.
    pub(super) fn read(path: &Path, mut file: impl BufRead) -> Result<Self, JournalError> {
        let mut line = Vec::new();
        let mut next = |line: &mut Vec<u8>| -> Result<usize, JournalError> {
            line.clear();
            file.read_until(b'\n', line).map_err(|error: io::Error| JournalError::io(path, error))
        };
        let length = next(&mut line)? as u64;
        let (header, checked) = header(path, &line)?;
        let mut reader = Reader {
            content: Self { header, entries: Entries::default(), lines: 1, length, crash: None },
            write: None,
            checked,
        };
        for number in 2.. {
            let length = next(&mut line)? as u64;
            if length == 0 {
                break;
            }
            reader.take(&line).map_err(|problem| JournalError::damaged(path, number, problem))?;
            reader.content.length += length;
        }
        Ok(reader.content)
    }
}

struct Reader {
    content: Content,
    /// The write of the last line.
    write: Option<Write>,
    /// Whether a line had a checksum. All that follow have one, too.
    checked: bool,
}

impl Reader {
    fn take(&mut self, line: &[u8]) -> Result<(), Problem> {
        let Some(zero) = memchr::memchr(0, line) else {
            return match Line::parse(line) {
                // An editor may have removed the end of a line of which nothing else is missing.
                Ok(parsed) => self.add(parsed, line),
                Err(_) if is_cut(line) => {
                    self.crash();
                    Ok(())
                }
                Err(problem) => Err(problem),
            };
        };
        let is_first = self.content.crash.is_none();
        let is_begin = check_zeros(line, self.content.length, is_first)?;
        // If nothing but the end of the line is missing, it counts.
        if let Ok(parsed) = Line::parse(&line[..zero]) {
            return self.add(parsed, &line[..zero]);
        }
        self.crash().is_begin |= is_begin;
        match write_in_tail(line) {
            Some(number) => self.follow(Write::Number(number)),
            None => Ok(()),
        }
    }

    /// The crash that has damaged the line at the current position, or an earlier one of the same write.
    fn crash(&mut self) -> &mut Crash {
        self.content.crash.get_or_insert(Crash {
            start: self.content.length,
            kept: Vec::new(),
            number: self.content.lines + 1,
            is_begin: false,
            write: None,
        })
    }

    /// Adds a record, and keeps its line if the file has to be repaired.
    fn add(&mut self, parsed: Line, line: &[u8]) -> Result<(), Problem> {
        if self.checked && parsed.write.is_none() {
            return Err("it has no checksum, and a line before it has one");
        }
        self.checked = parsed.write.is_some();
        self.follow(parsed.write.map_or(Write::Time(parsed.time), Write::Number))?;
        if !line.ends_with(b"\n") {
            self.crash();
        }
        if let Some(crash) = &mut self.content.crash {
            crash.kept.extend_from_slice(line.trim_ascii_end());
            crash.kept.push(b'\n');
        }
        self.content.lines += 1;
        self.content.entries.apply(parsed.time, parsed.record).map_err(|_| "nothing has begun it")
    }

    /// Checks that a line of this write can follow the lines before.
    ///
    /// After the damage of a crash there are only lines of the last write, and the damage is in it: what was written
    /// earlier was on disk.
    fn follow(&mut self, write: Write) -> Result<(), Problem> {
        let follows = match &mut self.content.crash {
            None => {
                self.write == Some(write)
                    || match write {
                        Write::Number(number) => number == self.content.lines + 1,
                        Write::Time(_) => true,
                    }
            }
            Some(crash) => {
                let continues = self.write == Some(write) && !crash.is_begin;
                let begins = match write {
                    Write::Number(number) => number == crash.number,
                    Write::Time(_) => self.write != Some(write),
                };
                *crash.write.get_or_insert(write) == write && (continues || begins)
            }
        };
        if self.content.crash.is_none() {
            self.write = Some(write);
        }
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

/// Reads the first line. Also returns whether it has a checksum.
fn header(path: &Path, line: &[u8]) -> Result<(Header, bool), JournalError> {
    if line.is_empty() {
        return Err(JournalError::Empty { path: path.to_owned() });
    }
    let damaged = |problem| JournalError::damaged(path, 1, problem);
    if line.starts_with(b"\xEF\xBB\xBF") {
        return Err(damaged(
            "an editor has put a byte order mark before it, which must be removed",
        ));
    }
    if line.starts_with(b"\xFF\xFE") || line.starts_with(b"\xFE\xFF") {
        return Err(damaged("an editor has saved it as UTF-16, and it must be UTF-8"));
    }
    let checked = check(line).map_err(damaged)?;
    let value: Value = serde_json::from_slice(line).unwrap_or_default();
    if value.is_null() && begins_header(line) || value.get("crc").is_some() != checked {
        return Err(damaged("it is not a header"));
    }
    if let (Some("datafy" | "datafy-fleet"), Some(found)) =
        (value["journal"].as_str(), value["version"].as_u64())
        && !(CALLS..=FUNCTIONS).contains(&found)
    {
        return Err(JournalError::Version { path: path.to_owned(), found });
    }
    let header = serde_json::from_value::<Header>(value).ok();
    let header = header.filter(|header| header.journal == "datafy").ok_or_else(|| {
        let found = String::from_utf8_lossy(line.trim_ascii_end()).chars().take(200).collect();
        JournalError::NotAJournal { path: path.to_owned(), found }
    })?;
    if line.ends_with(b"\n") { Ok((header, checked)) } else { Err(damaged("its end is missing")) }
}

/// Whether this is a part of a header, or zeros.
fn begins_header(line: &[u8]) -> bool {
    let begins = br#"{"time":""#;
    line.iter().all(|byte| *byte == 0) || line.starts_with(begins) || begins.starts_with(line)
}
