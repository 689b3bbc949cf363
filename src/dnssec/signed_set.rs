//! A record set as it is signed: in canonical form, with the signatures that came along (RFC 4034 §6, RFC 6840 §5.1).

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Record, RecordType};
use crate::dnssec::record::SignatureRecord;

/// The class of the Internet, as it stands on the wire.
const CLASS_IN: [u8; 2] = [0, 1];

/// How many record sets of one section are collected (SECURITY.md A11). A denial takes three at the most (RFC 5155 §7.2), for each
/// of the 8 aliases that are followed and for what is at their end; what is left out proves nothing.
const MAX_SETS: usize = 32;

/// Where names stand in the data of types that are held as octets and whose names are signed in lower case (RFC 4034
/// §6.2, RFC 6840 §5.1): RP, AFSDB, RT, SRV, NAPTR, KX. How many octets are in front, how many strings, how many names.
const TYPES_WITH_NAMES: &[(u16, usize, usize, usize)] =
    &[(17, 0, 0, 2), (18, 2, 0, 1), (21, 2, 0, 1), (33, 6, 0, 1), (35, 4, 3, 1), (36, 2, 0, 1)];

/// All records of one owner and type, and what signs them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedSet {
    /// The owner name.
    pub owner: Name,
    /// The type.
    pub kind: RecordType,
    /// The data of the records.
    pub data: Vec<Rdata>,
    /// The signatures over them, as far as they can be read.
    pub signatures: Vec<SignatureRecord>,
}

impl SignedSet {
    /// Collects the records of one owner and type from a section; `None` where it has none.
    #[must_use]
    pub fn collect(owner: &Name, kind: RecordType, section: &[Record]) -> Option<Self> {
        let here = || section.iter().filter(|record| record.owner == *owner);
        let data: Vec<Rdata> =
            here().filter(|record| record.kind() == kind).map(|record| record.rdata.clone()).collect();
        let signatures = here().filter_map(|record| SignatureRecord::read(&record.rdata));
        let signatures = signatures.filter(|signature| signature.covered == kind).collect();
        (!data.is_empty()).then(|| Self { owner: owner.clone(), kind, data, signatures })
    }

    /// Collects the record sets of the given types in a section, in order of appearance, 32 at most: each costs a look
    /// through the whole section.
    #[must_use]
    pub fn all_of(kinds: &[RecordType], section: &[Record]) -> Vec<Self> {
        let mut sets: Vec<Self> = Vec::new();
        for record in section.iter().filter(|record| kinds.contains(&record.kind())) {
            if sets.len() == MAX_SETS {
                break;
            }
            let is_known = sets.iter().any(|set| set.owner == record.owner && set.kind == record.kind());
            if !is_known {
                sets.extend(Self::collect(&record.owner, record.kind(), section));
            }
        }
        sets
    }

    /// Returns the zone that signed the set: the first signer that the owner lies in.
    #[must_use]
    pub fn signer(&self) -> Option<&Name> {
        let mut signers = self.signatures.iter().map(|signature| &signature.signer);
        signers.find(|signer| self.owner.is_subdomain_of(signer))
    }

    /// Returns the octets that a signature covers; `None` where it counts more labels than the owner has.
    #[must_use]
    pub fn signed_octets(&self, signature: &SignatureRecord) -> Option<Vec<u8>> {
        let owner = signed_owner(&self.owner, signature.labels)?;
        let mut data: Vec<Vec<u8>> = self.data.iter().map(canonical_octets).collect();
        data.sort();
        data.dedup();
        let mut octets = signature.signed_octets.clone();
        for each in data {
            octets.extend_from_slice(owner.wire());
            octets.extend_from_slice(&self.kind.0.to_be_bytes());
            octets.extend_from_slice(&CLASS_IN);
            octets.extend_from_slice(&signature.original_ttl.to_be_bytes());
            octets.extend_from_slice(&u16::try_from(each.len()).ok()?.to_be_bytes());
            octets.extend(each);
        }
        Some(octets)
    }
}

/// Counts the labels of a name as signatures do: without the root and a leading `*` (RFC 4034 §3.1.3).
#[must_use]
pub fn signed_label_count(name: &Name) -> usize {
    name.label_count().saturating_sub(usize::from(name.first_label() == Some(b"*")))
}

/// Returns the owner that was signed: the wildcard where the set was made from one (RFC 4035 §5.3.2).
fn signed_owner(owner: &Name, labels: usize) -> Option<Name> {
    let counted = signed_label_count(owner);
    let owner = owner.to_lowercase();
    match labels {
        _ if labels > counted => None,
        _ if labels == counted => Some(owner),
        _ => owner.last_labels(labels).prepend("*").ok(),
    }
}

