//! What must hold of single evaluations; the published suite is run from `tests/`.

use super::*;
use crate::dns::name::Name;
use crate::dns::rrset::RecordType;

fn message(address: &str, mail_from: &str) -> Message {
    let domain = mail_from.rsplit_once('@').map_or("example.com", |(_, domain)| domain);
    Message {
        address: address.parse().unwrap(),
        domain: domain.to_owned(),
        helo: "mail.example.net".to_owned(),
        mail_from: mail_from.to_owned(),
        receiver: "mx.example.org".to_owned(),
        unix_seconds: 1_700_000_000,
    }
}

/// Evaluates over `zone`: lines of name, type and data.
fn evaluate(zone: &[(&str, RecordType, &str)], message: Message) -> Outcome {
    let mut evaluation = Evaluation::new(message);
    for _ in 0..100 {
        let questions = match evaluation.next() {
            Step::Done(outcome) => return outcome,
            Step::Ask(questions) => questions,
        };
        assert!(!questions.is_empty());
        for question in questions {
            let name = question.name.to_text_without_dot().to_lowercase();
            let here: Vec<_> = zone.iter().filter(|(owner, ..)| *owner == name).collect();
            let records =
                here.iter().filter(|(_, kind, _)| *kind == question.kind).map(|(_, kind, data)| match *kind {
                    RecordType::A => Rdata::A(data.parse().unwrap()),
                    RecordType::AAAA => Rdata::Aaaa(data.parse().unwrap()),
                    RecordType::PTR => Rdata::Ptr(Name::parse(data).unwrap()),
                    RecordType::MX => Rdata::Mx { preference: 10, exchange: Name::parse(data).unwrap() },
                    _ => Rdata::Txt(vec![data.as_bytes().into()]),
                });
            let answer = if here.is_empty() { Answer::NxDomain } else { Answer::Records(records.collect()) };
            evaluation.handle_answer(question, answer);
        }
    }
    panic!("the evaluation does not end");
}

#[test]
fn each_mechanism_matches_what_it_names() {
    let (a, txt) = (RecordType::A, RecordType::TXT);
    for (record, address, result, lookups, voids) in [
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.9", "pass", 0, 0),
        ("v=spf1 ip4:192.0.2.0/24 -all", "::ffff:192.0.2.9", "pass", 0, 0),
        ("v=spf1 ip4:192.0.2.0/24 -all", "198.51.100.1", "fail", 0, 0),
        ("v=spf1 ip4:0.0.0.0/0 -all", "198.51.100.1", "pass", 0, 0),
        ("v=spf1 ip6:2001:db8::/32 ~all", "2001:db8::1", "pass", 0, 0),
        ("v=spf1 ip6:2001:db8::/32 ~all", "2001:db9::1", "softfail", 0, 0),
        ("v=spf1 a:a.example.com ?all", "192.0.2.1", "pass", 1, 0),
        ("v=spf1 a:a.example.com/24 ?all", "192.0.2.77", "pass", 1, 0),
        ("v=spf1 mx", "192.0.2.1", "pass", 1, 0),
        ("v=spf1 exists:%{ir}.x.example.com -all", "192.0.2.1", "pass", 1, 0),
        ("v=spf1 exists:%{ir}.x.example.com -all", "192.0.2.2", "fail", 1, 1),
        ("v=spf1 ptr -all", "192.0.2.1", "pass", 1, 0),
        ("v=spf1 include:i.example.com -all", "203.0.113.1", "pass", 1, 0),
        ("v=spf1 include:i.example.com", "203.0.113.2", "neutral", 1, 0),
        ("v=spf1 include:gone.example.com", "203.0.113.2", "permerror", 1, 1),
        ("v=spf1 redirect=i.example.com", "203.0.113.2", "fail", 1, 0),
        ("v=spf1 a:1.gone.example.com a:2.gone.example.com a:3.gone.example.com", "203.0.113.2", "permerror", 3, 3),
        ("v=spf1 include:example.com", "203.0.113.2", "permerror", 11, 0),
    ] {
        let zone = [
            ("example.com", txt, record),
            ("example.com", RecordType::MX, "a.example.com"),
            ("a.example.com", a, "192.0.2.1"),
            ("1.2.0.192.x.example.com", a, "127.0.0.2"),
            ("1.2.0.192.in-addr.arpa", RecordType::PTR, "a.example.com"),
            ("i.example.com", txt, "v=spf1 ip4:203.0.113.1 -all"),
        ];
        let outcome = evaluate(&zone, message(address, "user@example.com"));
        let seen = (outcome.result.as_str(), outcome.lookups, outcome.void_lookups);
        assert_eq!(seen, (result, lookups, voids), "{record} for {address}");
    }
}

#[test]
fn an_explanation_is_that_of_the_outermost_record_and_only_with_a_fail() {
    let txt = RecordType::TXT;
    for (record, mail_from, explanation) in [
        ("v=spf1 -all exp=e.example.com", "user@example.com", Some("192.0.2.1 user example.com mx.example.org a%20b")),
        ("v=spf1 -all exp=e.example.com", "", Some("192.0.2.1 postmaster mail.example.net mx.example.org a%20b")),
        ("v=spf1 ~all exp=e.example.com", "user@example.com", None),
        ("v=spf1 -all exp=broken.example.com", "user@example.com", None),
        ("v=spf1 -all exp=gone.example.com", "user@example.com", None),
        ("v=spf1 -all", "user@example.com", None),
    ] {
        let zone = [
            ("example.com", txt, record),
            ("e.example.com", txt, "%{c} %{l} %{o} %{r} a%-b"),
            ("broken.example.com", txt, "100%"),
        ];
        let outcome = evaluate(&zone, message("192.0.2.1", mail_from));
        assert_eq!(outcome.explanation.as_deref(), explanation, "{record}");
    }
}

#[test]
fn a_domain_that_can_have_no_record_has_none() {
    for domain in ["", "localhost", "a..example.com", "[192.0.2.1]x"] {
        let message = Message { domain: domain.to_owned(), ..message("192.0.2.1", "") };
        assert_eq!(evaluate(&[], message).result, SpfResult::None, "{domain}");
    }
}
