//! Writes the scenarios whose names end in `-signed`: zones that are signed with known keys, and what is wrong with them.
//!
//! Signatures hold from 2024 to 2085, so that they hold whenever the test runs: by a clock that wraps around (RFC 4034
//! §3.1.5) neither may be further away than 68 years. `ZONEPROOF_WRITE_FIXTURES=1` writes the files.
#![cfg(test)]

use std::fmt::Write as _;
use std::path::Path;

use libtest_mimic::Failed;
use zoneproof::dns::crypto::nsec3_hash;
use zoneproof::dns::dnssec::{Signature, zone_key};
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::rrset::{Record, RecordType};
use zoneproof::dnssec::denial::base32hex;
use zoneproof::scenario::{Scenario, Zone};

use crate::signer::{HOLDING, Signer, Times, bitmap, generic, other, ttl, zone_of};

/// A month of 2024.
const OVER: Times = (1_704_067_200, 1_706_745_600);
/// A month of 2088: less than 68 years away from any time at which signatures hold.
const AHEAD: Times = (3_723_840_000, 3_726_518_400);
/// The zone.
const ZONE: &str = "example.com.";
/// Its records.
const RECORDS: &str = "  mail         TXT  \"v=spf1 include:amazonses.com ~all\"
  _dmarc.mail  TXT  \"v=DMARC1; p=none\"
  t1._domainkey.mail  CNAME  t1.dkim.amazonses.com.
  t2._domainkey.mail  CNAME  t2.dkim.amazonses.com.
  t3._domainkey.mail  CNAME  t3.dkim.amazonses.com.
";
/// The check that follows in most scenarios.
const CHECK: &str = "check mail.example.com token=t1 token=t2 token=t3 depth=full";
/// What is expected where nothing is wrong.
const NOTHING: &str = "verdict ready\nroot_cause none\nno other findings";
/// The first key's name.
const FIRST: &str = "t1._domainkey.mail.example.com.";

/// One scenario.
struct Case {
    /// The file, without what all have at the end.
    file: &'static str,
    /// What is wrong.
    title: &'static str,
    /// The records of the zone as it is signed.
    records: String,
    /// Another DS record at the registry.
    other_ds: Option<String>,
    /// What is done to the zone after it was signed, at each of its two servers.
    spoil: fn(&mut Vec<Record>, usize),
    /// Further zones and rules.
    more: String,
    /// What is expected.
    expects: &'static str,
}

impl Case {
    /// Starts with a zone that is signed well.
    fn new(file: &'static str, title: &'static str, expects: &'static str, spoil: fn(&mut Vec<Record>, usize)) -> Self {
        let records = RECORDS.to_owned();
        Self { file, title, records, other_ds: None, spoil, more: String::new(), expects }
    }

    /// Writes the scenario.
    fn text(&self) -> String {
        let signer = Signer::new(ZONE, 0);
        let origin = Name::parse(ZONE).unwrap();
        let mut front = format!(
            "; {}\n\nzone . at 198.51.100.1\n  com        NS  a.nic.com.\n  a.nic.com  A   198.51.100.11\nzone com at \
             198.51.100.11\n  example      NS  ns1.example\n  ns1.example  A   192.0.2.1\n  example      NS  ns2.example\n  \
             ns2.example  A   192.0.2.2\n  example      DS  {}\n",
            self.title,
            signer.ds()
        );
        if let Some(ds) = &self.other_ds {
            writeln!(front, "  example      DS  {ds}").unwrap();
        }
        let plain = format!("{front}zone {ZONE} at 192.0.2.1 192.0.2.2\n{}", self.records);
        let plain: Scenario = plain.parse().unwrap();
        let zone = plain.zone_at("192.0.2.1".parse().unwrap(), &origin).unwrap();
        let signed = signer.sign_zone(zone, HOLDING);
        let copies: Vec<Zone> = (0..2)
            .map(|server| {
                let mut records = signed.clone();
                (self.spoil)(&mut records, server);
                zone_of(&origin, records)
            })
            .collect();
        let lines =
            |zone: &Zone| zone.to_zone_file().lines().skip(2).map(|line| format!("  {line}\n")).collect::<String>();
        let mut text = front;
        if copies[0] == copies[1] {
            write!(text, "zone {ZONE} at 192.0.2.1 192.0.2.2\n{}", lines(&copies[0])).unwrap();
        } else {
            for (zone, address) in copies.iter().zip(["192.0.2.1", "192.0.2.2"]) {
                write!(text, "zone {ZONE} at {address}\n{}", lines(zone)).unwrap();
            }
        }
        write!(text, "{}\n{CHECK}\n", self.more).unwrap();
        self.expects.lines().for_each(|line| writeln!(text, "  expect {line}").unwrap());
        text
    }
}

