//! The engine and the scenario's own servers against NSD, BIND and Knot on loopback.
//!
//! Left out where these are not installed, unless `ZONEPROOF_REAL_SERVERS=required` is set, as `tests/run` does.
#![cfg(test)]

use std::collections::BTreeSet;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use zoneproof::budget::Budget;
use zoneproof::check::Checker;
use zoneproof::dns::message::{Edns, Message, encode_query};
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, Rcode, Record, RecordType};
use zoneproof::evidence::Protocol;
use zoneproof::scenario::expect::{Expect, Subject};
use zoneproof::scenario::{Action, Scenario, Zone};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, live};
use zoneproof::transport::{PaceClass, Query, Transport};

#[path = "support/daemons.rs"]
mod daemons;
#[path = "support/expects.rs"]
mod expects;

#[cfg(feature = "lab")]
#[path = "real_servers/corpus.rs"]
mod corpus;
#[cfg(all(feature = "cli", feature = "lab"))]
#[path = "real_servers/fleet.rs"]
mod fleet;
#[cfg(feature = "lab")]
#[path = "support/corpus/mod.rs"]
mod labelled;
#[cfg(feature = "dnssec")]
#[path = "real_servers/signed.rs"]
mod signed;

use daemons::{Daemon, Software};

/// How often a server that is starting is asked, and how long is waited in between.
const STARTING: (u32, Duration) = (150, Duration::from_millis(100));
/// The types that are asked of every name.
const KINDS: &[RecordType] = &[
    RecordType::A,
    RecordType::NS,
    RecordType::CNAME,
    RecordType::SOA,
    RecordType::MX,
    RecordType::TXT,
    RecordType::AAAA,
    RecordType::DNAME,
    RecordType::DS,
];

/// Where a real server is known to answer otherwise, and why.
const KNOWN_DIFFERENCES: &[(Software, &str, &str)] = &[
    (Software::Bind, "round.example.com.", "a loop of aliases is SERVFAIL"),
    (Software::Bind, "robin.example.com.", "a loop of aliases is SERVFAIL"),
    (Software::Nsd, "child.example.com. DS", "the zone below answers, although the zone above does not delegate it"),
];

