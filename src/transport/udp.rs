//! One datagram out, one datagram back.
//!
//! Questions leave from a pool of sockets on ports that the operating system picks at random; each socket is retired
//! after a number of questions or some time, and lives on until its last question is closed. Ids and letter cases are
//! random, and a reply counts only if address, port, id, opcode and question match to the letter (RFC 5452 §9, 0x20).
//! Nothing is tried twice here.
//!
//! Many questions share one book of what is out. A socket has one task: questions that come at the same time leave
//! together, and replies that wait are read together, with one system call where the system has such a one. The sockets
//! are not connected, so an ICMP refusal shows only where the operating system reports it on such sockets; elsewhere it
//! is a timeout.

mod book;
mod datagrams;
mod path_mtu;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::source::{Source, silence_of_open, silence_of_send};
use super::{Exchange, Query, Transport, encode_with_case};
use crate::dns::message::Message;
use crate::evidence::{Flaws, Protocol, Silence};
use crate::metrics::Metrics;
use book::{Arrival, Book, Ticket};
use datagrams::{DATAGRAM_OCTETS, Outgoing, receive, send};

/// How long to wait where the query does not say: what RFC 6298 §2.1 starts with.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);
/// The most sockets that take new questions, for each address family.
const SOCKETS_PER_FAMILY: usize = 16;
/// The most questions that leave from one port, so that a port that was found out is soon worth nothing (SECURITY.md F1).
const QUESTIONS_PER_SOCKET: u32 = 256;
/// How long new questions leave from one port.
const SOCKET_AGE: Duration = Duration::from_secs(10);
/// How many octets a socket may hold of what came in and what is to go out; the operating system may give less.
const SOCKET_BUFFER_OCTETS: usize = 1 << 20;
/// How often an id is drawn before giving up; the first is free unless the sockets are flooded.
const ID_DRAWS: usize = 16;
/// How many errors in a row a socket may report before it is replaced.
const ERRORS_IN_A_ROW: usize = 64;

/// Asks over UDP.
pub struct UdpTransport {
    /// The port that servers listen on.
    port: u16,
    /// Where questions leave from.
    source: Source,
    /// The questions that are out.
    book: Arc<Book>,
    /// The sockets of IPv4 and of IPv6 that take new questions.
    pools: [Mutex<Vec<Arc<PoolSocket>>>; 2],
    /// The number of the next socket.
    next_socket: AtomicU64,
}

/// One socket with its task, which ends when the last holder lets go.
struct PoolSocket {
    /// The number that tells it from all others of this transport.
    number: u64,
    /// The socket, and what is to leave from it.
    line: Arc<Line>,
    /// The task that sends and receives.
    task: JoinHandle<()>,
    /// How many questions may still leave from here.
    questions_left: AtomicU32,
    /// When it was opened.
    opened: Instant,
}

impl Drop for PoolSocket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A socket, and what is to leave from it.
struct Line {
    /// The socket.
    socket: UdpSocket,
    /// Whether it is one of IPv4.
    is_ipv4: bool,
    /// What is to leave.
    outbox: Mutex<Vec<Outgoing>>,
    /// Tells the task that something is to leave.
    has_mail: Notify,
}

impl UdpTransport {
    /// Makes a transport that asks servers on `port`. Sockets are opened as they are needed.
    ///
    /// # Errors
    /// What the operating system says where the source address is none of this host.
    pub fn new(port: u16, source: Source) -> io::Result<Self> {
        if let Some(address) = source.bind {
            std::net::UdpSocket::bind((address, 0))?;
        }
        let pools = [Mutex::default(), Mutex::default()];
        Ok(Self { port, source, book: Arc::default(), pools, next_socket: AtomicU64::new(0) })
    }

