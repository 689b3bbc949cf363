//! What the engine costs without sockets: reading one reply, writing one query, and a whole check of a
//! healthy domain that is replayed from a scenario.
#![expect(clippy::expect_used, clippy::panic, reason = "a bench ends where its fixture is broken")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use zoneproof::check::Checker;
use zoneproof::dns::message::{Edns, Message, encode_message, encode_query};
use zoneproof::dns::name::Name;
use zoneproof::dns::response::read_response;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::evidence::Protocol;
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Expectation};
use zoneproof::scenario::replay::Replay;
use zoneproof::scenario::{Action, Scenario};

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

/// Runs whole checks without sockets.
fn checks(criterion: &mut Criterion) {
    let scenario: Arc<Scenario> = Arc::new(SCENARIO.parse().expect("the scenario parses"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let replay = Arc::new(Replay::new(Arc::clone(&scenario)));
    let checker = Checker::builder().root_hints(scenario.root_hints()).transport(replay).build().expect("a checker");
    let expectation =
        Expectation::new("mail.tenant.example", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).expect("expected");
    criterion.bench_function("check a healthy domain, replayed", |bencher| {
        bencher.to_async(&runtime).iter(|| async { checker.check(black_box(&expectation)).await });
    });
}

criterion_group!(benches, messages, checks);
criterion_main!(benches);
