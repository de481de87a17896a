//! The price of a call: what this client costs beside what a careful person would write by hand.
//!
//! `cargo bench -p datafy-tests` prints it as ratios to hand-written reqwest. All contenders do the same
//! work, against the same server, in the same run, and take turns: absolute times of a machine that
//! does other things too mean little. CPU and allocations are those of the thread that calls; the
//! server has its own.
#![allow(clippy::unwrap_used, missing_docs)]

mod contender;
mod server;

use allocation_counter::AllocationInfo;
use contender::Contender;
use cpu_time::ThreadTime;
use datafy_api_ext::{Datafy, VolumeId};
use futures_util::StreamExt;
use futures_util::stream;
use server::Server;
use std::time::Instant;
use tokio::runtime::Runtime;

/// How often all clients are made anew: a connection and its buffers lie where they lie, to the good of
/// one contender or another.
const SITTINGS: usize = 9;
/// How many rounds a sitting has. In each, every contender has a short turn, and another one begins.
const ROUNDS: usize = 15;

/// What one turn cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    wall: f64,
    cpu: f64,
    allocations: f64,
}

fn main() {
    // Cargo runs benches as tests, too; there is nothing to test.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let plain = Server::start(None);
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
    tls(&runtime);
    construction(&runtime);
}

/// Lets the contenders take turns of so many calls, and prints what came of it.
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
        // The first turns open the connections and are not counted.
        for at in 0..contenders.len() {
            let _ = turn(at);
        }
        all.extend(rounds(contenders.len(), turn));
    }
    print(title, &Contender::all(server), &all);
}

/// The costs of all turns, by round and contender. Each round begins with another contender, for who
/// follows whom matters to caches.
fn rounds(contenders: usize, mut turn: impl FnMut(usize) -> Cost) -> Vec<Vec<Cost>> {
    let round = |number: usize| {
        let mut costs = vec![Cost::default(); contenders];
        for at in 0..contenders {
            let at = (at + number) % contenders;
            costs[at] = turn(at);
        }
        costs
    };
    (0..ROUNDS).map(round).collect()
}

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

/// The median over the rounds of what a contender cost in a round, to what another did in the same: the
/// machine is as busy for both.
fn ratio(rounds: &[Vec<Cost>], at: usize, base: usize, of: fn(&Cost) -> f64) -> f64 {
    median(rounds.iter().map(|round| of(&round[at]) / of(&round[base])))
}

fn print(title: &str, contenders: &[Contender], rounds: &[Vec<Cost>]) {
    let base =
        contenders.iter().position(|contender| contender.name == contender::BY_HAND).unwrap();
    println!("\n{title}, to hand-written reqwest");
    println!("| | wall | CPU | allocations |\n|---|---|---|---|");
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

async fn run_fleet(datafy: &Datafy, size: u32) {
    let fleet = datafy.fleet(ids(size)).concurrency(64);
    let mut run =
        fleet.run(|volume| volume.create_snapshot().description("nightly")).await.unwrap();
    while let Some((_, result)) = run.next().await {
        result.unwrap();
    }
}

/// A fleet beside the loop that one would write, and what it holds in memory.
fn fleet(runtime: &Runtime, server: &Server) {
    // So many have a turn at a time, that both see the same machine.
    const TURN: u32 = 1_000;
    let mut all = Vec::new();
    for _ in 0..SITTINGS {
        let datafy = contender::datafy(server, false);
        let by_hand = contender::reqwest(server, false);
        let turn = |at: usize| match at {
            0 => measure(runtime, run_fleet(&datafy, TURN), TURN),
            _ => {
                let calls = stream::iter(ids(TURN)).map(|id| by_hand.snapshot_of(id));
                measure(runtime, calls.buffer_unordered(64).collect::<()>(), TURN)
            }
        };
        turn(0);
        turn(1);
        all.extend(rounds(2, turn));
    }
    println!("\na fleet, to a hand-written loop with `buffer_unordered`");
    println!("| throughput | CPU |\n|---|---|");
    let throughput = ratio(&all, 1, 0, |cost| cost.wall);
    println!("| {throughput:.2} | {:.2} |", ratio(&all, 0, 1, |cost| cost.cpu));

    println!("\npeak heap of a fleet above the idle client\n| volumes | KiB |\n|---|---|");
    let datafy = contender::datafy(server, false);
    for volumes in [1_000, 10_000, 100_000] {
        let info = allocation_counter::measure(|| runtime.block_on(run_fleet(&datafy, volumes)));
        println!("| {volumes} | {} |", info.bytes_max / 1024);
    }
}

/// Over TLS: the first call of a new client, and the later ones.
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

/// Constructing a client, with the platform's certificates.
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
    println!("\nconstructing a client, to reqwest\n| wall |\n|---|\n| {ratio:.2} |");
}
