//! The demo is the generator's, is whole, and says of every fault what must come of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;

use super::*;
use crate::dns::name::Name;
use crate::dns::rrset::RecordType;
use crate::expectation::{DEFAULT_DKIM_ZONE, Expectation};
use crate::findings::catalogue::Code;
use crate::lab;
use crate::scenario::expect::{Check, Expect, Subject};
use crate::scenario::{Scenario, Task};

/// Where the tenants of the demo are kept.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/lab/tenants.scn");
/// Says whether the file is to be written anew.
const REFRESH: &str = "ZONEPROOF_WRITE_FIXTURES";

/// Codes that no tenant of the demo has: all sign with Easy DKIM, none has an alias for its sender domain or signs its
/// zone, and the lab's servers do not differ by protocol or address family.
const NOT_IN_THE_DEMO: &[Code] = &[
    Code::ByoCnameInstead,
    Code::ByoMultipleTxt,
    Code::ByoEscapedSemicolon,
    Code::ByoKeyLowercased,
    Code::ByoKeySplitSpace,
    Code::ByoKeyTruncated,
    Code::ByoRevoked,
    Code::ByoWeak,
    Code::ByoKeyMismatch,
    Code::CnameAtParent,
    Code::DnssecNotYetValid,
    Code::DnssecBadSignature,
    Code::DnssecMissingSignature,
    Code::DnssecMissingDenial,
    Code::DnssecTooMuchWork,
    Code::DnssecManyIterations,
    Code::SpfLeadingSpaceOrQuote,
    Code::SpfSplitWrong,
    Code::SpfType99,
    Code::SpfHostDoubled,
    Code::SpfLabelMissing,
    Code::SpfAsCname,
    Code::SpfOnUnusedName,
    Code::DmarcMisalign,
    Code::ExpiredParked,
    Code::WrongProviderEdited,
    Code::DnssecBogusNoDnskey,
    Code::DnssecExpiredSig,
    Code::CnameAtApex,
    Code::GlueStale,
    Code::AnswerTooLarge,
    Code::BrokenTcp,
    Code::BrokenEdns,
    Code::Broken0x20,
    Code::BrokenQmin,
    Code::RefusedByPolicy,
    Code::NoDelegationSubzone,
    Code::NsV6OnlyBroken,
    Code::DomainConnect,
];

/// Returns the check of a task of the demo, which has no others.
fn check(task: &Task) -> &Check {
    match &task.subject {
        Subject::Check(check) => check,
        Subject::Lookup(question) => panic!("{question} is no check"),
    }
}

/// Returns the codes that a task expects, as root cause or finding.
fn codes(task: &Task) -> BTreeSet<&str> {
    let code = |expect: &'_ Expect| match expect {
        Expect::RootCause(code) => code.clone(),
        Expect::Finding { code, .. } => Some(code.clone()),
        _ => None,
    };
    let words = task.expectations.iter().filter_map(code);
    words.map(|word| Code::from_word(&word).unwrap_or_else(|| panic!("{word} is no code")).as_str()).collect()
}

/// Returns the verdict that a task expects.
fn verdict(task: &Task) -> &str {
    let verdict = task.expectations.iter().find_map(|expect| match expect {
        Expect::Verdict(word) => Some(word.as_str()),
        _ => None,
    });
    verdict.unwrap_or_else(|| panic!("{} expects no verdict", check(task).domain))
}

#[test]
fn the_demo_is_what_the_generator_writes() {
    let written = fleet(DEMO_TENANTS, DEMO_SEED);
    if std::env::var_os(REFRESH).is_some() {
        fs::write(FIXTURE, &written).unwrap();
    }
    let kept = fs::read_to_string(FIXTURE).unwrap();
    assert!(
        kept == written,
        "the generator has moved on: run the test again with {REFRESH}=1 and look at the difference"
    );
}

