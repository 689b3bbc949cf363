//! Signed delegations that no validator can follow: found by comparing, not by verifying.
//!
//! The parent's DS records say which keys a zone must have. Where no server of the zone has one of them, or all
//! signatures over the keys are over, every validating resolver answers SERVFAIL for the whole zone.

use std::collections::BTreeSet;

use crate::dns::dnssec::{KeyId, Signature, key_vouched_for, zone_key};
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation, Outcome, ZoneCut};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::finding::{Argument, Finding, Subject};
use crate::findings::inquiry::{Inquiry, Sight};
use crate::findings::status::standing;

/// For how long a signature may be over before it is called expired: as far as clocks differ (faults.md §5).
const CLOCK_TOLERANCE_SECONDS: u32 = 3600;

/// Compares what a zone's parent vouches for with the keys that its servers give; at most one finding.
///
/// The keys are asked for only where there are DS records. Of what fewer than half of the servers answer, nothing is said.
pub(super) fn examine(cut: &ZoneCut, severity: Severity, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let signer = Question::new(cut.zone.clone(), RecordType::DS);
    let vouched = inquiry.look_at(&signer, cut.parent.as_ref()?);
    let wanted: BTreeSet<KeyId> = records_of(vouched.seen.first()?).filter_map(key_vouched_for).collect();
    if wanted.is_empty() {
        return None;
    }
    let keys = inquiry.look_at_every(&Question::new(cut.zone.clone(), RecordType::DNSKEY));
    if !standing(inquiry.evidence(), &keys.question, |_| true).is_checkable() {
        return None;
    }
    let (code, finding) = if keys.seen.iter().all(|seen| matching_keys(seen, &wanted).is_empty()) {
        (Code::DnssecBogusNoDnskey, None)
    } else {
        (Code::DnssecExpiredSig, Some(latest_end(inquiry.evidence(), &keys, &wanted)?))
    };
    let tags = wanted.iter().map(|key| key.tag.to_string()).collect::<Vec<_>>().join(", ");
    let mut finding = finding
        .into_iter()
        .fold(Finding::new(code, Subject::Zone(cut.zone.clone())).with_severity(severity), |finding, seconds| {
            finding.with("seconds_over", Argument::Number(u64::from(seconds)))
        });
    finding = finding.with("key_tags", Argument::Text(tags));
    Some(finding.proven_by(&signer, vouched.seen).proven_by(&keys.question, keys.seen))
}

/// Returns the keys of an answer that the parent vouches for.
fn matching_keys(seen: &Observation, wanted: &BTreeSet<KeyId>) -> BTreeSet<KeyId> {
    records_of(seen).filter_map(zone_key).filter(|key| wanted.contains(key)).collect()
}

/// Returns for how many seconds the signature over the keys has been over that lasted longest; `None` where one still
/// holds at a server, or some server gives none that could be looked at.
fn latest_end(evidence: &Evidence, keys: &Sight<'_>, wanted: &BTreeSet<KeyId>) -> Option<u32> {
    let now = evidence.gathered_at?;
    let mut shortest: Option<u32> = None;
    for seen in &keys.seen {
        let matching = matching_keys(seen, wanted);
        let Outcome::Replied(reply) = &seen.outcome else { return None };
        let signatures: Vec<Signature> = reply.signatures.iter().filter_map(Signature::read).collect();
        let of_keys = signatures
            .into_iter()
            .filter(|signature| signature.covered == RecordType::DNSKEY && matching.contains(&signature.key));
        let least = of_keys.map(|signature| signature.seconds_over(now)).min()?;
        shortest = Some(shortest.map_or(least, |known| known.min(least)));
    }
    shortest.filter(|seconds| *seconds > CLOCK_TOLERANCE_SECONDS)
}

/// Iterates over the data of an answer.
fn records_of(seen: &Observation) -> impl Iterator<Item = &Rdata> {
    let rrset = match seen.response() {
        Some(Response::Answer(answer)) => Some(&answer.rrset),
        _ => None,
    };
    rrset.into_iter().flat_map(|rrset| rrset.data())
}
