//! What a check takes where servers are far away: over the bound, with loss, and beside dead servers.
//!
//! The bound of a domain is what the network alone takes: the fastest server of each zone that has to be asked for the
//! way, one after the other, and then the slowest of all that are asked for the records. Another bound has in it what has
//! to be looked up beside the way: servers that the domain's registry gives no address of, and a policy above.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;
use zoneproof::check::Checker;
use zoneproof::config::DEFAULT_CONCURRENCY;
use zoneproof::dns::message::encode_query;
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::expectation::Expectation;
use zoneproof::report::Report;
use zoneproof::scenario::replay::Replay;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::pace::PaceLimits;
use zoneproof::transport::{Exchange, Query, Transport};

use crate::bound::Bound;
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
    /// Returns the questions beside those for the records.
    fn others(&self) -> usize {
        let least: usize = self.report.records.iter().map(|record| record.servers.len()).sum();
        usize::try_from(self.report.cost.questions).unwrap().saturating_sub(least)
    }

    /// Returns the time over a bound.
    fn over(&self, bound: Duration) -> f64 {
        self.took.as_secs_f64() / bound.as_secs_f64()
    }
}

/// Returns a pace without a limit.
fn unlimited() -> PaceLimits {
    PaceLimits { per_second_in_all: 0, ..PaceLimits::default() }.with_per_server(0)
}

/// Makes a checker that knows nothing yet and asks as fast as it can.
fn checker(world: &World, forwarder: &Forwarder) -> Checker {
    paced_checker(world, forwarder, unlimited())
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

/// Prints a line of the table: how much longer than the bounds checks took.
fn print_ratios(what: &str, over_records: &[f64], over_all: &[f64]) {
    let figures = |ratios: &[f64]| (median(ratios.to_vec()), quantile(ratios.to_vec(), 0.9));
    let ((middle, high), (middle_of_all, high_of_all)) = (figures(over_records), figures(over_all));
    println!("| {what} | {} | {middle:.2} | {high:.2} | {middle_of_all:.2} | {high_of_all:.2} |", over_all.len());
}

/// Prints the head of the table.
fn print_head() {
    println!("| over the bound | domains | median | p90 | look-ups in it: median | p90 |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
}

/// Returns the domains that are checked one by one.
fn sample(world: &World) -> Vec<&Expectation> {
    world.right.iter().take(SAMPLE).collect()
}

/// Checks the sample, each domain with a checker that knows nothing and all with one that learns; prints how long that took
/// over the bounds, and returns the latter checker, which by then knows all.
async fn print_checks(world: &World, checker: impl Fn() -> Checker) -> Checker {
    let (mut cold, mut warm, known) = (Vec::new(), Vec::new(), checker());
    for expectation in sample(world) {
        cold.push(timed(&checker(), expectation).await);
        warm.push(timed(&known, expectation).await);
    }
    // Where the domain's servers are known, a referral at most is asked beside the records, and a policy above.
    let print_warm = |what: &str, policies_above: usize| {
        let bounds = warm.iter().map(|one| (one, Bound::new(world, &one.report)));
        let meant = bounds
            .filter(|(one, bound)| bound.policies_above() == policies_above && one.others() <= policies_above + 1);
        let ratios = |(one, bound): (&Timed, Bound<'_>)| {
            let registries_asked = one.others().saturating_sub(policies_above);
            (one.over(bound.of_the_records(registries_asked)), one.over(bound.of_the_policy(registries_asked)))
        };
        let (over_records, over_all): (Vec<f64>, Vec<f64>) = meant.map(ratios).unzip();
        print_ratios(what, &over_records, &over_all);
    };
    print_warm("root, registries and providers known", 0);
    print_warm("the same, a policy above", 1);
    let print_cold = |what: &str, has_look_ups: bool, policies_above: usize| {
        let bounds = cold.iter().map(|one| (one, Bound::new(world, &one.report)));
        let meant = bounds
            .filter(|(_, bound)| bound.has_look_ups() == has_look_ups && bound.policies_above() == policies_above);
        let ratios =
            |(one, bound): (&Timed, Bound<'_>)| (one.over(bound.of_the_records(usize::MAX)), one.over(bound.of_all()));
        let (over_records, over_all): (Vec<f64>, Vec<f64>) = meant.map(ratios).unzip();
        print_ratios(what, &over_records, &over_all);
    };
    print_cold("nothing known, servers with glue", false, 0);
    print_cold("the same, a policy above", false, 1);
    print_cold("nothing known, servers to be looked up", true, 0);
    print_cold("the same, a policy above", true, 1);
    println!();
    known
}

/// Servers that reply as soon as the network lets them, by a clock that stands still while anybody works.
struct Distant(Replay);

impl Transport for Distant {
    async fn exchange(&self, query: &Query) -> Exchange {
        let started = Instant::now();
        tokio::time::sleep(rtt_of(query.server)).await;
        let exchange = self.0.exchange(query).await;
        Exchange { rtt: started.elapsed(), ..exchange }
    }
}

/// Measures what the order of questions alone takes: nothing but the network lets time pass. The runtime's clock is paused.
pub(crate) async fn print_by_paused_clock(world: &World) {
    let policy = AddressPolicy::allowing_special();
    let settings = TransportSettings { policy, limits: unlimited(), ..TransportSettings::default() };
    println!("Without sockets, by a clock that only the network moves:");
    println!();
    print_head();
    print_checks(world, || {
        let distant = Arc::new(Distant(Replay::new(Arc::clone(&world.scenario))));
        let transport = stack(Arc::clone(&distant) as _, distant, &settings);
        let builder = Checker::builder().root_hints(world.roots.clone()).ipv6(false);
        builder.transport(transport).build().unwrap()
    })
    .await;
}

/// Measures and prints what it takes on sockets.
pub(crate) async fn print(world: &World, forwarder: &Forwarder) {
    println!("On sockets of this host:");
    println!();
    print_head();
    let plain = plain_questions(world, forwarder);
    print_ratios("one question of a plain socket", &plain, &plain);
    let known = print_checks(world, || checker(world, forwarder)).await;
    print_loss(&known, &sample(world), forwarder).await;
    print_dead(world, forwarder).await;
}

/// Measures what it takes where one question of a hundred is lost, and that nothing comes out other than without.
async fn print_loss(known: &Checker, sample: &[&Expectation], forwarder: &Forwarder) {
    let mut before = Vec::with_capacity(sample.len());
    for expectation in sample {
        before.push(timed(known, expectation).await);
    }
    forwarder.lose(LOSS);
    let (mut extra, mut changed) = (Vec::new(), 0);
    for (expectation, before) in sample.iter().zip(&before) {
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
