//! One server on loopback for each way to fail over a connection.

use std::pin::pin;

use futures::future::{Either, join_all, select};

use super::*;
use crate::dns::rrset::Rcode;
use crate::transport::tests::{HostileServer, Stream, echo};

/// Limits that a test can wait for.
const HASTY: TcpLimits = TcpLimits {
    connect: Duration::from_millis(200),
    exchange: Duration::from_millis(200),
    queue: Duration::from_millis(100),
    open_in_all: 3,
    open_per_server: 2,
};

/// Asks one question of a server that writes as told; returns what came and what octets may still come.
async fn ask(writes: impl FnMut(usize, &[u8]) -> Stream + Send + 'static) -> Result<Arc<Message>, Silence> {
    let server = HostileServer::start("127.0.0.1", |_, _| Vec::new(), writes).await;
    let tcp = TcpTransport::new(server.port, Source::default(), HASTY);
    let exchange = tcp.exchange(&server.query()).await;
    assert_eq!(server.seen(), (0, 1), "one question is one connection");
    assert_eq!(exchange.protocol, Protocol::Tcp);
    exchange.outcome
}

/// Changes the genuine reply to a query.
fn changed(change: impl Fn(&mut Vec<u8>) + Send + 'static) -> impl FnMut(usize, &[u8]) -> Stream + Send + 'static {
    move |_, query| {
        let mut reply = echo(query);
        change(&mut reply);
        Stream::Message(reply)
    }
}

#[tokio::test]
async fn a_reply_that_matches_is_read() {
    assert_eq!(ask(changed(|_| {})).await.unwrap().rcode, Rcode::NXDOMAIN);
    let longest = ask(changed(|reply| reply.resize(65_535, 0))).await;
    assert_eq!(longest.unwrap().rcode, Rcode::NXDOMAIN);
    let two_messages = ask(|_, query| {
        let reply = echo(query);
        let framed = [&u16::try_from(reply.len()).unwrap().to_be_bytes()[..], &reply].concat();
        Stream::Raw([framed, vec![0xff; 9]].concat())
    });
    assert!(two_messages.await.is_ok(), "only the first is read");
}

#[tokio::test]
async fn a_reply_to_something_else_is_no_reply() {
    assert_eq!(ask(changed(|reply| reply[0] ^= 1)).await, Err(Silence::Mismatched));
    assert_eq!(ask(changed(|reply| reply[13] ^= 1)).await, Err(Silence::Mismatched));
    let wrong_type = changed(|reply| {
        // Before the class and an OPT record of eleven octets.
        let at = reply.len() - 14;
        reply[at] ^= 1;
    });
    assert_eq!(ask(wrong_type).await, Err(Silence::Mismatched));
}

#[tokio::test]
async fn the_case_of_letters_does_not_count_over_tcp() {
    assert!(ask(changed(|reply| reply[13] ^= 0x20)).await.is_ok());
    let upper = changed(|reply| reply[12..50].make_ascii_uppercase());
    assert!(ask(upper).await.is_ok());
}

#[tokio::test]
async fn an_error_without_a_question_is_heard_over_tcp() {
    let bare = changed(|reply| {
        reply.truncate(12);
        reply[3..].copy_from_slice(&[5, 0, 0, 0, 0, 0, 0, 0, 0]);
    });
    assert_eq!(ask(bare).await.unwrap().rcode, Rcode::REFUSED);
}

#[tokio::test]
async fn what_is_cut_or_empty_is_malformed() {
    let cut = ask(changed(|reply| reply[2] |= 2)).await;
    let no_length = ask(|_, _| Stream::Raw(vec![0])).await;
    let length_zero = ask(|_, _| Stream::Raw(vec![0, 0])).await;
    let length_alone = ask(|_, _| Stream::Raw(vec![0, 40])).await;
    let half = ask(|_, query| Stream::Raw([&[0, 255], query].concat())).await;
    let no_header = ask(|_, query| Stream::Message(query[..11].to_vec())).await;
    let got = [cut, no_length, length_zero, length_alone, half, no_header];
    assert_eq!(got, [const { Err(Silence::Malformed) }; 6]);
}

#[tokio::test]
async fn a_connection_that_is_closed_without_a_word_is_a_refusal() {
    assert_eq!(ask(|_, _| Stream::Raw(Vec::new())).await, Err(Silence::Refused));
}

#[tokio::test]
async fn time_is_absolute_however_slowly_octets_come() {
    let started = std::time::Instant::now();
    assert_eq!(ask(|_, _| Stream::Drip).await, Err(Silence::Timeout));
    assert_eq!(ask(|_, _| Stream::Hold).await, Err(Silence::Timeout));
    assert!(started.elapsed() < HASTY.exchange * 5, "took {:?}", started.elapsed());
}

#[tokio::test]
async fn nobody_there_is_a_refusal() {
    let server = HostileServer::start("127.0.0.1", |_, _| Vec::new(), |_, _| Stream::Hold).await;
    let tcp = TcpTransport::new(server.port, Source::default(), HASTY);
    let query = crate::transport::tests::query("127.0.0.2");
    assert_eq!(tcp.exchange(&query).await.outcome, Err(Silence::Refused));
    let no_ipv6 = TcpTransport::new(53, Source { use_ipv6: false, ..Source::default() }, HASTY);
    let query = crate::transport::tests::query("2001:db8::1");
    assert_eq!(no_ipv6.exchange(&query).await.outcome, Err(Silence::NoRoute));
    assert_eq!(query.budget.sends(), 0);
}

#[tokio::test]
async fn connections_to_a_server_are_few() {
    let server = HostileServer::start("127.0.0.1", |_, _| Vec::new(), |_, _| Stream::Hold).await;
    let tcp = TcpTransport::new(server.port, Source::default(), HASTY);
    let query = server.query();
    let exchanges = join_all((0..6).map(|_| tcp.exchange(&query))).await;
    // Its connections hang: it is silent to all questions, those that found no place too.
    assert!(exchanges.iter().all(|exchange| exchange.outcome == Err(Silence::Timeout)));
    assert_eq!((server.seen().1, query.budget.sends()), (2, 2), "who waits in vain spends nothing");
    assert_eq!(tcp.places.available_permits(), HASTY.open_in_all);
}

#[tokio::test]
async fn a_server_is_not_blamed_for_places_that_others_hold() {
    let server = HostileServer::start("127.0.0.1", |_, _| Vec::new(), |_, _| Stream::Hold).await;
    let patient = TcpLimits { connect: Duration::from_secs(60), exchange: Duration::from_secs(60), ..HASTY };
    let tcp = TcpTransport::new(server.port, Source::default(), patient);
    let (others, query) = ([server.query(), server.query()], server.query());
    let hanging = pin!(join_all([&others[0], &others[0], &others[1]].map(|other| tcp.exchange(other))));
    // All wait in vain: two for a place among all, and the others for those two.
    let waiting = pin!(join_all((0..6).map(|_| tcp.exchange(&query))));
    let Either::Right((waited, _)) = select(hanging, waiting).await else { panic!("they hang for a minute") };
    assert!(waited.iter().all(|exchange| exchange.outcome == Err(Silence::Limit)));
    assert_eq!(query.budget.sends(), 0);
}

#[tokio::test]
async fn a_check_whose_connections_hang_holds_up_no_other_at_the_same_server() {
    let server = HostileServer::start("127.0.0.1", |_, _| Vec::new(), |_, _| Stream::Hold).await;
    let tcp = TcpTransport::new(server.port, Source::default(), HASTY);
    let (hanging, other) = (server.query(), server.query());
    let outcomes = futures::join!(tcp.exchange(&hanging), tcp.exchange(&hanging), tcp.exchange(&other));
    assert_eq!(outcomes.2.outcome, Err(Silence::Timeout), "it was asked, in the third place of all");
    assert_eq!((hanging.budget.sends(), other.budget.sends(), server.seen().1), (2, 1, 3));
}

#[tokio::test]
async fn octets_are_paid_for_whole_or_not() {
    let writes = |_: usize, query: &[u8]| Stream::Raw([&[0xff, 0xff], query, &vec![0; 60_000]].concat());
    let server = HostileServer::start("127.0.0.1", |_, _| Vec::new(), writes).await;
    let tcp = TcpTransport::new(server.port, Source::default(), HASTY);
    let query = server.query();
    let mut exchanges = 0;
    while tcp.exchange(&query).await.outcome == Err(Silence::Malformed) {
        exchanges += 1;
        assert!(exchanges < 20);
    }
    assert_eq!(exchanges, 9, "512 KiB are nine times 60 kB");
}
