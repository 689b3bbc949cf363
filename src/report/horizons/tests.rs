use std::sync::Arc;

use super::*;
use crate::dns::rdata::Soa;
use crate::dns::response::{Answer, Negative};
use crate::dns::rrset::{RRset, Rcode, Record};
use crate::evidence::{Outcome, Reply};
use crate::expectation::{DEFAULT_DKIM_ZONE, Expectation};
use crate::findings::sample::{evidence, name};

/// What the first of two servers says of the first DKIM record; the second one has it right.
enum Said {
    /// It is not there, with these times of the SOA record: to live, MINIMUM.
    No(u32, u32),
    /// It is not there, without an SOA record.
    NoSoa,
    /// This target, with this time to live.
    Target(&'static str, u32),
}

/// Returns the seconds of the (negative, positive, delegation) horizons.
fn seconds(said: &Said, status: RecordStatus, findings: Vec<Finding>) -> [Option<i64>; 3] {
    let expectation = Expectation::new("example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let record = expectation.records[0].clone();
    let mut evidence = evidence(
        "zone example.com. ns1.example.=192.0.2.1 ns2.example.=192.0.2.2
         t1._domainkey.example.com. CNAME: t1.dkim.amazonses.com.",
    );
    let first = evidence.observations(&record.question())[0].clone();
    let response = match said {
        Said::NoSoa => Response::NoData(Negative { soa: None }),
        Said::No(ttl, minimum) => {
            Response::NxDomain(Negative { soa: Some((name("example.com."), soa(*minimum), Ttl::from_wire(*ttl))) })
        }
        Said::Target(target, ttl) => {
            let found =
                Record { owner: record.name.clone(), ttl: Ttl::from_wire(*ttl), rdata: Rdata::Cname(name(target)) };
            let rrset = RRset::collect(&record.name, record.record_type, &[found]).unwrap();
            Response::Answer(Answer { rrset, dname: None })
        }
    };
    let outcome = Outcome::Replied(Arc::new(Reply {
        response,
        rcode: Rcode::NOERROR,
        is_authoritative: true,
        dropped: Vec::new(),
        signatures: Vec::new(),
    }));
    evidence.add_observation(record.question(), Observation { outcome, ..first });
    let judged = JudgedRecord { record, status, code: None, is_right_somewhere: true, found: Vec::new() };
    let judgement = Judgement { records: vec![judged], findings, root_cause: None };
    let start: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let horizons = Horizons::of(&judgement, &evidence, start);
    [horizons.negative_until, horizons.positive_until, horizons.delegation_until]
        .map(|until| until.map(|until| until.as_second() - start.as_second()))
}

fn soa(minimum: u32) -> Soa {
    Soa {
        mname: name("ns1.example."),
        rname: name("admin.example."),
        serial: 1,
        refresh: 7200,
        retry: 900,
        expire: 1_209_600,
        minimum: Ttl::from_wire(minimum),
    }
}

#[test]
fn a_no_and_an_old_value_last_as_long_as_the_servers_let_them() {
    for (said, expected) in [
        (Said::No(900, 300), [Some(300), None, None]),
        (Said::No(300, 900), [Some(300), None, None]),
        (Said::No(86_400, 86_400), [Some(10_800), None, None]),
        (Said::NoSoa, [None, None, None]),
        (Said::Target("old.example.", 3600), [None, Some(3600), None]),
        (Said::Target("old.example.", 2_000_000), [None, Some(604_800), None]),
        (Said::Target("T1.dkim.amazonses.com.", 3600), [None, None, None]),
    ] {
        assert_eq!(seconds(&said, RecordStatus::Inconsistent, Vec::new()), expected);
    }
}

#[test]
fn a_record_that_is_right_everywhere_has_no_horizon() {
    assert_eq!(seconds(&Said::No(900, 300), RecordStatus::Ok, Vec::new()), [None; 3]);
}

#[test]
fn only_a_wrong_delegation_has_a_horizon() {
    let right = Said::Target("t1.dkim.amazonses.com.", 60);
    for (code, subject, expected) in [
        (Code::LameSome, Subject::Zone(name("example.com.")), Some(300)),
        (Code::NsUnresolvable, Subject::Server { zone: name("example.com."), server: name("ns1.example.") }, Some(300)),
        (Code::ParentChildNsMismatch, Subject::Zone(name("elsewhere.example.")), None),
        (Code::NsUnreachable, Subject::Zone(name("example.com.")), None),
    ] {
        let findings = vec![Finding::new(code, subject)];
        assert_eq!(seconds(&right, RecordStatus::Ok, findings), [None, None, expected], "{}", code.as_str());
    }
}
