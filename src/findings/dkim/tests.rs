//! One row a fault: what the servers hold, the codes of the three records, the questions beyond the three.

use proptest::prelude::*;

use super::*;
use crate::dns::rrset::RecordType;
use crate::expectation::DEFAULT_DKIM_ZONE;
use crate::findings::inquiry::Scope;
use crate::findings::sample::world::{TOKENS, World};
use crate::findings::sample::{name, question, say};

/// A zone at two servers of nobody in particular.
const ZONE: &str = "zone example.com. ns1.example.=192.0.2.1 ns2.example.=192.0.2.2";
/// A zone at Cloudflare.
const CLOUDFLARE: &str = "zone example.com. a.ns.cloudflare.com.=192.0.2.1 b.ns.cloudflare.com.=192.0.2.2";
/// A zone of its own below one at another provider.
const SUBZONE: &str = "zone example.com. ns1.example.=192.0.2.1
                       zone mail.example.com. ns.b.example.=192.0.2.8";

/// Returns what is expected of a domain.
fn expectation(domain: &str, dkim_zone: &str) -> Expectation {
    Expectation::new(domain, &TOKENS, dkim_zone).unwrap()
}

/// Returns what the diagnosis still wants.
fn still_wanted(expectation: &Expectation, evidence: &Evidence) -> Vec<Ask> {
    let keys = expectation.of_kind(RecordKind::Dkim);
    let standings: Vec<_> = keys.map(|record| (record, record_standing(evidence, record))).collect();
    wanted(expectation, evidence, &standings)
}

/// Asks for the DKIM records of a domain and for what the diagnosis wants.
fn settle(text: &str, expectation: &Expectation) -> World {
    World::new(text).run(|evidence| {
        let questions = expectation.of_kind(RecordKind::Dkim).map(|record| record.question());
        let first: Vec<Ask> = questions
            .filter(|question| !evidence.is_asked(question))
            .map(|question| Ask { question, scope: Scope::Every })
            .collect();
        if first.is_empty() { still_wanted(expectation, evidence) } else { first }
    })
}

/// Returns the codes of the three records, `ok` for none, with blanks between.
fn codes(records: &[JudgedRecord]) -> String {
    records.iter().map(|record| record.code.map_or("ok", Code::as_str)).collect::<Vec<_>>().join(" ")
}

/// Checks one row for mail.example.com.
fn row(what: &str, zone: &str, lines: &str, expected: &str, beyond: usize) {
    let expectation = expectation("mail.example.com", DEFAULT_DKIM_ZONE);
    let world = settle(&format!("{zone}\n{lines}"), &expectation);
    let (records, findings) = judge(&expectation, &world.evidence);
    let expected = if expected.contains(' ') { expected.to_owned() } else { [expected; 3].join(" ") };
    assert_eq!(codes(&records), expected, "{what}");
    assert_eq!(world.questions, 3 + beyond, "{what}");
    for record in &records {
        let is_told =
            |finding: &&Finding| finding.subject == Subject::from(&record.record) && Some(finding.code) == record.code;
        let told = findings.iter().filter(is_told).count();
        let is_explained = matches!(record.status, RecordStatus::Absent | RecordStatus::Wrong);
        assert_eq!(told, usize::from(is_explained), "{what}: {findings:?}");
    }
    assert!(findings.iter().all(|finding| !finding.proof.is_empty()), "{what}");
}

