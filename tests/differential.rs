//! `lookup` against Unbound, BIND's resolver and Knot Resolver, over delegation trees made by chance and served by real
//! NSD, BIND and Knot on loopback: wherever two of the three agree, so must we.
//!
//! `ZONEPROOF_DIFFERENTIAL_TREES` says how many trees, `ZONEPROOF_DIFFERENTIAL_SEED` which. Servers are asked at port 53 of
//! loopback addresses, as resolvers ask no other port. Left out where a program is missing, unless
//! `ZONEPROOF_REAL_SERVERS=required` is set, as `tests/run` does.
#![cfg(test)]
#![cfg(feature = "dnssec")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use zoneproof::check::Checker;
use zoneproof::dns::message::{Edns, Message, encode_query};
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::rrset::{Question, Rcode, Record, RecordType};
use zoneproof::dnssec::{Bogus, anchor};
use zoneproof::transport::pace::PaceLimits;
use zoneproof::walk::lookup::LookupFailure;
use zoneproof::walk::root_hints;

#[path = "support/daemons.rs"]
#[expect(dead_code, reason = "zones are served from files only")]
mod daemons;
#[path = "support/corpus/dice.rs"]
#[expect(dead_code, reason = "no tokens are made up here")]
mod dice;
#[path = "differential/resolvers.rs"]
mod resolvers;
#[path = "differential/sign.rs"]
mod sign;
#[path = "differential/tree.rs"]
mod tree;

use daemons::{Daemon, Software};
use resolvers::{Outcome, Resolver, Running};
use tree::{Forest, SERVERS, address};

/// How many trees are grown unless told.
const DEFAULT_TREES: usize = 40;
/// How many trees share one root and its servers.
const TREES_AT_ONCE: usize = 40;
/// The port that resolvers ask servers at.
const DNS_PORT: u16 = 53;
/// How many lookups of ours run at once, and how many questions are out at each of the others, which wait for dead servers.
const AT_ONCE: usize = 16;
/// See [`AT_ONCE`].
const OUT_AT_OTHERS: usize = 400;
/// How long the servers may take to start.
const STARTING: Duration = Duration::from_secs(120);

/// Reads a number from the environment.
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Prints a record without its time to live, in lower case where case does not count.
fn print(record: &Record) -> String {
    let data = match &record.rdata {
        Rdata::Txt(_) => record.rdata.to_string(),
        other => other.to_string().to_lowercase(),
    };
    format!("{} {} {data}", record.owner.to_lowercase(), record.kind())
}

/// Says whether everything that is needed is there.
fn is_possible() -> bool {
    let is_required = std::env::var("ZONEPROOF_REAL_SERVERS").is_ok_and(|value| value == "required");
    let missing: Vec<&Resolver> = Resolver::ALL.iter().filter(|resolver| resolver.path().is_none()).collect();
    let places: Vec<IpAddr> = (0..SERVERS).map(|server| address(server).parse().unwrap()).collect();
    let may_listen = places.iter().all(|place| UdpSocket::bind((*place, DNS_PORT)).is_ok());
    let may_connect = places.iter().all(|place| TcpListener::bind((*place, DNS_PORT)).is_ok());
    assert!(missing.is_empty() || !is_required, "not installed: {missing:?}");
    assert!((may_listen && may_connect) || !is_required, "port {DNS_PORT} of loopback addresses is not free");
    let is_possible = daemons::are_installed() && missing.is_empty() && may_listen && may_connect;
    if !is_possible {
        println!("left out: missing {missing:?}, port {DNS_PORT} free: {}", may_listen && may_connect);
    }
    is_possible
}

