use super::*;
use crate::expectation::DEFAULT_DKIM_ZONE;
use crate::findings::finding::Argument;
use crate::findings::sample::evidence;

/// The zones that the tests play in.
const ZONES: &str = "zone example.com. ns1.example.net.=192.0.2.1 ns2.example.net.=192.0.2.2\n\
                     zone dmarc.example. ns.dmarc.example.=203.0.113.1\n";

/// Returns status, findings with their arguments, and the questions still needed, for `mail.example.com.`.
fn told(text: &str) -> String {
    told_of("mail.example.com", text)
}

/// Returns status, findings with their arguments, and the questions still needed.
fn told_of(domain: &str, text: &str) -> String {
    let expectation = Expectation::new(domain, &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let evidence = evidence(&format!("{ZONES}{text}"));
    let (records, findings) = judge(&expectation, &evidence);
    let mut told = vec![records[0].status.as_str().to_owned()];
    for finding in findings {
        told.push(format!("{} {}", finding.severity.as_str(), finding.code.as_str()));
        for (key, value) in &finding.arguments {
            let value = match value {
                Argument::Text(text) => text.clone(),
                Argument::Name(name) => name.to_string(),
                other => format!("{other:?}"),
            };
            told.push(format!("{key}={value}"));
        }
        assert!(!finding.proof.is_empty());
    }
    let needed = names_still_needed(&expectation, &evidence);
    told.extend(needed.iter().map(|question| format!("needs {question}")));
    told.join("; ")
}

#[test]
fn a_record_at_the_own_name_is_judged_alone() {
    let own = "name=_dmarc.mail.example.com.";
    let rows = [
        ("v=DMARC1; p=none", "ok".to_owned()),
        ("v=DMARC1", "ok".to_owned()),
        ("unrelated | v=DMARC1; p=reject", "ok".to_owned()),
        (
            "v=DMARC1; p=rejct",
            format!(
                "wrong; warning dmarc_syntax; {own}; problem=bad policy and no report address: bad value `rejct` of `p` \
                 at column 13; record=v=DMARC1; p=rejct"
            ),
        ),
        (
            "v=DMARC1; p=rejct; rua=mailto:a@example.com",
            format!(
                "ok; warning dmarc_syntax; {own}; problem=bad value `rejct` of `p` at column 13; \
                 record=v=DMARC1; p=rejct; rua=mailto:a@example.com"
            ),
        ),
        (
            "v=DMARC1; p=none; adkim=x",
            format!(
                "ok; notice dmarc_syntax; {own}; problem=bad value `x` of `adkim` at column 25; \
                 record=v=DMARC1; p=none; adkim=x"
            ),
        ),
        (
            "p=none; v=DMARC1",
            format!(
                "wrong; warning dmarc_syntax; {own}; problem=it does not start with v=DMARC1; record=p=none; v=DMARC1"
            ),
        ),
        (
            "v=dmarc1; p=none",
            format!(
                "wrong; warning dmarc_syntax; {own}; problem=it does not start with v=DMARC1; record=v=dmarc1; p=none"
            ),
        ),
        ("v=DMARC1; p=none | v=DMARC1; p=reject", format!("wrong; warning dmarc_multiple; count=Number(2); {own}")),
        ("timeout", "unable_to_check".to_owned()),
    ];
    for (texts, expected) in rows {
        assert_eq!(told(&format!("_dmarc.mail.example.com. TXT: {texts}")), expected, "{texts}");
    }
}

#[test]
fn without_a_record_of_its_own_a_domain_takes_the_one_above() {
    let inherited = |policy: &str, tag: &str| {
        format!(
            "ok; notice dmarc_inherited; inherited_from=example.com.; name=_dmarc.example.com.; policy={policy}; tag={tag}"
        )
    };
    let rows = [
        ("", "unable_to_check; needs _dmarc.example.com. TXT".to_owned()),
        ("_dmarc.example.com. TXT: v=DMARC1; p=reject\n", inherited("reject", "p")),
        ("_dmarc.example.com. TXT: v=DMARC1; p=reject; sp=none\n", inherited("none", "sp")),
        (
            "_dmarc.example.com. TXT: v=DMARC1; p=reject; t=y\n",
            inherited("quarantine", "p")
                + "; notice dmarc_test_mode; name=_dmarc.example.com.; policy=quarantine; published=reject",
        ),
        (
            "_dmarc.example.com. TXT: v=DMARC1; p=none; np=reject\nmail.example.com. TXT: nxdomain\n",
            inherited("reject", "np"),
        ),
        (
            "_dmarc.example.com. TXT: v=DMARC1; p=none; np=reject\nmail.example.com. TXT: nodata\n",
            inherited("none", "p"),
        ),
        ("_dmarc.example.com. TXT: alias p.dmarc.example.\n", "unable_to_check; needs p.dmarc.example. TXT".to_owned()),
        (
            "_dmarc.example.com. TXT: alias p.dmarc.example.\np.dmarc.example. TXT: v=DMARC1; p=none\n",
            inherited("none", "p"),
        ),
        ("_dmarc.example.com. TXT: nxdomain\n", "unable_to_check; needs _dmarc.com. TXT".to_owned()),
        ("_dmarc.example.com. TXT: timeout\n", "unable_to_check".to_owned()),
        ("_dmarc.example.com. TXT: nxdomain\n_dmarc.com. TXT: servfail\n", "unable_to_check".to_owned()),
        (
            "_dmarc.example.com. TXT: nxdomain\n_dmarc.com. TXT: nxdomain\n",
            "absent; warning dmarc_absent; name=_dmarc.mail.example.com.; \
             needs _dmarc.mail.example.com.example.com. TXT; needs mail.example.com. TXT; needs dmarc.mail.example.com. TXT"
                .to_owned(),
        ),
        (
            "_dmarc.example.com. TXT: v=DMARC1; p=none | v=DMARC1; p=reject\n_dmarc.com. TXT: nxdomain\n",
            "wrong; warning dmarc_multiple; count=Number(2); name=_dmarc.example.com.".to_owned(),
        ),
        (
            "_dmarc.example.com. TXT: v=DMARC1; p=x\n",
            "wrong; warning dmarc_syntax; name=_dmarc.example.com.; problem=bad policy and no report address: \
             bad value `x` of `p` at column 13; record=v=DMARC1; p=x"
                .to_owned(),
        ),
        (
            "_dmarc.example.com. TXT: nxdomain\n_dmarc.com. TXT: v=DMARC1; p=quarantine; psd=y\n",
            "ok; notice dmarc_inherited; inherited_from=com.; name=_dmarc.com.; policy=quarantine; tag=p".to_owned(),
        ),
    ];
    for (texts, expected) in rows {
        assert_eq!(told(&format!("_dmarc.mail.example.com. TXT: nxdomain\n{texts}")), expected, "{texts}");
    }
}

#[test]
fn a_policy_nearest_to_the_top_is_the_organizations() {
    let text = "_dmarc.a.b.example.com. TXT: nodata\n_dmarc.b.example.com. TXT: v=DMARC1; p=none\n\
                _dmarc.example.com. TXT: v=DMARC1; p=reject\n";
    assert_eq!(
        told_of("a.b.example.com", text),
        "ok; notice dmarc_inherited; inherited_from=example.com.; name=_dmarc.example.com.; policy=reject; tag=p"
    );
    let text = text.replace("b.example.com. TXT: v=DMARC1; p=none", "b.example.com. TXT: v=DMARC1; p=none; psd=n");
    assert_eq!(
        told_of("a.b.example.com", &text),
        "ok; notice dmarc_inherited; inherited_from=b.example.com.; name=_dmarc.b.example.com.; policy=none; tag=p; \
         notice dmarc_psl_disagrees; by_list=example.com.; effect=policy; name=_dmarc.b.example.com.; organizational_domain=b.example.com."
    );
}

#[test]
fn a_server_that_lacks_the_own_record_differs_even_where_one_is_inherited() {
    let text = "_dmarc.mail.example.com. TXT: v=DMARC1; p=none\n_dmarc.mail.example.com. TXT @192.0.2.2: nxdomain\n\
                _dmarc.example.com. TXT: v=DMARC1; p=reject\n";
    assert_eq!(told(text), "inconsistent");
}

#[test]
fn nothing_is_asked_for_a_domain_that_is_not_registered() {
    let expectation = Expectation::new("mail.example.org", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let evidence = evidence("zone org. ns.org.example.=203.0.113.9\n_dmarc.mail.example.org. TXT: nxdomain\n");
    assert_eq!(names_still_needed(&expectation, &evidence), []);
}

#[test]
fn the_record_found_is_the_one_that_applies() {
    let expectation = Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let text =
        format!("{ZONES}_dmarc.mail.example.com. TXT: nxdomain\n_dmarc.example.com. TXT: x | v=DMARC1; p=none\n");
    let (records, _) = judge(&expectation, &evidence(&text));
    let found: Vec<String> = records[0].found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["_dmarc.example.com. 300 TXT \"v=DMARC1; p=none\""]);
}
