//! The whole stack against hostile servers on loopback.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::budget::Budget;
use crate::dns::rrset::Rcode;
use crate::evidence::{Protocol, Silence};
use crate::transport::Query;
use crate::transport::tests::{HostileServer, Scripted, Stream, echo, hasty_query, query};

/// The stack as a lab uses it.
fn lab(server: &HostileServer) -> Live {
    let policy = AddressPolicy::allowing_special();
    Live::open(&TransportSettings { dns_port: server.port, policy, ..TransportSettings::default() }).unwrap()
}

/// Writes the genuine reply.
fn genuine(_: usize, query: &[u8]) -> Stream {
    Stream::Message(echo(query))
}

#[tokio::test]
async fn a_hundred_forged_replies_do_not_win_over_the_genuine_one() {
    let replies = |_: usize, query: &[u8]| {
        let genuine = echo(query);
        let mut replies: Vec<Vec<u8>> = (0..100u8)
            .map(|nth| {
                let mut forged = genuine.clone();
                forged[3] = 0;
                match nth % 3 {
                    0 => forged[1] ^= nth | 1,
                    1 => forged[13] ^= 0x20,
                    _ => forged[14] ^= 1,
                }
                forged
            })
            .collect();
        replies.push(genuine);
        replies
    };
    let server = HostileServer::start("127.0.0.1", replies, genuine).await;
    let stack = lab(&server);
    let exchange = stack.transport.exchange(&server.query()).await;
    assert_eq!(exchange.outcome.map(|reply| reply.rcode), Ok(Rcode::NXDOMAIN));
    assert_eq!((exchange.protocol, server.seen()), (Protocol::Tcp, (1, 1)));
    assert!(!exchange.flaws.loses_case, "a forger's guesses say nothing about the server");
}

#[tokio::test]
async fn a_server_that_does_not_keep_the_case_is_read_over_tcp() {
    let lower = |_: usize, query: &[u8]| {
        let mut reply = echo(query);
        reply[12..60].make_ascii_lowercase();
        vec![reply]
    };
    let server =
        HostileServer::start("127.0.0.1", lower, move |_, query| Stream::Message(lower(0, query).remove(0))).await;
    let stack = lab(&server);
    let exchange = stack.transport.exchange(&server.query()).await;
    assert_eq!((exchange.outcome.is_ok(), exchange.protocol), (true, Protocol::Tcp));
    assert!(exchange.flaws.loses_case);
    assert!(stack.health.quirks(server.address, std::time::Instant::now()).mismatches_udp);
}

#[tokio::test]
async fn a_cut_reply_is_read_over_tcp_and_a_server_that_cuts_there_too_failed() {
    let cut = |query: &[u8]| {
        let mut reply = echo(query);
        reply[2] |= 2;
        reply
    };
    let server = HostileServer::start("127.0.0.1", move |_, query| vec![cut(query)], genuine).await;
    assert!(lab(&server).transport.exchange(&server.query()).await.outcome.is_ok());
    assert_eq!(server.seen(), (1, 1));
    let writes = move |_: usize, query: &[u8]| Stream::Message(cut(query));
    let server = HostileServer::start("127.0.0.1", move |_, query| vec![cut(query)], writes).await;
    assert_eq!(lab(&server).transport.exchange(&server.query()).await.outcome, Err(Silence::Malformed));
    assert_eq!(server.seen(), (1, 1));
}

#[tokio::test]
async fn a_server_that_does_not_know_edns_is_asked_without() {
    let replies = |_: usize, query: &[u8]| {
        let mut reply = echo(query);
        if query[11] == 1 {
            reply.truncate(12);
            reply[3..].copy_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        vec![reply]
    };
    let server = HostileServer::start("127.0.0.1", replies, genuine).await;
    let exchange = lab(&server).transport.exchange(&server.query()).await;
    assert_eq!(exchange.outcome.map(|reply| reply.rcode), Ok(Rcode::NXDOMAIN));
    assert_eq!((exchange.protocol, server.seen()), (Protocol::Udp, (2, 0)));
}

#[tokio::test]
async fn every_second_packet_lost_is_made_up_for() {
    let replies = |nth: usize, query: &[u8]| if nth.is_multiple_of(2) { Vec::new() } else { vec![echo(query)] };
    let server = HostileServer::start("127.0.0.1", replies, genuine).await;
    let exchange = lab(&server).transport.exchange(&hasty_query(server.address)).await;
    assert_eq!((exchange.outcome.is_ok(), exchange.protocol, server.seen()), (true, Protocol::Udp, (2, 0)));
}

#[tokio::test]
async fn the_server_sees_no_more_packets_than_the_budget_has() {
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let replies = move |_: usize, query: &[u8]| {
        count.fetch_add(1, Ordering::SeqCst);
        vec![echo(query)]
    };
    let server = HostileServer::start("127.0.0.1", replies, genuine).await;
    let policy = AddressPolicy::allowing_special();
    let limits = PaceLimits::default().with_per_server(0);
    let settings = TransportSettings { dns_port: server.port, policy, limits, ..TransportSettings::default() };
    let stack = Live::open(&settings).unwrap();
    let budget = Budget::for_check().for_walk();
    let ask = |nth: u8| {
        let mut query = Query { budget: Arc::clone(&budget), ..server.query() };
        query.question.name = query.question.name.prepend([b'a' + nth % 26, b'a' + nth / 26]).unwrap();
        query
    };
    let queries: Vec<Query> = (0..80).map(ask).collect();
    let exchanges = futures::future::join_all(queries.iter().map(|query| stack.transport.exchange(query))).await;
    assert_eq!(exchanges.iter().filter(|exchange| exchange.outcome.is_ok()).count(), 50);
    assert_eq!((served.load(Ordering::SeqCst), budget.sends()), (50, 50));
}

#[tokio::test(start_paused = true)]
async fn the_stack_stands_on_anything_that_sends() {
    let udp = Arc::new(Scripted::silent(Silence::Mismatched));
    let tcp = Arc::new(Scripted::silent(Silence::Refused));
    let settings = TransportSettings { policy: AddressPolicy::allowing_special(), ..TransportSettings::default() };
    let stack = stack(Arc::clone(&udp) as _, Arc::clone(&tcp) as _, &settings);
    assert_eq!(stack.exchange(&query("192.0.2.1")).await.outcome, Err(Silence::Refused));
    assert_eq!(stack.exchange(&query("169.254.169.254")).await.outcome, Err(Silence::Forbidden));
    assert_eq!((udp.sent().len(), tcp.sent().len()), (1, 1));
}

#[tokio::test]
async fn settings_are_obeyed() {
    let server = HostileServer::start("127.0.0.1", |_, query| vec![echo(query)], genuine).await;
    let public = Live::open(&TransportSettings { dns_port: server.port, ..TransportSettings::default() }).unwrap();
    assert_eq!(public.transport.exchange(&server.query()).await.outcome, Err(Silence::Forbidden));
    let policy = AddressPolicy::allowing_special();
    let no_ipv6 = TransportSettings { dns_port: server.port, policy, use_ipv6: false, ..TransportSettings::default() };
    let stack = Live::open(&no_ipv6).unwrap();
    assert_eq!(stack.transport.exchange(&query("::1")).await.outcome, Err(Silence::NoRoute));
    assert!(stack.transport.exchange(&server.query()).await.outcome.is_ok());
    assert_eq!(server.seen(), (1, 0));
    let foreign = TransportSettings { bind: "192.0.2.1".parse().ok(), ..TransportSettings::default() };
    assert!(live(&foreign).is_err());
}
