//! Whatever was seen, the plan ends, the judgement stands by the rules of the verdict, and the report is made.
//!
//! The input is read as (outcome, length, octets of a message) for one question after the other, as the plan asks them.
#![no_main]

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use zoneproof::check::plan::{self, Ask};
use zoneproof::dns::message::Message;
use zoneproof::dns::name::Name;
use zoneproof::dns::response::read_response;
use zoneproof::dns::rrset::Ttl;
use zoneproof::evidence::{
    ChainEnd, DelegationChain, Evidence, Flaws, NameServer, Observation, Outcome, Protocol, Reply, Silence, ZoneCut,
};
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Depth, Expectation};
use zoneproof::findings::{RecordStatus, judge};
use zoneproof::report::{Context, Report, Verdict};

/// More rounds than any plan takes.
const MAX_ROUNDS: usize = 60;

/// Takes the first octets off.
fn take<'a>(data: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = data.split_at(count.min(data.len()));
    *data = rest;
    taken
}

/// Makes what one server said to one question.
fn observation(data: &mut &[u8], ask: &Ask, zone: &Name, server: &Name, address: IpAddr) -> Observation {
    let kind = take(data, 1).first().copied().unwrap_or(1);
    let outcome = match kind % 4 {
        0 => Outcome::Silent([Silence::Timeout, Silence::Malformed, Silence::NoRoute, Silence::Limit][usize::from(kind / 4 % 4)]),
        _ => {
            let length = take(data, 1).first().copied().map_or(0, usize::from);
            let mut message = Message::decode(take(data, length)).unwrap_or_default();
            // Most of what is made up is about what was asked.
            if kind & 4 == 0 {
                message.flags.authoritative = true;
                for record in message.answers.iter_mut() {
                    record.owner = ask.question.name.clone();
                }
            }
            let reading = read_response(&message, &ask.question, zone);
            Outcome::Replied(Arc::new(Reply {
                response: reading.response,
                rcode: message.rcode,
                is_authoritative: message.flags.authoritative,
                dropped: reading.dropped,
                signatures: reading.signatures,
            }))
        }
    };
    Observation {
        zone: zone.clone(),
        server: server.clone(),
        address,
        outcome,
        rtt: Duration::from_millis(1),
        protocol: Protocol::Udp,
        flaws: Flaws::default(),
    }
}

fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let name = |text: &str| Name::parse(text).expect("a name");
    let depth = if take(&mut data, 1) == [1] { Depth::Full } else { Depth::Quick };
    let expectation = Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).expect("expected");
    let expectation = expectation.with_depth(depth);
    let servers: Vec<(Name, IpAddr)> =
        vec![(name("ada.ns.cloudflare.com."), [192, 0, 2, 1].into()), (name("bob.ns.cloudflare.com."), [192, 0, 2, 2].into())];
    let zone = name("example.com.");
    let mut evidence = Evidence::new("nobodychosethis".to_owned());
    evidence.add_cut(ZoneCut {
        zone: zone.clone(),
        parent: Some(name("com.")),
        servers: servers
            .iter()
            .map(|(name, address)| NameServer { name: name.clone(), addresses: vec![*address], unresolved: None })
            .collect(),
        ttl: Ttl::from_wire(300),
        proofs: None,
    });
    let chain = DelegationChain { zones: vec![Name::root(), name("com."), zone.clone()], end: ChainEnd::Reached };
    let mut asked: BTreeSet<Ask> = BTreeSet::new();
    for round in 0.. {
        assert!(round < MAX_ROUNDS, "the plan did not end");
        let mut asks = plan::next(&expectation, &evidence);
        asks.retain(|ask| asked.insert(ask.clone()));
        if asks.is_empty() {
            break;
        }
        for ask in asks {
            evidence.add_chain(ask.question.name.clone(), chain.clone());
            for (server, address) in &servers {
                let seen = observation(&mut data, &ask, &zone, server, *address);
                evidence.add_observation(ask.question.clone(), seen);
            }
        }
    }
    let judgement = judge(&expectation, &evidence);
    assert_eq!(judgement.records.len(), expectation.records.len());
    for record in &judgement.records {
        assert_eq!(record.code.is_none(), record.status == RecordStatus::Ok);
    }
    let context = Context { checked_at: jiff::Timestamp::UNIX_EPOCH, elapsed: Duration::ZERO, questions: 1 };
    let report = Report::build(&expectation, &evidence, &judgement, &context);
    if report.verdict == Verdict::Ready {
        assert!(report.root_cause.is_none());
    }
    serde_json::to_string(&report).expect("a report is JSON");
});
