//! What is done over UDP, each way a row, and what comes of it; over TCP every server here says the truth.

use zoneproof::dns::rrset::Rcode;
use zoneproof::evidence::Protocol::{Tcp, Udp};
use zoneproof::evidence::Silence;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, live};

use crate::server::End::{self, Error, Nothing, Silent, Truth};
use crate::server::{
    Behaviour, From, HEADER, OverUdp, Server, first_letter, has_edns, lie, type_at, unmet, with, write,
};

/// Puts a row together.
const fn row(row: &'static str, name: &'static str, over_udp: OverUdp, end: End) -> Behaviour {
    Behaviour { row, name, from: From::Itself, over_udp, over_tcp: write, end }
}

/// Puts a row together whose datagrams come from elsewhere.
const fn from(from: From, behaviour: Behaviour) -> Behaviour {
    Behaviour { from, ..behaviour }
}

/// Writes a header alone, with that response code.
fn header(truth: &[u8], rcode: u8) -> Vec<u8> {
    with(&truth[..HEADER], |reply| {
        reply[3] = rcode;
        reply[5] = 0;
        reply[7] = 0;
    })
}

/// Turns the letters of the question into others.
fn with_letters(octets: &[u8], change: fn(&mut u8)) -> Vec<u8> {
    let end = type_at(octets);
    with(octets, |reply| reply[HEADER..end].iter_mut().filter(|octet| octet.is_ascii_alphabetic()).for_each(change))
}

/// Writes the truth with more octets behind, which are this many records of the additional section.
fn with_more(truth: &[u8], records: u8, octets: &[u8]) -> Vec<u8> {
    with(truth, |reply| {
        reply[11] = records;
        reply.extend(octets);
    })
}

/// An OPT record with octets of options, whatever its length says.
fn opt(length: u16, options: &[u8]) -> Vec<u8> {
    [&[0, 0, 41, 4, 208, 0, 0, 0, 0], &length.to_be_bytes()[..], options].concat()
}

