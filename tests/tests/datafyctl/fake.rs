//! The fake as a server: `datafyctl fake`.

use crate::ctl::Machine;
use reqwest::Client;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, channel};

const GUIDE: &str = include_str!("../../../datafy-api-ext/guide/other_languages.md");

/// A running fake. Closing its standard input doesn't end it.
struct Server {
    child: Child,
    input: ChildStdin,
    states: std::io::Lines<BufReader<ChildStdout>>,
    requests: Receiver<String>,
    endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(machine: &Machine, scenario: Option<&str>) -> Self {
        let mut arguments = vec!["fake", "--listen", "127.0.0.1:0"];
        if let Some(scenario) = scenario {
            arguments.extend(["--scenario", scenario]);
        }
        let mut child =
            machine.command(&arguments).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let endpoint = first.strip_prefix("a fake Datafy listens at ").expect(&first).to_owned();
        let (sender, requests) = channel();
        std::thread::spawn(move || lines.for_each(|line| drop(sender.send(line.unwrap()))));
        let states = BufReader::new(child.stdout.take().unwrap()).lines();
        let input = child.stdin.take().unwrap();
        Self { child, input, states, requests, endpoint }
    }

    /// Asks for the state.
    fn state(&mut self) -> Value {
        self.input.write_all(b"\n").unwrap();
        self.next_state()
    }

    fn next_state(&mut self) -> Value {
        serde_json::from_str(&self.states.next().unwrap().unwrap()).unwrap()
    }

    /// Sends a request, and returns the status, `Retry-After` and the body.
    async fn send(&self, token: &str, path: &str, body: Value) -> (u16, String, String) {
        let url = format!("{}/api/v1/volumes/{path}", self.endpoint);
        let answer = Client::new().post(url).bearer_auth(token).json(&body).send().await.unwrap();
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status().as_u16(), retry_after, answer.text().await.unwrap())
    }
}

fn operations(state: &Value) -> Vec<&str> {
    let effects = state["effects"].as_array().unwrap();
    effects.iter().map(|effect| effect["operation"].as_str().unwrap()).collect()
}

/// The Nth block of a language in the guide.
fn block(language: &str, n: usize) -> &'static str {
    let begin = format!("\n```{language}\n");
    GUIDE.split(&begin).nth(n).unwrap().split("```").next().unwrap()
}

