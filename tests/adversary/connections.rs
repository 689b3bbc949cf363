//! What is done over TCP where UDP cuts every reply, each way a row, and what comes of it.

use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use zoneproof::evidence::Protocol::Tcp;
use zoneproof::evidence::Silence::{Malformed, Mismatched, Refused, Timeout};
use zoneproof::transport::Transport;

use crate::server::End::{self, Silent, Truth};
use crate::server::{
    Behaviour, From, OverTcp, SERVER, first_letter, framed, lie, query, runtime, type_at, unmet, with, write,
};

/// Puts a row together.
const fn row(row: &'static str, name: &'static str, over_tcp: OverTcp, end: End) -> Behaviour {
    let over_udp = |_: usize, _: &[u8], truth: &[u8]| vec![with(truth, |reply| reply[2] |= 2)];
    Behaviour { row, name, from: From::Itself, over_udp, over_tcp, end }
}

/// Keeps a connection open until the other side gives up.
fn hold(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0; 16]);
}

/// Has a connection end with a reset.
fn reset(stream: &TcpStream) {
    SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Writes the truth with texts behind it, as many as a message holds.
fn with_texts(truth: &[u8]) -> Vec<u8> {
    let record = [&[0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 4, 3][..], b"all"].concat();
    let count = (usize::from(u16::MAX) - truth.len()) / record.len();
    let texts = record.repeat(count);
    let mut reply = [truth, &texts].concat();
    reply[10..12].copy_from_slice(&u16::try_from(count).unwrap().to_be_bytes());
    framed(&reply)
}

/// What is done, and what comes of it.
pub(crate) const CONNECTIONS: &[Behaviour] = &[
    row("A7", "the_truth_over_tcp", write, Truth(Tcp)),
    row(
        "A7",
        "the_truth_in_two_parts",
        |s, t| {
            write(s, &t[..9]);
            write(s, &t[9..]);
        },
        Truth(Tcp),
    ),
    row(
        "A7",
        "the_truth_octet_by_octet_without_delay",
        |s, t| {
            s.set_nodelay(true).unwrap();
            t.iter().for_each(|octet| write(s, &[*octet]));
        },
        Truth(Tcp),
    ),
    row(
        "A7",
        "the_truth_and_then_an_open_connection",
        |s, t| {
            write(s, t);
            hold(s);
        },
        Truth(Tcp),
    ),
    row(
        "F1",
        "the_truth_and_then_a_lie_in_one_segment",
        |s, t| write(s, &[t, &framed(&lie(&t[2..]))].concat()),
        Truth(Tcp),
    ),
    row(
        "A6",
        "the_truth_and_a_thousand_lies",
        |s, t| write(s, &[t, &framed(&lie(&t[2..])).repeat(1000)].concat()),
        Truth(Tcp),
    ),
    row("A6", "the_truth_and_four_thousand_texts", |s, t| write(s, &with_texts(&t[2..])), Truth(Tcp)),
    row("A7", "the_end_at_once", |s, _| drop(s.shutdown(Shutdown::Both)), Silent(Refused)),
    row("A7", "a_reset_at_once", |s, _| reset(s), Silent(Refused)),
    row("A7", "the_end_behind_the_length", |s, t| write(s, &t[..2]), Silent(Malformed)),
    row("A7", "the_end_in_the_middle", |s, t| write(s, &t[..20]), Silent(Malformed)),
    row(
        "A7",
        "a_reset_in_the_middle",
        |s, t| {
            write(s, &t[..20]);
            reset(s);
        },
        Silent(Malformed),
    ),
    row("A7", "a_length_of_nothing", |s, _| write(s, &[0, 0]), Silent(Malformed)),
    row("A7", "a_length_of_nothing_and_then_the_truth", |s, t| write(s, &[&[0, 0], t].concat()), Silent(Malformed)),
    row("A7", "a_length_of_more_than_comes", |s, t| write(s, &[&[0xff, 0xff], &t[2..]].concat()), Silent(Malformed)),
    row("A7", "a_length_of_less_than_comes", |s, t| write(s, &[&[0, 20], &t[2..]].concat()), Silent(Malformed)),
    row("A7", "nothing_on_an_open_connection", |s, _| hold(s), Silent(Timeout)),
    row(
        "A7",
        "the_length_on_an_open_connection",
        |s, t| {
            write(s, &t[..2]);
            hold(s);
        },
        Silent(Timeout),
    ),
    row(
        "A7",
        "an_octet_now_and_then",
        |s, t| {
            // More octets than the time allows at this pace.
            for octet in t {
                write(s, &[*octet]);
                sleep(Duration::from_millis(250));
            }
        },
        Silent(Timeout),
    ),
    row("F1", "another_id_over_tcp", |s, t| write(s, &with(&framed(&lie(&t[2..])), |r| r[2] ^= 1)), Silent(Mismatched)),
    row(
        "F1",
        "another_name_over_tcp",
        |s, t| {
            write(
                s,
                &with(&framed(&lie(&t[2..])), |r| {
                    let at = first_letter(&r[2..]) + 2;
                    r[at] ^= 3;
                }),
            )
        },
        Silent(Mismatched),
    ),
    row(
        "F1",
        "another_type_over_tcp",
        |s, t| {
            let at = type_at(&t[2..]) + 2;
            write(s, &with(&framed(&lie(&t[2..])), |r| r[at + 1] = 16));
        },
        Silent(Mismatched),
    ),
    row(
        "F10",
        "a_query_over_tcp",
        |s, t| write(s, &with(&framed(&lie(&t[2..])), |r| r[4] &= 0x7f)),
        Silent(Mismatched),
    ),
    row("A7", "a_cut_reply_over_tcp_too", |s, t| write(s, &with(t, |r| r[4] |= 2)), Silent(Malformed)),
    row("F10", "octets_that_are_no_message", |s, _| write(s, &framed(&[0xff; 30])), Silent(Malformed)),
    row(
        "F10",
        "two_questions_over_tcp",
        |s, t| write(s, &with(&framed(&lie(&t[2..])), |r| r[7] = 2)),
        Silent(Malformed),
    ),
];

#[test]
fn over_tcp_the_truth_is_read_or_the_server_failed() {
    let faults = unmet(CONNECTIONS);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_server_that_takes_no_connection_is_given_up_after_three_seconds() {
    // A queue for one connection, which is taken: the next one hears nothing at all.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SockAddr::from(std::net::SocketAddr::new(SERVER.parse().unwrap(), 0))).unwrap();
    listener.listen(0).unwrap();
    let port = listener.local_addr().unwrap().as_socket().unwrap().port();
    let _first = TcpStream::connect((SERVER, port)).unwrap();
    let settings = zoneproof::transport::live::TransportSettings {
        dns_port: port,
        policy: zoneproof::transport::guard::AddressPolicy::allowing_special(),
        ..Default::default()
    };
    let exchange = runtime().block_on(async {
        let query = query("www.mail.example.com.");
        let query = zoneproof::transport::Query { protocol: Tcp, ..query };
        zoneproof::transport::live::live(&settings).unwrap().exchange(&query).await
    });
    assert_eq!(exchange.outcome, Err(Timeout));
    assert!(exchange.rtt >= Duration::from_secs(3) && exchange.rtt < Duration::from_secs(5), "{:?}", exchange.rtt);
}
