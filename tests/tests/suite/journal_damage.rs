//! What changes a journal is seen, unless a crash explains it; and after a crash nothing is done twice.

use crate::scene::{LOST, Scene, ended, plain, sealed, status};
use datafy_api_ext::journal::{Entry, Journal, JournalError, Settled, StepState};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;

/// The number of items of a journal.
const ITEMS: usize = 6;

/// The length of the shortest block.
const BLOCK: usize = 512;

/// A journal, its bytes and its entries.
struct Written {
    _scene: Scene,
    path: PathBuf,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Written {
    /// A journal of items that were applied, are unknown, were refused and are settled, written two at a time.
    async fn new() -> Self {
        let scene = Scene::of(ITEMS).await;
        scene.inject([LOST, LOST, status(403)]);
        let fleet = scene.fleet(ITEMS).concurrency(2);
        ended(fleet.run(|datafy, id, _| datafy.volume(id).create_snapshot())).await;
        let mut journal = scene.journal();
        let unknown = journal.entries().find(|it| it.steps[0].state == StepState::Unknown);
        journal.settle(&unknown.unwrap().key, "create_snapshot", 1, Settled::NotApplied).unwrap();
        let (path, entries) = (scene.path(), journal.entries().collect());
        let bytes = fs::read(&path).unwrap();
        Self { _scene: scene, path, bytes, entries }
    }

    /// The entries of a journal of these bytes.
    fn read(&self, bytes: &[u8]) -> Result<Vec<Entry>, JournalError> {
        // In place: a file system may write a file to disk that is truncated first.
        let mut file = fs::OpenOptions::new().write(true).open(&self.path).unwrap();
        file.write_all(bytes).and_then(|()| file.set_len(bytes.len() as u64)).unwrap();
        Journal::read(&self.path).map(|journal| journal.entries().collect())
    }

    /// Asserts that a journal of these bytes is damaged, and returns the line.
    fn damaged(&self, bytes: &[u8], what: &str) -> u64 {
        match self.read(bytes) {
            Err(JournalError::Damaged { line, .. }) => line,
            other => panic!("{what}: {other:?}"),
        }
    }

    /// The places of the lines.
    fn lines(&self) -> Vec<Range<usize>> {
        let mut end = 0;
        let lines = self.bytes.split_inclusive(|byte| *byte == b'\n');
        let place = |line: &[u8]| {
            let start = end;
            end += line.len();
            start..end
        };
        lines.map(place).collect()
    }
}

#[tokio::test]
async fn each_flipped_bit_each_zero_and_each_changed_line_end_is_seen() {
    let journal = Written::new().await;
    let mut bytes = journal.bytes.clone();
    let mut unseen = 0;
    for at in 0..bytes.len() {
        let whole = bytes[at];
        let flips = (0..8).map(|bit| whole ^ (1 << bit)).chain([0]);
        let line_ends = (0..=255).filter(|_| whole == b'\n');
        // A zero at the end is a crash, and no change.
        let is_other = |byte: &u8| *byte != whole && (*byte != 0 || at + 1 < journal.bytes.len());
        for byte in flips.chain(line_ends).filter(is_other) {
            bytes[at] = byte;
            match journal.read(&bytes) {
                Err(JournalError::Damaged { .. }) => {}
                // In the name of the member that holds the checksum of the header, or white space at the end.
                Ok(entries) => {
                    assert_eq!(entries, journal.entries, "{byte} at {at}");
                    unseen += 1;
                }
                Err(error) => panic!("{byte} at {at}: {error}"),
            }
        }
        bytes[at] = whole;
    }
    assert!(unseen <= 24 + 4, "{unseen} changes");
    // It is no cut line.
    journal.damaged(&[&journal.bytes, &b"\"time"[..]].concat(), "a text at the end");
}

#[tokio::test]
async fn a_line_before_the_last_write_that_is_zeroed_removed_repeated_or_moved_is_damage() {
    let journal = Written::new().await;
    let lines = journal.lines();
    let last = lines.len() - 1;
    for (number, line) in lines.iter().enumerate().take(last).skip(1) {
        let [before, after] = [&journal.bytes[..line.start], &journal.bytes[line.end..]];
        let own = &journal.bytes[line.clone()];
        let zeros = vec![0; own.len()];
        let zeros_and_end = [&zeros[1..], b"\n"].concat();
        for (what, between) in [
            ("zeroed", &*zeros),
            ("zeroed up to its end", &*zeros_and_end),
            ("removed", &[]),
            ("repeated", &[own, own].concat()),
        ] {
            journal.damaged(&[before, between, after].concat(), &format!("{number} {what}"));
        }
        let (header, between) = before.split_at(lines[0].end);
        if !own.windows(11).any(|part| part == br#","write":2,"#) {
            let moved = [header, own, between, after].concat();
            journal.damaged(&moved, &format!("{number} moved"));
        }
    }
}

/// A journal of items whose last write has results and intents that take several blocks. The number of the line with
/// which that write begins is `first`.
async fn long_last_write() -> (Written, Range<usize>) {
    let mut journal = Written::new().await;
    let text = String::from_utf8(journal.bytes.clone()).unwrap();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    // Without the settlement, the volume is unknown again.
    lines.pop();
    let whole = lines.concat();
    let first = lines.len() as u64 + 1;
    let begin = |number: usize| {
        // The last line has more than a block.
        let key = if number < 11 { format!("db-{number}") } else { "x".repeat(600) };
        let text = lines[1].replace("\"key\":\"vol-seed0\"", &format!("\"key\":\"{key}\""));
        sealed(&plain(text.trim_end()), first)
    };
    let last: String = (0..12).map(begin).collect();
    journal.bytes = [whole.as_bytes(), last.as_bytes()].concat();
    journal.entries = journal.read(&journal.bytes).unwrap();
    (journal, whole.len()..whole.len() + last.len())
}

#[tokio::test]
async fn a_crash_may_cut_the_last_write_or_zero_blocks_of_it() {
    let (journal, last) = long_last_write().await;
    let known: Vec<_> = journal.read(&journal.bytes[..last.start]).unwrap();
    let explained = |bytes: &[u8], repair: bool, what: &str| {
        let entries = journal.read(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(entries[..known.len()], known, "{what}");
        // Whatever else is there is a line that was written, and the file is repaired so.
        for entry in &entries[known.len()..] {
            assert!(journal.entries.contains(entry), "{what}: {entry:?}");
        }
        if !repair {
            return entries.len() - known.len();
        }
        let mut repaired = Journal::read(&journal.path).unwrap();
        let key = repaired.entries().find(|it| it.steps[0].state == StepState::Unknown);
        repaired.settle(&key.unwrap().key, "create_snapshot", 1, Settled::NotApplied).unwrap();
        let settled = entries.len();
        drop(repaired);
        assert!(!fs::read(&journal.path).unwrap().contains(&0), "{what}");
        assert_eq!(Journal::read(&journal.path).unwrap().entries().len(), settled, "{what}");
        entries.len() - known.len()
    };
    for length in last.start..last.end {
        explained(&journal.bytes[..length], length % 50 == 0, &format!("cut to {length}"));
    }
    // A last line of which only the line break is missing counts.
    let whole = &journal.bytes[..last.end - 1];
    assert_eq!(explained(whole, true, "no line break"), journal.entries.len() - known.len());
    // Each set of blocks.
    let mut starts = vec![last.start];
    starts.extend((last.start + 1..last.end).filter(|at| at.is_multiple_of(BLOCK)));
    let mut most = 0;
    for set in 1..1_usize << starts.len() {
        let mut bytes = journal.bytes.clone();
        for (number, start) in starts.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1) {
            let end = starts.get(number + 1).copied().unwrap_or(last.end);
            bytes[*start..end].fill(0);
        }
        most = most.max(explained(&bytes, true, &format!("blocks {set:b}")));
    }
    assert!(most >= 6, "lines that are whole are kept: {most}");
    assert!(starts.len() > 3, "{starts:?}");
}

#[tokio::test]
async fn zeroed_blocks_that_begin_before_the_last_write_are_damage() {
    let (journal, last) = long_last_write().await;
    let header = journal.lines()[0].end;
    for start in (header..last.start).filter(|at| at.is_multiple_of(BLOCK)) {
        // The number of its write is whole in the last line.
        for end in (start + 1..last.end - 40).filter(|at| at.is_multiple_of(BLOCK)) {
            let mut bytes = journal.bytes.clone();
            bytes[start..end].fill(0);
            journal.damaged(&bytes, &format!("zero from {start} to {end}"));
        }
    }
}

#[tokio::test]
async fn without_checksums_only_the_end_of_the_file_can_be_missing() {
    let (journal, last) = long_last_write().await;
    let text = String::from_utf8(journal.bytes.clone()).unwrap();
    let text: String = text.lines().map(|line| plain(line) + "\n").collect();
    let lost = text.len() / 2 / BLOCK * BLOCK;
    let mut bytes = text.into_bytes();
    bytes[lost..lost + BLOCK].fill(0);
    journal.damaged(&bytes, "a block before the end");
    let kept = journal.read(&bytes[..lost + BLOCK]).unwrap();
    assert!(!kept.is_empty() && kept.len() < journal.entries.len() && lost < last.end);
}

#[tokio::test]
async fn zeros_that_begin_in_the_last_write_and_not_at_a_block_are_damage() {
    let (journal, last) = long_last_write().await;
    let lines = journal.lines();
    let own =
        lines.iter().filter(|line| line.start > last.start && !line.start.is_multiple_of(BLOCK));
    for line in own {
        let end = line.start.next_multiple_of(BLOCK).min(last.end);
        for start in [line.start, line.start + 5].into_iter().filter(|start| *start < end) {
            let mut bytes = journal.bytes.clone();
            bytes[start..end].fill(0);
            // Without a line after it, it is a write that was lost.
            if start > line.start || lines.iter().any(|line| line.start > end) {
                journal.damaged(&bytes, &format!("zero from {start} to {end}"));
            }
        }
    }
}

#[tokio::test]
async fn a_line_without_a_checksum_after_one_with_a_checksum_is_damage() {
    let journal = Written::new().await;
    let text = String::from_utf8(journal.bytes.clone()).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    for (number, line) in lines.iter().enumerate().skip(1) {
        let mut changed: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        for line in [plain(line.trim_end()), line.replace(",\"crc\":", ",\"src\":")] {
            changed[number] = line.trim_end().to_owned() + "\n";
            let damaged = journal.damaged(changed.concat().as_bytes(), &line);
            assert_eq!(damaged, number as u64 + 1);
        }
    }
    // A part of a checksum in front of all others.
    let text: String = lines.iter().map(|line| plain(line.trim_end()) + "\n").collect();
    let cut = text.replacen("}}\n", "},\"write\":2}\n", 1);
    assert_eq!(journal.damaged(cut.as_bytes(), "a write"), 2);
    assert_eq!(journal.read(text.as_bytes()).unwrap(), journal.entries);
    // Lists of the values of an intent, and of its subject.
    let intent = text.lines().nth(1).unwrap();
    let it: Value = serde_json::from_str(intent).unwrap();
    let subject = json!([it["subject"]["volume"], null, null, null, null]);
    let [key, operation, event, time] = ["key", "operation", "event", "time"].map(|name| &it[name]);
    let none = Value::Null;
    let record = json!([
        key,
        operation,
        none,
        event,
        it["subject"],
        none,
        none,
        none,
        none,
        none,
        none,
        time,
        none,
        none
    ]);
    for (whole, list) in [(intent, record), (&it["subject"].to_string(), subject)] {
        let changed = text.replacen(whole, &list.to_string(), 1);
        assert_eq!(journal.damaged(changed.as_bytes(), &changed), 2);
    }
}

#[tokio::test]
async fn what_an_editor_puts_before_a_journal_is_named() {
    let journal = Written::new().await;
    for (mark, expected) in [(&b"\xFF\xFE"[..], "UTF-16"), (b"\xEF\xBB\xBF", "a byte order mark")] {
        let error = journal.read(&[mark, &*journal.bytes].concat()).unwrap_err().to_string();
        assert!(error.contains("at line 1: an editor ") && error.contains(expected), "{error}");
    }
}

/// The blocks of this language in JOURNAL.md.
fn documented(language: &str) -> Vec<&'static str> {
    let document = include_str!("../../../datafy-api-ext/JOURNAL.md");
    let fence = format!("```{language}\n");
    let blocks = document.split(&fence).skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0).collect()
}

