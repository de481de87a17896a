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
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// How often each contender has its turn. The median of the turns is what counts.
const TURNS: usize = 25;

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
    let contenders = Contender::all(&plain);

    let one = compare(&runtime, &contenders, 400, |contender| async move {
        for _ in 0..400 {
            contender.call().await;
        }
    });
    print("one call after the other", &contenders, &one);

    let many = compare(&runtime, &contenders, 64 * 30, |contender| async move {
        let calls = stream::iter(0..64).map(|_| async {
            for _ in 0..30 {
                contender.call().await;
            }
        });
        calls.buffer_unordered(64).collect::<()>().await;
    });
    print("64 calls at a time", &contenders, &many);

    fleet(&runtime, &plain);
    tls(&runtime);
    construction(&runtime);
}

/// Lets the contenders take turns; `turn` makes `calls` calls.
fn compare<'a, F: Future<Output = ()>>(
    runtime: &Runtime,
    contenders: &'a [Contender],
    calls: u32,
    turn: impl Fn(&'a Contender) -> F,
) -> Vec<Cost> {
    let mut costs = vec![Vec::new(); contenders.len()];
    // The first round opens the connections and is not counted.
    for round in 0..=TURNS {
        for (contender, costs) in contenders.iter().zip(&mut costs) {
            let cost = measure(runtime, turn(contender), calls);
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    costs.iter().map(|costs| median(costs)).collect()
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

fn median(costs: &[Cost]) -> Cost {
    let of = |field: fn(&Cost) -> f64| {
        let mut values: Vec<f64> = costs.iter().map(field).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Cost {
        wall: of(|cost| cost.wall),
        cpu: of(|cost| cost.cpu),
        allocations: of(|cost| cost.allocations),
    }
}

fn print(title: &str, contenders: &[Contender], costs: &[Cost]) {
    let by_hand =
        contenders.iter().position(|contender| contender.name == contender::BY_HAND).unwrap();
    let base = costs[by_hand];
    println!("\n{title}, to hand-written reqwest");
    println!("| | wall | CPU | allocations |\n|---|---|---|---|");
    for (contender, cost) in contenders.iter().zip(costs) {
        println!(
            "| {} | {:.2} | {:.2} | {:.0} |",
            contender.name,
            cost.wall / base.wall,
            cost.cpu / base.cpu,
            cost.allocations
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
    const VOLUMES: u32 = 10_000;
    let datafy = contender::datafy(server);
    let by_hand = contender::reqwest(server);
    let (mut fleets, mut loops) = (Vec::new(), Vec::new());
    for round in 0..8 {
        let fleet = measure(runtime, run_fleet(&datafy, VOLUMES), VOLUMES);
        let calls = stream::iter(ids(VOLUMES)).map(|id| by_hand.snapshot_of(id));
        let by_hand = measure(runtime, calls.buffer_unordered(64).collect::<()>(), VOLUMES);
        if round > 0 {
            fleets.push(fleet);
            loops.push(by_hand);
        }
    }
    let (fleet, by_hand) = (median(&fleets), median(&loops));
    println!("\na fleet of {VOLUMES}, to a hand-written loop with `buffer_unordered`");
    println!("| throughput | CPU |\n|---|---|");
    println!("| {:.2} | {:.2} |", by_hand.wall / fleet.wall, fleet.cpu / by_hand.cpu);

    println!("\npeak heap of a fleet above the idle client\n| volumes | KiB |\n|---|---|");
    for volumes in [1_000, 10_000, 100_000] {
        let info = allocation_counter::measure(|| runtime.block_on(run_fleet(&datafy, volumes)));
        println!("| {volumes} | {} |", info.bytes_max / 1024);
    }
}

/// Over TLS: the first call of a new client, and the later ones.
fn tls(runtime: &Runtime) {
    let authority = server::Authority::new();
    let server = Server::start(Some(&authority));
    let (mut first, mut contenders) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        contenders = Contender::all(&server);
        let costs: Vec<_> =
            contenders.iter().map(|contender| measure(runtime, contender.call(), 1)).collect();
        first.push(costs);
    }
    let medians: Vec<_> = (0..contenders.len())
        .map(|at| median(&first.iter().map(|costs| costs[at]).collect::<Vec<_>>()))
        .collect();
    print("the first call over TLS", &contenders, &medians);
    let steady = compare(runtime, &contenders, 400, |contender| async move {
        for _ in 0..400 {
            contender.call().await;
        }
    });
    print("one call after the other over TLS", &contenders, &steady);
}

/// Constructing a client, with the platform's certificates.
fn construction(runtime: &Runtime) {
    let _entered = runtime.enter();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bare.push(timed(|| drop(contender::careful(reqwest::Client::builder()).build().unwrap())));
        ours.push(timed(|| drop(Datafy::builder().token("token").build().unwrap())));
    }
    ours.sort();
    bare.sort();
    let ratio = ours[TURNS / 2].as_secs_f64() / bare[TURNS / 2].as_secs_f64();
    println!("\nconstructing a client, to reqwest\n| wall |\n|---|\n| {ratio:.2} |");
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}
