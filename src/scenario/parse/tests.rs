//! Errors, line by line, and what comes of a text.

use super::*;
use crate::dns::rrset::Question;
use crate::scenario::expect::{Expect, Subject};

#[test]
fn errors_name_line_find_and_expectation() {
    let zone = "zone example.com at 192.0.2.53\n";
    let server = "server 192.0.2.53\n";
    let check = "check example.com\n";
    let choices = "a response code, normal, silence, refuse-connection, upward-referral, raw or a twist";
    for (text, error) in [
        ("\n\nzonk\n".to_owned(), "line 3: found \"zonk\", expected root, zone, server, check or lookup".to_owned()),
        ("  a A 192.0.2.1".to_owned(), "line 1: found \"a\", expected a statement that is not indented".to_owned()),
        ("root".to_owned(), "line 1: found nothing more, expected an IP address".to_owned()),
        ("root 192.0.2".to_owned(), "line 1: found \"192.0.2\", expected an IP address".to_owned()),
        (
            "root 192.0.2.1\nroot 192.0.2.2 192.0.2.1".to_owned(),
            "line 2: found \"192.0.2.1\", expected root servers that were not given before".to_owned(),
        ),
        (
            "root 192.0.2.1 192.0.2.1".to_owned(),
            "line 1: found \"192.0.2.1\", expected at most 64 addresses, each once".to_owned(),
        ),
        ("zone example.com".to_owned(), "line 1: found nothing more, expected `at`".to_owned()),
        (
            "zone a..b at 192.0.2.1".to_owned(),
            "line 1: found \"a..b\", expected a domain name (the name has an empty label)".to_owned(),
        ),
        (
            format!("{zone}zone example.com at 192.0.2.54 192.0.2.53\n"),
            "line 2: found \"192.0.2.53\", expected an address that serves no example.com. yet".to_owned(),
        ),
        (format!("{zone}  a 5 A 192.0.2"), "line 2: found \"192.0.2\", expected an IPv4 address".to_owned()),
        (format!("{zone}  a AB 192.0.2"), "line 2: found \"AB\", expected a time to live or a record type".to_owned()),
        (format!("{zone}  a OPT \\# 0"), "line 2: found \"OPT\", expected a type that records can have".to_owned()),
        (
            format!("{zone}  a. A 192.0.2.1"),
            "line 2: found \"a.\", expected another record: a. is not in the zone example.com.".to_owned(),
        ),
        (format!("{zone}  a TXT \"open"), "line 2: found \"\\\"open\", expected a closing quote".to_owned()),
        (format!("{zone}  $TTL never"), "line 2: found \"never\", expected a time to live".to_owned()),
        (format!("{server}  any"), "line 2: found nothing more, expected `->`".to_owned()),
        (format!("{server}  any ->"), "line 2: found nothing more, expected what becomes of the query".to_owned()),
        (
            format!("{server}  sometimes -> silence"),
            "line 2: found \"sometimes\", expected a record type or `any`".to_owned(),
        ),
        (format!("{server}  any -> explode"), format!("line 2: found \"explode\", expected {choices}")),
        (
            format!("{server}  any -> REFUSED silence"),
            "line 2: found \"silence\", expected one of the twists, as the rule has a body already".to_owned(),
        ),
        (
            format!("{server}  any -> after soon"),
            "line 2: found \"soon\", expected a time such as 2s or 250ms".to_owned(),
        ),
        (
            format!("{server}  any -> raw 0"),
            "line 2: found \"0\", expected octets in hexadecimal, or `-` for none".to_owned(),
        ),
        (
            format!("{server}  answer a A 192.0.2.1"),
            "line 2: found \"answer\", expected a rule above its records".to_owned(),
        ),
        (
            format!("{server}  any -> silence\n    answer a A 192.0.2.1"),
            "line 3: found \"answer\", expected no records, as the rule above makes no message".to_owned(),
        ),
        (
            "check example.com tokn=a".to_owned(),
            format!("line 1: found \"tokn\", expected {}", crate::scenario::expect::CHECK_OPTIONS.join(", ")),
        ),
        ("lookup example.com".to_owned(), "line 1: found nothing more, expected a record type".to_owned()),
        (format!("{check}  verdict ready"), "line 2: found \"verdict\", expected `expect`".to_owned()),
        (
            format!("{check}  expect verdict good"),
            "line 2: found \"good\", expected ready, propagating, partial, failing, indeterminate".to_owned(),
        ),
        (
            format!("{check}  expect finding Host"),
            "line 2: found \"Host\", expected a code of lower-case letters, digits and _".to_owned(),
        ),
        (format!("{check}  expect questions < 3"), "line 2: found \"<\", expected <=, =, >=".to_owned()),
        (
            format!("{check}  expect verdict ready now"),
            "line 2: found \"now\", expected the end of the line".to_owned(),
        ),
        (
            format!("{}\n", "x".repeat(61)),
            format!("line 1: found \"{}\" and more, expected root, zone, server, check or lookup", "x".repeat(60)),
        ),
        (
            format!("; {}", "x".repeat(200_000)),
            "line 1: found \"200002 octets\", expected at most 163840 octets in a line".to_owned(),
        ),
    ] {
        let found = text.parse::<Scenario>().unwrap_err().to_string();
        assert_eq!(found, error);
        assert_eq!(found.lines().count(), 1);
    }
}

