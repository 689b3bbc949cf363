//! What checks and lookups cost of zones that are made to cost, as the time of the processor that one thread takes, and
//! the longest time for which it lets nobody else have a turn. Printed, and decides nothing:
//! `cargo test --release --test adversary costs -- --ignored --nocapture`.
#![cfg(feature = "dnssec")]

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::poll_fn;
use nix::time::{ClockId, clock_gettime};
use zoneproof::check::Checker;
use zoneproof::dns::dnssec::zone_key;
use zoneproof::dns::message::{Edns, Flags, Message};
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::rrset::{Question, Record, RecordType};
use zoneproof::dnssec::anchor;
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Depth, Expectation};
use zoneproof::scenario::Scenario;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::{Exchange, Query, Transport};

use crate::signer::{HOLDING, Signer, other, ttl, zone_of};
use crate::zones::{World, paused};

/// The zone that is made to cost.
const ZONE: &str = "example.com.";
/// Its server.
const SERVER: &str = "192.0.2.1";
/// How often each is done.
const ROUNDS: u32 = 20;
/// The octets of a reply, of which as many records as fit are put into one.
const REPLY_OCTETS: usize = 65_000;

/// What a hostile zone says to whatever is asked for with signatures.
type Trap = fn(&Question) -> (Vec<Record>, Vec<Record>);

/// A network with one zone whose servers say what costs.
struct Trapped {
    /// The network.
    world: Arc<World>,
    /// What they say.
    trap: Trap,
    /// What they said: making it up is no cost of ours.
    said: Mutex<HashMap<Question, Message>>,
}

impl Transport for Trapped {
    async fn exchange(&self, query: &Query) -> Exchange {
        let is_trapped = query.server.to_string() == SERVER && query.question.name != Name::parse(ZONE).unwrap();
        if !is_trapped || !query.dnssec_ok {
            return self.world.exchange(query).await;
        }
        let mut exchange = self.world.exchange(query).await;
        query.budget.spend_octets(REPLY_OCTETS);
        exchange.outcome = Ok(self.say(&query.question).into());
        exchange
    }
}

impl Trapped {
    /// Returns what is said to a question.
    fn say(&self, question: &Question) -> Message {
        let make = || {
            let (answers, authority) = (self.trap)(question);
            let flags = Flags { is_reply: true, authoritative: true, ..Flags::default() };
            let (question, edns) = (Some(question.clone()), Some(Edns::default()));
            Message { flags, question, answers, authority, edns, ..Message::default() }
        };
        self.said.lock().unwrap().entry(question.clone()).or_insert_with(make).clone()
    }
}

/// Signs a zone that has a key of its own and 500 further ones of another tag, all signed.
fn signed(zone: &str, text: &str, address: &str) -> String {
    let signer = Signer::new(zone, 0);
    let name = Name::parse(zone).unwrap();
    let plain: Scenario = format!("zone {zone} at {address}\n{text}").parse().unwrap();
    let mut zone = zone_of(&name, plain.zone_at(address.parse().unwrap(), &name).unwrap().records()).records();
    if name == Name::parse(ZONE).unwrap() {
        zone.extend(keys().into_iter().map(|rdata| Record { owner: name.clone(), ttl: ttl(300), rdata }));
    }
    let signed = zone_of(&name, signer.sign_zone(&zone_of(&name, zone), HOLDING));
    let lines = signed.to_zone_file().lines().skip(2).map(|line| format!("  {line}\n")).collect::<String>();
    format!("zone {name} at {address}\n{lines}")
}

/// Makes 500 keys of one tag: of two numbers one goes up and one down (RFC 4034 appendix B).
fn keys() -> Vec<Rdata> {
    let key = |nth: u16| {
        let numbers = [nth.to_be_bytes(), (0x7fff - nth).to_be_bytes()].concat();
        other(RecordType::DNSKEY, [&[1, 0, 3, 15][..], &numbers, &[9; 28]].concat())
    };
    (0..500).map(key).collect()
}

/// Makes a signature that nobody made, by the 500 keys.
fn signature(question: &Question, covered: RecordType, nth: u32) -> Rdata {
    let tag = zone_key(&keys()[0]).unwrap().tag;
    let labels = u8::try_from(question.name.label_count()).unwrap();
    let times = [300, HOLDING.1, HOLDING.0 + nth].map(u32::to_be_bytes).concat();
    let zone = Name::parse(ZONE).unwrap();
    let front = [&covered.0.to_be_bytes()[..], &[15, labels], &times, &tag.to_be_bytes()].concat();
    other(RecordType::RRSIG, [&front, zone.wire(), &[7; 64]].concat())
}

/// 500 signatures over one record.
fn signatures(question: &Question) -> (Vec<Record>, Vec<Record>) {
    let record = |rdata| Record { owner: question.name.clone(), ttl: ttl(300), rdata };
    let target = Rdata::Cname(Name::parse("t1.dkim.amazonses.com.").unwrap());
    let over = (0..500).map(|nth| record(signature(question, RecordType::CNAME, nth)));
    (std::iter::once(record(target)).chain(over).collect(), Vec::new())
}