/// Reads a scenario of this project.
fn read(file: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Finds a port that is free over UDP and TCP at every address.
fn free_port(addresses: &[IpAddr]) -> u16 {
    let is_free = |port: &u16| {
        addresses
            .iter()
            .all(|address| UdpSocket::bind((*address, *port)).is_ok() && TcpListener::bind((*address, *port)).is_ok())
    };
    (0..50).map(|_| 20_000 + rand::random_range(0..10_000)).find(is_free).expect("a free port")
}

/// The zones that a scenario serves at one address.
fn zones_at(scenario: &Scenario, address: IpAddr) -> Vec<&Zone> {
    let here = scenario.zones().iter().filter(|served| served.addresses.contains(&address));
    here.map(|served| &served.zone).collect()
}

/// Asks one server one question over UDP.
fn ask(address: IpAddr, port: u16, question: &Question) -> Option<Message> {
    let edns = Edns { payload_octets: 4096, ..Edns::default() };
    let query = encode_query(rand::random(), question, 0, Some(&edns));
    let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
    socket.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
    socket.send_to(&query, (address, port)).ok()?;
    let mut buffer = [0; 4096];
    let octets = socket.recv(&mut buffer).ok()?;
    Message::decode(&buffer[..octets]).ok()
}

/// Waits until a server answers with authority for all its zones.
fn wait_for(daemon: &Daemon, address: IpAddr, port: u16, zones: &[&Zone]) {
    for zone in zones {
        let question = Question::new(zone.origin().clone(), RecordType::SOA);
        let is_up = || ask(address, port, &question).is_some_and(|reply| reply.flags.authoritative);
        let comes_up = (0..STARTING.0).any(|_| {
            is_up() || {
                std::thread::sleep(STARTING.1);
                false
            }
        });
        assert!(comes_up, "{address} does not serve {}: {}", zone.origin(), daemon.log());
    }
}

#[test]
fn reports_from_real_servers_are_as_expected() {
    if !daemons::are_installed() {
        return;
    }
    let scenario = read("fixtures/real/internet.scn");
    let addresses = scenario.addresses();
    let port = free_port(&addresses);
    let folder = tempfile::tempdir().unwrap();
    let daemons: Vec<Daemon> = addresses
        .iter()
        .zip(Software::ALL.iter().cycle())
        .map(|(address, software)| {
            let folder = folder.path().join(address.to_string());
            Daemon::start(*software, &folder, &[*address], port, &zones_at(&scenario, *address))
        })
        .collect();
    for (daemon, address) in daemons.iter().zip(&addresses) {
        wait_for(daemon, *address, port, &zones_at(&scenario, *address));
    }

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let faults = runtime.block_on(async {
        let checker = Checker::builder()
            .root_hints(scenario.root_hints())
            .dns_port(port)
            .allow_special_addresses(true)
            .build()
            .unwrap();
        let mut faults = Vec::new();
        for task in &scenario.tasks {
            let Subject::Check(check) = &task.subject else { panic!("only checks") };
            let report = checker.check(&expects::expectation(check).unwrap()).await;
            let expects: Vec<Expect> = task
                .expectations
                .iter()
                .filter(|expect| !matches!(expect, Expect::Questions { .. }))
                .cloned()
                .collect();
            let unmet = expects::unmet_by_report(&expects, &report, &|_| 0);
            faults.extend(unmet.into_iter().map(|fault| format!("{}: {fault}", check.domain)));
        }
        faults
    });
    drop(daemons);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What of a reply must be the same whoever serves the zone.
#[derive(Debug, Eq, PartialEq)]
struct Essence {
    rcode: Rcode,
    is_authoritative: bool,
    answers: BTreeSet<String>,
    authority: BTreeSet<String>,
    glue: BTreeSet<String>,
}

impl Essence {
    /// Takes what counts: answers; SOA, NS and DS of negative answers and referrals; the glue of referrals.
    fn of(message: &Message) -> Self {
        let print = |records: &[Record]| records.iter().map(|record| record.to_string().to_lowercase()).collect();
        let is_referral = !message.flags.authoritative;
        let negative_or_referral = message.answers.is_empty() || is_referral;
        let authority: Vec<Record> = if negative_or_referral || message.rcode == Rcode::NXDOMAIN {
            message.authority.clone()
        } else {
            message.authority.iter().filter(|record| record.kind() == RecordType::SOA).cloned().collect()
        };
        Self {
            rcode: message.rcode,
            is_authoritative: message.flags.authoritative,
            answers: print(&message.answers),
            authority: print(&authority),
            glue: if is_referral { print(&message.additional) } else { BTreeSet::new() },
        }
    }
}

/// The names that are asked about a zone: every owner, everything between it and the apex, and names
/// beside and below them that are not there.
fn names_to_ask(zone: &Zone) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    for record in zone.records() {
        for name in record.owner.ancestors().take_while(|name| name.is_subdomain_of(zone.origin())) {
            names.extend(name.prepend("nosuch"));
            names.extend(name.prepend("below").and_then(|below| below.prepend("deep")));
            names.insert(name);
        }
    }
    names
}

#[test]
fn the_scenarios_own_servers_answer_as_nsd_bind_and_knot_do() {
    if !daemons::are_installed() {
        return;
    }
    let scenario = read("fixtures/real/answers.scn");
    let [ours] = scenario.addresses()[..] else { panic!("one address serves all zones") };
    let theirs: Vec<IpAddr> = ["127.41.0.2", "127.41.0.3", "127.41.0.4"].iter().map(|a| a.parse().unwrap()).collect();
    let port = free_port(&theirs);
    let folder = tempfile::tempdir().unwrap();
    let zones = zones_at(&scenario, ours);
    let daemons: Vec<Daemon> = theirs
        .iter()
        .zip(Software::ALL)
        .map(|(address, software)| {
            Daemon::start(*software, &folder.path().join(address.to_string()), &[*address], port, &zones)
        })
        .collect();
    for (daemon, address) in daemons.iter().zip(&theirs) {
        wait_for(daemon, *address, port, &zones);
    }

    let mut compared = 0;
    let mut differences = Vec::new();
    for name in zones.iter().flat_map(|zone| names_to_ask(zone)).collect::<BTreeSet<_>>() {
        for kind in KINDS {
            let question = Question::new(name.clone(), *kind);
            let edns = Edns { payload_octets: 4096, ..Edns::default() };
            let query = encode_query(1, &question, 0, Some(&edns));
            let Action::Reply { octets, .. } = scenario.respond(ours, Protocol::Udp, &query, 1) else {
                panic!("no reply to {question}")
            };
            let own = Essence::of(&Message::decode(&octets).unwrap());
            for (address, software) in theirs.iter().zip(Software::ALL) {
                let other = ask(*address, port, &question).map(|reply| Essence::of(&reply));
                compared += 1;
                let asked = question.to_string();
                let is_known =
                    |(which, prefix, _): &(Software, &str, &str)| which == software && asked.starts_with(prefix);
                if other.as_ref() != Some(&own) && !KNOWN_DIFFERENCES.iter().any(is_known) {
                    differences.push(format!("{question} at {software:?}\n  ours   {own:?}\n  theirs {other:?}"));
                }
            }
        }
    }
    assert!(compared > 1000, "only {compared} answers were compared");
    assert!(differences.is_empty(), "{} of {compared} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn a_cut_reply_is_asked_again_over_tcp() {
    if !daemons::are_installed() {
        return;
    }
    let scenario = read("fixtures/real/answers.scn");
    let [ours] = scenario.addresses()[..] else { panic!("one address serves all zones") };
    let theirs: Vec<IpAddr> = ["127.41.1.2", "127.41.1.3", "127.41.1.4"].iter().map(|a| a.parse().unwrap()).collect();
    let port = free_port(&theirs);
    let folder = tempfile::tempdir().unwrap();
    let zones = zones_at(&scenario, ours);
    let question = Question::new(Name::parse("large.example.com.").unwrap(), RecordType::TXT);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (address, software) in theirs.iter().zip(Software::ALL) {
        let daemon = Daemon::start(*software, &folder.path().join(address.to_string()), &[*address], port, &zones);
        wait_for(&daemon, *address, port, &zones);
        let exchange = runtime.block_on(async {
            let settings = TransportSettings {
                dns_port: port,
                policy: AddressPolicy::allowing_special(),
                ..TransportSettings::default()
            };
            let transport = live(&settings).unwrap();
            let query = Query::new(*address, question.clone(), PaceClass::Ordinary, Arc::clone(&Budget::for_check()));
            transport.exchange(&query).await
        });
        assert_eq!(exchange.protocol, Protocol::Tcp, "{software:?}");
        assert_eq!(exchange.outcome.unwrap().answers.len(), 8, "{software:?}");
    }
}
