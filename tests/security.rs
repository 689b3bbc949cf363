//! The numbers that `.github/SECURITY.md` promises are those of the source.
#![cfg(test)]

use std::fs;
use std::path::Path;

/// What a limit is called there, its number there, and the lines of the source that say so, each with its file.
type Limit = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// All limits, in their order.
const LIMITS: &[Limit] = &[
    (
        "packets for one check or lookup, a TCP exchange counting as one",
        "300",
        &[("src/budget.rs", "MAX_SENDS_PER_CHECK: u32 = 300;")],
    ),
    (
        "packets for one walk of delegations, server addresses included",
        "50",
        &[("src/budget.rs", "MAX_SENDS_PER_WALK: u32 = 50;")],
    ),
    ("octets received for one check", "512 KiB", &[("src/budget.rs", "MAX_OCTETS_PER_CHECK: u64 = 512 * 1024;")]),
    (
        "time for one check or lookup, without queueing",
        "30 s",
        &[("src/check/builder.rs", "DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);")],
    ),
    ("server names of one delegation", "13", &[("src/walk/machine.rs", "MAX_SERVERS_PER_CUT: usize = 13;")]),
    (
        "server names looked up for one check; by depth below other lookups",
        "26; 4, 1, none",
        &[
            ("src/budget.rs", "MAX_ADDRESS_LOOKUPS_PER_CHECK: u32 = 26;"),
            ("src/walk/addresses.rs", "LOOKUPS_BY_DEPTH: &[usize] = &[usize::MAX, 4, 1];"),
        ],
    ),
    ("aliases followed", "8", &[("src/dns/bailiwick.rs", "MAX_CHAIN_LINKS: usize = 8;")]),
    ("zone cuts on the way to a name", "16", &[("src/walk/machine.rs", "MAX_CUTS: usize = 16;")]),
    (
        "questions that hide a part of the name (RFC 9156), of which one label each",
        "10, 4",
        &[
            ("src/walk/minimise.rs", "MAX_MINIMISED: usize = 10;"),
            ("src/walk/minimise.rs", "ONE_LABEL_EACH: usize = 4;"),
        ],
    ),
    ("UDP tries for one address, then TCP", "3, 1", &[("src/transport/fallback.rs", "DEFAULT_ATTEMPTS: u32 = 3;")]),
    (
        "time to connect; for a whole exchange over TCP",
        "3 s; 5 s",
        &[
            ("src/transport/tcp.rs", "connect: Duration::from_secs(3),"),
            ("src/transport/tcp.rs", "exchange: Duration::from_secs(5),"),
        ],
    ),
    (
        "open connections: of one check to one server; in all",
        "2; 512",
        &[("src/transport/tcp.rs", "open_per_server: 2,"), ("src/transport/tcp.rs", "open_in_all: 512,")],
    ),
    (
        "questions for one server address: a second; at once; in flight",
        "20; 40; 16",
        &[("src/transport/pace.rs", "ordinary: ClassPace { per_second: 20, burst: 40, in_flight: 16 },")],
    ),
    (
        "the same for a registry or a big provider; in flight while nothing is lost",
        "200; 200; 64; 128",
        &[
            ("src/transport/pace.rs", "anycast: ClassPace { per_second: 200, burst: 200, in_flight: 64 },"),
            ("src/transport/pace/window.rs", "GROWTH: usize = 2;"),
        ],
    ),
    ("questions in all a second", "2,000", &[("src/transport/pace.rs", "per_second_in_all: 2000,")]),
    (
        "wait for a turn, then a question is put off, and its domain could not be checked",
        "10 min",
        &[("src/transport/pace.rs", "max_wait: Duration::from_secs(600),")],
    ),
    (
        "failures remembered",
        "5 s, doubling to 300 s",
        &[
            ("src/transport/failure_cache.rs", "FIRST_WAIT: Duration = Duration::from_secs(5);"),
            ("src/transport/failure_cache.rs", "LONGEST_WAIT: Duration = Duration::from_secs(300);"),
        ],
    ),
    (
        "delegations and addresses remembered",
        "5 s to 1 h, 64 MiB",
        &[
            ("src/walk/cut_cache.rs", "KEPT_AT_LEAST: Duration = Duration::from_secs(5);"),
            ("src/walk/cut_cache.rs", "KEPT_AT_MOST: Duration = Duration::from_secs(3600);"),
            ("src/check/builder.rs", "DEFAULT_CACHE_OCTETS: u64 = 64 * 1024 * 1024;"),
        ],
    ),
    (
        "age of a domain's delegation in a check",
        "60 s",
        &[("src/walk/cut_cache.rs", "FRESH_ENOUGH_FOR_A_CHECK: Duration = Duration::from_secs(60);")],
    ),
    (
        "signatures verified for one check or lookup; of which may fail",
        "30; 4",
        &[("src/dnssec/mod.rs", "MAX_VERIFICATIONS: u32 = 30;"), ("src/dnssec/mod.rs", "MAX_FAILURES: u32 = 4;")],
    ),
    (
        "signatures of one record set; keys of one tag; DS records of one zone",
        "4; 2; 8",
        &[
            ("src/dnssec/verify.rs", "MAX_SIGNATURES: usize = 4;"),
            ("src/dnssec/verify.rs", "MAX_KEYS_OF_A_TAG: usize = 2;"),
            ("src/dnssec/keys.rs", "MAX_SIGNERS: usize = 8;"),
        ],
    ),
    (
        "record sets of one reply that prove what is not there; octets of a key",
        "32; 520",
        &[
            ("src/dnssec/signed_set.rs", "MAX_SETS: usize = 32;"),
            ("src/dns/crypto.rs", "MAX_KEY_OCTETS: usize = 512 + 8;"),
        ],
    ),
    (
        "names hashed for one check or lookup; iterations of NSEC3 before a zone counts as unsigned",
        "300; 50",
        &[
            ("src/dnssec/mod.rs", "MAX_HASHES: u32 = 300;"),
            ("src/dnssec/denial/hashed.rs", "MAX_ITERATIONS: u16 = 50;"),
        ],
    ),
    (
        "questions from one port; its age",
        "256; 10 s",
        &[
            ("src/transport/udp.rs", "QUESTIONS_PER_SOCKET: u32 = 256;"),
            ("src/transport/udp.rs", "SOCKET_AGE: Duration = Duration::from_secs(10);"),
        ],
    ),
    (
        "calls to Amazon SES a second while it throttles, at the least",
        "0.1",
        &[("src/ses/client/gate.rs", "MIN_PER_SECOND: f64 = 0.1;")],
    ),
    (
        "failures of SES in a row after which no call is made; for how long",
        "10; 60 s",
        &[
            ("src/ses/client/gate.rs", "FAILURES_UNTIL_OPEN: u32 = 10;"),
            ("src/ses/client/gate.rs", "OPEN_FOR: Duration = Duration::from_secs(60);"),
        ],
    ),
    (
        "time between two looks at a disagreement with SES",
        "15 min",
        &[("src/ses/sync.rs", "BETWEEN_LOOKS: SignedDuration = SignedDuration::from_mins(15);")],
    ),
    (
        "results written in one transaction; not written yet, before no more domains are claimed",
        "500; 1,000",
        &[
            ("src/store/outcome.rs", "MAX_BATCH: usize = 500;"),
            ("src/service/monitor.rs", "MAX_UNRECORDED: usize = 1000;"),
        ],
    ),
    (
        "pauses while the database is away",
        "0.1 s, doubling to 10 s",
        &[
            ("src/store/patience.rs", "FIRST_PAUSE: Duration = Duration::from_millis(100);"),
            ("src/store/patience.rs", "LONGEST_PAUSE: Duration = Duration::from_secs(10);"),
        ],
    ),
    (
        "wait for another process that writes to SQLite",
        "5 s",
        &[("src/store/engine/sqlite.rs", "BUSY_TIMEOUT: Duration = Duration::from_secs(5);")],
    ),
    (
        "a worker's hold on what it checks, without a sign of life; time between these",
        "60 s; 15 s",
        &[
            ("src/store/lease.rs", "LEASE_TERM: Duration = Duration::from_secs(60);"),
            ("src/store/lease.rs", "HEARTBEAT_EVERY: Duration = Duration::from_secs(15);"),
        ],
    ),
    ("a worker's graceful end", "20 s", &[("src/service/monitor.rs", "GRACE: Duration = Duration::from_secs(20);")]),
    ("domains read at a time", "500", &[("src/cli/fleet/report.rs", "PAGE: u32 = 500;")]),
];

/// Reads a file of the repository.
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_limit_that_is_promised_is_the_one_of_the_source() {
    let page = read(".github/SECURITY.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what"));
    let promised: Vec<Vec<&str>> = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
    let known: Vec<Vec<&str>> = LIMITS.iter().map(|(what, number, _)| vec![*what, *number]).collect();
    assert_eq!(promised, known);
    for (what, number, lines) in LIMITS {
        for (file, line) in *lines {
            assert!(read(file).contains(line), "{what}: {number} is promised, and {file} has no {line}");
        }
    }
}
