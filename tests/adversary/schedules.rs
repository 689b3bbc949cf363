//! A network that drops, delays, duplicates, reorders and forges, by a seed; time is paused, so that a seed always comes
//! out the same.
//!
//! The forger wants a domain that is not set up to pass: all that it sends says that the records are there. It sees no
//! query; it knows the address and the question, and guesses the id and the case of the letters.
//! `ZONEPROOF_SCHEDULES` says how many schedules are tried.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep};
use zoneproof::budget::MAX_SENDS_PER_CHECK;
use zoneproof::check::Checker;
use zoneproof::dns::message::{Edns, Flags, Message, encode_message, encode_query, is_bare_error_to, is_reply_to};
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::rrset::{Rcode, Record, Ttl};
use zoneproof::evidence::{Flaws, Protocol, Silence};
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Expectation, RecordKind};
use zoneproof::findings::RecordStatus;
use zoneproof::report::{Report, Verdict};
use zoneproof::scenario::{Action, Scenario};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::{Exchange, Query, Transport};

/// How many schedules are tried unless told.
const DEFAULT_SCHEDULES: u64 = 300;
/// The longest time that a check may take: 30 s (SECURITY.md A1), and what it waits for the pace of a server that drops, an
/// eighth of the usual one.
const MAX_TIME: Duration = Duration::from_secs(60);
/// How long the network waits where a query does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// Two servers for the domain, one for what is above it; the records stand in the place of `RECORDS`.
const WORLD: &str = "zone . at 198.51.100.1\n  com NS a.nic.com.\n  a.nic.com. A 198.51.100.11\n\
    zone com at 198.51.100.11\n  example NS ns1.example\n  ns1.example A 192.0.2.1\n  example NS ns2.example\n  \
    ns2.example A 192.0.2.2\nzone example.com at 192.0.2.1 192.0.2.2\n  www A 192.0.2.80\n";

/// The records that should be there.
const RECORDS: &str = "  t1._domainkey.mail CNAME t1.dkim.amazonses.com.\n  t2._domainkey.mail CNAME t2.dkim.amazonses.com.\n  \
    t3._domainkey.mail CNAME t3.dkim.amazonses.com.\n";
/// Records that lead elsewhere.
const WRONG_RECORDS: &str = "  t1._domainkey.mail CNAME t1.dkim.example.net.\n  t2._domainkey.mail CNAME x.dkim.example.net.\n  \
    t3._domainkey.mail CNAME y.dkim.example.net.\n";

/// How often what happens to a datagram, in a thousand.
#[derive(Clone, Copy, Debug)]
struct Weather {
    drops: u32,
    delays: u32,
    forges: u32,
    tcp_fails: u32,
}

/// The network between the checker and a scenario.
struct Network {
    scenario: Scenario,
    weather: Weather,
    seed: u64,
    nth: AtomicU64,
    sends: AtomicU32,
}

impl Network {
    /// Decides what arrives for a datagram, and when: the reply, or several, and what a forger sends.
    fn arrivals(&self, query: &Query, octets: &[u8], random: &mut StdRng) -> Vec<(Duration, Vec<u8>)> {
        let chance = |random: &mut StdRng, of_thousand: u32| random.random_range(0..1000) < of_thousand;
        let mut arrivals = Vec::new();
        if let Action::Reply { octets: reply, delay } = self.scenario.respond(query.server, Protocol::Udp, octets, 1) {
            let is_lost = chance(random, self.weather.drops) || chance(random, self.weather.drops);
            if !is_lost {
                let slow = if chance(random, self.weather.delays) { 5000 } else { 60 };
                let after = delay + Duration::from_millis(random.random_range(1..=slow));
                arrivals.push((after, reply.clone()));
                if chance(random, 100) {
                    arrivals.push((after + Duration::from_millis(random.random_range(0..2000)), reply));
                }
            }
        }
        if chance(random, self.weather.forges) {
            for _ in 0..random.random_range(1..20) {
                let after = Duration::from_millis(random.random_range(0..400));
                arrivals.push((after, forge(query, octets, random)));
            }
        }
        arrivals.sort();
        arrivals
    }

