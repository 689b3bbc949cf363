//! One datagram out, one datagram back.
//!
//! Questions leave from a pool of sockets on ports that the operating system picks at random; each socket is retired
//! after a number of questions or some time, and lives on until its last question is closed. Ids and letter cases are
//! random, and a reply counts only if address, port, id, opcode and question match to the letter (RFC 5452 §9, 0x20).
//! Nothing is tried twice here.
//!
//! What one check asks one server leaves from one socket, so that it leaves in one piece where the system can cut that into
//! datagrams. Which socket that is, nobody can foresee, and for each server and each further try it is drawn anew.
//!
//! A socket has one task, one timer and one book of its questions; a question has none of its own. The sockets
//! are not connected, so an ICMP refusal shows only where the operating system reports it on such sockets; elsewhere it
//! is a timeout.

mod book;
mod datagrams;
mod line;
mod mail;
mod path_mtu;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::source::{Source, silence_of_open};
use super::{Exchange, Query, Transport};
use crate::evidence::{Flaws, Protocol, Silence};
use crate::metrics::Metrics;
use book::Arrival;
use line::{Line, Lines, serve};

/// How long to wait where the query does not say: what RFC 6298 §2.1 starts with.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);
/// How many sockets take new questions, for each address family.
const SOCKETS_PER_FAMILY: u8 = 16;
/// The most questions that leave from one port, so that a port that was found out is soon worth nothing (SECURITY.md F1).
const QUESTIONS_PER_SOCKET: u32 = 256;
/// How long new questions leave from one port.
const SOCKET_AGE: Duration = Duration::from_secs(10);
/// How many octets a socket may hold of what came in and what is to go out; the operating system may give less.
const SOCKET_BUFFER_OCTETS: usize = 1 << 20;

/// Asks over UDP.
pub struct UdpTransport {
    /// The port that servers listen on.
    port: u16,
    /// Where questions leave from.
    source: Source,
    /// All sockets, those that are retired too.
    lines: Arc<Lines>,
    /// The sockets of IPv4 and of IPv6 that take new questions.
    pools: [Mutex<Pool>; 2],
}

/// The sockets of one family that take new questions, opened as they are drawn.
type Pool = BTreeMap<u8, Arc<PoolSocket>>;

/// One socket with its task, which ends when the last holder lets go.
struct PoolSocket {
    /// The socket, and what leaves from it.
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

impl UdpTransport {
    /// Makes a transport that asks servers on `port`. Sockets are opened as they are needed.
    ///
    /// # Errors
    /// What the operating system says where the source address is none of this host.
    pub fn new(port: u16, source: Source) -> io::Result<Self> {
        if let Some(address) = source.bind {
            std::net::UdpSocket::bind((address, 0))?;
        }
        Ok(Self { port, source, lines: Arc::default(), pools: Default::default() })
    }

    /// Has what matches no question counted.
    #[must_use]
    pub fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { lines: Arc::new(Lines::counting(metrics)), ..self }
    }

    /// Asks once and waits.
    async fn ask(&self, query: &Query) -> Exchange {
        let unsent = |silence| Exchange::silent(silence, Duration::ZERO, Protocol::Udp);
        let Some(local) = self.source.local_for(query.server) else { return unsent(Silence::NoRoute) };
        let now = Instant::now();
        let socket = match self.socket(local, query, now) {
            Ok(socket) => socket,
            Err(error) => return unsent(silence_of_open(&error)),
        };
        if !query.budget.spend_send() {
            return unsent(Silence::Limit);
        }
        self.ask_from(&socket, query, now).await
    }

    /// Asks once from that socket.
    async fn ask_from(&self, socket: &PoolSocket, query: &Query, departed: Instant) -> Exchange {
        let until = departed + query.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let arrival = socket.line.ask(query, until).await;
        let flaws = Flaws { loses_case: matches!(arrival, Some(Arrival::OtherLetters(_))), ..Flaws::default() };
        let outcome = match arrival {
            Some(Arrival::Reply(message, octets)) => {
                query.budget.spend_octets(octets);
                message.ok_or(Silence::Malformed)
            }
            Some(Arrival::Suspicion(octets) | Arrival::OtherLetters(octets)) => {
                query.budget.spend_octets(octets);
                Err(Silence::Mismatched)
            }
            Some(Arrival::Nothing) => Err(Silence::Timeout),
            Some(Arrival::Unsent(silence)) => Err(silence),
            None => Err(Silence::Limit),
        };
        Exchange { outcome, rtt: departed.elapsed(), protocol: Protocol::Udp, flaws }
    }

    /// Returns the socket that a question leaves from, a fresh one where the one that was drawn is worn.
    fn socket(&self, local: SocketAddr, query: &Query, now: Instant) -> io::Result<Arc<PoolSocket>> {
        let [ipv4, ipv6] = &self.pools;
        let pool = if local.is_ipv4() { ipv4 } else { ipv6 };
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        match pool.entry(query.lot % SOCKETS_PER_FAMILY) {
            Entry::Occupied(drawn) if drawn.get().take_question(now) => Ok(Arc::clone(drawn.get())),
            drawn => Ok(Arc::clone(drawn.insert_entry(self.open(local, now)?).get())),
        }
    }

    /// Opens a socket on a port of the operating system's choice and starts to receive on it.
    fn open(&self, local: SocketAddr, now: Instant) -> io::Result<Arc<PoolSocket>> {
        let socket = std::net::UdpSocket::bind(local)?;
        socket.set_nonblocking(true)?;
        // What the operating system does not give is not needed to work.
        let _ = SockRef::from(&socket).set_recv_buffer_size(SOCKET_BUFFER_OCTETS);
        let _ = SockRef::from(&socket).set_send_buffer_size(SOCKET_BUFFER_OCTETS);
        path_mtu::ignore(&socket, local.is_ipv4());
        let line = Arc::new(Line::new(UdpSocket::from_std(socket)?, local.is_ipv4(), self.port));
        self.lines.add(&line);
        let task = tokio::spawn(serve(Arc::clone(&line), Arc::clone(&self.lines)));
        // The first question is whoever's it is opened for.
        let questions_left = AtomicU32::new(QUESTIONS_PER_SOCKET - 1);
        Ok(Arc::new(PoolSocket { line, task, questions_left, opened: now }))
    }
}

impl PoolSocket {
    /// Counts one more question; false where the socket is worn, old or broken.
    fn take_question(&self, now: Instant) -> bool {
        let take = |left: u32| left.checked_sub(1);
        now.duration_since(self.opened) < SOCKET_AGE
            && !self.task.is_finished()
            && self.questions_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

impl Transport for UdpTransport {
    fn exchange(&self, query: &Query) -> impl Future<Output = Exchange> + Send {
        self.ask(query)
    }
}

#[cfg(test)]
mod tests;
