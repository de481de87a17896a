//! What a person sees: the command in a real terminal.

use crate::ctl::{Machine, PROGRAM, Ran};
use datafy_api_ext::fake::Fault;
use std::process::{Command, Stdio};
use std::time::Duration;

const VOLUMES: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_and_colours_show_the_progress_and_no_color_turns_them_off() {
    for (no_color, is_coloured) in [("", true), ("NO_COLOR=1", false)] {
        let machine = Machine::with_volumes(VOLUMES).await;
        machine.fake.inject_with(|_| Some(Fault::Delay(Duration::from_millis(50))));
        machine.list(VOLUMES);
        let run = format!("{PROGRAM} snapshot --from list.txt --concurrency 2");
        let line = format!("stty cols 120 rows 40; env TERM=xterm {no_color} {run}");
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
        assert_eq!(shown.contains("\u{1b}[32m"), is_coloured, "{shown:?}");
    }
}
