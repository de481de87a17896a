//! What a person sees: the command in a real terminal.

use crate::ctl::{Machine, PROGRAM, Ran};
use datafy_api_ext::fake::Fault;
use regex::Regex;
use std::process::{Command, Stdio};
use std::time::Duration;

const VOLUMES: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_shows_the_progress_until_the_end_and_no_color_turns_colours_off() {
    // Bold, a colour or none.
    let style = Regex::new(r"\x1b\[[0-9;]*m").unwrap();
    for (no_color, is_coloured) in [("", true), ("export NO_COLOR=1; ", false)] {
        let machine = Machine::with_volumes(VOLUMES).await;
        machine.fake.inject_with(|_| Some(Fault::Delay(Duration::from_millis(50))));
        machine.list(VOLUMES);
        let run = format!("{PROGRAM} snapshot --from list.txt --concurrency 2");
        let line = format!(
            "stty cols 120 rows 40; export TERM=xterm; {no_color}{run} && {PROGRAM} --help"
        );
        // It runs the line in a terminal, and copies what is shown there.
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).envs(machine.variables()).env_remove("NO_COLOR");
        script.current_dir(machine.directory.path());
        script.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shown = Ran::of(script).await.expect(0).out;
        let bar = format!("/{VOLUMES}, ");
        assert!(
            shown.contains("[###") && shown.contains(&bar) && shown.contains(" left"),
            "{shown}"
        );
        assert_eq!(shown.matches(": created dsnap-").count(), VOLUMES, "{shown}");
        // What is left of each line, after it was erased.
        let mut lines = shown.lines().filter_map(|line| line.rsplit("\u{1b}[2K").next());
        assert!(!lines.any(|line| line.contains("[###")), "{shown:?}");
        assert_eq!(style.is_match(&shown), is_coloured, "{shown:?}");
    }
}