    /// Sends one query and waits for its reply.
    async fn send(&self, query: &Query) -> Result<Message, Silence> {
        if !query.budget.spend_send() {
            return Err(Silence::Limit);
        }
        self.sends.fetch_add(1, Ordering::Relaxed);
        let nth = self.nth.fetch_add(1, Ordering::Relaxed);
        let mut random = StdRng::seed_from_u64(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(nth));
        let is_udp = query.protocol == Protocol::Udp;
        let case_bits = if is_udp { random.random() } else { u64::MAX };
        let edns = Edns { payload_octets: 1232, dnssec_ok: query.dnssec_ok, ..Edns::default() };
        let edns = Some(&edns).filter(|_| query.with_edns);
        let octets = encode_query(random.random(), &query.question, case_bits, edns);
        let timeout = query.timeout.unwrap_or(DEFAULT_TIMEOUT);
        if !is_udp {
            return self.send_over_tcp(query, &octets, &mut random).await;
        }
        // The first thing that comes decides, as with sockets: one reply that does not match is a near miss.
        let first = self.arrivals(query, &octets, &mut random).into_iter().find(|(at, _)| *at < timeout);
        let Some((at, reply)) = first else {
            sleep(timeout).await;
            return Err(Silence::Timeout);
        };
        sleep(at).await;
        query.budget.spend_octets(reply.len());
        if !is_reply_to(&reply, &octets) && !is_bare_error_to(&reply, &octets) {
            return Err(Silence::Mismatched);
        }
        Message::decode(&reply).map_err(|_| Silence::Malformed)
    }

    /// Asks over TCP, where nobody can join in, and which fails at times.
    async fn send_over_tcp(&self, query: &Query, octets: &[u8], random: &mut StdRng) -> Result<Message, Silence> {
        sleep(Duration::from_millis(random.random_range(1..100))).await;
        if random.random_range(0..1000) < self.weather.tcp_fails {
            let silence = [Silence::Timeout, Silence::Refused, Silence::Malformed][random.random_range(0..3)];
            sleep(if silence == Silence::Timeout { DEFAULT_TIMEOUT } else { Duration::ZERO }).await;
            return Err(silence);
        }
        match self.scenario.respond(query.server, Protocol::Tcp, octets, 1) {
            Action::Reply { octets: reply, .. } => {
                query.budget.spend_octets(reply.len());
                Message::decode(&reply).map_err(|_| Silence::Malformed)
            }
            Action::RefuseConnection => Err(Silence::Refused),
            Action::Silence => Err(Silence::Timeout),
        }
    }
}

impl Transport for Network {
    async fn exchange(&self, query: &Query) -> Exchange {
        let start = Instant::now();
        let outcome = self.send(query).await.map(Into::into);
        Exchange { outcome, rtt: start.elapsed(), protocol: query.protocol, flaws: Flaws::default() }
    }
}