#[test]
fn what_stands_at_the_own_name_explains_itself() {
    for (what, zone, lines, expected, beyond) in [
        ("right", ZONE, "{t}._domainkey.mail.example.com. CNAME: {T}", "ok", 0),
        ("two targets", ZONE, "{t}._domainkey.mail.example.com. CNAME: {T} | x.example.", "multiple_cnames", 0),
        ("text", ZONE, "{t}._domainkey.mail.example.com. TXT: CNAME \"{T}\"", "wrong_type_txt", 6),
        ("key", ZONE, "{t}._domainkey.mail.example.com. TXT: p=MIGfMA0GCSqGSIb3", "txt_key_inline", 7),
        ("the empty key of a wildcard", ZONE, "*.mail.example.com. TXT: v=DKIM1; p=", "wildcard_synth", 16),
        ("address", ZONE, "{t}._domainkey.mail.example.com. A: 192.0.2.80", "wrong_type_address", 10),
        ("proxy range elsewhere", ZONE, "{t}._domainkey.mail.example.com. A: 104.16.0.1", "wrong_type_address", 10),
        ("proxied", CLOUDFLARE, "{t}._domainkey.mail.example.com. A: 104.16.0.1 | 104.16.0.2", "cf_proxied", 10),
        (
            "proxied on both families",
            CLOUDFLARE,
            "{t}._domainkey.mail.example.com. A: 104.16.0.1
             {t}._domainkey.mail.example.com. AAAA: 2606:4700::1",
            "cf_proxied",
            10,
        ),
        (
            "an address of their own",
            CLOUDFLARE,
            "{t}._domainkey.mail.example.com. A: 192.0.2.80",
            "wrong_type_address",
            10,
        ),
        ("flattened", CLOUDFLARE, "{t}._domainkey.mail.example.com. MX: nodata", "cf_flattened", 10),
        ("an empty name elsewhere", ZONE, "{t}._domainkey.mail.example.com. MX: nodata", "absent", 27),
        ("swapped", ZONE, SWAPPED, "token_swapped token_swapped ok", 1),
        ("zone appended", ZONE, "{t}._domainkey.mail.example.com. CNAME: {T}example.com.", "target_zone_appended", 1),
        (
            "domain appended",
            ZONE,
            "{t}._domainkey.mail.example.com. CNAME: {T}mail.example.com.",
            "target_zone_appended",
            1,
        ),
        (
            "dot kept",
            ZONE,
            r"{t}._domainkey.mail.example.com. CNAME: {t}.dkim.amazonses.com\..",
            "target_dot_escaped",
            1,
        ),
        (
            "region",
            ZONE,
            "{t}._domainkey.mail.example.com. CNAME: {t}.dkim.eu-west-1.amazonses.com.",
            "wrong_region",
            1,
        ),
        ("quotes", ZONE, r#"{t}._domainkey.mail.example.com. CNAME: \"{T}"#, "value_quoted", 1),
        ("a web address", ZONE, "{t}._domainkey.mail.example.com. CNAME: https://{T}", "value_url", 1),
        (
            "other service",
            ZONE,
            "{t}._domainkey.mail.example.com. CNAME: {t}.u1.wl.sendgrid.net.",
            "wrong_provider_target",
            1,
        ),
        ("unrelated", ZONE, "{t}._domainkey.mail.example.com. CNAME: host.example.org.", "wrong_target", 2),
        (
            "indirect",
            ZONE,
            "{t}._domainkey.mail.example.com. CNAME: {t}.keys.example.com.
             {t}.keys.example.com. CNAME: {T}",
            "indirect",
            4,
        ),
        (
            "loop of one",
            ZONE,
            "{t}._domainkey.mail.example.com. CNAME: {t}._domainkey.mail.example.com.",
            "cname_loop",
            1,
        ),
        (
            "loop of two",
            ZONE,
            "{t}._domainkey.mail.example.com. CNAME: {t}.keys.example.com.
             {t}.keys.example.com. CNAME: {t}._domainkey.mail.example.com.",
            "cname_loop",
            4,
        ),
    ] {
        row(what, zone, &lines.replace("{T}", "{t}.dkim.amazonses.com."), expected, beyond);
    }
}

/// The first two records with each other's target.
const SWAPPED: &str = "t1._domainkey.mail.example.com. CNAME: t2.dkim.amazonses.com.
                       t2._domainkey.mail.example.com. CNAME: t1.dkim.amazonses.com.
                       t3._domainkey.mail.example.com. CNAME: t3.dkim.amazonses.com.";

#[test]
fn a_missing_record_is_looked_for_where_people_put_it() {
    for (what, zone, lines, expected, beyond) in [
        ("nowhere", ZONE, "mail.example.com. A: 192.0.2.80", "absent", 18),
        ("one of three", ZONE, "t2._domainkey.mail.example.com. CNAME: t2.dkim.amazonses.com.", "absent ok absent", 22),
        ("doubled", ZONE, "{t}._domainkey.mail.example.com.example.com. CNAME: {T}", "host_doubled", 8),
        (
            "doubled, the value too",
            ZONE,
            "{t}._domainkey.mail.example.com.example.com. CNAME: {T}example.com.",
            "host_doubled",
            8,
        ),
        ("label left out", ZONE, "{t}._domainkey.example.com. CNAME: {T}", "label_missing", 10),
        ("no _domainkey", ZONE, "{t}.mail.example.com. CNAME: {T}", "domainkey_missing", 10),
        ("no _domainkey, no label", ZONE, "{t}.example.com. CNAME: {T}", "domainkey_missing", 10),
        ("no underscore", ZONE, "{t}.domainkey.mail.example.com. CNAME: {T}", "underscore_stripped", 10),
        ("a hyphen", ZONE, "{t}-domainkey.mail.example.com. CNAME: {T}", "underscore_stripped", 10),
        ("somebody else's record", ZONE, "{t}._domainkey.example.com. CNAME: {t}.other.example.", "absent", 18),
        ("label twice", ZONE, "{t}._domainkey.mail.mail.example.com. CNAME: {T}", "label_extra", 19),
        ("at www", ZONE, "{t}._domainkey.www.example.com. CNAME: {T}", "label_extra", 19),
        ("misspelled", ZONE, "{t}._domain_key.mail.example.com. CNAME: {T}", "underscore_typo", 19),
        ("no dot", ZONE, "{t}_domainkey.mail.example.com. CNAME: {T}", "underscore_typo", 19),
        ("exchanged", ZONE, "_domainkey.{t}.mail.example.com. CNAME: {T}", "underscore_typo", 19),
        ("host for value", ZONE, "{T}example.com. CNAME: {t}._domainkey.mail.example.com.", "fields_swapped", 19),
        (
            "the right one only once",
            ZONE,
            "t2._domainkey.mail.example.com.example.com. CNAME: t2.dkim.amazonses.com.",
            "absent host_doubled absent",
            14,
        ),
        (
            "each at another place",
            ZONE,
            "t1._domainkey.mail.example.com.example.com. CNAME: t1.dkim.amazonses.com.
             t2._domainkey.example.com. CNAME: t2.dkim.amazonses.com.",
            "host_doubled label_missing absent",
            19,
        ),
        ("wildcard", ZONE, "*.example.com. CNAME: parking.example.org.", "wildcard_synth", 10),
        ("addresses of a wildcard", ZONE, "*.example.com. A: 192.0.2.80", "wildcard_synth", 16),
        ("a proxied wildcard", CLOUDFLARE, "*.example.com. A: 104.16.0.1", "wildcard_synth", 16),
        (
            "a wildcard with the zone appended",
            ZONE,
            "*.example.com. CNAME: t1.dkim.amazonses.com.example.com.",
            "wildcard_synth",
            10,
        ),
        (
            "doubled below a wildcard",
            ZONE,
            "*.mail.example.com. CNAME: parking.example.org.
             {t}._domainkey.mail.example.com.example.com. CNAME: {T}",
            "host_doubled",
            9,
        ),
        (
            "the zone above gives it",
            SUBZONE,
            "{t}._domainkey.mail.example.com. CNAME in example.com.: {T}",
            "subzone_shadow",
            3,
        ),
        (
            "the zone above has it by another name",
            SUBZONE,
            "{t}._domainkey.mail.example.com.example.com. CNAME: {T}",
            "subzone_shadow",
            11,
        ),
        ("the zone above lacks the label too", SUBZONE, "{t}._domainkey.example.com. CNAME: {T}", "subzone_shadow", 11),
        ("nowhere, above neither", SUBZONE, "mail.example.com. A: 192.0.2.80", "absent", 19),
        ("not registered", "", "", "absent", 0),
    ] {
        row(what, zone, &lines.replace("{T}", "{t}.dkim.amazonses.com."), expected, beyond);
    }
}

#[test]
fn where_servers_differ_or_do_not_answer_nothing_more_is_asked() {
    for (what, lines, expected) in [
        ("one server has it", "{t}._domainkey.mail.example.com. CNAME @192.0.2.2: {T}", "inconsistent_servers"),
        (
            "they disagree on the wrong target",
            "{t}._domainkey.mail.example.com. CNAME @192.0.2.1: a.example.
             {t}._domainkey.mail.example.com. CNAME @192.0.2.2: b.example.",
            "inconsistent_servers",
        ),
        ("nobody answers", "{t}._domainkey.mail.example.com. CNAME: timeout", "unable_to_check"),
        ("all refuse", "{t}._domainkey.mail.example.com. CNAME: refused", "unable_to_check"),
    ] {
        row(what, ZONE, &lines.replace("{T}", "{t}.dkim.amazonses.com."), expected, 0);
    }
}

#[test]
fn a_regional_identity_wants_its_own_zone() {
    let expectation = expectation("mail.example.com", "dkim.eu-west-1.amazonses.com");
    let lines = format!("{ZONE}\n{{t}}._domainkey.mail.example.com. CNAME: {{t}}.dkim.amazonses.com.");
    let (records, findings) = judge(&expectation, &settle(&lines, &expectation).evidence);
    assert_eq!(codes(&records), "wrong_region wrong_region wrong_region");
    assert_eq!(findings[0].arguments["dkim_zone"], Argument::Name(name("dkim.eu-west-1.amazonses.com.")));
    assert!(!findings[0].arguments.contains_key("region"));
}

#[test]
fn a_finding_says_what_the_remedy_needs() {
    let expectation = expectation("mail.example.com", DEFAULT_DKIM_ZONE);
    let lines = format!("{CLOUDFLARE}\nt1._domainkey.mail.example.com.example.com. CNAME: t1.dkim.amazonses.com.");
    let (records, findings) = judge(&expectation, &settle(&lines, &expectation).evidence);
    let finding = findings.iter().find(|finding| finding.code == Code::HostDoubled).unwrap();
    let arguments: Vec<String> = finding.arguments.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    assert_eq!(
        arguments,
        [
            "expected=Name(t1.dkim.amazonses.com.)",
            "provider=Text(\"cloudflare\")",
            "seen=Name(t1.dkim.amazonses.com.)",
            "typed=Name(t1._domainkey.mail.example.com.example.com.)",
            "zone=Name(example.com.)",
        ]
    );
    let found: Vec<String> = records[0].found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["t1._domainkey.mail.example.com.example.com. 300 CNAME t1.dkim.amazonses.com."]);
    assert_eq!(finding.proof.len(), 3, "two that say no, one that shows where");
}

