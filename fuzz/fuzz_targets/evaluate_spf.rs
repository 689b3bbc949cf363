//! Whatever the DNS answers, an evaluation of SPF ends, asks no more than it may, and has one of the seven results.
//!
//! The input is read as (kind, length, octets) for one question after the other, as the evaluation asks them.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::fuzz_target;
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::rrset::{Question, RecordType};
use zoneproof::records::spf::evaluation::{
    Answer, Evaluation, MAX_EXCHANGERS, MAX_LOOKUPS, MAX_POINTERS, Message, SpfResult, Step,
};

/// More questions than any evaluation asks: for each lookup the addresses of all exchangers or pointers, in both families.
const MAX_QUESTIONS: usize = 2 * (MAX_LOOKUPS as usize + 2) * (MAX_EXCHANGERS + MAX_POINTERS + 2);

/// Takes the first octets off.
fn take<'a>(data: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = data.split_at(count.min(data.len()));
    *data = rest;
    taken
}

/// Makes the data of one record of the type asked for.
fn rdata(data: &mut &[u8], question: &Question) -> Rdata {
    let length = take(data, 1).first().copied().map_or(0, usize::from);
    let octets = take(data, length);
    // A name below the one asked, or one from anywhere.
    let name = || {
        let text = String::from_utf8_lossy(octets);
        Name::parse(&text).unwrap_or_else(|_| question.name.clone())
    };
    match question.kind {
        RecordType::A => Rdata::A(Ipv4Addr::new(192, 0, 2, octets.first().copied().unwrap_or_default())),
        RecordType::AAAA => Rdata::Aaaa([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(octets.len() as u8)].into()),
        RecordType::PTR => Rdata::Ptr(name()),
        RecordType::MX => Rdata::Mx { preference: 10, exchange: name() },
        _ => {
            let text = [b"v=spf1 ".as_slice(), octets].concat();
            let kept = if octets.first() == Some(&b'!') { octets.to_vec() } else { text };
            Rdata::Txt(kept.chunks(255).map(Into::into).collect())
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let kind = take(&mut data, 1).first().copied().unwrap_or_default();
    let address: IpAddr =
        if kind & 1 == 0 { [192, 0, 2, 1].into() } else { "2001:db8::1".parse().expect("an address") };
    let message = Message {
        address,
        domain: "example.com".to_owned(),
        helo: "mail.example.net".to_owned(),
        mail_from: if kind & 2 == 0 { "user@example.com".to_owned() } else { String::new() },
        receiver: "mx.example.org".to_owned(),
        unix_seconds: 1_700_000_000,
    };
    let mut evaluation = Evaluation::new(message);
    let mut asked: Vec<Question> = Vec::new();
    let outcome = loop {
        let questions = match evaluation.next() {
            Step::Done(outcome) => break outcome,
            Step::Ask(questions) => questions,
        };
        assert!(!questions.is_empty(), "nothing is asked and nothing is done");
        for question in questions {
            assert!(!asked.contains(&question), "{question} is asked twice");
            asked.push(question.clone());
            assert!(asked.len() <= MAX_QUESTIONS, "the evaluation asks too much");
            let kind = take(&mut data, 1).first().copied().unwrap_or_default();
            let answer = match kind % 8 {
                0 => Answer::NxDomain,
                1 => Answer::Failed,
                2 => Answer::Records(Vec::new()),
                _ => Answer::Records((0..=kind / 8 % 12).map(|_| rdata(&mut data, &question)).collect()),
            };
            evaluation.handle_answer(question, answer);
        }
    };
    assert!(outcome.lookups <= MAX_LOOKUPS + 1, "{} lookups", outcome.lookups);
    assert!(outcome.explanation.is_none() || outcome.result == SpfResult::Fail);
});
