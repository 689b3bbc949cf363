//! One connection, one query, one reply (RFC 7766).
//!
//! The time for an exchange is absolute, however slowly octets drip in. A reply that is cut (TC=1) has no place over
//! TCP: that server failed, and it is not asked again here. Nothing is tried twice.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::per_key::PerKey;
use super::source::{Source, silence_of_connect, silence_of_open};
use super::{Exchange, Query, Transport, write_query_with_case};
use crate::budget::Budget;
use crate::dns::message::{HEADER_OCTETS, Message, is_bare_error_to, is_reply_to};
use crate::evidence::{Flaws, Protocol, Silence};

/// The most pairs of check and address whose number of open connections is remembered while there are none.
const SERVERS_KEPT: usize = 4096;

/// The case bits that write all letters in lower case.
const LOWER_CASE: u64 = u64::MAX;

/// How long connections may take and how many there may be (SECURITY.md A7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TcpLimits {
    /// The time until a connection stands; 3 s unless told.
    pub connect: Duration,
    /// The time for a whole exchange, the connection included; 5 s unless told.
    pub exchange: Duration,
    /// How long a question waits for its turn to connect; 10 s unless told.
    pub queue: Duration,
    /// How many connections are open at one time; 512 unless told.
    pub open_in_all: usize,
    /// How many of them go to one server address for one check; 2 unless told.
    pub open_per_server: usize,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            exchange: Duration::from_secs(5),
            queue: Duration::from_secs(10),
            open_in_all: 512,
            open_per_server: 2,
        }
    }
}

/// Asks over TCP.
pub struct TcpTransport {
    /// The port that servers listen on.
    port: u16,
    /// Where connections leave from.
    source: Source,
    /// The limits.
    limits: TcpLimits,
    /// Places for connections in all.
    places: Arc<Semaphore>,
    /// Places for connections to one server for one check, so that one whose zone hangs there holds up no other.
    server_places: PerKey<(IpAddr, u64), Semaphore>,
}

/// The right to have one connection open.
struct Place {
    /// The place at the server.
    _at_server: OwnedSemaphorePermit,
    /// The place among all.
    _in_all: OwnedSemaphorePermit,
}

impl TcpTransport {
    /// Makes a transport that asks servers on `port`.
    #[must_use]
    pub fn new(port: u16, source: Source, limits: TcpLimits) -> Self {
        let places = Arc::new(Semaphore::new(limits.open_in_all));
        Self { port, source, limits, places, server_places: PerKey::new(SERVERS_KEPT) }
    }

    /// Asks once and waits.
    async fn ask(&self, query: &Query) -> Exchange {
        let unsent = |silence| Exchange::silent(silence, Duration::ZERO, Protocol::Tcp);
        let Some(local) = self.source.local_for(query.server) else { return unsent(Silence::NoRoute) };
        let _place = match self.place(query).await {
            Ok(place) => place,
            Err(silence) => return unsent(silence),
        };
        if !query.budget.spend_send() {
            return unsent(Silence::Limit);
        }
        let departed = Instant::now();
        let allowed = query.timeout.map_or(self.limits.exchange, |timeout| timeout.min(self.limits.exchange));
        let conversation = timeout_at(departed + allowed, self.converse(query, local)).await;
        let outcome = conversation.unwrap_or(Err(Silence::Timeout)).map(Arc::new);
        Exchange { outcome, rtt: departed.elapsed(), protocol: Protocol::Tcp, flaws: Flaws::default() }
    }

    /// Waits for a place of the check at the server, then for one among all.
    ///
    /// Without one in time, what took so long counts: where other servers hold all places that there are, it is a limit of
    /// ours; else this one held the check's own connections all the while, and is as silent to this question as to those.
    async fn place(&self, query: &Query) -> Result<Place, Silence> {
        let key = (query.server, query.budget.check());
        let server_places = self.server_places.get_or_make(&key, || Semaphore::new(self.limits.open_per_server));
        let places = async {
            let at_server = server_places.acquire_owned().await.ok()?;
            let in_all = Arc::clone(&self.places).acquire_owned().await.ok()?;
            Some(Place { _at_server: at_server, _in_all: in_all })
        };
        match timeout(self.limits.queue, places).await {
            Ok(place) => place.ok_or(Silence::Limit),
            Err(_) if self.places.available_permits() == 0 => Err(Silence::Limit),
            Err(_) => Err(Silence::Timeout),
        }
    }

