//! The records of DNSSEC as far as they can be compared without cryptography (RFC 4034).
//!
//! Reads delegation signers, keys and signatures from octets, and says which belong together by key tag and algorithm.
//! Never verifies a signature or a digest.

use crate::dns::rdata::Rdata;
use crate::dns::rrset::RecordType;

/// The algorithms that validators implement (RFC 8624 §3.1); a zone signed with others counts as unsigned.
const ALGORITHMS: &[u8] = &[5, 7, 8, 10, 13, 14, 15, 16];
/// The digest types that validators implement (RFC 8624 §3.3): SHA-1, SHA-256, SHA-384.
const DIGEST_TYPES: &[u8] = &[1, 2, 4];
/// The flag of a key that may sign a zone (RFC 4034 §2.1.1).
const ZONE_KEY: u16 = 0x0100;
/// The only value of the protocol octet of a key (RFC 4034 §2.1.2).
const PROTOCOL: u8 = 3;

/// What names a key: the sum over its octets and its algorithm.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct KeyId {
    /// The key tag (RFC 4034 appendix B).
    pub tag: u16,
    /// The algorithm's number.
    pub algorithm: u8,
}

/// A signature over a record set, as far as its time goes (RFC 4034 §3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Signature {
    /// The type of the records that are signed.
    pub covered: RecordType,
    /// The key that it was made with.
    pub key: KeyId,
    /// Until when it holds, in seconds since 1970, modulo 2^32.
    pub expiration: u32,
}

impl Signature {
    /// Reads an RRSIG record.
    #[must_use]
    pub fn read(rdata: &Rdata) -> Option<Self> {
        let octets = octets_of(rdata, RecordType::RRSIG)?;
        let (covered, expiration) = (two(octets, 0)?, octets.get(8..12)?);
        let key = KeyId { tag: two(octets, 16)?, algorithm: *octets.get(2)? };
        let expiration = u32::from_be_bytes(expiration.try_into().ok()?);
        Some(Self { covered: RecordType(covered), key, expiration })
    }

    /// Returns for how many seconds it has been over at `now`; zero where it holds (RFC 4034 §3.1.5, RFC 1982 §3.2).
    #[must_use]
    pub fn seconds_over(self, now: u32) -> u32 {
        let over = now.wrapping_sub(self.expiration);
        if over < 1 << 31 { over } else { 0 }
    }
}

/// Reads the key that a DS record vouches for; `None` where validators do not implement its algorithm or digest.
#[must_use]
pub fn key_vouched_for(rdata: &Rdata) -> Option<KeyId> {
    let octets = octets_of(rdata, RecordType::DS)?;
    let key = KeyId { tag: two(octets, 0)?, algorithm: *octets.get(2)? };
    let is_known = ALGORITHMS.contains(&key.algorithm) && DIGEST_TYPES.contains(octets.get(3)?);
    is_known.then_some(key)
}

/// Reads a DNSKEY record that may sign the zone.
#[must_use]
pub fn zone_key(rdata: &Rdata) -> Option<KeyId> {
    let octets = octets_of(rdata, RecordType::DNSKEY)?;
    let is_zone_key = two(octets, 0)? & ZONE_KEY != 0 && *octets.get(2)? == PROTOCOL;
    is_zone_key.then_some(KeyId { tag: key_tag(octets), algorithm: *octets.get(3)? })
}

/// Sums up the octets of a key (RFC 4034 appendix B).
fn key_tag(octets: &[u8]) -> u16 {
    let pairs = octets.chunks(2).map(|pair| match pair {
        [high, low] => u32::from(*high) << 8 | u32::from(*low),
        [high] => u32::from(*high) << 8,
        _ => 0,
    });
    let sum = pairs.fold(0_u32, u32::wrapping_add);
    u16::try_from((sum + (sum >> 16)) & 0xffff).unwrap_or_default()
}

/// Returns the octets of a record of one type.
fn octets_of(rdata: &Rdata, wanted: RecordType) -> Option<&[u8]> {
    match rdata {
        Rdata::Other { kind, octets } if *kind == wanted => Some(octets),
        _ => None,
    }
}

/// Reads a number of two octets.
fn two(octets: &[u8], at: usize) -> Option<u16> {
    let pair = octets.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    fn other(kind: RecordType, octets: &[u8]) -> Rdata {
        Rdata::Other { kind, octets: octets.into() }
    }

    #[test]
    fn the_key_tag_of_the_standards_example() {
        // RFC 4034 §5.4: the key of dskey.example.com has the tag 60485 and the algorithm 5.
        let key = "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/\
                   M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==";
        let mut octets = vec![1, 0, 3, 5];
        octets.extend(base64::engine::general_purpose::STANDARD.decode(key).unwrap());
        let key = KeyId { tag: 60485, algorithm: 5 };
        assert_eq!(zone_key(&other(RecordType::DNSKEY, &octets)), Some(key));
        octets[0] = 0;
        assert_eq!(zone_key(&other(RecordType::DNSKEY, &octets)), None, "no zone key");
        let ds = [&60485_u16.to_be_bytes()[..], &[5, 1], &[0x2b; 20]].concat();
        assert_eq!(key_vouched_for(&other(RecordType::DS, &ds)), Some(key));
    }

    #[test]
    fn what_validators_do_not_know_vouches_for_nothing() {
        for (algorithm, digest, is_known) in [(13, 2, true), (8, 4, true), (12, 2, false), (13, 3, false)] {
            let ds = other(RecordType::DS, &[0, 1, algorithm, digest, 0xff]);
            assert_eq!(key_vouched_for(&ds).is_some(), is_known, "{algorithm} {digest}");
        }
        assert_eq!(key_vouched_for(&other(RecordType::DS, &[0, 1, 13])), None);
    }

    #[test]
    fn signatures_end_by_a_clock_that_wraps_around() {
        let signature =
            |expiration| Signature { covered: RecordType::DNSKEY, key: KeyId { tag: 1, algorithm: 13 }, expiration };
        for (expiration, now, over) in
            [(100, 100, 0), (100, 160, 60), (160, 100, 0), (u32::MAX, 9, 10), (9, u32::MAX, 0)]
        {
            assert_eq!(signature(expiration).seconds_over(now), over, "{expiration} at {now}");
        }
        let mut octets = vec![0, 48, 13, 2, 0, 0, 14, 16, 0, 0, 0, 99, 0, 0, 0, 1, 0, 1, 0];
        assert_eq!(Signature::read(&other(RecordType::RRSIG, &octets)), Some(signature(99)));
        octets.truncate(17);
        assert_eq!(Signature::read(&other(RecordType::RRSIG, &octets)), None);
    }
}
