//! Signs zones for tests, always with the same octets: Ed25519 with keys that anybody knows.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hickory_proto::dnssec::crypto::Ed25519SigningKey;
use hickory_proto::dnssec::{SigningKey, TBS};
use zoneproof::dns::crypto::key_digest;
use zoneproof::dns::dnssec::{KeyId, zone_key};
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::rrset::{Record, RecordType, Ttl};
use zoneproof::dnssec::record::SignatureRecord;
use zoneproof::dnssec::signed_set::{SignedSet, signed_label_count};
use zoneproof::scenario::Zone;

/// Key pairs of RFC 8032 §7.1, the secret half first.
const PAIRS: [[&str; 2]; 2] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    ],
];
/// The number of Ed25519 (RFC 8080 §3).
const ED25519: u8 = 15;
/// From when until when a signature holds, in seconds since 1970.
pub(crate) type Times = (u32, u32);
/// 2024-01-01 to 2085-01-01.
pub(crate) const HOLDING: Times = (1_704_067_200, 3_629_145_600);

/// Reads pairs of hexadecimal digits.
fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Writes octets as the data of any type (RFC 3597 §5).
pub(crate) fn generic(octets: &[u8]) -> String {
    octets.iter().fold(format!("\\# {} ", octets.len()), |mut text, octet| {
        write!(text, "{octet:02x}").unwrap();
        text
    })
}

/// Makes data of octets.
pub(crate) fn other(kind: RecordType, octets: Vec<u8>) -> Rdata {
    Rdata::Other { kind, octets: octets.into() }
}

/// A key of a zone.
pub(crate) struct Signer {
    /// The zone.
    zone: Name,
    /// The key.
    key: Ed25519SigningKey,
    /// Its record.
    pub(crate) dnskey: Rdata,
}

impl Signer {
    /// Takes one of the known keys.
    pub(crate) fn new(zone: &str, which: usize) -> Self {
        let [secret, public] = PAIRS[which].map(from_hex);
        // PKCS #8 with the public half behind (RFC 5958, RFC 8410 §7).
        let front = from_hex("3053020101300506032b657004220420");
        let der = [front, secret, from_hex("a123032100"), public.clone()].concat();
        let key = Ed25519SigningKey::from_pkcs8(&der.as_slice().into()).unwrap();
        let dnskey = other(RecordType::DNSKEY, [&[1, 1, 3, ED25519][..], &public].concat());
        Self { zone: Name::parse(zone).unwrap(), key, dnskey }
    }

    /// Says which key it is.
    pub(crate) fn id(&self) -> KeyId {
        zone_key(&self.dnskey).unwrap()
    }

    /// Writes the data of its DS record.
    pub(crate) fn ds(&self) -> String {
        let Rdata::Other { octets, .. } = &self.dnskey else { panic!("a key") };
        let digest = key_digest(&self.zone, 257, ED25519, &octets[4..], 2).unwrap();
        let digest: String = digest.iter().map(|octet| format!("{octet:02X}")).collect();
        format!("{} {ED25519} 2 {digest}", self.id().tag)
    }

    /// Signs one set of records.
    pub(crate) fn sign(&self, owner: &Name, kind: RecordType, data: &[Rdata], ttl: u32, times: Times) -> Rdata {
        let labels = u8::try_from(signed_label_count(owner)).unwrap();
        let mut octets = [&kind.0.to_be_bytes()[..], &[ED25519, labels]].concat();
        for number in [ttl, times.1, times.0] {
            octets.extend(number.to_be_bytes());
        }
        octets.extend(self.id().tag.to_be_bytes());
        octets.extend(self.zone.wire());
        let blank = SignatureRecord::read(&other(RecordType::RRSIG, octets.clone())).unwrap();
        let set = SignedSet { owner: owner.clone(), kind, data: data.to_vec(), signatures: Vec::new() };
        octets.extend(self.key.sign(&TBS::from(set.signed_octets(&blank).unwrap().as_slice())).unwrap());
        other(RecordType::RRSIG, octets)
    }

    /// Returns the records of a zone with key, NSEC records and signatures.
    pub(crate) fn sign_zone(&self, zone: &Zone, times: Times) -> Vec<Record> {
        let mut records = zone.records();
        let ttl = records[0].ttl;
        records.push(Record { owner: self.zone.clone(), ttl, rdata: self.dnskey.clone() });
        let kinds = |records: &[Record], owner: &Name| -> BTreeSet<RecordType> {
            records.iter().filter(|record| record.owner == *owner).map(Record::kind).collect()
        };
        let cuts: Vec<Name> = records
            .iter()
            .filter(|record| record.kind() == RecordType::NS && record.owner != self.zone)
            .map(|record| record.owner.clone())
            .collect();
        let names: BTreeSet<Name> = records.iter().map(|record| record.owner.clone()).collect();
        let names: Vec<Name> =
            names.into_iter().filter(|name| !cuts.iter().any(|cut| name.is_strictly_below(cut))).collect();
        for (nth, name) in names.iter().enumerate() {
            let next = &names[(nth + 1) % names.len()];
            let mut types = kinds(&records, name);
            types.extend([RecordType::RRSIG, RecordType::NSEC]);
            let octets = [next.wire(), &bitmap(&types)].concat();
            records.push(Record { owner: name.clone(), ttl, rdata: other(RecordType::NSEC, octets) });
        }
        let mut signatures = Vec::new();
        for name in &names {
            for kind in kinds(&records, name) {
                let is_signed = !cuts.contains(name) || matches!(kind, RecordType::DS | RecordType::NSEC);
                let set = || records.iter().filter(|record| record.owner == *name && record.kind() == kind);
                if is_signed {
                    let data: Vec<Rdata> = set().map(|record| record.rdata.clone()).collect();
                    let ttl = set().next().unwrap().ttl;
                    let rdata = self.sign(name, kind, &data, ttl.seconds(), times);
                    signatures.push(Record { owner: name.clone(), ttl, rdata });
                }
            }
        }
        records.extend(signatures);
        records
    }
}

/// Writes a bitmap of types below 256 (RFC 4034 §4.1.2).
pub(crate) fn bitmap(types: &BTreeSet<RecordType>) -> Vec<u8> {
    let mut bits = [0_u8; 32];
    for kind in types {
        bits[usize::from(kind.0 / 8)] |= 0x80 >> (kind.0 % 8);
    }
    let length = usize::from(types.last().unwrap().0 / 8) + 1;
    [&[0, u8::try_from(length).unwrap()], &bits[..length]].concat()
}

/// Puts records together as a zone.
pub(crate) fn zone_of(origin: &Name, records: Vec<Record>) -> Zone {
    let mut zone = Zone::new(origin.clone());
    records.into_iter().for_each(|record| zone.add(record).unwrap());
    zone
}

/// Makes a time to live.
pub(crate) fn ttl(seconds: u32) -> Ttl {
    Ttl::from_wire(seconds)
}
