//! The cost of a call, compared with careful hand-written code.
//!
//! `cargo bench -p datafy-tests` prints ratios to hand-written reqwest, since absolute times mean little on a
//! machine with other work. All contenders do the same work against the same server, in turns within one run.
//! CPU time and allocations are those of the calling thread; the server has another one.
#![allow(clippy::unwrap_used, missing_docs)]

mod contender;
mod server;

use allocation_counter::AllocationInfo;
use contender::{ByHand, Contender};
use cpu_time::{ProcessTime, ThreadTime};
use datafy_api_ext::{Datafy, DatafySnapshotId, DeviceName, InstanceId, VolumeId};
use futures_util::StreamExt;
use futures_util::stream;
use server::Server;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use tokio::runtime::Runtime;

/// How often all clients are created anew: where the buffers of a connection lie in memory favours one
/// contender or another.
const SITTINGS: usize = 9;
/// The number of rounds of a sitting. In each round every contender has a short turn, and another one begins.
const ROUNDS: usize = 15;

/// The cost of one call, as the mean over a turn.
#[derive(Clone, Copy, Default)]
struct Cost {
    wall: f64,
    cpu: f64,
    allocations: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo also runs benches as tests; there is nothing to test.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let plain = Server::start(None);
    if let [flag, name, items] = &arguments[..]
        && flag == "--memory"
    {
        return print_memory(&runtime, &plain, name, items.parse().unwrap());
    }
    if arguments.iter().any(|argument| argument == "jobs") {
        fleet(&runtime, &plain);
        memory();
        return;
    }
    compare(
        "one call after the other",
        &runtime,
        &plain,
        100,
        &async |contender: &Contender, calls| {
            for _ in 0..calls {
                contender.call().await;
            }
        },
    );
    compare(
        "64 calls at a time",
        &runtime,
        &plain,
        64 * 8,
        &async |contender: &Contender, calls| {
            let calls = stream::iter(0..calls).map(|_| contender.call());
            calls.buffer_unordered(64).collect::<()>().await;
        },
    );

    fleet(&runtime, &plain);
    memory();
    tls(&runtime);
    construction(&runtime);
}

/// Runs the contenders in turns of `calls` calls, and prints their costs.
fn compare(
    title: &str,
    runtime: &Runtime,
    server: &Server,
    calls: u32,
    turn: &impl AsyncFn(&Contender, u32),
) {
    let mut all = Vec::new();
    for _ in 0..SITTINGS {
        let contenders = Contender::all(server);
        let turn = |at: usize| measure(runtime, turn(&contenders[at], calls), calls);
        // The first turns open the connections, and are not counted.
        for at in 0..contenders.len() {
            let _ = turn(at);
        }
        all.extend(rounds(contenders.len(), turn));
    }
    print(title, &Contender::all(server), &all);
}

/// The costs of all turns, by round and contender. Each round has another order, since a turn leaves the caches and the
/// scheduler in a state that favours one contender or another as the next.
fn rounds(contenders: usize, mut turn: impl FnMut(usize) -> Cost) -> Vec<Vec<Cost>> {
    let mut order: Vec<usize> = (0..contenders).collect();
    let round = |_| {
        fastrand::shuffle(&mut order);
        let mut costs = vec![Cost::default(); contenders];
        for &at in &order {
            costs[at] = turn(at);
        }
        costs
    };
    (0..ROUNDS).map(round).collect()
}

/// Runs `work`, which makes `calls` calls, and returns the cost of one.
fn measure(runtime: &Runtime, work: impl Future<Output = ()>, calls: u32) -> Cost {
    let mut cost = Cost::default();
    let info = allocation_counter::measure(|| {
        let (wall, cpu) = (Instant::now(), ThreadTime::now());
        runtime.block_on(work);
        cost.cpu = cpu.elapsed().as_secs_f64() / f64::from(calls);
        cost.wall = wall.elapsed().as_secs_f64() / f64::from(calls);
    });
    cost.allocations = count(&info) / f64::from(calls);
    cost
}

