//! The delegation of the zones that hold the expected records: not there, in a circle, without addresses, at odds with the zone.

use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::public_suffix::{is_registry, registrable_name};
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{ChainEnd, Evidence, NameServer, Observation, Outcome, Silence, Unresolved};
use crate::expectation::{Expectation, ExpectedRecord};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus, Subject};
use crate::findings::status::standing;
use crate::findings::zone::{Conduct, HomeZone, home_zones};

/// How many of a registry's servers are enough to prove that a name is not there, however many are silent.
const REGISTRY_SERVERS_WANTED: usize = 2;

/// Finds what is wrong with the delegations, at most one finding of each code a zone.
///
/// An error where no server of the zone answers and a required record lies there, a warning otherwise. A registry's
/// zone is not the domain owner's to repair: of it only the former is told.
///
/// Does not tell [`Code::NotRegistered`] and [`Code::BudgetExceeded`], which are no matter of one zone.
pub(super) fn judge(zones: &[HomeZone<'_>], evidence: &Evidence) -> Vec<Finding> {
    let told = zones.iter().filter(|home| !(home.is_registry && home.is_answered()));
    told.flat_map(|home| {
        let about_servers = [delegation_loop(home), ns_unresolvable(home), ns_address_forbidden(home)];
        about_servers.into_iter().flatten().chain(parent_child_ns_mismatch(evidence, home))
    })
    .collect()
}

/// Finds that the domain is not registered: the deepest zone is a registry's, and all of its servers that answer, two
/// at least or half of those asked, say NXDOMAIN with AA to the questions for the expected records.
///
/// One name that is there, or has something below it (NODATA), shows that the domain exists.
/// Arguments: `registrable` and `parent`, the zone that was asked.
///
/// Source: RFC 1034 §4.3.2, RFC 8020 §2.
pub(super) fn not_registered(expectation: &Expectation, evidence: &Evidence) -> Option<Finding> {
    let ends = expectation.records.iter().filter_map(|record| evidence.chain(&record.name)?.zones.last());
    // Most domains are registered, and that is soon seen: all their records lie in one zone.
    let mut looked_at = None;
    let mut others = ends.filter(|zone| looked_at.replace(*zone) != Some(*zone));
    if !others.any(is_registry) {
        return None;
    }
    let registrable = registrable_name(&expectation.domain)?;
    let zones = home_zones(expectation, evidence);
    let home = zones.iter().find(|home| home.is_registry)?;
    let is_nxdomain = |seen: &Observation| matches!(seen.response(), Some(Response::NxDomain(_)));
    let standings: Vec<_> =
        home.records.iter().map(|record| standing(evidence, &record.question(), is_nxdomain)).collect();
    let is_proven =
        standings.iter().any(|standing| standing.is_checkable() || standing.right.len() >= REGISTRY_SERVERS_WANTED);
    if !is_proven || standings.iter().any(|standing| !standing.other.is_empty()) {
        return None;
    }
    let finding = Finding::new(Code::NotRegistered, Subject::Domain(expectation.domain.clone()))
        .with("registrable", Argument::Name(registrable))
        .with("parent", Argument::Name(home.zone.clone()));
    Some(home.prove(finding, |conduct| conduct == Conduct::Answers))
}

/// Finds that a limit of ours kept something from being asked: an error where a required record could not be checked
/// for that, a warning otherwise.
pub(super) fn budget_exceeded(
    expectation: &Expectation,
    evidence: &Evidence,
    records: &[JudgedRecord],
) -> Option<Finding> {
    let limited: Vec<&ExpectedRecord> =
        expectation.records.iter().filter(|record| is_limited(evidence, record)).collect();
    if limited.is_empty() && !evidence.is_budget_exceeded {
        return None;
    }
    let is_needed = |judged: &JudgedRecord| {
        judged.record.is_required
            && judged.status == RecordStatus::UnableToCheck
            && limited.iter().any(|record| **record == judged.record)
    };
    let severity = if records.iter().any(is_needed) { Severity::Error } else { Severity::Warning };
    let finding =
        Finding::new(Code::BudgetExceeded, Subject::Domain(expectation.domain.clone())).with_severity(severity);
    Some(limited.iter().fold(finding, |finding, record| {
        let question = record.question();
        finding.proven_by(&question, evidence.observations(&question).iter().filter(|seen| is_held_back(seen)))
    }))
}

/// Says whether a limit of ours kept a server from being asked.
fn is_held_back(seen: &Observation) -> bool {
    matches!(seen.outcome, Outcome::Silent(Silence::Limit))
}

/// Says whether a limit of ours kept the question of an expected record, or the way to it, from being asked out.
pub(super) fn is_limited(evidence: &Evidence, record: &ExpectedRecord) -> bool {
    let Some(chain) = evidence.chain(&record.name) else { return evidence.is_budget_exceeded };
    let zone = chain.zones.last();
    let servers = zone.and_then(|zone| evidence.cut(zone)).into_iter().flat_map(|cut| &cut.servers);
    let said = zone.map(|zone| evidence.observations_in(&record.question(), zone)).unwrap_or_default();
    chain.end == ChainEnd::Limit
        || servers.into_iter().any(|server| server.unresolved == Some(Unresolved::Limit))
        || said.iter().any(is_held_back)
        || (said.is_empty() && evidence.is_budget_exceeded)
}

/// Finds that the delegations lead in a circle: to learn the servers' addresses one must know them (RFC 9471 §1).
fn delegation_loop(home: &HomeZone<'_>) -> Option<Finding> {
    let servers = unresolved_servers(home, |why| why == Unresolved::Loop);
    let has_address = home.cut.is_some_and(|cut| cut.addresses().next().is_some());
    let is_loop = home.ends.contains(&ChainEnd::Loop) || (!has_address && !servers.is_empty());
    let names = Argument::Names(servers.iter().map(|server| server.name.clone()).collect());
    is_loop.then(|| {
        Finding::new(Code::DelegationLoop, Subject::Zone(home.zone.clone()))
            .with_severity(home.severity())
            .with("servers", names)
    })
}

/// Finds servers without an address. Arguments: `servers`, and `reason`, why there is none.
///
/// A limit of ours is no reason, and a loop is one only where other servers are left; both have codes of their own.
fn ns_unresolvable(home: &HomeZone<'_>) -> Option<Finding> {
    let has_address = home.cut.is_some_and(|cut| cut.addresses().next().is_some());
    let servers = unresolved_servers(home, |why| match why {
        Unresolved::Limit => false,
        Unresolved::Loop => has_address,
        Unresolved::NxDomain | Unresolved::NoAddress | Unresolved::Alias | Unresolved::Unanswered => true,
    });
    let reasons: BTreeSet<&str> = servers.iter().filter_map(|server| server.unresolved).map(reason).collect();
    let names = servers.iter().map(|server| server.name.clone()).collect();
    (!servers.is_empty()).then(|| {
        Finding::new(Code::NsUnresolvable, Subject::Zone(home.zone.clone()))
            .with_severity(home.severity())
            .with("servers", Argument::Names(names))
            .with("reason", Argument::Text(reasons.into_iter().collect::<Vec<_>>().join(", ")))
    })
}

/// Returns the servers of a zone that have no address for a reason that `is_meant`.
fn unresolved_servers<'e>(home: &HomeZone<'e>, is_meant: impl Fn(Unresolved) -> bool) -> Vec<&'e NameServer> {
    let servers = home.cut.into_iter().flat_map(|cut| &cut.servers);
    servers.filter(|server| server.addresses.is_empty() && server.unresolved.is_some_and(&is_meant)).collect()
}

