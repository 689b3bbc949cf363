//! What holds whatever the servers say.
//!
//! A transport that makes its replies up, from a seed, stands in for a hostile Internet: referrals down, up and
//! sideways, glue at forbidden addresses, aliases without end, junk, silence. Time is paused.
#![cfg(test)]

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use zoneproof::budget::MAX_SENDS_PER_CHECK;
use zoneproof::check::Checker;
use zoneproof::dns::message::{Flags, Message};
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::{Rdata, Soa};
use zoneproof::dns::rrset::{Question, Rcode, Record, RecordType, Ttl};
use zoneproof::evidence::{Flaws, Protocol, Silence};
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Depth, Expectation};
use zoneproof::report::Report;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::{Exchange, Query, Transport};

/// Addresses that servers are said to live at; the second half is never to be asked.
const ADDRESSES: &[&str] = &[
    "198.41.0.4",
    "11.22.33.44",
    "45.67.89.10",
    "2600::53",
    "93.10.20.30",
    "8.1.2.3",
    "127.0.0.1",
    "10.0.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "224.0.0.1",
    "0.0.0.0",
    "::1",
    "fe80::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "192.0.2.1",
    "2001:db8::1",
    "255.255.255.255",
];
/// How many of [`ADDRESSES`] may be asked.
const PUBLIC_ADDRESSES: usize = 6;
/// Names that come up in replies.
const NAMES: &[&str] = &[
    ".",
    "com.",
    "net.",
    "example.com.",
    "mail.example.com.",
    "_domainkey.mail.example.com.",
    "ns1.example.com.",
    "ns2.example.net.",
    "victim.net.",
    "ns1.victim.net.",
    "t1._domainkey.mail.example.com.",
    "t1.dkim.amazonses.com.",
    "_dmarc.example.com.",
    "amazonses.com.",
    "a.b.c.d.e.f.g.h.example.com.",
];

/// A transport that makes everything up.
struct Chaos {
    seed: u64,
    asked: AtomicUsize,
    sends: AtomicU32,
    addresses: Mutex<BTreeSet<IpAddr>>,
}

impl Chaos {
    fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            seed,
            asked: AtomicUsize::new(0),
            sends: AtomicU32::new(0),
            addresses: Mutex::new(BTreeSet::new()),
        })
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Chooses a name: of the list, of the question, or one never seen.
fn some_name(random: &mut StdRng, question: &Question) -> Name {
    match random.random_range(0..10) {
        0..4 => name(NAMES[random.random_range(0..NAMES.len())]),
        4..8 => question.name.ancestors().nth(random.random_range(0..4)).unwrap_or_else(Name::root),
        _ => name(&format!("x{}.victim.net.", random.random_range(0..5000))),
    }
}

/// Makes up a record.
fn some_record(random: &mut StdRng, question: &Question) -> Record {
    let owner = some_name(random, question);
    let target = some_name(random, question);
    let rdata = match random.random_range(0..9) {
        0..3 => Rdata::Ns(target),
        3..5 => match ADDRESSES[random.random_range(0..ADDRESSES.len())].parse().unwrap() {
            IpAddr::V4(address) => Rdata::A(address),
            IpAddr::V6(address) => Rdata::Aaaa(address),
        },
        5 => Rdata::Cname(target),
        6 => Rdata::Txt(vec![b"v=spf1 include:x.victim.net -all".as_slice().into()]),
        7 => Rdata::Dname(target),
        _ => Rdata::Soa(Soa {
            mname: target,
            rname: name("."),
            serial: 1,
            refresh: 0,
            retry: 0,
            expire: 0,
            minimum: Ttl::from_wire(u32::MAX >> random.random_range(1..31)),
        }),
    };
    Record { owner, ttl: Ttl::from_wire(random.random_range(0..100_000)), rdata }
}

/// Makes up a delegation that leads towards the question, as a zone that wants work done would.
fn some_delegation(random: &mut StdRng, question: &Question, message: &mut Message) {
    let zone = question.name.ancestors().nth(random.random_range(0..5)).unwrap_or_else(Name::root);
    for _ in 0..random.random_range(1..40) {
        let host = some_name(random, question);
        message.authority.push(Record { owner: zone.clone(), ttl: Ttl::default(), rdata: Rdata::Ns(host.clone()) });
        if random.random_bool(0.5) {
            let mut glue = some_record(random, question);
            glue.owner = host;
            message.additional.push(glue);
        }
    }
}

