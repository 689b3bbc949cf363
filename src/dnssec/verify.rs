//! Whether a record set is signed with one of a zone's keys (RFC 4035 §5.3).

use crate::dns::crypto::is_signed_by;
use crate::dnssec::keys::ZoneKeys;
use crate::dnssec::record::SignatureRecord;
use crate::dnssec::signed_set::{SignedSet, signed_label_count};
use crate::dnssec::{Bogus, Work};

/// How many signatures over one set are verified (SECURITY.md A11).
const MAX_SIGNATURES: usize = 4;
/// How many keys with the same tag are tried (SECURITY.md A11; KeyTrap, CVE-2023-50387).
const MAX_KEYS_OF_A_TAG: usize = 2;

/// A set whose signature holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verified {
    /// How many labels the closest encloser has whose wildcard the set was made from; `None` where it was not.
    ///
    /// The set then counts only with a proof that no closer name is there (RFC 4035 §5.3.4).
    pub wildcard_below: Option<usize>,
}

/// Checks a set against the keys of the zone that it claims to be signed by.
///
/// # Errors
/// The cause that comes closest to a signature that holds; [`Bogus::TooMuchWork`] where signatures or keys were left that may
/// fit, so that nothing is shown.
pub fn verify_set(set: &SignedSet, keys: &ZoneKeys, now: u32, work: &mut Work) -> Result<Verified, Bogus> {
    let mut cause = Bogus::MissingSignature;
    let mut looked_at = 0;
    for signature in set.signatures.iter().filter(|signature| signature.signer == keys.zone) {
        if let Err(why) = may_hold(set, signature, keys, now) {
            cause = closer(cause, why);
            continue;
        }
        if looked_at == MAX_SIGNATURES {
            return Err(Bogus::TooMuchWork);
        }
        looked_at += 1;
        match verify_signature(set, signature, keys, work) {
            Ok(verified) => return Ok(verified),
            Err(Bogus::TooMuchWork) => return Err(Bogus::TooMuchWork),
            Err(why) => cause = closer(cause, why),
        }
    }
    Err(cause)
}

/// Of two causes, returns the one that tells more: a signature that was made over other records is worse than one that
/// ran out, and both tell more than a key that is not there.
fn closer(one: Bogus, other: Bogus) -> Bogus {
    let order = [Bogus::BadSignature, Bogus::Expired, Bogus::NotYetValid, Bogus::NoMatchingKey];
    order.into_iter().find(|cause| [one, other].contains(cause)).unwrap_or(one)
}

/// Checks all of a signature that costs nothing: that it is of the zone, in time, and by a key that is there.
fn may_hold(set: &SignedSet, signature: &SignatureRecord, keys: &ZoneKeys, now: u32) -> Result<(), Bogus> {
    if !set.owner.is_subdomain_of(&keys.zone) {
        return Err(Bogus::BadSignature);
    }
    holds_at(signature, now)?;
    let is_there = keys.keys.iter().any(|key| key.id == signature.key);
    if is_there { Ok(()) } else { Err(Bogus::NoMatchingKey) }
}

/// Checks one signature with the keys that it may be by. It is one failure that none of them made it: an honest zone may have
/// two keys of one tag.
fn verify_signature(
    set: &SignedSet,
    signature: &SignatureRecord,
    keys: &ZoneKeys,
    work: &mut Work,
) -> Result<Verified, Bogus> {
    let signed = set.signed_octets(signature).ok_or(Bogus::BadSignature)?;
    let fitting = || keys.keys.iter().filter(|key| key.id == signature.key);
    for key in fitting().take(MAX_KEYS_OF_A_TAG) {
        work.verify()?;
        if is_signed_by(key.id.algorithm, &key.public_key, &signed, &signature.signature) {
            let is_expanded = signature.labels < signed_label_count(&set.owner);
            return Ok(Verified { wildcard_below: is_expanded.then_some(signature.labels) });
        }
    }
    work.fail()?;
    if fitting().count() > MAX_KEYS_OF_A_TAG { Err(Bogus::TooMuchWork) } else { Err(Bogus::BadSignature) }
}

