use proptest::prelude::*;

use super::*;

/// An RSA key of 512 bits, in a SubjectPublicKeyInfo.
const RSA_512: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMD1+sOhKNKbU2pSePPhcZRl0NEXXSUCNpAz2bDnhyHVPc66XTaGk/Olrgsf2pSl4KRMiYY/e6wKhFLOdKgKOMcCAwEAAQ==";
/// The same key, bare.
const RSA_512_BARE: &str =
    "MEgCQQDA9frDoSjSm1NqUnjz4XGUZdDRF10lAjaQM9mw54ch1T3Oul02hpPzpa4LH9qUpeCkTImGP3usCoRSznSoCjjHAgMBAAE=";
/// The key of RFC 8463 §A.2.
const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// Puts keys in place of their names, and reads what comes out.
fn read(text: &str) -> Result<KeyRecord, ParseError> {
    let text = text.replace("{RSA}", RSA_512).replace("{BARE}", RSA_512_BARE).replace("{ED}", ED25519);
    parse(text.as_bytes())
}

#[test]
fn right_records_print_in_one_form() {
    let rows = [
        ("p={RSA}", "v=DKIM1; k=rsa; p={RSA}"),
        ("v=DKIM1;k=rsa;p={BARE};", "v=DKIM1; k=rsa; p={BARE}"),
        ("v=DKIM1; k=ed25519; p={ED}", "v=DKIM1; k=ed25519; p={ED}"),
        ("k=ed25519; p=11qYAYKxCrfVS/7T\r\n yWQHOg7hcvPap iMlrwIaaPcHURo", "v=DKIM1; k=ed25519; p={ED}"),
        ("v=DKIM1; p=", "v=DKIM1; k=rsa; p="),
        ("v=DKIM1; K=dsa; x=y; n=note; g=; p=", "v=DKIM1; k=rsa; p="),
        ("h=SHA1 : sha256; s= * :email; t=s:y:x; p=", "v=DKIM1; k=rsa; h=sha1:sha256; s=*:email; t=y:s; p="),
        ("h=; t=; p=", "v=DKIM1; k=rsa; h=; p="),
    ];
    for (text, printed) in rows {
        let record = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read(&record.to_string()).as_ref(), Ok(&record), "{text}");
        assert_eq!(Ok(record), read(printed), "{text}");
    }
}

