//! `datafyctl fake`: a fake Datafy for programs in any language.

use crate::exit::{Exit, Result};
use crate::items::named;
use crate::plain::quoted;
use crate::print::Printer;
use crate::signals::Signals;
use clap::Args;
use datafy_api_ext::fake::{Fake, Fault};
use datafy_api_ext::{DatafySnapshotId, InstanceId, SubAccountId, VolumeId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::stdin;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Serve a fake Datafy, to try things out and to test programs
///
/// Each request is a line on standard error. Press Enter to print the state, as one line of JSON, on standard output;
/// Ctrl-C prints it, too, and stops the fake.
#[derive(Args)]
#[command(after_long_help = help())]
pub(crate) struct FakeServer {
    /// The address and the port; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// What the fake holds at first and what goes wrong, in YAML or JSON [default: the accounts of the example that --help
    /// shows, without faults]
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

fn help() -> String {
    format!(
        "Examples:
  datafyctl fake
  datafyctl fake --listen 127.0.0.1:0 --scenario scenario.yaml

  where scenario.yaml is
{DEFAULT}
    faults:
      - null               # the first request has no fault
      - apply_then_reset   # the second has its effect, and the answer is lost

  In another terminal:
    export DATAFY_ENDPOINT=http://127.0.0.1:8080 DATAFY_TOKEN=fake-token
    datafyctl snapshot vol-0b9176567fe16f0bc
    datafyctl restore dsnap-0c1 --to i-09759c0bdec242294:/dev/sdb"
    )
}

/// The scenario without `--scenario`, as the help shows it.
const DEFAULT: &str = "    accounts:
      - token: fake-token
        volumes: [{id: vol-0b9176567fe16f0bc, size_gb: 100}]
        snapshots: [{id: dsnap-0c1, volume: vol-0b9176567fe16f0bc, volume_size_gb: 100}]
        instances: [i-09759c0bdec242294]";

/// What the fake holds at first, and what goes wrong.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Scenario {
    accounts: Vec<AccountSetup>,
    /// Each request takes one; `null` is a request without a fault.
    faults: Vec<Option<Fault>>,
}

/// An account, or a sub-account of it. Several may have the same token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountSetup {
    token: String,
    sub_account: Option<SubAccountId>,
    #[serde(default)]
    volumes: Vec<VolumeSetup>,
    #[serde(default)]
    snapshots: Vec<SnapshotSetup>,
    #[serde(default)]
    instances: Vec<InstanceId>,
    /// How many attaches of each new volume are refused since it is not ready.
    #[serde(default)]
    hold_back_new_volumes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VolumeSetup {
    id: VolumeId,
    size_gb: i64,
    #[serde(default = "managed")]
    managed: bool,
}

fn managed() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotSetup {
    id: DatafySnapshotId,
    volume: VolumeId,
    volume_size_gb: i64,
}

pub(crate) async fn run(arguments: FakeServer, printer: &Printer) -> Result<Exit> {
    let FakeServer { listen, scenario } = arguments;
    let scenario = read(scenario.as_deref())?;
    let mut signals = Signals::listen()?;
    let fake = Fake::start_on(listen).await.map_err(|error| format!("{listen}: {error}"))?;
    let log = log(printer.clone());
    fake.on_request(move |request| drop(log.send(request.to_string())));
    let token = scenario.accounts.first().map(|account| account.token.clone());
    let accounts = set_up(&fake, scenario)?;
    let endpoint = fake.endpoint();
    printer.note(&format!("a fake Datafy listens at {endpoint}"));
    if let Some(token) = token {
        let token = quoted(&token);
        printer.note(&format!("use it: export DATAFY_ENDPOINT={endpoint} DATAFY_TOKEN={token}"));
    }
    printer.note("press Enter to print its state, Ctrl-C to stop it");

    let mut lines = lines();
    loop {
        let stop = tokio::select! {
            Some(()) = lines.recv() => false,
            () = signals.next() => true,
        };
        printer.json(&state(&fake, &accounts));
        if stop {
            return Ok(Exit::Done);
        }
    }
}

fn read(file: Option<&Path>) -> Result<Scenario> {
    let Some(file) = file else { return Ok(serde_saphyr::from_str(DEFAULT)?) };
    let text = std::fs::read_to_string(file).map_err(|error| named(file, error))?;
    // Otherwise `no` would be `false`.
    let options = serde_saphyr::options! { strict_booleans: true };
    Ok(serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| named(file, error.without_snippet()))?)
}

/// The accounts in the order of the scenario, each with its sub-account, if any.
type Accounts = Vec<(Option<SubAccountId>, Fake)>;

/// Fills the fake.
fn set_up(fake: &Fake, scenario: Scenario) -> Result<Accounts> {
    let mut accounts = Vec::new();
    let mut names = HashSet::new();
    for setup in scenario.accounts {
        if !names.insert((setup.token.clone(), setup.sub_account.clone())) {
            return Err("two accounts have the same token and sub-account".into());
        }
        let mut account = fake.with_token(&setup.token);
        if let Some(id) = &setup.sub_account {
            account = account.sub_account(id);
        }
        for VolumeSetup { id, size_gb, managed } in setup.volumes {
            if account.volume(&id).is_some() {
                return Err(format!("an account has the volume {id} twice").into());
            }
            if managed {
                account.add_volume(id, size_gb);
            } else {
                account.add_unmanaged_volume(id, size_gb);
            }
        }
        for SnapshotSetup { id, volume, volume_size_gb } in setup.snapshots {
            if account.snapshots().iter().any(|snapshot| snapshot.id == id) {
                return Err(format!("an account has the snapshot {id} twice").into());
            }
            account.add_snapshot(id, volume, volume_size_gb);
        }
        for id in setup.instances {
            account.add_instance(id);
        }
        account.hold_back_new_volumes(setup.hold_back_new_volumes);
        accounts.push((setup.sub_account, account));
    }
    for fault in scenario.faults {
        match fault {
            Some(fault) => fake.inject(fault),
            None => fake.inject_none(),
        }
    }
    Ok(accounts)
}

fn state(fake: &Fake, accounts: &Accounts) -> Value {
    let account = |(sub_account, account): &(Option<SubAccountId>, Fake)| {
        json!({
            "sub_account": sub_account,
            "volumes": account.volumes(),
            "snapshots": account.snapshots(),
        })
    };
    let accounts: Vec<_> = accounts.iter().map(account).collect();
    let requests = fake.requests();
    let effects = requests.iter().filter(|request| request.applied);
    let effects = effects.map(|it| json!({ "operation": it.operation, "volume": it.volume }));
    let effects: Vec<_> = effects.collect();
    json!({ "accounts": accounts, "effects": effects, "requests": requests.len() })
}

/// Prints lines. A thread does that, so that no request waits for a reader.
fn log(printer: Printer) -> std::sync::mpsc::Sender<String> {
    let (sender, lines) = std::sync::mpsc::channel::<String>();
    std::thread::spawn(move || {
        for line in lines {
            printer.note(&line);
        }
    });
    sender
}

/// The lines of standard input. A thread reads them: it doesn't keep the program from ending.
fn lines() -> mpsc::Receiver<()> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in stdin().lines() {
            if line.is_err() || sender.blocking_send(()).is_err() {
                return;
            }
        }
    });
    lines
}
