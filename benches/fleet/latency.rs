//! What a check takes where servers are far away: over the bound, with loss, and beside dead servers.
//!
//! The bound of a domain is what the network alone takes: the fastest server of each zone that has to be asked for the
//! way, one after the other, and then the slowest of all that are asked for the records.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, Instant};

use futures::StreamExt;
use zoneproof::check::Checker;
use zoneproof::config::DEFAULT_CONCURRENCY;
use zoneproof::dns::message::encode_query;
use zoneproof::dns::name::Name;
use zoneproof::dns::public_suffix::is_registry;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::expectation::Expectation;
use zoneproof::findings::Code;
use zoneproof::report::Report;
use zoneproof::transport::pace::PaceLimits;

use crate::forwarder::{Forwarder, rtt_of};
use crate::table::median;
use crate::world::World;

/// How many domains are checked one by one, at each distance.
const SAMPLE: usize = 200;
/// How many of ten thousand questions are lost where some are.
const LOSS: u32 = 100;

/// How one check went.
struct Timed {
    /// How long it took.
    took: Duration,
    /// What it came to.
    report: Report,
}

impl Timed {
    /// Returns all addresses that were asked for the records.
    fn asked(&self) -> BTreeSet<IpAddr> {
        self.report.records.iter().flat_map(|record| &record.servers).map(|server| server.address).collect()
    }

    /// Returns how many questions no check can do without, the way to the zone left out.
    fn least_questions(&self) -> usize {
        self.report.records.iter().map(|record| record.servers.len()).sum()
    }

    /// Returns the questions beside those for the records.
    fn others(&self) -> usize {
        usize::try_from(self.report.cost.questions).unwrap().saturating_sub(self.least_questions())
    }

    /// Says whether the policy of a domain above was looked for.
    fn is_inheriting(&self) -> bool {
        self.report.findings.iter().any(|finding| finding.code == Code::DmarcInherited)
    }

    /// Returns the fastest server of each registry on the way, the root first.
    fn registries(&self) -> Vec<Duration> {
        let zones = self.report.delegation.iter().filter(|zone| is_registry(&Name::parse(&zone.zone).unwrap()));
        let fastest = |servers: BTreeSet<IpAddr>| servers.into_iter().map(rtt_of).min().unwrap_or_default();
        zones.map(|zone| fastest(zone.servers.iter().flat_map(|server| server.addresses.clone()).collect())).collect()
    }

    /// Returns the time over the bound, with the last so many registries on the way asked.
    fn over(&self, registries_asked: usize) -> f64 {
        let registries = self.registries();
        let way: Duration = registries.iter().rev().take(registries_asked).sum();
        let slowest = self.asked().into_iter().map(rtt_of).max().unwrap_or_default();
        self.took.as_secs_f64() / (way + slowest).as_secs_f64()
    }
}

/// Makes a checker that knows nothing yet and asks as fast as it can.
fn checker(world: &World, forwarder: &Forwarder) -> Checker {
    paced_checker(world, forwarder, PaceLimits { per_second_in_all: 0, ..PaceLimits::default() }.with_per_server(0))
}

/// Makes a checker that knows nothing yet.
fn paced_checker(world: &World, forwarder: &Forwarder, limits: PaceLimits) -> Checker {
    let builder = Checker::builder().root_hints(world.roots.clone()).dns_port(forwarder.port);
    builder.allow_special_addresses(true).ipv6(false).pace(limits).build().unwrap()
}

/// Checks one domain and looks at the clock.
async fn timed(checker: &Checker, expectation: &Expectation) -> Timed {
    let started = Instant::now();
    let report = checker.check(expectation).await;
    Timed { took: started.elapsed(), report }
}

/// Asks some servers one question each without zoneproof, and returns the time over the round-trip time: what this host
/// and the forwarder add to the network.
fn plain_questions(world: &World, forwarder: &Forwarder) -> Vec<f64> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let ask = |address: &IpAddr| {
        let query = encode_query(rand::random(), &Question::new(Name::root(), RecordType::SOA), 0, None);
        let started = Instant::now();
        socket.send_to(&query, (*address, forwarder.port)).unwrap();
        socket.recv(&mut [0; 4096]).ok()?;
        Some(started.elapsed().as_secs_f64() / rtt_of(*address).as_secs_f64())
    };
    world.addresses.iter().filter_map(ask).collect()
}

/// Returns what stands so far up in the sorted list, 0 to 1.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let nth = (1..=values.len()).find(|nth| as_f64(*nth) >= share * as_f64(values.len())).unwrap_or(1);
    values.get(nth - 1).copied().unwrap_or(f64::NAN)
}

/// Turns a count into what can be divided by.
fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Prints a line of the table: how much longer than the bound checks took.
fn print_ratios(what: &str, ratios: &[f64]) {
    let (middle, high) = (median(ratios.to_vec()), quantile(ratios.to_vec(), 0.9));
    println!("| {what} | {} | {middle:.2} | {high:.2} |", ratios.len());
}

