mod properties;

use std::sync::Arc;

use std::fmt::Write as _;
use std::net::IpAddr;

use super::sample::{evidence, name, question, say};
use super::status::cname_standing;
use super::*;
use crate::dns::name::Name;
use crate::dns::response::{Lameness, Response};
use crate::dns::rrset::{Question, Rcode, Ttl};
use crate::evidence::{
    ChainEnd, DelegationChain, Flaws, NameServer, Observation, Outcome, Protocol, Reply, Silence, Unresolved, ZoneCut,
};
use crate::expectation::{DEFAULT_DKIM_ZONE, RecordKind};

/// A zone with three servers, one of which has two addresses.
const ZONE: &str = "zone example.com. ns1.example.net.=192.0.2.1 ns1.example.net.=2001:db8::1 \
                    ns2.example.net.=192.0.2.2 ns3.example.net.=192.0.2.3\n";
/// A zone with one server.
const SMALL_ZONE: &str = "zone example.com. ns1.example.net.=192.0.2.1\n";
/// SPF and DMARC records that are right.
const MAIL: &str =
    "mail.example.com. TXT: v=spf1 include:amazonses.com -all\n_dmarc.mail.example.com. TXT: v=DMARC1; p=none\n";
/// No domain above has a DMARC policy.
const NO_POLICY_ABOVE: &str = "_dmarc.example.com. TXT: nxdomain\n_dmarc.com. TXT: nxdomain\n";

/// Expects the records of `mail.example.com.`.
fn expectation() -> Expectation {
    Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap()
}

/// Returns lines in which each DKIM record is answered with `what`, or right for `right`.
fn dkim(what: &str) -> String {
    let mut lines = String::new();
    for token in ["t1", "t2", "t3"] {
        let what = if what == "right" { format!("{token}.dkim.amazonses.com.") } else { what.to_owned() };
        writeln!(lines, "{token}._domainkey.mail.example.com. CNAME: {what}").unwrap();
    }
    lines
}

/// Returns lines in which each expected record is answered with `what` at some servers, given as ` @ADDRESS`.
fn all(at: &str, what: &str) -> String {
    let mut lines = String::new();
    for record in expectation().records {
        writeln!(lines, "{}{at}: {what}", record.question()).unwrap();
    }
    lines
}

/// Judges DKIM records by nothing but their status.
fn plain_dkim(expectation: &Expectation, evidence: &Evidence) -> (Vec<JudgedRecord>, Vec<Finding>) {
    let (mut records, mut findings) = (Vec::new(), Vec::new());
    for record in expectation.of_kind(RecordKind::Dkim) {
        let standing = cname_standing(evidence, record);
        let status = standing.status();
        let code = match status {
            RecordStatus::Ok => None,
            RecordStatus::Inconsistent => Some(Code::InconsistentServers),
            RecordStatus::UnableToCheck => Some(Code::UnableToCheck),
            RecordStatus::Absent => Some(Code::Absent),
            RecordStatus::Wrong => Some(Code::WrongTarget),
        };
        if let Some(code @ (Code::Absent | Code::WrongTarget)) = code {
            findings.push(Finding::new(code, record).proven_by(&record.question(), standing.answering()));
        }
        let is_right_somewhere = !standing.right.is_empty();
        records.push(JudgedRecord { record: record.clone(), status, code, is_right_somewhere, found: Vec::new() });
    }
    (records, findings)
}

/// Judges evidence for `mail.example.com.`.
fn conclude_from(evidence: &Evidence) -> Judgement {
    let expectation = expectation();
    conclude(&expectation, evidence, plain_dkim(&expectation, evidence))
}

