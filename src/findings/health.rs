//! How sound a zone is, beyond the records: its keys, its glue, its servers' versions, and whether it is parked.
//!
//! One examination serves the plan and the judgement, as with the DKIM records. The plan says which zones are looked
//! at; of others nothing was asked, so that nothing is found.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation, ZoneCut};
use crate::expectation::{Depth, Expectation, RecordKind};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::dnssec;
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus, Subject};
use crate::findings::inquiry::{Ask, Inquiry};
use crate::findings::zone::{HomeZone, home_zones};
use crate::providers::{self, Detection};
use crate::records::txt;

/// The name below a zone where its provider says where it takes settings (Domain Connect, section 4).
pub(crate) const DOMAIN_CONNECT: &str = "_domainconnect";

/// Returns what is left to ask about the zones that `is_meant`.
#[must_use]
pub fn wanted(expectation: &Expectation, evidence: &Evidence, is_meant: impl Fn(&Name) -> bool) -> Vec<Ask> {
    let mut inquiry = Inquiry::open(evidence);
    for home in registered(&home_zones(expectation, evidence)).filter(|home| is_meant(home.zone)) {
        examine(home, &mut inquiry);
        if expectation.depth == Depth::Full {
            broken_qmin(home, &mut inquiry);
        }
    }
    inquiry.into_wanted()
}

/// Finds what is not sound about the zones of the expected records.
pub(super) fn judge(zones: &[HomeZone<'_>], evidence: &Evidence, records: &[JudgedRecord]) -> Vec<Finding> {
    let mut inquiry = Inquiry::closed(evidence);
    let mut findings = Vec::new();
    for home in registered(zones) {
        findings.extend(examine(home, &mut inquiry));
        findings.extend(broken_qmin(home, &mut inquiry));
        findings.extend(cname_at_apex(evidence, home));
        findings.extend(no_delegation_subzone(evidence, home));
        findings.extend(serials_differ(evidence, home, records));
    }
    findings.sort_by(|one, other| one.rank().cmp(&other.rank()));
    findings.dedup();
    findings
}

/// Iterates over the zones that people registered, not registries.
fn registered<'a, 'e>(zones: &'a [HomeZone<'e>]) -> impl Iterator<Item = &'a HomeZone<'e>> {
    zones.iter().filter(|home| !home.is_registry)
}

/// Looks at one zone, and at the signed delegations above it.
fn examine(home: &HomeZone<'_>, inquiry: &mut Inquiry<'_>) -> Vec<Finding> {
    let Some(cut) = home.cut else { return Vec::new() };
    let is_required = home.records.iter().any(|record| record.is_required);
    let severity = if is_required { Severity::Error } else { Severity::Warning };
    let mut findings: Vec<Finding> = Vec::new();
    let above = |cut: &&ZoneCut| cut.parent.as_ref().and_then(|parent| inquiry.evidence().cut(parent));
    let way: Vec<&ZoneCut> =
        std::iter::successors(Some(cut), above).take_while(|cut| !is_registry(&cut.zone)).collect();
    // What an unsigned zone says of keys below it vouches for nothing (RFC 4035 §5.2).
    for signed in way.into_iter().rev() {
        findings.extend(dnssec::examine(signed, severity, inquiry));
        if !dnssec::is_vouched_for(signed, inquiry) {
            break;
        }
    }
    findings.extend(glue_stale(cut, inquiry));
    findings.extend(domain_connect(cut, inquiry));
    findings.extend(expired_parked(cut, severity, inquiry));
    findings
}

/// Finds addresses that the parent gives for servers inside the zone, and the zone itself does not (RFC 1034 §4.2.2).
///
/// A server that the zone does not know at all is left to others. Arguments: `servers`, `addresses` (those of the
/// parent alone), and `zone_addresses`.
fn glue_stale(cut: &ZoneCut, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let mut finding = Finding::new(Code::GlueStale, Subject::Zone(cut.zone.clone()));
    let (mut servers, mut stale, mut known) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for server in cut.servers.iter().filter(|server| server.name.is_subdomain_of(&cut.zone)) {
        for kind in [RecordType::A, RecordType::AAAA] {
            let is_of_kind = |address: &&IpAddr| address.is_ipv4() == (kind == RecordType::A);
            let given: BTreeSet<IpAddr> = server.addresses.iter().filter(is_of_kind).copied().collect();
            if given.is_empty() {
                continue;
            }
            let sight = inquiry.look(&Question::new(server.name.clone(), kind));
            let own: BTreeSet<IpAddr> = sight.seen.iter().flat_map(|seen| addresses_of(seen)).collect();
            if own.is_empty() || given.is_subset(&own) {
                continue;
            }
            servers.insert(server.name.clone());
            stale.extend(given.difference(&own).copied());
            known.extend(own);
            finding = finding.proven_by(&sight.question, sight.seen);
        }
    }
    (!servers.is_empty()).then(|| {
        finding
            .with("servers", Argument::Names(servers.into_iter().collect()))
            .with("addresses", Argument::Addresses(stale.into_iter().collect()))
            .with("zone_addresses", Argument::Addresses(known.into_iter().collect()))
    })
}

