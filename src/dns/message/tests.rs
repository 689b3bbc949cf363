//! Messages: round trips, broken records, and what counts as a reply.

use super::*;
use crate::dns::rdata::Soa;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn record(owner: &str, rdata: Rdata) -> Record {
    Record { owner: name(owner), ttl: Ttl::from_wire(300), rdata }
}

fn full_message() -> Message {
    let soa = Soa {
        mname: name("ns1.example."),
        rname: name(r"host\.master.example."),
        serial: 2_026_112_401,
        refresh: 7200,
        retry: 900,
        expire: 1_209_600,
        minimum: Ttl::from_wire(300),
    };
    Message {
        id: 0xbeef,
        flags: Flags { is_reply: true, authoritative: true, ..Flags::default() },
        rcode: Rcode::BADVERS,
        question: Some(Question::new(name("Mail.Example."), RecordType::TXT)),
        answers: vec![
            record("mail.example.", Rdata::Txt(vec![b"v=spf1 ".as_slice().into(), b"-all".as_slice().into()])),
            record("mail.example.", Rdata::Txt(vec![])),
            record("mail.example.", Rdata::Cname(name(r"odd\.label.example."))),
            record("mail.example.", Rdata::Mx { preference: 10, exchange: name("mx.example.") }),
        ],
        authority: vec![record("example.", Rdata::Soa(soa)), record("example.", Rdata::Ns(name("ns1.example.")))],
        additional: vec![
            record("ns1.example.", Rdata::A([192, 0, 2, 1].into())),
            record("ns1.example.", Rdata::Aaaa("2001:db8::1".parse().unwrap())),
            record("d.example.", Rdata::Dname(name("e.example."))),
            record("x.example.", Rdata::Other { kind: RecordType::HTTPS, octets: [0, 1, 0].into() }),
        ],
        edns: Some(Edns { payload_octets: 1232, dnssec_ok: true, extended_errors: vec![] }),
        bad_records: vec![],
    }
}

#[test]
fn a_message_round_trips() {
    let message = full_message();
    assert_eq!(Message::decode(&encode_message(&message).unwrap()), Ok(message));
}

#[test]
fn every_prefix_of_a_message_is_read_without_panic_and_never_whole() {
    let octets = encode_message(&full_message()).unwrap();
    for length in 0..octets.len() {
        if let Ok(read) = Message::decode(&octets[..length]) {
            assert!(!read.is_whole(), "{length}");
        }
    }
}

#[test]
fn a_bad_record_does_not_hide_the_rest() {
    let mut message = full_message();
    message.answers = vec![
        record("mail.example.", Rdata::Other { kind: RecordType::A, octets: [192, 0, 2].into() }),
        record("mail.example.", Rdata::Other { kind: RecordType::CNAME, octets: [0, 0].into() }),
        record("mail.example.", Rdata::Other { kind: RecordType::TXT, octets: [9, b'a'].into() }),
        record("mail.example.", Rdata::A([192, 0, 2, 7].into())),
    ];
    let read = Message::decode(&encode_message(&message).unwrap()).unwrap();
    assert_eq!(read.answers, message.answers[3..]);
    let bad: Vec<_> = read.bad_records.iter().map(|bad| bad.kind.unwrap()).collect();
    assert_eq!(bad, [RecordType::A, RecordType::CNAME, RecordType::TXT]);
    assert_eq!(read.authority.len(), 2);
}

#[test]
fn a_compression_loop_is_a_bad_record() {
    let mut octets = encode_message(&Message::default()).unwrap();
    octets[7] = 1;
    octets.extend_from_slice(&[0xc0, 12]);
    octets.extend_from_slice(&[0; 10]);
    assert!(!Message::decode(&octets).unwrap().is_whole());
}

#[test]
fn odd_question_counts_are_refused() {
    let mut octets = encode_message(&full_message()).unwrap();
    octets[5] = 2;
    assert_eq!(Message::decode(&octets), Err(DecodeError::BadQuestion));
    assert_eq!(Message::decode(&octets[..11]), Err(DecodeError::NoHeader(11)));
}

#[test]
fn extended_errors_are_read_and_bad_options_are_not() {
    let opt = |options: &[u8]| {
        let mut octets = encode_message(&Message::default()).unwrap();
        octets[11] = 1;
        octets.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, u8::try_from(options.len()).unwrap()]);
        octets.extend_from_slice(options);
        Message::decode(&octets).unwrap().edns.unwrap().extended_errors
    };
    assert_eq!(opt(&[0, 15, 0, 2, 0, 18, 0, 10, 0, 0, 0, 15, 0, 3, 0, 22, b'x']), [18, 22]);
    assert!(opt(&[0, 15, 0, 200, 0, 18]).is_empty());
    assert!(opt(&[0, 15, 0, 0]).is_empty());
}

