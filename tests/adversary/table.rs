//! Which behaviour belongs to which threat, what must hold, and that no threat is without one.
//!
//! A behaviour is a row of what a server does octet by octet, a scenario, or a test of its own; each is looked up where it
//! is, so that none is named here that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::connections::CONNECTIONS;
use crate::datagrams::DATAGRAMS;

/// The fewest behaviours that a server shows octet by octet.
const OCTET_BEHAVIOURS_WANTED: usize = 60;

/// A threat.
struct Threat {
    /// Its row.
    row: &'static str,
    /// What it is.
    what: &'static str,
    /// What must hold.
    holds: &'static str,
    /// The scenarios that show it; the hostile ones without their folder.
    scenarios: &'static [&'static str],
    /// The tests that show it: the file and the name.
    tests: &'static [(&'static str, &'static str)],
}

/// All threats.
const THREATS: &[Threat] = &[
    Threat {
        row: "A1",
        what: "a zone makes one question cost many packets",
        holds: "300 packets, 512 KiB and 30 s (queueing aside) for a check, 50 packets for a walk; what is left out is unable_to_check",
        scenarios: &[
            "delegations-too-deep",
            "delegations-without-end",
            "spf-tree-without-end",
            "thirty-two-silent-addresses",
            "sixty-addresses-of-one-server",
            "twenty-servers-with-glue",
            "many-servers-of-many-addresses",
            "twins-of-one-address",
            "delegation/budget-exceeded",
        ],
        tests: &[
            ("tests/properties.rs", "a_check_ends_within_its_budget_whatever_comes_back"),
            ("tests/adversary/schedules.rs", "no_schedule_of_faults_makes_a_domain_pass_or_fail_that_does_not"),
            ("src/transport/live/tests.rs", "the_server_sees_no_more_packets_than_the_budget_has"),
            ("tests/adversary/zones.rs", "a_lookup_takes_no_longer_than_a_check_may_and_tells_what_it_saw"),
        ],
    },
    Threat {
        row: "A2",
        what: "a delegation names many servers in a victim's zone (NXNSAttack)",
        holds: "13 names of a delegation count, 26 are looked up for a check, and the rest is left after 5 that do not exist",
        scenarios: &[
            "many-servers-in-a-victims-zone",
            "many-servers-that-exist-in-a-victims-zone",
            "name-servers-that-are-aliases",
            "aliases-and-includes-into-zones-without-glue",
        ],
        tests: &[("tests/adversary/zones.rs", "a_victim_that_many_tenants_name_gets_no_more_than_its_share_of_each")],
    },
    Threat {
        row: "A3",
        what: "zones whose servers lie in each other (TsuNAME)",
        holds: "delegation_loop, and next to no packet when it is checked again",
        scenarios: &[
            "name-server-loop-ttl-zero",
            "name-server-loop-of-three",
            "name-server-loop-many-names",
            "name-server-is-the-zone",
        ],
        tests: &[(
            "tests/adversary/zones.rs",
            "zones_whose_servers_lie_in_each_other_cost_next_to_nothing_when_checked_again",
        )],
    },
    Threat {
        row: "A4",
        what: "aliases in chains, circles and crowds",
        holds: "8 links, each in the chain that starts at the name; nothing that is linked from elsewhere is asked",
        scenarios: &[
            "chain-of-eight",
            "chain-of-nine",
            "chain-over-many-zones",
            "twenty-cnames",
            "dname-back-and-forth",
            "dname-fan-out",
            "unchained-alias-in-answer",
            "unchained-alias-in-authority",
            "unchained-alias-in-additional",
            "alias-to-a-victim-beside-nothing",
            "aliases-into-silent-zones",
            "walk/cname-loop",
        ],
        tests: &[],
    },
    Threat {
        row: "A5",
        what: "names of many labels, and servers that do not take a part of a name",
        holds: "10 minimised questions of which 4 add one label; then the whole name",
        scenarios: &["many-labels", "servers/broken-qmin", "servers/nxdomain-for-empty-non-terminals"],
        tests: &[("tests/adversary/zones.rs", "a_name_of_123_labels_costs_a_few_questions")],
    },
    Threat {
        row: "A6",
        what: "answers without end",
        holds: "64 KiB of one message, 512 KiB of a check; a record set that is too long is an error of the domain",
        scenarios: &["huge-texts", "huge-texts-everywhere", "huge-additional-section"],
        tests: &[
            ("src/transport/tcp/tests.rs", "octets_are_paid_for_whole_or_not"),
            ("tests/adversary/memory.rs", "a_hundred_servers_that_say_all_that_fits_cost_a_few_mebibytes"),
        ],
    },
    Threat {
        row: "A7",
        what: "connections that drip, hang, end early or say too much",
        holds: "3 s to connect, 5 s for all, 2 connections to a server; TC over TCP is the server's failure",
        scenarios: &["everything-truncated-over-udp", "truncated-over-tcp-too", "truncated-at-one-of-two"],
        tests: &[
            ("tests/adversary/connections.rs", "a_server_that_takes_no_connection_is_given_up_after_three_seconds"),
            ("src/transport/tcp/tests.rs", "connections_to_a_server_are_few"),
        ],
    },
    Threat {
        row: "A8",
        what: "servers that drop, or answer too late",
        holds: "3 datagrams, then one connection; a late reply answers no other question and starts nothing",
        scenarios: &["servers/all-silent", "servers/loses-the-first-packet", "servers/all-too-slow"],
        tests: &[
            ("src/transport/udp/tests.rs", "a_late_reply_does_not_answer_a_new_question"),
            ("tests/adversary/unpredictability.rs", "late_copies_of_answers_start_no_tcp"),
            ("src/transport/fallback/tests.rs", "a_down_address_gets_one_try_a_check_and_comes_back"),
        ],
    },
    Threat {
        row: "A9",
        what: "many tenants make us ask one address in one moment (DNSBomb)",
        holds: "60 packets a second, 44 a tenth, 16 at one time; who waits longer than 10 min is put off",
        scenarios: &[],
        tests: &[
            ("tests/adversary/pulses.rs", "one_address_is_asked_no_faster_than_its_limit_however_many_ask"),
            ("src/transport/pace/tests.rs", "a_network_gets_five_times_the_pace_of_an_address"),
            ("src/transport/pace/tests.rs", "all_together_are_asked_two_thousand_times_a_second"),
        ],
    },
    Threat {
        row: "A10",
        what: "what failed is asked again for ever",
        holds: "5 s, doubling to 300 s: 6 rounds a minute at most",
        scenarios: &[],
        tests: &[
            (
                "tests/adversary/zones.rs",
                "a_dead_zone_that_is_checked_a_thousand_times_a_minute_is_asked_in_six_rounds_at_most",
            ),
            ("src/transport/failure_cache.rs", "waits_double_up_to_five_minutes"),
        ],
    },
    Threat {
        row: "A11",
        what: "signatures and hashes that cost (KeyTrap)",
        holds: "2 keys of a tag, 4 signatures of a set, 30 verifications and 4 failures of a lookup, 300 hashes",
        scenarios: &[],
        tests: &[
            ("src/dnssec/verify.rs", "many_keys_of_one_tag_and_many_signatures_cost_no_more_than_a_few_verifications"),
            ("src/dnssec/signed_set.rs", "a_section_of_many_sets_costs_no_more_than_a_few"),
            (
                "src/dnssec/denial/hashed/tests.rs",
                "a_zone_whose_hashes_cost_too_much_counts_as_unsigned_and_is_not_hashed",
            ),
        ],
    },
    Threat {
        row: "F1",
        what: "forged replies of one who cannot see the question",
        holds: "30 bits and one a letter to guess, the port drawn anew for each server, check and try; one reply that does not \
            match sends the question to TCP",
        scenarios: &["wrong-ids", "wrong-ids-at-one-of-two", "wrong-questions"],
        tests: &[
            (
                "tests/adversary/unpredictability.rs",
                "ids_ports_and_letters_of_ten_thousand_questions_cannot_be_foreseen",
            ),
            (
                "tests/adversary/unpredictability.rs",
                "a_port_carries_few_questions_and_no_two_in_a_row_more_often_than_by_chance",
            ),
        ],
    },
    Threat {
        row: "F2",
        what: "a forger who gets several chances at one question",
        holds: "a question is out to an address once, whoever asks; what ICMP says of a path's size is not taken in",
        scenarios: &[],
        tests: &[
            ("tests/adversary/zones.rs", "two_tenants_that_check_one_domain_at_one_time_send_each_question_once"),
            ("src/transport/coalesce/tests.rs", "two_checks_that_ask_the_same_send_one_packet_and_pay_one_each"),
            ("src/transport/udp/tests.rs", "sockets_ignore_what_icmp_says_of_the_paths_size"),
        ],
    },
    Threat {
        row: "F3",
        what: "one forged datagram that would make a domain pass",
        holds: "a server that says otherwise makes it inconsistent, and TCP decides where UDP is forged",
        scenarios: &["forged-over-udp-genuine-over-tcp", "servers/inconsistent-one-of-four"],
        tests: &[],
    },
    Threat {
        row: "F4",
        what: "records that are not the server's to say",
        holds: "they are dropped and told; referrals lead down and towards the name alone; none of it is remembered",
        scenarios: &[
            "answers-of-other-names",
            "glue-for-another-zone",
            "glue-for-no-server",
            "servers-in-an-answer",
            "soa-of-another-zone",
            "referral-upward",
            "referral-sideways",
            "referral-to-a-sibling",
            "referral-to-itself",
            "referral-to-itself-elsewhere",
            "referral-to-the-root",
            "records-under-a-wildcard-of-the-registry",
        ],
        tests: &[],
    },
    Threat {
        row: "F4b",
        what: "servers that are no authority",
        holds: "without AA there is no answer, and recursion in its place is told",
        scenarios: &["answer-without-authority-at-one", "servers/all-recursive", "servers/all-lame-in-different-ways"],
        tests: &[("tests/adversary/zones.rs", "a_reply_without_authority_carries_no_vote_whatever_else_it_bears")],
    },
    Threat {
        row: "F5",
        what: "delegations that were taken back (ghost domains)",
        holds: "the parent's word counts, and no older than a minute in a check",
        scenarios: &[],
        tests: &[(
            "tests/adversary/zones.rs",
            "a_delegation_that_was_taken_back_is_gone_however_often_the_child_is_asked",
        )],
    },
    Threat {
        row: "F6",
        what: "servers that do not say the same",
        holds: "all are asked; every mixture of four comes out by the rules",
        scenarios: &["servers/each-has-another-record", "servers/half-silent-and-absent"],
        tests: &[("tests/adversary/zones.rs", "every_mixture_of_four_servers_comes_out_as_the_rules_say")],
    },
    Threat {
        row: "F7",
        what: "signatures that do not hold, and denials that prove nothing",
        holds: "authenticated with a full chain alone; what cannot be learned is neither bogus nor insecure",
        scenarios: &[
            "delegation/dnssec-bogus-no-dnskey",
            "delegation/dnssec-bogus-no-dnskey-near-miss-unanswered",
            "delegation/dnssec-expired-sig-records",
        ],
        tests: &[
            ("src/dnssec/denial/named.rs", "a_name_is_denied_with_its_wildcard_or_not_at_all"),
            ("src/dnssec/denial/named.rs", "a_link_from_above_a_cut_says_nothing_of_the_zone_below"),
            ("src/dnssec/denial/named.rs", "a_wildcard_counts_only_where_nothing_closer_is_there"),
            ("src/dnssec/denial/hashed/tests.rs", "links_of_another_zone_prove_nothing"),
            ("src/dnssec/signed_set.rs", "the_wildcard_is_what_was_signed"),
            ("tests/adversary/zones.rs", "keys_that_cannot_be_learned_make_nothing_bogus_and_nothing_authenticated"),
            ("tests/adversary/signatures.rs", "one_server_whose_zone_proves_nothing_makes_no_zone_bogus_and_two_do"),
            ("tests/differential.rs", "lookups_agree_with_what_two_of_three_resolvers_say"),
        ],
    },
    Threat {
        row: "F8",
        what: "a forged refusal of EDNS",
        holds: "EDNS is left out of one try and never forgotten for what came over UDP",
        scenarios: &["formerr-to-everything", "servers/no-edns"],
        tests: &[("tests/adversary/datagrams.rs", "edns_is_not_forgotten_for_one_forged_refusal")],
    },
    Threat {
        row: "F8b",
        what: "strictness that hurts honest domains",
        holds: "no SOA, lower case and old codes are told and do not fail a domain",
        scenarios: &["servers/without-soa", "servers/lower-case", "servers/broken-0x20", "rcode-of-the-future"],
        tests: &[],
    },
    Threat {
        row: "F9",
        what: "cookies that were not sent",
        holds: "no cookie of a reply is believed or echoed that is not ours",
        scenarios: &[],
        tests: &[],
    },
    Threat {
        row: "F10",
        what: "octets that are no message, or not quite",
        holds: "what matches and cannot be read ends the try; nothing is made of the rest",
        scenarios: &[
            "malformed-at-one-of-two",
            "malformed-compression-loop",
            "malformed-counts-lie",
            "malformed-pointer-past-the-end",
            "malformed-reply-bit-clear",
            "malformed-strange-opcode",
            "malformed-two-questions",
            "bare-header-noerror",
            "bare-header-nxdomain",
            "control-characters-in-data",
        ],
        tests: &[
            ("tests/sessions.rs", "recorded_sessions_keep_every_limit_and_harm_no_other_zone"),
            ("tests/sessions.rs", "recorded_walks_end"),
        ],
    },
    Threat {
        row: "F11",
        what: "servers that live inside",
        holds: "nothing is sent there, whatever led to it",
        scenarios: &[
            "delegation/ns-address-forbidden",
            "delegation/ns-address-forbidden-broadcast",
            "delegation/ns-address-forbidden-link-local",
            "delegation/ns-address-forbidden-mapped",
            "delegation/ns-address-forbidden-metadata-ipv6",
            "delegation/ns-address-forbidden-multicast",
            "delegation/ns-address-forbidden-nat64",
            "delegation/ns-address-forbidden-zero",
        ],
        tests: &[
            ("tests/adversary/datagrams.rs", "nothing_comes_to_an_address_inside"),
            ("tests/properties.rs", "no_guarded_address_is_asked"),
            ("src/transport/guard.rs", "every_address_is_of_its_kind"),
        ],
    },
    Threat {
        row: "cache",
        what: "what one zone leaves behind for others",
        holds: "after any number of hostile checks a good zone comes out as from a cold start, to the octet",
        scenarios: &[],
        tests: &[
            ("tests/adversary/zones.rs", "after_many_hostile_checks_a_good_zone_comes_out_as_on_the_first_day"),
            ("tests/adversary/zones.rs", "servers_that_had_no_address_are_found_once_they_have_one"),
            ("src/transport/per_key.rs", "it_is_bounded_and_keeps_what_is_held"),
        ],
    },
];

