//! Replies of every kind and what they mean.

use super::*;
use crate::dns::message::{BadRecord, Edns, Extent, Flags, encode_message};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Reads "owner type data" for the few types that the tests use.
fn record(text: &str) -> Record {
    let mut words = text.split(' ');
    let owner = name(words.next().unwrap());
    let rdata = match (words.next().unwrap(), words.next().unwrap()) {
        ("NS", host) => Rdata::Ns(name(host)),
        ("CNAME", target) => Rdata::Cname(name(target)),
        ("DNAME", target) => Rdata::Dname(name(target)),
        ("A", address) => Rdata::A(address.parse().unwrap()),
        ("TXT", text) => Rdata::Txt(vec![text.as_bytes().into()]),
        ("DS", _) => Rdata::Other { kind: RecordType::DS, octets: [0; 8].into() },
        ("SOA", minimum) => Rdata::Soa(Soa {
            mname: name("ns1.example."),
            rname: name("hostmaster.example."),
            serial: 1,
            refresh: 2,
            retry: 3,
            expire: 4,
            minimum: Ttl::from_wire(minimum.parse().unwrap()),
        }),
        (other, _) => panic!("{other}"),
    };
    Record { owner, ttl: Ttl::from_wire(300), rdata }
}

/// A reply: `aa`, `ra`, `do` and a response code in `head`, then the three sections, `|` between them.
fn reply(head: &str, sections: &str) -> Message {
    let words: Vec<&str> = head.split(' ').collect();
    let mut parts = sections.split('|').map(|section| {
        section.split(',').map(str::trim).filter(|text| !text.is_empty()).map(record).collect::<Vec<_>>()
    });
    Message {
        flags: Flags {
            is_reply: true,
            authoritative: words.contains(&"aa"),
            recursion_available: words.contains(&"ra"),
            ..Flags::default()
        },
        rcode: words.iter().find_map(|word| word.parse().ok()).unwrap_or(Rcode::NOERROR),
        answers: parts.next().unwrap_or_default(),
        authority: parts.next().unwrap_or_default(),
        additional: parts.next().unwrap_or_default(),
        edns: words.contains(&"do").then(|| Edns { dnssec_ok: true, ..Edns::default() }),
        ..Message::default()
    }
}

/// Reads a reply to "name type", asked of a server for `zone`, and says in a few words what it means.
fn read(question: &str, zone: &str, head: &str, sections: &str) -> String {
    let (owner, kind) = question.split_once(' ').unwrap();
    let question = Question::new(name(owner), kind.parse().unwrap());
    let reading = read_response(&reply(head, sections), &question, &name(zone));
    let meaning = match reading.response {
        Response::Answer(answer) => format!("answer {}", answer.rrset.data().len()),
        Response::Alias(alias) => {
            format!("alias {} to {} {}", alias.links.len(), alias.last_target().unwrap(), alias.rcode)
        }
        Response::NoData(negative) => format!("nodata {:?}", negative.ttl().map(Ttl::seconds)),
        Response::NxDomain(negative) => format!("nxdomain {:?}", negative.ttl().map(Ttl::seconds)),
        Response::Referral(referral) => format!(
            "referral {} {} servers {} glue{}",
            referral.zone,
            referral.servers.len(),
            referral.glue.len(),
            if referral.proofs.is_some_and(|proofs| !proofs.is_empty()) { " signed" } else { "" }
        ),
        Response::Lame(lameness) => format!("lame {lameness:?}"),
        Response::Failed(rcode) => format!("failed {rcode}"),
    };
    match reading.dropped.len() {
        0 => meaning,
        dropped => format!("{meaning}, {dropped} dropped"),
    }
}

#[test]
fn every_reply_has_one_meaning() {
    for (question, zone, head, sections, meaning) in [
        ("a.example. CNAME", "example.", "aa", "a.example. CNAME b.test.", "answer 1"),
        ("a.example. CNAME", "example.", "aa", "a.example. CNAME b.test.,a.example. CNAME c.test.", "answer 2"),
        ("a.example. TXT", "example.", "aa", "a.example. CNAME b.example.", "alias 1 to b.example. NOERROR"),
        ("a.example. TXT", "example.", "aa NXDOMAIN", "a.example. CNAME b.example.", "alias 1 to b.example. NXDOMAIN"),
        ("a.example. TXT", "example.", "aa", "|example. SOA 60", "nodata Some(60)"),
        ("a.example. TXT", "example.", "aa", "|example. SOA 900", "nodata Some(300)"),
        ("a.example. TXT", "example.", "aa", "", "nodata None"),
        ("a.example. TXT", "example.", "aa NXDOMAIN", "|example. SOA 60", "nxdomain Some(60)"),
        ("a.example. TXT", "example.", "REFUSED", "", "failed REFUSED"),
        ("a.example. TXT", "example.", "aa SERVFAIL", "", "failed SERVFAIL"),
        (
            "t.a.example. TXT",
            "example.",
            "",
            "|a.example. NS ns.a.example.,a.example. NS ns.test.|ns.a.example. A 192.0.2.1",
            "referral a.example. 2 servers 1 glue",
        ),
        (
            "a.example. TXT",
            "example.",
            "do",
            "|a.example. NS ns.b.example.,a.example. DS x|ns.b.example. A 192.0.2.1",
            "referral a.example. 1 servers 1 glue signed",
        ),
        (
            "a.example. TXT",
            "example.",
            "",
            "|a.example. NS ns.b.example.,a.example. DS x|ns.b.example. A 192.0.2.1",
            "referral a.example. 1 servers 1 glue",
        ),
        (
            "a.example. TXT",
            "example.",
            "do",
            "|a.example. NS n.test.,b.example. DS x",
            "referral a.example. 1 servers 0 glue, 1 dropped",
        ),
        ("a.example. TXT", "example.", "aa", "|a.example. NS n.test.", "referral a.example. 1 servers 0 glue"),
    ] {
        assert_eq!(read(question, zone, head, sections), meaning, "{question} {head} {sections}");
    }
}

