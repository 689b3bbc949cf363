//! What is worth knowing of DKIM records beside whether they are right.
//!
//! Reads what was seen anyhow; asks for more only at depth full. Never changes how a record stands.

use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Depth, Expectation, RecordKind};
use crate::findings::catalogue::Code;
use crate::findings::dkim::site::Site;
use crate::findings::finding::{Argument, Finding, RecordStatus, Subject};
use crate::findings::inquiry::{Inquiry, Sight};

/// From how many seconds on a time to live is long: a day (RFC 1912 §2.2 has one to five days for what never changes).
const LONG_TTL_SECONDS: u32 = 86_400;
/// The types that people add beside a CNAME; an address at a name of keys is of no use to anybody.
const TYPES_BESIDE: [RecordType; 2] = [RecordType::TXT, RecordType::MX];

/// Finds what is worth knowing; in no particular order.
pub(super) fn advise(sites: &[Site<'_>], inquiry: &mut Inquiry<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = sites.iter().filter_map(ttl_long).collect();
    // All records of a domain lie beside the same name that nobody made.
    let probe = sites.first().and_then(|site| site.wildcard_probe(inquiry.evidence()));
    let probe = probe.map(|name| Question::new(name, RecordType::CNAME));
    for site in sites.iter().filter(|site| site.standing.status() == RecordStatus::Ok) {
        findings.extend(probe.as_ref().and_then(|probe| wildcard_shadowing(site, probe, inquiry)));
        findings.extend(cname_and_other(site, inquiry));
    }
    findings
}

/// Finds that resolvers keep the record for long.
fn ttl_long(site: &Site<'_>) -> Option<Finding> {
    let ttl_of = |seen: &Observation| match seen.response() {
        Some(Response::Answer(answer)) => Some(answer.rrset.ttl.seconds()),
        Some(Response::Alias(alias)) => alias.links.first().map(|link| link.ttl.seconds()),
        _ => None,
    };
    let longest = site.standing.answering().filter_map(ttl_of).max()?;
    (longest >= LONG_TTL_SECONDS)
        .then(|| site.finding(Code::TtlLong).with("ttl_seconds", Argument::Number(u64::from(longest))))
}

/// Finds that a wildcard has the record's target, so that nobody can tell whether the record itself is there.
fn wildcard_shadowing(site: &Site<'_>, probe: &Question, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let sight = look_at_depth_full(site.expectation, inquiry, probe);
    (sight.cname_targets() == [site.target]).then(|| {
        let finding = site.finding(Code::WildcardShadowing).with("seen", Argument::Name(site.target.clone()));
        finding.proven_by(probe, sight.seen)
    })
}

/// Finds that servers answer with other records at the name of a CNAME.
fn cname_and_other(site: &Site<'_>, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let sights = TYPES_BESIDE
        .map(|kind| look_at_depth_full(site.expectation, inquiry, &Question::new(site.record.name.clone(), kind)));
    let is_beside = |seen: &&Observation| matches!(seen.response(), Some(Response::Answer(_)));
    let beside = sights.map(|sight| (sight.question, sight.seen.into_iter().filter(is_beside).collect::<Vec<_>>()));
    let beside: Vec<_> = beside.into_iter().filter(|(_, seen)| !seen.is_empty()).collect();
    if beside.is_empty() {
        return None;
    }
    let types: Vec<String> = beside.iter().map(|(question, _)| question.kind.to_string()).collect();
    let finding = site.finding(Code::CnameAndOther).with("types", Argument::Text(types.join(",")));
    Some(beside.into_iter().fold(finding, |finding, (question, seen)| finding.proven_by(&question, seen)))
}

/// Looks a question up at depth full; at depth quick takes what others had asked.
fn look_at_depth_full<'e>(expectation: &Expectation, inquiry: &mut Inquiry<'e>, question: &Question) -> Sight<'e> {
    if expectation.depth == Depth::Full {
        return inquiry.look(question);
    }
    let seen = inquiry.evidence().observations(question).iter().filter(|seen| seen.is_answer()).collect();
    Sight { question: question.clone(), seen }
}

/// Finds that the domain is an alias, so that its SPF record and its MX records are those of another name.
pub(super) fn cname_at_parent(expectation: &Expectation, evidence: &Evidence) -> Option<Finding> {
    let question = expectation.of_kind(RecordKind::Spf).find(|record| record.name == expectation.domain)?.question();
    let is_apex = evidence.zone_of(&question.name).is_none_or(|cut| cut.zone == question.name);
    let aliases: Vec<(&Observation, Argument)> = evidence
        .observations(&question)
        .iter()
        .filter_map(|seen| match seen.response() {
            Some(Response::Alias(alias)) if alias.dname.is_none() => {
                alias.links.first().map(|link| (seen, Argument::Name(link.target.clone())))
            }
            _ => None,
        })
        .collect();
    let (_, target) = aliases.first().filter(|_| !is_apex)?;
    let finding = Finding::new(Code::CnameAtParent, Subject::Domain(expectation.domain.clone()));
    Some(finding.with("seen", target.clone()).proven_by(&question, aliases.iter().map(|(seen, _)| *seen)))
}