/// Says whether a signature holds at `now`, by a clock that wraps around (RFC 4034 §3.1.5, RFC 1982 §3.2).
fn holds_at(signature: &SignatureRecord, now: u32) -> Result<(), Bogus> {
    let is_past = |time: u32| now.wrapping_sub(time) < 1 << 31;
    if now != signature.expiration && is_past(signature.expiration) {
        Err(Bogus::Expired)
    } else if is_past(signature.inception) {
        Ok(())
    } else {
        Err(Bogus::NotYetValid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::dnssec::KeyId;
    use crate::dns::name::Name;
    use crate::dns::rdata::Rdata;
    use crate::dns::rrset::RecordType;
    use crate::dnssec::record::ZoneKey;

    const KEY: KeyId = KeyId { tag: 1, algorithm: 13 };

    fn signature(signer: &str, inception: u32, expiration: u32) -> SignatureRecord {
        SignatureRecord {
            covered: RecordType::A,
            key: KEY,
            labels: 2,
            original_ttl: 300,
            expiration,
            inception,
            signer: Name::parse(signer).unwrap(),
            signed_octets: Vec::new(),
            signature: vec![7; 64],
        }
    }

    fn set(signatures: Vec<SignatureRecord>) -> SignedSet {
        let owner = Name::parse("a.example.").unwrap();
        SignedSet { owner, kind: RecordType::A, data: vec![Rdata::A([192, 0, 2, 1].into())], signatures }
    }

    fn keys(count: u8) -> ZoneKeys {
        let key = |nth| ZoneKey { id: KEY, flags: 0x0100, public_key: vec![nth; 64] };
        ZoneKeys { zone: Name::parse("example.").unwrap(), keys: (0..count).map(key).collect() }
    }

    #[test]
    fn many_keys_of_one_tag_and_many_signatures_cost_no_more_than_a_few_verifications() {
        // KeyTrap, CVE-2023-50387: 200 keys and 500 signatures would be 100,000.
        let mut work = Work::default();
        let trap = set(vec![signature("example.", 0, 100); 500]);
        assert_eq!(verify_set(&trap, &keys(200), 50, &mut work), Err(Bogus::TooMuchWork));
        assert!(work.verifications >= 25, "{work:?}");
        assert_eq!(verify_set(&trap, &keys(200), 50, &mut work), Err(Bogus::TooMuchWork), "it is not filled again");
    }

    #[test]
    fn the_cause_is_the_one_that_tells_most() {
        let expired = || signature("example.", 0, 10);
        let future = || signature("example.", 90, 100);
        let wrong = || signature("example.", 0, 100);
        for (signatures, keys, cause) in [
            (vec![], keys(1), Bogus::MissingSignature),
            (vec![signature("com.", 0, 100)], keys(1), Bogus::MissingSignature),
            (vec![wrong()], keys(0), Bogus::NoMatchingKey),
            (vec![expired()], keys(1), Bogus::Expired),
            (vec![future()], keys(1), Bogus::NotYetValid),
            (vec![future(), expired()], keys(1), Bogus::Expired),
            (vec![expired(), wrong()], keys(1), Bogus::BadSignature),
            (vec![wrong(); 4], keys(1), Bogus::BadSignature),
            (vec![wrong(); 5], keys(1), Bogus::TooMuchWork),
            (vec![expired(); 9], keys(1), Bogus::Expired),
            (vec![wrong()], keys(2), Bogus::BadSignature),
            (vec![wrong()], keys(3), Bogus::TooMuchWork),
        ] {
            let told = format!("{signatures:?}");
            assert_eq!(verify_set(&set(signatures), &keys, 50, &mut Work::default()), Err(cause), "{told}");
        }
    }

    #[test]
    fn signatures_hold_by_a_clock_that_wraps_around() {
        for (inception, expiration, now, holds) in [
            (10, 20, 10, Ok(())),
            (10, 20, 20, Ok(())),
            (10, 20, 21, Err(Bogus::Expired)),
            (10, 20, 9, Err(Bogus::NotYetValid)),
            (u32::MAX - 5, 5, 0, Ok(())),
            (u32::MAX - 5, 5, 6, Err(Bogus::Expired)),
        ] {
            assert_eq!(holds_at(&signature("example.", inception, expiration), now), holds, "{inception} {now}");
        }
    }
}
