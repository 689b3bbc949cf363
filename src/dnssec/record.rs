//! The records of DNSSEC, read from their octets in full (RFC 4034, RFC 5155).

use std::collections::BTreeSet;

use crate::dns::dnssec::{KeyId, zone_key};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::RecordType;

/// The octets of an RRSIG in front of the signer's name (RFC 4034 §3.1).
const SIGNATURE_FIXED_OCTETS: usize = 18;
/// The octets of a DNSKEY in front of the key itself (RFC 4034 §2.1).
const KEY_FIXED_OCTETS: usize = 4;
/// The flag of a key that was given up (RFC 5011 §3); such a key signs nothing.
const REVOKED: u16 = 0x0080;
/// The flag of an NSEC3 record whose span may hold unsigned delegations (RFC 5155 §3.1.2.1).
const OPT_OUT: u8 = 1;

/// A signature over a record set (RFC 4034 §3.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignatureRecord {
    /// The type that is covered.
    pub covered: RecordType,
    /// The key that it was made with.
    pub key: KeyId,
    /// How many labels the owner had when it was signed, without the root and a leading `*`.
    pub labels: usize,
    /// The time to live that was signed.
    pub original_ttl: u32,
    /// Until when it holds, in seconds since 1970 modulo 2^32.
    pub expiration: u32,
    /// From when on it holds.
    pub inception: u32,
    /// The zone whose key it is.
    pub signer: Name,
    /// What is signed of the record itself: all in front of the signature, the signer in lower case (RFC 6840 §5.1).
    pub signed_octets: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl SignatureRecord {
    /// Reads an RRSIG record.
    #[must_use]
    pub fn read(rdata: &Rdata) -> Option<Self> {
        let octets = octets_of(rdata, RecordType::RRSIG)?;
        let (fixed, rest) = octets.split_at_checked(SIGNATURE_FIXED_OCTETS)?;
        let (signer, signature) = split_name(rest)?;
        let signer = signer.to_lowercase();
        Some(Self {
            covered: RecordType(two(fixed, 0)?),
            key: KeyId { tag: two(fixed, 16)?, algorithm: *fixed.get(2)? },
            labels: usize::from(*fixed.get(3)?),
            original_ttl: four(fixed, 4)?,
            expiration: four(fixed, 8)?,
            inception: four(fixed, 12)?,
            signed_octets: [fixed, signer.wire()].concat(),
            signer,
            signature: signature.to_vec(),
        })
    }
}

/// A key that may sign a zone (RFC 4034 §2.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneKey {
    /// What names it.
    pub id: KeyId,
    /// Its flags.
    pub flags: u16,
    /// The key itself.
    pub public_key: Vec<u8>,
}

impl ZoneKey {
    /// Reads a DNSKEY record; `None` where it may not sign zones, or was revoked.
    #[must_use]
    pub fn read(rdata: &Rdata) -> Option<Self> {
        let id = zone_key(rdata)?;
        let octets = octets_of(rdata, RecordType::DNSKEY)?;
        let flags = two(octets, 0)?;
        let public_key = octets.get(KEY_FIXED_OCTETS..)?.to_vec();
        (flags & REVOKED == 0).then_some(Self { id, flags, public_key })
    }
}

/// What a parent says of a key of the zone below (RFC 4034 §5.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DelegationSigner {
    /// The key.
    pub key: KeyId,
    /// How the digest was made.
    pub digest_type: u8,
    /// The digest of the key.
    pub digest: Vec<u8>,
}

impl DelegationSigner {
    /// Reads a DS record, whether or not its algorithms are known.
    #[must_use]
    pub fn read(rdata: &Rdata) -> Option<Self> {
        let octets = octets_of(rdata, RecordType::DS)?;
        let key = KeyId { tag: two(octets, 0)?, algorithm: *octets.get(2)? };
        Some(Self { key, digest_type: *octets.get(3)?, digest: octets.get(4..)?.to_vec() })
    }
}

/// The types that a name has, as NSEC and NSEC3 records list them (RFC 4034 §4.1.2).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TypeSet(BTreeSet<u16>);

impl TypeSet {
    /// Reads the windows of a bitmap; `None` where it is malformed.
    fn read(octets: &[u8]) -> Option<Self> {
        let mut types = BTreeSet::new();
        let mut rest = octets;
        while let [window, length, tail @ ..] = rest {
            let (bits, behind) = tail.split_at_checked(usize::from(*length))?;
            for (number, octet) in (0_u16..).step_by(8).zip(bits) {
                let set = (0..8_u16).filter(|bit| octet & (0x80 >> bit) != 0);
                types.extend(set.map(|bit| u16::from(*window) << 8 | (number + bit)));
            }
            rest = behind;
        }
        rest.is_empty().then_some(Self(types))
    }

    /// Says whether the name has records of this type.
    #[must_use]
    pub fn has(&self, kind: RecordType) -> bool {
        self.0.contains(&kind.0)
    }