/// Writes a judgement in one line: statuses by first letters, findings, root cause.
fn told(judgement: &Judgement) -> String {
    let statuses: Vec<&str> = judgement.records.iter().map(|judged| judged.status.as_str()).collect();
    let statuses = match statuses.as_slice() {
        [dkim, second, third, spf, dmarc] if dkim == second && dkim == third => format!("{dkim} {spf} {dmarc}"),
        other => other.join(" "),
    };
    let findings: Vec<String> = judgement
        .findings
        .iter()
        .map(|finding| {
            let mark = match finding.severity {
                Severity::Error => "!",
                Severity::Warning => "?",
                Severity::Notice | Severity::Info => "",
            };
            format!("{}{mark}", finding.code.as_str())
        })
        .collect();
    let root = judgement.root_cause.map_or("-", Code::as_str);
    format!("{statuses}; {}; {root}", findings.join(" "))
}

/// Returns an argument as text.
fn argument(judgement: &Judgement, code: Code, key: &str) -> String {
    let finding = judgement.findings.iter().find(|finding| finding.code == code).unwrap();
    match finding.arguments.get(key) {
        Some(Argument::Names(names)) => names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Some(Argument::Addresses(addresses)) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Some(Argument::Name(name)) => name.to_string(),
        Some(Argument::Number(number)) => number.to_string(),
        Some(Argument::Text(text)) => text.clone(),
        None => String::new(),
    }
}

/// Returns lines in which all is right.
fn right() -> String {
    format!("{}{MAIL}", dkim("right"))
}

/// Holds what is told of each text against what is expected.
fn hold(rows: Vec<(&str, String, &str)>) {
    for (case, text, expected) in rows {
        assert_eq!(told(&conclude_from(&evidence(&text))), expected, "{case}");
    }
}

#[test]
fn each_fault_of_a_zone_is_told_once() {
    hold(vec![
        ("all right", format!("{ZONE}{}", right()), "ok ok ok; ; -"),
        ("not registered", all(" in com.", "nxdomain"), "absent absent absent; not_registered!; not_registered"),
        (
            "the registry is silent",
            all(" in com.", "timeout"),
            "unable_to_check unable_to_check unable_to_check; ns_unreachable!; ns_unreachable",
        ),
        (
            "all refuse",
            format!("{ZONE}{}", all("", "refused")),
            "unable_to_check unable_to_check unable_to_check; lame_all!; lame_all",
        ),
        (
            "all fail",
            format!("{ZONE}{}", all("", "servfail")),
            "unable_to_check unable_to_check unable_to_check; lame_all!; lame_all",
        ),
        (
            "all lame",
            format!("{ZONE}{}", all("", "lame")),
            "unable_to_check unable_to_check unable_to_check; lame_all!; lame_all",
        ),
        (
            "all silent",
            format!("{ZONE}{}", all("", "timeout")),
            "unable_to_check unable_to_check unable_to_check; ns_unreachable!; ns_unreachable",
        ),
        (
            "some refuse, the others are silent",
            format!("{ZONE}{}{}", all("", "timeout"), all(" @192.0.2.2", "refused")),
            "unable_to_check unable_to_check unable_to_check; ns_unreachable! lame_some!; ns_unreachable",
        ),
        ("one refuses", format!("{ZONE}{}{}", right(), all(" @192.0.2.2", "refused")), "ok ok ok; lame_some?; -"),
        (
            "one is silent",
            format!("{ZONE}{}{}", right(), all(" @192.0.2.2", "timeout")),
            "ok ok ok; ns_unreachable?; -",
        ),
        (
            "one of two addresses is silent",
            format!("{ZONE}{}{}", right(), all(" @2001:db8::1", "timeout")),
            "ok ok ok; ; -",
        ),
        ("a family has no route", format!("{ZONE}{}{}", right(), all(" @2001:db8::1", "no_route")), "ok ok ok; ; -"),
    ]);
}

