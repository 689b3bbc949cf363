//! What Amazon SES keeps at the targets of the DKIM records.
//!
//! Asked at depth full only, and only for records that are right. One live key of three is normal: SES empties the TXT
//! records of the two that it does not sign with. What could not be asked there says nothing about the domain.

use crate::dns::public_suffix::is_registry;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RRset, RecordType};
use crate::evidence::{ChainEnd, Evidence, Observation};
use crate::expectation::{DKIM_TOKENS, Depth};
use crate::findings::catalogue::Code;
use crate::findings::dkim::site::Site;
use crate::findings::finding::{Argument, Finding, RecordStatus, Subject};
use crate::findings::inquiry::{Inquiry, Sight};
use crate::records::dkim::{Key, ParseError, parse};
use crate::records::txt;

/// What stands at one target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Target {
    /// A key, or something that may be one.
    Key,
    /// The name is there, without a key.
    Empty,
    /// The name is not there.
    Nowhere,
    /// It could not be asked.
    Unknown,
}

/// Finds targets that are not there, and three of them without a key; in no particular order.
pub(super) fn judge(sites: &[Site<'_>], inquiry: &mut Inquiry<'_>) -> Vec<Finding> {
    let right: Vec<&Site<'_>> = sites
        .iter()
        .filter(|site| site.expectation.depth == Depth::Full && site.standing.status() == RecordStatus::Ok)
        .collect();
    let seen: Vec<(&Site<'_>, Sight<'_>, Target)> = right
        .into_iter()
        .map(|site| {
            let sight = inquiry.look(&Question::new(site.target.clone(), RecordType::TXT));
            let target = read(inquiry.evidence(), &sight);
            (site, sight, target)
        })
        .collect();
    let is_gone = |target: Target| target == Target::Nowhere;
    let gone = seen.iter().filter(|(_, _, target)| is_gone(*target));
    let mut findings: Vec<Finding> = gone
        .map(|(site, sight, _)| {
            site.finding(Code::SesTargetNxdomain).proven_by(&sight.question, sight.seen.iter().copied())
        })
        .collect();
    let is_without = |target: Target| matches!(target, Target::Empty | Target::Nowhere);
    let has_none = seen.len() == DKIM_TOKENS && seen.iter().all(|(_, _, target)| is_without(*target));
    // Where none is there at all, there is nothing that could be empty.
    if let Some((site, ..)) = seen.first().filter(|_| has_none && !seen.iter().all(|(_, _, target)| is_gone(*target))) {
        let mut targets: Vec<_> = seen.iter().map(|(site, ..)| site.target.clone()).collect();
        targets.sort();
        let finding = Finding::new(Code::SesKeyAllEmpty, Subject::Domain(site.expectation.domain.clone()))
            .with("targets", Argument::Names(targets));
        findings
            .push(seen.iter().fold(finding, |finding, (_, sight, _)| {
                finding.proven_by(&sight.question, sight.seen.iter().copied())
            }));
    }
    findings
}

/// Says what stands at a target; a registry that knows no such zone is no word of SES.
fn read(evidence: &Evidence, sight: &Sight<'_>) -> Target {
    let is_reached = evidence.chain(&sight.question.name).is_some_and(|chain| {
        chain.end == ChainEnd::Reached && chain.zones.last().is_some_and(|zone| !is_registry(zone))
    });
    if !is_reached || sight.seen.is_empty() {
        return Target::Unknown;
    }
    if sight.is_nxdomain() {
        return Target::Nowhere;
    }
    if sight.seen.iter().all(|seen| is_without_key(seen)) { Target::Empty } else { Target::Key }
}

/// Says whether a server says that there is no key, be it by an empty text or by none.
fn is_without_key(seen: &Observation) -> bool {
    let is_empty = |rrset: &RRset| {
        rrset.data().iter().all(|data| match data {
            Rdata::Txt(strings) => match parse(&txt::join(strings)) {
                Err(ParseError::Empty) => true,
                Ok(record) => record.key == Key::Revoked,
                Err(_) => false,
            },
            _ => false,
        })
    };
    match seen.response() {
        Some(Response::NoData(_) | Response::NxDomain(_)) => true,
        Some(Response::Answer(answer)) => is_empty(&answer.rrset),
        _ => false,
    }
}
