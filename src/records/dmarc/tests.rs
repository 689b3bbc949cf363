use proptest::prelude::*;

use super::*;
use crate::dns::name::Name;

/// Reads a record that must be right.
fn record(text: &str) -> DmarcRecord {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Reads a name that must be right.
fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn only_the_version_in_front_makes_a_dmarc_record() {
    let rows = [
        ("v=DMARC1", true),
        ("v=DMARC1;", true),
        ("V = DMARC1 ; p=none", true),
        ("v=DMARC1; nonsense", true),
        ("", false),
        (" v=DMARC1", false),
        ("v=dmarc1; p=none", false),
        ("v=DMARC12; p=none", false),
        ("v=DMARC1 p=none", false),
        ("p=none; v=DMARC1", false),
        ("; v=DMARC1", false),
        ("\"v=DMARC1\"", false),
    ];
    for (text, expected) in rows {
        assert_eq!(is_dmarc(text.as_bytes()), expected, "{text}");
        assert_eq!(parse(text.as_bytes()) == Err(ParseError::NotDmarc), !expected, "{text}");
    }
}

#[test]
fn records_print_in_one_form() {
    let rows = [
        ("v=DMARC1", "v=DMARC1"),
        ("V=DMARC1;P=Reject;SP=NONE", "v=DMARC1; p=reject; sp=none"),
        ("v=DMARC1; rua=mailto:a@example.com; p=none;", "v=DMARC1; p=none; rua=mailto:a@example.com"),
        ("v=DMARC1; adkim=r; aspf=S; fo=0; t=n; psd=u", "v=DMARC1; aspf=s"),
        ("v=DMARC1; fo=s:1:d; t=Y; psd=n; np=quarantine", "v=DMARC1; np=quarantine; fo=s:1:d; t=y; psd=n"),
        (
            "v=DMARC1; rua=mailto:a@example.com!10m , https://example.net/x",
            "v=DMARC1; rua=mailto:a@example.com!10m,https://example.net/x",
        ),
        ("v=DMARC1; ri=86400; PCT=50; x=y", "v=DMARC1; ri=86400; pct=50"),
    ];
    for (text, printed) in rows {
        let record = record(text);
        assert_eq!((record.to_string().as_str(), record.problems.len()), (printed, 0), "{text}");
    }
}

#[test]
fn what_is_wrong_is_skipped_and_told() {
    let rows = [
        ("v=DMARC1; adkim=x", "v=DMARC1", "bad value `x` of `adkim` at column 17"),
        ("v=DMARC1; aspf=", "v=DMARC1", "bad value `` of `aspf` at column 16"),
        ("v=DMARC1; t=yes; p=reject", "v=DMARC1; p=reject", "bad value `yes` of `t` at column 13"),
        ("v=DMARC1; psd=x", "v=DMARC1", "bad value `x` of `psd` at column 15"),
        ("v=DMARC1; fo=0:1", "v=DMARC1", "bad value `0:1` of `fo` at column 14"),
        ("v=DMARC1; fo=d:d", "v=DMARC1", "bad value `d:d` of `fo` at column 14"),
        ("v=DMARC1; fo=", "v=DMARC1", "bad value `` of `fo` at column 14"),
        ("v=DMARC1; p=none; p=reject", "v=DMARC1; p=none", "second tag `p` at column 19"),
        ("v=DMARC1; v=DMARC1", "v=DMARC1", "second tag `v` at column 11"),
        ("v=DMARC1; oops; p=reject", "v=DMARC1; p=reject", "no `=` in `oops` at column 11"),
        ("v=DMARC1;; p=reject", "v=DMARC1; p=reject", "empty tag at column 10"),
        (
            "v=DMARC1; rua=mailto:a@example.com, b@example.com",
            "v=DMARC1; rua=mailto:a@example.com",
            "bad address `b@example.com` in `rua` at column 37",
        ),
        (
            "v=DMARC1; p=reject; ruf=mailto:example.com",
            "v=DMARC1; p=reject",
            "bad address `mailto:example.com` in `ruf` at column 25",
        ),
        (
            "v=DMARC1; p=x; sp=reject; rua=mailto:a@example.com",
            "v=DMARC1; p=none; rua=mailto:a@example.com",
            "bad value `x` of `p` at column 13",
        ),
        (
            "v=DMARC1; p=reject; np=; rua=mailto:a@example.com",
            "v=DMARC1; p=none; rua=mailto:a@example.com",
            "bad value `` of `np` at column 24",
        ),
        (
            "v=DMARC1; p=“none”; rua=mailto:a@example.com",
            "v=DMARC1; p=none; rua=mailto:a@example.com",
            "octet 0xe2 in the value of `p` at column 13",
        ),
    ];
    for (text, printed, problem) in rows {
        let record = record(text);
        assert_eq!(record.to_string(), printed, "{text}");
        assert_eq!(record.problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [problem], "{text}");
    }
}

#[test]
fn a_bad_policy_without_a_report_address_turns_dmarc_off() {
    let rows = [
        ("v=DMARC1; p=rejct", "bad policy and no report address: bad value `rejct` of `p` at column 13"),
        (
            "v=DMARC1; p=reject; sp=all; rua=a@example.com",
            "bad policy and no report address: bad value `all` of `sp` at column 24",
        ),
        ("v=DMARC1; p=none np=none", "bad policy and no report address: bad value `none np=none` of `p` at column 13"),
        (
            "v=DMARC1; p=x; ruf=mailto:a@example.com",
            "bad policy and no report address: bad value `x` of `p` at column 13",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(parse(text.as_bytes()).map_err(|error| error.to_string()), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn problems_are_told_up_to_a_limit() {
    assert_eq!(record(&format!("v=DMARC1{}p=reject", ";".repeat(100))).problems.len(), MAX_PROBLEMS);
    let late = format!("v=DMARC1{}p=x", ";".repeat(100));
    assert!(matches!(parse(late.as_bytes()), Err(ParseError::BadPolicy(_))), "a bad policy is found behind them");
}

#[test]
fn policies_fall_from_np_to_sp_to_p_and_soften_in_test_mode() {
    use Policy::{None, Quarantine, Reject};
    let rows = [
        ("", [None, None, None]),
        ("p=reject", [Reject, Reject, Reject]),
        ("p=reject; sp=none", [Reject, None, None]),
        ("p=reject; np=none", [Reject, Reject, None]),
        ("p=none; sp=quarantine; np=reject", [None, Quarantine, Reject]),
        ("t=y; p=none; sp=quarantine; np=reject", [None, None, Quarantine]),
        ("t=n; p=reject", [Reject, Reject, Reject]),
    ];
    for (tags, expected) in rows {
        let record = record(&format!("v=DMARC1; {tags}"));
        let scopes = [Scope::OwnName, Scope::Subdomain, Scope::NonexistentSubdomain];
        assert_eq!(scopes.map(|scope| record.effective_policy(scope)), expected, "{tags}");
    }
}

#[test]
fn report_addresses_are_uris_with_a_host() {
    let rows = [
        ("mailto:a@example.com", Some(Some("example.com"))),
        ("MAILTO:a@b@Example.com?subject=x@y", Some(Some("Example.com"))),
        ("mailto:a%2cb@example.com!50", Some(Some("example.com"))),
        ("https://u@example.com:443/x?y#z", Some(Some("example.com"))),
        ("tel:123", Some(None)),
        ("a@example.com", None),
        ("mailto:", None),
        ("mailto:@example.com", None),
        ("mailto:a@", None),
        ("mailto:a@.", None),
        ("mailto:a@b..c", None),
        ("mailto:<a@example.com>", None),
        ("mailto:a%2@example.com", None),
        ("mailto:a@example.com!", None),
        ("mailto:a@example.com!5x", None),
        ("mailto:a@example.com!5m!", None),
        ("mail to:a@example.com", None),
        ("1:x", None),
        ("", None),
    ];
    for (text, host) in rows {
        let read = ReportUri::read(text);
        assert_eq!(read.as_ref().map(ReportUri::host), host.map(|host| host.map(name)), "{text}");
        assert!(read.is_none_or(|read| read.to_string() == text), "{text}");
    }
    let asked = authorisation_name(&name("example.com"), &name("reports.example"));
    assert_eq!(asked, Ok(name("example.com._report._dmarc.reports.example")));
}

#[test]
fn the_tree_walk_asks_at_most_eight_names() {
    let rows: [(&str, &[&str]); 5] = [
        (".", &[]),
        ("example", &["example"]),
        ("mail.example.com", &["mail.example.com", "example.com", "com"]),
        (
            "a.b.c.d.e.f.g.h",
            &["a.b.c.d.e.f.g.h", "b.c.d.e.f.g.h", "c.d.e.f.g.h", "d.e.f.g.h", "e.f.g.h", "f.g.h", "g.h", "h"],
        ),
        (
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            &[
                "a.b.c.d.e.f.g.h.i.j.mail.example.com",
                "g.h.i.j.mail.example.com",
                "h.i.j.mail.example.com",
                "i.j.mail.example.com",
                "j.mail.example.com",
                "mail.example.com",
                "example.com",
                "com",
            ],
        ),
    ];
    for (domain, expected) in rows {
        let expected: Vec<_> = expected.iter().map(|domain| name(&format!("_dmarc.{domain}"))).collect();
        assert_eq!(tree_walk(&name(domain)), expected, "{domain}");
    }
    let longest = name(&format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61)));
    assert_eq!(tree_walk(&longest).len(), 3, "no room for a label in front of the first");
}

/// Discovers the policy of `a.mail.example.com`, with `records` at the domains given and none elsewhere.
///
/// A text of `?` stands for a name that could not be asked.
fn discovered(author: &str, author_exists: bool, records: &[(&str, &str)]) -> (String, Option<Name>, Vec<Name>) {
    let author = name(author);
    let texts_at = |asked: &Name| -> Option<Vec<Vec<u8>>> {
        let here = records.iter().filter(|(domain, _)| name(&format!("_dmarc.{domain}")) == *asked);
        here.map(|(_, text)| (*text != "?").then(|| text.as_bytes().to_vec())).collect()
    };
    let found: Vec<Found> =
        tree_walk(&author).into_iter().filter_map(|asked| Some(Found::new(asked.clone(), texts_at(&asked)?))).collect();
    let found: Vec<&Found> = found.iter().collect();
    let discovery = discover(&author, author_exists, &found);
    assert_eq!(organizational_domain(&author, &found), discovery.organizational_domain);
    let policy = match discovery.policy {
        Applicable::Own(record) => format!("own {}", record.effective_policy(Scope::OwnName)),
        Applicable::Inherited { domain, tag, record } => format!("{tag} of {domain} ({record})"),
        Applicable::None => "none".to_owned(),
        Applicable::Unusable { domain, error: ParseError::BadPolicy(_) } => format!("unusable at {domain}"),
        Applicable::Unusable { domain, error } => format!("{error} at {domain}"),
        Applicable::Unanswered(asked) => format!("ask {asked}"),
    };
    (policy, discovery.organizational_domain, discovery.repeated_at)
}

#[test]
fn the_record_that_applies_is_found() {
    let reject = "v=DMARC1; p=reject";
    let full = "v=DMARC1; p=reject; sp=quarantine; np=none";
    let suffix = "v=DMARC1; p=reject; psd=y";
    let own_suffix = "v=DMARC1; p=none; psd=n";
    // Each row: does the author domain exist, the records, the policy, the organizational domain.
    type Row<'a> = (bool, &'a [(&'a str, &'a str)], &'a str, Option<&'a str>);
    let rows: [Row<'_>; 19] = [
        (true, &[], "none", Some("a.mail.example.com")),
        (true, &[("a.mail.example.com", reject)], "own reject", Some("a.mail.example.com")),
        (true, &[("a.mail.example.com", reject), ("example.com", full)], "own reject", Some("example.com")),
        (true, &[("example.com", reject)], "p of example.com. (v=DMARC1; p=reject)", Some("example.com")),
        (
            true,
            &[("example.com", full)],
            "sp of example.com. (v=DMARC1; p=reject; sp=quarantine; np=none)",
            Some("example.com"),
        ),
        (
            false,
            &[("example.com", full)],
            "np of example.com. (v=DMARC1; p=reject; sp=quarantine; np=none)",
            Some("example.com"),
        ),
        (
            true,
            &[("mail.example.com", full), ("example.com", reject)],
            "p of example.com. (v=DMARC1; p=reject)",
            Some("example.com"),
        ),
        (
            true,
            &[("mail.example.com", own_suffix), ("example.com", reject)],
            "p of mail.example.com. (v=DMARC1; p=none; psd=n)",
            Some("mail.example.com"),
        ),
        (true, &[("com", suffix)], "p of com. (v=DMARC1; p=reject; psd=y)", Some("example.com")),
        (
            true,
            &[("example.com", full), ("com", suffix)],
            "sp of example.com. (v=DMARC1; p=reject; sp=quarantine; np=none)",
            Some("example.com"),
        ),
        (
            true,
            &[("mail.example.com", full), ("com", suffix)],
            "p of com. (v=DMARC1; p=reject; psd=y)",
            Some("example.com"),
        ),
        (
            true,
            &[("mail.example.com", suffix), ("com", suffix)],
            "p of mail.example.com. (v=DMARC1; p=reject; psd=y)",
            Some("a.mail.example.com"),
        ),
        (true, &[("a.mail.example.com", suffix), ("com", reject)], "own reject", Some("a.mail.example.com")),
        (true, &[("example.com", "v=spf1 -all"), ("com", "p=none; v=DMARC1")], "none", Some("a.mail.example.com")),
        (
            true,
            &[("a.mail.example.com", "v=DMARC1; p=x"), ("com", reject)],
            "unusable at a.mail.example.com.",
            Some("com"),
        ),
        (
            true,
            &[("example.com", "v=DMARC1; p=x; psd=n"), ("com", reject)],
            "unusable at example.com.",
            Some("example.com"),
        ),
        (true, &[("a.mail.example.com", "?"), ("com", reject)], "ask _dmarc.a.mail.example.com.", None),
        (true, &[("example.com", reject), ("com", "?")], "ask _dmarc.com.", None),
        (
            true,
            &[("example.com", own_suffix), ("com", "?")],
            "p of example.com. (v=DMARC1; p=none; psd=n)",
            Some("example.com"),
        ),
    ];
    for (author_exists, records, policy, organization) in rows {
        let expected = (policy.to_owned(), organization.map(name), vec![]);
        assert_eq!(discovered("a.mail.example.com", author_exists, records), expected, "{records:?}");
    }
    let own = discovered("example.com", true, &[("example.com", reject), ("com", "?")]);
    assert_eq!(own, ("own reject".to_owned(), None, vec![]), "the own record counts whatever is above");
}

#[test]
fn two_records_at_a_name_void_each_other() {
    let reject = "v=DMARC1; p=reject";
    let twice = [("mail.example.com", reject), ("mail.example.com", "v=DMARC1; p=none"), ("mail.example.com", "x")];
    let expected = ("none".to_owned(), Some(name("mail.example.com")), vec![name("mail.example.com")]);
    assert_eq!(discovered("mail.example.com", true, &twice), expected);
    let above = [&twice[..], &[("example.com", reject)]].concat();
    let (policy, organization, repeated_at) = discovered("mail.example.com", true, &above);
    assert_eq!(policy, "p of example.com. (v=DMARC1; p=reject)");
    assert_eq!((organization, repeated_at), (Some(name("example.com")), vec![name("mail.example.com")]));
}

#[test]
fn fixtures_are_what_their_names_say() {
    crate::records::tests::each_fixture("dmarc", |text| parse(text).is_ok());
}

proptest! {
    #[test]
    fn whatever_is_read_prints_to_what_reads_the_same(
        tags in proptest::collection::vec(
            "(p|sp|np)=(none|quarantine|reject|x)|(adkim|aspf)=[rsx]|fo=[01ds](:[01ds])?|ru[af]=mailto:[a-z]{1,3}@[a-z.]{1,5}(![0-9]k)?|t=[ynx]|psd=[ynux]|pct=[0-9 ]{0,3}|x|",
            0..9,
        ),
    ) {
        let text = format!("v=DMARC1; {}", tags.join(" ; "));
        if let Ok(mut record) = parse(text.as_bytes()) {
            let again = parse(record.to_string().as_bytes());
            record.problems.clear();
            record.old_tags.iter_mut().for_each(|tag| tag.column = 0);
            let again = again.map(|mut again| { again.old_tags.iter_mut().for_each(|tag| tag.column = 0); again });
            prop_assert_eq!(again, Ok(record), "{}", text);
        }
    }

    #[test]
    fn any_octets_are_read_without_panic(tail in any::<Vec<u8>>()) {
        let _ = parse(&tail);
        let _ = parse(&[b"v=DMARC1;", tail.as_slice()].concat());
    }

    #[test]
    fn a_walk_is_short_and_stays_above_its_start(labels in proptest::collection::vec("[a-z]{1,9}", 1..20)) {
        let domain = Name::from_labels(&labels).unwrap();
        let walk = tree_walk(&domain);
        prop_assert!(walk.len() <= 8 && walk.len() == labels.len().min(8));
        for asked in walk {
            prop_assert!(domain.is_subdomain_of(&asked.parent().unwrap()));
        }
    }
}
