//! The records of DNSSEC as far as they can be compared with one another (RFC 4034).
//!
//! Reads delegation signers, keys and signatures from octets, and says which belong together: by key tag and algorithm, and
//! with the feature `dnssec` by digest. Never verifies a signature.

use crate::dns::crypto::key_digest;
use crate::dns::name::Name;
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

/// What a DS record says of the key that it vouches for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Voucher {
    /// The key.
    pub key: KeyId,
    /// How the digest was made (RFC 4034 appendix A.2).
    pub digest_type: u8,
    /// The digest of the zone's name and the key.
    pub digest: Box<[u8]>,
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

impl Voucher {
    /// Reads a DS record; `None` where validators do not implement its algorithm or digest.
    #[must_use]
    pub fn read(rdata: &Rdata) -> Option<Self> {
        let octets = octets_of(rdata, RecordType::DS)?;
        let key = KeyId { tag: two(octets, 0)?, algorithm: *octets.get(2)? };
        let (digest_type, digest) = (*octets.get(3)?, octets.get(4..)?);
        let is_known = ALGORITHMS.contains(&key.algorithm) && DIGEST_TYPES.contains(&digest_type);
        is_known.then(|| Self { key, digest_type, digest: digest.into() })
    }

    /// Returns the id of the key in a DNSKEY record of `zone`, where it is the one that is vouched for.
    ///
    /// Without the feature `dnssec` the digest is not looked at.
    #[must_use]
    pub fn key_of(&self, zone: &Name, rdata: &Rdata) -> Option<KeyId> {
        let key = zone_key(rdata).filter(|key| *key == self.key)?;
        let digest = digest(self.digest_type, zone, octets_of(rdata, RecordType::DNSKEY)?);
        digest.is_none_or(|digest| digest == self.digest).then_some(key)
    }
}

/// Makes the digest of a zone's name and a key, given as the octets of its record (RFC 4034 §5.1.4); `None` for a type that
/// is not known, as all are without the feature `dnssec`.
#[must_use]
pub fn digest(digest_type: u8, zone: &Name, key: &[u8]) -> Option<Box<[u8]>> {
    let (flags, algorithm, public_key) = (two(key, 0)?, *key.get(3)?, key.get(4..)?);
    key_digest(&zone.to_lowercase(), flags, algorithm, public_key, digest_type).map(Vec::into_boxed_slice)
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
        assert_eq!(Voucher::read(&other(RecordType::DS, &ds)).map(|voucher| voucher.key), Some(key));
    }

    #[test]
    #[cfg(feature = "dnssec")]
    fn the_digests_of_the_standards_examples() {
        // RFC 4034 §5.4, RFC 4509 §2.3, RFC 6605 §6.2.
        let key = "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/\
                   M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==";
        let ecdsa = "xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6\
                     Glur8I/mlVNgF6W/qTI37m40";
        for (zone, low_flags, algorithm, key, digest_type, expected) in [
            ("dskey.example.com.", 0, 5, key, 1, "2bb183af5f22588179a53b0a98631fad1a292118"),
            ("DSkey.Example.com.", 0, 5, key, 2, "d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a"),
            (
                "example.net.",
                1,
                14,
                ecdsa,
                4,
                "72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6",
            ),
        ] {
            let mut octets = vec![1, low_flags, 3, algorithm];
            octets.extend(base64::engine::general_purpose::STANDARD.decode(key).unwrap());
            let zone = Name::parse(zone).unwrap();
            let made = digest(digest_type, &zone, &octets).unwrap();
            assert_eq!(made.iter().map(|octet| format!("{octet:02x}")).collect::<String>(), expected);
            let rdata = other(RecordType::DNSKEY, &octets);
            let voucher = Voucher { key: zone_key(&rdata).unwrap(), digest_type, digest: made };
            assert_eq!(voucher.key_of(&zone, &rdata), Some(voucher.key));
            assert_eq!(voucher.key_of(&zone.parent().unwrap(), &rdata), None, "a key of another zone");
        }
        assert_eq!(digest(3, &Name::root(), &[]), None);
    }

    #[test]
    fn what_validators_do_not_know_vouches_for_nothing() {
        for (algorithm, digest, is_known) in [(13, 2, true), (8, 4, true), (12, 2, false), (13, 3, false)] {
            let ds = other(RecordType::DS, &[0, 1, algorithm, digest, 0xff]);
            assert_eq!(Voucher::read(&ds).is_some(), is_known, "{algorithm} {digest}");
        }
        assert_eq!(Voucher::read(&other(RecordType::DS, &[0, 1, 13])), None);
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
