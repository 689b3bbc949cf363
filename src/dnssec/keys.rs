//! The keys of a zone, as far as its parent or a trust anchor vouches for them (RFC 4035 §5.2, RFC 5011 excluded).

use crate::dns::crypto::{is_known_algorithm, is_known_digest, key_digest};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dnssec::record::{DelegationSigner, ZoneKey};
use crate::dnssec::signed_set::SignedSet;
use crate::dnssec::verify::verify_set;
use crate::dnssec::{Bogus, Work};

/// How many DS records of one zone are looked at (SECURITY.md A11).
const MAX_SIGNERS: usize = 8;
/// How many keys that DS records name, by tag and algorithm, are compared with their digests: two for each (SECURITY.md A11).
const MAX_KEYS_COMPARED: usize = 2 * MAX_SIGNERS;
/// The digest of SHA-1, which counts only where there is none better (RFC 4509 §3).
const SHA1: u8 = 1;

/// Keys that may sign a zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneKeys {
    /// The zone.
    pub zone: Name,
    /// The keys, whose algorithms are known.
    pub keys: Vec<ZoneKey>,
}

/// Returns the DS records that can be followed; empty where the zone counts as unsigned, since nothing of what they
/// name is implemented here (RFC 4035 §5.2).
#[must_use]
pub fn usable_signers<'a>(data: impl IntoIterator<Item = &'a Rdata>) -> Vec<DelegationSigner> {
    let mut signers: Vec<DelegationSigner> = data
        .into_iter()
        .filter_map(DelegationSigner::read)
        .filter(|signer| is_known_algorithm(signer.key.algorithm) && is_known_digest(signer.digest_type))
        .take(MAX_SIGNERS)
        .collect();
    if signers.iter().any(|signer| signer.digest_type != SHA1) {
        signers.retain(|signer| signer.digest_type != SHA1);
    }
    signers
}

/// Accepts a zone's keys where one that is vouched for signs them all.
///
/// # Errors
/// [`Bogus::NoMatchingKey`] where no key is vouched for, [`Bogus::TooMuchWork`] where too many may be, else what is wrong with the signatures.
pub fn accept_keys(
    set: &SignedSet,
    signers: &[DelegationSigner],
    now: u32,
    work: &mut Work,
) -> Result<ZoneKeys, Bogus> {
    let zone = &set.owner;
    let keys: Vec<ZoneKey> = set.data.iter().filter_map(ZoneKey::read).collect();
    let is_named = |key: &&ZoneKey| signers.iter().any(|signer| signer.key == key.id);
    if keys.iter().filter(is_named).count() > MAX_KEYS_COMPARED {
        return Err(Bogus::TooMuchWork);
    }
    let vouched: Vec<ZoneKey> = keys.iter().filter(|key| is_vouched_for(zone, key, signers)).cloned().collect();
    if vouched.is_empty() {
        return Err(Bogus::NoMatchingKey);
    }
    let vouched = ZoneKeys { zone: zone.clone(), keys: vouched };
    match verify_set(set, &vouched, now, work) {
        Ok(_) => {}
        // The keys that sign the set are others than those that are vouched for.
        Err(Bogus::NoMatchingKey) => return Err(Bogus::MissingSignature),
        Err(cause) => return Err(cause),
    }
    let keys = keys.into_iter().filter(|key| is_known_algorithm(key.id.algorithm)).collect();
    Ok(ZoneKeys { zone: zone.clone(), keys })
}

/// Says whether a DS record is that of a key.
fn is_vouched_for(zone: &Name, key: &ZoneKey, signers: &[DelegationSigner]) -> bool {
    signers.iter().filter(|signer| signer.key == key.id).any(|signer| {
        let digest = key_digest(zone, key.flags, key.id.algorithm, &key.public_key, signer.digest_type);
        digest.is_some_and(|digest| digest == signer.digest)
    })
}