/// Finds that the zone's provider lets other services write records for its customers (Domain Connect).
///
/// A text that is no host name, such as a wildcard's, does not count. Argument: `host`, where settings are taken.
fn domain_connect(cut: &ZoneCut, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let mut sight = inquiry.look(&Question::new(cut.zone.prepend(DOMAIN_CONNECT).ok()?, RecordType::TXT));
    // Many panels set an alias up, which leads to a zone of the provider's own.
    if let Some(Response::Alias(alias)) = sight.seen.first().and_then(|seen| seen.response())
        && alias.rrset.is_none()
        && let Some(target) = alias.last_target()
    {
        sight = inquiry.look(&Question::new(target.clone(), RecordType::TXT));
    }
    let host = sight.seen.iter().find_map(|seen| {
        let rrset = match seen.response()? {
            Response::Answer(answer) => Some(&answer.rrset),
            Response::Alias(alias) => alias.rrset.as_ref(),
            _ => None,
        };
        rrset?.data().iter().find_map(settings_host)
    })?;
    let finding = Finding::new(Code::DomainConnect, Subject::Zone(cut.zone.clone()));
    Some(finding.with("host", Argument::Text(host)).proven_by(&sight.question, sight.seen))
}

/// Returns the text of a TXT record where it is a host name, with a path behind it or none.
fn settings_host(rdata: &Rdata) -> Option<String> {
    let Rdata::Txt(strings) = rdata else { return None };
    let text = String::from_utf8(txt::join(strings)).ok()?;
    let host = text.split('/').next().unwrap_or_default();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-._/".contains(character);
    let is_host = host.contains('.') && Name::parse(host).is_ok() && text.chars().all(is_plain);
    is_host.then_some(text)
}

/// Finds a server that says of the name above the keys that it does not exist, though it has a record below it: an empty
/// non-terminal exists (RFC 8020 §2). Arguments: `name`, `servers`, `addresses`.
fn broken_qmin(home: &HomeZone<'_>, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let evidence = inquiry.evidence();
    let has_record = |seen: &&Observation| matches!(seen.response(), Some(Response::Answer(_) | Response::Alias(_)));
    let mut keys = home.records.iter().filter(|record| record.kind == RecordKind::Dkim);
    let (question, holding) = keys.find_map(|record| {
        let question = record.question();
        let holding: Vec<_> = evidence.observations(&question).iter().filter(has_record).collect();
        (!holding.is_empty()).then_some((question, holding))
    })?;
    let above = question.name.parent().filter(|above| above.is_strictly_below(home.zone))?;
    let sight = inquiry.look(&Question::new(above.clone(), RecordType::A));
    let is_denied = |seen: &&Observation| matches!(seen.response(), Some(Response::NxDomain(_)));
    let is_same_server = |seen: &&Observation| holding.iter().any(|other| other.address == seen.address);
    let denying: Vec<&Observation> = sight.seen.into_iter().filter(is_denied).filter(is_same_server).collect();
    if denying.is_empty() {
        return None;
    }
    let addresses: BTreeSet<IpAddr> = denying.iter().map(|seen| seen.address).collect();
    let servers: BTreeSet<Name> = denying.iter().map(|seen| seen.server.clone()).collect();
    let below = holding.into_iter().filter(|seen| addresses.contains(&seen.address));
    let finding = Finding::new(Code::BrokenQmin, Subject::Zone(home.zone.clone()))
        .with("name", Argument::Name(above))
        .with("servers", Argument::Names(servers.into_iter().collect()))
        .proven_by(&question, below)
        .proven_by(&sight.question, denying);
    Some(finding.with("addresses", Argument::Addresses(addresses.into_iter().collect())))
}

/// Finds a zone below that some servers keep as one of its own and others do not, since the zone above does not delegate
/// it (RFC 1034 §4.2): who asks the latter does not see it.
///
/// The SOA records that come with negative answers show from which zone each server speaks. Arguments: `subzone`, and
/// `servers`, those that have it.
fn no_delegation_subzone(evidence: &Evidence, home: &HomeZone<'_>) -> Option<Finding> {
    let negatives = || {
        evidence.all_observations().filter(|(_, seen)| seen.zone == *home.zone).filter_map(
            |(question, seen)| match seen.response()? {
                Response::NoData(negative) | Response::NxDomain(negative) => {
                    negative.soa.as_ref().map(|(zone, ..)| (question, seen, zone))
                }
                _ => None,
            },
        )
    };
    let subzone = negatives().map(|(.., zone)| zone).find(|zone| zone.is_strictly_below(home.zone))?;
    let of = |spoken_for: &Name| {
        let below = negatives().filter(|(question, ..)| question.name.is_subdomain_of(subzone));
        below.filter(|(.., zone)| *zone == spoken_for).map(|(question, seen, _)| (question, seen)).collect::<Vec<_>>()
    };
    let (with, without) = (of(subzone), of(home.zone));
    let holders: BTreeSet<IpAddr> = with.iter().map(|(_, seen)| seen.address).collect();
    if without.is_empty() || without.iter().any(|(_, seen)| holders.contains(&seen.address)) {
        return None;
    }
    let servers: BTreeSet<Name> = with.iter().map(|(_, seen)| seen.server.clone()).collect();
    let finding = Finding::new(Code::NoDelegationSubzone, Subject::Zone(home.zone.clone()))
        .with("subzone", Argument::Name(subzone.clone()))
        .with("servers", Argument::Names(servers.into_iter().collect()));
    Some(with.into_iter().chain(without).fold(finding, |finding, (question, seen)| finding.proven_by(question, [seen])))
}

