//! What is asked, and how much, for a whole domain.

use proptest::prelude::*;

use super::*;
use crate::evidence::Evidence;
use crate::expectation::DEFAULT_DKIM_ZONE;
use crate::findings::sample::world::{TOKENS, World};
use crate::findings::sample::{name, say};

/// All that a domain needs, at two servers.
const HEALTHY: &str = "zone example.com. ns1.example.=192.0.2.1 ns2.example.=192.0.2.2
                       {t}._domainkey.mail.example.com. CNAME: {t}.dkim.amazonses.com.
                       mail.example.com. TXT: v=spf1 include:amazonses.com -all
                       _dmarc.mail.example.com. TXT: v=DMARC1; p=reject";

/// Returns what is expected of mail.example.com.
fn expectation(depth: Depth) -> Expectation {
    Expectation::new("mail.example.com", &TOKENS, DEFAULT_DKIM_ZONE).unwrap().with_depth(depth)
}

/// Runs the plan to its end.
fn run(text: &str, depth: Depth) -> World {
    let expectation = expectation(depth);
    World::new(text).run(|evidence| next(&expectation, evidence))
}

/// Returns all questions that were asked, but for those of the expected records.
fn asked_beyond(world: &World) -> Vec<String> {
    let expected: Vec<Question> = expectation(Depth::Quick).records.iter().map(ExpectedRecord::question).collect();
    let questions: BTreeSet<&Question> = world.evidence.all_observations().map(|(question, _)| question).collect();
    questions.into_iter().filter(|question| !expected.contains(question)).map(ToString::to_string).collect()
}

#[test]
fn a_healthy_domain_takes_one_round_of_five_questions() {
    let asks = next(&expectation(Depth::Quick), &Evidence::new(String::new()));
    assert_eq!(asks.len(), 5);
    assert!(asks.iter().all(|ask| ask.scope == Scope::Every));
    let world = run(HEALTHY, Depth::Quick);
    assert_eq!((world.rounds, world.questions), (1, 5));
}

#[test]
fn policies_that_lead_on_are_followed_and_no_further_than_needed() {
    let world = run(
        &format!(
            "zone spf.example. ns.spf.example.=203.0.113.1
             a.spf.example. TXT: v=spf1 include:b.spf.example -all
             b.spf.example. TXT: v=spf1 include:amazonses.com -all
             mail.example.com. TXT: v=spf1 include:a.spf.example -all
             _dmarc.mail.example.com. TXT: nxdomain
             _dmarc.example.com. TXT: v=DMARC1; p=reject
             {}",
            HEALTHY.lines().take(2).collect::<Vec<_>>().join("\n")
        ),
        Depth::Quick,
    );
    assert_eq!(asked_beyond(&world), ["_dmarc.example.com. TXT", "a.spf.example. TXT", "b.spf.example. TXT"]);
    assert_eq!(world.rounds, 3);
}