#[allow(clippy::cast_precision_loss)]
fn count(info: &AllocationInfo) -> f64 {
    info.count_total as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median over all rounds of the ratio of two contenders' costs in the same round, in which the machine is
/// equally busy for both.
fn ratio(rounds: &[Vec<Cost>], at: usize, base: usize, of: fn(&Cost) -> f64) -> f64 {
    median(rounds.iter().map(|round| of(&round[at]) / of(&round[base])))
}

fn print(title: &str, contenders: &[Contender], rounds: &[Vec<Cost>]) {
    let base =
        contenders.iter().position(|contender| contender.name == contender::BY_HAND).unwrap();
    println!("\n{title}, as a ratio to hand-written reqwest");
    println!("| | wall time | CPU | allocations |\n|---|---|---|---|");
    for (at, contender) in contenders.iter().enumerate() {
        println!(
            "| {} | {:.2} | {:.2} | {:.0} |",
            contender.name,
            ratio(rounds, at, base, |cost| cost.wall),
            ratio(rounds, at, base, |cost| cost.cpu),
            median(rounds.iter().map(|round| round[at].allocations)),
        );
    }
}

fn ids(size: u32) -> impl Iterator<Item = VolumeId> + Send + 'static {
    (0..size).map(|number| VolumeId::new(format!("vol-{number:017x}")).unwrap())
}

async fn run_fleet(datafy: &Datafy, size: u32, journal: Option<&Path>) {
    let mut fleet = datafy.fleet_of_stream(stream::iter(ids(size))).concurrency(64);
    if let Some(path) = journal {
        fleet = fleet.journal(path);
    }
    let mut run = fleet
        .run(|datafy, id, _| datafy.volume(id).create_snapshot().description("nightly"))
        .await
        .unwrap();
    while let Some(finished) = run.next().await {
        finished.result.unwrap();
    }
}

async fn run_loop(by_hand: &ByHand, size: u32) {
    let calls = stream::iter(ids(size)).map(|id| by_hand.snapshot_of(id));
    calls.buffer_unordered(64).collect::<()>().await;
}

async fn run_restores(datafy: &Datafy, size: u32, journal: Option<&Path>) {
    let items = (0..size).map(|number| (number.to_string(), ()));
    let mut fleet = datafy.fleet_of_stream(stream::iter(items)).concurrency(64);
    if let Some(path) = journal {
        fleet = fleet.journal(path);
    }
    let mut run = fleet
        .run(|datafy, (number, ()), _| {
            let snapshot = DatafySnapshotId::new(format!("dsnap-{number}")).unwrap();
            let device = DeviceName::new(format!("sd{number}"));
            let instance = InstanceId::new("i-1");
            datafy.restore(snapshot, instance.unwrap(), device.unwrap())
        })
        .await
        .unwrap();
    while let Some(finished) = run.next().await {
        finished.result.unwrap();
    }
}

/// Compares a fleet, without and with a journal, with a hand-written loop, and measures its peak memory.
fn fleet(runtime: &Runtime, server: &Server) {
    // Short enough for both to run under the same load.
    const TURN: u32 = 1_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.jsonl");
    println!("\na fleet, as a ratio to a hand-written loop with `buffer_unordered`");
    println!("| | throughput | CPU of the calling thread | calls per second | allocations more |");
    println!("|---|---|---|---|---|");
    // Apart, since waiting for the disk would favour whoever comes next.
    for (name, journaled) in [("without a journal", false), ("with a journal", true)] {
        let mut all = Vec::new();
        for _ in 0..SITTINGS {
            let datafy = contender::datafy(server, false);
            let by_hand = contender::reqwest(server, false);
            let turn = |at: usize| match at {
                0 => {
                    let _ = std::fs::remove_file(&path);
                    measure(runtime, run_fleet(&datafy, TURN, journaled.then_some(&*path)), TURN)
                }
                _ => measure(runtime, run_loop(&by_hand, TURN), TURN),
            };
            turn(0);
            turn(1);
            all.extend(rounds(2, turn));
        }
        println!(
            "| {name} | {:.2} | {:.2} | {:.0} | {:.0} |",
            ratio(&all, 1, 0, |cost| cost.wall),
            ratio(&all, 0, 1, |cost| cost.cpu),
            1.0 / median(all.iter().map(|round| round[0].wall)),
            median(all.iter().map(|round| round[0].allocations - round[1].allocations)),
        );
    }
}

/// What a process does whose memory is measured, by the name of its only argument.
const MEASURED: [&str; 3] = ["snapshots", "restores", "restores with a journal"];

/// Replays a journal of a million restores that are done: reads it, and does nothing for each item.
const REPLAY: &str = "replay";

/// Measures the peak memory of fleets, each in a separate process.
fn memory() {
    println!("\npeak memory above the idle client, in KiB, 64 at a time");
    println!("| items | {} |\n|---|---|---|---|", MEASURED.join(" | "));
    for items in ["1000", "10000", "100000"] {
        let peaks: Vec<_> = MEASURED.iter().map(|name| in_process(name, items)).collect();
        println!("| {items} | {} |", peaks.join(" | "));
    }
    println!("\na journal of a million restores that are done: {}", in_process(REPLAY, "1000000"));
}

