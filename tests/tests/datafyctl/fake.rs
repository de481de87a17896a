//! The fake as a server: `datafyctl fake`.

use crate::ctl::Machine;
use datafy_tests::usable;
use reqwest::Client;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

const GUIDE: &str = include_str!("../../../datafy-api-ext/guide/other_languages.md");

/// A running fake. Closing its standard input doesn't end it.
struct Server {
    child: Child,
    input: ChildStdin,
    states: Lines<BufReader<ChildStdout>>,
    log: Lines<BufReader<ChildStderr>>,
    endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the fake with these further arguments.
    fn start(machine: &Machine, arguments: &str) -> Self {
        let mut command = machine.command(&format!("fake --listen 127.0.0.1:0 {arguments}"));
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = log.next().unwrap().unwrap();
        let endpoint = first.strip_prefix("a fake Datafy listens at ").expect(&first).to_owned();
        let states = BufReader::new(child.stdout.take().unwrap()).lines();
        let input = child.stdin.take().unwrap();
        Self { child, input, states, log, endpoint }
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
    async fn send(&self, token: &str, path: &str, body: &Value) -> (u16, String, String) {
        let url = format!("{}/api/v1/volumes/{path}", self.endpoint);
        let answer = Client::new().post(url).bearer_auth(token).json(body).send().await.unwrap();
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status().as_u16(), retry_after, answer.text().await.unwrap())
    }
}

fn operations(state: &Value) -> Vec<&str> {
    let effects = state["effects"].as_array().unwrap();
    effects.iter().map(|effect| effect["operation"].as_str().unwrap()).collect()
}

/// The Nth block of a language on the page.
fn block(language: &str, n: usize) -> &'static str {
    let begin = format!("\n```{language}\n");
    GUIDE.split(&begin).nth(n).unwrap().split("```").next().unwrap()
}

#[tokio::test]
async fn a_scenario_says_what_the_fake_holds_and_what_goes_wrong() {
    let machine = Machine::with_volumes(0).await;
    machine.file(
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
    let mut server = Server::start(&machine, "--scenario all.yaml");
    let (create, attach) = ("create-from-snapshots", "vol-00000000000000001/attach");
    let source = json!({ "source": { "datafySnapshotId": "dsnap-1" } });
    let place = json!({ "instanceId": "i-1", "deviceName": "/dev/sdb" });
    for (path, body, status, retry_after) in [
        ("vol-1/create-snapshot", &json!({}), 409, ""),
        (create, &source, 429, "7"),
        (create, &source, 200, ""),
        (attach, &place, 409, ""),
        (attach, &place, 200, ""),
    ] {
        let (sent, waits, text) = server.send("another-token", path, body).await;
        assert_eq!((sent, &*waits), (status, retry_after), "{text}");
        assert!(status != 429 || text == r#"{"message":"no"}"#, "{text}");
    }
    let state = server.state();
    assert_eq!(operations(&state), ["create_volume_from_snapshots", "attach_volume"]);
    assert_eq!(state["accounts"][1]["sub_account"], "sub-1");
    assert_eq!(state["requests"], 5);
    let usage = server.log.next().unwrap().unwrap();
    let endpoint = &server.endpoint;
    let expected = format!("use it: export DATAFY_ENDPOINT={endpoint} DATAFY_TOKEN=another-token");
    assert_eq!(usage, expected);
    let logged = server.log.nth(1).unwrap().unwrap();
    assert!(logged.starts_with("POST /api/v1/volumes/vol-1/create-snapshot"), "{logged}");
}

#[tokio::test]
async fn the_commands_of_the_readme_run_on_the_fake() {
    let machine = Machine::with_volumes(0).await;
    let server = Server::start(&machine, "");
    let variables = [("DATAFY_ENDPOINT", &*server.endpoint)];
    let readme = include_str!("../../../README.md");
    let commands = readme.lines().filter_map(|line| line.strip_prefix("datafyctl "));
    let commands: Vec<_> = commands.filter(|line| !line.starts_with("fake")).collect();
    assert!(!commands.is_empty());
    for command in commands {
        let line = command.split('#').next().unwrap().replace(" --plan", "");
        machine.run_with(&line, &variables).await.expect(0);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_prints_the_state_and_stops_the_fake() {
    for signal in ["-INT", "-TERM"] {
        let machine = Machine::with_volumes(0).await;
        let mut server = Server::start(&machine, "");
        // Without a scenario: the account, the volume and the instance of the guide's.
        let place = json!({ "instanceId": "i-09759c0bdec242294", "deviceName": "/dev/sdb" });
        server.send("fake-token", "vol-0b9176567fe16f0bc/attach", &place).await;
        let pid = server.child.id().to_string();
        Command::new("kill").args([signal, &pid]).status().unwrap();
        assert_eq!(operations(&server.next_state()), ["attach_volume"]);
        assert!(server.child.wait().unwrap().success());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_commands_of_the_guide_do_what_it_says() {
    if !usable(Command::new("curl").arg("--version")) {
        return;
    }
    let machine = Machine::with_volumes(0).await;
    machine.file("scenario.yaml", block("yaml", 1));
    let mut server = Server::start(&machine, "--scenario scenario.yaml");
    let commands = block("sh", 2).replace("http://127.0.0.1:8080", &server.endpoint);
    let output = Command::new("bash").args(["-c", &commands]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("curl: (56) Recv failure"), "{said}");
    let state = server.state();
    let create = "create_snapshot";
    let expected = [create, create, "create_volume_from_snapshots", "attach_volume"];
    assert_eq!(operations(&state), expected);
    let account = &state["accounts"][0];
    assert_eq!(account["snapshots"][0]["description"], "nightly");
    assert_eq!(account["volumes"][0]["device"], "/dev/sdb");
    assert_eq!(state["requests"], 4);
}

/// Settings of schemathesis. openapi.yaml documents no refusals, as the page. The fake refuses what doesn't exist, and
/// what the documented operations can't set.
#[cfg(unix)]
const SCHEMATHESIS: &str = r#"
checks.status_code_conformance.enabled = false
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 403, 404, 409]
generation.max-examples = 30
"#;

/// Sends what openapi.yaml allows, and what it doesn't.
#[cfg(unix)]
#[tokio::test]
async fn the_fake_is_as_the_api_description_says() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let schemathesis = root.join("target/tools/schemathesis/bin/schemathesis");
    if !usable(Command::new(&schemathesis).arg("--version")) {
        return;
    }
    let machine = Machine::with_volumes(0).await;
    // Without faults, and with the sub-account that is the example in openapi.yaml.
    let scenario = block("yaml", 1).split("faults:").next().unwrap();
    let account = scenario.strip_prefix("accounts:\n").unwrap();
    let sub_account = "    sub_account: 1536356a-b26f-4feb-8cd5-56b54b6c51d2\n";
    machine.file("scenario.yaml", format!("{scenario}{account}{sub_account}"));
    machine.file("schemathesis.toml", SCHEMATHESIS);
    let mut server = Server::start(&machine, "--scenario scenario.yaml");
    let mut command = Command::new(schemathesis);
    // It writes to the current directory.
    command.current_dir(machine.directory.path());
    command.args(["--config-file", "schemathesis.toml", "run", "--url", &server.endpoint]);
    command.args(["--header", "Authorization: Bearer fake-token", "--generation-deterministic"]);
    let output = command.arg("--no-color").arg(root.join("openapi.yaml")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let state = server.state();
    for operation in datafy_api_ext::datafy_api::operations::ALL {
        assert!(operations(&state).contains(&operation.name), "{}", operation.name);
    }
}