/// What went wrong in other resolvers, and a behaviour of the table that would show it here.
const KNOWN_FAILURES: &[(&str, &str, &str)] = &[
    ("hickory CVE-2026-123606", "amplification over referrals without glue", "many-servers-in-a-victims-zone"),
    ("hickory CVE-2026-123586", "cyclic sibling referrals", "name-server-loop-of-three"),
    ("BIND CVE-2026-5950", "a loop without bound", "name-server-loop-ttl-zero"),
    ("hickory CVE-2026-123585", "aliases outside of the chain are followed", "unchained-alias-in-answer"),
    ("hickory CVE-2026-123583", "negative answers of other zones", "soa-of-another-zone"),
    ("hickory CVE-2026-123604", "TC=1 over TCP is asked again for ever", "a_cut_reply_over_tcp_too"),
    (
        "hickory CVE-2026-123602",
        "the child keeps its delegation alive",
        "a_delegation_that_was_taken_back_is_gone_however_often_the_child_is_asked",
    ),
    (
        "unbound CVE-2026-40622, 42955",
        "the child keeps its delegation and glue alive",
        "a_delegation_that_was_taken_back_is_gone_however_often_the_child_is_asked",
    ),
    (
        "hickory CVE-2026-123588",
        "an empty set of servers is remembered",
        "servers_that_had_no_address_are_found_once_they_have_one",
    ),
    (
        "hickory CVE-2026-123597, 123598",
        "keys that could not be learned make a zone bogus, for long",
        "keys_that_cannot_be_learned_make_nothing_bogus_and_nothing_authenticated",
    ),
    (
        "hickory CVE-2026-93657",
        "bogus data is returned as a success",
        "keys_that_cannot_be_learned_make_nothing_bogus_and_nothing_authenticated",
    ),
    (
        "hickory CVE-2026-123579 to 123607",
        "forged denials with NSEC and NSEC3",
        "a_name_is_denied_with_its_wildcard_or_not_at_all",
    ),
    ("unbound CVE-2026-44690", "the labels of a signature are not checked", "the_wildcard_is_what_was_signed"),
    (
        "KeyTrap CVE-2023-50387, BIND CVE-2026-11605",
        "every key is tried with every signature",
        "many_keys_of_one_tag_and_many_signatures_cost_no_more_than_a_few_verifications",
    ),
    (
        "NSEC3 CVE-2023-50868",
        "names are hashed thousands of times",
        "a_zone_whose_hashes_cost_too_much_counts_as_unsigned_and_is_not_hashed",
    ),
    ("unbound CVE-2026-50045", "the quota is filled again", "a_check_ends_within_its_budget_whatever_comes_back"),
    ("PowerDNS CVE-2026-24027, 33258", "octets without limit", "huge-texts-everywhere"),
    ("Knot Resolver", "a hundred connections for one question", "connections_to_a_server_are_few"),
    (
        "DNSBomb CVE-2024-33655",
        "replies that are held back are let go together",
        "one_address_is_asked_no_faster_than_its_limit_however_many_ask",
    ),
    (
        "unbound CVE-2026-50252",
        "the pool of ports can be mapped",
        "a_port_carries_few_questions_and_no_two_in_a_row_more_often_than_by_chance",
    ),
    (
        "unbound CVE-2025-5994, PowerDNS CVE-2025-59023",
        "one question is out several times",
        "two_tenants_that_check_one_domain_at_one_time_send_each_question_once",
    ),
    ("unbound CVE-2025-11411, BIND CVE-2025-40778", "NS records that nobody asked for", "servers-in-an-answer"),
    ("PowerDNS CVE-2026-52690", "a forged FORMERR turns EDNS off", "edns_is_not_forgotten_for_one_forged_refusal"),
    ("PowerDNS CVE-2026-33262", "cookies of any length", "a_cookie_of_three_thousand_octets"),
    ("unbound CVE-2026-41292", "options of many octets", "options_of_three_thousand_octets"),
    ("hickory, a reply that was emptied", "an emptied reply becomes NXDOMAIN", "answers-of-other-names"),
];

