//! Zones that BIND's tools sign and NSD and Knot serve, each with something wrong: what validating receivers refuse is found,
//! with the root's key as the trust anchor and with none.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use zoneproof::check::Checker;
use zoneproof::dns::message::Message;
use zoneproof::dns::name::Name;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::dnssec::anchor;
use zoneproof::expectation::{DEFAULT_DKIM_ZONE, Depth, Expectation};
use zoneproof::report::Report;
use zoneproof::walk::root_hints;

use super::daemons::{self, Daemon, Software};
use super::{STARTING, ask, free_port};

/// Where root and registry are served, and the domains.
const PLACES: [&str; 2] = ["127.43.0.2", "127.43.0.3"];
/// An hour and a day, in seconds.
const HOUR: i64 = 3600;
/// See [`HOUR`].
const DAY: i64 = 24 * HOUR;

/// What is done to a domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    /// Nothing.
    None,
    /// It has no DS record and no signature.
    Unsigned,
    /// The DS record is of another key.
    OtherDigest,
    /// All signatures ran out.
    Expired,
    /// They ran out a moment ago, which clocks may not agree on.
    JustExpired,
    /// No signature holds yet.
    Ahead,
    /// A record was changed after it was signed.
    Changed,
    /// The signatures over CNAMEs are left out.
    Unsealed,
    /// The policy is not there, and what proves it is left out.
    Undenied,
    /// The policy is not there, which is proven.
    Denied,
    /// The policy is not there, and the hashes that prove it are repeated too often.
    Costly,
    /// The records are made from a wildcard, which is proven.
    Wildcard,
}

/// Domain, what is done to it, how it is signed beyond the usual, and the codes that must be found.
const DOMAINS: &[(&str, Fault, &[&str], &[&str])] = &[
    ("good", Fault::None, &[], &[]),
    ("hashed", Fault::None, &["-3", "aabb", "-H", "0"], &[]),
    ("plain", Fault::Unsigned, &[], &[]),
    ("digest", Fault::OtherDigest, &[], &["dnssec_bogus_no_dnskey"]),
    ("expired", Fault::Expired, &[], &["dnssec_expired_sig"]),
    ("lately", Fault::JustExpired, &[], &[]),
    ("ahead", Fault::Ahead, &[], &["dnssec_not_yet_valid"]),
    ("changed", Fault::Changed, &[], &["dnssec_bad_signature"]),
    ("unsealed", Fault::Unsealed, &[], &["dnssec_missing_signature"]),
    ("undenied", Fault::Undenied, &[], &["dmarc_absent", "dnssec_missing_denial"]),
    ("denied", Fault::Denied, &[], &["dmarc_absent"]),
    ("denied3", Fault::Denied, &["-3", "-", "-H", "0"], &["dmarc_absent"]),
    ("costly", Fault::Costly, &["-3", "aabb", "-H", "100"], &["dmarc_absent", "dnssec_many_iterations"]),
    ("wildcard", Fault::Wildcard, &[], &["dmarc_absent", "wildcard_shadowing"]),
];

/// Runs a program that must succeed.
fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Writes a time as the tools take it.
fn time(seconds_from_now: i64) -> String {
    let time = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + seconds_from_now).unwrap();
    time.strftime("%Y%m%d%H%M%S").to_string()
}