/// Says whether a record is a signature over one set.
fn is_over(record: &Record, owner: &str, kind: RecordType) -> bool {
    record.owner == Name::parse(owner).unwrap()
        && Signature::read(&record.rdata).is_some_and(|signature| signature.covered == kind)
}

/// Signs one set anew, with one of the keys, and takes the signatures away that are there unless they stay.
fn sign_again(records: &mut Vec<Record>, owner: &str, kind: RecordType, which: usize, times: Times, stays: bool) {
    let name = Name::parse(owner).unwrap();
    let set: Vec<Record> =
        records.iter().filter(|record| record.owner == name && record.kind() == kind).cloned().collect();
    let data: Vec<Rdata> = set.iter().map(|record| record.rdata.clone()).collect();
    records.retain(|record| stays || !is_over(record, owner, kind));
    let rdata = Signer::new(ZONE, which).sign(&name, kind, &data, set[0].ttl.seconds(), times);
    records.push(Record { owner: name, ttl: set[0].ttl, rdata });
}

/// Puts another target into the first key's record.
fn retarget(records: &mut [Record], target: &str) {
    let first = Name::parse(FIRST).unwrap();
    let alias = records.iter_mut().find(|record| record.owner == first && record.kind() == RecordType::CNAME);
    alias.unwrap().rdata = Rdata::Cname(Name::parse(target).unwrap());
}

/// Makes keys that have the tag of the zone's own and are no keys: two numbers go up and down (RFC 4034 appendix B).
fn keys_of_one_tag(count: u16) -> Vec<Rdata> {
    let Rdata::Other { octets, .. } = Signer::new(ZONE, 0).dnskey else { panic!("a key") };
    let add = |octets: &mut [u8], at: usize, number: u16| {
        let word = u16::from_be_bytes([octets[at], octets[at + 1]]).wrapping_add(number);
        octets[at..at + 2].copy_from_slice(&word.to_be_bytes());
    };
    let key = |number: u16| {
        let mut octets = octets.to_vec();
        add(&mut octets, 4, 0_u16.wrapping_sub(number));
        add(&mut octets, 6, number);
        other(RecordType::DNSKEY, octets)
    };
    (1..=count).map(key).collect()
}

/// Adds keys of the same tag and signs all keys.
fn add_keys(records: &mut Vec<Record>, count: u16) {
    let apex = Name::parse(ZONE).unwrap();
    let keys = keys_of_one_tag(count);
    assert!(keys.iter().all(|key| zone_key(key) == zone_key(&Signer::new(ZONE, 0).dnskey)), "one tag");
    records.extend(keys.into_iter().map(|rdata| Record { owner: apex.clone(), ttl: ttl(300), rdata }));
    sign_again(records, ZONE, RecordType::DNSKEY, 0, HOLDING, false);
}

