//! Until when resolvers may keep what is no longer so, or will soon no longer be so.
//!
//! A resolver that asked just before the check may hold what the servers said then, for as long as they let it.
//! One check has no memory of earlier ones, so that it counts from itself: these are upper bounds for a change
//! that is made now. Only required records count, and only those that are not right everywhere.
//!
//! - **negative**: of all servers that say that a record is not there, the longest min(SOA TTL, SOA MINIMUM), at most
//!   3 hours; a negative answer without an SOA record is not kept (RFC 2308 §5).
//! - **positive**: of all servers that give something else than what is expected, the longest time to live; servers
//!   that have a record right while others do not do not count.
//! - **delegation**: of all zones whose delegation is found to be wrong, the longest time to live of the NS records
//!   at the parent; of the DS records where it is these that are wrong.
//!
//! Times to live above 7 days count as 7 days, as resolvers cap them (RFC 8767 §4).

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{RecordType, Ttl};
use crate::evidence::{Evidence, Observation};
use crate::expectation::Expected;
use crate::findings::{Argument, Code, Finding, JudgedRecord, Judgement, RecordStatus, Subject};
use crate::report::Horizons;

/// The longest that a negative answer is kept (RFC 2308 §5: one to three hours work well).
const MAX_NEGATIVE_SECONDS: u32 = 3 * 60 * 60;
/// The longest that a positive answer is kept (RFC 8767 §4: 7 days).
const MAX_POSITIVE_SECONDS: u32 = 7 * 24 * 60 * 60;
/// The findings after which the delegation is to be changed, or was just changed.
const OF_DELEGATION: &[Code] = &[
    Code::ExpiredParked,
    Code::DelegationLoop,
    Code::NsUnresolvable,
    Code::NsAddressForbidden,
    Code::LameAll,
    Code::LameSome,
    Code::WrongProviderEdited,
    Code::DnssecBogusNoDnskey,
    Code::GlueStale,
    Code::ParentChildNsMismatch,
];

impl Horizons {
    /// Computes the horizons of a check that ended at `checked_at`.
    pub(super) fn of(judgement: &Judgement, evidence: &Evidence, checked_at: Timestamp) -> Self {
        let until = |seconds: Option<u32>| {
            let lasting = Duration::from_secs(u64::from(seconds?));
            checked_at.checked_add(lasting).ok()
        };
        let is_open = |judged: &&JudgedRecord| judged.record.is_required && judged.status != RecordStatus::Ok;
        let seen: Vec<(&JudgedRecord, &Observation)> = judgement
            .records
            .iter()
            .filter(is_open)
            .flat_map(|judged| {
                let laggards = laggards(judged, &judgement.findings);
                let said = evidence.observations(&judged.record.question()).iter();
                said.filter(move |one| laggards.is_none_or(|addresses| addresses.contains(&one.address)))
                    .map(move |one| (judged, one))
            })
            .collect();
        let of_parents = judgement.findings.iter().filter_map(|finding| parent_seconds(finding, evidence));
        Self {
            negative_until: until(seen.iter().filter_map(|(_, one)| negative_seconds(one)).max()),
            positive_until: until(seen.iter().filter_map(|(judged, one)| positive_seconds(judged, one)).max()),
            delegation_until: until(of_parents.max()),
        }
    }
}

/// Returns the addresses that do not have a record right, where others have; `None` where all count.
fn laggards<'a>(judged: &JudgedRecord, findings: &'a [Finding]) -> Option<&'a [IpAddr]> {
    let names_it = |finding: &&Finding| {
        finding.code == Code::InconsistentServers
            && matches!(&finding.subject, Subject::Record { kind, .. } if *kind == judged.record.kind)
    };
    match findings.iter().find(names_it)?.arguments.get("addresses")? {
        Argument::Addresses(addresses) if judged.status == RecordStatus::Inconsistent => Some(addresses),
        _ => None,
    }
}

/// Returns how long a resolver may keep what the parent says of the zone that a finding is about: that of its keys where
/// these are wrong, else its servers.
fn parent_seconds(finding: &Finding, evidence: &Evidence) -> Option<u32> {
    let cut = evidence.cut(zone_of(finding, evidence)?)?;
    if finding.code != Code::DnssecBogusNoDnskey {
        return Some(capped(cut.ttl, MAX_POSITIVE_SECONDS));
    }
    let signers =
        evidence.all_observations().filter(|(asked, _)| asked.kind == RecordType::DS && asked.name == cut.zone);
    let ttls = signers.filter_map(|(_, seen)| match seen.response() {
        Some(Response::Answer(answer)) => Some(capped(answer.rrset.ttl, MAX_POSITIVE_SECONDS)),
        _ => None,
    });
    ttls.max()
}

/// Returns how long a resolver may keep a server's word that a record is not there.
fn negative_seconds(seen: &Observation) -> Option<u32> {
    match seen.response()? {
        Response::NoData(negative) | Response::NxDomain(negative) => {
            negative.ttl().map(|ttl| capped(ttl, MAX_NEGATIVE_SECONDS))
        }
        _ => None,
    }
}

/// Returns how long a resolver may keep another record than the one that is expected.
fn positive_seconds(judged: &JudgedRecord, seen: &Observation) -> Option<u32> {
    let ttl = match seen.response()? {
        Response::Answer(answer) => match (&judged.record.expected, answer.rrset.data()) {
            (Expected::Cname(target), [Rdata::Cname(found)]) if target == found => return None,
            _ => answer.rrset.ttl,
        },
        // Every link of a chain is kept on its own; the first one leads away from the record.
        Response::Alias(alias) => match (&judged.record.expected, alias.links.first()?) {
            (Expected::Cname(target), link) if link.target == *target => return None,
            (_, link) => link.ttl,
        },
        _ => return None,
    };
    Some(capped(ttl, MAX_POSITIVE_SECONDS))
}

/// Returns the zone whose delegation a finding is about.
fn zone_of<'a>(finding: &'a Finding, evidence: &'a Evidence) -> Option<&'a Name> {
    if !OF_DELEGATION.contains(&finding.code) {
        return None;
    }
    match &finding.subject {
        Subject::Zone(zone) | Subject::Server { zone, .. } => Some(zone),
        Subject::Domain(name) | Subject::Record { name, .. } => evidence.zone_of(name).map(|cut| &cut.zone),
    }
}

/// Returns the seconds of a time to live, at most `limit`.
fn capped(ttl: Ttl, limit: u32) -> u32 {
    ttl.seconds().min(limit)
}

#[cfg(test)]
mod tests;
