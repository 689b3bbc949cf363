//! What the engine costs without sockets, stage by stage: reading one reply, writing one query, the way through the
//! transports, known delegations, the plan, the judgement and the report; and a whole check of a healthy domain that is
//! replayed from a scenario.
#![expect(clippy::expect_used, clippy::panic, reason = "a bench ends where its fixture is broken")]

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use zoneproof::budget::Budget;
use zoneproof::check::{Checker, plan};
use zoneproof::dns::message::{Edns, Message, encode_message, encode_query};
use zoneproof::dns::name::Name;
use zoneproof::dns::response::read_response;
use zoneproof::dns::rrset::{Question, RecordType, Ttl};
use zoneproof::evidence::{
    ChainEnd, DelegationChain, Evidence, Flaws, NameServer, Observation, Outcome, Protocol, Reply, ZoneCut,
};
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Depth, Expectation};
use zoneproof::findings::judge;
use zoneproof::report::{Context, Report};
use zoneproof::scenario::replay::Replay;
use zoneproof::scenario::{Action, Scenario};
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::pace::PaceLimits;
use zoneproof::transport::{DynTransport, Exchange, PaceClass, Query, Transport};
use zoneproof::walk::cut_cache::CutCache;

/// A healthy domain with two servers.
const SCENARIO: &str = r#"
root 198.51.100.1
zone . at 198.51.100.1
  example  NS  a.registry.example.
  a.registry.example.  A  198.51.100.2
zone example at 198.51.100.2
  @               NS  a.registry
  a.registry      A   198.51.100.2
  tenant          NS  ns1.tenant
  tenant          NS  ns2.tenant
  ns1.tenant      A   192.0.2.1
  ns2.tenant      A   192.0.2.2
zone tenant.example at 192.0.2.1 192.0.2.2
  @               NS     ns1
  @               NS     ns2
  ns1             A      192.0.2.1
  ns2             A      192.0.2.2
  mail            TXT    "v=spf1 include:amazonses.com ~all"
  _dmarc.mail     TXT    "v=DMARC1; p=none"
  t1._domainkey.mail  CNAME  t1.dkim.amazonses.com.
  t2._domainkey.mail  CNAME  t2.dkim.amazonses.com.
  t3._domainkey.mail  CNAME  t3.dkim.amazonses.com.
"#;

/// The addresses of the domain's servers.
const SERVERS: [(&str, &str); 2] = [("ns1.tenant.example.", "192.0.2.1"), ("ns2.tenant.example.", "192.0.2.2")];

/// What is expected of the domain.
fn expectation() -> Expectation {
    let expected = Expectation::new("mail.tenant.example", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).expect("expected");
    expected.with_depth(Depth::Quick)
}

/// Returns the reply to one question, as octets.
fn reply(scenario: &Scenario, address: &str, question: &Question) -> Vec<u8> {
    let query = encode_query(1, question, 0, Some(&Edns { payload_octets: 1232, ..Edns::default() }));
    match scenario.respond(address.parse().expect("an address"), Protocol::Udp, &query, 1) {
        Action::Reply { octets, .. } => octets,
        other => panic!("{other:?}"),
    }
}

/// Reads and writes single messages.
fn messages(criterion: &mut Criterion) {
    let scenario: Scenario = SCENARIO.parse().expect("the scenario parses");
    let zone = Name::parse("tenant.example.").expect("a name");
    let owner = Name::parse("t1._domainkey.mail.tenant.example.").expect("a name");
    let question = Question::new(owner, RecordType::CNAME);
    let answer = reply(&scenario, "192.0.2.1", &question);
    let referral = reply(&scenario, "198.51.100.2", &question);
    let registry = Name::parse("example.").expect("a name");
    criterion.bench_function("read a CNAME answer", |bencher| {
        bencher.iter(|| Message::decode(black_box(&answer)).map(|message| read_response(&message, &question, &zone)));
    });
    criterion.bench_function("read a referral with glue", |bencher| {
        bencher.iter(|| {
            Message::decode(black_box(&referral)).map(|message| read_response(&message, &question, &registry))
        });
    });
    criterion.bench_function("write a query", |bencher| {
        bencher.iter(|| encode_query(black_box(1), &question, 0x5555, None));
    });
    let message = Message::decode(&answer).expect("a message");
    criterion.bench_function("write a CNAME answer", |bencher| bencher.iter(|| encode_message(black_box(&message))));
}

/// A transport that has the reply at hand.
struct AtHand(Arc<Message>);

impl Transport for AtHand {
    async fn exchange(&self, query: &Query) -> Exchange {
        let outcome = Ok(Arc::clone(&self.0));
        Exchange { outcome, rtt: Duration::ZERO, protocol: query.protocol, flaws: Flaws::default() }
    }
}

/// Goes through guard, fallback and pace to a reply that is at hand.
fn transports(criterion: &mut Criterion) {
    let scenario: Scenario = SCENARIO.parse().expect("the scenario parses");
    let question = Question::new(Name::parse("mail.tenant.example.").expect("a name"), RecordType::TXT);
    let answer = Message::decode(&reply(&scenario, "192.0.2.1", &question)).expect("a message");
    let at_hand: Arc<dyn DynTransport> = Arc::new(AtHand(Arc::new(answer)));
    let unlimited = PaceLimits { per_second_in_all: 0, ..PaceLimits::default().with_per_server(0) };
    let policy = AddressPolicy::allowing_special();
    let settings = TransportSettings { limits: unlimited, policy, ..TransportSettings::default() };
    let transport = stack(Arc::clone(&at_hand), at_hand, &settings);
    let budget = Budget::for_check();
    let query = Query::new("192.0.2.1".parse().expect("an address"), question, PaceClass::Ordinary, budget);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    criterion.bench_function("go through the transports", |bencher| {
        bencher.to_async(&runtime).iter(|| transport.exchange(black_box(&query)));
    });
}