#[test]
fn a_chain_is_told_by_its_names_in_order() {
    let expectation = expectation("mail.example.com", DEFAULT_DKIM_ZONE);
    let told = |lines: &str| {
        let (_, findings) = judge(&expectation, &settle(&format!("{ZONE}\n{lines}"), &expectation).evidence);
        let first =
            findings.into_iter().find(|finding| matches!(finding.code, Code::Indirect | Code::CnameLoop)).unwrap();
        ["seen", "targets", "chain"].map(|key| format!("{:?}", first.arguments[key]))
    };
    let start = "t1._domainkey.mail.example.com. CNAME: b.example.com.\nb.example.com. CNAME: a.example.com.";
    assert_eq!(
        told(&format!("{start}\na.example.com. CNAME: t1.dkim.amazonses.com.")),
        [
            "Name(b.example.com.)",
            "Names([a.example.com., b.example.com.])",
            "Text(\"t1._domainkey.mail.example.com. > b.example.com. > a.example.com. > t1.dkim.amazonses.com.\")",
        ]
    );
    assert_eq!(
        told(&format!("{start}\na.example.com. CNAME: b.example.com."))[2],
        "Text(\"t1._domainkey.mail.example.com. > b.example.com. > a.example.com. > b.example.com.\")"
    );
}

