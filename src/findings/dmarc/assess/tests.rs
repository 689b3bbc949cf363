use super::*;
use crate::findings::sample::name;

/// Assesses `domain` where these names say what stands behind the colon: texts with ` | ` between, `timeout`, or `nodata`;
/// all others do not exist. Returns the names asked in all, and what applies.
fn assessed(domain: &str, text: &str, legs: Legs<'_>) -> (Vec<String>, Assessment) {
    let mut said = Said::default();
    let mut asked = Vec::new();
    loop {
        match assess(&name(domain), legs, &said) {
            Step::Done(assessment) => return (asked, *assessment),
            Step::Ask(names) => {
                assert!(!names.is_empty() && asked.len() < 40, "{asked:?}");
                for owner in names {
                    asked.push(owner.to_text_without_dot());
                    let line = text.lines().filter_map(|line| line.trim().split_once(": "));
                    let line = line.filter(|(at, _)| name(at) == owner).map(|(_, data)| data).next();
                    let heard = match line {
                        Some("timeout") => None,
                        Some("nodata") => Some(Heard { texts: Vec::new(), is_nxdomain: false, alias: None }),
                        Some(texts) => {
                            let texts = texts.split(" | ").map(|text| text.as_bytes().to_vec()).collect();
                            Some(Heard { texts, is_nxdomain: false, alias: None })
                        }
                        None => Some(Heard { texts: Vec::new(), is_nxdomain: true, alias: None }),
                    };
                    said.add(owner, heard, None);
                }
            }
        }
    }
}

/// Writes down what applies: policy, source, organization, codes.
fn told(domain: &str, text: &str) -> String {
    let (_, assessment) = assessed(domain, text, Legs::default());
    let shown = |name: &Option<Name>| name.as_ref().map_or("-".to_owned(), Name::to_text_without_dot);
    let codes: Vec<&str> = assessment.findings.iter().map(|finding| finding.code.as_str()).collect();
    format!(
        "{} from {} in {}: {}",
        assessment.policy.map_or("-".to_owned(), |policy| policy.to_string()),
        shown(&assessment.policy_source),
        shown(&assessment.organizational_domain),
        codes.join(" ")
    )
}

#[test]
fn the_policy_that_applies_is_told_with_its_source() {
    for (domain, text, expected) in [
        ("example.com", "_dmarc.example.com: v=DMARC1; p=reject", "reject from example.com in example.com: "),
        (
            "mail.example.com",
            "_dmarc.example.com: v=DMARC1; p=reject; sp=quarantine",
            "quarantine from example.com in example.com: dmarc_inherited",
        ),
        (
            "mail.example.com",
            "_dmarc.example.com: v=DMARC1; p=reject; sp=quarantine; t=y",
            "none from example.com in example.com: dmarc_test_mode dmarc_inherited",
        ),
        ("mail.example.com", "", "- from - in mail.example.com: dmarc_absent"),
        ("mail.example.com", "mail.example.com: v=DMARC1; p=reject", "- from - in mail.example.com: dmarc_wrong_place"),
        (
            "mail.example.com",
            "_dmarc.mail.example.com: v=DMARC1; p=none\n_dmarc.com: timeout",
            "none from mail.example.com in -: unable_to_check",
        ),
        ("mail.example.com", "_dmarc.mail.example.com: timeout", "- from - in -: unable_to_check"),
        ("mail.example.com", "_dmarc.example.com: timeout", "- from - in -: unable_to_check"),
        (
            "mail.example.com",
            "_dmarc.mail.example.com: v=DMARC1; p=none | v=DMARC1; p=none\n_dmarc.example.com: v=DMARC1; p=reject",
            "reject from example.com in example.com: dmarc_multiple dmarc_inherited",
        ),
        (
            "a.b.example.com",
            "_dmarc.b.example.com: v=DMARC1; p=reject",
            "reject from b.example.com in b.example.com: dmarc_psl_disagrees dmarc_inherited",
        ),
        ("example.com", "_dmarc.example.com: v=DMARC1; p=rejct", "- from - in example.com: dmarc_syntax"),
        (
            "example.com",
            "_dmarc.example.com: v=DMARC1; p=none; rua=mailto:a@example.net",
            "none from example.com in example.com: dmarc_rua_unauthorised",
        ),
    ] {
        assert_eq!(told(domain, text), expected, "{domain}: {text}");
    }
}

#[test]
fn a_policy_for_names_that_do_not_exist_takes_one_more_question() {
    let above = "_dmarc.example.com: v=DMARC1; p=none; sp=quarantine; np=reject";
    let by = |text: &str| {
        let (asked, assessment) = assessed("mail.example.com", &format!("{above}\n{text}"), Legs::default());
        let is_asked = asked.contains(&"mail.example.com".to_owned());
        assert_eq!(assessment.queries.len(), 3);
        (assessment.policy.map(|policy| policy.to_string()), is_asked)
    };
    assert_eq!(by(""), (Some("reject".to_owned()), true));
    assert_eq!(by("mail.example.com: nodata"), (Some("quarantine".to_owned()), true));
    assert_eq!(by("mail.example.com: timeout"), (None, true));
    assert_eq!(by("_dmarc.mail.example.com: nodata").0, Some("quarantine".to_owned()));
}