/// Signs a zone; returns the file and the DS record.
fn sign(zone: &str, text: &str, folder: &Path, times: (i64, i64), more: &[&str]) -> (PathBuf, String) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("plain"), text).unwrap();
    run(Command::new("dnssec-keygen").current_dir(folder).args(["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone]));
    let (from, until) = (time(times.0), time(times.1));
    let arguments = ["-S", "-z", "-Q", "-P", "-o", zone, "-f", "signed", "-s", &from, "-e", &until];
    run(Command::new("dnssec-signzone").current_dir(folder).args(arguments).args(more).arg("plain"));
    let ds = fs::read_to_string(folder.join(format!("dsset-{zone}"))).unwrap();
    (folder.join("signed"), ds.trim().to_owned())
}

/// Writes a domain's zone and has it signed; returns what serves it and the DS record.
fn domain(label: &str, fault: Fault, more: &[&str], folder: &Path) -> (PathBuf, Option<String>) {
    let zone = format!("{label}.example.");
    let mut text = format!(
        "$TTL 300\n{zone} SOA ns.{zone} hostmaster.{zone} 1 7200 900 1209600 300\n{zone} NS ns.{zone}\nns.{zone} A {}\n\
         mail.{zone} TXT \"v=spf1 include:amazonses.com ~all\"\n",
        PLACES[1]
    );
    let has_no_policy = [Fault::Undenied, Fault::Denied, Fault::Costly, Fault::Wildcard].contains(&fault);
    if !has_no_policy {
        text.push_str(&format!("_dmarc.mail.{zone} TXT \"v=DMARC1; p=none\"\n"));
    }
    for token in ["t1", "t2", "t3"] {
        text.push_str(&format!("{token}._domainkey.mail.{zone} CNAME {token}.dkim.amazonses.com.\n"));
    }
    if fault == Fault::Unsigned {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("plain"), &text).unwrap();
        return (folder.join("plain"), None);
    }
    if fault == Fault::Wildcard {
        let alias = format!("t3._domainkey.mail.{zone} CNAME");
        text = text.replace(&alias, &format!("*._domainkey.mail.{zone} CNAME"));
    }
    let times = match fault {
        Fault::Expired => (-9 * DAY, -DAY),
        Fault::JustExpired => (-DAY, -HOUR / 4),
        Fault::Ahead => (DAY, 9 * DAY),
        _ => (-DAY, 9 * DAY),
    };
    let (file, mut ds) = sign(&zone, &text, folder, times, more);
    let signed = fs::read_to_string(&file).unwrap();
    let spoilt = match fault {
        Fault::Changed => {
            signed.replace("include:amazonses.com ~all", "include:amazonses.com -all").replace("t1.dkim", "T1.dkim")
        }
        Fault::Unsealed => without(&signed, "RRSIG\tCNAME"),
        Fault::Undenied => without(&signed, "\tNSEC\t"),
        _ => signed.clone(),
    };
    assert_eq!(spoilt != signed, [Fault::Changed, Fault::Unsealed, Fault::Undenied].contains(&fault), "{label}");
    fs::write(&file, spoilt).unwrap();
    if fault == Fault::OtherDigest {
        let last = if ds.ends_with('0') { "1" } else { "0" };
        ds.replace_range(ds.len() - 1.., last);
    }
    (file, Some(ds))
}

/// Leaves out the records that a text stands in, which may take several lines.
fn without(zone: &str, text: &str) -> String {
    let mut kept = String::new();
    let mut is_inside = false;
    for line in zone.lines() {
        is_inside |= line.contains(text);
        if !is_inside {
            kept.push_str(&format!("{line}\n"));
        }
        is_inside &= line.contains('(') || !line.contains(')');
        is_inside &= line.contains('(') || line.starts_with(char::is_whitespace);
    }
    kept
}

/// Checks all domains.
fn check_all(port: u16, hints: &str, anchors: &str) -> Vec<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let builder = Checker::builder()
            .root_hints(root_hints::parse(hints).unwrap())
            .dns_port(port)
            .allow_special_addresses(true)
            .ipv6(false)
            .pace(zoneproof::transport::pace::PaceLimits::default().with_per_server(0));
        let anchors = if anchors.is_empty() { Vec::new() } else { anchor::parse(anchors).unwrap() };
        let is_anchored = !anchors.is_empty();
        let checker = builder.trust_anchors(anchors).build().unwrap();
        let question = Question::new(Name::parse("mail.good.example.").unwrap(), RecordType::TXT);
        let lookup = checker.lookup(&question).await;
        assert_eq!((lookup.authenticated, lookup.failure), (is_anchored, None));
        let mut reports = Vec::new();
        for (label, ..) in DOMAINS {
            let expectation =
                Expectation::new(&format!("mail.{label}.example"), &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE);
            reports.push(checker.check(&expectation.unwrap().with_depth(Depth::Full)).await);
        }
        reports
    })
}

/// Waits until a server answers for a zone.
fn wait_for(zone: &str, place: IpAddr, port: u16, daemon: &Daemon) {
    let question = Question::new(Name::parse(zone).unwrap(), RecordType::SOA);
    for _ in 0..STARTING.0 {
        if ask(place, port, &question).is_some_and(|reply: Message| reply.flags.authoritative) {
            return;
        }
        thread::sleep(STARTING.1);
    }
    panic!("{zone} is not served: {}", daemon.log());
}

#[test]
fn every_way_in_which_a_signed_zone_is_refused_is_found() {
    if !daemons::are_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let places: Vec<IpAddr> = PLACES.iter().map(|place| place.parse().unwrap()).collect();
    let mut registry = format!(
        "$TTL 300\nexample. SOA ns.example. hostmaster.example. 1 7200 900 1209600 300\nexample. NS ns.example.\nns.example. A {}\n",
        PLACES[0]
    );
    let mut files = Vec::new();
    for (label, fault, more, _) in DOMAINS {
        let (file, ds) = domain(label, *fault, more, &folder.path().join(label));
        registry.push_str(&format!("{label}.example. NS ns.{label}.example.\nns.{label}.example. A {}\n", PLACES[1]));
        ds.iter().for_each(|ds| registry.push_str(&format!("{ds}\n")));
        files.push((format!("{label}.example."), file));
    }
    let usual = (-DAY, 9 * DAY);
    let (registry_file, registry_ds) = sign("example.", &registry, &folder.path().join("example"), usual, &[]);
    let hints = format!(". NS a.root-servers.\na.root-servers. A {}\n", PLACES[0]);
    let root = format!(
        "$TTL 300\n. SOA a.root-servers. hostmaster.example. 1 7200 900 1209600 300\n{hints}example. NS ns.example.\nns.example. A \
         {}\n{registry_ds}\n",
        PLACES[0]
    );
    let (root_file, root_ds) = sign(".", &root, &folder.path().join("root"), usual, &[]);
    for software in [Software::Nsd, Software::Knot] {
        let port = free_port(&places);
        let above = [(".".to_owned(), root_file.clone()), ("example.".to_owned(), registry_file.clone())];
        let own = folder.path().join(format!("{software:?}"));
        let parents = Daemon::start_with_files(Software::Nsd, &own.join("above"), &places[..1], port, &above);
        let daemon = Daemon::start_with_files(software, &own.join("below"), &places[1..], port, &files);
        wait_for("example.", places[0], port, &parents);
        files.iter().for_each(|(zone, _)| wait_for(zone, places[1], port, &daemon));
        for anchors in [root_ds.as_str(), ""] {
            for ((label, _, _, expected), report) in DOMAINS.iter().zip(check_all(port, &hints, anchors)) {
                let found: BTreeSet<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
                let expected: BTreeSet<&str> = expected.iter().copied().collect();
                let told = report.findings.iter().map(|finding| format!("{:?}", finding.arguments)).collect::<Vec<_>>();
                assert_eq!(found, expected, "{label} at {software:?}: {told:?}");
                let cost = report.cost.questions;
                println!("{software:?} {label:9} {:8} {cost:3} questions {found:?}", report.verdict.as_str());
            }
        }
    }
}
