//! The table of medians and ratios.

use std::time::Duration;

use crate::clients::{AS_MASSDNS, Least, MASSDNS, Run};
use crate::world::World;

/// Returns the middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns the median of one figure over the runs of one program.
fn median_of(runs: &[Run], what: &str, figure: impl Fn(&Run) -> f64) -> f64 {
    median(runs.iter().filter(|run| run.what == what).map(figure).collect())
}

/// Returns the microseconds of processor time that a question takes.
fn cpu_of_a_question(run: &Run) -> f64 {
    run.cpu.as_secs_f64() * 1e6 / precise(run.questions)
}

/// Turns a count into what can be divided by.
fn precise(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Prints one line for each program: the medians of its runs.
pub(crate) fn print(world: &World, runs: &[Run]) {
    let rounds = runs.iter().filter(|run| run.what == "dnsperf").count();
    let (server, rows) = (world.software.program(), world.every_row.domains);
    println!("{rows} tenants on {server}, medians of {rounds} rounds; CPU of the whole process");
    println!();
    println!(
        "| what | questions a domain | CPU a question | over dnsperf | CPU a domain | domains a second | peak memory |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let yardstick = median_of(runs, "dnsperf", cpu_of_a_question);
    let mut known: Vec<&str> = Vec::new();
    for run in runs {
        if known.contains(&run.what) {
            continue;
        }
        known.push(run.what);
        let of = |figure: &dyn Fn(&Run) -> f64| median_of(runs, run.what, figure);
        let cpu = of(&cpu_of_a_question);
        let memory = of(&|run| precise(run.peak_kib) / 1024.0);
        let start = format!("| {} |", run.what);
        let middle = format!("{cpu:.1} µs | {:.2} |", cpu / yardstick);
        if run.domains == 0 {
            println!("{start} | {middle} | | {memory:.0} MiB |");
            continue;
        }
        let questions = of(&|run| precise(run.questions) / precise(run.domains));
        let cpu_of_a_domain = of(&|run| run.cpu.as_secs_f64() * 1e6 / precise(run.domains));
        let pace = of(&|run| precise(run.domains) / run.wall.as_secs_f64());
        println!("{start} {questions:.1} | {middle} {cpu_of_a_domain:.0} µs | {pace:.0} | {memory:.0} MiB |");
    }
    println!();
    print_bound(runs, "zoneproof, all right");
    if known.contains(&MASSDNS) {
        print_beside_massdns(runs);
    }
}

/// Prints what ours takes over what massdns takes for the same records.
fn print_beside_massdns(runs: &[Run]) {
    let over = |figure: &dyn Fn(&Run) -> Duration| {
        let of = |what| median_of(runs, what, |run| figure(run).as_secs_f64());
        of(AS_MASSDNS) / of(MASSDNS)
    };
    println!(
        "{AS_MASSDNS}: {:.2} times the CPU and {:.2} times the wall time of massdns, which finds no way to the servers and \
         judges nothing",
        over(&|run| run.cpu),
        over(&|run| run.wall)
    );
}

/// Prints how many questions the domains of a program took, over what no check can do without.
fn print_bound(runs: &[Run], what: &str) {
    let over = |least: &dyn Fn(Least) -> u64| {
        let over = |run: &Run| run.least.map_or(f64::NAN, |all| precise(run.questions) / precise(least(all)));
        median_of(runs, what, over)
    };
    println!(
        "{what}: {:.3} times the questions of the bound, which is one referral and each record at each address; {:.3} times \
         with the policies above in it",
        over(&|least| least.records),
        over(&|least| least.records + least.policies)
    );
}

/// Prints one line for each size: what a domain costs as rows grow in number, on average over the runs of that size.
pub(crate) fn print_growth(runs: &[Run], sizes: &[usize]) {
    println!("| rows | runs | questions a domain | CPU a domain | over the first | peak memory |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut first = None;
    for size in sizes {
        let of_size: Vec<&Run> = runs.iter().filter(|run| usize::try_from(run.domains) == Ok(*size)).collect();
        let domains = precise(of_size.iter().map(|run| run.domains).sum());
        let questions = precise(of_size.iter().map(|run| run.questions).sum()) / domains;
        let cpu = of_size.iter().map(|run| run.cpu.as_secs_f64() * 1e6).sum::<f64>() / domains;
        let memory = precise(of_size.iter().map(|run| run.peak_kib).max().unwrap_or(0)) / 1024.0;
        let over = cpu / *first.get_or_insert(cpu);
        println!("| {size} | {} | {questions:.1} | {cpu:.0} µs | {over:.2} | {memory:.0} MiB |", of_size.len());
    }
}