/// What is done, and what comes of it.
pub(crate) const DATAGRAMS: &[Behaviour] = &[
    row("F1", "the_truth", |_, _, t| vec![t.to_vec()], Truth(Udp)),
    row("F1", "the_truth_ten_times", |_, _, t| vec![t.to_vec(); 10], Truth(Udp)),
    row("F10", "the_truth_with_octets_behind_it", |_, _, t| vec![with(t, |r| r.extend([7; 40]))], Truth(Udp)),
    row("A8", "nothing", |_, _, _| vec![], Truth(Tcp)),
    row("A8", "nothing_at_first", |nth, _, t| if nth == 1 { vec![] } else { vec![t.to_vec()] }, Truth(Udp)),
    row("A8", "nothing_twice", |nth, _, t| if nth < 3 { vec![] } else { vec![t.to_vec()] }, Truth(Udp)),
    row("F1", "another_id", |_, _, t| vec![with(&lie(t), |r| r[0] ^= 1)], Truth(Tcp)),
    row("F1", "another_id_and_then_the_truth", |_, _, t| vec![with(&lie(t), |r| r[1] ^= 1), t.to_vec()], Truth(Tcp)),
    row(
        "F1",
        "every_id_near_the_right_one",
        |_, _, t| (1..=100).map(|n| with(&lie(t), |r| r[1] ^= n)).collect(),
        Truth(Tcp),
    ),
    row(
        "F1",
        "a_hundred_random_ids_and_then_the_truth",
        |_, _, t| {
            let forged =
                (0..100).map(|_| with(&lie(t), |r| r[..2].copy_from_slice(&(rand::random::<u16>() | 1).to_be_bytes())));
            // The right id is none of the odd ones, so that none of them hits by chance.
            forged.filter(|forged| forged[..2] != t[..2]).chain([t.to_vec()]).collect()
        },
        Truth(Tcp),
    ),
    row(
        "F2",
        "a_letter_in_another_case",
        |_, _, t| {
            vec![with(&lie(t), |r| {
                let at = first_letter(r);
                r[at] ^= 0x20;
            })]
        },
        Truth(Tcp),
    ),
    row("F2", "all_letters_in_the_other_case", |_, _, t| vec![with_letters(&lie(t), |o| *o ^= 0x20)], Truth(Tcp)),
    row("F8b", "the_truth_in_lower_case", |_, _, t| vec![with_letters(t, |o| *o |= 0x20)], Truth(Tcp)),
    row("F8b", "the_truth_in_upper_case", |_, _, t| vec![with_letters(t, |o| *o &= !0x20)], Truth(Tcp)),
    row(
        "F1",
        "another_name",
        |_, _, t| {
            vec![with(&lie(t), |r| {
                let at = first_letter(r);
                r[at] ^= 3;
            })]
        },
        Truth(Tcp),
    ),
    row(
        "F1",
        "another_type",
        |_, q, t| {
            vec![with(&lie(t), |r| {
                let at = type_at(q);
                r[at + 1] = 16;
            })]
        },
        Truth(Tcp),
    ),
    row(
        "F10",
        "another_class",
        |_, q, t| {
            vec![with(&lie(t), |r| {
                let at = type_at(q);
                r[at + 3] = 3;
            })]
        },
        Truth(Tcp),
    ),
    row("F10", "a_query", |_, _, t| vec![with(&lie(t), |r| r[2] &= 0x7f)], Truth(Tcp)),
    row("F10", "the_query_itself", |_, q, _| vec![q.to_vec()], Truth(Tcp)),
    row("F10", "another_opcode", |_, _, t| vec![with(&lie(t), |r| r[2] |= 0x28)], Truth(Tcp)),
    row("F10", "no_question_but_an_answer", |_, _, t| vec![with(&lie(t), |r| r[5] = 0)], Truth(Tcp)),
    row("F10", "two_questions", |_, _, t| vec![with(&lie(t), |r| r[5] = 2)], Truth(Tcp)),
    row("F10", "an_empty_datagram", |_, _, _| vec![vec![]], Truth(Tcp)),
    row("F10", "one_octet", |_, _, _| vec![vec![0]], Truth(Tcp)),
    row("F10", "eleven_octets", |_, _, t| vec![t[..11].to_vec()], Truth(Tcp)),
    row("F10", "a_header_alone_that_says_all_is_well", |_, _, t| vec![header(t, 0)], Truth(Tcp)),
    row("F10", "a_header_alone_that_denies_the_name", |_, _, t| vec![header(t, 3)], Truth(Tcp)),
    row("A7", "a_cut_reply", |_, _, t| vec![with(t, |r| r[2] |= 2)], Truth(Tcp)),
    row("A6", "a_reply_of_five_thousand_octets", |_, _, t| vec![with(&lie(t), |r| r.resize(5000, 0))], Truth(Tcp)),
    row("A6", "a_reply_of_sixty_thousand_octets", |_, _, t| vec![with(&lie(t), |r| r.resize(60_000, 0))], Truth(Tcp)),
    row("F10", "random_octets", |_, _, _| vec![(0..200).map(|_| rand::random()).collect()], Truth(Tcp)),
    row("F8", "format_error_without_a_question", |_, _, t| vec![header(t, 1)], Error(Rcode::FORMERR)),
    row(
        "F8",
        "format_error_to_edns_alone",
        |_, q, t| vec![if has_edns(q) { header(t, 1) } else { t.to_vec() }],
        Truth(Udp),
    ),
    row(
        "F8",
        "not_implemented_to_edns_alone",
        |_, q, t| {
            let refusal = with(&t[..type_at(t) + 4], |r| {
                r[3] = 4;
                r[7] = 0;
            });
            vec![if has_edns(q) { refusal } else { t.to_vec() }]
        },
        Truth(Udp),
    ),
    row("F8", "refused_in_a_header_alone", |_, _, t| vec![header(t, 5)], Truth(Tcp)),
    row(
        "F10",
        "an_owner_that_points_to_itself",
        |_, q, t| vec![with(&lie(t), |r| r[type_at(q) + 5] = u8::try_from(type_at(q) + 4).unwrap())],
        Nothing,
    ),
    row(
        "F10",
        "an_owner_that_points_past_the_end",
        |_, q, t| vec![with(&lie(t), |r| r[type_at(q) + 4] = 0xff)],
        Nothing,
    ),
    row("F10", "data_longer_than_the_message", |_, q, t| vec![with(&lie(t), |r| r[type_at(q) + 15] = 200)], Nothing),
    row("F10", "data_shorter_than_an_address", |_, q, t| vec![with(&lie(t), |r| r[type_at(q) + 15] = 3)], Nothing),
    row("F10", "sixty_thousand_answers_claimed", |_, _, t| vec![with(t, |r| r[6] = 0xff)], Truth(Udp)),
    row("F10", "two_opt_records", |_, _, t| vec![with_more(t, 2, &[opt(0, &[]), opt(0, &[])].concat())], Truth(Udp)),
    row("F10", "options_of_three_thousand_octets", |_, _, t| vec![with_more(t, 1, &opt(3000, &[0; 3000]))], Truth(Udp)),
    row(
        "F10",
        "an_option_longer_than_its_record",
        |_, _, t| vec![with_more(t, 1, &opt(6, &[0, 10, 255, 255, 1, 2]))],
        Truth(Udp),
    ),
    row(
        "F10",
        "a_text_without_a_string",
        |_, _, t| vec![with_more(t, 1, &[0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0])],
        Truth(Udp),
    ),
    row(
        "F9",
        "a_cookie_that_was_not_sent",
        |_, _, t| vec![with_more(t, 1, &opt(12, b"\0\x0a\0\x08notours!"))],
        Truth(Udp),
    ),
    row("F9", "a_cookie_of_one_octet", |_, _, t| vec![with_more(t, 1, &opt(5, b"\0\x0a\0\x01!"))], Truth(Udp)),
    row(
        "F9",
        "a_cookie_of_three_thousand_octets",
        |_, _, t| vec![with_more(t, 1, &opt(3004, &[&[0, 10, 11, 184][..], &[7; 3000]].concat()))],
        Truth(Udp),
    ),
    row("F4b", "the_truth_without_authority", |_, _, t| vec![with(t, |r| r[2] &= !4)], Nothing),
    row("F4b", "the_truth_of_a_resolver", |_, _, t| vec![with(t, |r| (r[2], r[3]) = (0x80, 0x80))], Nothing),
    row("F4", "an_answer_of_another_name", |_, q, t| vec![with(&lie(t), |r| r[type_at(q) + 5] = 16)], Nothing),
    from(From::OtherPort, row("F1", "the_truth_from_another_port", |_, _, t| vec![t.to_vec()], Truth(Tcp))),
    from(From::OtherPort, row("F1", "a_lie_from_another_port", |_, _, t| vec![lie(t)], Truth(Tcp))),
    from(From::Neighbour, row("F1", "a_lie_from_another_address", |_, _, t| vec![lie(t)], Truth(Tcp))),
];