#[test]
fn what_the_zone_may_not_state_is_dropped_and_told() {
    for (question, zone, head, sections, meaning) in [
        // Glue for a name outside the zone asked, and for a name that is no server.
        (
            "a.example. TXT",
            "example.",
            "",
            "|a.example. NS ns.test.|ns.test. A 192.0.2.1,www.example. A 192.0.2.2",
            "referral a.example. 1 servers 0 glue, 2 dropped",
        ),
        // A delegation sideways, and one of a zone that the question is not in.
        ("a.example. TXT", "example.", "aa", "|b.example. NS ns.test.", "nodata None, 1 dropped"),
        // A CNAME that no chain leads to.
        (
            "a.example. TXT",
            "example.",
            "aa",
            "a.example. CNAME b.example.,c.example. CNAME victim.test.",
            "alias 1 to b.example. NOERROR, 1 dropped",
        ),
        // A target outside the zone: its records are another authority's.
        (
            "a.example. TXT",
            "example.",
            "aa",
            "a.example. CNAME b.test.,b.test. TXT forged",
            "alias 1 to b.test. NOERROR, 1 dropped",
        ),
        // The SOA of another zone does not make the negative answer's time to live.
        ("a.example. TXT", "example.", "aa", "|test. SOA 1", "nodata None, 1 dropped"),
    ] {
        assert_eq!(read(question, zone, head, sections), meaning, "{question} {head} {sections}");
    }
}

#[test]
fn emptied_reply_is_lame_not_nodata() {
    assert_eq!(read("a.example. TXT", "example.", "aa", "b.test. TXT x"), "lame OutOfBailiwick, 1 dropped");
    let mut message = reply("aa", "");
    message.bad_records.push(BadRecord { section: Section::Answer, owner: None, kind: None });
    let question = Question::new(name("a.example."), RecordType::TXT);
    let reading = read_response(&message, &question, &name("example."));
    assert_eq!(reading.response, Response::Lame(Lameness::OutOfBailiwick));
}

#[test]
fn without_aa_nothing_counts_but_a_referral_down() {
    for (head, sections, meaning) in [
        ("", "a.example. TXT x", "lame NotAuthoritative"),
        ("ra", "a.example. TXT x", "lame RecursiveProxy"),
        ("NXDOMAIN", "|example. SOA 60", "lame NotAuthoritative"),
        ("", "|example. SOA 60", "lame NotAuthoritative"),
        ("", "", "lame NotAuthoritative"),
        ("", "|. NS a.root.test.", "lame UpwardReferral"),
        ("aa", "|example. NS ns.test.", "lame UpwardReferral"),
    ] {
        assert_eq!(read("a.example. TXT", "example.", head, sections), meaning, "{head} {sections}");
    }
}

#[test]
fn an_answer_made_from_a_dname_says_so() {
    let message = reply("aa", "k.a.example. DNAME k.test.,t.k.a.example. CNAME t.k.test.");
    let question = Question::new(name("t.k.a.example."), RecordType::CNAME);
    match read_response(&message, &question, &name("example.")).response {
        Response::Answer(answer) => assert_eq!(answer.dname, Some(name("k.a.example."))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_loop_of_aliases_ends() {
    let sections = "a.example. CNAME b.example.,b.example. CNAME a.example.";
    assert_eq!(read("a.example. TXT", "example.", "aa", sections), "alias 2 to a.example. NOERROR");
}

#[test]
fn what_is_not_read_of_an_answer_changes_nothing_of_what_it_means() {
    let zone = name("example.com.");
    let asked = Question::new(name("t1._domainkey.example.com."), RecordType::CNAME);
    let message = Message {
        flags: Flags { is_reply: true, authoritative: true, ..Flags::default() },
        question: Some(asked.clone()),
        answers: vec![record("t1._domainkey.example.com. CNAME t1.dkim.amazonses.com.")],
        authority: ["ns1", "ns2"].map(|host| record(&format!("example.com. NS {host}.example.com."))).into(),
        additional: ["ns1", "ns2"].map(|host| record(&format!("{host}.example.com. A 192.0.2.1"))).into(),
        edns: Some(Edns { payload_octets: 1232, ..Edns::default() }),
        ..Message::default()
    };
    let octets = encode_message(&message).unwrap();
    let (mut passed_over, mut read_whole) = (0, 0);
    for place in 0..octets.len() {
        for change in [0x01, 0x02, 0x20, 0x40, 0x80, 0xc0, 0xff] {
            let mut octets = octets.clone();
            octets[place] ^= change;
            let read = |extent| Message::decode_reply(&octets, &asked, extent);
            let (Ok(whole), Ok(answer)) = (read(Extent::Whole), read(Extent::Answer)) else { continue };
            let means = |message| {
                let Reading { response, signatures, .. } = read_response(message, &asked, &zone);
                (response, signatures)
            };
            assert_eq!(means(&answer), means(&whole), "octet {place} changed by {change:#x}");
            passed_over += usize::from(answer != whole);
            read_whole += usize::from(answer == whole);
        }
    }
    assert!(passed_over > 500 && read_whole > 200, "{passed_over} passed over, {read_whole} read whole");
}
