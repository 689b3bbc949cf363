//! What replies cost that are made to cost: 64 KiB of records that rest on each other, keys and signatures of one tag
//! (KeyTrap, CVE-2023-50387), hashes (CVE-2023-50868), and the slowest keys. All of it runs on the thread that asks, so
//! that each is also the longest time for which nobody else gets a turn (SECURITY.md A11).
#![expect(clippy::expect_used, reason = "a bench ends where its fixture is broken")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use zoneproof::dns::crypto::{is_signed_by, nsec3_hash};
use zoneproof::dns::dnssec::zone_key;
use zoneproof::dns::message::Message;
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::response::read_response;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::dnssec::Work;
use zoneproof::dnssec::denial::Denial;
use zoneproof::dnssec::keys::ZoneKeys;
use zoneproof::dnssec::record::ZoneKey;
use zoneproof::dnssec::reply::prove;

/// The most octets of a message (RFC 1035 §4.2.2).
const MESSAGE_OCTETS: usize = 65_535;
/// The question's name.
const ASKED: &str = "x.example.";
/// Where its parts stand in the message: as a pointer (RFC 1035 §4.1.4).
const AT_ASKED: [u8; 2] = [0xc0, 12];
/// The zone.
const AT_ZONE: [u8; 2] = [0xc0, 14];
/// A time at which the signatures here hold.
const NOW: u32 = 1_800_000_000;
/// Ed25519 (RFC 8080 §3) and RSA with SHA-256 (RFC 5702 §2).
const ED25519: u8 = 15;
/// See [`ED25519`].
const RSA_SHA256: u8 = 8;

/// Reads a name.
fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

/// Returns the question.
fn question() -> Question {
    Question::new(name(ASKED), RecordType::A)
}

/// Writes one record.
fn record(owner: &[u8], kind: RecordType, rdata: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rdata.len()).expect("fits");
    [owner, &kind.0.to_be_bytes(), &[0, 1, 0, 0, 1, 44], &length.to_be_bytes(), rdata].concat()
}

/// Writes a reply with as many of these records as fit, in the answer section or in the authority section.
fn reply(are_answers: bool, records: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut octets = [&[0, 1, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0], name(ASKED).wire(), &[0, 1, 0, 1]].concat();
    let mut count = 0_u16;
    for record in records {
        if octets.len() + record.len() > MESSAGE_OCTETS {
            break;
        }
        octets.extend(record);
        count += 1;
    }
    let at = if are_answers { 6 } else { 8 };
    octets.splice(at..at + 2, count.to_be_bytes());
    octets
}

/// Writes the data of a signature that nobody made.
fn signature(covered: RecordType, labels: u8, tag: u16, nth: u32) -> Vec<u8> {
    let times = [300, NOW + 1000, NOW - 1000 - nth].map(u32::to_be_bytes).concat();
    [&covered.0.to_be_bytes()[..], &[ED25519, labels], &times, &tag.to_be_bytes(), name("example.").wire(), &[7; 64]]
        .concat()
}

/// Makes keys of one tag: of two numbers one goes up and one down (RFC 4034 appendix B).
fn keys(count: u16) -> Vec<Rdata> {
    let key = |nth: u16| {
        let numbers = [nth.to_be_bytes(), (0x7fff - nth).to_be_bytes()].concat();
        let octets = [&[1, 1, 3, ED25519][..], &numbers, &[9; 28]].concat();
        Rdata::Other { kind: RecordType::DNSKEY, octets: octets.into() }
    };
    (0..count).map(key).collect()
}

/// Owner names below the zone, all different.
fn owner(nth: u16) -> Vec<u8> {
    let digit = |shift: u16| b'a' + u8::try_from(nth >> shift & 15).expect("a digit");
    [&[4, digit(12), digit(8), digit(4), digit(0)][..], &AT_ZONE].concat()
}