/// Writes a rule for a policy that is not there, which hashes repeated `iterations` times prove.
fn hashed_denial(iterations: u16) -> String {
    let (signer, apex) = (Signer::new(ZONE, 0), Name::parse(ZONE).unwrap());
    let hash = |name: &str| nsec3_hash(1, &Name::parse(name).unwrap(), &[], iterations).unwrap();
    let mut lines = String::new();
    let soa = "ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 300";
    writeln!(lines, "server 192.0.2.1 192.0.2.2\n  any _dmarc.mail.example.com -> NXDOMAIN, aa").unwrap();
    writeln!(lines, "    authority example.com 300 SOA {soa}").unwrap();
    // The closest encloser itself, then what covers the name and the wildcard beside it (RFC 5155 §8.4).
    let matching = hash("mail.example.com.");
    let mut links = vec![(matching.clone(), next(&matching))];
    for name in ["_dmarc.mail.example.com.", "*.mail.example.com."] {
        let hash = hash(name);
        links.push((before(&hash), next(&hash)));
    }
    for (owner, next) in links {
        let owner = apex.prepend(base32hex(&owner)).unwrap();
        let octets =
            [&[1, 0][..], &iterations.to_be_bytes(), &[0, 20], &next, &bitmap(&[RecordType::TXT].into())].concat();
        let link = other(RecordType::NSEC3, octets.clone());
        let signature = signer.sign(&owner, RecordType::NSEC3, &[link], 300, HOLDING);
        let Rdata::Other { octets: signature, .. } = signature else { panic!("a signature") };
        writeln!(lines, "    authority {owner} 300 NSEC3 {}", generic(&octets)).unwrap();
        writeln!(lines, "    authority {owner} 300 RRSIG {}", generic(&signature)).unwrap();
    }
    lines
}

/// Writes a rule for a policy of which a proof is made up that it is not there (RFC 9824 §3).
fn compact_denial() -> String {
    let (signer, owner) = (Signer::new(ZONE, 0), Name::parse("_dmarc.mail.example.com.").unwrap());
    // NXNAME, the type 128, says that it is the name that is not there.
    let types = [RecordType::RRSIG, RecordType::NSEC, RecordType(128)].into();
    let next = owner.prepend([0]).unwrap();
    let octets = [next.wire(), &bitmap(&types)].concat();
    let signature = signer.sign(&owner, RecordType::NSEC, &[other(RecordType::NSEC, octets.clone())], 300, HOLDING);
    let Rdata::Other { octets: signature, .. } = signature else { panic!("a signature") };
    let soa = "ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 300";
    format!(
        "server 192.0.2.1 192.0.2.2\n  any {owner} -> NOERROR, aa\n    authority example.com 300 SOA {soa}\n    authority \
         {owner} 300 NSEC {}\n    authority {owner} 300 RRSIG {}\n",
        generic(&octets),
        generic(&signature)
    )
}

/// The next hash.
fn next(hash: &[u8]) -> Vec<u8> {
    let mut next = hash.to_vec();
    let last = next.iter_mut().next_back().unwrap();
    *last = last.wrapping_add(1);
    next
}

/// The hash before.
fn before(hash: &[u8]) -> Vec<u8> {
    let mut before = hash.to_vec();
    let last = before.iter_mut().next_back().unwrap();
    *last = last.wrapping_sub(1);
    before
}

/// A zone below that is not signed.
fn child_at(address: &str) -> String {
    format!(
        "zone mail.example.com at {address}\n  @  TXT  \"v=spf1 include:amazonses.com ~all\"\n  _dmarc  TXT  \"v=DMARC1; \
         p=none\"\n  t1._domainkey  CNAME  t1.dkim.amazonses.com.\n  t2._domainkey  CNAME  t2.dkim.amazonses.com.\n  \
         t3._domainkey  CNAME  t3.dkim.amazonses.com.\n"
    )
}

/// The zone above delegates one below.
fn delegating(address: &str) -> String {
    format!("  mail  NS  ns.mail\n  ns.mail  A  {address}\n")
}

