//! Runs the command.

use datafy_api_ext::fake::Fake;
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The built program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ctl");

/// The variables that the program reads, as the guide lists them.
pub(crate) fn listed_variables() -> impl Iterator<Item = &'static str> {
    let page = include_str!("../../../datafy-api-ext/guide/environment.md").lines();
    page.filter_map(|line| line.strip_prefix("| `")?.split('`').next())
}

/// A machine on which the command is run, with a fake service.
pub(crate) struct Machine {
    pub(crate) fake: Fake,
    /// The working directory of the command.
    pub(crate) directory: TempDir,
}

/// What a run of the command printed, and its exit code.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Machine {
    /// A fake with these volumes, a snapshot `dsnap-N` of each volume `vol-N`, and the instance `i-1`.
    pub(crate) async fn with_volumes(count: usize) -> Self {
        // On macOS it is behind a symbolic link, which the working directory of a process doesn't show.
        let temporary = std::env::temp_dir();
        let parent = if cfg!(unix) { temporary.canonicalize().unwrap() } else { temporary };
        let directory = TempDir::new_in(parent).unwrap();
        let machine = Self { fake: Fake::start().await.unwrap(), directory };
        machine.fake.add_instance("i-1".parse().unwrap());
        for number in 1..=count {
            let volume = || format!("vol-{number}").parse().unwrap();
            machine.fake.add_volume(volume(), 100);
            machine.fake.add_snapshot(format!("dsnap-{number}").parse().unwrap(), volume(), 100);
        }
        machine
    }

    /// The number of snapshots that were created.
    pub(crate) fn created_snapshots(&self) -> usize {
        self.effects("create_snapshot")
    }

    /// The number of effects of an operation.
    pub(crate) fn effects(&self, operation: &str) -> usize {
        self.fake.effects().iter().filter(|effect| effect.operation == Some(operation)).count()
    }

    /// Writes a file into the working directory, and returns its name.
    pub(crate) fn file<'a>(&self, name: &'a str, content: impl AsRef<[u8]>) -> &'a str {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        name
    }

    /// Writes the list of the volumes with the numbers from 1 on as `list.txt`.
    pub(crate) fn list(&self, count: usize) {
        let lines: Vec<_> = (1..=count).map(|number| format!("vol-{number}")).collect();
        self.file("list.txt", lines.join("\n"));
    }

    /// Writes restores as `list.csv`.
    pub(crate) fn restores(&self, rows: &str) {
        self.file("list.csv", format!("name,snapshot,instance,device\n{rows}"));
    }

    /// The journals in the state directory, as paths from the working directory.
    pub(crate) fn journals(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path().join("state"));
        let names = entries.into_iter().flatten().map(|entry| entry.unwrap().file_name());
        let paths = names.map(|name| Path::new("state").join(name));
        let journals = paths.filter(|path| path.extension().is_some_and(|it| it == "jsonl"));
        let mut journals: Vec<_> = journals.map(|path| path.display().to_string()).collect();
        journals.sort();
        journals
    }

    /// The environment of the command.
    pub(crate) fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("DATAFY_ENDPOINT", self.fake.endpoint()),
            ("DATAFY_TOKEN", Fake::TOKEN.to_owned()),
            ("DATAFYCTL_STATE_DIR", self.directory.path().join("state").display().to_string()),
        ]
    }

    /// The command with the arguments of this line, for a test that talks to it while it runs.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        for variable in listed_variables() {
            command.env_remove(variable).env_remove(variable.to_ascii_lowercase());
        }
        command.args(words(line)).envs(self.variables()).current_dir(self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the command with the arguments of this line to its end.
    pub(crate) async fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[]).await
    }

    /// As [`run`](Self::run), with further variables, of which an empty value unsets one.
    pub(crate) async fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command(line);
        for (name, value) in variables {
            match *value {
                "" => command.env_remove(name),
                value => command.env(name, value),
            };
        }
        Ran::of(command).await
    }
}

/// Splits a line into words as a shell does, as far as the tests need it.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.trim().chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Ran {
    /// Runs a command to its end. The fake answers on the runtime of the test meanwhile.
    pub(crate) async fn of(mut command: Command) -> Self {
        Self::end(command.spawn().unwrap()).await
    }

    /// Waits for the end of a process.
    pub(crate) async fn end(child: Child) -> Self {
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
        let output = output.await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Fails unless the program ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Fails unless standard output contains this text.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.out.contains(text), "no {text:?} in stdout: {self}");
        self
    }

    /// Fails unless standard error contains this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "no {text:?} in stderr: {self}");
        self
    }

    /// The lines of standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\nstdout:\n{}\nstderr:\n{}", self.code, self.out, self.err)
    }
}