#[test]
fn the_title_is_the_comment_at_the_top() {
    for (text, title) in [
        ("; One\n# Two\n\n; no more\n", "One\nTwo"),
        ("\n;One\nroot 192.0.2.1 ; not this\n", "One"),
        ("root 192.0.2.1\n; nor this", ""),
        ("", ""),
    ] {
        assert_eq!(text.parse::<Scenario>().unwrap().title, title, "{text}");
    }
}

#[test]
fn zones_get_the_soa_and_ns_that_they_lack() {
    let text = "
zone . at 198.51.100.1 2001:db8::1
  com NS ns1.com
  ns1.com A 192.0.2.1
zone example.com at 192.0.2.53
zone com at 192.0.2.1
  example NS ns1.example
  example NS ns.example.net.
  ns1.example A 192.0.2.53
zone example.org at 192.0.2.54
";
    let scenario: Scenario = text.parse().unwrap();
    let zone = |place: usize| -> Vec<String> {
        scenario.zones()[place].zone.records().iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        zone(0)[..5],
        [
            ". 300 SOA a.root-servers.net. hostmaster. 1 7200 900 1209600 300",
            ". 300 NS a.root-servers.net.",
            ". 300 NS b.root-servers.net.",
            "com. 300 NS ns1.com.",
            "ns1.com. 300 A 192.0.2.1",
        ]
    );
    assert_eq!(
        zone(1),
        [
            "example.com. 300 SOA ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 300",
            "example.com. 300 NS ns1.example.com.",
            "example.com. 300 NS ns.example.net.",
            "ns1.example.com. 300 A 192.0.2.53",
        ]
    );
    assert_eq!(zone(3)[1..], ["example.org. 300 NS ns1.example.org.", "ns1.example.org. 300 A 192.0.2.54"]);
    let hints: Vec<String> = scenario.root_hints().iter().map(|(name, address)| format!("{name} {address}")).collect();
    assert_eq!(hints, ["a.root-servers.net. 198.51.100.1", "b.root-servers.net. 2001:db8::1"]);
}

#[test]
fn a_zone_goes_on_where_it_is_told_again_at_the_same_addresses() {
    let text = "
zone com at 192.0.2.1 192.0.2.2
  $TTL 1d
  one NS ns.example.net.
zone example.net at 192.0.2.53
zone com at 192.0.2.1 192.0.2.2
  two NS ns.example.net.
";
    let scenario: Scenario = text.parse().unwrap();
    let owners: Vec<(&Name, usize)> =
        scenario.zones().iter().map(|served| (served.zone.origin(), served.zone.records().len())).collect();
    let name = |text: &str| Name::parse(text).unwrap();
    assert_eq!(owners, [(&name("com"), 6), (&name("example.net"), 3)]);
    let ttl = |owner: &str| scenario.zones()[0].zone.records_at(&name(owner), RecordType::NS)[0].ttl.seconds();
    assert_eq!((ttl("one.com"), ttl("two.com")), (86_400, 300), "a TTL holds for the statement that it stands in");
}

#[test]
fn tasks_are_plain_data() {
    let text = "
check \"b\u{fc}cher.example\" token=t1 token=t2 require=spf,dmarc depth=full
  expect root_cause none
  expect record dkim t1._domainkey.example ok
  expect finding lame at 192.0.2.1 \"said=not here\" n=1
  expect remedy contains \"host \\\"@\\\"\"
  expect horizon negative within 5m
  expect questions at 192.0.2.1 = 0
lookup example.com MX
  expect answer example.com MX 10 mx.example.com
  expect no other answers
  expect reason timeout
";
    let scenario: Scenario = text.parse().unwrap();
    let Subject::Check(check) = &scenario.tasks[0].subject else { panic!() };
    assert_eq!(
        (check.domain.as_str(), check.tokens(), check.required()),
        ("b\u{fc}cher.example", vec!["t1", "t2"], vec!["spf", "dmarc"])
    );
    assert_eq!((check.option("depth"), check.option("region")), (Some("full"), None));
    let expectations = &scenario.tasks[0].expectations;
    assert_eq!(expectations[0], Expect::RootCause(None));
    let said = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let arguments = vec![said("said", "not here"), said("n", "1")];
    assert_eq!(
        expectations[2],
        Expect::Finding { code: "lame".to_owned(), at: Some("192.0.2.1".to_owned()), arguments }
    );
    assert_eq!(expectations[3], Expect::Remedy("host \"@\"".to_owned()));
    assert_eq!(expectations[4], Expect::Horizon { which: "negative".to_owned(), within: Duration::from_secs(300) });
    let question = Question::new(Name::parse("example.com").unwrap(), RecordType::MX);
    assert_eq!(scenario.tasks[1].subject, Subject::Lookup(question));
    assert_eq!(scenario.to_string().parse::<Scenario>().unwrap(), scenario);
}