/// What another process prints that measures this.
fn in_process(name: &str, items: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args(["--memory", name, items]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Writes a journal of restores that are done, as a run does that does one after the other.
fn write_done(path: &Path, endpoint: &str, items: u32) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut number = 0;
    let mut line = |members: &str| {
        number += 1;
        let write = if number > 1 { format!(",\"write\":{number}") } else { String::new() };
        let line = format!(r#"{{"time":"2026-01-01T02:00:00.000000Z",{members}{write}"#);
        let crc = crc32fast::hash(line.as_bytes());
        writeln!(file, r#"{line},"crc":"{crc:08x}"}}"#).unwrap();
    };
    line(&format!(
        r#""journal":"datafy","version":2,"job":null,"operation":"restore","endpoint":"{endpoint}","sub_account":"{}","account":null"#,
        contender::ACCOUNT
    ));
    for item in 0..items {
        let (key, account) = (format!(r#""key":"{item}""#), contender::ACCOUNT);
        let create = format!(r#"{key},"operation":"create_volume_from_snapshots","event""#);
        let attach = format!(r#"{key},"operation":"attach_volume","event""#);
        let volume = format!("vol-{item:017x}");
        line(&format!(
            r#"{create}:"begin","subject":{{"snapshot":"dsnap-{item}","sub_account":"{account}"}}"#
        ));
        line(&format!(r#"{create}:"end","outcome":"applied","created_id":"{volume}""#));
        line(&format!(
            r#"{attach}:"begin","subject":{{"volume":"{volume}","instance":"i-1","device":"sd{item}","sub_account":"{account}"}}"#
        ));
        line(&format!(r#"{attach}:"end","outcome":"applied""#));
    }
}

/// Prints by how much the memory of this process grows at most. Allocations can't be counted: the thread that writes a
/// journal frees what another has allocated.
fn print_memory(runtime: &Runtime, server: &Server, name: &str, items: u32) {
    let value = |name: &str| -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    // In memory, if possible: a hundred thousand restores wait for a disk several thousand times.
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let journal = directory.path().join("journal.jsonl");
    let datafy = contender::datafy(server, false);
    if name == REPLAY {
        write_done(&journal, datafy.endpoint(), items);
    }
    runtime.block_on(run_fleet(&datafy, 1, None));
    let before = value("VmHWM:").unwrap_or_default();
    let begun = ProcessTime::now();
    match MEASURED.iter().position(|known| *known == name) {
        Some(0) => runtime.block_on(run_fleet(&datafy, items, None)),
        Some(1) => runtime.block_on(run_restores(&datafy, items, None)),
        _ => runtime.block_on(run_restores(&datafy, items, Some(&journal))),
    }
    let peak = value("VmHWM:").unwrap_or_default() - before;
    if name == REPLAY {
        println!("{:.1} s of CPU time, {} MiB", begun.elapsed().as_secs_f64(), peak / 1024);
    } else {
        println!("{peak}");
    }
}

/// Compares calls over TLS: the first call of a new client, and later ones.
fn tls(runtime: &Runtime) {
    let authority = server::Authority::new();
    let server = Server::start(Some(&authority));
    let contenders = Contender::all(&server);
    let first = rounds(contenders.len(), |at| {
        let fresh = Contender::all(&server).swap_remove(at);
        measure(runtime, fresh.call(), 1)
    });
    print("the first call over TLS", &contenders, &first);
    compare(
        "one call after the other over TLS",
        runtime,
        &server,
        100,
        &async |contender: &Contender, calls| {
            for _ in 0..calls {
                contender.call().await;
            }
        },
    );
}

/// Compares the construction of a client, with the platform's certificates.
fn construction(runtime: &Runtime) {
    let _entered = runtime.enter();
    let rounds = rounds(2, |at| {
        let begun = Instant::now();
        match at {
            0 => drop(Datafy::builder().token("token").build().unwrap()),
            _ => drop(contender::careful(reqwest::Client::builder()).build().unwrap()),
        }
        Cost { wall: begun.elapsed().as_secs_f64(), ..Cost::default() }
    });
    let ratio = ratio(&rounds, 0, 1, |cost| cost.wall);
    println!(
        "\nconstructing a client, as a ratio to reqwest\n| wall time |\n|---|\n| {ratio:.2} |"
    );
}
