//! Names: what is one, how it prints, and how it compares.

use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn presentation_form_round_trips() {
    for (text, printed) in [
        (".", "."),
        ("example.com", "example.com."),
        ("Example.COM.", "Example.COM."),
        (r"a\.b.example.", r"a\.b.example."),
        (r"a\032b.example.", r"a\032b.example."),
        (r"com\..example.", r"com\..example."),
        (r"\255.example.", r"\255.example."),
    ] {
        assert_eq!(name(text).to_string(), printed, "{text}");
        assert_eq!(name(printed), name(text), "{text}");
    }
}

#[test]
fn what_is_no_name_is_refused() {
    let long_label = "a".repeat(64);
    let long_name = ["abcdefghi"; 26].join(".");
    for (text, error) in [
        ("", NameError::Empty),
        ("a..b", NameError::EmptyLabel),
        (".a", NameError::EmptyLabel),
        ("a..", NameError::EmptyLabel),
        (r"a\", NameError::BadEscape),
        (r"a\25", NameError::BadEscape),
        (r"a\256", NameError::BadEscape),
        (long_label.as_str(), NameError::LabelTooLong(64)),
        (long_name.as_str(), NameError::TooLong),
    ] {
        assert_eq!(Name::parse(text), Err(error), "{text}");
    }
}

#[test]
fn what_people_type_becomes_a_mail_domain() {
    for (text, expected) in [
        (" Mail.Example.com. ", Ok("mail.example.com.")),
        ("bücher.example", Ok("xn--bcher-kva.example.")),
        ("192.0.2.1", Err(NameError::Address("192.0.2.1".parse().unwrap()))),
        ("[2001:db8::1]", Err(NameError::Address("2001:db8::1".parse().unwrap()))),
        ("https://example.com", Err(NameError::BadLabel("https://example".to_owned()))),
        ("me@example.com", Err(NameError::BadLabel("me@example".to_owned()))),
        ("  ", Err(NameError::Empty)),
    ] {
        assert_eq!(Name::from_user_input(text), expected.map(name), "{text}");
    }
}

#[test]
fn case_does_not_matter() {
    assert_eq!(name("EXAMPLE.com"), name("example.COM"));
    assert!(name("a.EXAMPLE.com").is_subdomain_of(&name("example.com")));
    assert_eq!(name("a.EXAMPLE.com").cmp(&name("A.example.COM")), Ordering::Equal);
}

#[test]
fn a_subdomain_ends_on_a_label_edge() {
    for (below, zone, is) in [
        ("a.example.com", "example.com", true),
        ("example.com", "example.com", true),
        ("aexample.com", "example.com", false),
        (r"a\007example.com", "example.com", false),
        ("com", "example.com", false),
        ("example.com", ".", true),
        (".", ".", true),
    ] {
        assert_eq!(name(below).is_subdomain_of(&name(zone)), is, "{below} {zone}");
    }
}

#[test]
fn order_keeps_what_is_below_a_name_right_behind_it() {
    let sorted = ["example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "z.example.", r"\200.z.example."];
    let mut names: Vec<Name> = sorted.iter().rev().map(|text| name(text)).collect();
    names.sort();
    assert_eq!(names, sorted.map(name));
}

#[test]
fn order_is_that_of_labels_in_lower_case_whatever_their_octets() {
    let labels: [&[u8]; 9] = [b"\0", b"\0\0", b"\0\x01", b"\x01", b"\x01\x01", b"\x02", b"a", b"A\0", b"ab"];
    let mut names = vec![Name::root()];
    for one in labels {
        names.push(Name::from_labels([one]).unwrap());
        names.extend(labels.map(|other| Name::from_labels([one, other]).unwrap()));
    }
    let folded = |name: &Name| name.labels().rev().map(<[u8]>::to_ascii_lowercase).collect::<Vec<_>>();
    for one in &names {
        for other in &names {
            assert_eq!(one.cmp(other), folded(one).cmp(&folded(other)), "{one} {other}");
            let is_below = folded(one).starts_with(&folded(other));
            assert_eq!(one.is_subdomain_of(other), is_below, "{one} {other}");
        }
    }
}

#[test]
fn parts_of_a_name() {
    let owner = name("t1._domainkey.mail.example.com");
    assert_eq!(owner.relative_to(&name("example.com")).as_deref(), Some("t1._domainkey.mail"));
    assert_eq!(owner.relative_to(&owner).as_deref(), Some(""));
    assert_eq!(owner.relative_to(&name("example.net")), None);
    assert_eq!(owner.last_labels(2), name("example.com"));
    assert_eq!(owner.parent(), Some(name("_domainkey.mail.example.com")));
    assert_eq!(Name::root().parent(), None);
    assert_eq!(owner.ancestors().count(), 6);
    assert_eq!(name("a.b").concat(&name("c.d")), Ok(name("a.b.c.d")));
    assert_eq!(Name::from_wire(owner.wire()), Ok(owner));
}

#[test]
fn a_name_above_is_the_one_that_was_read_on_its_own() {
    for text in ["a.B.c.example.com.", "x\\000y.b.example.com.", "b.x\\001y.z.", "a.x\\.y.com.", "com.", "."] {
        let mut above = name(text);
        while let Some(parent) = above.parent() {
            let alone = Name::from_wire(parent.wire()).unwrap();
            assert_eq!(parent, alone);
            assert_eq!((parent.key(), parent.to_string()), (alone.key(), alone.to_string()));
            assert_eq!(parent.plain_key(), alone.plain_key());
            assert!(above.is_strictly_below(&alone) && above > alone);
            assert_eq!(above.without_suffix(&parent).unwrap().label_count(), 1);
            above = parent;
        }
        assert!(above.is_root());
    }
}

#[test]
fn a_name_reads_back_from_json() {
    for text in ["\".\"", "\"t1._domainkey.example.com.\"", r#""a\\.b\\032c.example.""#] {
        let read: Name = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
    assert!(serde_json::from_str::<Name>("\"a..b\"").is_err());
}
