use super::*;
use crate::expectation::DEFAULT_DKIM_ZONE;
use crate::findings::RecordStatus;
use crate::findings::sample::evidence;

/// The zones that the tests play in.
const ZONES: &str = "zone example.com. ns1.example.net.=192.0.2.1 ns2.example.net.=192.0.2.2 ns3.example.net.=192.0.2.3\n\
                     zone spf.example. ns.spf.example.=203.0.113.1\n\
                     zone spf2.example. a.spf2.example.=203.0.113.2 b.spf2.example.=203.0.113.3 c.spf2.example.=203.0.113.4\n";

/// Expects an SPF record of `mail.example.com.`.
fn expectation() -> Expectation {
    Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap()
}

/// Returns status, code, findings with their arguments, and the questions still needed.
fn told(text: &str) -> String {
    let (expectation, evidence) = (expectation(), evidence(&format!("{ZONES}{text}")));
    let (records, findings) = judge(&expectation, &evidence);
    let mut told = vec![records[0].status.as_str().to_owned()];
    for finding in findings {
        told.push(format!("{} {}", finding.severity.as_str(), finding.code.as_str()));
        for (key, value) in finding.arguments.iter().filter(|(key, _)| **key != "include") {
            let value = match value {
                Argument::Text(text) => text.clone(),
                Argument::Number(number) => number.to_string(),
                other => format!("{other:?}"),
            };
            told.push(format!("{key}={value}"));
        }
    }
    let record = expectation.of_kind(RecordKind::Spf).next().unwrap();
    told.extend(views(&evidence, record).needed().iter().map(|question| format!("needs {question}")));
    told.join("; ")
}

#[test]
fn each_fault_of_the_record_is_told_with_the_record_to_have() {
    let rows = [
        ("v=spf1 include:amazonses.com -all", "ok"),
        ("V=SPF1 include:AmazonSES.com ~all", "ok"),
        ("v=spf1 redirect=amazonses.com", "ok"),
        ("unrelated | v=spf1 include:amazonses.com -all | v=spf10", "ok"),
        ("nxdomain", "absent; warning spf_absent; new_record=v=spf1 include:amazonses.com ~all"),
        ("nodata", "absent; warning spf_absent; new_record=v=spf1 include:amazonses.com ~all"),
        ("unrelated |  v=spf1x", "absent; warning spf_absent; new_record=v=spf1 include:amazonses.com ~all"),
        (
            "v=spf1 ip4:192.0.2.7 -all",
            "wrong; warning spf_missing_include; new_record=v=spf1 ip4:192.0.2.7 include:amazonses.com -all; \
             record=v=spf1 ip4:192.0.2.7 -all",
        ),
        (
            "v=spf1 -all include:amazonses.com",
            "wrong; warning spf_missing_include; new_record=v=spf1 include:amazonses.com -all include:amazonses.com; \
             record=v=spf1 -all include:amazonses.com",
        ),
        (
            "v=spf1 -include:amazonses.com ~all",
            "wrong; warning spf_missing_include; new_record=v=spf1 -include:amazonses.com include:amazonses.com ~all; \
             record=v=spf1 -include:amazonses.com ~all",
        ),
        (
            "v=spf1 include:%{d}.spf.example ~all",
            "wrong; notice spf_missing_include; depends_on_message=include:%{d}.spf.example; \
             new_record=v=spf1 include:%{d}.spf.example include:amazonses.com ~all; \
             record=v=spf1 include:%{d}.spf.example ~all",
        ),
        (
            "v=spf1 a,mx include:amazonses.com",
            "wrong; warning spf_syntax; column=8; problem=unknown mechanism; record=v=spf1 a,mx include:amazonses.com; \
             term=a,mx",
        ),
        (
            "v=spf1 a -all | v=spf1 include:amazonses.com ~all",
            "wrong; warning spf_multiple; count=2; new_record=v=spf1 a include:amazonses.com -all",
        ),
        ("v=spf1 a,b | v=spf1 -all", "wrong; warning spf_multiple; count=2"),
        (
            "x | \"v=spf1 a -all\"",
            "wrong; warning spf_leading_space_or_quote; new_record=v=spf1 a include:amazonses.com -all; \
             record=\\\"v=spf1 a -all\\\"",
        ),
        // What stands in the quotes cannot be read further.
        ("\"v=spf1 a,b\"", "wrong; warning spf_leading_space_or_quote; record=\\\"v=spf1 a,b\\\""),
    ];
    for (texts, expected) in rows {
        let expected = expected.strip_suffix("; ").unwrap_or(expected);
        assert_eq!(told(&format!("mail.example.com. TXT: {texts}")), expected, "{texts}");
    }
}

