//! The journals of this program's runs: where they are, which is resumed, and which are finished.

use crate::aws::Aws;
use crate::exit::Result;
use crate::items::named;
use crate::plain::quoted;
use crate::print::Printer;
use chrono::{DateTime, Utc};
use clap::Args;
use datafy_api_ext::Datafy;
use datafy_api_ext::Untrusted;
use datafy_api_ext::journal::{Entry, Journal, JournalError, Step, StepState};
use datafy_api_ext::reconcile::LookUp;
use etcetera::BaseStrategy;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The journal of a run that creates something. There always is one.
#[derive(Args)]
#[command(next_help_heading = "Journal")]
pub(crate) struct Record {
    /// Keep the journal in FILE, which must not exist [default: a new file in the state directory]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "job"])]
    journal: Option<PathBuf>,
    /// Continue the run whose journal is FILE; `last` is the newest unfinished one of this command, endpoint and account.
    /// Give the same list again: what is done is not repeated
    #[arg(long, value_name = "FILE|last", conflicts_with_all = ["new", "job"])]
    resume: Option<PathBuf>,
    /// Begin a new run, although an earlier one is unfinished
    #[arg(long)]
    new: bool,
    /// Name the job: the first run with this name begins it, later ones resume it. For a timer, put `{date}`, today's date
    /// in UTC, into the name
    #[arg(long, value_name = "NAME", conflicts_with = "new")]
    job: Option<String>,
    #[command(flatten)]
    state: State,
    /// At the end of the run, wait for up to TIME until EC2 shows what is unknown [default: 17m]
    #[arg(long, value_name = "TIME", requires = "run_aws", value_parser = humantime::parse_duration)]
    #[arg(help_heading = "AWS")]
    wait: Option<Duration>,
    #[command(flatten)]
    aws: Aws,
}

/// Where the journals are.
#[derive(Args)]
pub(crate) struct State {
    /// The directory of journals [default: `datafyctl` in the user's state directory]
    #[arg(long, value_name = "DIR", env = "DATAFYCTL_STATE_DIR", hide_env_values = true)]
    #[arg(help_heading = "Journal")]
    state_dir: Option<PathBuf>,
}

/// The journal that a run uses.
pub(crate) struct Chosen {
    pub(crate) path: PathBuf,
    /// The name of the job in the journal.
    pub(crate) job: Option<String>,
    pub(crate) resumes: bool,
    /// The file that says that the journal is finished. `None` outside the state directory.
    marker: Option<PathBuf>,
    pub(crate) look_up: Option<LookUp>,
    /// Held until the journal exists, so that of two runs at the same time one sees the other.
    lock: Option<File>,
}

impl State {
    pub(crate) fn directory(&self) -> Result<PathBuf> {
        if let Some(directory) = &self.state_dir {
            return Ok(std::path::absolute(directory)?);
        }
        let base = etcetera::choose_base_strategy().map_err(|error| {
            format!("the state directory is not known: {error}; pass --state-dir DIR")
        })?;
        Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("datafyctl"))
    }

    /// Creates the directory if it doesn't exist, and checks that it can be written.
    pub(crate) fn prepare(&self) -> Result<PathBuf> {
        let directory = self.directory()?;
        create(&directory)?;
        lock(&directory)?;
        Ok(directory)
    }

    /// The journals in the state directory, the one that was written last first, and whether each is finished.
    pub(crate) fn journals(&self) -> Result<Vec<(PathBuf, bool)>> {
        let directory = self.directory()?;
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(named(&directory, error).into()),
        };
        let mut journals = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| named(&directory, error))?;
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let written = entry.metadata().and_then(|it| it.modified());
                journals.push((written.unwrap_or(SystemTime::UNIX_EPOCH), path));
            }
        }
        journals.sort();
        let finished = |(_, path): (_, PathBuf)| {
            let is_finished = marker(&path).exists();
            (path, is_finished)
        };
        Ok(journals.into_iter().rev().map(finished).collect())
    }
}

impl Record {
    /// The journal for a run of the command and operation with these names, and what is looked up in it. Fails if the run
    /// would repeat an unfinished one by accident.
    pub(crate) fn choose(
        &self,
        names: [&str; 2],
        datafy: &Datafy,
        printer: &Printer,
    ) -> Result<Chosen> {
        let look_up = self.aws.look_up(self.wait, printer)?;
        Ok(Chosen { look_up, ..self.journal(names, datafy)? })
    }

    fn journal(&self, names: [&str; 2], datafy: &Datafy) -> Result<Chosen> {
        let [command, _] = names;
        let directory = self.state.directory()?;
        create(&directory)?;
        if let Some(path) = &self.journal {
            let path = std::path::absolute(path)?;
            if fs::symlink_metadata(&path).is_ok() {
                let text = "exists; continue its run with `--resume` in place of `--journal`, or use another file";
                return Err(named(&path, text).into());
            }
            return Ok(Chosen::new(path, &directory, None, false, None));
        }
        if let Some(path) = self.resume.as_deref().filter(|path| *path != Path::new("last")) {
            let path = std::path::absolute(path)?;
            let job = job(&Journal::read(&path)?);
            return Ok(Chosen::new(path, &directory, job, true, None));
        }
        let lock = lock(&directory)?;
        if let Some(name) = &self.job {
            let name = job_name(name)?;
            let path = directory.join(format!("{command}-job-{name}.jsonl"));
            let resumes = path.exists();
            return Ok(Chosen::new(path, &directory, Some(name), resumes, Some(lock)));
        }
        let unfinished = self.unfinished(names, datafy)?;
        match (unfinished, &self.resume) {
            (Some(journal), Some(_)) => {
                let job = job(&journal);
                Ok(Chosen::new(journal.path().to_owned(), &directory, job, true, Some(lock)))
            }
            (None, Some(_)) => {
                let endpoint = datafy.endpoint();
                let text = format!(
                    "there is no unfinished journal of `{command}` for this account at {endpoint} in {}",
                    directory.display()
                );
                Err(text.into())
            }
            (Some(journal), None) if !self.new => Err(accident(&journal).into()),
            _ => {
                let time = now().format("%Y%m%dT%H%M%SZ");
                let name = format!("{command}-{time}-{:08x}.jsonl", fastrand::u32(..));
                Ok(Chosen::new(directory.join(name), &directory, None, false, Some(lock)))
            }
        }
    }

