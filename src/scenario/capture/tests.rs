//! What was recorded, printed and read again replies as it did live.

use std::sync::Arc;

use super::*;
use crate::budget::Budget;
use crate::scenario::expect::{Check, Subject};
use crate::scenario::replay::Replay;
use crate::transport::{DynTransport, PaceClass};

const TEXT: &str = r##"
zone example.com at 192.0.2.53
  $TTL 600
  good TXT "a;b" "\000#\"" ; comment
  alias CNAME good
  \#odd MX 10 \#mx
  child NS ns1.child
  ns1.child A 192.0.2.61
server 192.0.2.53
  any silent.example.com -> silence
  any deaf.example.com -> refuse-connection
  udp any cut.example.com -> truncate
  any id.example.com -> wrong-id
  any garbage.example.com -> raw 80
  any ede.example.com -> REFUSED, ede 20, ra, rd
  any size.example.com -> NOERROR, edns 4096
  any plain.example.com -> no-edns
  edns any old.example.com -> FORMERR, bare
  any old.example.com -> NOERROR, aa
  any flaky.example.com first 2 -> silence
  any broken.example.com -> NOERROR, aa
    answer broken.example.com A \# 3 c00002
    answer broken.example.com TXT "whole"
    authority example.com TYPE4711 \# 2 0102
  any short.example.com -> raw 840000010001000000000573686f7274076578616d706c6503636f6d0000100001
"##;

/// Asks everything, some of it more than once; returns what came back.
async fn ask_all(transport: &dyn DynTransport) -> Vec<(String, Result<Arc<Message>, Silence>)> {
    let mut seen = Vec::new();
    let (udp, tcp) = (Protocol::Udp, Protocol::Tcp);
    for (name, kind, protocol, with_edns) in [
        ("good", RecordType::TXT, udp, true),
        ("good", RecordType::A, udp, true),
        ("nowhere", RecordType::A, udp, true),
        ("alias", RecordType::TXT, udp, true),
        (r"\#odd", RecordType::MX, udp, true),
        ("www.child", RecordType::A, udp, true),
        ("silent", RecordType::A, udp, true),
        ("deaf", RecordType::A, tcp, true),
        ("cut", RecordType::A, udp, true),
        ("cut", RecordType::A, tcp, true),
        ("id", RecordType::A, udp, true),
        ("garbage", RecordType::A, udp, true),
        ("ede", RecordType::A, udp, true),
        ("size", RecordType::A, udp, true),
        ("plain", RecordType::A, udp, true),
        ("old", RecordType::A, udp, true),
        ("old", RecordType::A, udp, false),
        ("old", RecordType::A, udp, true),
        ("flaky", RecordType::A, udp, true),
        ("flaky", RecordType::A, udp, true),
        ("flaky", RecordType::A, udp, true),
        ("broken", RecordType::A, udp, true),
        ("short", RecordType::TXT, udp, true),
    ] {
        let question = Question::new(Name::parse(&format!("{name}.example.com")).unwrap(), kind);
        let server = "192.0.2.53".parse().unwrap();
        let query =
            Query { protocol, with_edns, ..Query::new(server, question, PaceClass::Ordinary, Budget::for_check()) };
        let mut outcome = transport.exchange(&query).await.outcome;
        if let Ok(message) = &mut outcome {
            Arc::make_mut(message).id = 0;
        }
        seen.push((format!("{name} {protocol}"), outcome));
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_recorded_run_replays_to_the_same_replies() {
    let live = Capture::new(Replay::new(Arc::new(TEXT.parse().unwrap())));
    let before = ask_all(&live).await;
    assert!(before.iter().any(|(_, outcome)| matches!(outcome, Ok(message) if !message.is_whole())));
    let check = Check { domain: "example.com".to_owned(), options: vec![("token".to_owned(), "t1".to_owned())] };
    let tasks = vec![Task { subject: Subject::Check(check), expectations: Vec::new() }];
    let scenario = live.to_scenario("Recorded", &["192.0.2.53".parse().unwrap()], tasks);
    let printed = scenario.to_string();
    let again: Scenario = printed.parse().unwrap();
    assert_eq!(again, scenario, "{printed}");
    let after = ask_all(&Replay::new(Arc::new(again))).await;
    for (one, other) in before.iter().zip(&after) {
        assert_eq!(one, other, "{printed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_never_asked_gets_the_referral_of_its_zone() {
    let scenario: Scenario = TEXT.parse().unwrap();
    let capture = Capture::new(Replay::new(Arc::new(scenario)));
    let ask = async |transport: &dyn DynTransport, name: &str| {
        let question = Question::new(Name::parse(name).unwrap(), RecordType::A);
        let address = "192.0.2.53".parse().unwrap();
        let query = Query::new(address, question, PaceClass::Ordinary, Budget::for_check());
        transport.exchange(&query).await.outcome.unwrap()
    };
    ask(&capture, "www.child.example.com").await;
    let replay = Replay::new(Arc::new(capture.to_scenario("", &[], Vec::new())));
    let other = ask(&replay, "mail.child.example.com").await;
    assert_eq!((other.rcode, other.authority.len(), other.additional.len()), (Rcode::NOERROR, 1, 1));
    assert_eq!(ask(&replay, "mail.example.com").await.rcode, Rcode::REFUSED);
}

#[tokio::test(start_paused = true)]
async fn tries_are_told_apart_only_where_they_differ() {
    let live = Capture::new(Replay::new(Arc::new(TEXT.parse().unwrap())));
    ask_all(&live).await;
    let printed = live.to_scenario("", &[], Vec::new()).to_string();
    for line in [
        "  A silent.example.com. -> silence",
        "  udp A cut.example.com. -> NXDOMAIN, aa, tc",
        "  tcp A cut.example.com. -> NXDOMAIN, aa",
        "  edns A old.example.com. -> FORMERR, bare",
        "  A old.example.com. -> NOERROR, aa",
        "    answer good.example.com. 600 TXT \"a;b\" \"\\000#\\\"\"",
        "  A flaky.example.com. first 2 -> silence",
        "  A flaky.example.com. -> NXDOMAIN, aa",
        "  A ede.example.com. -> REFUSED, ra, rd, ede 20",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_not_recorded() {
    let live = Capture::new(Replay::new(Arc::new(TEXT.parse().unwrap())));
    let budget = Budget::for_check();
    while budget.spend_send() {}
    let question = Question::new(Name::parse("good.example.com").unwrap(), RecordType::A);
    let query = Query::new("192.0.2.53".parse().unwrap(), question, PaceClass::Ordinary, budget);
    assert_eq!(live.exchange(&query).await.outcome, Err(Silence::Limit));
    assert_eq!(live.to_scenario("", &[], Vec::new()), Scenario::default());
}
