//! Servers that answer, and are not as they should be: without EDNS, without TCP, in other letters, in one address family
//! only, or with more than fits.
//!
//! Read from what the exchanges for the expected records went through; nothing is asked for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::RRset;
use crate::evidence::{Evidence, Flaws, Observation};
use crate::expectation::{Expectation, ExpectedRecord};
use crate::findings::catalogue::Code;
use crate::findings::finding::{Argument, Finding, Subject};
use crate::findings::zone::{Conduct, HomeZone};

/// The most records of one type at a name that anybody needs (SECURITY.md A6).
const MAX_RECORDS: usize = 100;
/// The most octets of text at a name that anybody needs (SECURITY.md A6).
const MAX_TEXT_OCTETS: usize = 16 * 1024;

/// Finds flaws of the servers of the expected records' zones, at most one finding of each code a zone, and the records
/// that are too large.
pub(super) fn judge(expectation: &Expectation, zones: &[HomeZone<'_>], evidence: &Evidence) -> Vec<Finding> {
    // Nearly all servers are without flaws, and that is soon seen.
    let is_flawed = evidence.all_observations().any(|(_, seen)| seen.flaws != Flaws::default());
    let about_zones = zones.iter().filter(|home| !home.is_registry).flat_map(|home| {
        let of = |code: Code, has: fn(Flaws) -> bool| {
            if is_flawed { flawed(evidence, home, code, has) } else { None }
        };
        let flawed = [
            of(Code::BrokenEdns, |flaws| flaws.takes_no_edns),
            of(Code::BrokenTcp, |flaws| flaws.lacks_tcp),
            of(Code::Broken0x20, |flaws| flaws.loses_case),
            one_family_silent(evidence, home),
        ];
        flawed.into_iter().flatten()
    });
    about_zones.chain(expectation.records.iter().filter_map(|record| answer_too_large(evidence, record))).collect()
}

/// Finds the servers that have a flaw. Arguments: `servers`, `addresses`.
fn flawed(evidence: &Evidence, home: &HomeZone<'_>, code: Code, has: impl Fn(Flaws) -> bool) -> Option<Finding> {
    let mut finding = Finding::new(code, Subject::Zone(home.zone.clone()));
    let mut meant: Vec<(&Name, IpAddr)> = Vec::new();
    for record in &home.records {
        let question = record.question();
        let seen: Vec<&Observation> = evidence.observations(&question).iter().filter(|seen| has(seen.flaws)).collect();
        meant.extend(seen.iter().map(|seen| (&seen.server, seen.address)));
        finding = finding.proven_by(&question, seen);
    }
    (!meant.is_empty()).then(|| with_servers(finding, meant))
}

/// Adds names and addresses of servers.
fn with_servers<'e>(finding: Finding, meant: impl IntoIterator<Item = (&'e Name, IpAddr)>) -> Finding {
    let (servers, addresses): (BTreeSet<Name>, BTreeSet<IpAddr>) =
        meant.into_iter().map(|(server, address)| (server.clone(), address)).unzip();
    finding
        .with("servers", Argument::Names(servers.into_iter().collect()))
        .with("addresses", Argument::Addresses(addresses.into_iter().collect()))
}

/// Finds servers that answer over one of IPv4 and IPv6 and are out of reach over the other.
///
/// Only where somebody else did answer over the latter: else it may be this host's own network. Arguments: `servers`,
/// `addresses` (those out of reach).
fn one_family_silent(evidence: &Evidence, home: &HomeZone<'_>) -> Option<Finding> {
    if !home.conducts().any(|(_, _, conduct)| conduct == Conduct::Unreachable) {
        return None;
    }
    let works = |is_ipv4: bool| {
        evidence.all_observations().any(|(_, seen)| seen.is_answer() && seen.address.is_ipv4() == is_ipv4)
    };
    let mut by_server: BTreeMap<&Name, Vec<(IpAddr, Conduct)>> = BTreeMap::new();
    for (server, address, conduct) in home.conducts() {
        by_server.entry(server).or_default().push((address, conduct));
    }
    let mut meant: Vec<(&Name, IpAddr)> = Vec::new();
    for (server, conducts) in by_server {
        for is_ipv4 in [true, false] {
            let of = |family: bool| conducts.iter().filter(move |(address, _)| address.is_ipv4() == family);
            let is_dead = of(is_ipv4).all(|(_, conduct)| *conduct == Conduct::Unreachable);
            let other_answers = of(!is_ipv4).any(|(_, conduct)| *conduct == Conduct::Answers);
            if is_dead && other_answers && works(is_ipv4) {
                meant.extend(of(is_ipv4).map(|(address, _)| (server, *address)));
            }
        }
    }
    let is_meant = |seen: &&Observation| meant.iter().any(|(_, address)| *address == seen.address);
    let mut finding = Finding::new(Code::NsV6OnlyBroken, Subject::Zone(home.zone.clone()));
    for record in home.records.iter().filter(|_| !meant.is_empty()) {
        let question = record.question();
        finding = finding.proven_by(&question, evidence.observations(&question).iter().filter(is_meant));
    }
    (!meant.is_empty()).then(|| with_servers(finding, meant.iter().copied()))
}

/// Finds an expected record whose name holds more than anybody needs. Arguments: `records`, `octets`, of the largest answer.
fn answer_too_large(evidence: &Evidence, record: &ExpectedRecord) -> Option<Finding> {
    let question = record.question();
    let large: Vec<(&Observation, &RRset)> = evidence
        .observations(&question)
        .iter()
        .filter_map(|seen| match seen.response() {
            Some(Response::Answer(answer)) if is_too_large(&answer.rrset) => Some((seen, &answer.rrset)),
            _ => None,
        })
        .collect();
    let largest = large.iter().map(|(_, rrset)| (rrset.data().len(), text_octets(rrset))).max()?;
    let number = |count: usize| Argument::Number(u64::try_from(count).unwrap_or(u64::MAX));
    let finding = Finding::new(Code::AnswerTooLarge, record);
    let finding = finding.with("records", number(largest.0)).with("octets", number(largest.1));
    Some(finding.proven_by(&question, large.into_iter().map(|(seen, _)| seen)))
}

/// Says whether a record set is larger than anybody needs.
fn is_too_large(rrset: &RRset) -> bool {
    rrset.data().len() > MAX_RECORDS || text_octets(rrset) > MAX_TEXT_OCTETS
}

/// Returns how much text a record set holds.
fn text_octets(rrset: &RRset) -> usize {
    let strings = rrset.data().iter().filter_map(|rdata| match rdata {
        Rdata::Txt(strings) => Some(strings.iter().map(|string| string.len()).sum::<usize>()),
        _ => None,
    });
    strings.sum()
}
