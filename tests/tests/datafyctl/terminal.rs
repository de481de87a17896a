//! What a person sees: the command in a real terminal.

use crate::ctl::{Machine, PROGRAM};
use datafy_api_ext::fake::Fault;
use std::process::Command;
use std::time::Duration;

/// A terminal, which tmux keeps.
struct Terminal {
    socket: String,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-S", &self.socket, "kill-server"]).output();
    }
}

impl Terminal {
    /// Runs a line of a shell in a new terminal. `None` without tmux.
    fn run(machine: &Machine, line: &str) -> Option<Self> {
        let installed = Command::new("tmux").arg("-V").output().is_ok();
        assert!(installed || std::env::var_os("CI").is_none(), "tmux is missing");
        if !installed {
            datafy_tests::note("skipped: tmux is not installed; `. .ci/tools; . .ci/programs`");
            return None;
        }
        let socket = machine.directory.path().join("tmux").to_str().unwrap().to_owned();
        let terminal = Self { socket };
        let variables: Vec<_> =
            machine.variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
        // Ctrl-C is for the command, and not for the shell.
        let line = format!(
            "trap : INT; env {} {line}; echo \"ended with $?\"; exec sleep 600",
            variables.join(" ")
        );
        let new =
            ["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "sh", "-c", &line];
        terminal.tmux(&new);
        Some(terminal)
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command
            .args(["-S", &self.socket])
            .args(arguments)
            .env_remove("TMUX")
            .env_remove("NO_COLOR");
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until the screen shows what is looked for, and returns it with its colours.
    async fn until(&self, condition: impl Fn(&str) -> bool) -> String {
        loop {
            let screen = self.tmux(&["capture-pane", "-p", "-e"]);
            if condition(&screen) {
                return screen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

const VOLUMES: usize = 20;

async fn machine() -> (Machine, String) {
    let machine = Machine::with_volumes(VOLUMES).await;
    machine.fake.inject_with(|_| Some(Fault::Delay(Duration::from_millis(50))));
    let list = machine.list(1..=VOLUMES);
    (machine, list)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_shows_the_progress_and_is_gone_at_the_end() {
    let (machine, list) = machine().await;
    let line = format!("{PROGRAM} snapshot --from {list} --concurrency 2");
    let Some(terminal) = Terminal::run(&machine, &line) else { return };
    let screen = terminal.until(|screen| screen.contains("[###")).await;
    assert!(screen.contains(&format!("/{VOLUMES}, ")) && screen.contains(" left"), "{screen}");
    let screen = terminal.until(|screen| screen.contains("ended with 0")).await;
    assert!(!screen.contains("[#"), "{screen}");
    let created = screen.lines().filter(|line| line.contains(": created dsnap-")).count();
    assert_eq!(created, VOLUMES, "{screen}");
    assert!(screen.contains("\u{1b}[32m"), "results are green: {screen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_coloured_if_no_color_is_set() {
    let (machine, list) = machine().await;
    let line = format!("NO_COLOR=1 {PROGRAM} snapshot --from {list}");
    let Some(terminal) = Terminal::run(&machine, &line) else { return };
    let screen = terminal.until(|screen| screen.contains("ended with 0")).await;
    assert!(!screen.contains('\u{1b}'), "{screen:?}");
    assert_eq!(machine.created_snapshots(), VOLUMES);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_typed_in_a_terminal_stops_the_run() {
    let (machine, list) = machine().await;
    let line = format!("{PROGRAM} snapshot --from {list} --concurrency 2");
    let Some(terminal) = Terminal::run(&machine, &line) else { return };
    terminal.until(|screen| screen.contains("[###")).await;
    terminal.tmux(&["send-keys", "C-c"]);
    let screen = terminal.until(|screen| screen.contains("ended with")).await;
    assert!(screen.contains("not attempted") && screen.contains("ended with 3"), "{screen}");
    assert!(machine.created_snapshots() < VOLUMES);
}