#[test]
fn some_right_and_some_wrong_is_partial() {
    let expectation = expectation("mail.example.com", DEFAULT_DKIM_ZONE);
    let partial = |lines: &str| {
        let world = settle(&format!("{ZONE}\n{lines}"), &expectation);
        judge(&expectation, &world.evidence).1.into_iter().find(|finding| finding.code == Code::Partial)
    };
    let right = "t2._domainkey.mail.example.com. CNAME: t2.dkim.amazonses.com.";
    let finding = partial(right).unwrap();
    assert_eq!(finding.subject, Subject::Domain(name("mail.example.com.")));
    assert_eq!(finding.arguments["right"], Argument::Names(vec![name("t2._domainkey.mail.example.com.")]));
    assert_eq!((&finding.arguments["ok"], &finding.arguments["of"]), (&Argument::Number(1), &Argument::Number(3)));
    assert_eq!(finding.proof.len(), 3);
    assert_eq!(partial("mail.example.com. A: 192.0.2.80"), None, "none is right");
    assert_eq!(partial("{t}._domainkey.mail.example.com. CNAME: {t}.dkim.amazonses.com."), None, "all are right");
    let on_the_way = "{t}._domainkey.mail.example.com. CNAME @192.0.2.2: {t}.dkim.amazonses.com.
                      t1._domainkey.mail.example.com. CNAME @192.0.2.1: t1.dkim.amazonses.com.";
    assert_eq!(partial(on_the_way), None, "the others are only on their way");
    let silent = "t1._domainkey.mail.example.com. CNAME: t1.dkim.amazonses.com.
                  t2._domainkey.mail.example.com. CNAME: timeout\nt3._domainkey.mail.example.com. CNAME: timeout";
    assert_eq!(partial(silent), None, "nothing is known of the others");
}