/// Starts the servers of a forest.
fn serve(forest: &Forest, files: &[std::path::PathBuf], folder: &Path) -> Vec<Daemon> {
    let daemons: Vec<Daemon> = (0..SERVERS)
        .zip(Software::ALL)
        .map(|(server, software)| {
            let zones = forest.zones.iter().zip(files).filter(|(zone, _)| zone.servers.contains(&server));
            let zones: Vec<_> = zones.map(|(zone, file)| (zone.name.clone(), file.clone())).collect();
            let place: IpAddr = address(server).parse().unwrap();
            Daemon::start_with_files(*software, &folder.join(format!("server{server}")), &[place], DNS_PORT, &zones)
        })
        .collect();
    let started = Instant::now();
    for zone in &forest.zones {
        for server in &zone.servers {
            while !is_served(&zone.name, address(*server).parse().unwrap()) {
                assert!(started.elapsed() < STARTING, "{} is not served: {}", zone.name, daemons[*server].log());
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
    daemons
}

/// Says whether a server answers for a zone with authority.
fn is_served(zone: &str, server: IpAddr) -> bool {
    let question = Question::new(Name::parse(zone).unwrap(), RecordType::SOA);
    let query = encode_query(rand::random(), &question, 0, Some(&Edns { payload_octets: 4096, ..Edns::default() }));
    let reply = || {
        let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
        socket.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
        socket.send_to(&query, (server, DNS_PORT)).ok()?;
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).ok()?;
        Message::decode(&buffer[..length]).ok()
    };
    reply().is_some_and(|reply| reply.flags.authoritative)
}

/// Asks one of the others all questions, several at once.
fn ask_all(resolver: &Running, questions: &[Question]) -> Vec<Option<Outcome>> {
    let share = questions.len().div_ceil(OUT_AT_OTHERS);
    thread::scope(|scope| {
        let workers: Vec<_> = questions
            .chunks(share)
            .map(|some| scope.spawn(move || some.iter().map(|question| resolver.ask(question)).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// What we make of a question, and why where it failed.
type Ours = (Outcome, Option<LookupFailure>);

/// Looks all questions up, several at once.
fn look_all_up(questions: &[Question], hints: &str, anchor: &str) -> Vec<Ours> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let pace = PaceLimits { per_second_in_all: 0, ..PaceLimits::default() }.with_per_server(0);
        let checker = Checker::builder()
            .root_hints(root_hints::parse(hints).unwrap())
            .dns_port(DNS_PORT)
            .allow_special_addresses(true)
            .ipv6(false)
            .pace(pace)
            .trust_anchors(anchor::parse(anchor).unwrap())
            .build()
            .unwrap();
        let checker = Arc::new(checker);
        let mut ours = Vec::new();
        for some in questions.chunks(AT_ONCE) {
            let tasks: Vec<_> = some
                .iter()
                .map(|question| {
                    let (checker, question) = (Arc::clone(&checker), question.clone());
                    tokio::spawn(async move { checker.lookup(&question).await })
                })
                .collect();
            for task in tasks {
                let lookup = task.await.unwrap();
                let answers = lookup.answers.iter().map(print).collect();
                let outcome = Outcome { rcode: lookup.rcode, answers, is_authentic: lookup.authenticated };
                ours.push((outcome, lookup.failure));
            }
        }
        ours
    })
}

/// What two or three of them agree on.
fn majority<'a>(outcomes: &[&'a Option<Outcome>]) -> Option<&'a Outcome> {
    let count = |outcome: &Outcome| outcomes.iter().filter(|other| other.as_ref() == Some(outcome)).count();
    outcomes.iter().filter_map(|outcome| outcome.as_ref()).find(|outcome| count(outcome) >= 2)
}

/// Grows some trees, asks everybody about them, and returns how many questions were decided, and what differs.
fn run(seed: u64, trees: usize) -> (usize, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let forest = Forest::grow(seed, trees);
    let (files, anchor) = sign::write(&forest, folder.path());
    let hints: String =
        forest.zones[0].delegation.iter().chain(&forest.zones[0].hosts).map(|l| format!("{l}\n")).collect();
    let _daemons = serve(&forest, &files, folder.path());
    let questions: BTreeSet<Question> = forest
        .questions
        .iter()
        .map(|(owner, kind)| Question::new(Name::parse(owner).unwrap(), kind.parse().unwrap()))
        .collect();
    let questions: Vec<Question> = questions.into_iter().collect();
    let started = Instant::now();
    let ours = look_all_up(&questions, &hints, &anchor);
    println!(
        "seed {seed}: {} zones, {} questions, looked up in {:?}",
        forest.zones.len(),
        questions.len(),
        started.elapsed()
    );
    let theirs: Vec<Vec<Option<Outcome>>> = thread::scope(|scope| {
        let workers: Vec<_> = (2..)
            .zip(Resolver::ALL)
            .map(|(last, resolver)| {
                let place = (IpAddr::from([127, 44, 1, last]), 20_000 + rand::random_range(0..10_000));
                let folder = folder.path().join(format!("{resolver:?}"));
                let (questions, hints, anchor) = (&questions, &hints, &anchor);
                scope.spawn(move || {
                    let _address = daemons::LoopbackAddress::add(place.0);
                    let started = Instant::now();
                    let outcomes = ask_all(&Running::start(*resolver, &folder, place, hints, anchor), questions);
                    println!("seed {seed}: {resolver:?} took {:?}", started.elapsed());
                    outcomes
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let (mut decided, mut differences) = (0, Vec::new());
    for (nth, (question, (own, failure))) in questions.iter().zip(&ours).enumerate() {
        let others: Vec<&Option<Outcome>> = theirs.iter().map(|outcomes| &outcomes[nth]).collect();
        let Some(agreed) = majority(&others) else { continue };
        decided += 1;
        if agreed != own
            && !is_limit(*failure)
            && !is_lame_case(&forest, question, own, agreed, &others)
            && !is_opt_out_case(&forest, question, own, agreed, &others)
            && !is_hidden_name_case(&forest, question, *failure)
        {
            let others: BTreeMap<String, _> = Resolver::ALL
                .iter()
                .zip(others)
                .map(|(resolver, outcome)| (format!("{resolver:?}"), outcome))
                .collect();
            let others: String = others.iter().map(|(name, outcome)| format!("\n  {name:8} {outcome:?}")).collect();
            let zones = forest.tell(&question.name.to_lowercase().to_string());
            differences.push(format!("seed {seed}: {question}\n  ours     {own:?} {failure:?}{others}{zones}"));
        }
    }
    (decided, differences)
}

/// Says whether we differ by a limit of ours that is lower than those of others: at most 8 aliases (they follow 11 to 13), 50
/// packets for a walk and 300 for a lookup, 30 signatures.
fn is_limit(failure: Option<LookupFailure>) -> bool {
    matches!(failure, Some(LookupFailure::ChainTooLong | LookupFailure::BudgetExceeded))
}

/// Says whether we and BIND ask on where the two others do not: a server that a delegation names does not serve the zone.
///
/// Where it serves the zone above, it refers to the very zone that it was asked about, which Unbound and Knot Resolver take
/// for an answer without records; and at times they give up (SERVFAIL) where the next server has an answer that holds. BIND
/// and we ask the next server.
fn is_lame_case(
    forest: &Forest,
    question: &Question,
    own: &Outcome,
    agreed: &Outcome,
    others: &[&Option<Outcome>],
) -> bool {
    let bind = Resolver::ALL.iter().zip(others).find(|(resolver, _)| **resolver == Resolver::Bind);
    let is_as_bind = bind.is_some_and(|(_, outcome)| outcome.as_ref() == Some(own));
    let is_empty = agreed.rcode == Rcode::NOERROR && agreed.answers.is_empty();
    let is_given_up = agreed.rcode == Rcode::SERVFAIL && own.rcode != Rcode::SERVFAIL;
    is_as_bind && (is_empty || is_given_up) && forest.has_lame_server(&question.name.to_lowercase().to_string())
}

/// Says whether we find the unsigned delegation that two others do not get to, and nobody finds anything else.
///
/// It stands below a name that is there for its sake alone, which NSEC3 with opt-out leaves out (RFC 5155 §7.1); asked for DS
/// records at that name, NSD proves too little. BIND ends there (SERVFAIL), Knot Resolver and Unbound at times: the latter
/// asks on until nobody waits any more where another server is dead. What we say is not proven, and said so.
fn is_opt_out_case(
    forest: &Forest,
    question: &Question,
    own: &Outcome,
    agreed: &Outcome,
    others: &[&Option<Outcome>],
) -> bool {
    let is_given_up = |outcome: &Outcome| outcome.rcode == Rcode::SERVFAIL;
    let is_refuted = others.iter().any(|other| other.as_ref().is_some_and(|other| !is_given_up(other) && other != own));
    let is_held_back = !own.is_authentic && !is_given_up(own);
    is_given_up(agreed)
        && is_held_back
        && !is_refuted
        && forest.is_below_hidden_cut(&question.name.to_lowercase().to_string())
}

/// Says whether we take a missing proof for one, where others know of a server that gives it.
///
/// Asked for DS records at a name that is there for the sake of an unsigned delegation alone, NSD gives no NSEC3 record at all,
/// though RFC 5155 §7.2.4 wants those that show the closest encloser; the reply is bogus for everybody. The others ask
/// the next server of the zone. Where the one server of the zone above serves this zone too, it answers in its place and
/// never refers to it: we, who take the delegation's word alone for who serves a zone, have nobody else to ask. The
/// others take the zone's own NS records.
fn is_hidden_name_case(forest: &Forest, question: &Question, failure: Option<LookupFailure>) -> bool {
    failure == Some(LookupFailure::Bogus(Bogus::MissingDenial))
        && question.kind == RecordType::DS
        && forest.is_hidden_by_nsd_alone(&question.name.to_lowercase().to_string())
}

#[test]
fn lookups_agree_with_what_two_of_three_resolvers_say() {
    if !is_possible() {
        return;
    }
    let trees = usize::try_from(number("ZONEPROOF_DIFFERENTIAL_TREES", DEFAULT_TREES as u64)).unwrap();
    let first = number("ZONEPROOF_DIFFERENTIAL_SEED", 1);
    let (mut decided, mut differences) = (0, Vec::new());
    let started = Instant::now();
    for (seed, done) in (first..).zip((0..trees).step_by(TREES_AT_ONCE)) {
        let (more, found) = run(seed, TREES_AT_ONCE.min(trees - done));
        println!("seed {seed}: {more} questions decided, {} differ", found.len());
        found.iter().for_each(|difference| println!("{difference}"));
        decided += more;
        differences.extend(found);
        let (trees, elapsed) = (trees.min(done + TREES_AT_ONCE), started.elapsed());
        println!("in all: {trees} trees, {decided} questions decided, {} differ, {elapsed:.0?}", differences.len());
    }
    assert!(decided > trees * 20, "only {decided} questions were decided");
    assert!(differences.is_empty(), "{} of {decided} differ:\n{}", differences.len(), differences.join("\n"));
}