#[test]
fn depth_full_looks_at_the_zone_of_a_healthy_domain_too() {
    let world = run(HEALTHY, Depth::Full);
    assert_eq!(world.rounds, 2);
    let beside = ["t1", "t2", "t3"]
        .iter()
        .flat_map(|token| ["MX", "TXT"].map(|kind| format!("{token}._domainkey.mail.example.com. {kind}")));
    let at_ses = ["t1", "t2", "t3"].map(|token| format!("{token}.dkim.amazonses.com. TXT"));
    let mut expected: Vec<String> = ["example.com. NS", "example.com. SOA"].map(str::to_owned).to_vec();
    expected.extend(beside.chain(at_ses));
    expected.push("zq7x1v9k._domainkey.mail.example.com. CNAME".to_owned());
    let asked = asked_beyond(&world);
    let missing: Vec<&String> = expected.iter().filter(|question| !asked.contains(question)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_zone_is_looked_at_where_a_record_is_not_right_or_servers_differ() {
    for (what, line) in [
        ("wrong", "t1._domainkey.mail.example.com. CNAME: t1.dkim.eu-west-1.amazonses.com."),
        ("inconsistent", "t1._domainkey.mail.example.com. CNAME @192.0.2.1: x.example."),
        ("a policy that differs", "mail.example.com. TXT @192.0.2.1: v=spf1 include:amazonses.com ~all"),
    ] {
        let world = run(&format!("{line}\n{HEALTHY}"), Depth::Quick);
        let asked = asked_beyond(&world);
        assert!(
            ["example.com. NS", "example.com. SOA"].iter().all(|each| asked.contains(&(*each).to_owned())),
            "{what}"
        );
    }
}

#[test]
fn a_policy_is_followed_where_it_leads() {
    for (what, line, asked) in [
        (
            "an include",
            "mail.example.com. TXT: v=spf1 include:spf.example.com -all
             spf.example.com. TXT: v=spf1 include:amazonses.com -all",
            "spf.example.com. TXT",
        ),
        (
            "a policy above",
            "_dmarc.mail.example.com. TXT: nxdomain
             _dmarc.example.com. TXT: v=DMARC1; p=reject",
            "_dmarc.example.com. TXT",
        ),
    ] {
        let world = run(&format!("{line}\n{HEALTHY}"), Depth::Quick);
        assert_eq!(asked_beyond(&world), [asked], "{what}");
        assert_eq!(world.rounds, 2, "{what}");
    }
}

#[test]
fn one_word_that_there_is_no_policy_here_puts_the_names_above_ahead() {
    let ahead_of = |domain: &str, says: &[(&str, &str)]| -> Vec<String> {
        let expectation = Expectation::new(domain, &TOKENS, DEFAULT_DKIM_ZONE).unwrap();
        let mut evidence = World::new(HEALTHY).evidence;
        for (asked, what) in says {
            let server = evidence.cut(&name("example.com.")).unwrap().addresses().next().map(|(_, address)| address);
            say(&mut evidence, &crate::findings::sample::question(asked), &name("example.com."), server, what);
        }
        let asks = ahead(&expectation, &evidence);
        assert!(asks.iter().all(|ask| ask.scope == Scope::Any));
        asks.iter().map(|ask| ask.question.to_string()).collect()
    };
    let (own, above) = ("_dmarc.mail.example.com. TXT", "_dmarc.example.com. TXT");
    for says in ["nxdomain", "nodata"] {
        assert_eq!(ahead_of("mail.example.com", &[(own, says)]), [above], "{says}");
    }
    for says in ["v=DMARC1; p=none", "timeout", "servfail", "lame", "refused", "referral mail.example.com."] {
        assert_eq!(ahead_of("mail.example.com", &[(own, says)]), [""; 0], "{says}");
    }
    assert_eq!(ahead_of("mail.example.com", &[("mail.example.com. TXT", "nxdomain")]), [""; 0], "another record");
    let deep = ahead_of("a.mail.example.com", &[("_dmarc.a.mail.example.com. TXT", "nodata")]);
    assert_eq!(deep, [above, own], "all names above at once");
    let found = [(own, "nodata"), (above, "v=DMARC1; p=reject")];
    assert_eq!(ahead_of("mail.example.com", &found), [""; 0], "a policy above ends it");
    let nowhere = [(own, "nodata"), (above, "nxdomain")];
    assert_eq!(ahead_of("mail.example.com", &nowhere), ["_dmarc.com. TXT"], "the registry comes last");
}

#[test]
fn nothing_more_is_asked_where_nobody_answers() {
    // Who refuses all is asked whether it serves the zone at all.
    for (says, questions) in [("timeout", 5), ("refused", 6), ("lame", 5)] {
        let lines = format!(
            "zone example.com. ns1.example.=192.0.2.1
             {{t}}._domainkey.mail.example.com. CNAME: {says}
             mail.example.com. TXT: {says}
             _dmarc.mail.example.com. TXT: {says}"
        );
        for depth in [Depth::Quick, Depth::Full] {
            assert_eq!(run(&lines, depth).questions, questions, "{says}");
        }
    }
}

#[test]
fn a_registry_is_asked_for_no_more_than_the_expected_records() {
    let world = run("com. TXT: nodata", Depth::Full);
    let asked = asked_beyond(&world);
    assert!(asked.iter().all(|question| question.starts_with("_dmarc.")), "{asked:?}");
}

#[test]
fn nothing_is_asked_once_the_budget_is_spent() {
    let mut evidence = Evidence::new(String::new());
    evidence.is_budget_exceeded = true;
    assert_eq!(next(&expectation(Depth::Full), &evidence), []);
}

#[test]
fn a_name_that_no_walk_reaches_is_not_asked_again() {
    let mut evidence = crate::findings::sample::evidence(
        "zone example.com. ns1.example.=192.0.2.1
         end t1._domainkey.mail.example.com. unresolvable",
    );
    for record in &expectation(Depth::Quick).records[1..] {
        say(&mut evidence, &record.question(), &name("example.com"), None, "timeout");
    }
    assert_eq!(next(&expectation(Depth::Quick), &evidence), []);
}

proptest! {
    #[test]
    fn no_question_is_asked_twice_and_the_rounds_end(
        choices in proptest::collection::vec(0_usize..8, 0..5),
        is_full in any::<bool>(),
    ) {
        let lines = [
            "t1._domainkey.mail.example.com. CNAME: timeout",
            "t2._domainkey.mail.example.com. CNAME: nxdomain",
            "t2._domainkey.example.com. CNAME: t2.dkim.amazonses.com.",
            "t3._domainkey.mail.example.com. CNAME: nodata",
            "*.example.com. A: 192.0.2.80",
            "mail.example.com. TXT @192.0.2.2: v=spf1 include:spf.example.com -all",
            "_dmarc.mail.example.com. TXT: nxdomain",
            "example.com. SOA: timeout",
        ];
        let chosen: Vec<&str> = choices.iter().map(|choice| lines[*choice]).collect();
        let expectation = expectation(if is_full { Depth::Full } else { Depth::Quick });
        let asked = std::cell::RefCell::new(BTreeSet::new());
        let world = World::new(&format!("{}\n{HEALTHY}", chosen.join("\n"))).run(|evidence| {
            let asks = next(&expectation, evidence);
            for ask in &asks {
                assert!(asked.borrow_mut().insert(ask.clone()), "twice: {ask:?}");
            }
            asks
        });
        prop_assert!(world.questions <= 60, "{}", world.questions);
    }

    #[test]
    fn what_is_asked_ahead_is_asked_anyhow(
        lines in proptest::collection::vec(0_usize..8, 0..4),
        heard in proptest::collection::vec(any::<bool>(), 17),
    ) {
        let choices = [
            "_dmarc.mail.example.com. TXT: nxdomain",
            "_dmarc.mail.example.com. TXT @192.0.2.1: nodata",
            "_dmarc.mail.example.com. TXT @192.0.2.2: alias _dmarc.other.example.com.",
            "_dmarc.mail.example.com. TXT @192.0.2.1: alias _dmarc.example.com.",
            "_dmarc.mail.example.com. TXT @192.0.2.2: timeout",
            "_dmarc.example.com. TXT @192.0.2.1: nodata",
            "_dmarc.example.com. TXT: alias _dmarc.other.example.com.",
            "_dmarc.other.example.com. TXT: v=DMARC1; p=reject",
        ];
        let chosen: Vec<&str> = lines.iter().map(|line| choices[*line]).collect();
        let text = format!("{}\n{HEALTHY}", chosen.join("\n"));
        let expectation = expectation(Depth::Quick);
        let all = World::new(&text).run(|evidence| next(&expectation, evidence)).evidence;
        let mut some = World::new(&text).evidence;
        let seen = all.all_observations().zip(heard.iter().cycle()).filter(|(_, is_heard)| **is_heard);
        for ((question, seen), _) in seen {
            some.add_chain(question.name.clone(), all.chain(&question.name).unwrap().clone());
            some.add_observation(question.clone(), seen.clone());
        }
        for ask in ahead(&expectation, &some) {
            let is_out = expectation.records.iter().any(|record| record.question() == ask.question);
            prop_assert!(is_out || all.is_asked(&ask.question), "{} in vain", ask.question);
        }
    }
}