/// The scenarios about keys and times.
fn cases_of_keys() -> Vec<Case> {
    vec![
        Case::new(
            "dnssec-not-yet-valid",
            "The clock of whoever signs the zone is years ahead.",
            "verdict failing\nroot_cause dnssec_not_yet_valid\nrecord dkim t1._domainkey.mail.example.com ok\n\
             finding dnssec_not_yet_valid at example.com signed=keys\nno other findings\nremedy contains \"set the clock right\"",
            |records, _| {
                let signed: Vec<(Name, RecordType)> = records
                    .iter()
                    .filter_map(|record| Some((record.owner.clone(), Signature::read(&record.rdata)?.covered)))
                    .collect();
                for (owner, kind) in signed {
                    sign_again(records, &owner.to_string(), kind, 0, AHEAD, false);
                }
            },
        ),
        Case::new(
            "dnssec-not-yet-valid-near-miss",
            "A signature that will hold is there already, beside one that holds.",
            NOTHING,
            |records, _| sign_again(records, FIRST, RecordType::CNAME, 0, AHEAD, true),
        ),
        Case::new(
            "dnssec-expired-sig-one-record",
            "The signature over one of the keys' records was left behind when the zone was signed again.",
            "verdict failing\nroot_cause dnssec_expired_sig\nrecord dkim t1._domainkey.mail.example.com ok\n\
             finding dnssec_expired_sig at example.com signed=records\nno other findings",
            |records, _| sign_again(records, FIRST, RecordType::CNAME, 0, OVER, false),
        ),
        Case::new(
            "dnssec-expired-sig-near-miss",
            "Old signatures are left beside those that hold.",
            NOTHING,
            |records, _| {
                sign_again(records, ZONE, RecordType::DNSKEY, 0, OVER, true);
                sign_again(records, FIRST, RecordType::CNAME, 0, OVER, true);
            },
        ),
        Case::new(
            "dnssec-expired-sig-near-miss-of-another-key",
            "The signature that ran out is of a key that the registrar does not vouch for.",
            NOTHING,
            |records, _| sign_again(records, ZONE, RecordType::DNSKEY, 1, OVER, true),
        ),
        Case::new(
            "dnssec-expired-sig-near-miss-one-server",
            "One of two servers still gives a signature that ran out.",
            NOTHING,
            |records, server| {
                if server == 0 {
                    sign_again(records, ZONE, RecordType::DNSKEY, 0, OVER, false);
                }
            },
        ),
        Case::new(
            "dnssec-expired-sig-near-miss-records-one-server",
            "One of two servers has an old version of the zone, whose signatures are over.",
            NOTHING,
            |records, server| {
                if server == 0 {
                    sign_again(records, ZONE, RecordType::SOA, 0, OVER, false);
                    sign_again(records, FIRST, RecordType::CNAME, 0, OVER, false);
                }
            },
        ),
        Case::new(
            "dnssec-expired-sig-near-miss-records-another-key",
            "The signature over the SOA record that ran out is by a key that the zone no longer has.",
            NOTHING,
            |records, _| sign_again(records, ZONE, RecordType::SOA, 1, OVER, false),
        ),
    ]
}

/// The scenarios about what the registry vouches for.
fn cases_of_signers() -> Vec<Case> {
    vec![
        Case {
            other_ds: Some(Signer::new(ZONE, 1).ds()),
            ..Case::new(
                "dnssec-bogus-no-dnskey-near-miss",
                "One of two DS records names a key that the zone has: a change of keys on its way.",
                NOTHING,
                |_, _| {},
            )
        },
        Case::new(
            "dnssec-bogus-no-dnskey-near-miss-one-server",
            "One of two servers does not have keys and signatures yet; the other does.",
            NOTHING,
            |records, server| {
                if server == 0 {
                    let of_signing = [RecordType::DNSKEY, RecordType::RRSIG, RecordType::NSEC];
                    records.retain(|record| !of_signing.contains(&record.kind()));
                }
            },
        ),
    ]
}