/// Reads a file of the repository.
fn read(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the path of a scenario.
fn path_of(scenario: &str) -> String {
    let folder = if scenario.contains('/') { "" } else { "hostile/" };
    format!("fixtures/scenarios/{folder}{scenario}.scn")
}

/// Says what a scenario must come to: the verdict, the cause and how many packets.
fn holds_in(scenario: &str) -> String {
    let text = read(&path_of(scenario));
    let wanted = ["expect verdict", "expect root_cause", "expect questions", "expect rcode", "expect reason"];
    let expects = text.lines().map(str::trim).filter(|line| wanted.iter().any(|word| line.starts_with(word)));
    let told: Vec<&str> = expects.map(|line| line.trim_start_matches("expect ")).collect();
    assert!(!told.is_empty(), "{scenario} expects nothing");
    told.join(", ")
}

/// Collects the behaviours of a threat and what must come of each.
fn behaviours(threat: &Threat) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for behaviour in DATAGRAMS.iter().chain(CONNECTIONS).filter(|behaviour| behaviour.row == threat.row) {
        let is_new = all.insert(behaviour.name.to_owned(), format!("{:?}", behaviour.end)).is_none();
        assert!(is_new, "{} is there twice", behaviour.name);
    }
    for scenario in threat.scenarios {
        all.insert((*scenario).to_owned(), holds_in(scenario));
    }
    for (file, test) in threat.tests {
        assert!(read(file).contains(&format!("fn {test}(")), "{file} has no test {test}");
        all.insert((*test).to_owned(), format!("a test of {file}"));
    }
    all
}