#[test]
fn an_include_of_an_include_counts_and_is_asked_for_until_it_is_known() {
    let own = "mail.example.com. TXT: v=spf1 include:a.spf.example redirect=b.spf.example\n";
    let missing = "wrong; warning spf_missing_include; \
                   new_record=v=spf1 include:a.spf.example include:amazonses.com redirect=b.spf.example; \
                   record=v=spf1 include:a.spf.example redirect=b.spf.example";
    let rows = [
        ("", "unable_to_check; needs a.spf.example. TXT; needs b.spf.example. TXT"),
        ("a.spf.example. TXT: v=spf1 -all\n", "unable_to_check; needs b.spf.example. TXT"),
        ("a.spf.example. TXT: v=spf1 include:amazonses.com -all\n", "ok"),
        ("b.spf.example. TXT: v=spf1 redirect=amazonses.com\n", "ok"),
        (
            "a.spf.example. TXT: v=spf1 include:c.spf.example ~all\nb.spf.example. TXT: nxdomain\n",
            "unable_to_check; needs c.spf.example. TXT",
        ),
        ("a.spf.example. TXT: timeout\nb.spf.example. TXT: nxdomain\n", "unable_to_check"),
        ("a.spf.example. TXT: nodata\nb.spf.example. TXT: v=spf1 v=spf1\n", missing),
        (
            "a.spf.example. TXT: v=spf1 include:b.spf.example\nb.spf.example. TXT: v=spf1 include:a.spf.example\n",
            missing,
        ),
        (
            "a.spf.example. TXT: alias c.spf.example.\nc.spf.example. TXT: v=spf1 include:amazonses.com\n\
             b.spf.example. TXT: nxdomain\n",
            "ok",
        ),
        (
            "a.spf.example. TXT: alias c.spf.example.\nb.spf.example. TXT: nodata\n",
            "unable_to_check; needs c.spf.example. TXT",
        ),
        (
            "a.spf.example. TXT: alias c.spf.example.\nc.spf.example. TXT: alias a.spf.example.\n\
             b.spf.example. TXT: nodata\n",
            "unable_to_check",
        ),
    ];
    for (texts, expected) in rows {
        assert_eq!(told(&format!("{own}{texts}")), expected, "{texts}");
    }
}

#[test]
fn one_answer_about_an_include_is_enough() {
    let own = "mail.example.com. TXT: v=spf1 include:spf2.example ~all\nspf2.example. TXT: timeout\n";
    assert_eq!(told(own), "unable_to_check");
    assert_eq!(told(&format!("{own}spf2.example. TXT @203.0.113.4: v=spf1 include:amazonses.com -all")), "ok");
    assert!(told(&format!("{own}spf2.example. TXT @203.0.113.4: nxdomain")).starts_with("wrong; warning spf_missing"));
}

