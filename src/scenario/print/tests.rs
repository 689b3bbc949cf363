//! Printed text reads back to the same scenario, whatever is in it.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::dns::message::{Message, Section};
use crate::dns::rdata::Soa;
use crate::dns::rrset::{Question, Rcode, RecordType, Ttl};
use crate::evidence::Protocol;
use crate::scenario::expect::{
    Bound, CHECK_OPTIONS, Check, Expect, HORIZONS, RECORD_KINDS, STATUSES, Subject, VERDICTS,
};
use crate::scenario::rule::{Behaviour, Body, Matcher, Names, PLAIN_TWISTS, Tries, Twist};
use crate::scenario::{Action, Rule, ServedZone, Server, Task, Zone};

/// A label: mostly letters, but any octet can come.
fn label() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-c]{1,3}".prop_map(String::into_bytes),
        1 => select(vec!["*", "@", "#", "$TTL", "IN", "first", "any", "under", "->", "300", "a.b", "\"", ";", "("])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..6),
    ]
}

fn name() -> impl Strategy<Value = Name> {
    vec(label(), 0..4).prop_map(|labels| Name::from_labels(labels).unwrap())
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (1u8..9).prop_map(|last| IpAddr::from([192, 0, 2, last])),
        (1u16..9).prop_map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last])),
    ]
}

fn addresses() -> impl Strategy<Value = Vec<IpAddr>> {
    proptest::collection::btree_set(address(), 1..4).prop_map(|set| set.into_iter().collect())
}

fn rdata() -> impl Strategy<Value = Rdata> {
    let ttl = (0..=i32::MAX.unsigned_abs()).prop_map(Ttl::from_wire);
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| Rdata::A(octets.into())),
        any::<[u8; 16]>().prop_map(|octets| Rdata::Aaaa(octets.into())),
        name().prop_map(Rdata::Ns),
        name().prop_map(Rdata::Cname),
        name().prop_map(Rdata::Dname),
        name().prop_map(Rdata::Ptr),
        (any::<u16>(), name()).prop_map(|(preference, exchange)| Rdata::Mx { preference, exchange }),
        vec(vec(any::<u8>(), 0..20).prop_map(Vec::into_boxed_slice), 0..4).prop_map(Rdata::Txt),
        vec(any::<u8>(), 1..20).prop_map(|octets| Rdata::Other { kind: RecordType::HTTPS, octets: octets.into() }),
        vec(any::<u8>(), 1..20).prop_map(|octets| Rdata::Other { kind: RecordType::A, octets: octets.into() }),
        (name(), name(), any::<u32>(), ttl).prop_map(|(mname, rname, serial, minimum)| {
            Rdata::Soa(Soa { mname, rname, serial, refresh: 7200, retry: 900, expire: 1_209_600, minimum })
        }),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let ttl = prop_oneof![Just(300u32), 0..=i32::MAX.unsigned_abs()];
    (name(), ttl, rdata()).prop_map(|(owner, ttl, rdata)| Record { owner, ttl: Ttl::from_wire(ttl), rdata })
}

fn zone() -> impl Strategy<Value = ServedZone> {
    (name(), addresses(), vec(record(), 0..12)).prop_map(|(origin, addresses, records)| {
        let mut zone = Zone::new(origin.clone());
        for record in records {
            let owner = record.owner.concat(&origin).unwrap();
            // What has no place in the zone stays out.
            let _ = zone.add(Record { owner, ..record });
        }
        ServedZone { zone, addresses }
    })
}