#[test]
fn every_threat_and_every_known_failure_has_a_behaviour() {
    let rows: BTreeSet<&str> = THREATS.iter().map(|threat| threat.row).collect();
    let wanted = (1..=11).flat_map(|nth| [format!("A{nth}"), format!("F{nth}")]);
    let missing: Vec<String> = wanted.filter(|row| !rows.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "no threat {missing:?}");
    let mut named = BTreeSet::new();
    for threat in THREATS {
        let behaviours = behaviours(threat);
        println!("{:5} {}\n      {}", threat.row, threat.what, threat.holds);
        behaviours.iter().for_each(|(behaviour, holds)| println!("        {behaviour}: {holds}"));
        assert!(!behaviours.is_empty(), "nothing shows {} ({})", threat.row, threat.what);
        named.extend(behaviours.into_keys());
    }
    let octets: Vec<_> = DATAGRAMS.iter().chain(CONNECTIONS).collect();
    let strangers: Vec<&str> = octets.iter().filter(|one| !rows.contains(one.row)).map(|one| one.name).collect();
    assert!(strangers.is_empty(), "of no threat: {strangers:?}");
    for (who, what, behaviour) in KNOWN_FAILURES {
        println!("{who}: {what}: {behaviour}");
        assert!(named.contains(*behaviour), "{who} ({what}): there is no {behaviour}");
    }
    println!("{} behaviours, {} of them octet by octet", named.len(), octets.len());
    assert!(octets.len() >= OCTET_BEHAVIOURS_WANTED, "{} behaviours octet by octet", octets.len());
}