    /// Has what matches no question counted.
    #[must_use]
    pub fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { book: Arc::new(Book::counting(metrics)), ..self }
    }

    /// Asks once and waits.
    async fn ask(&self, query: &Query) -> Exchange {
        let unsent = |silence| Exchange::silent(silence, Duration::ZERO, Protocol::Udp);
        let Some(local) = self.source.local_for(query.server) else { return unsent(Silence::NoRoute) };
        let socket = match self.socket(local) {
            Ok(socket) => socket,
            Err(error) => return unsent(silence_of_open(&error)),
        };
        let Some((octets, ticket)) = self.enter(query, socket.number) else { return unsent(Silence::Limit) };
        if !query.budget.spend_send() {
            return unsent(Silence::Limit);
        }
        let departed = Instant::now();
        let mut flaws = Flaws::default();
        let outcome = self.send_and_wait(query, &socket, octets, ticket, &mut flaws).await;
        Exchange { outcome, rtt: departed.elapsed(), protocol: Protocol::Udp, flaws }
    }

    /// Writes the query down in the book, under an id that is free.
    fn enter(&self, query: &Query, socket: u64) -> Option<(Arc<[u8]>, Ticket)> {
        (0..ID_DRAWS).find_map(|_| {
            let octets: Arc<[u8]> = encode_with_case(query, rand::random()).into();
            let ticket = self.book.open(query.server, socket, &octets)?;
            Some((octets, ticket))
        })
    }

    /// Sends a query and waits for what comes of it.
    async fn send_and_wait(
        &self,
        query: &Query,
        socket: &PoolSocket,
        octets: Arc<[u8]>,
        mut ticket: Ticket,
        flaws: &mut Flaws,
    ) -> Result<Message, Silence> {
        let server = SocketAddr::new(query.server, self.port);
        let arrival = timeout_at(Instant::now() + query.timeout.unwrap_or(DEFAULT_TIMEOUT), async {
            socket.line.post(Outgoing { server, octets });
            ticket.arrival().await.ok_or(Silence::Timeout)
        });
        let arrival = arrival.await.unwrap_or(Err(Silence::Timeout))?;
        flaws.loses_case = matches!(arrival, Arrival::OtherLetters(_));
        match arrival {
            Arrival::Reply(reply) => {
                query.budget.spend_octets(reply.len());
                let message = Message::decode(&reply).ok().filter(|_| reply.len() < DATAGRAM_OCTETS);
                message.ok_or(Silence::Malformed)
            }
            Arrival::Suspicion(octets) | Arrival::OtherLetters(octets) => {
                query.budget.spend_octets(octets);
                Err(Silence::Mismatched)
            }
            Arrival::Unsent(silence) => Err(silence),
        }
    }

    /// Returns a socket at random, a fresh one where the one that was drawn is worn.
    fn socket(&self, local: SocketAddr) -> io::Result<Arc<PoolSocket>> {
        let [ipv4, ipv6] = &self.pools;
        let pool = if local.is_ipv4() { ipv4 } else { ipv6 };
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = rand::random_range(0..SOCKETS_PER_FAMILY);
        match pool.get_mut(drawn) {
            Some(socket) if socket.take_question() => Ok(Arc::clone(socket)),
            Some(worn) => {
                *worn = self.open(local)?;
                Ok(Arc::clone(worn))
            }
            None => {
                let fresh = self.open(local)?;
                pool.push(Arc::clone(&fresh));
                Ok(fresh)
            }
        }
    }

    /// Opens a socket on a port of the operating system's choice and starts to receive on it.
    fn open(&self, local: SocketAddr) -> io::Result<Arc<PoolSocket>> {
        let socket = std::net::UdpSocket::bind(local)?;
        socket.set_nonblocking(true)?;
        // What the operating system does not give is not needed to work.
        let _ = SockRef::from(&socket).set_recv_buffer_size(SOCKET_BUFFER_OCTETS);
        let _ = SockRef::from(&socket).set_send_buffer_size(SOCKET_BUFFER_OCTETS);
        path_mtu::ignore(&socket, local.is_ipv4());
        let socket = UdpSocket::from_std(socket)?;
        let number = self.next_socket.fetch_add(1, Ordering::Relaxed);
        let line =
            Arc::new(Line { socket, is_ipv4: local.is_ipv4(), outbox: Mutex::default(), has_mail: Notify::new() });
        let task = tokio::spawn(serve(Arc::clone(&line), number, Arc::clone(&self.book), self.port));
        let questions_left = AtomicU32::new(QUESTIONS_PER_SOCKET - 1);
        Ok(Arc::new(PoolSocket { number, line, task, questions_left, opened: Instant::now() }))
    }
}

impl PoolSocket {
    /// Counts one more question; false where the socket is worn, old or broken.
    fn take_question(&self) -> bool {
        let take = |left: u32| left.checked_sub(1);
        self.opened.elapsed() < SOCKET_AGE
            && !self.task.is_finished()
            && self.questions_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

impl Transport for UdpTransport {
    fn exchange<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Exchange> {
        self.ask(query).boxed()
    }
}

impl Line {
    /// Lets a datagram leave with the next ones.
    fn post(&self, datagram: Outgoing) {
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        outbox.push(datagram);
        if outbox.len() == 1 {
            self.has_mail.notify_one();
        }
    }

    /// Sends all that is to leave; questions that cannot leave get to hear why.
    async fn send_all(&self, number: u64, book: &Book) {
        let mail = std::mem::take(&mut *self.outbox.lock().unwrap_or_else(PoisonError::into_inner));
        let mut left = mail.as_slice();
        while let Some(first) = left.first() {
            let sent = match send(&self.socket, left) {
                Ok(sent) => sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // What it says shows itself with the next try.
                    let _ = self.socket.writable().await;
                    0
                }
                Err(error) => {
                    book.give_up(first.server.ip(), number, &first.octets, silence_of_send(&error));
                    1
                }
            };
            left = left.get(sent..).unwrap_or_default();
        }
    }
}

/// Sends and receives on one socket until it is given up; what comes from another port than the servers' is not looked
/// at.
async fn serve(line: Arc<Line>, number: u64, book: Arc<Book>, port: u16) {
    let mut errors = 0;
    while errors < ERRORS_IN_A_ROW {
        tokio::select! {
            () = line.has_mail.notified() => line.send_all(number, &book).await,
            _ = line.socket.readable() => {
                let received = receive(&line.socket, line.is_ipv4, |from, octets| {
                    if from.port() == port {
                        book.dispatch(from.ip(), number, octets);
                    } else {
                        book.count_stranger();
                    }
                });
                match received {
                    Ok(()) => errors = 0,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => errors = 0,
                    Err(_) => {
                        errors += 1;
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