    /// The unfinished journal of this command, endpoint and account that was written last.
    fn unfinished(
        &self,
        [command, operation]: [&str; 2],
        datafy: &Datafy,
    ) -> Result<Option<Journal>> {
        for (path, is_finished) in self.state.journals()? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if is_finished || !name.starts_with(&format!("{command}-")) {
                continue;
            }
            let journal = Journal::read(&path)?;
            if journal.operation() == operation && journal.is_of(datafy) {
                return Ok(Some(journal));
            }
        }
        Ok(None)
    }
}

impl Chosen {
    fn new(
        path: PathBuf,
        directory: &Path,
        job: Option<String>,
        resumes: bool,
        lock: Option<File>,
    ) -> Self {
        let marker = (path.parent() == Some(directory)).then(|| marker(&path));
        Self { path, job, resumes, marker, look_up: None, lock }
    }

    /// Notes how many items a new run has: the journal knows only those that were begun.
    pub(crate) fn begin(&self, items: usize) -> Result<()> {
        if self.resumes || self.marker.is_none() {
            return Ok(());
        }
        let path = beside(&self.path, ITEMS);
        fs::write(&path, items.to_string()).map_err(|error| named(&path, error).into())
    }

    /// What continues the run.
    pub(crate) fn continuation(&self) -> String {
        if self.job.is_some() {
            return "run the same command again".to_owned();
        }
        let path = quoted(&self.path.display().to_string());
        format!("the same command with --resume {path}")
    }

    /// The journal exists now.
    pub(crate) fn created(&mut self) {
        self.lock = None;
    }

    /// All items of the run are done. Marks the journal as finished, unless the first run had more items, or other ones are
    /// open.
    pub(crate) fn finish(&self, items: usize) -> Result<()> {
        let Some(marker) = &self.marker else { return Ok(()) };
        let first = fs::read_to_string(beside(&self.path, ITEMS)).unwrap_or_default();
        let first: usize = first.parse().unwrap_or_default();
        if items < first {
            return Err(format!("it was begun with {first} items, and this run had {items}").into());
        }
        let journal = Journal::read(&self.path)?;
        if unknown_steps(&journal) == 0 && journal.unattached().is_empty() {
            fs::write(marker, "").map_err(|error| named(marker, error))?;
        }
        Ok(())
    }
}

/// The file beside a journal with the number of items of its first run.
const ITEMS: &str = ".items";

/// The file beside a journal that says that it is finished.
fn marker(journal: &Path) -> PathBuf {
    beside(journal, ".finished")
}

fn beside(journal: &Path, extension: &str) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(extension);
    name.into()
}

fn create(directory: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|error| named(directory, error).into())
}

fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("lock");
    let file = File::options().create(true).append(true).open(&path);
    let locked = file.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| named(&path, error).into())
}

/// The name of the job of a journal, if it has one.
fn job(journal: &Journal) -> Option<String> {
    journal.job().map(|job| job.as_str().to_owned())
}

/// The time now.
pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Replaces `{date}` by today's date in UTC.
pub(crate) fn dated(text: &str) -> String {
    text.replace("{date}", &now().format("%Y-%m-%d").to_string())
}

fn job_name(name: &str) -> Result<String> {
    let name = dated(name);
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.len() > 100 || !name.chars().all(is_safe) {
        let text = format!(
            "--job {name:?}: a name has up to 100 letters, digits, `-`, `_` and `.`, and may contain `{{date}}`"
        );
        return Err(text.into());
    }
    Ok(name)
}

/// Says why a new run would be an accident.
fn accident(journal: &Journal) -> String {
    let path = journal.path().display();
    if let Err(JournalError::InUse { .. }) = Journal::lock(journal.path()) {
        return format!(
            "a run is in progress, with the journal {path}; wait for it, or begin another one beside it with `--new`"
        );
    }
    let (items, unknown) = (journal.entries().len(), unknown_steps(journal));
    format!(
        "an earlier run is unfinished: its journal {path} has {}, and {} unknown; continue it with `--resume last`, or \
         begin a new one with `--new`",
        counted(items, "item"),
        counted(unknown, "step")
    )
}

/// A number of things: `1 step`, `2 steps`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The steps of a journal, with the keys of their items.
pub(crate) fn steps(journal: &Journal) -> impl Iterator<Item = (Untrusted, Step)> {
    let of = |entry: Entry| entry.steps.into_iter().map(move |step| (entry.key.clone(), step));
    journal.entries().flat_map(of)
}

/// The number of steps whose effect is unknown.
pub(crate) fn unknown_steps(journal: &Journal) -> usize {
    steps(journal).filter(|(_, step)| is_unknown(step)).count()
}

/// Whether the effect of a step, or the ID of what it created, is unknown.
pub(crate) fn is_unknown(step: &Step) -> bool {
    step.state == StepState::Unknown
}