#[test]
fn the_page_on_security_tells_every_threat_in_these_words() {
    let page = read(".github/SECURITY.md");
    let told: Vec<&str> = page.lines().filter(|line| line.starts_with("- **")).collect();
    let line = |threat: &Threat| format!("- **{}** {}: {}.", threat.row, threat.what, threat.holds);
    assert_eq!(told, THREATS.iter().map(line).collect::<Vec<_>>());
}

#[test]
fn every_hostile_scenario_belongs_to_a_threat() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios/hostile");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let stems = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned());
    let known: BTreeSet<&str> = THREATS.iter().flat_map(|threat| threat.scenarios).copied().collect();
    let strangers: Vec<String> = stems.filter(|stem| !known.contains(stem.as_str())).collect();
    assert!(strangers.is_empty(), "of no threat: {strangers:?}");
}

#[test]
fn the_library_that_writes_messages_is_one_that_compresses_names_in_linear_time() {
    // hickory-proto before 0.26.1 takes quadratic time (CVE-2026-123608).
    let lock = read("Cargo.lock");
    let (_, behind) = lock.split_once("name = \"hickory-proto\"\nversion = \"").unwrap();
    let version: Vec<u32> = behind.split('"').next().unwrap().split('.').map(|part| part.parse().unwrap()).collect();
    assert!(version >= vec![0, 26, 1], "{version:?}");
}