#[test]
fn a_query_keeps_its_case_and_a_reply_must_too() {
    let question = Question::new(name("t1._domainkey.Example."), RecordType::CNAME);
    let edns = Edns { payload_octets: 1232, ..Edns::default() };
    let query = encode_query(7, &question, 0b100_0010, Some(&edns));
    let read = Message::decode(&query).unwrap();
    assert_eq!(read.question.as_ref().unwrap().name.to_string(), "t1._DoMAINKEY.EXAMPLE.");
    assert_eq!(read.question, Some(question));
    assert_eq!(read.edns, Some(edns));
    assert!(!read.flags.recursion_desired);

    let mut reply = query.clone();
    reply[2] |= 0x80;
    assert!(is_reply_to(&reply, &query));
    assert!(!is_reply_to(&query, &query), "a query is no reply");
    for (position, what) in [(0, "id"), (1, "id"), (13, "letter"), (reply.len() - 11 - 3, "type")] {
        let mut forged = reply.clone();
        forged[position] ^= 0x20;
        assert!(!is_reply_to(&forged, &query), "{what}");
    }
    assert!(!is_reply_to(&reply[..20], &query), "cut short");
}

#[test]
fn the_case_of_a_reply_is_not_taken_for_the_servers() {
    let question = Question::new(name("NS1.eXaMPLe."), RecordType::NS);
    let answers = vec![record("NS1.eXaMPLe.", Rdata::Ns(name("a.NS1.eXaMPLe.")))];
    let reply = Message { question: Some(question), answers, ..Message::default() };
    let read = Message::decode(&encode_message(&reply).unwrap()).unwrap();
    assert_eq!(read.answers[0].to_string(), "ns1.example. 300 NS a.ns1.example.");
}

#[test]
fn a_bare_error_answers_by_its_id() {
    let query = encode_query(7, &Question::new(name("example."), RecordType::A), 0, None);
    let bare = |id: u8, flags: u8, code: u8| [0, id, flags, code, 0, 0, 0, 0, 0, 0, 0, 0];
    assert!(is_bare_error_to(&bare(7, 0x80, 1), &query));
    assert!(!is_bare_error_to(&bare(8, 0x80, 1), &query));
    assert!(!is_bare_error_to(&bare(7, 0x80, 0), &query));
    assert!(!is_bare_error_to(&bare(7, 0x84, 3), &query), "a name error without a name");
    assert!(!is_bare_error_to(&bare(7, 0, 1), &query));
}

#[test]
fn what_does_not_fit_goes_out_cut() {
    let message = full_message();
    let whole = encode_within(&message, 4096).unwrap();
    assert!(!Message::decode(&whole).unwrap().flags.truncated);
    let cut = Message::decode(&encode_within(&message, whole.len() - 1).unwrap()).unwrap();
    assert!(cut.flags.truncated && cut.answers.is_empty() && cut.question == message.question);
}

#[test]
fn what_stands_behind_an_answer_is_passed_over_but_for_opt() {
    let whole = Message { rcode: Rcode::NOERROR, ..full_message() };
    let asked = whole.question.clone().unwrap();
    let read = |message: &Message, asked: &Question| {
        Message::decode_reply(&encode_message(message).unwrap(), asked, Extent::Answer).unwrap()
    };
    let cut = Message { authority: vec![], additional: vec![], ..whole.clone() };
    assert_eq!(read(&whole, &asked), cut);
    let other_kind = Question::new(asked.name.clone(), RecordType::NS);
    let mut lame = whole.clone();
    lame.flags.authoritative = false;
    let failed = Message { rcode: Rcode::BADVERS, ..whole.clone() };
    let refused = Message { rcode: Rcode::REFUSED, ..whole.clone() };
    let elsewhere = Message { answers: vec![record("www.example.", Rdata::Txt(vec![]))], ..whole.clone() };
    for message in [lame, refused, elsewhere] {
        assert_eq!(read(&message, &asked), message);
    }
    assert_eq!(read(&whole, &other_kind), whole);
    // The upper bits of the code stand in the OPT record.
    assert_eq!(read(&failed, &asked), Message { rcode: Rcode::BADVERS, ..cut });
}
