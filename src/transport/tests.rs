//! What the tests of the transports share: a transport that answers from a list, and servers that misbehave.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{Exchange, PaceClass, Query, Transport};
use crate::budget::Budget;
use crate::dns::message::{Flags, Message};
use crate::dns::name::Name;
use crate::dns::rrset::{Question, Rcode, RecordType};
use crate::evidence::{Flaws, Silence};

/// What is asked for.
pub(super) fn question() -> Question {
    Question::new(Name::parse("selector1._domainkey.mail.example.com.").unwrap(), RecordType::CNAME)
}

/// A query of a check of its own.
pub(super) fn query(server: &str) -> Query {
    Query::new(server.parse().unwrap(), question(), PaceClass::Ordinary, Budget::for_check())
}

/// A query with a short timeout, for where nothing is going to come.
pub(super) fn hasty_query(server: IpAddr) -> Query {
    Query { timeout: Some(Duration::from_millis(100)), ..query(&server.to_string()) }
}

/// A reply with a response code.
pub(super) fn message(rcode: Rcode) -> Arc<Message> {
    let flags = Flags { is_reply: true, authoritative: true, ..Flags::default() };
    Arc::new(Message { flags, rcode, question: Some(question()), ..Message::default() })
}

/// A cut reply.
pub(super) fn truncated() -> Arc<Message> {
    let mut message = message(Rcode::NOERROR);
    Arc::make_mut(&mut message).flags.truncated = true;
    message
}

/// What comes of a question.
type Said = Result<Arc<Message>, Silence>;

/// A transport that answers from a list and keeps what it was asked.
pub(super) struct Scripted {
    /// What comes next, and after how long.
    next: Mutex<VecDeque<(Duration, Said)>>,
    /// What comes when the list is at its end.
    otherwise: Said,
    /// What was asked, and when.
    sent: Mutex<Vec<(Instant, Query)>>,
}

impl Scripted {
    /// Answers always the same.
    pub(super) fn always(outcome: Said) -> Self {
        Self { next: Mutex::default(), otherwise: outcome, sent: Mutex::default() }
    }

    /// Never answers. A timeout takes its time, all else none.
    pub(super) fn silent(silence: Silence) -> Self {
        Self::always(Err(silence))
    }

    /// Answers from a list first.
    pub(super) fn then(self, delay_ms: u64, outcome: Said) -> Self {
        self.script(delay_ms, outcome);
        self
    }

    /// Adds to the list.
    pub(super) fn script(&self, delay_ms: u64, outcome: Said) {
        self.next.lock().unwrap().push_back((Duration::from_millis(delay_ms), outcome));
    }

    /// Returns what was asked, and when.
    pub(super) fn sent(&self) -> Vec<(Instant, Query)> {
        self.sent.lock().unwrap().clone()
    }

    /// Returns how long after each other questions came, in milliseconds.
    pub(super) fn gaps_ms(&self) -> Vec<u128> {
        self.sent().windows(2).map(|pair| (pair[1].0 - pair[0].0).as_millis()).collect()
    }
}

impl Transport for Scripted {
    async fn exchange(&self, query: &Query) -> Exchange {
        if !query.budget.spend_send() {
            return Exchange::silent(Silence::Limit, Duration::ZERO, query.protocol);
        }
        self.sent.lock().unwrap().push((Instant::now(), query.clone()));
        let next = self.next.lock().unwrap().pop_front();
        let (delay, outcome) = next.unwrap_or((Duration::ZERO, self.otherwise.clone()));
        let is_timeout = outcome == Err(Silence::Timeout);
        let rtt = if is_timeout { query.timeout.unwrap_or(Duration::from_secs(5)) } else { delay };
        sleep(rtt).await;
        Exchange { outcome, rtt, protocol: query.protocol, flaws: Flaws::default() }
    }
}

/// The reply to a query that echoes its question and says NXDOMAIN with AA=1.
pub(super) fn echo(query: &[u8]) -> Vec<u8> {
    let mut reply = query.to_vec();
    reply[2] |= 0x84;
    reply[3] |= 3;
    reply
}