fn twist() -> impl Strategy<Value = Twist> {
    prop_oneof![
        select(PLAIN_TWISTS.iter().map(|(_, twist)| *twist).collect::<Vec<_>>()),
        any::<u16>().prop_map(Twist::Edns),
        any::<u16>().prop_map(Twist::ExtendedError),
        any::<u32>().prop_map(Twist::Cut),
        (0..=i32::MAX.unsigned_abs()).prop_map(Twist::Ttl),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let names = prop_oneof![Just(Names::All), name().prop_map(Names::Exactly), name().prop_map(Names::Under)];
    let tries = prop_oneof![Just(Tries::All), any::<u32>().prop_map(Tries::First), any::<u32>().prop_map(Tries::Every)];
    let kind = option::of(select(vec![RecordType::A, RecordType::TXT, RecordType(4711), RecordType::ANY]));
    let protocol = option::of(select(vec![Protocol::Udp, Protocol::Tcp]));
    let matcher = (protocol, any::<bool>(), kind, names, tries)
        .prop_map(|(protocol, needs_edns, kind, names, tries)| Matcher { protocol, needs_edns, kind, names, tries });
    let body = prop_oneof![
        Just(Body::Normal),
        Just(Body::UpwardReferral),
        Just(Body::Silence),
        Just(Body::RefuseConnection),
        vec(any::<u8>(), 0..40).prop_map(|octets| Body::Raw(octets.into())),
        any::<u16>().prop_map(|code| Body::Rcode(Rcode(code & 0xfff))),
    ];
    let section = select(vec![Section::Answer, Section::Authority, Section::Additional]);
    let extra = vec((section, record()), 0..3);
    let delay = (0u64..100_000).prop_map(Duration::from_millis);
    (matcher, body, vec(twist(), 0..4), delay, extra).prop_map(|(matcher, body, twists, delay, extra)| {
        let has_message = !matches!(body, Body::Silence | Body::RefuseConnection | Body::Raw(_));
        let extra = if has_message { extra } else { Vec::new() };
        Rule { matcher, behaviour: Behaviour { body, twists, delay, extra } }
    })
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(words).prop_map(str::to_owned)
}

fn expect() -> impl Strategy<Value = Expect> {
    let code = || "[a-z][a-z0-9_]{0,8}".prop_filter("a word of its own", |code| code != "none");
    let bound = || {
        prop_oneof![
            any::<u32>().prop_map(Bound::AtMost),
            any::<u32>().prop_map(Bound::AtLeast),
            any::<u32>().prop_map(Bound::Exactly),
        ]
    };
    let at = prop_oneof![name().prop_map(|name| name.to_string()), address().prop_map(|address| address.to_string())];
    prop_oneof![
        word(VERDICTS).prop_map(Expect::Verdict),
        option::of(code()).prop_map(Expect::RootCause),
        (word(RECORD_KINDS), name(), word(STATUSES), option::of(code()))
            .prop_map(|(kind, name, status, code)| Expect::Record { kind, name, status, code }),
        (code(), option::of(at), vec(("[a-z]{1,4}", any::<String>()), 0..3))
            .prop_map(|(code, at, arguments)| Expect::Finding { code, at, arguments }),
        Just(Expect::NoOtherFindings),
        (option::of(address()), bound()).prop_map(|(at, bound)| Expect::Questions { at, bound }),
        any::<String>().prop_map(Expect::Remedy),
        (word(HORIZONS), 0u64..100_000)
            .prop_map(|(which, within)| Expect::Horizon { which, within: Duration::from_millis(within) }),
        Just(Expect::Rcode(Rcode::SERVFAIL)),
        (name(), rdata()).prop_map(|(owner, rdata)| Expect::Answer { owner, rdata }),
        Just(Expect::NoOtherAnswers),
        code().prop_map(Expect::Reason),
    ]
}

fn task() -> impl Strategy<Value = Task> {
    let check = (any::<String>(), vec((word(CHECK_OPTIONS), any::<String>()), 0..4))
        .prop_map(|(domain, options)| Subject::Check(Check { domain, options }));
    let lookup = name().prop_map(|name| Subject::Lookup(Question::new(name, RecordType::MX)));
    (prop_oneof![check, lookup], vec(expect(), 0..5)).prop_map(|(subject, expectations)| Task { subject, expectations })
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let server = (addresses(), vec(rule(), 0..4)).prop_map(|(addresses, rules)| Server { addresses, rules });
    let title = prop_oneof![
        Just(String::new()),
        "[a-z;# ]{0,9}[a-z]\n[a-z]{1,9}".prop_map(|text| text.trim_start_matches([';', '#', ' ']).to_owned())
    ];
    (title, addresses(), vec(zone(), 0..4), vec(server, 0..3), vec(task(), 0..3)).prop_map(
        |(title, roots, mut zones, servers, tasks)| {
            // One address serves one copy of a zone.
            let mut seen = std::collections::HashSet::new();
            zones.retain(|served| {
                served.addresses.iter().all(|address| seen.insert((*address, served.zone.origin().clone())))
            });
            Scenario::new(title, roots, zones, servers, tasks)
        },
    )
}

#[test]
fn a_word_that_begins_with_a_hash_reads_back() {
    let text = concat!(
        "root 192.0.2.1\n\nzone \\#.example. at 192.0.2.1\n  \\#a NS \\#b.\n\n",
        "check \"#\"\n  expect finding a at \\#.\n  expect record spf \\#. ok\n",
    );
    let scenario: Scenario = text.parse().unwrap();
    let Expect::Finding { at, .. } = &scenario.tasks[0].expectations[0] else { panic!("{scenario}") };
    assert_eq!(at.as_deref(), Some("#."));
    assert_eq!(scenario.to_string().parse::<Scenario>().unwrap(), scenario);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn printed_text_reads_back(scenario in scenario()) {
        let text = scenario.to_string();
        let again: Scenario = text.parse().map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&again, &scenario, "{}", text);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn any_text_is_read_or_refused_in_one_line(text in "(root|zone|server|check| |\n|;|\"|\\\\|->|a\\.|A|192\\.0\\.2\\.1|.){0,40}") {
        if let Err(error) = text.parse::<Scenario>() {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn any_octets_get_an_answer_that_can_be_read(scenario in scenario(), octets in vec(any::<u8>(), 0..64), nth in 0u32..4) {
        for address in scenario.addresses() {
            let _ = scenario.respond(address, Protocol::Udp, &octets, nth);
        }
    }

    #[test]
    fn zones_give_whole_messages(served in zone(), name in name(), below in name()) {
        let scenario = Scenario::new(String::new(), Vec::new(), vec![served], Vec::new(), Vec::new());
        let origin = scenario.zones()[0].zone.origin().clone();
        let owners: Vec<Name> = scenario.zones()[0].zone.records().into_iter().map(|record| record.owner).collect();
        let asked = owners.iter().flat_map(|owner| [Ok(owner.clone()), below.concat(owner)]).chain([name.concat(&origin)]);
        for asked in asked.filter_map(Result::ok) {
            for kind in [RecordType::A, RecordType::CNAME, RecordType::DS, RecordType::ANY] {
                let query = crate::dns::message::encode_query(1, &Question::new(asked.clone(), kind), 0, None);
                let action = scenario.respond(scenario.addresses()[0], Protocol::Tcp, &query, 1);
                let Action::Reply { octets, .. } = action else { panic!("{asked} {kind}") };
                let message = Message::decode(&octets).unwrap();
                let malformed = |record: &Record| matches!(record.rdata, Rdata::Other { kind: RecordType::A, .. });
                let has_malformed = scenario.zones()[0].zone.records().iter().any(malformed);
                prop_assert!(message.is_whole() || has_malformed);
                prop_assert!(message.rcode != Rcode::NXDOMAIN || !owners.contains(&asked) || !message.answers.is_empty());
            }
        }
    }
}