/// Measures and prints all of it.
pub(crate) async fn print(world: &World, forwarder: &Forwarder) {
    let sample: Vec<&Expectation> = world.right.iter().take(SAMPLE).collect();
    println!("| over the bound | domains | median | p90 |");
    println!("| --- | ---: | ---: | ---: |");
    print_ratios("one question of a plain socket", &plain_questions(world, forwarder));
    let mut cold: Vec<Timed> = Vec::new();
    for expectation in &sample {
        cold.push(timed(&checker(world, forwarder), expectation).await);
    }
    // Beside the records' own questions there are one or two for each zone on the way; a server without glue, and a
    // domain without a policy of its own, take a way of their own.
    let ratios = |is_meant: &dyn Fn(&Timed) -> bool| -> Vec<f64> {
        cold.iter().filter(|one| is_meant(one)).map(|one| one.over(usize::MAX)).collect()
    };
    let is_straight = |one: &Timed| !one.is_inheriting() && one.others() <= 2 * one.registries().len();
    print_ratios("nothing known, servers with glue", &ratios(&is_straight));
    print_ratios("nothing known, servers to be looked up", &ratios(&|one| !is_straight(one) && !one.is_inheriting()));
    print_ratios("nothing known, a policy above", &ratios(&|one| !is_straight(one) && one.is_inheriting()));
    let known = checker(world, forwarder);
    let mut warm: Vec<Timed> = Vec::new();
    for expectation in &sample {
        warm.push(timed(&known, expectation).await);
    }
    let straight: Vec<f64> = warm.iter().filter(|one| one.others() <= 1).map(|one| one.over(one.others())).collect();
    print_ratios("root, registries and providers known", &straight);
    println!();
    print_loss(&known, &sample, &warm, forwarder).await;
    print_dead(world, forwarder).await;
}

/// Measures what it takes where one question of a hundred is lost, and that nothing comes out other than without.
async fn print_loss(known: &Checker, sample: &[&Expectation], warm: &[Timed], forwarder: &Forwarder) {
    forwarder.lose(LOSS);
    let (mut extra, mut changed) = (Vec::new(), 0);
    for (expectation, before) in sample.iter().zip(warm) {
        let one = timed(known, expectation).await;
        extra.push(one.took.as_secs_f64() * 1e3 - before.took.as_secs_f64() * 1e3);
        let statuses = |report: &Report| report.records.iter().map(|record| record.status).collect::<Vec<_>>();
        changed += usize::from(statuses(&one.report) != statuses(&before.report));
    }
    forwarder.lose(0);
    let (middle, high) = (median(extra.clone()), quantile(extra, 0.99));
    println!(
        "1 % of the questions lost: {middle:.0} ms more at the median, {high:.0} ms more at p99, {changed} of {} domains \
         reported otherwise",
        sample.len()
    );
}

/// Measures how long the domains of living servers take beside those of dead ones, at the pace that is the default.
async fn print_dead(world: &World, forwarder: &Forwarder) {
    // Some never answer in this Internet anyhow.
    let mut servers = BTreeSet::new();
    let (times, alive) = reports(world, forwarder).await;
    let alive: BTreeMap<String, Duration> = alive.iter().map(|it| it.domain.clone()).zip(times).collect();
    for reply in reports(world, forwarder).await.1.iter().flat_map(|it| &it.records).flat_map(|it| &it.servers) {
        servers.extend(reply.aa.map(|_| reply.address));
    }
    let dead: Vec<IpAddr> = servers.iter().copied().step_by(10).collect();
    forwarder.kill(dead.clone());
    let (times, beside) = reports(world, forwarder).await;
    forwarder.kill(Vec::new());
    // The others are those whose every server has an address and answers.
    let is_healthy = |report: &Report| {
        let mut replies = report.records.iter().flat_map(|record| &record.servers);
        replies.all(|reply| reply.aa.is_some())
            && report.delegation.iter().flat_map(|zone| &zone.servers).all(|server| !server.addresses.is_empty())
    };
    let healthy: Vec<(&Report, Duration)> = beside.iter().zip(times).filter(|(it, _)| is_healthy(it)).collect();
    let wall_beside = healthy.iter().map(|(_, at)| *at).max().unwrap_or_default();
    let wall_alone = healthy.iter().filter_map(|(it, _)| alive.get(&it.domain)).max().copied().unwrap_or_default();
    println!(
        "{} of {} name servers dead: the {} domains of the others are done after {:.2} s, without dead ones after {:.2} s \
         ({:.2} times)",
        dead.len(),
        servers.len(),
        healthy.len(),
        wall_beside.as_secs_f64(),
        wall_alone.as_secs_f64(),
        wall_beside.as_secs_f64() / wall_alone.as_secs_f64()
    );
}

/// Checks all right rows at once, with a checker that knows nothing; returns when each was done, and the reports.
async fn reports(world: &World, forwarder: &Forwarder) -> (Vec<Duration>, Vec<Report>) {
    let checker = paced_checker(world, forwarder, PaceLimits::default());
    let started = Instant::now();
    let rows = futures::stream::iter(world.right.clone());
    let done = checker.check_all(rows, DEFAULT_CONCURRENCY).map(|report| (started.elapsed(), report));
    done.unzip::<_, _, Vec<_>, Vec<_>>().await
}