#[test]
fn over_udp_the_truth_wins_or_tcp_is_asked() {
    let faults = unmet(DATAGRAMS);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn edns_is_not_forgotten_for_one_forged_refusal() {
    // The refusal of EDNS may be forged, so that the next question has it again (SECURITY.md F8).
    let server = Server::start(
        |nth, query, truth| match nth {
            1 => vec![header(truth, 1)],
            2 => vec![truth.to_vec()],
            _ if has_edns(query) => vec![truth.to_vec()],
            _ => vec![lie(truth)],
        },
        write,
        From::Itself,
    );
    let ends = crate::server::runtime().block_on(async {
        let transport = live(&server.settings()).unwrap();
        [
            crate::server::ask(transport.as_ref(), "a.mail.example.com.").await,
            crate::server::ask(transport.as_ref(), "b.mail.example.com.").await,
        ]
    });
    assert_eq!((ends, server.came()), ([Truth(Udp), Truth(Udp)], (3, 0)));
}

#[test]
fn nothing_comes_to_an_address_inside() {
    let server = Server::start(|_, _, truth| vec![truth.to_vec()], write, From::Itself);
    let end = crate::server::runtime().block_on(async {
        let settings = TransportSettings { policy: AddressPolicy::public(), ..server.settings() };
        crate::server::ask(live(&settings).unwrap().as_ref(), "www.mail.example.com.").await
    });
    assert_eq!((end, server.came()), (Silent(Silence::Forbidden), (0, 0)));
}