/// What a server writes into a connection.
pub(super) enum Stream {
    /// A message with its length in front.
    Message(Vec<u8>),
    /// Octets as they are, and then the end.
    Raw(Vec<u8>),
    /// A message, octet by octet with pauses, for ever.
    Drip,
    /// Nothing, and the connection stays open.
    Hold,
}

/// Says what a server sends for the nth datagram, the first being 0.
type UdpScript = Box<dyn FnMut(usize, &[u8]) -> Vec<Vec<u8>> + Send>;
/// Says what a server writes for the nth connection's query.
type TcpScript = Box<dyn FnMut(usize, &[u8]) -> Stream + Send>;

/// A server on loopback, over UDP and TCP on one free port.
pub(super) struct HostileServer {
    /// Where it listens.
    pub(super) address: IpAddr,
    /// The port, the same for both.
    pub(super) port: u16,
    /// How many datagrams came.
    datagrams: Arc<AtomicUsize>,
    /// How many connections came.
    connections: Arc<AtomicUsize>,
    /// What runs it.
    tasks: [JoinHandle<()>; 2],
}

impl HostileServer {
    /// Starts a server at an address.
    pub(super) async fn start(
        address: &str,
        udp: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static,
        tcp: impl FnMut(usize, &[u8]) -> Stream + Send + 'static,
    ) -> Self {
        let address: IpAddr = address.parse().unwrap();
        let (socket, listener) = loop {
            let listener = TcpListener::bind((address, 0)).await.unwrap();
            if let Ok(socket) = UdpSocket::bind((address, listener.local_addr().unwrap().port())).await {
                break (socket, listener);
            }
        };
        let port = listener.local_addr().unwrap().port();
        let (datagrams, connections) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let tasks = [
            tokio::spawn(serve_udp(socket, Arc::clone(&datagrams), Box::new(udp))),
            tokio::spawn(serve_tcp(listener, Arc::clone(&connections), Box::new(tcp))),
        ];
        Self { address, port, datagrams, connections, tasks }
    }

    /// A query to this server.
    pub(super) fn query(&self) -> Query {
        query(&self.address.to_string())
    }

    /// How many datagrams and connections came.
    pub(super) fn seen(&self) -> (usize, usize) {
        (self.datagrams.load(Ordering::SeqCst), self.connections.load(Ordering::SeqCst))
    }
}

impl Drop for HostileServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn serve_udp(socket: UdpSocket, count: Arc<AtomicUsize>, mut script: UdpScript) {
    let mut buffer = [0; 65_535];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let nth = count.fetch_add(1, Ordering::SeqCst);
        for datagram in script(nth, &buffer[..length]) {
            socket.send_to(&datagram, from).await.unwrap();
        }
    }
}

async fn serve_tcp(listener: TcpListener, count: Arc<AtomicUsize>, mut script: TcpScript) {
    let mut open = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let nth = count.fetch_add(1, Ordering::SeqCst);
        let Ok(length) = stream.read_u16().await else { continue };
        let mut query = vec![0; usize::from(length)];
        if stream.read_exact(&mut query).await.is_err() {
            continue;
        }
        match script(nth, &query) {
            Stream::Message(octets) => {
                let framed = [&u16::try_from(octets.len()).unwrap().to_be_bytes()[..], &octets].concat();
                let _ = stream.write_all(&framed).await;
            }
            Stream::Raw(octets) => {
                let _ = stream.write_all(&octets).await;
            }
            Stream::Drip => drop(tokio::spawn(drip(stream))),
            Stream::Hold => open.push(stream),
        }
    }
}

/// Writes an octet every 10 ms, until the other side has enough.
async fn drip(mut stream: TcpStream) {
    let _ = stream.write_all(&[0xff, 0xff]).await;
    while stream.write_all(&[0]).await.is_ok() {
        sleep(Duration::from_millis(10)).await;
    }
}