#[test]
fn every_code_is_met_in_the_demo() {
    let demo = lab::demo().unwrap();
    let met: BTreeSet<&str> = demo.tasks.iter().flat_map(codes).collect();
    let in_demo = || Code::ALL.iter().filter(|code| !NOT_IN_THE_DEMO.contains(code)).map(|code| code.as_str());
    let missing: Vec<&str> = in_demo().filter(|code| !met.contains(code)).collect();
    assert_eq!(missing, [""; 0]);
    let smallest = lab::internet_with(&fleet(FAULTS_NEED, 1)).unwrap();
    let met: BTreeSet<&str> = smallest.tasks.iter().flat_map(codes).collect();
    assert!(in_demo().all(|code| met.contains(code)));
}

/// How many tenants it takes until every fault is there.
const FAULTS_NEED: usize = faults::FAULTS.len() * BROKEN_ONE_IN;

#[test]
fn two_thirds_are_right_and_one_is_not() {
    let demo = lab::demo().unwrap();
    assert_eq!(demo.tasks.len(), DEMO_TENANTS);
    let is_right = |task: &&Task| verdict(task) == "ready" && codes(task).iter().all(|code| *code == "dmarc_inherited");
    let right = demo.tasks.iter().filter(is_right).count();
    assert_eq!(right, DEMO_TENANTS - DEMO_TENANTS / BROKEN_ONE_IN);
    let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
    for task in &demo.tasks {
        *verdicts.entry(verdict(task)).or_default() += 1;
    }
    assert_eq!(verdicts.len(), 5, "{verdicts:?}");
}

#[test]
fn every_tenant_is_somebody_else_and_can_be_checked() {
    let demo = lab::demo().unwrap();
    let mut seen = BTreeSet::new();
    for task in &demo.tasks {
        let check = check(task);
        let dkim_zone = check.option("dkim_zone").unwrap_or(DEFAULT_DKIM_ZONE);
        let expectation = Expectation::new(&check.domain, &check.tokens(), dkim_zone).unwrap();
        assert!(seen.insert(expectation.domain), "{} comes twice", check.domain);
        assert!(check.tokens().iter().all(|token| token.len() == 32 && seen.insert(Name::parse(token).unwrap())));
    }
}

/// Says whether the servers of the deepest zone that is delegated all have the expected DKIM records.
fn is_right_everywhere(demo: &Scenario, check: &Check) -> bool {
    let dkim_zone = check.option("dkim_zone").unwrap_or(DEFAULT_DKIM_ZONE);
    let expectation = Expectation::new(&check.domain, &check.tokens(), dkim_zone).unwrap();
    expectation.records.iter().filter(|record| record.is_required).all(|record| {
        let zones = demo.zones().iter().filter(|served| record.name.is_subdomain_of(served.zone.origin()));
        let deepest = zones.clone().map(|served| served.zone.origin().label_count()).max();
        let mut copies = zones.filter(|served| Some(served.zone.origin().label_count()) == deepest);
        copies.all(|served| {
            let found = served.zone.records_at(&record.name, RecordType::CNAME);
            let target = expectation.dkim_zone.prepend(record.token().unwrap()).unwrap();
            found.len() == 1 && found[0].rdata.to_string() == target.to_string()
        })
    })
}

#[test]
fn the_records_are_right_where_the_verdict_is_ready_and_only_there() {
    let demo = lab::demo().unwrap();
    for task in &demo.tasks {
        // Of these the records are right and nobody can see them.
        if codes(task).contains("unable_to_check") {
            continue;
        }
        let check = check(task);
        assert_eq!(is_right_everywhere(&demo, check), verdict(task) == "ready", "{}", check.domain);
    }
}

#[test]
fn the_demo_stays_on_loopback_and_small() {
    let addresses = lab::demo().unwrap().addresses();
    assert!(addresses.len() < 200, "{} addresses", addresses.len());
    let is_planned = |address: &IpAddr| matches!(address, IpAddr::V4(v4) if matches!(v4.octets(), [127, 1..=4, ..]));
    assert!(addresses.iter().all(is_planned), "{addresses:?}");
}

#[test]
fn a_fleet_is_its_count_and_seed() {
    assert_eq!(fleet(50, 3), fleet(50, 3));
    assert_ne!(fleet(50, 3), fleet(50, 4));
    for count in [0, 1, 2, 3, 1000] {
        let scenario = lab::internet_with(&fleet(count, 9)).unwrap();
        assert_eq!(scenario.tasks.len(), count);
    }
}
