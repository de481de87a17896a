//! Serves a fake Datafy to programs in any language.
//!
//! `cargo run --example fake -- --listen 127.0.0.1:8080 --scenario FILE` starts it with what the file lists, in YAML or
//! JSON; the guide shows one. Each request is a line on standard error. Press Enter to print the state, as one line of
//! JSON, on standard output; Ctrl-C prints it too, and stops.

use datafy_api_ext::fake::{Account, Fake, Fault};
use datafy_api_ext::{DatafySnapshotId, InstanceId, SubAccountId, VolumeId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::error::Error;
use std::io::{Write, stderr, stdin, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use tokio::sync::mpsc;

/// The scenario without `--scenario`.
const DEFAULT: &str = "
accounts:
  - token: fake-token
    volumes: [{id: vol-0b9176567fe16f0bc, size_gb: 100}]
    instances: [i-09759c0bdec242294]
";

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

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (address, file) = arguments(std::env::args().skip(1))?;
    let scenario = read(file)?;
    let stopped = stopped()?;
    let fake = Fake::start_on(address).await.map_err(|error| format!("{address}: {error}"))?;
    let log = log();
    fake.on_request(move |request, answer, fault| {
        let answer = answer.map_or_else(|| "no answer".to_owned(), ToString::to_string);
        let fault = fault.map(|fault| format!(", with the fault {fault:?}")).unwrap_or_default();
        let _ = log.send(format!("{request} -> {answer}{fault}"));
    });
    let accounts = set_up(&fake, scenario)?;
    eprintln!("a fake Datafy listens at {}", fake.endpoint());
    eprintln!("press Enter to print its state, Ctrl-C to stop it");

    let mut lines = lines();
    let mut stopped = pin!(stopped);
    loop {
        let stop = tokio::select! {
            Some(()) = lines.recv() => false,
            () = &mut stopped => true,
        };
        writeln!(stdout(), "{}", state(&fake, &accounts))?;
        if stop {
            return Ok(());
        }
    }
}

fn arguments(
    mut arguments: impl Iterator<Item = String>,
) -> Result<(SocketAddr, Option<PathBuf>), Box<dyn Error>> {
    let (mut address, mut scenario) = ((Ipv4Addr::LOCALHOST, 8080).into(), None);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{flag} needs a value"));
        match flag.as_str() {
            "--listen" => {
                let value = value()?;
                address = value.parse().map_err(|_| {
                    format!("{value:?} is not an address and a port, such as 127.0.0.1:8080")
                })?;
            }
            "--scenario" => scenario = Some(value()?.into()),
            _ => {
                return Err(format!("unknown argument {flag}; give --listen and --scenario").into());
            }
        }
    }
    Ok((address, scenario))
}

fn read(file: Option<PathBuf>) -> Result<Scenario, Box<dyn Error>> {
    let Some(file) = file else { return Ok(serde_saphyr::from_str(DEFAULT)?) };
    let name = file.display();
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
    // Otherwise `no` would be `false`.
    let options = serde_saphyr::options! { strict_booleans: true };
    Ok(serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| format!("{name}: {}", error.without_snippet()))?)
}

/// The accounts in the order of the scenario, each with its sub-account, if any.
type Accounts = Vec<(Option<SubAccountId>, Account)>;

/// Fills the fake.
fn set_up(fake: &Fake, scenario: Scenario) -> Result<Accounts, String> {
    let mut accounts = Vec::new();
    let mut names = HashSet::new();
    for setup in scenario.accounts {
        if !names.insert((setup.token.clone(), setup.sub_account.clone())) {
            return Err("two accounts have the same token and sub-account".to_owned());
        }
        let mut account = fake.add_account(&setup.token);
        if let Some(id) = &setup.sub_account {
            account = account.sub_account(id);
        }
        for VolumeSetup { id, size_gb, managed } in setup.volumes {
            if account.volume(&id).is_some() {
                return Err(format!("an account has the volume {id} twice"));
            }
            if managed {
                account.add_volume(id, size_gb);
            } else {
                account.add_unmanaged_volume(id, size_gb);
            }
        }
        for SnapshotSetup { id, volume, volume_size_gb } in setup.snapshots {
            if account.snapshots().iter().any(|snapshot| snapshot.id == id) {
                return Err(format!("an account has the snapshot {id} twice"));
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
    let account = |(sub_account, account): &(Option<SubAccountId>, Account)| {
        json!({
            "sub_account": sub_account,
            "volumes": account.volumes(),
            "snapshots": account.snapshots(),
        })
    };
    let accounts: Vec<_> = accounts.iter().map(account).collect();
    json!({ "accounts": accounts, "effects": fake.effects(), "requests": fake.requests().len() })
}

/// Writes lines to standard error. A thread does that, so that nobody waits for a reader.
fn log() -> std::sync::mpsc::Sender<String> {
    let (sender, lines) = std::sync::mpsc::channel::<String>();
    std::thread::spawn(move || {
        for line in lines {
            let _ = writeln!(stderr(), "{line}");
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

/// Listens for Ctrl-C, and on Unix for SIGTERM. The future ends when one has come.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