#[test]
fn broken_records_say_what_and_where() {
    let rows = [
        ("", "empty text"),
        (" ", "empty tag at column 1"),
        ("v=DKIM1; p=; p=", "second tag `p` at column 14"),
        ("v=DKIM1; x=1; x=2; p=", "second tag `x` at column 15"),
        ("p=; v=DKIM1", "version at column 5 is not first"),
        ("v=dkim1; p=", "unknown version `dkim1` at column 3"),
        (r"v=DKIM1\; p=", r"unknown version `DKIM1\\` at column 3"),
        ("v=DKIM1", "missing `p=`"),
        ("v=DKIM1; k=dsa; p=", "unknown key type `dsa` at column 12"),
        ("v=DKIM1; p=!", "key at column 12 is not base64"),
        ("p=abcd", "key at column 3 is no RSA key"),
        ("p={ED}", "key at column 3 is no RSA key"),
        ("k=ed25519; p=abcd", "ed25519 key at column 14 has 3 octets, not 32"),
        ("k=ed25519; p={RSA}", "ed25519 key at column 14 has 94 octets, not 32"),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text).map_err(|error| error.to_string()), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn an_rsa_key_is_measured_in_either_form() {
    let rows = [
        (format!("p={RSA_512}"), 512, RsaForm::SubjectPublicKeyInfo),
        (format!("p={RSA_512_BARE}"), 512, RsaForm::RsaPublicKey),
        (
            include_str!("../../../fixtures/records/dkim/right-rsa-1024.txt").to_owned(),
            1024,
            RsaForm::SubjectPublicKeyInfo,
        ),
        (include_str!("../../../fixtures/records/dkim/right-rsa-bare.txt").to_owned(), 2048, RsaForm::RsaPublicKey),
        (
            include_str!("../../../fixtures/records/dkim/right-rsa-4096.txt").to_owned(),
            4096,
            RsaForm::SubjectPublicKeyInfo,
        ),
    ];
    for (text, expected_bits, expected_form) in rows {
        match parse(text.as_bytes()).unwrap().key {
            Key::Rsa { bits, form, .. } => assert_eq!((bits, form), (expected_bits, expected_form), "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn der_is_read_within_its_bounds() {
    use DerError::*;
    let rows: [(&[u8], Result<usize, DerError>); 17] = [
        (&[0x30, 6, 2, 1, 0x7f, 2, 1, 3], Ok(7)),
        (&[0x30, 6, 2, 1, 1, 2, 1, 3], Ok(1)),
        (&[0x30, 7, 2, 2, 0, 0x80, 2, 1, 3], Ok(8)),
        (&[0x30, 7, 2, 2, 1, 0, 2, 1, 3], Ok(9)),
        (&[], Err(Truncated)),
        (&[0x30], Err(Truncated)),
        (&[0x30, 0x82, 1], Err(Truncated)),
        (&[0x30, 7, 2, 1, 1, 2, 1, 3], Err(Truncated)),
        (&[0x30, 6, 2, 9, 1, 2, 1, 3], Err(Truncated)),
        (&[0x30, 6, 2, 1, 1, 2, 1, 3, 0], Err(TrailingOctets)),
        (&[0x30, 6, 2, 1, 0, 2, 1, 3], Err(MalformedNumber)),
        (&[0x30, 6, 2, 1, 0x80, 2, 1, 3], Err(MalformedNumber)),
        (&[0x30, 5, 2, 0, 2, 1, 3], Err(MalformedNumber)),
        (&[0x30, 0x80, 2, 1, 1, 2, 1, 3, 0, 0], Err(MalformedNumber)),
        (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], Err(MalformedNumber)),
        (&[0x30, 0x81, 6, 2, 1, 1, 2, 1, 3], Err(MalformedNumber)),
        (&[0x31, 0], Err(UnexpectedElement { found: 0x31, expected: 0x30 })),
    ];
    for (der, expected) in rows {
        assert_eq!(rsa::measure(der).map(|(_, bits)| bits), expected, "{der:02x?}");
    }
}

#[test]
fn a_key_for_another_algorithm_is_named() {
    let elliptic = include_bytes!("../../../fixtures/records/dkim/wrong-elliptic.txt");
    let Err(ParseError::BadRsaKey { source, .. }) = parse(elliptic) else { panic!("an elliptic key passed") };
    assert_eq!(source, DerError::OtherAlgorithm(r"*\x86H\xce=\x02\x01".to_owned()));
}

#[test]
fn a_cut_key_is_told_from_a_malformed_one() {
    let cut = include_bytes!("../../../fixtures/records/dkim/wrong-truncated.txt");
    assert!(matches!(parse(cut), Err(ParseError::BadRsaKey { column: 19, source: DerError::Truncated })));
}

#[test]
fn hashes_and_services_limit_the_key() {
    let rows = [
        ("p=", true, true),
        ("h=sha1; p=", false, true),
        ("h=sha1:sha256; s=other; p=", true, false),
        ("h=; s=; p=", false, false),
        ("s=other:*; p=", true, true),
        ("s=EMAIL; p=", true, true),
    ];
    for (text, sha256, email) in rows {
        let record = read(text).unwrap();
        assert_eq!((record.allows_sha256(), record.allows_email()), (sha256, email), "{text}");
    }
}

#[test]
fn fixtures_are_what_their_names_say() {
    crate::records::tests::each_fixture("dkim", |text| parse(text).is_ok());
}

proptest! {
    #[test]
    fn whatever_is_read_prints_to_what_reads_the_same(
        tags in proptest::collection::vec("(v=DKIM1|k=(rsa|ed25519)|[hst]=[a-z0-9:*]{0,9}|n=[a-z ]{0,9})", 0..5),
        key in prop_oneof![Just(""), Just(RSA_512), Just(RSA_512_BARE), Just(ED25519)],
    ) {
        let text = format!("{}; p={key}", tags.join("; "));
        if let Ok(record) = parse(text.trim_start_matches("; ").as_bytes()) {
            prop_assert_eq!(parse(record.to_string().as_bytes()), Ok(record));
        }
    }

    #[test]
    fn any_octets_are_read_without_panic(octets in any::<Vec<u8>>()) {
        let _ = parse(&octets);
        let _ = rsa::measure(&octets);
        let _ = parse(format!("p={}", BASE64.encode(&octets)).as_bytes());
    }
}