/// 3,000 records that deny something.
fn denials(_: &Question) -> (Vec<Record>, Vec<Record>) {
    let zone = Name::parse(ZONE).unwrap();
    let record = |nth: u16| Record {
        owner: zone.prepend(format!("n{nth}")).unwrap(),
        ttl: ttl(300),
        rdata: other(RecordType::NSEC, vec![0, 0, 1, 0x40]),
    };
    (Vec::new(), (0..3000).map(record).collect())
}

/// 1,000 records that deny hashes, one of them signed by nobody, at 2,500 iterations.
fn hashes(question: &Question) -> (Vec<Record>, Vec<Record>) {
    let zone = Name::parse(ZONE).unwrap();
    let link = [&[1, 0, 9, 196, 0, 20][..], &[0x11; 20], &[0, 1, 0x40]].concat();
    let owner = |nth: u16| zone.prepend(format!("{nth:032}")).unwrap();
    let denial = |nth| Record { owner: owner(nth), ttl: ttl(300), rdata: other(RecordType::NSEC3, link.clone()) };
    let over = |nth| Record { owner: owner(nth), ttl: ttl(300), rdata: signature(question, RecordType::NSEC3, 0) };
    (Vec::new(), (0..500).flat_map(|nth| [denial(nth), over(nth)]).collect())
}

/// Returns the time of the processor that this thread took so far.
fn processor_time() -> Duration {
    // Not `getrusage`: it tells threads apart on Linux alone.
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// Does something and returns the longest time for which it kept its thread.
async fn longest_turn<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let mut work = pin!(work);
    let mut longest = Duration::ZERO;
    let done = poll_fn(|context| {
        let before = processor_time();
        let polled = work.as_mut().poll(context);
        longest = longest.max(processor_time() - before);
        polled
    })
    .await;
    (done, longest)
}

/// Makes a checker that knows nothing yet.
fn checker(transport: &Arc<Trapped>) -> Checker {
    let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
    let hints = vec![(Name::parse("a.").unwrap(), "198.51.100.1".parse().unwrap())];
    let anchors = anchor::parse(&format!(". DS {}", Signer::new(".", 0).ds())).unwrap();
    let stack = stack(Arc::clone(transport) as _, Arc::clone(transport) as _, &settings);
    Checker::builder().root_hints(hints).transport(stack).trust_anchors(anchors).build().unwrap()
}

#[test]
#[ignore = "prints what it measures; run it alone and with --release"]
fn what_hostile_zones_cost() {
    let ds = |zone: &str| Signer::new(zone, 0).ds();
    let records = "  t1._domainkey.mail CNAME t1.dkim.amazonses.com.\n  t2._domainkey.mail CNAME t2.dkim.amazonses.com.\n  \
        t3._domainkey.mail CNAME t3.dkim.amazonses.com.\n  mail TXT \"v=spf1 include:amazonses.com ~all\"\n";
    let root = format!("  com NS a.nic.com.\n  a.nic.com A 198.51.100.11\n  com DS {}\n", ds("com."));
    let com = format!("  example NS ns1.example\n  ns1.example A 192.0.2.1\n  example DS {}\n", ds(ZONE));
    let text =
        signed(".", &root, "198.51.100.1") + &signed("com.", &com, "198.51.100.11") + &signed(ZONE, records, SERVER);
    let first = Question::new(Name::parse("t1._domainkey.mail.example.com.").unwrap(), RecordType::CNAME);
    let expectation = Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let expectation = expectation.with_depth(Depth::Full);
    let traps: [(&str, Trap); 3] =
        [("500 signatures, 500 keys of one tag", signatures), ("3,000 denials", denials), ("2,500 iterations", hashes)];
    for (told, trap) in traps {
        let trapped = Arc::new(Trapped { world: World::new(&text), trap, said: Mutex::default() });
        let (mut spent, mut longest) = ([Duration::ZERO; 2], [Duration::ZERO; 2]);
        let mut said = String::new();
        for round in 0..=ROUNDS {
            // What is made up in the first round is known in the others.
            if round == 1 {
                (spent, longest) = ([Duration::ZERO; 2], [Duration::ZERO; 2]);
            }
            paused().block_on(async {
                let anew = checker(&trapped);
                let before = processor_time();
                let (lookup, turn) = longest_turn(anew.lookup(&first)).await;
                spent[0] += processor_time() - before;
                longest[0] = longest[0].max(turn);
                let anew = checker(&trapped);
                let before = processor_time();
                let (report, turn) = longest_turn(anew.check(&expectation)).await;
                spent[1] += processor_time() - before;
                longest[1] = longest[1].max(turn);
                let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
                said = format!(
                    "{:?}, {:?} {codes:?}, {} questions",
                    lookup.failure, report.verdict, report.cost.questions
                );
            });
        }
        let [lookup, check] = spent.map(|all| all / ROUNDS);
        println!(
            "{told}: lookup {lookup:?}, longest turn {:?}; check {check:?}, longest turn {:?}; {said}",
            longest[0], longest[1]
        );
    }
}