/// Forges a reply that says what the domain wants to hear, with an id and letters that are guessed, or an error.
fn forge(query: &Query, octets: &[u8], random: &mut StdRng) -> Vec<u8> {
    let question = &query.question;
    let record = |owner: &Name, rdata| Record { owner: owner.clone(), ttl: Ttl::from_wire(86_400), rdata };
    let mut message = Message {
        id: random.random(),
        flags: Flags { is_reply: true, authoritative: true, ..Flags::default() },
        question: Some(question.clone()),
        ..Message::default()
    };
    let token = question.name.first_label().map(|label| String::from_utf8_lossy(label).into_owned());
    let target = format!("{}.{DEFAULT_DKIM_ZONE}", token.unwrap_or_else(|| "t1".to_owned()));
    match random.random_range(0..4) {
        0 => message.rcode = Rcode::NXDOMAIN,
        1 => {
            let host = Name::parse("ns.attacker.example.").unwrap();
            let zone = question.name.parent().unwrap_or_else(Name::root);
            message.flags.authoritative = false;
            message.authority.push(record(&zone, Rdata::Ns(host.clone())));
            message.additional.push(record(&host, Rdata::A([203, 0, 113, 66].into())));
        }
        _ => message.answers.push(record(&question.name, Rdata::Cname(Name::parse(&target).unwrap()))),
    }
    let mut forged = encode_message(&message).unwrap();
    // Now and then the id is hit; the letters must be too, and are not.
    if random.random_bool(0.02) {
        forged[..2].copy_from_slice(&octets[..2]);
    }
    forged
}

/// Checks the domain through a network with this seed.
fn check(records: &str, seed: u64) -> (Report, u32, Duration, Weather) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut rate = |most: u32| if random.random_bool(0.5) { 0 } else { random.random_range(0..most) };
    let weather = Weather { drops: rate(600), delays: rate(500), forges: rate(1000), tcp_fails: rate(500) };
    let scenario: Scenario = format!("{WORLD}{records}").parse().unwrap();
    let hints: Vec<(Name, IpAddr)> = scenario.root_hints();
    let network = Arc::new(Network { scenario, weather, seed, nth: AtomicU64::new(0), sends: AtomicU32::new(0) });
    let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
    let transport = stack(Arc::clone(&network) as _, Arc::clone(&network) as _, &settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (report, elapsed) = runtime.block_on(async {
        let checker = Checker::builder().root_hints(hints).transport(transport).build().unwrap();
        let expectation = Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
        let started = Instant::now();
        (checker.check(&expectation).await, started.elapsed())
    });
    (report, network.sends.load(Ordering::Relaxed), elapsed, weather)
}

/// Returns how the DKIM records stand.
fn standings(report: &Report) -> Vec<RecordStatus> {
    let keys = report.records.iter().filter(|record| record.kind == RecordKind::Dkim);
    keys.map(|record| record.status).collect()
}

#[test]
fn no_schedule_of_faults_makes_a_domain_pass_or_fail_that_does_not() {
    let schedules = std::env::var("ZONEPROOF_SCHEDULES").ok().and_then(|text| text.parse().ok());
    let (mut ready, mut unchecked) = (0, 0);
    for seed in 0..schedules.unwrap_or(DEFAULT_SCHEDULES) {
        let records = ["", WRONG_RECORDS, RECORDS][usize::try_from(seed % 3).unwrap()];
        let (report, sends, elapsed, weather) = check(records, seed);
        let told = format!("seed {seed}, {weather:?}: {} {:?}", report.verdict.as_str(), standings(&report));
        assert!(sends <= MAX_SENDS_PER_CHECK && report.cost.questions >= sends, "{told}: {sends} packets");
        assert!(elapsed <= MAX_TIME, "{told}: {elapsed:?}");
        if records == RECORDS {
            let is_fair = |status: &RecordStatus| matches!(status, RecordStatus::Ok | RecordStatus::UnableToCheck);
            assert!(standings(&report).iter().all(is_fair), "what is there was called missing or wrong: {told}");
            assert!(matches!(report.verdict, Verdict::Ready | Verdict::Indeterminate), "{told}");
            ready += u32::from(report.verdict == Verdict::Ready);
        } else {
            assert!(!standings(&report).contains(&RecordStatus::Ok), "what is not there was called right: {told}");
            assert!(matches!(report.verdict, Verdict::Failing | Verdict::Indeterminate), "{told}");
        }
        unchecked += u32::from(report.verdict == Verdict::Indeterminate);
    }
    println!("{ready} ready, {unchecked} could not be checked");
    assert!(ready > 0, "the weather is so bad that nothing is shown");
}
