//! A whole fleet, side by side with a tool that only fires packets.
//!
//! Makes up tenants over the providers, serves their zones with Knot or NSD on loopback, and runs `zoneproof bulk` and
//! dnsperf in turn; then prints what each took, and the ratios. The run wants the server's program and `dnsperf` on this
//! host. Where massdns is named, it asks every server about the records of those domains whose servers all answer, and
//! `zoneproof bulk` does the same: that is where wall times can be compared, since no one waits for the silent.
//!
//! ```text
//! cargo bench --profile dist --bench fleet -- [--tenants N] [--rounds N] [--server knot|nsd] [--massdns PATH] [--serve] [--latency]
//!     [--growth ROWS,ROWS,...]
//! ```
//!
//! `--latency` measures one domain instead, with servers at distances of 5 to 60 ms: over the time that the network alone
//! takes, without sockets by a clock that is paused and then on sockets; with one question of a hundred lost, and beside
//! dead servers. `--growth` runs over so many rows, a hundred tenants a zone, which NSD serves, there and back over the
//! sizes, short runs several times, and prints what a domain costs and the most memory that was held.
//! `--serve` runs nothing: it prints the commands and serves until its standard input ends, for a profiler.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench ends where it cannot run"
)]

mod bound;
mod clients;
mod forwarder;
mod latency;
#[path = "../store/world.rs"]
mod many;
mod table;
mod world;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use clients::{AS_MASSDNS, Answered, Run, dnsperf, few_at_once, summary, zoneproof};
use forwarder::Forwarder;
use world::{Software, World};

/// What was typed.
struct Options {
    /// How many tenants there are.
    tenants: usize,
    /// How often every program runs.
    rounds: usize,
    /// Who serves the zones.
    server: Software,
    /// Where massdns is, which no package registry has.
    massdns: Option<PathBuf>,
    /// Whether the zones are only served.
    serves_only: bool,
    /// Whether one domain is measured, far from its servers.
    is_latency: bool,
    /// Over how many rows to run, the fewest first; none leaves it out.
    growth: Vec<usize>,
}

impl Options {
    /// Reads what was typed.
    fn read() -> Self {
        let mut options = Self {
            tenants: 10_000,
            rounds: 3,
            server: Software::Knot,
            massdns: None,
            serves_only: false,
            is_latency: false,
            growth: Vec::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} wants a value"));
            match word.as_str() {
                // What cargo says to every bench.
                "--bench" => {}
                "--tenants" => options.tenants = value().parse().unwrap(),
                "--rounds" => options.rounds = value().parse().unwrap(),
                "--server" => options.server = Software::from_word(&value()),
                "--massdns" => options.massdns = Some(value().into()),
                "--serve" => options.serves_only = true,
                "--latency" => options.is_latency = true,
                "--growth" => {
                    let sizes: BTreeSet<usize> = value().split(',').map(|rows| rows.parse().unwrap()).collect();
                    options.growth = sizes.into_iter().collect();
                }
                other => panic!("{other} is no option; see the head of benches/fleet/main.rs"),
            }
        }
        options
    }
}

fn main() {
    let options = Options::read();
    if let Some(most) = options.growth.last() {
        print_growth(*most, &options.growth);
        return;
    }
    let wanted = [Some(options.server.program()), (!options.is_latency).then_some("dnsperf")];
    let missing = wanted.into_iter().flatten().find(|program| world::find(program).is_none());
    if let Some(program) = missing {
        println!("fleet: left out, since {program} is not installed");
        return;
    }
    let world = World::start(options.server, options.tenants);
    if options.serves_only {
        println!("{:?}", clients::bulk_command(&world, &world.every_row));
        println!("{:?}", clients::bulk_command(&world, &world.right_rows));
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        return;
    }
    if options.is_latency {
        let runtime = |is_paused: bool| {
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(is_paused).build().unwrap()
        };
        runtime(true).block_on(latency::print_by_paused_clock(&world));
        let port = world::free_port(&world.addresses);
        let forwarder = Forwarder::start(&world.addresses, world.port, port);
        runtime(false).block_on(latency::print(&world, &forwarder));
        return;
    }
    let massdns = options.massdns.as_deref().map(|program| (program, Answered::read(&world)));
    let mut runs: Vec<Run> = Vec::new();
    for _ in 0..options.rounds.max(1) {
        runs.push(dnsperf(&world));
        if let Some((program, answered)) = &massdns {
            runs.push(clients::massdns(&world, program, answered));
            runs.push(zoneproof(&world, AS_MASSDNS, &answered.rows));
        }
        runs.push(zoneproof(&world, "zoneproof, all right", &world.right_rows));
        runs.push(few_at_once(&world, "zoneproof, 30 at once", &world.right_rows));
        runs.push(summary(&world, "zoneproof, summary only", &world.right_rows));
        runs.push(zoneproof(&world, "zoneproof, a third wrong", &world.every_row));
    }
    table::print(&world, &runs);
}

/// Over how many rows the runs of one size go at least, where they are not more than [`MOST_RUNS`]: a short one says little.
const LEAST_ROWS: usize = 100_000;
/// How many runs of one size follow each other at most.
const MOST_RUNS: usize = 10;

/// Runs over so many rows of many, there and back, and prints what each size took: where the machine grows slower or
/// faster meanwhile, the shorter runs have half of it on each side of the longest.
fn print_growth(most: usize, sizes: &[usize]) {
    let Some(world) = many::World::start(most) else {
        println!("fleet: left out, since nsd is not installed");
        return;
    };
    println!("{most} tenants on nsd, a hundred a zone, {} of them right", world.right);
    println!();
    let runs_of = |rows: &usize| std::iter::repeat_n(*rows, (LEAST_ROWS / rows).clamp(1, MOST_RUNS));
    let there_and_back = sizes.iter().chain(sizes.iter().rev().skip(1));
    let runs: Vec<Run> = there_and_back.flat_map(runs_of).map(|rows| clients::growth(&world, rows)).collect();
    table::print_growth(&runs, sizes);
}