/// Returns the word for why a server has no address.
fn reason(why: Unresolved) -> &'static str {
    match why {
        Unresolved::NxDomain => "nxdomain",
        Unresolved::NoAddress => "no_address",
        Unresolved::Alias => "alias",
        Unresolved::Unanswered => "unanswered",
        Unresolved::Loop => "loop",
        Unresolved::Limit => "limit",
    }
}

/// Finds servers on addresses that are never asked (RFC 6890). Arguments: `servers`, `addresses`.
fn ns_address_forbidden(home: &HomeZone<'_>) -> Option<Finding> {
    let is_forbidden = |conduct: Conduct| conduct == Conduct::Forbidden;
    let meant: Vec<_> = home.conducts().filter(|(_, _, conduct)| is_forbidden(*conduct)).collect();
    if meant.is_empty() {
        return None;
    }
    Some(home.prove(home.finding(Code::NsAddressForbidden, meant), is_forbidden))
}

/// Finds that parent and zone name different servers (RFC 1034 §4.2.2).
///
/// What the zone says is the union of what its answering servers say, so that one that lags behind is no difference
/// here. Arguments: `missing_at_parent`, `missing_at_child`.
fn parent_child_ns_mismatch(evidence: &Evidence, home: &HomeZone<'_>) -> Option<Finding> {
    let cut = home.cut?;
    let question = Question::new(home.zone.clone(), RecordType::NS);
    let at_apex = evidence.observations_in(&question, home.zone);
    let child: BTreeSet<&Name> = at_apex.iter().flat_map(ns_names).collect();
    if child.is_empty() {
        return None;
    }
    let parent: BTreeSet<&Name> = cut.server_names().collect();
    if child == parent {
        return None;
    }
    let names = |names: BTreeSet<&Name>| Argument::Names(names.into_iter().cloned().collect());
    let finding = Finding::new(Code::ParentChildNsMismatch, Subject::Zone(home.zone.clone()))
        .with("missing_at_parent", names(&child - &parent))
        .with("missing_at_child", names(&parent - &child))
        .proven_by(&question, at_apex.iter().filter(|seen| seen.is_answer()));
    let referrals = evidence.all_observations().filter(|(_, seen)| {
        matches!(seen.response(), Some(Response::Referral(referral)) if referral.zone == *home.zone)
            && Some(&seen.zone) == cut.parent.as_ref()
    });
    Some(referrals.fold(finding, |finding, (question, seen)| finding.proven_by(question, [seen])))
}

/// Returns the server names of an answer to an NS question.
fn ns_names(seen: &Observation) -> impl Iterator<Item = &Name> {
    let rrset = match seen.response() {
        Some(Response::Answer(answer)) => Some(&answer.rrset),
        _ => None,
    };
    rrset.into_iter().flat_map(|rrset| rrset.data()).filter_map(|rdata| match rdata {
        Rdata::Ns(server) => Some(server),
        _ => None,
    })
}
