//! A whole fleet, side by side with a tool that only fires packets.
//!
//! Makes up tenants over the providers, serves their zones with Knot or NSD on loopback, and runs `zoneproof bulk` and
//! dnsperf in turn; then prints what each took, and the ratios. The run wants the server's program and `dnsperf` on this
//! host; any other tool that reads a list of names and types can be named as well.
//!
//! ```text
//! cargo bench --bench fleet -- [--tenants N] [--rounds N] [--server knot|nsd] [--massdns PATH] [--serve]
//! ```
//!
//! `--serve` runs nothing: it prints the commands and serves until its standard input ends, for a profiler.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a bench ends where it cannot run")]

mod clients;
mod table;
mod world;

use std::io::Read;
use std::path::PathBuf;

use clients::{Run, dnsperf, massdns, summary, zoneproof};
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
}

impl Options {
    /// Reads what was typed.
    fn read() -> Self {
        let mut options =
            Self { tenants: 10_000, rounds: 3, server: Software::Knot, massdns: None, serves_only: false };
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
                other => panic!("{other} is no option; see the head of benches/fleet/main.rs"),
            }
        }
        options
    }
}

fn main() {
    let options = Options::read();
    let missing = [options.server.program(), "dnsperf"].into_iter().find(|program| world::find(program).is_none());
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
    let mut runs: Vec<Run> = Vec::new();
    for _ in 0..options.rounds.max(1) {
        runs.push(dnsperf(&world));
        runs.extend(options.massdns.as_deref().map(|program| massdns(&world, program)));
        runs.push(zoneproof(&world, "zoneproof, all right", &world.right_rows));
        runs.push(summary(&world, "zoneproof, summary only", &world.right_rows));
        runs.push(zoneproof(&world, "zoneproof, a third wrong", &world.every_row));
    }
    table::print(&world, &runs);
}