/// Writes the data of a record in canonical form: names whole and in lower case (RFC 4034 §6.2).
#[must_use]
pub fn canonical_octets(rdata: &Rdata) -> Vec<u8> {
    let lower = |name: &Name| name.to_lowercase().wire().to_vec();
    match rdata {
        Rdata::A(address) => address.octets().to_vec(),
        Rdata::Aaaa(address) => address.octets().to_vec(),
        Rdata::Ns(name) | Rdata::Cname(name) | Rdata::Dname(name) | Rdata::Ptr(name) => lower(name),
        Rdata::Soa(soa) => {
            let numbers = [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum.seconds()];
            let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
            [lower(&soa.mname), lower(&soa.rname)].concat().into_iter().chain(numbers).collect()
        }
        Rdata::Mx { preference, exchange } => [preference.to_be_bytes().to_vec(), lower(exchange)].concat(),
        Rdata::Txt(strings) => {
            let counted = |string: &[u8]| [&[u8::try_from(string.len()).unwrap_or(u8::MAX)], string].concat();
            strings.iter().flat_map(|string| counted(string)).collect()
        }
        Rdata::Other { kind, octets } => {
            let with_names = TYPES_WITH_NAMES.iter().find(|(number, ..)| *number == kind.0);
            match with_names {
                Some((_, fixed, strings, names)) => {
                    lower_names(octets, *fixed, *strings, *names).unwrap_or_else(|| octets.to_vec())
                }
                None => octets.to_vec(),
            }
        }
    }
}

/// Turns the names behind some octets and counted strings into lower case.
fn lower_names(octets: &[u8], fixed: usize, strings: usize, names: usize) -> Option<Vec<u8>> {
    let mut at = fixed;
    for _ in 0..strings {
        at += 1 + usize::from(*octets.get(at)?);
    }
    let mut lowered = octets.get(..at)?.to_vec();
    for _ in 0..names {
        let name = Name::from_wire(octets.get(at..)?).ok()?;
        at += name.wire().len();
        lowered.extend_from_slice(name.to_lowercase().wire());
    }
    lowered.extend_from_slice(octets.get(at..)?);
    Some(lowered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::rrset::Ttl;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn the_wildcard_is_what_was_signed() {
        for (owner, labels, signed) in [
            ("a.b.example.", 3, Some("a.b.example.")),
            ("A.b.example.", 1, Some("*.example.")),
            ("a.b.example.", 0, Some("*.")),
            ("a.b.example.", 4, None),
            ("*.example.", 1, Some("*.example.")),
            ("*.example.", 2, None),
        ] {
            let is = signed_owner(&name(owner), labels).map(|owner| owner.to_string());
            assert_eq!(is.as_deref(), signed, "{owner} {labels}");
        }
    }

    #[test]
    fn a_section_of_many_sets_costs_no_more_than_a_few() {
        let record = |nth: usize| Record {
            owner: name(&format!("n{nth}.example.")),
            ttl: Ttl::default(),
            rdata: Rdata::Other { kind: RecordType::NSEC, octets: [0].into() },
        };
        let section: Vec<Record> = (0..4000).map(record).collect();
        let sets = SignedSet::all_of(&[RecordType::NSEC], &section);
        assert_eq!(sets.len(), MAX_SETS);
        assert_eq!((&sets[0].owner, sets[31].data.len()), (&section[0].owner, 1));
    }

    #[test]
    fn names_in_data_are_signed_in_lower_case() {
        let srv = |target: &str| Rdata::Other {
            kind: RecordType::SRV,
            octets: [&[0, 1, 0, 2, 0, 53], name(target).wire()].concat().into(),
        };
        assert_eq!(canonical_octets(&srv("NS.Example.")), canonical_octets(&srv("ns.example.")));
        let naptr = |target: &str| Rdata::Other {
            kind: RecordType(35),
            octets: [&b"\0\x01\0\x02\x01U\x03E2U\0"[..], name(target).wire()].concat().into(),
        };
        assert_eq!(canonical_octets(&naptr("A.")), b"\0\x01\0\x02\x01U\x03E2U\0\x01a\0");
        let mx = Rdata::Mx { preference: 5, exchange: name("MX.example.") };
        assert_eq!(canonical_octets(&mx)[..4], [0, 5, 2, b'm']);
    }
}
