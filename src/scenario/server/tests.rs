//! What goes over the wire.

use super::*;
use crate::dns::message::{encode_query, is_bare_error_to, is_reply_to};

const TEXT: &str = r#"
root 198.51.100.1
zone . at 198.51.100.1
  com NS a.gtld.example.
zone com at 192.0.2.1 192.0.2.9
  example NS ns1.example
  ns1.example A 192.0.2.53
zone example.com at 192.0.2.53 192.0.2.9
  a TXT "one"
  long TXT "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
zone example.com at 192.0.2.54
  a TXT "two"
server 192.0.2.66
  TXT refused.example.com -> REFUSED
  TXT silent.example.com -> silence
  TXT deaf.example.com -> refuse-connection
  TXT slow.example.com -> after 250ms, SERVFAIL
  TXT crafted.example.com -> NXDOMAIN, aa, ra
    authority example.com 60 SOA a. b. 1 2 3 4 5
    additional victim.example 60 A 203.0.113.9
  TXT upward.example.com -> upward-referral
  TXT raw.example.com -> raw 8400000100000000000003726177076578616d706c6503636f6d0000100001ff
  TXT empty.example.com -> raw -
  TXT cut.example.com -> NOERROR, cut 11
  TXT ede.example.com -> REFUSED, ede 20, ede 22
  edns TXT old.example.com -> FORMERR, bare
  TXT no-edns.example.com -> NOERROR, no-edns
  TXT tries.example.com first 2 -> SERVFAIL
  TXT tries.example.com every 2 -> REFUSED
  TXT tries.example.com -> NOTIMP
  tcp under tree.example.com -> NOTAUTH
"#;

fn scenario() -> Scenario {
    TEXT.replace("tcp under", "tcp any under").parse().unwrap()
}

fn query(name: &str, kind: RecordType, payload_octets: Option<u16>) -> Vec<u8> {
    let edns = payload_octets.map(|payload_octets| Edns { payload_octets, ..Edns::default() });
    let question = Question::new(Name::parse(name).unwrap(), kind);
    encode_query(0x1234, &question, 0x5555_5555, edns.as_ref())
}

fn octets(action: Action) -> Vec<u8> {
    match action {
        Action::Reply { octets, .. } => octets,
        other => panic!("{other:?}"),
    }
}

fn ask(address: &str, name: &str, kind: RecordType) -> Message {
    let query = query(name, kind, Some(1232));
    let reply = octets(scenario().respond(address.parse().unwrap(), Protocol::Udp, &query, 1));
    assert!(is_reply_to(&reply, &query), "{name}");
    Message::decode(&reply).unwrap()
}

#[test]
fn the_deepest_zone_of_an_address_answers() {
    let both = "192.0.2.9";
    assert!(ask(both, "a.example.com", RecordType::TXT).flags.authoritative);
    assert_eq!(ask(both, "other.com", RecordType::TXT).rcode, Rcode::NXDOMAIN);
    assert_eq!(ask(both, "example.net", RecordType::TXT).rcode, Rcode::REFUSED);
    let signers = ask(both, "example.com", RecordType::DS);
    assert_eq!(signers.authority[0].owner, Name::parse("com").unwrap(), "the parent side knows the DS");
    assert_eq!(
        ask("192.0.2.53", "example.com", RecordType::DS).authority[0].owner,
        Name::parse("example.com").unwrap()
    );
}

#[test]
fn copies_of_a_zone_may_differ() {
    let data = |address| ask(address, "a.example.com", RecordType::TXT).answers[0].rdata.to_string();
    assert_eq!((data("192.0.2.53"), data("192.0.2.54")), ("\"one\"".to_owned(), "\"two\"".to_owned()));
}

#[test]
fn replies_fit_what_the_query_allows() {
    let mut text = TEXT.replace("tcp under", "tcp any under");
    let long: String = (0..8).map(|index| format!("  long TXT \"{index}{}\"\n", "x".repeat(200))).collect();
    text.push_str("zone example.org at 192.0.2.70\n");
    text.push_str(&long);
    let scenario: Scenario = text.parse().unwrap();
    for (protocol, payload, is_cut) in [
        (Protocol::Udp, None, true),
        (Protocol::Udp, Some(0), true),
        (Protocol::Udp, Some(65_535), true),
        (Protocol::Tcp, Some(512), false),
    ] {
        let query = query("long.example.org", RecordType::TXT, payload);
        let reply = octets(scenario.respond("192.0.2.70".parse().unwrap(), protocol, &query, 1));
        let message = Message::decode(&reply).unwrap();
        assert_eq!((message.flags.truncated, message.answers.is_empty()), (is_cut, is_cut), "{protocol} {payload:?}");
        assert_eq!(message.edns.is_some(), payload.is_some());
    }
}