/// Reads replies and checks what they rest on.
fn replies(criterion: &mut Criterion) {
    let tag = keys(1).first().and_then(zone_key).expect("a key").tag;
    let trusted = ZoneKeys { zone: name("example."), keys: keys(500).iter().filter_map(ZoneKey::read).collect() };
    let link = [0, 0, 1, 0x40];
    let link_of_hashes = |nth: u16| [&[1, 0, 0, 50, 0, 20][..], &[0; 18], &nth.to_be_bytes(), &[0, 1, 0x40]].concat();
    let cases = [
        ("names that are denied", reply(false, (0..).map(|nth| record(&owner(nth), RecordType::NSEC, &link)))),
        (
            "signed names that are denied",
            reply(
                false,
                (0..u16::MAX).flat_map(|nth| {
                    let signature = signature(RecordType::NSEC, 2, tag, 0);
                    [record(&owner(nth), RecordType::NSEC, &link), record(&owner(nth), RecordType::RRSIG, &signature)]
                }),
            ),
        ),
        (
            "hashes that are denied",
            reply(false, (0..).map(|nth| record(&owner(nth), RecordType::NSEC3, &link_of_hashes(nth)))),
        ),
        (
            "500 signatures over one record",
            reply(
                true,
                std::iter::once(record(&AT_ASKED, RecordType::A, &[192, 0, 2, 1])).chain(
                    (0..500).map(|nth| record(&AT_ASKED, RecordType::RRSIG, &signature(RecordType::A, 2, tag, nth))),
                ),
            ),
        ),
        (
            "records of one set",
            reply(
                true,
                (0..4)
                    .map(|nth| record(&AT_ASKED, RecordType::RRSIG, &signature(RecordType::A, 2, tag, nth)))
                    .chain((0..u32::MAX).map(|nth| record(&AT_ASKED, RecordType::A, &nth.to_le_bytes()))),
            ),
        ),
    ];
    for (told, octets) in cases {
        let read = || Message::decode(&octets).expect("a message");
        let message = read();
        let count = message.answers.len() + message.authority.len();
        criterion.bench_function(&format!("read a reply, {told} ({count} records)"), |bencher| {
            bencher.iter(|| {
                let message = Message::decode(black_box(&octets)).expect("a message");
                read_response(&message, &question(), &trusted.zone).dropped.len()
            });
        });
        let response = read_response(&message, &question(), &trusted.zone).response;
        criterion.bench_function(&format!("prove a reply, {told} ({count} records)"), |bencher| {
            bencher.iter(|| {
                let mut work = Work::default();
                let proven = prove(&question(), &response, black_box(&message), &trusted, NOW, &mut work);
                proven.or_else(|_| {
                    Denial::read(&message.authority, &trusted, NOW, &mut work)?.of_question(&question(), &mut work)?;
                    Ok::<_, zoneproof::dnssec::Bogus>(None)
                })
            });
        });
    }
}

/// Verifies single signatures with the slowest keys that anybody may publish, and hashes names that take longest.
fn primitives(criterion: &mut Criterion) {
    for octets in [128, 256, 512, 1024] {
        // Any odd number of this size does for a modulus that nobody has to factor; the exponent is the longest that the
        // library takes.
        let modulus: Vec<u8> = (0..octets).map(|nth: u32| nth.wrapping_mul(151).to_le_bytes()[0] | 0x81).collect();
        let key = [&[5, 1, 0xff, 0xff, 0xff, 0xff][..], &modulus].concat();
        let signature = vec![0x42; modulus.len()];
        criterion.bench_function(&format!("verify a signature, RSA of {} bits", octets * 8), |bencher| {
            bencher.iter(|| is_signed_by(RSA_SHA256, black_box(&key), b"text", &signature));
        });
    }
    // The public key of RFC 8032 §7.1, test 1.
    let key = [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1,
        0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ];
    criterion.bench_function("verify a signature, Ed25519", |bencher| {
        bencher.iter(|| is_signed_by(ED25519, black_box(&key), b"text", &[7; 64]));
    });
    let longest = name(&format!("{}.{}.{}.{}.", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)));
    criterion.bench_function("hash a name of 255 octets 51 times, with a salt of 255", |bencher| {
        bencher.iter(|| nsec3_hash(1, black_box(&longest), &[7; 255], 50));
    });
}

criterion_group!(benches, replies, primitives);
criterion_main!(benches);