#[tokio::test]
async fn a_scenario_says_what_the_fake_holds_and_what_goes_wrong() {
    let machine = Machine::with_volumes(0).await;
    let scenario = machine.file(
        "all.yaml",
        "accounts:
  - token: another-token
    volumes: [{id: vol-1, size_gb: 8, managed: false}]
    snapshots: [{id: dsnap-1, volume: vol-1, volume_size_gb: 8}]
    instances: [i-1]
    hold_back_new_volumes: 1
  - {token: another-token, sub_account: sub-1}
faults: [{delay: 0.01}, {answer: {status: 429, headers: {retry-after: 7}, body: {message: no}}}]
",
    );
    let mut server = Server::start(&machine, Some(&scenario));
    let token = "another-token";
    let source = json!({ "source": { "datafySnapshotId": "dsnap-1" } });
    assert_eq!(server.send(token, "vol-1/create-snapshot", json!({})).await.0, 409);
    let throttled = server.send(token, "create-from-snapshots", source.clone()).await;
    assert_eq!(throttled, (429, "7".to_owned(), r#"{"message":"no"}"#.to_owned()));
    assert_eq!(server.send(token, "create-from-snapshots", source).await.0, 200);
    let place = json!({ "instanceId": "i-1", "deviceName": "/dev/sdb" });
    for status in [409, 200] {
        assert_eq!(
            server.send(token, "vol-00000000000000001/attach", place.clone()).await.0,
            status
        );
    }
    let state = server.state();
    assert_eq!(operations(&state), ["create_volume_from_snapshots", "attach_volume"]);
    assert_eq!(state["accounts"][1]["sub_account"], "sub-1");
    assert_eq!(state["requests"], 5);
    let lines: Vec<_> = (0..6).map(|_| server.requests.recv().unwrap()).collect();
    assert!(lines[1].starts_with("POST /api/v1/volumes/vol-1/create-snapshot"), "{lines:?}");
}

#[tokio::test]
async fn a_bad_scenario_is_refused_with_its_line() {
    let machine = Machine::with_volumes(0).await;
    let scenario = "accounts:\n  - token: t\n    volumes: [{id: vol-1, size: 8}]\n";
    let scenario = machine.file("bad.yaml", scenario);
    let ran =
        machine.run(&["fake", "--listen", "127.0.0.1:0", "--scenario", &scenario]).await.expect(1);
    ran.says("bad.yaml: unknown field").says("line 3, column 27");
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_prints_the_state_and_stops_the_fake() {
    for signal in ["-INT", "-TERM"] {
        let machine = Machine::with_volumes(0).await;
        let mut server = Server::start(&machine, None);
        // Without a scenario: the account, the volume and the instance of the guide's.
        let place = json!({ "instanceId": "i-09759c0bdec242294", "deviceName": "/dev/sdb" });
        server.send("fake-token", "vol-0b9176567fe16f0bc/attach", place).await;
        let pid = server.child.id().to_string();
        std::process::Command::new("kill").args([signal, &pid]).status().unwrap();
        assert_eq!(operations(&server.next_state()), ["attach_volume"]);
        assert!(server.child.wait().unwrap().success());
    }
}

/// Whether a program can be run. Panics if it can't and `CI` is set.
#[cfg(unix)]
fn can_run(program: &std::path::Path, install: &str) -> bool {
    let found = std::process::Command::new(program).arg("--version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "{} is missing", program.display());
    if !found {
        datafy_tests::note(format!("skipped: {} is not installed; `{install}`", program.display()));
    }
    found
}

#[cfg(unix)]
#[tokio::test]
async fn the_commands_of_the_guide_do_what_it_says() {
    if !can_run("curl".as_ref(), ". .ci/tools; . .ci/programs") {
        return;
    }
    let machine = Machine::with_volumes(0).await;
    let scenario = machine.file("scenario.yaml", block("yaml", 1));
    let mut server = Server::start(&machine, Some(&scenario));
    let commands = block("sh", 2).replace("http://127.0.0.1:8080", &server.endpoint);
    let output = std::process::Command::new("bash").args(["-c", &commands]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("curl: (56) Recv failure"), "{said}");
    let state = server.state();
    assert_eq!(
        operations(&state),
        ["create_snapshot", "create_snapshot", "create_volume_from_snapshots", "attach_volume"]
    );
    let account = &state["accounts"][0];
    assert_eq!(account["snapshots"][0]["description"], "nightly");
    assert_eq!(account["volumes"][0]["device"], "/dev/sdb");
    assert_eq!(state["requests"], 4);
}

/// Sends what openapi.yaml allows, and what it doesn't.
#[cfg(unix)]
#[tokio::test]
async fn the_fake_is_as_the_api_description_says() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let schemathesis = root.join("target/tools/schemathesis/bin/schemathesis");
    if !can_run(&schemathesis, ". .ci/tools; . .ci/programs") {
        return;
    }
    let machine = Machine::with_volumes(0).await;
    // Without faults, and with the sub-account that is the example in openapi.yaml.
    let scenario = block("yaml", 1).split("faults:").next().unwrap();
    let scenario = format!(
        "{scenario}  - token: fake-token
    sub_account: 1536356a-b26f-4feb-8cd5-56b54b6c51d2
    volumes: [{{id: vol-0b9176567fe16f0bc, size_gb: 100}}]
    instances: [i-09759c0bdec242294]
"
    );
    let scenario = machine.file("no-faults.yaml", scenario);
    let mut server = Server::start(&machine, Some(&scenario));
    let mut command = std::process::Command::new(schemathesis);
    command.arg("--config-file").arg(root.join(".ci/schemathesis.toml"));
    command.arg("run").arg(root.join("openapi.yaml")).args(["--url", &server.endpoint]);
    command.args(["--header", "Authorization: Bearer fake-token"]);
    // It writes to the current directory.
    command
        .args(["--generation-deterministic", "--no-color"])
        .current_dir(machine.directory.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let state = server.state();
    let mut done = operations(&state);
    done.sort_unstable();
    done.dedup();
    assert_eq!(
        done,
        [
            "attach_volume",
            "create_snapshot",
            "create_volume_from_snapshots",
            "deactivate_autoscaling"
        ]
    );
}
