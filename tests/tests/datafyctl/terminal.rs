//! What a person sees: the command in a real terminal.

use crate::ctl::{Machine, PROGRAM};
use datafy_api_ext::fake::Fault;
use datafy_tests::usable;
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
    /// Runs the command on the list in a new terminal, with these variables and arguments. `None` without tmux.
    fn run(machine: &Machine, variables: &str, arguments: &str) -> Option<Self> {
        if !usable(Command::new("tmux").arg("-V")) {
            return None;
        }
        let socket = machine.directory.path().join("tmux").to_str().unwrap().to_owned();
        let terminal = Self { socket };
        let own = machine.variables().map(|(name, value)| format!("{name}={value}")).join(" ");
        let list = machine.directory.path().join("list.txt").display().to_string();
        // Ctrl-C is for the command, and not for the shell.
        let line = format!(
            "trap : INT; env {own} {variables} {PROGRAM} snapshot --from {list} {arguments}; \
             echo \"ended with $?\"; exec sleep 600"
        );
        let new = ["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "sh", "-c"];
        terminal.tmux(&[&new[..], &[&*line]].concat());
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

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_and_colours_show_the_progress_and_no_color_turns_them_off() {
    for (variables, is_coloured) in [("", true), ("NO_COLOR=1", false)] {
        let machine = Machine::with_volumes(VOLUMES).await;
        machine.fake.inject_with(|_| Some(Fault::Delay(Duration::from_millis(50))));
        machine.list(VOLUMES);
        let Some(terminal) = Terminal::run(&machine, variables, "--concurrency 2") else { return };
        let screen = terminal.until(|screen| screen.contains("[###")).await;
        assert!(screen.contains(&format!("/{VOLUMES}, ")) && screen.contains(" left"), "{screen}");
        let screen = terminal.until(|screen| screen.contains("ended with 0")).await;
        assert!(!screen.contains("[#"), "the bar is gone: {screen}");
        let created = screen.lines().filter(|line| line.contains(": created dsnap-")).count();
        assert_eq!(created, VOLUMES, "{screen}");
        assert_eq!(screen.contains("\u{1b}[32m"), is_coloured, "{screen:?}");
    }
}
