//! `lookup` against Unbound, BIND's resolver and Knot Resolver, over delegation trees made by chance and served by real
//! NSD, BIND and Knot on loopback: wherever two of the three agree, so must we.
//!
//! `ZONEPROOF_DIFFERENTIAL_TREES` says how many trees, `ZONEPROOF_DIFFERENTIAL_SEED` which. Servers are asked at port 53 of
//! loopback addresses, as resolvers ask no other port. Left out where a program is missing, unless
//! `ZONEPROOF_REAL_SERVERS=required` is set, as `tests/run` does.
#![cfg(test)]
#![cfg(feature = "dnssec")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
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
use zoneproof::dnssec::anchor;
use zoneproof::transport::pace::PaceLimits;
use zoneproof::walk::lookup::LookupFailure;
use zoneproof::walk::root_hints;

#[path = "support/daemons.rs"]
#[expect(dead_code, reason = "zones are served from files only")]
mod daemons;
#[path = "support/corpus/dice.rs"]
#[expect(dead_code, reason = "no tokens are made up here")]
mod dice;
#[path = "differential/difference.rs"]
mod difference;
#[path = "differential/resolvers.rs"]
mod resolvers;
#[path = "differential/sign.rs"]
mod sign;
#[path = "differential/tree.rs"]
mod tree;

use daemons::{Daemon, Software};
use difference::Difference;
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
/// How often who gave up is asked again, and how long before: longer than failures are remembered (RFC 9520 §3.2).
const ROUNDS_AGAIN: usize = 3;
/// See [`ROUNDS_AGAIN`].
const BEFORE_AGAIN: Duration = Duration::from_secs(6);
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
    let share = questions.len().div_ceil(OUT_AT_OTHERS).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = questions
            .chunks(share)
            .map(|some| scope.spawn(move || some.iter().map(|question| resolver.ask(question)).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// Another resolver, and what it makes of all questions.
struct Other {
    /// The resolver.
    running: Running,
    /// Its address.
    _address: Option<daemons::LoopbackAddress>,
    /// What it says, question by question.
    outcomes: Vec<Option<Outcome>>,
}

/// Asks again, a while later, who gave up where we do not and nobody else agrees with us: hundreds of questions at once, of
/// which many wait for dead servers, have resolvers give up on some that they can answer.
fn ask_again(others: &mut [Other], questions: &[Question], ours: &[Ours]) {
    let is_given_up = |outcome: &Option<Outcome>| outcome.as_ref().is_none_or(|said| said.rcode == Rcode::SERVFAIL);
    for _ in 0..ROUNDS_AGAIN {
        let is_open = |nth: &usize| {
            let all: Vec<&Option<Outcome>> = others.iter().map(|other| &other.outcomes[*nth]).collect();
            let own = &ours[*nth].0;
            own.rcode != Rcode::SERVFAIL && majority(&all).is_some_and(|agreed| agreed.rcode == Rcode::SERVFAIL)
        };
        let open: Vec<usize> = (0..questions.len()).filter(is_open).collect();
        if open.is_empty() {
            return;
        }
        thread::sleep(BEFORE_AGAIN);
        for other in &mut *others {
            let given_up: Vec<usize> = open.iter().copied().filter(|nth| is_given_up(&other.outcomes[*nth])).collect();
            let some: Vec<Question> = given_up.iter().map(|nth| questions[*nth].clone()).collect();
            for (nth, outcome) in given_up.into_iter().zip(ask_all(&other.running, &some)) {
                other.outcomes[nth] = outcome;
            }
        }
    }
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

/// Grows some trees, asks everybody about them, and compares what they say.
fn run(seed: u64, trees: usize) -> Comparison {
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
    let mut others: Vec<Other> = thread::scope(|scope| {
        let workers: Vec<_> = (2..)
            .zip(Resolver::ALL)
            .map(|(last, resolver)| {
                let place = (IpAddr::from([127, 44, 1, last]), 20_000 + rand::random_range(0..10_000));
                let folder = folder.path().join(format!("{resolver:?}"));
                let (questions, hints, anchor) = (&questions, &hints, &anchor);
                scope.spawn(move || {
                    let address = daemons::LoopbackAddress::add(place.0);
                    let started = Instant::now();
                    let running = Running::start(*resolver, &folder, place, hints, anchor);
                    let outcomes = ask_all(&running, questions);
                    println!("seed {seed}: {resolver:?} took {:?}", started.elapsed());
                    Other { running, _address: address, outcomes }
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    ask_again(&mut others, &questions, &ours);
    let mut result = Comparison::default();
    for (nth, (question, (own, failure))) in questions.iter().zip(&ours).enumerate() {
        let others: Vec<&Option<Outcome>> = others.iter().map(|other| &other.outcomes[nth]).collect();
        let Some(agreed) = majority(&others) else { continue };
        result.decided += 1;
        if agreed == own {
            continue;
        }
        let difference = Difference { forest: &forest, question, own, failure: *failure, agreed, others };
        match difference.explanation() {
            Some(explanation) => *result.explained.entry(explanation).or_default() += 1,
            None => result.unexplained.push(format!("seed {seed}: {difference}")),
        }
    }
    result
}

/// What came of some trees.
#[derive(Default)]
struct Comparison {
    /// How many questions two of three agreed on.
    decided: usize,
    /// How often we differ for a known reason.
    explained: BTreeMap<&'static str, usize>,
    /// How we differ otherwise.
    unexplained: Vec<String>,
}

impl Comparison {
    /// Adds what came of others.
    fn add(&mut self, other: Self) {
        self.decided += other.decided;
        other.explained.into_iter().for_each(|(why, count)| *self.explained.entry(why).or_default() += count);
        self.unexplained.extend(other.unexplained);
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} questions decided, {} differ; explained {:?}",
            self.decided,
            self.unexplained.len(),
            self.explained
        )
    }
}

#[test]
fn lookups_agree_with_what_two_of_three_resolvers_say() {
    if !is_possible() {
        return;
    }
    let trees = usize::try_from(number("ZONEPROOF_DIFFERENTIAL_TREES", DEFAULT_TREES as u64)).unwrap();
    let first = number("ZONEPROOF_DIFFERENTIAL_SEED", 1);
    let mut all = Comparison::default();
    let started = Instant::now();
    for (seed, done) in (first..).zip((0..trees).step_by(TREES_AT_ONCE)) {
        let some = run(seed, TREES_AT_ONCE.min(trees - done));
        println!("seed {seed}: {some}");
        some.unexplained.iter().for_each(|difference| println!("{difference}"));
        all.add(some);
        println!("in all: {} trees, {all}, {:.0?}", trees.min(done + TREES_AT_ONCE), started.elapsed());
    }
    assert!(all.decided > trees * 20, "only {} questions were decided", all.decided);
    assert!(all.unexplained.is_empty(), "{all}:\n{}", all.unexplained.join("\n"));
}