/// The scenarios about records and what is not there.
fn cases_of_records() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "dnssec-bad-signature",
            "A record was changed in the zone file after it was signed.",
            "verdict failing\nroot_cause dnssec_bad_signature\nrecord dkim t1._domainkey.mail.example.com ok\n\
             finding dnssec_bad_signature at example.com signed=records\nno other findings\nremedy contains \"sign the zone again\"",
            |records, _| {
                retarget(records, "t0.dkim.amazonses.com.");
                sign_again(records, FIRST, RecordType::CNAME, 0, HOLDING, false);
                retarget(records, "t1.dkim.amazonses.com.");
            },
        ),
        Case::new(
            "dnssec-bad-signature-near-miss",
            "The record stands in other letters than it was signed in, which is the same.",
            NOTHING,
            |records, _| retarget(records, "T1.DKIM.AmazonSES.com."),
        ),
        Case::new(
            "dnssec-bad-signature-near-miss-one-server",
            "One of two servers has a record that was changed after it was signed; validators ask the other.",
            NOTHING,
            |records, server| {
                if server == 0 {
                    retarget(records, "t0.dkim.amazonses.com.");
                    sign_again(records, FIRST, RecordType::CNAME, 0, HOLDING, false);
                    retarget(records, "t1.dkim.amazonses.com.");
                }
            },
        ),
        Case::new(
            "dnssec-missing-signature",
            "The signature over one of the keys' records is not given out.",
            "verdict failing\nroot_cause dnssec_missing_signature\nrecord dkim t1._domainkey.mail.example.com ok\n\
             finding dnssec_missing_signature at example.com signed=records\nno other findings",
            |records, _| records.retain(|record| !is_over(record, FIRST, RecordType::CNAME)),
        ),
        Case::new(
            "dnssec-missing-signature-unknown-key",
            "A record is signed with a key that was taken out of the zone.",
            "verdict failing\nroot_cause dnssec_missing_signature\nrecord dkim t1._domainkey.mail.example.com ok\n\
             finding dnssec_missing_signature at example.com signed=records unknown_key=yes\nno other findings",
            |records, _| sign_again(records, FIRST, RecordType::CNAME, 1, HOLDING, false),
        ),
        Case::new(
            "dnssec-missing-signature-of-a-policy",
            "The policies, on which the verdict does not depend, have no signatures.",
            "verdict ready\nroot_cause none\nfinding dnssec_missing_signature at example.com signed=records\nno other findings",
            |records, _| records.retain(|record| !is_over(record, &record.owner.to_string(), RecordType::TXT)),
        ),
        Case::new(
            "dnssec-missing-denial-absence",
            "There is no policy, and the zone does not prove it.",
            "verdict ready\nroot_cause none\nrecord dmarc _dmarc.mail.example.com absent\n\
             finding dnssec_missing_denial at example.com signed=absence\nfinding dmarc_absent\nno other findings",
            |records, _| records.retain(|record| record.kind() != RecordType::NSEC),
        ),
        Case::new(
            "dnssec-missing-denial-near-miss-absence",
            "There is no policy, and the zone proves it.",
            "verdict ready\nroot_cause none\nrecord dmarc _dmarc.mail.example.com absent\nfinding dmarc_absent\nno other findings",
            |_, _| {},
        ),
    ];
    let without_policy =
        RECORDS.lines().filter(|line| !line.contains("_dmarc")).fold(String::new(), |text, line| text + line + "\n");
    for case in cases.iter_mut().filter(|case| case.file.ends_with("-absence")) {
        case.records.clone_from(&without_policy);
    }
    let compact = Case::new(
        "dnssec-missing-denial-near-miss-compact",
        "There is no policy, and the proof of that is made up when it is asked for (RFC 9824).",
        "verdict ready\nroot_cause none\nrecord dmarc _dmarc.mail.example.com absent\nfinding dmarc_absent\nno other findings",
        |_, _| {},
    );
    cases.push(Case { records: without_policy.clone(), more: compact_denial(), ..compact });
    for (file, title, expects, iterations) in [
        (
            "dnssec-many-iterations",
            "There is no policy, and the hashes that prove it are repeated a hundred times.",
            "verdict ready\nroot_cause none\nfinding dnssec_many_iterations at example.com iterations=100\nfinding dmarc_absent\n\
             no other findings",
            100,
        ),
        (
            "dnssec-many-iterations-near-miss",
            "There is no policy, and the hashes that prove it are repeated as often as resolvers allow.",
            "verdict ready\nroot_cause none\nfinding dmarc_absent\nno other findings",
            50,
        ),
    ] {
        let case = Case::new(file, title, expects, |_, _| {});
        cases.push(Case { records: without_policy.clone(), more: hashed_denial(iterations), ..case });
    }
    cases
}