#[test]
fn bodies_and_twists() {
    let bad: IpAddr = "192.0.2.66".parse().unwrap();
    let scenario = scenario();
    let act = |name: &str, protocol, nth| {
        scenario.respond(bad, protocol, &query(&format!("{name}.example.com"), RecordType::TXT, Some(1232)), nth)
    };
    let udp = |name: &str| act(name, Protocol::Udp, 1);
    let message = |name: &str| Message::decode(&octets(udp(name))).unwrap();
    assert_eq!(message("refused").rcode, Rcode::REFUSED);
    assert_eq!(message("unknown").rcode, Rcode::REFUSED, "no rule takes it and no zone is there");
    assert_eq!(udp("silent"), Action::Silence);
    assert_eq!(udp("deaf"), Action::RefuseConnection);
    assert!(matches!(udp("slow"), Action::Reply { delay, .. } if delay == Duration::from_millis(250)));
    let crafted = message("crafted");
    assert_eq!((crafted.rcode, crafted.authority.len(), crafted.additional.len()), (Rcode::NXDOMAIN, 1, 1));
    assert!(crafted.flags.authoritative && crafted.flags.recursion_available);
    let upward = message("upward");
    assert!(upward.authority.iter().all(|record| record.owner.is_root() && record.kind() == RecordType::NS));
    assert!(!upward.flags.authoritative && !upward.authority.is_empty());
    assert_eq!(octets(udp("empty")), [0x12, 0x34]);
    assert_eq!(octets(udp("cut")).len(), 11);
    assert_eq!(message("ede").edns.unwrap().extended_errors, [20, 22]);
    assert!(message("no-edns").edns.is_none());
    let tried: Vec<Rcode> =
        (1..5).map(|nth| Message::decode(&octets(act("tries", Protocol::Udp, nth))).unwrap().rcode).collect();
    assert_eq!(tried, [Rcode::SERVFAIL, Rcode::SERVFAIL, Rcode::NOTIMP, Rcode::REFUSED]);
    let over_tcp = Message::decode(&octets(act("x.tree", Protocol::Tcp, 1))).unwrap().rcode;
    assert_eq!((over_tcp, message("x.tree").rcode), (Rcode::NOTAUTH, Rcode::REFUSED));
}

#[test]
fn raw_octets_follow_the_id_and_keep_the_case_of_the_question() {
    let query = query("raw.example.com", RecordType::TXT, None);
    let reply = octets(scenario().respond("192.0.2.66".parse().unwrap(), Protocol::Udp, &query, 1));
    assert!(is_reply_to(&reply, &query));
    assert_eq!(reply.last(), Some(&0xff));
}

#[test]
fn the_question_comes_back_letter_by_letter_unless_told() {
    let scenario: Scenario =
        "zone example.com at 192.0.2.53\nserver 192.0.2.53\n  TXT b.example.com -> lower-case".parse().unwrap();
    for (name, is_kept) in [("a.example.com", true), ("b.example.com", false)] {
        let query = query(name, RecordType::TXT, Some(1232));
        let reply = octets(scenario.respond("192.0.2.53".parse().unwrap(), Protocol::Udp, &query, 1));
        assert_eq!(is_reply_to(&reply, &query), is_kept, "{name}");
    }
}

#[test]
fn an_old_server_knows_no_edns() {
    let scenario = scenario();
    let ask = |payload| {
        let query = query("old.example.com", RecordType::TXT, payload);
        let reply = octets(scenario.respond("192.0.2.66".parse().unwrap(), Protocol::Udp, &query, 1));
        (is_bare_error_to(&reply, &query), Message::decode(&reply).unwrap().rcode)
    };
    assert_eq!(ask(Some(1232)), (true, Rcode::FORMERR));
    assert_eq!(ask(None), (false, Rcode::REFUSED));
}

#[test]
fn what_is_no_query_gets_no_answer() {
    let scenario = scenario();
    let respond = |address: &str, octets: &[u8]| scenario.respond(address.parse().unwrap(), Protocol::Udp, octets, 1);
    let query = query("a.example.com", RecordType::TXT, None);
    assert_eq!(respond("203.0.113.1", &query), Action::Silence, "nobody is there");
    assert_eq!(respond("192.0.2.53", &query[..11]), Action::Silence);
    let mut reply = query.clone();
    reply[2] |= 0x80;
    assert_eq!(respond("192.0.2.53", &reply), Action::Silence);
    let mut update = query.clone();
    update[2] |= 0x28;
    assert_eq!(Message::decode(&octets(respond("192.0.2.53", &update))).unwrap().rcode, Rcode::NOTIMP);
    let broken = Message::decode(&octets(respond("192.0.2.53", &query[..20]))).unwrap();
    assert_eq!((broken.id, broken.rcode), (0x1234, Rcode::FORMERR));
}