    /// Says whether the name is delegated, seen from above the cut.
    #[must_use]
    pub fn is_delegation(&self) -> bool {
        self.has(RecordType::NS) && !self.has(RecordType::SOA)
    }
}

/// A link of the chain of a zone's names (RFC 4034 §4.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NextName {
    /// The next name that is there.
    pub next: Name,
    /// The types of the owner.
    pub types: TypeSet,
}

impl NextName {
    /// Reads an NSEC record.
    #[must_use]
    pub fn read(rdata: &Rdata) -> Option<Self> {
        let (next, types) = split_name(octets_of(rdata, RecordType::NSEC)?)?;
        Some(Self { next, types: TypeSet::read(types)? })
    }
}

/// A link of the chain of a zone's hashed names (RFC 5155 §3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NextHash {
    /// The hash algorithm.
    pub algorithm: u8,
    /// Whether unsigned delegations may lie in between.
    pub is_opt_out: bool,
    /// How often the hash is repeated.
    pub iterations: u16,
    /// The salt.
    pub salt: Vec<u8>,
    /// The next hash that is there.
    pub next: Vec<u8>,
    /// The types of the owner.
    pub types: TypeSet,
}

impl NextHash {
    /// Reads an NSEC3 record.
    #[must_use]
    pub fn read(rdata: &Rdata) -> Option<Self> {
        let octets = octets_of(rdata, RecordType::NSEC3)?;
        let (fixed, rest) = octets.split_at_checked(4)?;
        let (salt, rest) = split_counted(rest)?;
        let (next, types) = split_counted(rest)?;
        let flags = *fixed.get(1)?;
        // What other flags mean is not known, so that such a record proves nothing (RFC 5155 §8.2).
        if flags & !OPT_OUT != 0 {
            return None;
        }
        Some(Self {
            algorithm: *fixed.first()?,
            is_opt_out: flags & OPT_OUT != 0,
            iterations: two(fixed, 2)?,
            salt: salt.to_vec(),
            next: next.to_vec(),
            types: TypeSet::read(types)?,
        })
    }
}

/// Splits off what an octet in front counts.
fn split_counted(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

/// Splits off an uncompressed name (RFC 4034 §3.1.7, §4.1.1).
fn split_name(octets: &[u8]) -> Option<(Name, &[u8])> {
    let name = Name::from_wire(octets).ok()?;
    // A name that stops short of its root label was cut.
    let (wire, rest) = octets.split_at_checked(name.wire().len())?;
    (wire.last() == Some(&0)).then_some((name, rest))
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
    Some(u16::from_be_bytes(octets.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// Reads a number of four octets.
fn four(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(octets.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(kind: RecordType, octets: &[u8]) -> Rdata {
        Rdata::Other { kind, octets: octets.into() }
    }

    #[test]
    fn a_bitmap_lists_types_over_several_windows() {
        // RFC 4034 §4.3: A MX RRSIG NSEC TYPE1234.
        let mut octets = Name::parse("host.example.com.").unwrap().wire().to_vec();
        octets.extend([0, 6, 0x40, 0x01, 0, 0, 0, 0x03, 4, 0x1b]);
        octets.extend([0; 26]);
        octets.push(0x20);
        let next = NextName::read(&other(RecordType::NSEC, &octets)).unwrap();
        assert_eq!(next.next.to_string(), "host.example.com.");
        for (kind, is_there) in [(1, true), (15, true), (46, true), (47, true), (1234, true), (2, false), (1235, false)]
        {
            assert_eq!(next.types.has(RecordType(kind)), is_there, "{kind}");
        }
        octets.pop();
        assert_eq!(NextName::read(&other(RecordType::NSEC, &octets)), None, "a window cut short");
    }

    #[test]
    fn cut_records_are_refused() {
        let hash = [1, 1, 0, 12, 2, 0xaa, 0xbb, 3, 1, 2, 3, 0, 1, 0x40];
        let read = |octets: &[u8]| NextHash::read(&other(RecordType::NSEC3, octets));
        let whole = read(&hash).unwrap();
        assert_eq!((whole.iterations, whole.salt.len(), whole.next.len(), whole.is_opt_out), (12, 2, 3, true));
        assert!((0..11).all(|length| read(&hash[..length]).is_none()));
        let mut signature = vec![0, 1, 13, 2, 0, 0, 14, 16, 0, 0, 0, 9, 0, 0, 0, 1, 0, 7];
        assert_eq!(SignatureRecord::read(&other(RecordType::RRSIG, &signature)), None, "no signer");
        signature.extend([1, b'E', 0, 0xff]);
        let read = SignatureRecord::read(&other(RecordType::RRSIG, &signature)).unwrap();
        assert_eq!((read.signer.to_string(), read.signature), ("e.".to_owned(), vec![0xff]));
        assert_eq!(read.signed_octets.last_chunk(), Some(&[1, b'e', 0]));
    }
}