#[test]
fn a_walk_takes_eight_questions_and_ends_at_a_record_that_says_psd() {
    let deep = "a.b.c.d.e.f.g.h.i.example.com";
    let walk = |text: &str| -> Vec<String> {
        assessed(deep, text, Legs::default()).1.queries.iter().map(Name::to_text_without_dot).collect()
    };
    assert_eq!(walk("").len(), 8);
    assert_eq!(walk("")[0], "_dmarc.a.b.c.d.e.f.g.h.i.example.com");
    assert_eq!(walk("")[1], "_dmarc.e.f.g.h.i.example.com");
    assert_eq!(walk("")[7], "_dmarc.com");
    assert_eq!(walk("_dmarc.i.example.com: v=DMARC1; psd=n").last().unwrap(), "_dmarc.i.example.com");
}

#[test]
fn strict_alignment_leaves_a_leg_out_only_where_the_names_differ() {
    let (bounce, author) = (name("bounce.example.com"), name("example.com"));
    let strict = "_dmarc.example.com: v=DMARC1; p=none; aspf=s; adkim=s";
    let relaxed = "_dmarc.example.com: v=DMARC1; p=none";
    for (text, legs, severity) in [
        (strict, Legs { signed_by: Some(&author), mail_from: Some(&bounce) }, Some(Severity::Warning)),
        (strict, Legs { signed_by: Some(&bounce), mail_from: Some(&bounce) }, Some(Severity::Error)),
        (strict, Legs { signed_by: Some(&bounce), mail_from: Some(&author) }, Some(Severity::Warning)),
        (strict, Legs { signed_by: Some(&author), mail_from: Some(&author) }, None),
        (strict, Legs::default(), None),
        (relaxed, Legs { signed_by: Some(&bounce), mail_from: Some(&bounce) }, None),
    ] {
        let (_, assessment) = assessed("example.com", text, legs);
        let found = assessment.findings.iter().find(|finding| finding.code == Code::DmarcStrictMisalign);
        assert_eq!(found.map(|finding| finding.severity), severity, "{legs:?}");
    }
}

#[test]
fn relaxed_alignment_takes_the_names_of_one_organization_and_of_no_other() {
    let names = ["bounce.mail.example.com", "mail.example.com", "example.com", "example.net"].map(name);
    let [below, author, above, other] = &names;
    let relaxed = "_dmarc.example.com: v=DMARC1; p=none";
    let of_its_own = "_dmarc.bounce.mail.example.com: v=DMARC1; psd=n";
    let of_a_registry = "_dmarc.mail.example.com: v=DMARC1; p=none; psd=y";
    for (text, signed_by, mail_from, expected) in [
        (relaxed, author, None, ""),
        (relaxed, author, Some(below), ""),
        (relaxed, above, Some(below), ""),
        (relaxed, other, None, "error dkim none"),
        (relaxed, other, Some(below), "warning dkim spf"),
        (relaxed, author, Some(other), "warning spf dkim"),
        (relaxed, other, Some(other), "error dkim and spf none"),
        (&format!("{relaxed}\n{of_its_own}"), author, Some(below), "warning spf dkim"),
        (of_a_registry, author, Some(below), "warning spf dkim"),
        // Nobody knows whose the other name is.
        (&format!("{relaxed}\n_dmarc.example.net: timeout"), other, None, ""),
    ] {
        let legs = Legs { signed_by: Some(signed_by), mail_from };
        let (_, assessment) = assessed("mail.example.com", text, legs);
        let found = assessment.findings.iter().find(|finding| finding.code == Code::DmarcMisalign);
        let told = found.map(|finding| {
            let of = |key: &str| match finding.arguments.get(key) {
                Some(Argument::Text(text)) => text.clone(),
                other => format!("{other:?}"),
            };
            format!("{} {} {}", finding.severity.as_str(), of("leg"), of("still_aligned"))
        });
        assert_eq!(told.unwrap_or_default(), expected, "{text} {legs:?}");
        assert!(assessment.queries.len() <= 3, "the walk of another name is none of the author's");
    }
}

#[test]
fn a_strict_leg_of_another_organization_is_told_as_that() {
    let (other, author) = (name("example.net"), name("example.com"));
    let strict = "_dmarc.example.com: v=DMARC1; p=none; aspf=s; adkim=s";
    let legs = Legs { signed_by: Some(&author), mail_from: Some(&other) };
    let (_, assessment) = assessed("example.com", strict, legs);
    let codes: Vec<Code> = assessment.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::DmarcMisalign]);
}
