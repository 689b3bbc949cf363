//! What is expected, and what is refused.

use super::*;

#[test]
fn three_cnames_spf_and_dmarc_are_expected() {
    let expectation = Expectation::new(" Mail.Example.com.", &["T1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let records: Vec<String> =
        expectation.records.iter().map(|record| format!("{} {}", record.kind.as_str(), record.question())).collect();
    assert_eq!(
        records,
        [
            "dkim t1._domainkey.mail.example.com. CNAME",
            "dkim t2._domainkey.mail.example.com. CNAME",
            "dkim t3._domainkey.mail.example.com. CNAME",
            "spf mail.example.com. TXT",
            "dmarc _dmarc.mail.example.com. TXT",
        ]
    );
    let required = |expectation: &Expectation| expectation.records.iter().filter(|r| r.is_required).count();
    assert_eq!(required(&expectation), 3);
    assert_eq!(required(&expectation.require(&[RecordKind::Dmarc])), 4);
}

#[test]
fn what_cannot_be_expected_is_refused_in_one_line() {
    for (domain, tokens, zone, error) in [
        ("", "a b c", DEFAULT_DKIM_ZONE, "domain \"\": the name is empty"),
        ("192.0.2.1", "a b c", DEFAULT_DKIM_ZONE, "domain \"192.0.2.1\": 192.0.2.1 is an address, not a domain name"),
        (
            "co.uk",
            "a b c",
            DEFAULT_DKIM_ZONE,
            "domain \"co.uk\" is a public suffix or a special-use name; expected a domain that somebody registered",
        ),
        (
            "printer.local",
            "a b c",
            DEFAULT_DKIM_ZONE,
            "domain \"printer.local\" is a public suffix or a special-use name; expected a domain that somebody registered",
        ),
        ("example.com", "a b", DEFAULT_DKIM_ZONE, "2 DKIM tokens; expected 3"),
        ("example.com", "a b c d", DEFAULT_DKIM_ZONE, "4 DKIM tokens; expected 3"),
        ("example.com", "a b A", DEFAULT_DKIM_ZONE, "DKIM token \"a\" is given twice"),
        (
            "example.com",
            "a b c.d",
            DEFAULT_DKIM_ZONE,
            "DKIM token \"c.d\": expected letters and digits only, at most 63",
        ),
        ("example.com", "a b c", "dkim..com", "DKIM zone \"dkim..com\": the name has an empty label"),
    ] {
        let tokens: Vec<&str> = tokens.split(' ').collect();
        assert_eq!(Expectation::new(domain, &tokens, zone).unwrap_err().to_string(), error);
    }
}

#[test]
fn what_the_caller_tells_adds_records() {
    let facts = Facts {
        domain: "mail.example.com".to_owned(),
        tokens: ["t1", "t2", "t3"].map(str::to_owned).to_vec(),
        region: Some("EU-west-1".to_owned()),
        mail_from: Some("bounce.mail.example.com".to_owned()),
        is_inbound: true,
        previous_tokens: ["OLD", "t1", "old"].map(str::to_owned).to_vec(),
        dns_provider: Some("godaddy".to_owned()),
        ..Facts::default()
    };
    let expectation = facts.expectation().unwrap();
    let more: Vec<String> = expectation.records[5..]
        .iter()
        .map(|record| format!("{} {} {:?}", record.kind.as_str(), record.question(), record.is_required))
        .collect();
    assert_eq!(
        more,
        [
            "mx mail.example.com. MX false",
            "mail_from_mx bounce.mail.example.com. MX false",
            "mail_from_spf bounce.mail.example.com. TXT false",
        ]
    );
    for (place, data) in
        [(5, "10 inbound-smtp.eu-west-1.amazonaws.com."), (6, "10 feedback-smtp.eu-west-1.amazonses.com.")]
    {
        let Expected::Exchange(exchange) = &expectation.records[place].expected else { panic!("{place}") };
        assert_eq!(exchange.data(), data);
    }
    assert_eq!(expectation.previous_tokens, ["old"]);
    assert_eq!(expectation.dns_provider.as_deref(), Some("godaddy"));
    let bare = Expectation::new("mail.example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
    let in_any_order = bare.with_inbound().with_mail_from("bounce.mail.example.com").unwrap().with_region("eu-west-1");
    assert_eq!(in_any_order.unwrap().records, expectation.records);
}

#[test]
fn a_key_of_ones_own_takes_the_place_of_the_cnames() {
    let facts = |selector: &str, key: Option<&str>| Facts {
        domain: "example.com".to_owned(),
        selector: Some(selector.to_owned()),
        public_key: key.map(str::to_owned),
        ..Facts::default()
    };
    let expectation = facts("s1", Some("MIG f MA0=")).expectation().unwrap();
    let kinds: Vec<&str> = expectation.records.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["dkim", "spf", "dmarc"]);
    let record = &expectation.records[0];
    assert_eq!(record.question().to_string(), "s1._domainkey.example.com. TXT");
    assert_eq!(record.expected, Expected::DkimKey(Some("MIGfMA0=".to_owned())));
    assert!(record.is_required && record.token().is_none());
    assert_eq!(facts("s1", None).expectation().unwrap().records[0].expected, Expected::DkimKey(None));
    assert_eq!(facts("s1", Some("p=")).expectation(), Err(ExpectationError::PublicKey));
    let both = Facts { tokens: vec!["t1".to_owned()], ..facts("s1", None) };
    assert_eq!(both.expectation(), Err(ExpectationError::TokensAndSelector));
    assert_eq!(facts(" ", Some("MIGfMA0=")).expectation(), Err(ExpectationError::KeyWithoutSelector));
    assert_eq!(facts(" ", None).expectation(), Err(ExpectationError::TokenCount(0)));
}

#[test]
fn what_ses_would_not_take_is_refused_in_one_line() {
    let expectation = || Expectation::new("mail.example.com", &["a", "b", "c"], DEFAULT_DKIM_ZONE).unwrap();
    for (mail_from, error) in [
        (
            "bounce.example.com",
            "MAIL FROM \"bounce.example.com\" does not lie below mail.example.com (mailfrom_not_subdomain); Amazon SES takes no other, such as bounce.mail.example.com",
        ),
        (
            "Mail.example.com.",
            "MAIL FROM is the sender domain mail.example.com itself (mailfrom_equals_from); Amazon SES takes a name below it, such as bounce.mail.example.com",
        ),
        (
            "xmail.example.com",
            "MAIL FROM \"xmail.example.com\" does not lie below mail.example.com (mailfrom_not_subdomain); Amazon SES takes no other, such as bounce.mail.example.com",
        ),
        ("a..b", "MAIL FROM \"a..b\": the name has an empty label"),
    ] {
        assert_eq!(expectation().with_mail_from(mail_from).unwrap_err().to_string(), error);
    }
    let error = expectation().with_region("Frankfurt").unwrap_err().to_string();
    assert_eq!(error, "region \"frankfurt\": expected an AWS region such as us-east-1");
}
