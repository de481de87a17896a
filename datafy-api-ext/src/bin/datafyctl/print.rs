//! Everything that the program prints: results on standard output, the rest on standard error.

use crate::plain::{plain, plain_json};
use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{Row, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();
const HEADING: Style = Style::new().bold();

/// How a line is meant. On a terminal it has a colour, unless `NO_COLOR` is set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    Good,
    Bad,
    Open,
    Quiet,
    Plain,
}

/// Prints. Clones print to the same places.
#[derive(Clone)]
pub(crate) struct Printer {
    /// Whether results are JSON Lines.
    pub(crate) json: bool,
    bar: Arc<OnceLock<ProgressBar>>,
    /// Why standard output can't be written.
    broken: Arc<OnceLock<io::Error>>,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, bar: Arc::default(), broken: Arc::default() }
    }

    /// Prints a result: `json` with `--json`, otherwise the text.
    pub(crate) fn result(&self, tone: Tone, json: &impl Serialize, text: &str) {
        if self.json {
            let json = serde_json::to_string(json).unwrap_or_else(|error| error.to_string());
            self.stdout(&format!("{}\n", plain_json(&json)));
        } else {
            self.stdout(&format!("{}\n", styled(tone.style(), text)));
        }
    }

    /// Prints a result that is JSON also without `--json`.
    pub(crate) fn json(&self, json: &impl Serialize) {
        let json = serde_json::to_string(json).unwrap_or_else(|error| error.to_string());
        self.stdout(&format!("{}\n", plain_json(&json)));
    }

    /// Prints a script that this program has made itself, as it is.
    pub(crate) fn script(&self, script: &str) {
        self.stdout(script);
    }

    /// Prints a table, unless it is empty.
    pub(crate) fn table<const N: usize>(&self, headings: [&str; N], rows: Vec<[String; N]>) {
        if rows.is_empty() {
            return;
        }
        let mut table = Table::new();
        table.load_preset(NOTHING).set_header(headings);
        for row in rows {
            table.add_row(Row::from(row.map(|cell| plain(&cell).into_owned())));
        }
        for (number, line) in table.lines().enumerate() {
            // Each cell is padded by a space on both sides.
            let line = line.strip_prefix(' ').unwrap_or(&line).trim_end();
            let style = if number == 0 { HEADING } else { Style::new() };
            self.stdout(&format!("{}\n", styled(style, line)));
        }
    }

    /// Tells the person something that is no result.
    pub(crate) fn note(&self, text: &str) {
        self.stderr(Tone::Plain, text);
    }

    /// As [`note`](Self::note), in a colour.
    pub(crate) fn say(&self, tone: Tone, text: &str) {
        self.stderr(tone, text);
    }

    /// Says why the program can't do what it was asked for.
    pub(crate) fn error(&self, text: &str) {
        self.stderr(Tone::Bad, &format!("error: {text}"));
    }

    /// Shows a progress bar from now on, if standard error is a terminal.
    pub(crate) fn start_bar(&self, length: u64) {
        let bar = self.bar.get_or_init(|| ProgressBar::new(length));
        let style = ProgressStyle::with_template("[{bar:40}] {pos}/{len}{msg}, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("#>."));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// Moves the progress bar, if there is one.
    pub(crate) fn move_bar(&self, position: u64, message: String) {
        if let Some(bar) = self.bar.get() {
            bar.set_position(position);
            bar.set_message(message);
        }
    }

    /// Removes the progress bar.
    pub(crate) fn end_bar(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }

    /// Says so if results could not be printed.
    pub(crate) fn check(&self) {
        if let Some(error) = self.broken.get() {
            let text = format!("results could not be written to standard output: {error}");
            self.stderr(Tone::Bad, &text);
        }
    }

    fn stdout(&self, line: &str) {
        self.above_bar(|| {
            let mut out = anstream::stdout();
            if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
                // The work goes on: the journal has the results, too.
                self.broken.get_or_init(|| error);
            }
        });
    }

    fn stderr(&self, tone: Tone, text: &str) {
        self.above_bar(|| {
            // A reader that has gone doesn't matter.
            let _ = writeln!(anstream::stderr(), "{}", styled(tone.style(), text));
        });
    }

    fn above_bar(&self, print: impl FnOnce()) {
        match self.bar.get() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Good => GOOD,
            Self::Bad => BAD,
            Self::Open => OPEN,
            Self::Quiet => QUIET,
            Self::Plain => Style::new(),
        }
    }
}

/// The one place where a text gets its colours, after it has lost all others.
fn styled(style: Style, text: &str) -> String {
    format!("{style}{}{style:#}", plain(text))
}
