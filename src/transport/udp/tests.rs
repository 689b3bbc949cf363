//! One server on loopback for each way to reply badly.

use std::collections::HashSet;
use std::net::IpAddr;
use std::pin::pin;

use futures::FutureExt;
use futures::future::join_all;

use super::datagrams::DATAGRAM_OCTETS;
use super::*;
use crate::dns::message::Message;
use crate::dns::rrset::Rcode;
use crate::transport::tests::{HostileServer, Stream, echo, hasty_query, query};

impl PoolSocket {
    /// Returns the port that questions leave from.
    fn port(&self) -> u16 {
        self.line.socket.local_addr().unwrap().port()
    }
}

impl UdpTransport {
    /// Returns the socket that a query leaves from, and when.
    fn drawn(&self, query: &Query) -> (Arc<PoolSocket>, Instant) {
        let now = Instant::now();
        (self.socket(self.source.local_for(query.server).unwrap(), query, now).unwrap(), now)
    }

    /// Returns the queries to an address that are out.
    fn queries(&self, server: IpAddr) -> Vec<Vec<u8>> {
        self.lines.living().iter().flat_map(|line| line.queries(server)).collect()
    }
}

/// Asks one question of a server that replies as told.
async fn ask(replies: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Result<Arc<Message>, Silence> {
    let server = HostileServer::start("127.0.0.1", replies, |_, _| Stream::Hold).await;
    let udp = UdpTransport::new(server.port, Source::default()).unwrap();
    let exchange = udp.exchange(&hasty_query(server.address)).await;
    assert_eq!(server.seen(), (1, 0), "one question is one datagram");
    exchange.outcome
}

/// Changes the genuine reply to a query.
fn changed(query: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<Vec<u8>> {
    let mut reply = echo(query);
    change(&mut reply);
    vec![reply]
}

#[tokio::test]
async fn a_reply_that_matches_is_read() {
    let reply = ask(|_, query| vec![echo(query)]).await.unwrap();
    assert_eq!(reply.rcode, Rcode::NXDOMAIN);
    assert!(reply.edns.is_some(), "the query offered EDNS, and the server echoed it");
}

#[tokio::test]
async fn what_does_not_match_ends_the_question() {
    let wrong_id = ask(|_, query| changed(query, |reply| reply[0] ^= 1)).await;
    let wrong_case = ask(|_, query| changed(query, |reply| reply[13] ^= 0x20)).await;
    let lower_case = ask(|_, query| changed(query, |reply| reply[12..60].make_ascii_lowercase())).await;
    let wrong_name = ask(|_, query| changed(query, |reply| reply[13] ^= 1)).await;
    let not_a_reply = ask(|_, query| vec![query.to_vec()]).await;
    let wrong_opcode = ask(|_, query| changed(query, |reply| reply[2] |= 0x28)).await;
    let two_questions = ask(|_, query| changed(query, |reply| reply[5] = 2)).await;
    let too_short = ask(|_, _| vec![vec![0; 11]]).await;
    let empty = ask(|_, _| vec![Vec::new()]).await;
    let got =
        [wrong_id, wrong_case, lower_case, wrong_name, not_a_reply, wrong_opcode, two_questions, too_short, empty];
    assert_eq!(got, [const { Err(Silence::Mismatched) }; 9]);
}

#[tokio::test]
async fn a_server_that_cannot_read_the_query_is_heard() {
    let bare = |code: u8| {
        move |_: usize, query: &[u8]| {
            changed(&query[..12], |reply| reply[3..].copy_from_slice(&[code, 0, 0, 0, 0, 0, 0, 0, 0]))
        }
    };
    assert_eq!(ask(bare(1)).await.unwrap().rcode, Rcode::FORMERR);
    assert_eq!(ask(bare(4)).await.unwrap().rcode, Rcode::NOTIMP);
    assert_eq!(ask(bare(5)).await, Err(Silence::Mismatched), "REFUSED without a question may be anybody's");
}

#[tokio::test]
async fn a_datagram_as_long_as_the_buffer_is_cut_and_no_reply() {
    assert!(ask(|_, query| changed(query, |reply| reply.resize(DATAGRAM_OCTETS - 1, 0))).await.is_ok());
    assert_eq!(
        ask(|_, query| changed(query, |reply| reply.resize(DATAGRAM_OCTETS + 1, 0))).await,
        Err(Silence::Malformed)
    );
}

#[tokio::test]
async fn a_reply_from_another_port_or_address_is_not_looked_at() {
    for other in ["127.0.0.1", "127.0.0.2"] {
        let victim = HostileServer::start("127.0.0.1", |_, _| Vec::new(), |_, _| Stream::Hold).await;
        let forger = UdpSocket::bind((other, 0)).await.unwrap();
        let udp = UdpTransport::new(victim.port, Source::default()).unwrap();
        let query = hasty_query(victim.address);
        let (exchange, ()) = tokio::join!(udp.exchange(&query), async {
            // The forger knows everything but cannot use the server's port.
            tokio::task::yield_now().await;
            let ours = udp.pools[0].lock().unwrap().values().next().unwrap().port();
            let octets = udp.queries(victim.address).remove(0);
            forger.send_to(&echo(&octets), ("127.0.0.1", ours)).await.unwrap();
        });
        assert_eq!(exchange.outcome, Err(Silence::Timeout), "from {other}");
    }
}

#[tokio::test]
async fn a_late_reply_does_not_answer_a_new_question() {
    let mut held = Vec::new();
    let replies = move |nth: usize, query: &[u8]| {
        held.push(echo(query));
        if nth == 0 { Vec::new() } else { std::mem::take(&mut held) }
    };
    let server = HostileServer::start("127.0.0.1", replies, |_, _| Stream::Hold).await;
    let udp = UdpTransport::new(server.port, Source::default()).unwrap();
    // Both on one socket, so that the late reply reaches the one that waits.
    let query = hasty_query(server.address);
    let (socket, _) = udp.drawn(&query);
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let mut asking = pin!(udp.ask_from(&socket, &query, Instant::now()));
        assert!(futures::poll!(&mut asking).is_pending());
        let octets = udp.queries(server.address).remove(0);
        outcomes.push(asking.await.outcome.map(|reply| reply.id.to_be_bytes() == octets[..2]));
        assert!(udp.queries(server.address).is_empty(), "nothing is out");
    }
    assert_eq!(outcomes, [Err(Silence::Timeout), Ok(true)]);
}

#[tokio::test]
async fn questions_that_leave_together_each_get_their_own_reply() {
    let server = HostileServer::start("127.0.0.1", |_, query| vec![echo(query)], |_, _| Stream::Hold).await;
    let udp = UdpTransport::new(server.port, Source::default()).unwrap();
    let query = server.query();
    // More than one system call takes, all on one socket.
    let (socket, now) = udp.drawn(&query);
    let mut asked: Vec<_> = (0..100).map(|_| udp.ask_from(&socket, &query, now).boxed()).collect();
    for asking in &mut asked {
        assert!(futures::poll!(asking).is_pending());
    }
    let out: Vec<Vec<u8>> = udp.queries(server.address);
    for (octets, exchange) in out.into_iter().zip(join_all(asked).await) {
        assert_eq!(exchange.outcome.map(|reply| reply.id.to_be_bytes()), Ok([octets[0], octets[1]]));
    }
    assert_eq!(server.seen(), (100, 0));
}

#[tokio::test]
async fn a_question_that_cannot_leave_is_told_and_holds_no_other_up() {
    let server = HostileServer::start("127.0.0.1", |_, query| vec![echo(query)], |_, _| Stream::Hold).await;
    let udp = UdpTransport::new(server.port, Source::default()).unwrap();
    // The system lets nobody send to all hosts who did not say so before.
    let queries = [query("255.255.255.255"), server.query()];
    let (socket, now) = udp.drawn(&queries[1]);
    let exchanges = join_all(queries.iter().map(|query| udp.ask_from(&socket, query, now))).await;
    assert_eq!(exchanges[0].outcome, Err(Silence::Limit));
    assert!(exchanges[1].outcome.is_ok());
    assert!(udp.queries(queries[0].server).is_empty());
}

#[tokio::test]
async fn a_dropped_question_is_no_longer_out() {
    let server = HostileServer::start("127.0.0.1", |_, _| Vec::new(), |_, _| Stream::Hold).await;
    let udp = UdpTransport::new(server.port, Source::default()).unwrap();
    let query = hasty_query(server.address);
    let mut asking = udp.exchange(&query).boxed();
    assert!(futures::poll!(&mut asking).is_pending());
    assert_eq!(udp.queries(server.address).len(), 1);
    drop(asking);
    assert!(udp.queries(server.address).is_empty());
}

#[tokio::test]
async fn ports_ids_and_cases_vary() {
    let server = HostileServer::start("127.0.0.1", |_, query| vec![echo(query)], |_, _| Stream::Hold).await;
    let udp = UdpTransport::new(server.port, Source::default()).unwrap();
    let pool_size = usize::from(SOCKETS_PER_FAMILY);
    // As many checks as there are questions.
    let mut drawn = Vec::new();
    for _ in 0..pool_size * usize::try_from(QUESTIONS_PER_SOCKET).unwrap() {
        drawn.push(udp.drawn(&server.query()));
    }
    let sockets: HashSet<*const PoolSocket> = drawn.iter().map(|(socket, _)| Arc::as_ptr(socket)).collect();
    assert!(sockets.len() > pool_size, "worn sockets are replaced");
    let ports: HashSet<u16> = udp.pools[0].lock().unwrap().values().map(|one| one.port()).collect();
    assert_eq!(ports.len(), pool_size);
    let (query, (socket, now)) = (server.query(), &drawn[0]);
    let mut asked: Vec<_> = (0..1000).map(|_| udp.ask_from(socket, &query, *now).boxed()).collect();
    for asking in &mut asked {
        assert!(futures::poll!(asking).is_pending());
    }
    let queries: HashSet<Vec<u8>> = udp.queries(server.address).into_iter().collect();
    assert_eq!(queries.len(), 1000);
    let ids: HashSet<_> = queries.iter().map(|octets| &octets[..2]).collect();
    assert_eq!(ids.len(), 1000);
    let names: HashSet<_> = queries.iter().map(|octets| &octets[12..]).collect();
    assert!(names.len() > 990, "{} cases of 1000", names.len());
}

#[tokio::test]
async fn what_has_one_lot_leaves_from_one_socket_and_all_else_from_any() {
    let udp = UdpTransport::new(53, Source::default()).unwrap();
    let ports = |queries: Vec<Query>| queries.iter().map(|one| udp.drawn(one).0.port()).collect::<HashSet<u16>>();
    assert_eq!(ports(vec![query("192.0.2.1"); 50]).len(), 1);
    // Each draw is one of 16: that 50 of them are all the same does not happen.
    assert!(ports((0..50).map(|_| query("192.0.2.1")).collect()).len() > 1);
}

#[tokio::test]
async fn the_budget_is_kept_to_the_packet() {
    let server = HostileServer::start("127.0.0.1", |_, query| vec![echo(query)], |_, _| Stream::Hold).await;
    let udp = UdpTransport::new(server.port, Source::default()).unwrap();
    let query = hasty_query(server.address);
    let walk = crate::transport::Query { budget: query.budget.for_walk(), ..query };
    let exchanges = join_all((0..60).map(|_| udp.exchange(&walk))).await;
    let limited = exchanges.iter().filter(|exchange| exchange.outcome == Err(Silence::Limit)).count();
    assert_eq!((limited, server.seen().0), (10, 50));
    assert_eq!(exchanges.iter().filter(|exchange| exchange.outcome.is_ok()).count(), 50);
}

#[tokio::test]
async fn without_a_way_there_nothing_is_spent() {
    let no_ipv6 = UdpTransport::new(53, Source { use_ipv6: false, ..Source::default() }).unwrap();
    let query = hasty_query("2001:db8::1".parse().unwrap());
    assert_eq!(no_ipv6.exchange(&query).await.outcome, Err(Silence::NoRoute));
    assert_eq!(query.budget.sends(), 0);
    let elsewhere = Source { bind: "192.0.2.1".parse().ok(), ..Source::default() };
    assert!(UdpTransport::new(53, elsewhere).is_err(), "the source address is none of this host");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn sockets_ignore_what_icmp_says_of_the_paths_size() {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, ip_mtu_discover, ipv6_mtu_discover};
    let udp = UdpTransport::new(53, Source::default()).unwrap();
    let ipv4 = udp.open("127.0.0.1:0".parse().unwrap(), Instant::now()).unwrap();
    assert_eq!(ip_mtu_discover(&ipv4.line.socket).unwrap(), Ipv4PathMtuDiscovery::OMIT);
    // A host without IPv6 has no such socket.
    if let Ok(ipv6) = udp.open("[::1]:0".parse().unwrap(), Instant::now()) {
        assert_eq!(ipv6_mtu_discover(&ipv6.line.socket).unwrap(), Ipv6PathMtuDiscovery::OMIT);
    }
}