#[tokio::test]
async fn the_journal_that_the_documentation_shows_is_one() {
    let journal = Written::new().await;
    let entries = journal.read(documented("json")[0].as_bytes()).unwrap();
    let states: Vec<_> = entries[0].steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [StepState::Applied, StepState::Unknown]);
}

/// Runs a program on the journal, and returns what it prints. `None` if the machine doesn't have it.
fn run(program: &str, arguments: &[&str], journal: &Written) -> Option<String> {
    let output = std::process::Command::new(program).args(arguments).arg(&journal.path).output();
    let Ok(output) = output else {
        assert!(std::env::var_os("CI").is_none() || cfg!(windows), "{program} can't be run");
        datafy_tests::note(format_args!("skipped: {program} can't be run"));
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn the_program_that_the_documentation_shows_finds_wrong_checksums() {
    let journal = Written::new().await;
    let program = documented("python")[0];
    let Some(output) = run("python3", &["-c", program], &journal) else { return };
    assert_eq!(output, "");
    let mut bytes = journal.bytes.clone();
    bytes[journal.lines()[3].start + 40] ^= 1;
    assert_eq!(journal.damaged(&bytes, "a flip"), 4);
    assert_eq!(run("python3", &["-c", program], &journal).unwrap(), "line 4\n");
}

#[tokio::test]
async fn a_damaged_journal_is_repaired_and_settled_as_the_documentation_says() {
    let journal = Written::new().await;
    // The result of the first item.
    let text = String::from_utf8(journal.bytes.clone()).unwrap();
    let number = text.lines().position(|line| line.contains("\"outcome\":\"applied\"")).unwrap();
    let line = journal.lines()[number].clone();
    let mut bytes = journal.bytes.clone();
    bytes[line.start + 50..line.start + 60].fill(b'#');
    journal.damaged(&bytes, "overwritten");
    let command = documented("sh")[0].trim();
    let [program, option, script] = command.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        panic!()
    };
    let (script, _) = script.trim_start_matches('\'').split_once('\'').unwrap();
    assert_eq!((program, option), ("sed", "-E"));
    let Some(text) = run(program, &[option, script], &journal) else { return };
    let mut lines: Vec<_> = text.lines().collect();
    let entry = &journal.entries.iter().find(|it| it.steps[0].state == StepState::Applied);
    let key = &entry.unwrap().key;
    let begin =
        lines.iter().find(|it| it.contains(&**key) && it.contains("begin")).unwrap().to_string();
    lines[number] = &begin;
    let entries = journal.read((lines.join("\n") + "\n").as_bytes()).unwrap();
    let unknown = entries.iter().find(|it| it.key == *key).unwrap();
    assert_eq!(unknown.steps[0].state, StepState::Unknown);

    let id = entry.unwrap().steps[0].created_id.as_deref().map(str::to_owned);
    let mut read = Journal::read(&journal.path).unwrap();
    read.settle(key, "create_snapshot", 1, Settled::Applied { id }).unwrap();
    drop(read);
    let states: Vec<_> = Journal::read(&journal.path).unwrap().entries().collect();
    let now = states.iter().find(|it| it.key == *key).unwrap();
    assert_eq!(now.steps[0].created_id, entry.unwrap().steps[0].created_id);
}

#[tokio::test]
async fn a_journal_of_many_items_takes_little_memory() {
    const ITEMS: u64 = 20_000;
    let journal = Written::new().await;
    let text = String::from_utf8(journal.bytes.clone()).unwrap();
    let mut lines = vec![text.lines().next().unwrap().to_owned() + "\n"];
    for number in 0..ITEMS {
        for (write, event) in [
            (2, r#""begin","subject":{"volume":"VOLUME"},"marker":"[datafy-yRBBafDch2]""#),
            (3, r#""end","outcome":"applied","created_id":"dsnap-00000000000000001""#),
        ] {
            let volume = format!("vol-{number:017}");
            let event = event.replace("VOLUME", &volume);
            let line = format!(
                r#"{{"time":"2026-01-01T02:00:00.000000Z","key":"{volume}","operation":"create_snapshot","event":{event}}}"#
            );
            lines.push(sealed(&line, 2 * number + write));
        }
    }
    fs::write(&journal.path, lines.concat()).unwrap();
    let mut read = None;
    let measured = allocation_counter::measure(|| read = Some(Journal::read(&journal.path)));
    assert_eq!(read.unwrap().unwrap().entries().len() as u64, ITEMS);
    // A million items take 400 MB at most.
    let each = measured.bytes_max / ITEMS;

    assert!(each <= 400, "{each} bytes for each item");
}
