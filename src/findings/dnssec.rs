//! Signed delegations that no validator can follow: found by comparing, not by verifying.
//!
//! The parent's DS records say which keys a zone must have. Where no server of the zone has one of them, or all
//! signatures over the keys are over, every validating resolver answers SERVFAIL for the whole zone. The signature over
//! the SOA record stands for those over the records: it is made anew with every version of the zone, so that none lasts
//! longer.

use std::collections::BTreeSet;

use crate::dns::dnssec::{KeyId, Signature, Voucher, zone_key};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Observation, Outcome, ZoneCut};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::finding::{Argument, Finding, Subject};
use crate::findings::inquiry::Inquiry;
use crate::findings::status::standing;

/// For how long a signature may be over before it is called expired: as far as clocks differ (faults.md §5).
const CLOCK_TOLERANCE_SECONDS: u32 = 3600;

/// Compares what a zone's parent vouches for with the keys that its servers give; at most one finding.
///
/// The keys are asked for only where there are DS records. Of what fewer than half of the servers answer, nothing is said.
/// Arguments: `key_tags`, those that the parent names; `digest_differs` where a key has the tag and another digest;
/// `seconds_over` and `signed`, how long the signatures over what have been over.
pub(super) fn examine(cut: &ZoneCut, severity: Severity, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let signer = Question::new(cut.zone.clone(), RecordType::DS);
    let vouched = inquiry.look_at(&signer, cut.parent.as_ref()?);
    let wanted: BTreeSet<Voucher> = records_of(vouched.seen.first()?).filter_map(Voucher::read).collect();
    if wanted.is_empty() {
        return None;
    }
    let keys = inquiry.look_at_every(&Question::new(cut.zone.clone(), RecordType::DNSKEY));
    if !standing(inquiry.evidence(), &keys.question, |_| true).is_checkable() {
        return None;
    }
    let matching = |seen: &Observation| matching_keys(&cut.zone, seen, &wanted);
    let tags: BTreeSet<u16> = wanted.iter().map(|voucher| voucher.key.tag).collect();
    let tags = tags.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let start = |code: Code| {
        let finding = Finding::new(code, Subject::Zone(cut.zone.clone())).with_severity(severity);
        let finding = finding.with("key_tags", Argument::Text(tags.clone())).proven_by(&signer, vouched.seen.clone());
        finding.proven_by(&keys.question, keys.seen.clone())
    };
    if keys.seen.iter().all(|seen| matching(seen).is_empty()) {
        let has_tag = |key: KeyId| wanted.iter().any(|voucher| voucher.key == key);
        let is_named = keys.seen.iter().flat_map(|seen| records_of(seen)).filter_map(zone_key).any(has_tag);
        let finding = start(Code::DnssecBogusNoDnskey);
        return Some(if is_named { finding.with("digest_differs", Argument::Text("yes".to_owned())) } else { finding });
    }
    let over = |seconds: u32, signed: &str| {
        let finding = start(Code::DnssecExpiredSig).with("signed", Argument::Text(signed.to_owned()));
        finding.with("seconds_over", Argument::Number(u64::from(seconds)))
    };
    let now = inquiry.evidence().gathered_at?;
    if let Some(seconds) = latest_end(now, &keys.seen, RecordType::DNSKEY, matching) {
        return Some(over(seconds, "keys"));
    }
    // The records themselves may be signed with any key of the zone.
    let of_zone: BTreeSet<KeyId> = keys.seen.iter().flat_map(|seen| records_of(seen)).filter_map(zone_key).collect();
    let soa = Question::new(cut.zone.clone(), RecordType::SOA);
    let seen = inquiry.evidence().observations(&soa).into_iter().filter(|seen| seen.is_answer()).collect::<Vec<_>>();
    let seconds = latest_end(now, &seen, RecordType::SOA, |_| of_zone.clone())?;
    Some(over(seconds, "records").proven_by(&soa, seen))
}

/// Returns the keys of an answer that the parent vouches for.
fn matching_keys(zone: &Name, seen: &Observation, wanted: &BTreeSet<Voucher>) -> BTreeSet<KeyId> {
    records_of(seen).filter_map(|key| wanted.iter().find_map(|voucher| voucher.key_of(zone, key))).collect()
}

/// Returns for how many seconds the signature over records of the type `covered` has been over that lasted longest, of
/// those by one of `keys`; `None` where one still holds at a server, or some server gives none that could be looked at.
fn latest_end(
    now: u32,
    seen: &[&Observation],
    covered: RecordType,
    keys: impl Fn(&Observation) -> BTreeSet<KeyId>,
) -> Option<u32> {
    let mut shortest: Option<u32> = None;
    for seen in seen {
        let matching = keys(seen);
        let Outcome::Replied(reply) = &seen.outcome else { return None };
        let of_keys = reply
            .signatures
            .iter()
            .filter_map(Signature::read)
            .filter(|signature| signature.covered == covered && matching.contains(&signature.key));
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