/// Returns a zone cut with these servers.
fn cut(zone: &str, parent: Option<&str>, servers: &[(&str, &str)]) -> ZoneCut {
    let name = |text: &str| Name::parse(text).expect("a name");
    let servers = servers.iter().map(|(host, address)| NameServer {
        name: name(host),
        addresses: vec![address.parse().expect("an address")],
        unresolved: None,
    });
    ZoneCut {
        zone: name(zone),
        parent: parent.map(name),
        servers: servers.collect(),
        ttl: Ttl::from_wire(3600),
        proofs: None,
    }
}

/// Returns all that a check of the domain sees.
fn evidence(scenario: &Scenario, expectation: &Expectation) -> Evidence {
    let mut evidence = Evidence::new("probe".to_owned());
    let registry = [("a.registry.example.", "198.51.100.2")];
    let zones = [cut(".", None, &[]), cut("example.", Some("."), &registry)];
    let zones = zones.into_iter().chain([cut("tenant.example.", Some("example."), &SERVERS)]);
    let zones: Vec<ZoneCut> = zones.collect();
    let chain = DelegationChain { zones: zones.iter().map(|cut| cut.zone.clone()).collect(), end: ChainEnd::Reached };
    let zone = zones.last().expect("a zone").zone.clone();
    zones.into_iter().for_each(|cut| evidence.add_cut(cut));
    for question in expectation.records.iter().map(|record| record.question()) {
        evidence.add_chain(question.name.clone(), chain.clone());
        for (server, address) in SERVERS {
            let message = Message::decode(&reply(scenario, address, &question)).expect("a message");
            let reading = read_response(&message, &question, &zone);
            let outcome = Outcome::Replied(Arc::new(Reply {
                response: reading.response,
                rcode: message.rcode,
                is_authoritative: message.flags.authoritative,
                dropped: reading.dropped,
                signatures: reading.signatures,
            }));
            let observation = Observation {
                zone: zone.clone(),
                server: Name::parse(server).expect("a name"),
                address: address.parse::<IpAddr>().expect("an address"),
                outcome,
                rtt: Duration::from_millis(10),
                protocol: Protocol::Udp,
                flaws: Flaws::default(),
            };
            evidence.add_observation(question.clone(), observation);
        }
    }
    evidence
}

/// Plans, judges and reports what was seen of a healthy domain.
fn judgement(criterion: &mut Criterion) {
    let scenario: Scenario = SCENARIO.parse().expect("the scenario parses");
    let expectation = expectation();
    let evidence = evidence(&scenario, &expectation);
    assert_eq!(plan::next(&expectation, &evidence), [], "nothing is left to ask");
    criterion.bench_function("plan, with nothing left to ask", |bencher| {
        bencher.iter(|| plan::next(black_box(&expectation), &evidence));
    });
    criterion.bench_function("judge", |bencher| bencher.iter(|| judge(black_box(&expectation), &evidence)));
    let judgement = judge(&expectation, &evidence);
    let context =
        Context { checked_at: jiff::Timestamp::UNIX_EPOCH, elapsed: Duration::from_millis(30), questions: 11 };
    criterion.bench_function("report", |bencher| {
        bencher.iter(|| Report::build(black_box(&expectation), &evidence, &judgement, &context));
    });
    let report = Report::build(&expectation, &evidence, &judgement, &context);
    criterion.bench_function("write a report", |bencher| {
        bencher.iter(|| serde_json::to_string(black_box(&report)).map(|text| text.len()));
    });
}

/// Finds the way to a name among a thousand known delegations.
fn cache(criterion: &mut Criterion) {
    let cache = CutCache::new(cut(".", None, &SERVERS), 64 << 20);
    cache.keep_cut(&cut("example.", Some("."), &SERVERS));
    for number in 0..1000 {
        cache.keep_cut(&cut(&format!("tenant{number}.example."), Some("example."), &SERVERS));
    }
    let name = Name::parse("t1._domainkey.mail.tenant7.example.").expect("a name");
    criterion.bench_function("find known delegations", |bencher| {
        bencher.iter(|| cache.known_cuts(black_box(&name), Duration::MAX));
    });
}

/// Runs whole checks without sockets.
fn checks(criterion: &mut Criterion) {
    let scenario: Arc<Scenario> = Arc::new(SCENARIO.parse().expect("the scenario parses"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let replay = Arc::new(Replay::new(Arc::clone(&scenario)));
    let checker = Checker::builder().root_hints(scenario.root_hints()).transport(replay).build().expect("a checker");
    let expectation = expectation();
    criterion.bench_function("check a healthy domain, replayed", |bencher| {
        bencher.to_async(&runtime).iter(|| async { checker.check(black_box(&expectation)).await });
    });
}

criterion_group!(benches, messages, transports, cache, judgement, checks);
criterion_main!(benches);
