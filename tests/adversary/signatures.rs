//! Servers of a signed root of which one serves an old zone, or leaves out what proves.
#![cfg(feature = "dnssec")]

use std::sync::Arc;

use zoneproof::dns::dnssec::Signature;
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, Rcode, Record, RecordType};
use zoneproof::dnssec::{Bogus, anchor};
use zoneproof::scenario::{Scenario, Zone};
use zoneproof::walk::lookup::{Lookup, LookupFailure};

use crate::signer::{HOLDING, Signer, Times, zone_of};
use crate::zones::{World, paused};

/// The servers of the root.
const SERVERS: [&str; 2] = ["198.51.100.1", "198.51.100.2"];
/// Its records.
const RECORDS: &str = "  a TXT \"x\"\n  b TXT \"x\"\n  c.d TXT \"x\"\n  *.w TXT \"x\"\n";
/// A month of 2024.
const OVER: Times = (1_704_067_200, 1_706_745_600);

/// What is done to a zone after it was signed.
type Spoil = fn(Vec<Record>) -> Vec<Record>;

/// Signs the root for a time, and has it spoilt.
fn root(times: Times, spoil: Spoil) -> Zone {
    let plain: Scenario = format!("zone . at {}\n{RECORDS}", SERVERS[0]).parse().unwrap();
    let zone = plain.zone_at(SERVERS[0].parse().unwrap(), &Name::root()).unwrap();
    zone_of(&Name::root(), spoil(Signer::new(".", 0).sign_zone(zone, times)))
}

/// Writes a scenario in which each server has its own copy.
fn scenario(copies: [&Zone; 2]) -> String {
    let lines = |zone: &Zone| zone.to_zone_file().lines().skip(2).map(|line| format!("  {line}\n")).collect::<String>();
    copies.iter().zip(SERVERS).map(|(zone, server)| format!("zone . at {server}\n{}", lines(zone))).collect()
}

/// Looks a name up in a world that is asked for the first time.
fn look_up(text: &str, name: &str) -> Lookup {
    let anchors = anchor::parse(&format!(". DS {}", Signer::new(".", 0).ds())).unwrap();
    let world = World::new(text);
    paused().block_on(async {
        let hints = SERVERS.map(|server| (Name::parse(&format!("at.{server}.")).unwrap(), server.parse().unwrap()));
        let builder = world.builder_counting(&Arc::default()).root_hints(hints.into()).trust_anchors(anchors);
        let checker = builder.build().unwrap();
        checker.lookup(&Question::new(Name::parse(name).unwrap(), RecordType::TXT)).await
    })
}

/// Leaves out the signatures over a type.
fn without_signatures_over(records: Vec<Record>, kind: RecordType) -> Vec<Record> {
    let is_over = |record: &Record| Signature::read(&record.rdata).is_some_and(|signature| signature.covered == kind);
    records.into_iter().filter(|record| !is_over(record)).collect()
}

#[test]
fn one_server_whose_zone_proves_nothing_makes_no_zone_bogus_and_two_do() {
    let spoils: [(Times, Spoil, Bogus, &[&str]); 5] = [
        (OVER, |records| records, Bogus::Expired, &["a.", "c.d.", "x.w.", "nosuch."]),
        (HOLDING, |records| without_signatures_over(records, RecordType::TXT), Bogus::MissingSignature, &["a.", "b."]),
        (
            HOLDING,
            |records| without_signatures_over(records, RecordType::DNSKEY),
            Bogus::MissingSignature,
            &["a.", "c.d.", "x.w.", "nosuch."],
        ),
        (
            HOLDING,
            |records| records.into_iter().filter(|record| record.kind() != RecordType::DNSKEY).collect(),
            Bogus::NoMatchingKey,
            &["a.", "nosuch."],
        ),
        (
            HOLDING,
            |records| records.into_iter().filter(|record| record.kind() != RecordType::NSEC).collect(),
            Bogus::MissingDenial,
            &["nosuch.", "x.y.", "x.w.", "zz."],
        ),
    ];
    let good = root(HOLDING, |records| records);
    for (times, spoil, cause, names) in spoils {
        let bad = root(times, spoil);
        for name in names {
            for copies in [[&bad, &good], [&good, &bad]] {
                let lookup = look_up(&scenario(copies), name);
                assert_eq!(
                    (lookup.failure, lookup.authenticated),
                    (None, true),
                    "{cause:?} {name}: {:?}",
                    lookup.trace
                );
            }
            let lookup = look_up(&scenario([&bad, &bad]), name);
            assert_eq!((lookup.rcode, lookup.failure), (Rcode::SERVFAIL, Some(LookupFailure::Bogus(cause))), "{name}");
            assert!(lookup.trace.len() <= 16, "{name}: {:?}", lookup.trace);
        }
    }
}