/// Finds that a zone is parked: its servers are of those where expired domains and such for sale are put, and any name
/// has the address of the apex. Argument: `servers`.
fn expired_parked(cut: &ZoneCut, severity: Severity, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let servers: Vec<Name> = cut.server_names().filter(|server| providers::is_parking(server)).cloned().collect();
    if servers.is_empty() {
        return None;
    }
    let made_up = cut.zone.prepend(&inquiry.evidence().probe_label).ok()?;
    let apex = inquiry.look(&Question::new(cut.zone.clone(), RecordType::A));
    let other = inquiry.look(&Question::new(made_up, RecordType::A));
    let of = |seen: &[&Observation]| seen.iter().flat_map(|seen| addresses_of(seen)).collect::<BTreeSet<IpAddr>>();
    if of(&apex.seen).is_disjoint(&of(&other.seen)) {
        return None;
    }
    let finding = Finding::new(Code::ExpiredParked, Subject::Zone(cut.zone.clone())).with_severity(severity);
    let finding = finding.with("servers", Argument::Names(servers));
    Some(finding.proven_by(&apex.question, apex.seen).proven_by(&other.question, other.seen))
}

/// Finds an alias at the apex of a zone, where SOA and NS must be and nothing may be beside an alias (RFC 1034 §3.6.2).
/// Argument: `target`.
fn cname_at_apex(evidence: &Evidence, home: &HomeZone<'_>) -> Option<Finding> {
    let aliases = || {
        evidence.all_observations().filter_map(|(question, seen)| {
            let Some(Response::Alias(alias)) = seen.response() else { return None };
            let link = alias.links.first().filter(|link| alias.dname.is_none() && link.owner == *home.zone)?;
            (seen.zone == *home.zone).then_some((question, seen, &link.target))
        })
    };
    let (_, _, target) = aliases().next()?;
    let finding = Finding::new(Code::CnameAtApex, Subject::Zone(home.zone.clone()));
    let finding = finding.with("target", Argument::Name(target.clone()));
    Some(aliases().fold(finding, |finding, (question, seen, _)| finding.proven_by(question, [seen])))
}

/// Finds servers of one operator that hold different versions of the zone, where they agree on the expected records:
/// else what differs says more (RFC 1034 §4.3.5). Arguments: `serials`, `servers`.
///
/// Several operators count on their own, each from its own start.
fn serials_differ(evidence: &Evidence, home: &HomeZone<'_>, records: &[JudgedRecord]) -> Option<Finding> {
    let question = Question::new(home.zone.clone(), RecordType::SOA);
    let mut by_serial: BTreeMap<u32, BTreeSet<&Name>> = BTreeMap::new();
    let seen = evidence.observations(&question);
    for one in seen {
        if let Some(serial) = serial_of(one) {
            by_serial.entry(serial).or_default().insert(&one.server);
        }
    }
    if by_serial.len() < 2 {
        return None;
    }
    let is_of_zone = |judged: &&JudgedRecord| home.records.contains(&&judged.record);
    let differ = records.iter().filter(is_of_zone).any(|judged| judged.status == RecordStatus::Inconsistent);
    let names: Vec<Name> = home.cut?.server_names().cloned().collect();
    if differ || matches!(providers::detect(&names, None), Detection::Mixed(_)) {
        return None;
    }
    let serials = by_serial.keys().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let servers: BTreeSet<&Name> = by_serial.into_values().flatten().collect();
    let finding = Finding::new(Code::InconsistentServers, Subject::Zone(home.zone.clone()))
        .with_severity(Severity::Notice)
        .with("serials", Argument::Text(serials))
        .with("servers", Argument::Names(servers.into_iter().cloned().collect()));
    Some(finding.proven_by(&question, seen.iter().filter(|one| one.is_answer())))
}

/// Returns the serial of an answer to an SOA question.
fn serial_of(seen: &Observation) -> Option<u32> {
    let Some(Response::Answer(answer)) = seen.response() else { return None };
    answer.rrset.data().iter().find_map(|rdata| match rdata {
        Rdata::Soa(soa) => Some(soa.serial),
        _ => None,
    })
}

/// Returns the addresses of an answer.
fn addresses_of(seen: &Observation) -> Vec<IpAddr> {
    let Some(Response::Answer(answer)) = seen.response() else { return Vec::new() };
    let addresses = answer.rrset.data().iter().filter_map(|rdata| match rdata {
        Rdata::A(address) => Some(IpAddr::V4(*address)),
        Rdata::Aaaa(address) => Some(IpAddr::V6(*address)),
        _ => None,
    });
    addresses.collect()
}
