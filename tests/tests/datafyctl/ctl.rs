//! Runs the command.

use assert_cmd::Command;
use datafy_api_ext::fake::Fake;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

/// The built program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ctl");

/// The variables that the program reads.
const VARIABLES: [&str; 12] = [
    "DATAFY_TOKEN",
    "DATAFY_TOKEN_FILE",
    "DATAFY_ENDPOINT",
    "DATAFY_SUB_ACCOUNT_ID",
    "DATAFYCTL_STATE_DIR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "CLICOLOR",
];

/// A machine on which the command is run, with a fake service.
pub(crate) struct Machine {
    pub(crate) fake: Fake,
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
            let volume = format!("vol-{number}").parse().unwrap();
            machine.fake.add_volume(volume, 100);
            let volume = format!("vol-{number}").parse().unwrap();
            machine.fake.add_snapshot(format!("dsnap-{number}").parse().unwrap(), volume, 100);
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

    /// Writes a file, and returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Writes a list of volumes with these numbers, and returns its path.
    pub(crate) fn list(&self, numbers: std::ops::RangeInclusive<usize>) -> String {
        let lines: Vec<_> = numbers.map(|number| format!("vol-{number}")).collect();
        self.file("list.txt", lines.join("\n"))
    }

    /// Where the command keeps its journals.
    pub(crate) fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// The journals in the state directory.
    pub(crate) fn journals(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.state()) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned());
        let is_journal =
            |path: &String| Path::new(path).extension().is_some_and(|it| it == "jsonl");
        let mut journals: Vec<_> = paths.filter(is_journal).collect();
        journals.sort();
        journals
    }

    /// The environment of the command.
    pub(crate) fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("DATAFY_ENDPOINT", self.fake.endpoint()),
            ("DATAFY_TOKEN", Fake::TOKEN.to_owned()),
            ("DATAFYCTL_STATE_DIR", self.state().to_str().unwrap().to_owned()),
        ]
    }

    /// The command with these arguments, for a test that talks to it while it runs.
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(PROGRAM);
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command.args(arguments).envs(self.variables()).current_dir(self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[], "").await
    }

    /// As [`run`](Self::run), with further variables, of which an empty value unsets one, and an input.
    pub(crate) async fn run_with(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
        input: &str,
    ) -> Ran {
        let mut command = Command::from_std(self.command(arguments));
        for (name, value) in variables {
            if value.is_empty() {
                command.env_remove(name);
            } else {
                command.env(name, value);
            }
        }
        command.write_stdin(input);
        // The fake answers on the runtime of the test.
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Ran {
    /// Fails unless the program ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Fails unless standard output contains this text.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(
            self.out.contains(text),
            "no {text:?} in stdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
        self
    }

    /// Fails unless standard error contains this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.err.contains(text),
            "no {text:?} in stderr:\n{}\nstdout:\n{}",
            self.err,
            self.out
        );
        self
    }

    /// The lines of standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
        };
        self.out.lines().map(parse).collect()
    }
}
