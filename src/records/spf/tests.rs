use proptest::prelude::*;

use super::*;

/// Reads a record that must be right.
fn record(text: &str) -> SpfRecord {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Reads a name that must be right.
fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn only_the_version_and_a_blank_or_the_end_make_an_spf_record() {
    let rows: [(&[u8], bool); 13] = [
        (b"v=spf1", true),
        (b"v=spf1 ", true),
        (b"v=spf1 -all", true),
        (b"V=SPF1 -all", true),
        (b"v=spf1 nonsense", true),
        (b"", false),
        (b"v=spf", false),
        (b"v=spf10 -all", false),
        (b"v=spf1;", false),
        (b"v=spf1\t-all", false),
        (b" v=spf1 -all", false),
        (b"\"v=spf1 -all\"", false),
        (b"spf2.0/pra -all", false),
    ];
    for (text, expected) in rows {
        assert_eq!(is_spf(text), expected, "{}", text.escape_ascii());
        if !expected {
            let error = parse(text).unwrap_err();
            assert_eq!((error.kind, error.column), (ErrorKind::NotSpf, 1));
        }
    }
}

#[test]
fn right_records_print_in_one_form() {
    let rows = [
        ("v=spf1", "v=spf1"),
        ("V=SPF1  +ALL ", "v=spf1 all"),
        ("v=spf1 a mx ptr ~all", "v=spf1 a mx ptr ~all"),
        ("v=spf1 A:Example.com/24//64 -all", "v=spf1 a:Example.com/24//64 -all"),
        ("v=spf1 a/32 mx//128 a/0 mx//0", "v=spf1 a mx a/0 mx//0"),
        ("v=spf1 mx:example.com/32//64 ?all", "v=spf1 mx:example.com//64 ?all"),
        ("v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1/32", "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1"),
        ("v=spf1 ip6:2001:DB8::/32 ip6:::FFFF:192.0.2.1/128", "v=spf1 ip6:2001:db8::/32 ip6:::ffff:192.0.2.1"),
        ("v=spf1 include:_spf.example.com.", "v=spf1 include:_spf.example.com."),
        ("v=spf1 exists:%{I}.%{L1R+-}._spf.%{d}", "v=spf1 exists:%{I}.%{L1r+-}._spf.%{d}"),
        ("v=spf1 exists:%{d003}", "v=spf1 exists:%{d3}"),
        ("v=spf1 a:a/b:c=d.example.com/8", "v=spf1 a:a/b:c=d.example.com/8"),
        ("v=spf1 a:example.com/%{d}", "v=spf1 a:example.com/%{d}"),
        ("v=spf1 a:%%%_%- a:x.%{d} a:1.2.3.4-4", "v=spf1 a:%%%_%- a:x.%{d} a:1.2.3.4-4"),
        ("v=spf1 REDIRECT=example.com EXP=x.%{d}", "v=spf1 redirect=example.com exp=x.%{d}"),
        ("v=spf1 moo.cow-far_out=man:dog/cat include=%{c} x=", "v=spf1 moo.cow-far_out=man:dog/cat include=%{c} x="),
        ("v=spf1 -all a:after.example.com", "v=spf1 -all a:after.example.com"),
    ];
    for (text, printed) in rows {
        assert_eq!(record(text).to_string(), printed);
        assert_eq!(record(printed).to_string(), printed);
    }
}

#[test]
fn broken_records_name_kind_column_and_term() {
    use ErrorKind::*;
    let rows: [(&[u8], ErrorKind, usize, &str); 55] = [
        (b"v=spf1 amx-all", UnknownMechanism, 8, "amx-all"),
        (b"v=spf1 a,mx -all", UnknownMechanism, 8, "a,mx"),
        (b"v=spf1 -all;", UnknownMechanism, 9, "-all;"),
        (b"v=spf1 -all.", UnknownMechanism, 9, "-all."),
        (b"v=spf1 -all nonsense", UnknownMechanism, 13, "nonsense"),
        (b"v=spf1 =all", UnknownMechanism, 8, "=all"),
        (b"v=spf1 -", UnknownMechanism, 9, "-"),
        (b"v=spf1 -redirect=example.com", UnknownMechanism, 9, "-redirect=example.com"),
        (b"v=spf1 redirect:example.com", UnknownMechanism, 8, "redirect:example.com"),
        (b"v=spf1 9abc=x", UnknownMechanism, 8, "9abc=x"),
        (b"v=spf1 \"ip4:192.0.2.1\"", UnknownMechanism, 8, r#"\"ip4:192.0.2.1\""#),
        (b"v=spf1 all:example.com", UnexpectedArgument, 11, "all:example.com"),
        (b"v=spf1 -all/8", UnexpectedArgument, 12, "-all/8"),
        (b"v=spf1 ptr/0", UnexpectedArgument, 11, "ptr/0"),
        (b"v=spf1 include/24", UnexpectedArgument, 15, "include/24"),
        (b"v=spf1 include", MissingDomain, 15, "include"),
        (b"v=spf1 include example.com", MissingDomain, 15, "include"),
        (b"v=spf1 include:", MissingDomain, 16, "include:"),
        (b"v=spf1 exists", MissingDomain, 14, "exists"),
        (b"v=spf1 a:", MissingDomain, 10, "a:"),
        (b"v=spf1 a:/24", MissingDomain, 10, "a:/24"),
        (b"v=spf1 mx: -all", MissingDomain, 11, "mx:"),
        (b"v=spf1 ptr:", MissingDomain, 12, "ptr:"),
        (b"v=spf1 redirect=", MissingDomain, 17, "redirect="),
        (b"v=spf1 exp=", MissingDomain, 12, "exp="),
        (b"v=spf1 a:museum", BadTopLabel, 10, "a:museum"),
        (b"v=spf1 a:museum.", BadTopLabel, 10, "a:museum."),
        (b"v=spf1 a:192.0.2.1", BadTopLabel, 18, "a:192.0.2.1"),
        (b"v=spf1 a:example.-com", BadTopLabel, 18, "a:example.-com"),
        (b"v=spf1 a:example.com:8080", BadTopLabel, 18, "a:example.com:8080"),
        (b"v=spf1 a:example.com..", BadTopLabel, 22, "a:example.com.."),
        (b"v=spf1 a:%{d}com", BadTopLabel, 10, "a:%{d}com"),
        (b"v=spf1 include:example.com/24", BadTopLabel, 24, "include:example.com/24"),
        (b"v=spf1 a:example.com/x24", BadTopLabel, 18, "a:example.com/x24"),
        (b"v=spf1 include:example.com,example.net,", BadTopLabel, 36, "include:example.com,example.net,"),
        (b"v=spf1 exists:%{z}.example.com", BadMacro, 15, "exists:%{z}.example.com"),
        (b"v=spf1 exists:%{}", BadMacro, 15, "exists:%{}"),
        (b"v=spf1 exists:%{d0}", BadMacro, 15, "exists:%{d0}"),
        (b"v=spf1 exists:%{dr2}", BadMacro, 15, "exists:%{dr2}"),
        (b"v=spf1 exists:%{d.r}", BadMacro, 15, "exists:%{d.r}"),
        (b"v=spf1 exists:x.%{d", BadMacro, 17, "exists:x.%{d"),
        (b"v=spf1 exists:%(d).example.com", BadMacro, 15, "exists:%(d).example.com"),
        (b"v=spf1 x=%abc", BadMacro, 10, "x=%abc"),
        (b"v=spf1 x=100%", BadMacro, 13, "x=100%"),
        (b"v=spf1 exists:%{C}.example.com", MacroOnlyInExplanation('c'), 15, "exists:%{C}.example.com"),
        (b"v=spf1 exp=%{t}.example.com", MacroOnlyInExplanation('t'), 12, "exp=%{t}.example.com"),
        (b"v=spf1 ip4:192.0.2", BadAddress, 12, "ip4:192.0.2"),
        (b"v=spf1 ip4:192.0.2.01", BadAddress, 12, "ip4:192.0.2.01"),
        (b"v=spf1 ip4", BadAddress, 11, "ip4"),
        (b"v=spf1 ip6:192.0.2.1", BadAddress, 12, "ip6:192.0.2.1"),
        (b"v=spf1 ip4:192.0.2.0/33", BadPrefix, 21, "ip4:192.0.2.0/33"),
        (b"v=spf1 ip4:192.0.2.0/024", BadPrefix, 21, "ip4:192.0.2.0/024"),
        (b"v=spf1 ip6:2001:db8::/129", BadPrefix, 22, "ip6:2001:db8::/129"),
        (b"v=spf1 a\xa0-all", BadOctet(0xa0), 9, r"a\xa0-all"),
        (b"v=spf1 \xe2\x80\x9ca\xe2\x80\x9d", BadOctet(0xe2), 8, r"\xe2\x80\x9ca\xe2\x80\x9d"),
    ];
    for (text, kind, column, term) in rows {
        let error = parse(text).unwrap_err();
        assert_eq!((error.kind, error.column, error.term.as_str()), (kind, column, term), "{}", text.escape_ascii());
    }
}

#[test]
fn prefixes_have_no_leading_zeros_and_fit_the_address() {
    for prefix in
        ["/", "//", "/24/64", "/33", "//129", "/00", "/08", "//01", "/-1", "/+8", "/24//", "///64", "/24 //64x"]
    {
        for mechanism in ["a", "mx", "a:example.com", "mx:%{d}"] {
            let text = format!("v=spf1 {mechanism}{prefix}");
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}

#[test]
fn redirect_and_exp_come_once() {
    for text in ["v=spf1 redirect=a.example redirect=a.example", "v=spf1 exp=a.example -all EXP=b.example"] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().kind, ErrorKind::RepeatedModifier, "{text}");
    }
    assert!(parse(b"v=spf1 x=1 x=1").is_ok());
}

#[test]
fn an_error_reads_as_one_line() {
    let error = parse(b"v=spf1 ip4:192.0.2.0/33 -all").unwrap_err();
    assert_eq!(error.to_string(), "bad prefix length at column 21, in `ip4:192.0.2.0/33`");
}

#[test]
fn terms_without_effect_are_not_counted() {
    let rows = [
        ("v=spf1 ip4:192.0.2.1 -all", 0, None),
        ("v=spf1 a mx ptr exists:%{d} include:a.example redirect=b.example", 6, Some("b.example")),
        ("v=spf1 a -all include:a.example redirect=b.example", 1, Some("b.example")),
        ("v=spf1 exp=a.example x=y", 0, None),
    ];
    for (text, lookups, redirect) in rows {
        let record = record(text);
        assert_eq!(record.lookup_terms(), lookups, "{text}");
        assert_eq!(record.redirect().map(ToString::to_string).as_deref(), redirect, "{text}");
    }
}

#[test]
fn names_needed_are_those_that_can_be_known() {
    let record = record(
        "v=spf1 a mx:mx.example.net include:spf.example.net. include:%{d}.example.net exists:a..b.example \
         exists:e.example ~all exp=e.example redirect=r.example",
    );
    let needed: Vec<_> = record.names_needed(&name("example.com")).into_iter().map(|n| (n.name, n.need)).collect();
    assert_eq!(
        needed,
        [
            (name("example.com"), Need::Addresses),
            (name("mx.example.net"), Need::Exchangers),
            (name("spf.example.net"), Need::Spf),
            (name("e.example"), Need::Existence),
        ]
    );
    let macros: Vec<_> = ["a.%{d}", "a..b.example"].map(|text| text.parse::<DomainSpec>().unwrap().has_macros()).into();
    assert_eq!(macros, [true, false], "no name, for two reasons");
    assert_eq!(record.includes().collect::<Vec<_>>(), [name("spf.example.net")]);
    assert_eq!(record.all(), Some(Qualifier::SoftFail));
    assert_eq!(record.explanation().and_then(DomainSpec::name), Some(name("e.example")));
}

#[test]
fn an_include_goes_before_all() {
    let rows = [
        ("v=spf1", "v=spf1 include:amazonses.com"),
        ("v=spf1 -all", "v=spf1 include:amazonses.com -all"),
        ("v=spf1 a ~all exp=e.example", "v=spf1 a include:amazonses.com ~all exp=e.example"),
        ("v=spf1 a redirect=r.example", "v=spf1 a include:amazonses.com redirect=r.example"),
        ("v=spf1 redirect=r.example a -all", "v=spf1 redirect=r.example a include:amazonses.com -all"),
        ("v=spf1 include:AMAZONSES.com. -all", "v=spf1 include:AMAZONSES.com. -all"),
        ("v=spf1 -all include:amazonses.com", "v=spf1 include:amazonses.com -all include:amazonses.com"),
        ("v=spf1 ?include:amazonses.com", "v=spf1 ?include:amazonses.com include:amazonses.com"),
    ];
    let domain = "amazonses.com".parse().unwrap();
    for (text, expected) in rows {
        let printed = record(text).with_include(&domain);
        assert_eq!(printed, expected);
        assert_eq!(record(&printed).with_include(&domain), expected, "twice");
    }
    for wrong in ["", "com", "a b.example", "a.exämple", "%.example"] {
        assert!(wrong.parse::<DomainSpec>().is_err(), "{wrong}");
    }
}

#[test]
fn merging_keeps_every_sender_and_the_strictest_all() {
    let rows: [(&[&str], &str); 9] = [
        (&["v=spf1 a -all"], "v=spf1 a -all"),
        (&["v=spf1 a ~all", "v=spf1 include:b.example -all"], "v=spf1 a include:b.example -all"),
        (&["v=spf1 a ?all", "v=spf1 A mx"], "v=spf1 a mx ?all"),
        (&["v=spf1 a -all mx", "v=spf1 ptr +all"], "v=spf1 a ptr -all"),
        (&["v=spf1 a", "v=spf1 redirect=r.example"], "v=spf1 a redirect=r.example"),
        (&["v=spf1 a -all", "v=spf1 redirect=r.example"], "v=spf1 a include:r.example -all"),
        (&["v=spf1 redirect=r.example", "v=spf1 redirect=s.example"], "v=spf1 include:r.example include:s.example"),
        (&["v=spf1 exp=e.example x=1 ~all", "v=spf1 exp=f.example x=1 ~all"], "v=spf1 ~all exp=e.example x=1"),
        (
            &["v=spf1 exists:%{L}.e.example", "v=spf1 exists:%{l}.e.example"],
            "v=spf1 exists:%{L}.e.example exists:%{l}.e.example",
        ),
    ];
    for (texts, expected) in rows {
        let records: Vec<_> = texts.iter().map(|text| record(text)).collect();
        assert_eq!(merge(&records).as_deref(), Some(expected));
    }
    assert_eq!(merge(&[]), None);
}

#[test]
fn fixtures_are_what_their_names_say() {
    crate::records::tests::each_fixture("spf", |text| parse(text).is_ok());
}

/// Makes the text of a term that is right and printed as it stands.
fn canonical_term() -> impl Strategy<Value = String> {
    let domain = "([a-z0-9_]{1,5}\\.|%\\{[slodiphv][1-9]?r?[-.+]{0,2}\\}\\.|%[-_%]){0,3}[a-z][a-z0-9]{0,3}\\.example";
    let mechanism = prop_oneof![
        Just("all".to_owned()),
        domain.prop_map(|domain| format!("include:{domain}")),
        domain.prop_map(|domain| format!("exists:{domain}")),
        (domain, 0..32u8, 0..128u8).prop_map(|(domain, ipv4, ipv6)| format!("a:{domain}/{ipv4}//{ipv6}")),
        (0..32u8).prop_map(|ipv4| format!("mx/{ipv4}")),
        (any::<std::net::Ipv4Addr>(), 0..32u8).prop_map(|(address, prefix)| format!("ip4:{address}/{prefix}")),
        (any::<std::net::Ipv6Addr>(), 0..128u8).prop_map(|(address, prefix)| format!("ip6:{address}/{prefix}")),
    ];
    prop_oneof![
        4 => ("[-~?]?", mechanism).prop_map(|(qualifier, mechanism)| qualifier + &mechanism),
        1 => "x[-_.a-z0-9]{0,5}=[!-$&-~]{0,5}",
    ]
}

proptest! {
    #[test]
    fn a_canonical_record_round_trips(terms in proptest::collection::vec(canonical_term(), 0..6)) {
        let text = terms.iter().fold(VERSION.to_owned(), |text, term| format!("{text} {term}"));
        let record = parse(text.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(record.to_string(), text.clone());
        for (term, written) in record.terms().iter().zip(&terms) {
            prop_assert_eq!(&text[term.span.clone()], written);
        }
        prop_assert!(parse(record.with_include(&"a.example".parse().unwrap()).as_bytes()).is_ok());
        let merged = merge(&[record.clone(), record]).unwrap_or_default();
        prop_assert!(parse(merged.as_bytes()).is_ok(), "{}", merged);
    }

    #[test]
    fn whatever_is_read_prints_to_what_reads_the_same(tail in "( |[-+~?]|all|a|mx|include|ip4|ip6|ptr|:|/|=|%|\\{|\\}|[a-z0-9.]){0,20}") {
        if let Ok(record) = parse(format!("v=spf1 {tail}").as_bytes()) {
            let printed = record.to_string();
            let again = parse(printed.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(again.to_string(), printed);
        }
    }

    #[test]
    fn any_octets_are_read_without_panic(tail in any::<Vec<u8>>()) {
        let _ = parse(&tail);
        let _ = parse(&[b"v=spf1 ", tail.as_slice()].concat());
    }
}