/// The scenarios about what cannot be asked, and what it costs.
fn cases_of_cost() -> Vec<Case> {
    let unanswered = Case::new(
        "dnssec-missing-signature-near-miss-unanswered",
        "A record has no signature, and nobody answers who asks for it: that proves nothing.",
        NOTHING,
        |records, _| records.retain(|record| !is_over(record, FIRST, RecordType::CNAME)),
    );
    let rules = "server 192.0.2.1 192.0.2.2\n  CNAME t1._domainkey.mail.example.com first 1 -> normal\n  CNAME \
                 t1._domainkey.mail.example.com -> SERVFAIL\n";
    let in_order = Case::new(
        "dnssec-in-order",
        "All is signed well.\n; Beyond what an unsigned domain costs, each server is asked for the keys, and one for each of the \
         five records\n; with its signature.",
        "verdict ready\nroot_cause none\nno other findings\nquestions = 36",
        |_, _| {},
    );
    vec![Case { more: rules.to_owned(), ..unanswered }, in_order]
}

/// The scenarios about keys that share a tag.
fn cases_of_traps() -> Vec<Case> {
    vec![
        Case::new(
            "dnssec-too-much-work",
            "Many keys of one number and signatures that none of them made: KeyTrap (CVE-2023-50387).",
            "verdict ready\nroot_cause none\nfinding dnssec_too_much_work at example.com\nno other findings",
            |records, _| {
                add_keys(records, 6);
                retarget(records, "t0.dkim.amazonses.com.");
                for nth in 0..4 {
                    let times = (HOLDING.0 + nth, HOLDING.1);
                    sign_again(records, FIRST, RecordType::CNAME, 0, times, nth > 0);
                }
                retarget(records, "t1.dkim.amazonses.com.");
            },
        ),
        Case::new("dnssec-too-much-work-near-miss", "Two keys happen to have one number.", NOTHING, |records, _| {
            add_keys(records, 1)
        }),
    ]
}

/// The scenarios about zones below.
fn cases_of_cuts() -> Vec<Case> {
    let unproven = Case::new(
        "dnssec-missing-denial",
        "The sender domain is an unsigned zone of its own, and the zone above does not prove that it is.",
        "verdict failing\nroot_cause dnssec_missing_denial\nrecord dkim t1._domainkey.mail.example.com ok\n\
         finding dnssec_missing_denial at example.com signed=delegation\nno other findings",
        |records, _| {
            let cut = Name::parse("mail.example.com.").unwrap();
            records.retain(|record| record.owner != cut || record.kind() != RecordType::NSEC);
        },
    );
    let proven = Case::new(
        "dnssec-missing-denial-near-miss",
        "The sender domain is an unsigned zone of its own, as the zone above proves.",
        NOTHING,
        |_, _| {},
    );
    let on_same_servers = Case::new(
        "dnssec-missing-signature-near-miss",
        "The sender domain is an unsigned zone of its own at the servers of the signed one above, which show no cut.",
        NOTHING,
        |_, _| {},
    );
    let elsewhere = |case: Case| Case { records: delegating("192.0.2.3"), more: child_at("192.0.2.3"), ..case };
    vec![
        elsewhere(unproven),
        elsewhere(proven),
        Case { records: delegating("192.0.2.1"), more: child_at("192.0.2.1 192.0.2.2"), ..on_same_servers },
    ]
}

/// Holds the files against what is written here, or writes them.
pub(crate) fn files_are_as_written(folder: &Path) -> Result<(), Failed> {
    let mut differing = Vec::new();
    for case in
        [cases_of_keys(), cases_of_signers(), cases_of_records(), cases_of_traps(), cases_of_cost(), cases_of_cuts()]
            .into_iter()
            .flatten()
    {
        let file = folder.join("delegation").join(format!("{}-signed.scn", case.file));
        let text = case.text();
        if std::env::var_os("ZONEPROOF_WRITE_FIXTURES").is_some() {
            std::fs::write(&file, &text)?;
        }
        if std::fs::read_to_string(&file).unwrap_or_default() != text {
            differing.push(file.display().to_string());
        }
    }
    if differing.is_empty() { Ok(()) } else { Err(format!("not as written: {}", differing.join(", ")).into()) }
}