#[test]
fn the_search_ends_after_ten_lookups() {
    let chain = |links: usize| {
        let mut text = "mail.example.com. TXT: v=spf1 include:s1.spf.example -all\n".to_owned();
        for link in 1..links {
            text.push_str(&format!("s{link}.spf.example. TXT: v=spf1 include:s{}.spf.example -all\n", link + 1));
        }
        text + &format!("s{links}.spf.example. TXT: v=spf1 include:amazonses.com -all\n")
    };
    assert_eq!(told(&chain(10)), "ok");
    assert!(told(&chain(11)).starts_with("wrong; warning spf_missing_include"));
}

#[test]
fn an_alias_at_the_domain_is_followed() {
    let alias = "mail.example.com. TXT: alias host.spf.example.\n";
    assert_eq!(told(alias), "unable_to_check; needs host.spf.example. TXT");
    let right = format!("{alias}host.spf.example. TXT: v=spf1 include:amazonses.com -all");
    assert_eq!(told(&right), "ok; notice spf_as_cname; target=Name(host.spf.example.)");
    assert!(told(&format!("{alias}host.spf.example. TXT: nxdomain")).starts_with("absent; warning spf_absent"));
    assert_eq!(told(&format!("{alias}host.spf.example. TXT: servfail")), "unable_to_check");
}

#[test]
fn a_missing_record_is_looked_for_elsewhere_once_it_is_known_to_be_missing() {
    let asked = |text: &str| -> Vec<String> {
        let asks = wanted(&expectation(), &evidence(&format!("{ZONES}{text}")));
        asks.iter().map(|ask| ask.question.to_string()).collect()
    };
    let (doubled, above) = ("mail.example.com.example.com. TXT", "example.com. TXT");
    let missing = "mail.example.com. TXT: nodata\n";
    assert_eq!(asked(missing), ["mail.example.com. SPF", doubled, above]);
    assert_eq!(asked("mail.example.com. TXT: nxdomain\n"), [doubled, above]);
    for settled in ["v=spf1 include:amazonses.com -all", "v=spf1 -all", " v=spf1 -all", "servfail"] {
        assert_eq!(asked(&format!("mail.example.com. TXT: {settled}\n")), [""; 0], "{settled}");
    }
    // An alias is followed, and nothing of the name's own can stand beside it.
    assert_eq!(asked("mail.example.com. TXT: alias a.example.\n"), ["a.example. TXT"]);
    assert_eq!(asked(&format!("{missing}mail.example.com. TXT @192.0.2.2: v=spf1 -all\n")), [""; 0]);
}

#[test]
fn servers_differ_where_they_say_different_things_of_the_record_only() {
    let right = "mail.example.com. TXT: v=spf1 include:amazonses.com -all\n";
    let rows = [
        ("v=spf1 include:amazonses.com ~all | unrelated", "ok"),
        ("nxdomain", "inconsistent"),
        ("v=spf1 -all", "inconsistent"),
        ("timeout", "ok"),
    ];
    for (other, expected) in rows {
        assert_eq!(told(&format!("{right}mail.example.com. TXT @192.0.2.2: {other}")), expected, "{other}");
    }
    let differ = "mail.example.com. TXT: v=spf1 -all\nmail.example.com. TXT @192.0.2.2: nxdomain\n";
    assert_eq!(told(differ), "inconsistent");
    let agree = "mail.example.com. TXT: v=spf1 -all\nmail.example.com. TXT @192.0.2.2: v=spf1 a -all\n";
    assert!(told(agree).starts_with("wrong; warning spf_missing_include"));
}

#[test]
fn the_records_found_are_those_of_spf_and_their_aliases() {
    let text = "mail.example.com. TXT: x | v=spf1 -all\nmail.example.com. TXT @192.0.2.2: alias host.spf.example.\n";
    let (records, _) = judge(&expectation(), &evidence(&format!("{ZONES}{text}")));
    let found: Vec<String> = records[0].found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["mail.example.com. 300 CNAME host.spf.example.", "mail.example.com. 300 TXT \"v=spf1 -all\""]);
    assert_eq!(records[0].status, RecordStatus::Wrong);
}