#[test]
fn each_fault_of_a_record_is_told_once() {
    hold(vec![
        (
            "three of four are lame",
            format!(
                "{ZONE}{}{}{}{}",
                right(),
                all(" @192.0.2.1", "refused"),
                all(" @192.0.2.2", "refused"),
                all(" @192.0.2.3", "servfail")
            ),
            "unable_to_check unable_to_check unable_to_check; unable_to_check! lame_some?; unable_to_check",
        ),
        (
            "one question only is refused",
            format!("{SMALL_ZONE}{}mail.example.com. TXT: refused\n", right()),
            "ok unable_to_check ok; refused_by_policy?; -",
        ),
        (
            "one required record only cannot be checked",
            format!("{SMALL_ZONE}{}t2._domainkey.mail.example.com. CNAME: timeout\n", right()),
            "ok unable_to_check ok ok ok; unable_to_check!; unable_to_check",
        ),
        (
            "a limit kept all back",
            format!("{ZONE}{}", all("", "limit")),
            "unable_to_check unable_to_check unable_to_check; budget_exceeded!; budget_exceeded",
        ),
        (
            "a limit kept one server back",
            format!("{ZONE}{}{}", right(), all(" @192.0.2.3", "limit")),
            "ok ok ok; budget_exceeded?; -",
        ),
        (
            "no walk got anywhere",
            format!(
                "{ZONE}{}{}",
                all("", "timeout"),
                expectation().records.iter().map(|record| format!("end {} limit\n", record.name)).collect::<String>()
            ),
            "unable_to_check unable_to_check unable_to_check; ns_unreachable! budget_exceeded!; ns_unreachable",
        ),
        (
            "servers differ",
            format!("{ZONE}{}{}", right(), dkim("nxdomain").replace(" CNAME:", " CNAME @192.0.2.3:")),
            "inconsistent ok ok; inconsistent_servers?; inconsistent_servers",
        ),
        (
            "servers differ about everything, and one is lame",
            format!(
                "{ZONE}{}{}{}{NO_POLICY_ABOVE}",
                right(),
                all(" @192.0.2.3", "nxdomain"),
                all(" @192.0.2.2", "refused")
            ),
            "inconsistent inconsistent inconsistent; \
             inconsistent_servers? inconsistent_servers? inconsistent_servers? lame_some?; inconsistent_servers",
        ),
        (
            "all is missing",
            format!("{SMALL_ZONE}{}{NO_POLICY_ABOVE}", all("", "nxdomain")),
            "absent absent absent; absent! absent! absent! spf_absent? dmarc_absent?; absent",
        ),
    ]);
}

#[test]
fn one_walk_shows_that_a_domain_is_not_registered() {
    let mut seen = evidence("t1._domainkey.mail.example.com. CNAME in com.: nxdomain");
    for record in expectation().records {
        let zones = vec![Name::root(), name("com.")];
        seen.add_chain(record.name, DelegationChain { zones, end: ChainEnd::Reached });
    }
    let judgement = conclude_from(&seen);
    assert_eq!(told(&judgement), "absent absent absent; not_registered!; not_registered");
    assert_eq!(argument(&judgement, Code::NotRegistered, "registrable"), "example.com.");
    assert_eq!(argument(&judgement, Code::NotRegistered, "parent"), "com.");
    assert!(judgement.records.iter().all(|judged| judged.code == Some(Code::Absent)));
    assert_eq!(judgement.findings[0].proof.len(), 1);
}