impl Transport for Chaos {
    async fn exchange(&self, query: &Query) -> Exchange {
        let nth = self.asked.fetch_add(1, Ordering::Relaxed) as u64;
        let mut random = StdRng::seed_from_u64(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(nth));
        let protocol = query.protocol;
        if !query.budget.spend_send() {
            return Exchange { outcome: Err(Silence::Limit), rtt: Duration::ZERO, protocol, flaws: Flaws::default() };
        }
        self.sends.fetch_add(1, Ordering::Relaxed);
        self.addresses.lock().unwrap().insert(query.server);
        let rtt = Duration::from_millis(random.random_range(1..800));
        tokio::time::sleep(rtt).await;
        let mut message = Message {
            flags: Flags {
                is_reply: true,
                authoritative: random.random_bool(0.5),
                truncated: random.random_bool(0.05) && protocol == Protocol::Udp,
                recursion_available: random.random_bool(0.1),
                ..Flags::default()
            },
            question: Some(query.question.clone()),
            ..Message::default()
        };
        let outcome = match random.random_range(0..12) {
            0 => Err(Silence::Timeout),
            1 => Err([Silence::Malformed, Silence::Mismatched, Silence::Refused][random.random_range(0..3)]),
            2 => {
                message.rcode = [Rcode::SERVFAIL, Rcode::REFUSED, Rcode::FORMERR][random.random_range(0..3)];
                Ok(message)
            }
            3..8 => {
                some_delegation(&mut random, &query.question, &mut message);
                Ok(message)
            }
            _ => {
                for _ in 0..random.random_range(0..6) {
                    message.answers.push(some_record(&mut random, &query.question));
                    message.authority.push(some_record(&mut random, &query.question));
                    message.additional.push(some_record(&mut random, &query.question));
                }
                message.rcode = if random.random_bool(0.3) { Rcode::NXDOMAIN } else { Rcode::NOERROR };
                Ok(message)
            }
        };
        Exchange { outcome: outcome.map(Arc::new), rtt, protocol, flaws: Flaws::default() }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn checker(chaos: &Arc<Chaos>) -> Checker {
    let settings = TransportSettings { policy: AddressPolicy::public(), ..TransportSettings::default() };
    let transport = stack(Arc::clone(chaos) as _, Arc::clone(chaos) as _, &settings);
    let hints = vec![(name("a.root-servers.net."), "198.41.0.4".parse().unwrap())];
    Checker::builder().root_hints(hints).transport(transport).build().unwrap()
}

fn check(chaos: &Arc<Chaos>, depth: Depth) -> (Report, Duration) {
    let expectation = Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    runtime().block_on(async {
        let started = tokio::time::Instant::now();
        let report = checker(chaos).check(&expectation.with_depth(depth)).await;
        (report, started.elapsed())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_check_ends_within_its_budget_whatever_comes_back(seed: u64, is_full: bool) {
        let chaos = Chaos::new(seed);
        let (report, elapsed) = check(&chaos, if is_full { Depth::Full } else { Depth::Quick });
        let sends = chaos.sends.load(Ordering::Relaxed);
        prop_assert!(sends <= MAX_SENDS_PER_CHECK, "{sends} packets");
        prop_assert_eq!(report.cost.questions, sends);
        prop_assert!(elapsed <= Duration::from_secs(31), "{elapsed:?}");
    }

    #[test]
    fn no_guarded_address_is_asked(seed: u64) {
        let chaos = Chaos::new(seed);
        check(&chaos, Depth::Full);
        let public: BTreeSet<IpAddr> = ADDRESSES[..PUBLIC_ADDRESSES].iter().map(|text| text.parse().unwrap()).collect();
        let asked = chaos.addresses.lock().unwrap();
        prop_assert!(asked.is_subset(&public), "{asked:?}");
    }

    #[test]
    fn a_report_round_trips_through_json(seed: u64) {
        let (report, _) = check(&Chaos::new(seed), Depth::Full);
        let text = serde_json::to_string(&report).unwrap();
        prop_assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }

    #[test]
    fn a_lookup_ends_within_its_budget(seed: u64) {
        let chaos = Chaos::new(seed);
        let question = Question::new(name("a.b.c.example.com."), RecordType::TXT);
        runtime().block_on(async { checker(&chaos).lookup(&question).await });
        prop_assert!(chaos.sends.load(Ordering::Relaxed) <= MAX_SENDS_PER_CHECK);
    }
}
