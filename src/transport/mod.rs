//! One query, one server, one reply.
//!
//! Every transport is a [`Transport`], and transports are wrapped in each other. The standard stack is
//! `coalesce(guard(fallback(paced(udp), paced(tcp))))`, where both halves share one pacer: the pace lies inside the
//! fallback, so that every datagram and every connection is paced, the retries too. A scenario is a transport as
//! well, so that all above runs without sockets in tests. What a reply means is not decided here.

pub mod coalesce;
mod counted;
pub mod failure_cache;
pub mod fallback;
pub mod guard;
pub mod heard;
pub mod live;
pub mod pace;
mod per_key;
pub mod server_health;
pub mod source;
pub mod tcp;
pub mod turns;
pub mod udp;
pub mod waiting;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::budget::Budget;
use crate::dns::message::{Edns, Extent, Message, write_query};
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Flaws, Protocol, Silence};
use crate::transport::heard::Heard;

/// How much load a server takes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum PaceClass {
    /// Any server.
    #[default]
    Ordinary,
    /// A root or TLD server, or one of the big anycast providers.
    Anycast,
}

/// One question for one server address.
#[derive(Clone, Debug)]
pub struct Query {
    /// The address to ask.
    pub server: IpAddr,
    /// What to ask.
    pub question: Question,
    /// How the query travels; a wrapping transport may choose another way.
    pub protocol: Protocol,
    /// Whether to send an OPT record (RFC 6891).
    pub with_edns: bool,
    /// Whether signatures and what proves that something is not there are asked for (DO, RFC 3225).
    pub dnssec_ok: bool,
    /// How much of the reply is read.
    pub extent: Extent,
    /// How long to wait for a reply to one try; `None` leaves it to the transport that retries.
    pub timeout: Option<Duration>,
    /// Which of the sockets it leaves from, over UDP, nobody being able to foresee it. Questions to one server that have the
    /// same lot can leave in one piece.
    pub lot: u8,
    /// How much load the server takes.
    pub class: PaceClass,
    /// What other servers said to the question, where they are asked too.
    pub heard: Option<Arc<Heard>>,
    /// The purse that every packet is paid from, before it is sent.
    pub budget: Arc<Budget>,
}

impl Query {
    /// Asks over UDP with EDNS, as every question starts; for signatures (DO, RFC 3225) with keys and what vouches for
    /// them, which are of no use without, and with the SOA record, whose signature is made whenever the zone changes.
    /// Without them, nothing behind an answer is read.
    #[must_use]
    pub fn new(server: IpAddr, question: Question, class: PaceClass, budget: Arc<Budget>) -> Self {
        let dnssec_ok = matches!(question.kind, RecordType::DNSKEY | RecordType::DS | RecordType::SOA);
        let extent = if dnssec_ok { Extent::Whole } else { Extent::Answer };
        let (protocol, with_edns, timeout, heard, lot) = (Protocol::Udp, true, None, None, rand::random());
        Self { server, question, protocol, with_edns, dnssec_ok, extent, timeout, lot, class, heard, budget }
    }
}

/// What became of a query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// The reply, whose id, question and source match the query; or why there is none.
    pub outcome: Result<Arc<Message>, Silence>,
    /// From the last try's departure to its end.
    pub rtt: Duration,
    /// How the last try travelled.
    pub protocol: Protocol,
    /// What the server showed itself unable to do on the way.
    pub flaws: Flaws,
}

/// Asks one question of one server.
///
/// The future may be dropped at any time. Every packet is paid from the query's budget before it
/// leaves; without budget the outcome is [`Silence::Limit`].
pub trait Transport: Send + Sync {
    /// Sends the query and waits for its reply.
    fn exchange(&self, query: &Query) -> impl Future<Output = Exchange> + Send;

    /// Does the same in a form that all transports share; it may begin before it is polled.
    fn asking<'a>(&'a self, query: &'a Query) -> Asking<'a>
    where
        Self: Sized,
    {
        Asking::Boxed(self.exchange(query).boxed())
    }
}

/// An exchange, whichever [`Transport`] makes it.
pub enum Asking<'a> {
    /// One that has a room at [`Coalesce`](coalesce::Coalesce).
    Flight(coalesce::Flight<'a>),
    /// Any other.
    Boxed(BoxFuture<'a, Exchange>),
}

impl Future for Asking<'_> {
    type Output = Exchange;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Exchange> {
        match &mut *self {
            Self::Flight(flight) => flight.poll_unpin(context),
            Self::Boxed(exchange) => exchange.poll_unpin(context),
        }
    }
}

/// Any [`Transport`], behind a pointer.
pub trait DynTransport: Send + Sync {
    /// Sends the query and waits for its reply.
    fn exchange_dyn<'a>(&'a self, query: &'a Query) -> Asking<'a>;
}

impl<T: Transport> DynTransport for T {
    fn exchange_dyn<'a>(&'a self, query: &'a Query) -> Asking<'a> {
        self.asking(query)
    }
}

impl Transport for dyn DynTransport + '_ {
    async fn exchange(&self, query: &Query) -> Exchange {
        self.exchange_dyn(query).await
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn exchange(&self, query: &Query) -> impl Future<Output = Exchange> + Send {
        (**self).exchange(query)
    }
}

impl Exchange {
    /// Says that there is no reply, and how long it took to know.
    #[must_use]
    pub fn silent(silence: Silence, rtt: Duration, protocol: Protocol) -> Self {
        Self { outcome: Err(silence), rtt, protocol, flaws: Flaws::default() }
    }
}

/// The UDP payload that is offered to servers: what passes every sane path without fragments (DNS flag day 2020).
const EDNS_PAYLOAD_OCTETS: u16 = 1232;

/// Writes a query under an id, its letters in the case of `case_bits` (0x20). Nobody may foresee either (RFC 5452 §9.2).
fn write_query_with_case(octets: &mut Vec<u8>, id: u16, query: &Query, case_bits: u64) {
    let edns = query.with_edns.then(|| Edns {
        payload_octets: EDNS_PAYLOAD_OCTETS,
        dnssec_ok: query.dnssec_ok,
        ..Edns::default()
    });
    write_query(octets, id, &query.question, case_bits, edns.as_ref());
}

#[cfg(test)]
mod tests;
