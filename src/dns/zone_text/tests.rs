//! Data octet by octet, and what does not fit.

use super::*;

fn read(kind: &str, text: &str) -> Result<Rdata, ZoneTextError> {
    let origin = Name::parse("example.com.").unwrap();
    read_rdata(kind.parse().unwrap(), &split_words(text).unwrap(), &origin)
}

#[test]
fn data_is_read_octet_by_octet() {
    for (kind, text, printed) in [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:DB8::1", "2001:db8::1"),
        ("NS", "ns1", "ns1.example.com."),
        ("CNAME", "t1.dkim.example.net. ; comment", "t1.dkim.example.net."),
        ("CNAME", r"t1.dkim.example.net\.", r"t1.dkim.example.net\..example.com."),
        ("CNAME", r"a\\.", r"a\\."),
        ("CNAME", r"x\032y", r"x\032y.example.com."),
        ("DNAME", "@", "example.com."),
        ("PTR", "host.example.", "host.example."),
        (
            "SOA",
            "ns1 host\\.master 7 2h 15m 2w 300",
            "ns1.example.com. host\\.master.example.com. 7 7200 900 1209600 300",
        ),
        ("MX", "10 mx1", "10 mx1.example.com."),
        ("TXT", r#""v=DKIM1; p=" plain "a\"b\065\\" """#, r#""v=DKIM1; p=" "plain" "a\"bA\\" """#),
        ("TXT", "caf\u{e9}", r#""caf\195\169""#),
        ("TXT", r"\# 0", ""),
        ("DS", "4711 13 2 00ff AB", r"\# 7 12670d0200ffab"),
        ("TYPE4711", r"\# 3 01 0203", r"\# 3 010203"),
        ("A", r"\# 3 c00002", r"\# 3 c00002"),
    ] {
        assert_eq!(read(kind, text).map(|rdata| rdata.to_string()).as_deref(), Ok(printed), "{kind} {text}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let long = "x".repeat(256);
    for (kind, text, error) in [
        ("A", "192.0.2", r#"found "192.0.2", expected an IPv4 address"#),
        ("A", "", r#"found "", expected an IPv4 address"#),
        ("A", "192.0.2.1 192.0.2.2", r#"found "192.0.2.2", expected the end of the A data"#),
        ("CNAME", "a..b", r#"found "a..b", expected a domain name (the name has an empty label)"#),
        ("CNAME", "\"a\"", r#"found "\"a\"", expected a domain name without quotes"#),
        ("MX", "mx1", r#"found "mx1", expected the preference of the MX"#),
        ("SOA", "a b 1 2 3 4 3000000000", r#"found "3000000000", expected the minimum time to live"#),
        ("TXT", "", r#"found "", expected a character-string"#),
        ("TXT", r"a\25", r#"found "a\\25", expected a character-string of at most 255 octets, with escapes as \DDD"#),
        ("SRV", "1 2 3 a", r#"found "1", expected \# and octets, as SRV has no other form here"#),
        ("TYPE9", r"\# 2 01", r#"found "1 octets", expected 2 octets, at most 65535"#),
        ("TYPE9", r"\# 1 0g", r#"found "0g", expected pairs of hexadecimal digits"#),
    ] {
        assert_eq!(read(kind, text).unwrap_err().to_string(), error, "{kind} {text}");
    }
    assert!(read("TXT", &long).is_err());
    assert!(read("TXT", &long[1..]).is_ok());
}

#[test]
fn words_end_at_blanks_and_comments() {
    let texts = |line: &str| {
        let words = split_words(line).unwrap();
        words.into_iter().map(|word| (word.text, word.is_quoted)).collect::<Vec<_>>()
    };
    let plain = |text: &str| (text.to_owned(), false);
    assert_eq!(texts("  a\tb;c # d"), [plain("a"), plain("b")]);
    assert_eq!(texts("a#b # c"), [plain("a#b")]);
    assert_eq!(texts(r#""a ; b" c\;d"#), [("a ; b".to_owned(), true), plain(r"c\;d")]);
    assert_eq!(texts("; only a comment"), []);
    assert!(split_words("\"open").is_err());
    assert!(split_words("\"a\"b").is_err());
    assert!(split_words("a\"b\"").is_err());
}

#[test]
fn times_have_units() {
    for (text, seconds) in [
        ("300", Some(300)),
        ("2h", Some(7200)),
        ("1W", Some(604_800)),
        ("2147483647", Some(2_147_483_647)),
        ("2147483648", None),
        ("h", None),
        ("+5", None),
        ("-1", None),
        ("1.5", None),
    ] {
        assert_eq!(read_seconds(text), seconds, "{text}");
    }
}