#[test]
fn two_servers_of_a_registry_are_enough_and_one_among_silent_ones_is_not() {
    let ask = "t1._domainkey.mail.example.org. CNAME";
    let zone = "zone org. a.org.example.=203.0.113.1 b.org.example.=203.0.113.2 c.org.example.=203.0.113.3 \
                d.org.example.=203.0.113.4 e.org.example.=203.0.113.5\n";
    let expectation = Expectation::new("mail.example.org", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let one = format!("{zone}{ask}: timeout\n{ask} @203.0.113.5: nxdomain\n");
    let two = format!("{one}{ask} @203.0.113.4: nxdomain\n");
    for (text, is_proven) in [(one, false), (two, true)] {
        let seen = evidence(&text);
        let judgement = conclude(&expectation, &seen, plain_dkim(&expectation, &seen));
        let proven = judgement.root_cause == Some(Code::NotRegistered);
        assert_eq!(proven, is_proven, "{}", told(&judgement));
        if !is_proven {
            assert!(judgement.records.iter().all(|judged| judged.status == RecordStatus::UnableToCheck));
        }
    }
}

#[test]
fn a_domain_of_which_the_registry_knows_something_is_registered() {
    for what in ["nodata", "v=spf1 -all"] {
        let text = format!("{}mail.example.com. TXT in com.: {what}", all(" in com.", "nxdomain"));
        let judgement = conclude_from(&evidence(&text));
        assert!(!judgement.findings.iter().any(|finding| finding.code == Code::NotRegistered), "{what}");
    }
}

#[test]
fn lame_servers_are_named_with_how_they_say_so() {
    let text = format!(
        "{ZONE}{}{MAIL}{}{}",
        dkim("right"),
        all(" @192.0.2.2", "refused"),
        "mail.example.com. TXT @192.0.2.2: timeout\n"
    );
    let mut seen = evidence(&text);
    for record in expectation().records {
        let upward = Response::Lame(Lameness::UpwardReferral);
        add(&mut seen, &record.question(), "ns1.example.net.", "2001:db8::1", replied(upward, Rcode::NOERROR));
    }
    let judgement = conclude_from(&seen);
    assert_eq!(told(&judgement), "ok ok ok; lame_some?; -");
    assert_eq!(argument(&judgement, Code::LameSome, "servers"), "ns1.example.net. ns2.example.net.");
    assert_eq!(argument(&judgement, Code::LameSome, "addresses"), "192.0.2.2 2001:db8::1");
    assert_eq!(argument(&judgement, Code::LameSome, "kinds"), "refused, upward_referral");
    let proof = &judgement.findings[0].proof;
    assert!(proof.iter().all(|proof| ["192.0.2.2", "2001:db8::1"].contains(&proof.address.to_string().as_str())));
    assert_eq!(proof.len(), 10);
}

#[test]
fn servers_out_of_reach_are_named() {
    let text = format!("{ZONE}{}{MAIL}{}", dkim("right"), all(" @192.0.2.3", "timeout"));
    let judgement = conclude_from(&evidence(&text));
    assert_eq!(argument(&judgement, Code::NsUnreachable, "servers"), "ns3.example.net.");
    assert_eq!(argument(&judgement, Code::NsUnreachable, "addresses"), "192.0.2.3");
}

#[test]
fn servers_that_differ_are_named_once_a_kind() {
    let text = format!(
        "{ZONE}{}{MAIL}t1._domainkey.mail.example.com. CNAME @192.0.2.2: nxdomain\n\
         t2._domainkey.mail.example.com. CNAME @192.0.2.3: other.example.\n",
        dkim("right")
    );
    let judgement = conclude_from(&evidence(&text));
    assert_eq!(told(&judgement), "inconsistent inconsistent ok ok ok; inconsistent_servers?; inconsistent_servers");
    assert_eq!(argument(&judgement, Code::InconsistentServers, "servers"), "ns2.example.net. ns3.example.net.");
    assert_eq!(
        argument(&judgement, Code::InconsistentServers, "records"),
        "t1._domainkey.mail.example.com. t2._domainkey.mail.example.com."
    );
    let right = ["ok", "of"].map(|key| argument(&judgement, Code::InconsistentServers, key));
    assert_eq!(right, ["2", "3"], "servers that have the first record right");
    assert_eq!(judgement.findings[0].proof.len(), 8, "all four addresses are quoted for both records");
}

#[test]
fn how_many_addresses_answer_is_told_of_a_record_that_cannot_be_checked() {
    let text = format!("{ZONE}{}t1._domainkey.mail.example.com. CNAME: timeout\n", right());
    let mut seen = evidence(&text);
    let asked = question("t1._domainkey.mail.example.com. CNAME");
    say(&mut seen, &asked, &name("example.com."), Some([192, 0, 2, 2].into()), "nxdomain");
    let judgement = conclude_from(&seen);
    assert_eq!(judgement.root_cause, Some(Code::UnableToCheck));
    assert_eq!(["ok", "of"].map(|key| argument(&judgement, Code::UnableToCheck, key)), ["1", "4"]);
}

#[test]
fn servers_without_an_address_are_told_by_reason() {
    use Unresolved::{Alias, Limit, Loop, NoAddress, NxDomain, Unanswered};
    let dead = "unable_to_check unable_to_check unable_to_check";
    let rows: Vec<(ChainEnd, Vec<Option<Unresolved>>, String, &str)> = vec![
        (
            ChainEnd::Unresolvable,
            vec![Some(NxDomain), Some(Alias)],
            format!("{dead}; ns_unresolvable!; ns_unresolvable"),
            "alias, nxdomain",
        ),
        (
            ChainEnd::Unresolvable,
            vec![Some(Unanswered)],
            format!("{dead}; ns_unresolvable!; ns_unresolvable"),
            "unanswered",
        ),
        (ChainEnd::Loop, vec![Some(Loop), Some(Loop)], format!("{dead}; delegation_loop!; delegation_loop"), ""),
        (
            ChainEnd::Loop,
            vec![Some(Loop), Some(NxDomain)],
            format!("{dead}; delegation_loop! ns_unresolvable!; delegation_loop"),
            "nxdomain",
        ),
        (ChainEnd::Limit, vec![Some(Limit)], format!("{dead}; budget_exceeded!; budget_exceeded"), ""),
        (ChainEnd::Reached, vec![Some(NoAddress), None], "ok ok ok; ns_unresolvable?; -".to_owned(), "no_address"),
        (ChainEnd::Reached, vec![Some(Loop), None], "ok ok ok; ns_unresolvable?; -".to_owned(), "loop"),
        (ChainEnd::Reached, vec![Some(Limit), None], "ok ok ok; budget_exceeded?; -".to_owned(), ""),
    ];
    for (end, servers, expected, reason) in rows {
        let answered = end == ChainEnd::Reached;
        let text = if answered { format!("{SMALL_ZONE}{}{MAIL}", dkim("right")) } else { String::new() };
        let mut seen = evidence(&text);
        add_cut(&mut seen, &servers);
        for record in expectation().records {
            let zones = vec![Name::root(), name("com."), name("example.com.")];
            seen.add_chain(record.name, DelegationChain { zones, end });
        }
        let judgement = conclude_from(&seen);
        assert_eq!(told(&judgement), expected, "{servers:?}");
        if !reason.is_empty() {
            assert_eq!(argument(&judgement, Code::NsUnresolvable, "reason"), reason);
        }
    }
}

#[test]
fn servers_on_addresses_that_are_never_asked_are_told() {
    let forbid = |seen: &mut Evidence, address: &str| {
        for record in expectation().records {
            add(seen, &record.question(), "ns2.example.net.", address, Outcome::Silent(Silence::Forbidden));
        }
    };
    let mut some = evidence(&format!("{SMALL_ZONE}{}{MAIL}", dkim("right")));
    forbid(&mut some, "198.51.100.2");
    assert_eq!(told(&conclude_from(&some)), "ok ok ok; ns_address_forbidden?; -");
    let mut all_of_them = evidence(&format!("{SMALL_ZONE}{}", all("", "timeout")));
    forbid(&mut all_of_them, "192.0.2.1");
    forbid(&mut all_of_them, "198.51.100.2");
    let judgement = conclude_from(&all_of_them);
    assert_eq!(argument(&judgement, Code::NsAddressForbidden, "addresses"), "192.0.2.1 198.51.100.2");
    assert_eq!(judgement.root_cause, Some(Code::NsAddressForbidden));
}

#[test]
fn other_servers_in_the_zone_than_at_the_parent_are_told() {
    let apex = "example.com. NS: ns1.example.net. | ns2.example.net. | ns9.example.net.\n";
    let judgement = conclude_from(&evidence(&format!("{ZONE}{}{MAIL}{apex}", dkim("right"))));
    assert_eq!(told(&judgement), "ok ok ok; parent_child_ns_mismatch?; -");
    assert_eq!(argument(&judgement, Code::ParentChildNsMismatch, "missing_at_parent"), "ns9.example.net.");
    assert_eq!(argument(&judgement, Code::ParentChildNsMismatch, "missing_at_child"), "ns3.example.net.");
    for apex in ["ns1.example.net. | ns2.example.net. | ns3.example.net.", "nodata", "refused"] {
        let text = format!("{ZONE}{}{MAIL}example.com. NS: {apex}\n", dkim("right"));
        assert_eq!(told(&conclude_from(&evidence(&text))), "ok ok ok; ; -", "{apex}");
    }
}

#[test]
fn a_zone_that_only_dmarc_lies_in_is_no_root_cause() {
    let text = format!(
        "{SMALL_ZONE}zone _dmarc.mail.example.com. ns.example.org.=203.0.113.1\n{}{}_dmarc.mail.example.com. TXT: refused\n",
        dkim("nxdomain"),
        "mail.example.com. TXT: v=spf1 include:amazonses.com -all\n"
    );
    assert_eq!(
        told(&conclude_from(&evidence(&text))),
        "absent ok unable_to_check; absent! absent! absent! lame_all?; absent"
    );
}

#[test]
fn a_required_mail_record_makes_its_fault_an_error() {
    let text = format!("{SMALL_ZONE}{}{MAIL}mail.example.com. TXT: nxdomain\n", dkim("right"));
    let (seen, expectation) = (evidence(&text), expectation().require(&[RecordKind::Spf]));
    let judgement = conclude(&expectation, &seen, plain_dkim(&expectation, &seen));
    assert_eq!(told(&judgement), "ok absent ok; spf_absent!; spf_absent");
    assert_eq!(told(&conclude_from(&seen)), "ok absent ok; spf_absent?; -");
}

/// Makes an outcome of a response.
fn replied(response: Response, rcode: Rcode) -> Outcome {
    let (dropped, signatures) = (Vec::new(), Vec::new());
    Outcome::Replied(Arc::new(Reply { response, rcode, is_authoritative: true, dropped, signatures }))
}

/// Takes in what a server of `example.com.` said.
fn add(seen: &mut Evidence, question: &Question, server: &str, address: &str, outcome: Outcome) {
    let observation = Observation {
        zone: name("example.com."),
        server: name(server),
        address: address.parse().unwrap(),
        outcome,
        rtt: std::time::Duration::ZERO,
        protocol: Protocol::Udp,
        flaws: Flaws::default(),
    };
    seen.add_observation(question.clone(), observation);
}

/// Delegates `example.com.` to servers that have an address or lack one.
fn add_cut(seen: &mut Evidence, servers: &[Option<Unresolved>]) {
    let servers = servers.iter().enumerate().map(|(index, unresolved)| NameServer {
        name: name(&format!("ns{}.example.net.", if unresolved.is_none() { 1 } else { index + 5 })),
        addresses: if unresolved.is_none() { vec![IpAddr::from([192, 0, 2, 1])] } else { Vec::new() },
        unresolved: *unresolved,
    });
    seen.add_cut(ZoneCut {
        zone: name("example.com."),
        parent: Some(name("com.")),
        servers: servers.collect(),
        ttl: Ttl::from_wire(300),
        proofs: None,
    });
}