#[test]
fn what_was_not_asked_leaves_the_record_absent() {
    let expectation = expectation("mail.example.com", DEFAULT_DKIM_ZONE);
    let lines = format!("{ZONE}\n{{t}}._domainkey.mail.example.com. TXT: {{t}}.dkim.amazonses.com.");
    let world = World::new(&lines).run(|evidence| {
        let questions = expectation.of_kind(RecordKind::Dkim).map(|record| record.question());
        let unasked = questions.filter(|question| !evidence.is_asked(question));
        unasked.map(|question| Ask { question, scope: Scope::Every }).collect()
    });
    assert_eq!(codes(&judge(&expectation, &world.evidence).0), "absent absent absent");
    assert!(still_wanted(&expectation, &world.evidence).iter().all(|ask| ask.scope == Scope::Any));
}

#[test]
fn a_question_that_came_to_nothing_hides_no_other_answer() {
    let expectation = expectation("mail.example.com", DEFAULT_DKIM_ZONE);
    let lines = format!("{ZONE}\nt2._domainkey.mail.example.com.example.com. CNAME: t2.dkim.amazonses.com.");
    let mut evidence = settle(&lines, &expectation).evidence;
    let other = "t1._domainkey.mail.example.com. CNAME";
    say(&mut evidence, &question(other), &name("example.com"), None, "elsewhere.example.org.");
    assert!(!still_wanted(&expectation, &evidence).is_empty());
    assert_eq!(codes(&judge(&expectation, &evidence).0), "wrong_target host_doubled absent");
}