    /// Connects, sends the query and reads the first message that comes back.
    async fn converse(&self, query: &Query, local: SocketAddr) -> Result<Message, Silence> {
        let mut stream = self.connect(SocketAddr::new(query.server, self.port), local).await?;
        let mut octets = Vec::new();
        write_query_with_case(&mut octets, rand::random(), query, LOWER_CASE);
        // Length and message leave in one write (RFC 7766 §8).
        let length = u16::try_from(octets.len()).map_err(|_| Silence::Limit)?;
        let framed = [length.to_be_bytes().as_slice(), &octets].concat();
        stream.write_all(&framed).await.map_err(|_| Silence::Refused)?;
        let reply = read_message(&mut stream, &query.budget).await?;
        judge(reply, &octets, query)
    }

    /// Connects from the local address.
    async fn connect(&self, server: SocketAddr, local: SocketAddr) -> Result<TcpStream, Silence> {
        let opened = if server.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = opened.map_err(|error| silence_of_open(&error))?;
        if self.source.bind.is_some() {
            socket.bind(local).map_err(|error| silence_of_open(&error))?;
        }
        match timeout(self.limits.connect, socket.connect(server)).await {
            Ok(connected) => connected.map_err(|error| silence_of_connect(&error)),
            Err(_) => Err(Silence::Timeout),
        }
    }
}

impl Transport for TcpTransport {
    fn exchange(&self, query: &Query) -> impl Future<Output = Exchange> + Send {
        self.ask(query)
    }
}

/// Reads one message with its length in front; what was read is paid for, whole or not.
///
/// A connection that is closed before an octet came is a refusal: some hosts in front of a server take connections only
/// to drop them.
async fn read_message(stream: &mut TcpStream, budget: &Budget) -> Result<Vec<u8>, Silence> {
    let high = stream.read_u8().await.map_err(|_| Silence::Refused)?;
    let low = stream.read_u8().await.map_err(|_| Silence::Malformed)?;
    let length = u16::from_be_bytes([high, low]);
    let mut received = Received { octets: Vec::new(), budget };
    let mut message = stream.take(u64::from(length));
    while message.limit() > 0 {
        match message.read_buf(&mut received.octets).await {
            Ok(0) | Err(_) => return Err(Silence::Malformed),
            Ok(_) => {}
        }
    }
    let octets = std::mem::take(&mut received.octets);
    budget.spend_octets(octets.len());
    Ok(octets)
}

/// Octets that came in and are not paid for yet; they are when this is dropped.
struct Received<'a> {
    /// The octets.
    octets: Vec<u8>,
    /// The purse that pays.
    budget: &'a Budget,
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        self.budget.spend_octets(self.octets.len());
    }
}

/// Reads a message, if it is the reply to the query, which was `sent` as that. The case of the name does not count:
/// nobody else can write into the connection, and servers that do not keep the case must be heard somewhere.
fn judge(mut reply: Vec<u8>, sent: &[u8], query: &Query) -> Result<Message, Silence> {
    let message = Message::decode_reply(&reply, &query.question, query.extent).ok();
    if let Some(name) = reply.get_mut(HEADER_OCTETS..HEADER_OCTETS + query.question.name.wire().len()) {
        name.make_ascii_lowercase();
    }
    if !is_reply_to(&reply, sent) && !is_bare_error_to(&reply, sent) {
        // What is no message at all cannot be another question's.
        return Err(if message.is_some() { Silence::Mismatched } else { Silence::Malformed });
    }
    message.filter(|message| !message.flags.truncated).ok_or(Silence::Malformed)
}

#[cfg(test)]
mod tests;
