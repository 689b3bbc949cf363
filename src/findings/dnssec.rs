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

/// The most DS records of a zone that are looked at (SECURITY.md A11).
const MAX_VOUCHERS: usize = 8;
/// The most keys of one server that are compared with them by digest (SECURITY.md A11: two for each tag). An owner can make
/// thousands that share one tag.
const MAX_KEYS_COMPARED: usize = 16;
/// For how long a signature may be over before it is called expired: as far as clocks differ.
const CLOCK_TOLERANCE_SECONDS: u32 = 3600;

/// Compares what a zone's parent vouches for with the keys that its servers give; at most one finding.
///
/// The keys are asked for only where there are DS records, which come with the referral at depth full. Nothing is said of what fewer than half of the servers answer, nor
/// of a zone with more DS records, or more keys that they may mean, than anybody has: comparing them all is made costly on
/// purpose.
/// Arguments: `key_tags`, those that the parent names; `digest_differs` where a key has the tag and another digest;
/// `seconds_over` and `signed`, how long the signatures over what have been over.
pub(super) fn examine(cut: &ZoneCut, severity: Severity, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let finding = compare(cut, severity, inquiry)?;
    proven_by_parent(finding, cut, inquiry)
}

/// Does what [`examine`] says, without the parent's word as proof.
fn compare(cut: &ZoneCut, severity: Severity, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let wanted = vouchers(cut, inquiry)?;
    if wanted.is_empty() || wanted.len() > MAX_VOUCHERS {
        return None;
    }
    let keys = inquiry.look_at_every(&Question::new(cut.zone.clone(), RecordType::DNSKEY));
    let is_named = |key: &KeyId| wanted.iter().any(|voucher| voucher.key == *key);
    let named_at = |seen: &&Observation| records_of(seen).filter_map(zone_key).filter(is_named).count();
    let most_named = keys.seen.iter().map(named_at).max().unwrap_or_default();
    if !standing(inquiry.evidence(), &keys.question, |_| true).is_checkable() || most_named > MAX_KEYS_COMPARED {
        return None;
    }
    let matching = |seen: &Observation| matching_keys(&cut.zone, seen, &wanted);
    let tags: BTreeSet<u16> = wanted.iter().map(|voucher| voucher.key.tag).collect();
    let tags = tags.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let start = |code: Code| {
        let finding = Finding::new(code, Subject::Zone(cut.zone.clone())).with_severity(severity);
        finding.with("key_tags", Argument::Text(tags.clone())).proven_by(&keys.question, keys.seen.clone())
    };
    if keys.seen.iter().all(|seen| matching(seen).is_empty()) {
        let finding = start(Code::DnssecBogusNoDnskey);
        return Some(if most_named > 0 {
            finding.with("digest_differs", Argument::Text("yes".to_owned()))
        } else {
            finding
        });
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
    let seen = inquiry.evidence().observations(&soa).iter().filter(|seen| seen.is_answer()).collect::<Vec<_>>();
    let seconds = latest_end(now, &seen, RecordType::SOA, |_| of_zone.clone())?;
    Some(over(seconds, "records").proven_by(&soa, seen))
}

/// Returns what the parent vouches for: what it says when asked for its DS records, else what it gave with the referral;
/// `None` where nobody knows. It is asked where the referral says nothing.
fn vouchers(cut: &ZoneCut, inquiry: &mut Inquiry<'_>) -> Option<BTreeSet<Voucher>> {
    let signer = Question::new(cut.zone.clone(), RecordType::DS);
    let parent = cut.parent.as_ref()?;
    if cut.proofs.is_none() || inquiry.is_asked_at(&signer, parent) {
        let vouched = inquiry.look_at(&signer, parent);
        return Some(records_of(vouched.seen.first()?).filter_map(Voucher::read).collect());
    }
    let given = cut.proofs.iter().flatten().filter(|record| record.owner == cut.zone);
    Some(given.filter_map(|record| Voucher::read(&record.rdata)).collect())
}

/// Says whether the parent vouches for keys of the zone that validators can follow.
pub(super) fn is_vouched_for(cut: &ZoneCut, inquiry: &mut Inquiry<'_>) -> bool {
    vouchers(cut, inquiry).is_some_and(|wanted| !wanted.is_empty())
}

/// Quotes what the parent says of the zone's keys, which it is asked anew before anything is found.
fn proven_by_parent(finding: Finding, cut: &ZoneCut, inquiry: &mut Inquiry<'_>) -> Option<Finding> {
    let signer = Question::new(cut.zone.clone(), RecordType::DS);
    let vouched = inquiry.look_at(&signer, cut.parent.as_ref()?);
    Some(finding.proven_by(&signer, vouched.seen))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dns::response::Answer;
    use crate::dns::rrset::{RRset, Record, Ttl};
    use crate::evidence::Evidence;
    use crate::findings::sample::{evidence, name, question, say};

    /// The tag that all keys of [`keys`] have.
    #[cfg(feature = "dnssec")]
    const TAG: u16 = 0x0100 + 0x0308 + 5000;

    /// Makes keys that differ and have one tag.
    fn keys(count: u16) -> Vec<Vec<u8>> {
        let pair = |number: u16| [number.to_be_bytes(), (5000 - number).to_be_bytes()].concat();
        (0..count).map(|number| [&[1, 0, 3, 8][..], &pair(number)].concat()).collect()
    }

    /// Makes DS records for a tag that differ and are of no key.
    fn signers(tag: u16, count: u8) -> Vec<Vec<u8>> {
        (0..count).map(|number| [&tag.to_be_bytes()[..], &[8, 2], &[number; 32]].concat()).collect()
    }

    /// Puts answers of octets in the place of what servers of a zone say to a question.
    fn answer(evidence: &mut Evidence, asked: &str, zone: &str, data: Vec<Vec<u8>>) {
        let asked = question(asked);
        say(evidence, &asked, &name(zone), None, "nodata");
        let octets = |octets: Vec<u8>| Rdata::Other { kind: asked.kind, octets: octets.into() };
        let record = |data| Record { owner: asked.name.clone(), ttl: Ttl::from_wire(300), rdata: octets(data) };
        let records: Vec<Record> = data.into_iter().map(record).collect();
        let rrset = RRset::collect(&asked.name, asked.kind, &records).unwrap();
        let seen: Vec<Observation> =
            evidence.all_observations().filter(|(known, _)| **known == asked).map(|(_, seen)| seen.clone()).collect();
        for mut seen in seen {
            if let Outcome::Replied(reply) = &mut seen.outcome {
                Arc::make_mut(reply).response = Response::Answer(Answer { rrset: rrset.clone(), dname: None });
            }
            evidence.add_observation(asked.clone(), seen);
        }
    }

    /// Examines `example.com.` with these DS records and keys.
    fn found(signers: Vec<Vec<u8>>, keys: Vec<Vec<u8>>) -> Option<Code> {
        let mut evidence = evidence("zone example.com. ns1.example.=192.0.2.1");
        answer(&mut evidence, "example.com. DS", "com.", signers);
        answer(&mut evidence, "example.com. DNSKEY", "example.com.", keys);
        let cut = evidence.cut(&name("example.com.")).unwrap();
        examine(cut, Severity::Error, &mut Inquiry::closed(&evidence)).map(|finding| finding.code)
    }

    #[test]
    fn nothing_is_said_of_more_ds_records_than_anybody_has() {
        assert_eq!(found(signers(1, 8), keys(3)), Some(Code::DnssecBogusNoDnskey));
        assert_eq!(found(signers(1, 9), keys(3)), None);
    }

    #[test]
    #[cfg(feature = "dnssec")]
    fn nothing_is_said_of_keys_of_one_tag_that_are_too_many_to_compare() {
        assert_eq!(found(signers(TAG, 8), keys(16)), Some(Code::DnssecBogusNoDnskey));
        assert_eq!(found(signers(TAG, 8), keys(17)), None);
        assert_eq!(found(signers(1, 8), keys(2000)), Some(Code::DnssecBogusNoDnskey), "keys that nothing names");
    }
}