#[test]
fn a_long_chain_is_followed_for_eight_links() {
    let expectation = expectation("mail.example.com", DEFAULT_DKIM_ZONE);
    for (links, code) in [(8, "indirect"), (9, "wrong_target")] {
        let at = |link: usize| match link {
            0 => "t1._domainkey.mail.example.com.".to_owned(),
            last if last == links => "t1.dkim.amazonses.com.".to_owned(),
            other => format!("c{other}.example.com."),
        };
        let lines: Vec<String> = (0..links).map(|link| format!("{} CNAME: {}", at(link), at(link + 1))).collect();
        let world = settle(&format!("{ZONE}\n{}", lines.join("\n")), &expectation);
        let (records, _) = judge(&expectation, &world.evidence);
        assert_eq!(records[0].code.unwrap().as_str(), code, "{links} links");
        let followed = world.evidence.all_observations().filter(|(question, _)| question.kind == RecordType::CNAME);
        assert!(followed.filter(|(question, _)| question.name.to_string().starts_with('c')).count() <= 8);
    }
}

proptest! {
    #[test]
    fn whatever_stands_there_the_questions_end_and_are_few(choices in proptest::collection::vec(0_usize..14, 3..9)) {
        let lines = [
            "{t}._domainkey.mail.example.com. CNAME: {t}.dkim.amazonses.com.",
            "t1._domainkey.mail.example.com. CNAME: t2.dkim.amazonses.com.",
            "t2._domainkey.mail.example.com. TXT: t2.dkim.amazonses.com.",
            "t3._domainkey.mail.example.com. A: 104.16.0.1",
            "{t}._domainkey.mail.example.com.example.com. CNAME: {t}.dkim.amazonses.com.",
            "t2._domainkey.example.com. CNAME: t2.dkim.amazonses.com.",
            "*.example.com. CNAME: t1.dkim.amazonses.com.",
            "*.mail.example.com. A: 104.16.0.1",
            "t1._domainkey.mail.example.com. CNAME @192.0.2.1: timeout",
            "t2._domainkey.mail.example.com. CNAME @192.0.2.2: x.example.",
            "t3._domainkey.mail.example.com. CNAME: a.example.com.",
            "a.example.com. CNAME: b.example.com.",
            "b.example.com. CNAME: a.example.com.",
            "t1._domainkey.mail.example.com. TXT: timeout",
        ];
        let chosen: Vec<&str> = choices.iter().map(|choice| lines[*choice]).collect();
        let expectation = expectation("mail.example.com", DEFAULT_DKIM_ZONE);
        let world = settle(&format!("{CLOUDFLARE}\n{}", chosen.join("\n")), &expectation);
        prop_assert!(world.questions <= 3 + 48, "{} for {chosen:?}", world.questions);
        let (records, _) = judge(&expectation, &world.evidence);
        prop_assert!(records.iter().all(|record| record.code.is_none() == (record.status == RecordStatus::Ok)));
    }

    #[test]
    fn the_order_of_servers_does_not_matter(swap in any::<bool>(), which in 0_usize..4) {
        let lines = [
            "{t}._domainkey.mail.example.com. CNAME: x.example.org.",
            "{t}._domainkey.mail.example.com. A: 192.0.2.80 | 192.0.2.81",
            "{t}._domainkey.mail.example.com. CNAME @192.0.2.2: {t}.dkim.amazonses.com.",
            "{t}._domainkey.mail.example.com.example.com. CNAME: {t}.dkim.amazonses.com.",
        ];
        let servers = if swap { "ns2.example.=192.0.2.2 ns1.example.=192.0.2.1" } else { "ns1.example.=192.0.2.1 ns2.example.=192.0.2.2" };
        let expectation = expectation("mail.example.com", DEFAULT_DKIM_ZONE);
        let one = settle(&format!("{ZONE}\n{}", lines[which]), &expectation);
        let other = settle(&format!("zone example.com. {servers}\n{}", lines[which]), &expectation);
        prop_assert_eq!(judge(&expectation, &one.evidence), judge(&expectation, &other.evidence));
    }
}
